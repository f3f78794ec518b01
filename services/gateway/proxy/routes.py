from collections.abc import AsyncIterator

import anyio
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from chassis.ids import new_id
from chassis.problems import BadRequest, NotFound, Unauthorized
from chassis.telemetry import current_traceparent
from services.gateway import parts
from services.gateway.proxy import rules
from services.gateway.proxy.upstream import Answer, PartMissing
from services.gateway.state import CurrentGateway

REQUEST_ID = "X-Request-Id"

router = APIRouter(include_in_schema=False)


class Passed(StreamingResponse):
    """The service's answer as it comes in; its connection is given back whatever happens."""

    def __init__(self, answer: Answer, headers: rules.Headers) -> None:
        super().__init__(_chunks(answer), status_code=answer.status_code)
        self.raw_headers = headers
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._answer.aclose()


@router.api_route("/v1/{prefix}", methods=list(rules.METHODS))
@router.api_route("/v1/{prefix}/{rest:path}", methods=list(rules.METHODS))
async def forward(prefix: str, request: Request, gateway: CurrentGateway) -> Response:
    part = parts.by_prefix(prefix)
    if part is None:
        raise NotFound("没有这个领域的接口")
    headers = request.scope["headers"]
    try:
        target = rules.target(request.scope["raw_path"], prefix, request.scope["query_string"])
        passed = rules.upwards(headers)
    except rules.Refused as refused:
        raise BadRequest(str(refused)) from refused
    if not rules.bearer(headers):
        raise Unauthorized("请在 Authorization 头中提供 Bearer 令牌")
    upstream = gateway.upstreams.get(part.name)
    if upstream is None:
        raise PartMissing(f"本系统未接入“{part.title}”服务", retry_after=3600)
    request_id = rules.request_id(request.headers.get(REQUEST_ID)) or str(new_id())
    passed += [(b"x-request-id", request_id.encode()), *_trace()]
    # The chassis has received it whole: with it in hand, the service never waits for it.
    answer = await upstream.ask(request.method, target, passed, await request.body())
    back = rules.downwards(answer.headers.raw, upstream.origin)
    return Passed(answer, [*back, (b"x-request-id", request_id.encode())])


async def _chunks(answer: Answer) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_raw():
        yield chunk


def _trace() -> rules.Headers:
    traceparent = current_traceparent()
    return [(b"traceparent", traceparent.encode())] if traceparent else []
