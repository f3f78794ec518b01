"""`Idempotency-Key`: a repeated POST gets its first answer, kept in the same transaction.

Looked up after authorisation and before `If-Match`; another body under the same key is refused,
and so is the same one by a caller whose divisions have changed. The answer is kept sealed: it may
hold what the encrypted columns hold.
"""

import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.utils import get_dependant
from fastapi.params import Depends as DependsOn
from fastapi.routing import APIRoute
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import chassis_metadata
from chassis.privacy import Cell, KeyRing
from chassis.problems import Unprocessable
from chassis.requests import Caller, CurrentRuntime, Transaction, require
from chassis.sealing import note_reading

KEPT_FOR = timedelta(days=30)
KEPT_HEADERS = ("content-type", "etag", "location")

idempotency_key = Table(
    "idempotency_key",
    chassis_metadata,
    Column("request", LargeBinary, primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False, index=True),
)

# Built once: to build a statement anew costs more than to send it.
LOCK = sql("SELECT pg_advisory_xact_lock(:lock)")
FIND = select(idempotency_key).where(idempotency_key.c.request == bindparam("name"))
KEEP = insert(idempotency_key).inline()


class KeyReused(Unprocessable):
    slug, title = "idempotency-key-reused", "幂等键已用于另一请求"


class _Replayed(Exception):  # noqa: N818 - no error: the first answer, given again
    def __init__(self, response: Response) -> None:
        self.response = response


async def idempotent(
    request: Request,
    session: Transaction,
    principal: Caller,
    runtime: CurrentRuntime,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=8,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="幂等键：同一键重复提交只生效一次，并得到第一次的答复",
        ),
    ] = None,
) -> None:
    """Answer again what was answered to this key; else have the answer kept."""
    if key is None:
        return
    who = (principal.subject, principal.organisation, request.method, request.url.path, key)
    name = hashlib.sha256("\n".join(who).encode()).digest()
    asked = [await request.body(), *(code.encode() for code in sorted(principal.divisions))]
    key_ring = runtime.key_ring
    body_hash = key_ring.request_index(b"\n".join(asked))
    await session.execute(LOCK, {"lock": int.from_bytes(name[:8], signed=True)})
    kept = (await session.execute(FIND, {"name": name})).first()
    if kept is None:
        request.state.keep_answer = partial(_keep, session, key_ring, name, body_hash)
        return
    if kept.body_hash != body_hash:
        raise KeyReused("同一幂等键不得用于内容不同的请求")
    answer = await key_ring.reveal(
        kept.answer,
        answer_cell(name),
        of=name.hex(),
        purpose="答复重复提交的请求",
        audit=partial(note_reading, session),
    )
    response = Response(answer.encode(), status_code=kept.status)
    for line in kept.headers.splitlines():
        header, _, value = line.partition(": ")
        response.headers[header] = value
    response.headers["Idempotency-Replayed"] = "true"
    raise _Replayed(response)


Idempotent = Depends(idempotent, scope="function")


_Keep = Callable[[Response], Awaitable[None]]


class Route(APIRoute):
    """Keeps the rendered answer for its key, before the function-scoped commit.

    The scope that the endpoint asks for is checked first: before a first answer is looked up, and
    before a connection is taken.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        dependencies: Sequence[DependsOn] | None = None,
        **settings: Any,  # noqa: ANN401 - passed on as they come
    ) -> None:
        asked = (one.call for one in get_dependant(path=path, call=endpoint).dependencies)
        scopes = [Depends(call) for call in asked if isinstance(call, require)]
        super().__init__(path, endpoint, dependencies=[*scopes, *(dependencies or ())], **settings)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await handler(request)
            except _Replayed as again:
                return again.response
            keep: _Keep | None = getattr(request.state, "keep_answer", None)
            if keep is not None:
                await keep(response)
            return response

        return handle


def answer_cell(name: bytes) -> Cell:
    """What a kept answer is sealed to."""
    return Cell("idempotency_key", "answer", UUID(bytes=name[:16]))


async def _keep(
    session: AsyncSession, key_ring: KeyRing, name: bytes, body_hash: bytes, response: Response
) -> None:
    headers = "\n".join(
        f"{header}: {value}" for header, value in response.headers.items() if header in KEPT_HEADERS
    )
    await session.execute(
        KEEP,
        {
            "request": name,
            "body_hash": body_hash,
            "status": response.status_code,
            "headers": headers,
            "answer": key_ring.seal(bytes(response.body).decode(), answer_cell(name)),
            "kept_at": datetime.now(UTC),
        },
    )


async def forget_old_keys(session: AsyncSession) -> None:
    """Drop answers older than any client's retries."""
    await session.execute(
        delete(idempotency_key).where(idempotency_key.c.kept_at < datetime.now(UTC) - KEPT_FOR)
    )
