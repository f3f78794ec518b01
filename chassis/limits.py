"""What a process takes on at once, and what one caller may ask of it: refused early, not queued."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import CLIENT_GONE, Problem, TooLarge, Unavailable, problem_response

MAX_BODY_BYTES = 2 * 1024 * 1024
MOST_PARTS = 10_000
"""Of a body in JSON, by its commas: each one that does not fit costs more than its few bytes."""
BODY_SECONDS = 30.0
RECEIVED_AT_ONCE_BYTES = 128 * 1024 * 1024
"""Of all bodies that are coming in: beyond it, the one that has been coming longest is let go."""
OPERATIONS_AT_ONCE = 16
FULL_RETRY_AFTER = 1


class BodyTooSlow(Problem):
    status, slug, title = 408, "request-timeout", "请求内容未在时限内送达"


class TooManyRequests(Problem):
    status, slug, title = 429, "too-many-requests", "请求过于频繁"

    def __init__(self, wait: float) -> None:
        super().__init__(
            "请按 Retry-After 稍后再试", headers={"Retry-After": str(max(1, math.ceil(wait)))}
        )


class Full(Unavailable):
    slug, title = "full", "系统繁忙"

    def __init__(self) -> None:
        super().__init__("同时办理的请求过多，请稍后重试", retry_after=FULL_RETRY_AFTER)


class BodyLimit:
    """Pure ASGI: a body is received whole, within its size and its time, before anything is done.

    So nobody who sends slowly holds a connection to the database or a place among those at work.
    The framework's own limit is of no use here: it puts a text of its own in the place of every
    answer, a problem too.
    """

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds
        self._receiving: dict[asyncio.Timeout, None] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = _declared(scope.get("headers", ())) if scope["type"] == "http" else 0
        if length == 0:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._received(length, receive)
            if body is not None and body.count(b",") > MOST_PARTS and _is_json(scope["headers"]):
                raise TooLarge("请求体的条目过多")
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
        else:
            if body is None:
                await Response(status_code=CLIENT_GONE)(scope, receive, send)
            else:
                await self._app(scope, _again(body, receive), send)

    async def _received(self, length: int | None, receive: Receive) -> bytes | None:
        """The whole body; None from a client that has gone.

        Raises:
            TooLarge: it is too large, or says so.
            BodyTooSlow: it did not come in time.
        """
        if length is not None and length > MAX_BODY_BYTES:
            raise _too_large()
        try:
            async with asyncio.timeout(self._seconds) as until:
                return await self._read(until, receive)
        except TimeoutError as error:
            raise BodyTooSlow from error

    async def _read(self, until: asyncio.Timeout, receive: Receive) -> bytes | None:
        body = bytearray()
        self._receiving[until] = None
        try:
            while (message := await receive())["type"] == "http.request":
                part = message.get("body", b"")
                body += part
                self._bytes += len(part)
                if len(body) > MAX_BODY_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
                if self._bytes > RECEIVED_AT_ONCE_BYTES:
                    next(iter(self._receiving)).reschedule(asyncio.get_running_loop().time())
        finally:
            self._bytes -= len(body)
            del self._receiving[until]
        return None


class Admission:
    """Pure ASGI: so many requests at once, until each begins to answer; the next are told 503.

    Operations (`/-/`) have a few places of their own, so that a full process still shows it lives.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = {False: most, True: OPERATIONS_AT_ONCE}
        self._inside = {False: 0, True: 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lane = scope["path"].startswith("/-/")
        if self._inside[lane] >= self._most[lane]:
            await problem_response(Full())(scope, receive, send)
            return
        self._inside[lane] += 1
        working = True

        async def watch(message: Message) -> None:
            nonlocal working
            if working and message["type"] == "http.response.start":
                working = False
                self._inside[lane] -= 1
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            if working:
                self._inside[lane] -= 1


class Rates:
    """How often each caller may ask, in this process: `burst` at once, `a_second` on average.

    Zero a second is no limit. Only the latest `kept` callers are remembered.
    """

    def __init__(
        self,
        a_second: float,
        *,
        burst: float,
        kept: int = 10_000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._a_second = a_second
        self._burst = burst
        self._kept = kept
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request of the caller.

        Raises:
            TooManyRequests: the caller has to wait; the request is not counted.
        """
        if not self._a_second:
            return
        now = self._now()
        left, at = self._left.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._a_second)
        if left < 1:
            raise TooManyRequests((1 - left) / self._a_second)
        self._left[caller] = left - 1, now
        self._left.move_to_end(caller)
        if len(self._left) > self._kept:
            self._left.popitem(last=False)


def _declared(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The body's length as the head tells it: zero where there is none, None where it is open."""
    length: int | None = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value) if value.isdigit() and len(value) < len("4294967296") else None
    return length


def _is_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether it would be read as JSON, as it also is without a word about its type."""
    types = [value.lower() for name, value in headers if name == b"content-type"]
    return not types or any(b"json" in value for value in types)


def _too_large() -> TooLarge:
    return TooLarge(f"请求体不得超过 {MAX_BODY_BYTES // 1024 // 1024} MiB")


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, and then what comes after it."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
