"""One caller of the gateway: a token of their own, patience, and no POST done twice."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

ATTEMPTS, PAUSE = 8, 0.5
RETRIED = frozenset({429, 502, 503, 504})


class DemoError(RuntimeError):
    """A service did not do what the demonstration asked of it; the message has its answer."""


@dataclass
class Caller:
    gateway: str
    client_id: str
    client_secret: str
    http: httpx.AsyncClient
    _token: str = ""

    async def get(self, path: str, query: dict[str, str] | None = None) -> httpx.Response:
        return expect_success(await self.send("GET", path, params=query))

    async def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        etag: str = "",
        once: bool = False,
    ) -> httpx.Response:
        """POST under a key that content and version give: the same is done once.

        With `once` the content alone gives it, whatever the version has become since.
        """
        content = b"" if body is None else _written(body)
        version = b"" if once else etag.encode()
        key = hashlib.sha256(b"\n".join([path.encode(), version, content])).hexdigest()
        headers = {"Idempotency-Key": f"demo-{key}", "Content-Type": "application/json"}
        if etag:
            headers["If-Match"] = etag
        return expect_success(await self.send("POST", path, content=content, headers=headers))

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            try:
                answer = await self._once(method, path, headers or {}, params, content)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == HTTPStatus.UNAUTHORIZED:
                self._token = ""
            elif answer is not None and answer.status_code not in RETRIED:
                return answer
            await asyncio.sleep(PAUSE * (attempt + 1))
        raise DemoError(f"{method} {path}: no answer after {ATTEMPTS} attempts")

    async def _once(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        params: dict[str, str] | None,
        content: bytes | None,
    ) -> httpx.Response:
        """One attempt; where there is no token yet and the door gives none, that is its answer."""
        if not self._token:
            given = await self.http.post(
                f"{self.gateway}/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=(self.client_id, self.client_secret),
            )
            if given.status_code in RETRIED:
                return given
            self._token = expect_success(given).json()["access_token"]
        return await self.http.request(
            method,
            self.gateway + path,
            headers={"Authorization": f"Bearer {self._token}", **headers},
            params=params,
            content=content,
        )


def _written(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def expect_success(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        request = answer.request
        raise DemoError(f"{request.method} {request.url.path}: {answer.status_code} {answer.text}")
    return answer
