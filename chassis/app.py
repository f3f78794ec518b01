"""The app factory: problems, one structured log line a request, health, readiness, metrics."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import problems
from chassis.dead_letters import dead_letters_router
from chassis.limits import Admission, BodyLimit
from chassis.requests import denied
from chassis.service import Runtime, Service, running
from chassis.settings import Settings
from chassis.telemetry import continue_trace, log, metrics


class Health(BaseModel):
    """进程状态。"""

    status: str


class RequestLog:
    """Pure ASGI: trace context, one log line and the metrics of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        began = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with continue_trace(headers.get(b"traceparent", b"").decode("latin-1")):
            try:
                await self._app(scope, receive, watch)
            finally:
                took = time.perf_counter() - began
                route = getattr(scope.get("route"), "path", None)
                metrics.request(scope["method"], route, status, took)
                if route is None or not route.startswith("/-/"):
                    log().info(
                        "request",
                        method=scope["method"],
                        route=route,
                        status=status,
                        duration_ms=round(took * 1000, 1),
                    )


FORWARDING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def asked_on_this_machine(request: Request) -> bool:
    """Whether nobody stands between: what says how we fare is not for who comes by a door."""
    peer = ip_address(request.client.host) if request.client else None
    forwarded = any(name in request.headers for name in FORWARDING)
    return peer is not None and peer.is_loopback and not forwarded


operations = APIRouter(prefix="/-", include_in_schema=False)


@operations.get("/health")
async def health() -> Health:
    return Health(status="ok")


@operations.get("/ready")
async def ready(request: Request) -> Health:
    runtime: Runtime = request.app.state.runtime
    await runtime.database.ping()
    return Health(status="ready")


@operations.get("/metrics")
async def metrics_route(request: Request) -> Response:
    """For who asks on this machine; Prometheus asks on `MINZHENG_METRICS_PORT`."""
    if not asked_on_this_machine(request):
        raise problems.NotFound
    content, media_type = metrics.exposition()
    return Response(content, media_type=media_type)


def _drop_titles(part: Any) -> None:  # noqa: ANN401 - a part of a JSON document
    """Remove the titles that are made of the English names of fields and models.

    A field that is called `title` has a schema there, not a text, and stays.
    """
    if isinstance(part, list):
        for one in part:
            _drop_titles(one)
    elif isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        for one in part.values():
            _drop_titles(one)


def _in_our_words(whole: dict[str, Any]) -> None:
    """Take the framework's and the code's English out of an OpenAPI document."""
    _drop_titles(whole["paths"])
    _drop_titles(whole["components"])
    for schema in whole["components"]["schemas"].values():
        if "enum" in schema:  # told in the code; for users, in Chinese at each field
            schema.pop("description", None)
    for path in whole["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                if answer["description"] == "Successful Response":
                    answer["description"] = "成功"


def create_app(service: Service, settings: Settings) -> FastAPI:
    """The HTTP side of a service: everything under `/v1`, operations under `/-`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(service, settings) as runtime:
            app.state.runtime = runtime
            yield

    app = FastAPI(
        title=service.title,
        description=service.description,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,  # the redirect would be made of the caller's Host header
    )
    app.add_middleware(Admission, most=settings.requests_at_once)
    app.add_middleware(BodyLimit, seconds=settings.body_seconds)
    app.add_middleware(RequestLog)
    problems.install(app)
    app.add_exception_handler(problems.Forbidden, denied)
    app.include_router(dead_letters_router(service.name))
    for router in service.routers:
        app.include_router(router)
    app.include_router(operations)
    own_document, whole = app.openapi, dict[str, Any]()

    def document() -> dict[str, Any]:
        if not whole:
            whole.update(problems.with_schema(own_document()))
            problems.document_what_all_routes_answer(whole)
            _in_our_words(whole)
        return whole

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way
    return app
