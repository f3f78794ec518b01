"""How a process answers HTTP: uvicorn with bounds of ours on heads, connections and slow readers.

uvicorn has a limit neither of a head's size nor of its time with httptools, and waits for ever for
the first byte on a new connection.
"""

import asyncio
import contextlib
import sys
from typing import ClassVar

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis.limits import Full
from chassis.problems import BadRequest, Problem, problem_response
from chassis.settings import Settings

KEEP_ALIVE_SECONDS = 30
STALLED_SECONDS = 60.0
"""How long a client may leave what it asked for unread."""
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
FILES_BESIDE = 500
"""Descriptors for everything but the clients: the database, other services, files."""

if sys.platform != "win32":
    import resource

    def allow_files(connections: int) -> None:
        """Have as many descriptors as the connections need, within what the system lets us."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = connections + FILES_BESIDE
        with contextlib.suppress(ValueError, OSError):
            within = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (within, most))

else:

    def allow_files(connections: int) -> None:
        """Windows has no such limit."""


class HeadTooLarge(Problem):
    status, slug, title = 431, "head-too-large", "请求头过大"


class HeadTooSlow(Problem):
    status, slug, title = 408, "request-timeout", "请求头未在时限内送达"


class BoundedHttp(HttpToolsProtocol):
    """One connection. Who has sent no whole head waits; of those the oldest is let go first."""

    most: ClassVar[int]
    head_seconds: ClassVar[float]
    waiting: ClassVar[dict["BoundedHttp", None]]

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _in_head = False
    _in_body = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait(self.head_seconds)
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wait_no_more()
        self._read_again()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLarge())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if not self._at_work():
            self._wait(self.head_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # a trailer comes when the head has been acted on: it is left out
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        self._wait_no_more()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size <= MAX_HEAD_BYTES and len(self.headers) <= MAX_HEADERS:
            super().on_headers_complete()
            return
        app, self.app = self.app, _head_too_large
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False
        if self._deadline is not None:  # answered before all of it was there
            self._wait(KEEP_ALIVE_SECONDS)

    def on_response_complete(self) -> None:
        more = bool(self.pipeline)
        super().on_response_complete()
        if more or self.transport.is_closing():
            return
        if self._in_body:  # the rest is thrown away, for a while: a client may read only then
            self._arm(self.head_seconds)
        else:
            self._wait(self.head_seconds if self._in_head else KEEP_ALIVE_SECONDS)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - as uvicorn has it
        self._refuse(BadRequest("不是合规范的 HTTP 请求"))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._read_again()

    def _read_again(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self.waiting.pop(self, None)
        self.waiting[self] = None
        self._arm(seconds)

    def _wait_no_more(self) -> None:
        self.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _arm(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._deadline = None
        if self._in_head:
            self._refuse(HeadTooSlow())
        else:
            self.transport.close()

    def _make_room(self) -> None:
        oldest = next(iter(self.waiting))
        if oldest is self:
            self._refuse(Full())
        else:
            oldest.transport.abort()

    def _refuse(self, problem: Problem) -> None:
        """Answer without the app and close; in the middle of another answer, only close."""
        unanswered = self._in_body and not self.pipeline and not self.cycle.response_started
        if not self._at_work() or unanswered:
            answer = problem_response(problem)
            head = b"".join(b"%s: %s\r\n" % pair for pair in answer.raw_headers)
            self.transport.write(
                STATUS_LINE[problem.status] + head + b"connection: close\r\n\r\n" + answer.body
            )
        self.transport.close()


async def _head_too_large(scope: Scope, receive: Receive, send: Send) -> None:
    answer = problem_response(HeadTooLarge(headers={"Connection": "close"}))
    await answer(scope, receive, send)


def configuration(app: ASGIApp, settings: Settings, *, patience: int = 10) -> uvicorn.Config:
    """For a server of the app; at its end it waits `patience` seconds for requests under way."""
    bounds = {
        "most": settings.connections,
        "head_seconds": settings.header_seconds,
        "waiting": {},
    }
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=type("BoundedHttp", (BoundedHttp,), bounds),
        lifespan="on",
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=patience,
    )
