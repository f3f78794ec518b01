"""Calls to others over HTTP. Only the gateway's proxy, which streams, goes to httpx past it."""

import asyncio
import email.utils
import secrets
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx
from httpx import Response

from chassis.telemetry import current_traceparent

__all__ = ["HttpClient", "Response", "UpstreamTimeout", "UpstreamUnavailable"]

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 10.0
ATTEMPTS = 3
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
MOST_BYTES = 64 * 1024 * 1024
"""Of an answer. It is asked for as it is: one that unpacks could become anything."""
KEEP_ALIVE_SECONDS = 3.0
"""Shorter than uvicorn's five: a connection that the server is about to close is not used."""

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_WORTH_REPEATING = frozenset({502, 503, 504})
_random = secrets.SystemRandom()


@cache
def _certificates() -> ssl.SSLContext:
    """The machine's own, a bureau's authority among them; read once, which takes its time."""
    return ssl.create_default_context()


class UpstreamUnavailable(Exception):  # noqa: N818 - says what happened
    """No answer came from the other side; its message names the host, never the path."""


class UnusableAnswer(UpstreamUnavailable):
    """The answer is larger than may be taken in, or packed though it was not asked to be."""


class UpstreamTimeout(UpstreamUnavailable):
    """The other side took too long; what was asked may have happened all the same."""


class HttpClient:
    """Calls with a limit in time, few repetitions and the trace passed on.

    GET, HEAD, PUT and DELETE, and POST under an `Idempotency-Key`, are repeated after a broken
    connection and after 502, 503 and 504, as `Retry-After` says where it says five seconds or
    less. Any answer that stands at the end is returned, whatever its status.
    """

    def __init__(
        self,
        base_url: str = "",
        *,
        timeout: float = TOTAL_SECONDS,
        connect_timeout: float = CONNECT_SECONDS,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._timeout = timeout
        self._attempts = attempts
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(timeout, connect=connect_timeout),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
            verify=_certificates(),
            trust_env=False,  # no proxy of the environment between services
            headers={"Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,  # noqa: ANN401 - any JSON value
        content: bytes | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - repetitions are within it, a caller's scope would hide which call it was
    ) -> Response:
        """Ask and wait for the whole answer, `timeout` seconds at most with all repetitions.

        Raises:
            UpstreamTimeout: no whole answer within that time.
            UpstreamUnavailable: no connection, or it broke, or no answer that can be used.
        """
        request = self._client.build_request(
            method, url, params=params, headers=headers, json=json, content=content
        )
        if traceparent := current_traceparent():
            request.headers["traceparent"] = traceparent
        host = request.url.host
        try:
            async with asyncio.timeout(timeout or self._timeout):
                return await self._until_answered(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise UpstreamTimeout(f"{host} did not answer in time") from error
        except httpx.RequestError as error:
            raise UpstreamUnavailable(f"{host} cannot be reached") from error

    async def _until_answered(self, request: httpx.Request) -> Response:
        attempts = self._attempts if _is_repeatable(request) else 1
        for attempt in range(1, attempts):
            try:
                response = await self._received(request)
            except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout):
                await asyncio.sleep(_backoff(attempt))
                continue
            pause = _pause_after(response, attempt)
            if pause is None:
                return response
            await asyncio.sleep(pause)
        return await self._received(request)

    async def _received(self, request: httpx.Request) -> Response:
        """The whole answer, within its size.

        Raises:
            UnusableAnswer: it is too large, or packed.
        """
        answer = await self._client.send(request, stream=True)
        try:
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise UnusableAnswer(f"{request.url.host} answers packed")
            content = bytearray()
            async for part in answer.aiter_raw():
                content += part
                if len(content) > MOST_BYTES:
                    raise UnusableAnswer(f"{request.url.host} answers with too much")
        finally:
            await answer.aclose()
        return Response(
            answer.status_code, headers=answer.headers, content=bytes(content), request=request
        )


def _is_repeatable(request: httpx.Request) -> bool:
    if request.method == "POST":
        return "Idempotency-Key" in request.headers
    return request.method in _REPEATABLE


def _pause_after(response: Response, attempt: int) -> float | None:
    """How long to wait before asking again; None where this is the answer."""
    if response.status_code not in _WORTH_REPEATING:
        return None
    told = _retry_after(response.headers.get("Retry-After", ""))
    if told is None:
        return _backoff(attempt)
    return max(told, _backoff(attempt)) if told <= LONGEST_PAUSE else None


def _backoff(attempt: int) -> float:
    """Up to 0.1, 0.2, 0.4 … seconds, at random, so that callers do not come back together."""
    return _random.uniform(0, FIRST_PAUSE * 2 ** (attempt - 1))


def _retry_after(text: str) -> float | None:
    """Seconds (RFC 9110, 10.2.3: a number or a date); None where it says neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:10])
    try:
        instant = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if instant.tzinfo is None:
        return None
    return max((instant - datetime.now(UTC)).total_seconds(), 0.0)
