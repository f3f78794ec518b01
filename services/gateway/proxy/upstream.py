"""One service behind the door: asked once, its answer passed on while it comes in.

Answers are streams (exports of any length), so this is the one place beside the chassis's HTTP
client that uses httpx. Each service has its own connections: one that hangs blocks only itself.
"""

import asyncio
import ssl

import httpx
from httpx import Response as Answer

from chassis.problems import Problem, Unavailable
from chassis.telemetry import log
from services.gateway.parts import Part
from services.gateway.proxy import rules

CONNECT_SECONDS = 2.0
POOL_SECONDS = 2.0
CONNECTIONS = 100
KEEP_ALIVE_SECONDS = 3.0
PAUSE = 0.2
RETRY_AFTER = 5

__all__ = ["Answer", "PartMissing", "PartTooSlow", "Upstream"]


class PartMissing(Unavailable):
    slug, title = "part-unavailable", "有一部分服务暂时不可用"


class PartTooSlow(Problem):
    status, slug, title = 504, "part-timeout", "有一部分服务未在时限内答复"


class Upstream:
    """Connections to one service; closed with the process."""

    def __init__(self, part: Part, origin: str, *, seconds: float) -> None:
        self.part = part
        self.origin = origin
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=POOL_SECONDS),
            limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=KEEP_ALIVE_SECONDS),
            verify=ssl.create_default_context(),
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "minzheng-gateway"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def ask(self, method: str, target: bytes, headers: rules.Headers, body: bytes) -> Answer:
        """The answer as soon as its head is there; the caller reads and closes it.

        Raises:
            PartMissing: no connection, or it broke before an answer.
            PartTooSlow: no answer within the time.
        """
        url = httpx.URL(self.origin).copy_with(raw_path=target)
        request = self._client.build_request(method, url, headers=headers, content=body or None)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._sent(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self._failed(error)
            raise self._missing("请稍后重试") from error
        except (TimeoutError, httpx.TimeoutException) as error:
            self._failed(error)
            raise self._too_slow(method) from error
        except httpx.TransportError as error:
            self._failed(error)
            raise self._missing(_outcome(method)) from error

    async def probe(self) -> bool:
        """Whether the service and its database answer."""
        try:
            answer = await self._client.get(f"{self.origin}/-/ready", timeout=CONNECT_SECONDS)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def _sent(self, request: httpx.Request) -> Answer:
        has_key = "Idempotency-Key" in request.headers
        try:
            return await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if not rules.may_repeat_unsent(request.method, has_key=has_key):
                raise
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            if not rules.may_repeat_sent(request.method):
                raise
        await asyncio.sleep(PAUSE)
        return await self._client.send(request, stream=True)

    def _missing(self, advice: str) -> Problem:
        return PartMissing(f"“{self.part.title}”服务暂时不可用，{advice}", retry_after=RETRY_AFTER)

    def _too_slow(self, method: str) -> Problem:
        return PartTooSlow(
            f"“{self.part.title}”服务未在时限内答复，{_outcome(method)}",
            headers={"Retry-After": str(RETRY_AFTER)},
        )

    def _failed(self, error: Exception) -> None:
        log().warning("upstream_failed", upstream=self.part.name, error=type(error).__name__)


def _outcome(method: str) -> str:
    if rules.may_repeat_sent(method):
        return "请稍后重试"
    return "本次提交是否生效尚不确定；请稍后以同一 Idempotency-Key 重试，或先查询"
