"""The console's way to the gateway: a client like any other, its token kept on this side."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_plus

from pydantic import BaseModel, ValidationError

from chassis.http_client import HttpClient, Response, UpstreamUnavailable

EARLY_SECONDS = 60.0
AT_ONCE = 6
_AWAY = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,  # after a new token: the keys are not there yet
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

_UNREACHABLE = "暂时连接不上数据服务，可能正在启动或维护"
_NOT_TAKEN = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED})

Answer = TypeVar("Answer", bound=BaseModel)
Params = Mapping[str, str | None]


class Away(Exception):  # noqa: N818 - says what happened
    """No answer for now; its message tells the reader why, in Chinese. Ask again later."""


class Refused(Exception):  # noqa: N818 - says what happened
    """The gateway's problem (RFC 9457), in its Chinese words."""

    def __init__(self, status: int, title: str, detail: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    good_until: float
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a token is asked for with: a client's, or the one that a clerk has typed."""

    client_id: str
    secret: str = field(repr=False)

    @property
    def basic(self) -> str:
        """Both parts form-encoded before they are joined (RFC 6749, 2.3.1)."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


class Gateway:
    """Asks the gateway as one caller, few questions at once; at first as the console itself.

    The console's client is the first of a file, which is read at each new token: it may not be
    there yet while the house is being set up.
    """

    def __init__(self, url: str, clients: Path) -> None:
        self._open(HttpClient(url), lambda: _first_of(clients), is_console=True)

    def _open(
        self, http: HttpClient, credentials: Callable[[], Credentials], *, is_console: bool
    ) -> None:
        self._http = http
        self._is_console = is_console
        self._credentials = credentials
        self._token: _Token | None = None
        self._renewal = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def as_clerk(self, credentials: Credentials) -> "Gateway":
        """The same way, gone by a clerk.

        Raises:
            Refused: the gateway does not take these credentials.
            Away: no answer for now.
        """
        clerk = Gateway.__new__(Gateway)
        clerk._open(self._http, lambda: credentials, is_console=False)  # noqa: SLF001 - one of its own kind
        await clerk._fresh_token()  # noqa: SLF001 - as above
        return clerk

    @property
    def scopes(self) -> frozenset[str]:
        """What the caller may, by the token last given; nothing before the first one."""
        return frozenset() if self._token is None else self._token.scopes

    async def close(self) -> None:
        await self._http.close()

    async def read(self, kind: type[Answer], path: str, params: Params | None = None) -> Answer:
        """GET, parsed; parameters without a value are left out.

        Raises:
            Away: no answer for now.
            Refused: a problem.
        """
        return _parsed(kind, await self._ask("GET", path, params=params))

    async def read_version(self, kind: type[Answer], path: str) -> tuple[Answer, str]:
        """GET, parsed, with the version (ETag) under which it was read; raises as `read`."""
        response = await self._ask("GET", path)
        return _parsed(kind, response), str(response.headers["etag"])

    async def create(
        self,
        kind: type[Answer],
        path: str,
        body: Any,  # noqa: ANN401 - any JSON value
        key: str,
        *,
        version: str = "",
    ) -> Answer:
        """POST under an idempotency key, on the version (ETag) that was read; raises as `read`."""
        headers = {"Idempotency-Key": key, **({"If-Match": version} if version else {})}
        return _parsed(kind, await self._ask("POST", path, json=body, headers=headers))

    async def download(self, path: str, params: Params | None = None) -> Response:
        """GET, as it came; raises as `read`."""
        return await self._ask("GET", path, params=params)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,  # noqa: ANN401 - any JSON value
    ) -> Response:
        given = {name: value for name, value in (params or {}).items() if value}
        async with self._places:
            try:
                for last in (False, True):
                    token = await self._fresh_token()
                    response = await self._http.request(
                        method,
                        path,
                        params=given,
                        headers={**(headers or {}), "Authorization": f"Bearer {token.text}"},
                        json=json,
                    )
                    if last or response.status_code != HTTPStatus.UNAUTHORIZED:
                        break
                    self._forget(token)
            except UpstreamUnavailable as error:
                raise Away(_UNREACHABLE) from error
        return _succeeded(response)

    async def _fresh_token(self) -> _Token:
        async with self._renewal:
            if self._token is None or time.monotonic() >= self._token.good_until:
                self._token = await self._new_token()
            return self._token

    def _forget(self, token: _Token) -> None:
        if self._token is token:
            self._token = None

    async def _new_token(self) -> _Token:
        asked_at = time.monotonic()
        try:
            response = await self._http.request(
                "POST",
                "/oauth2/token",
                headers={
                    "Authorization": self._credentials().basic,
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                content=b"grant_type=client_credentials",
            )
        except UpstreamUnavailable as error:
            raise Away(_UNREACHABLE) from error
        if not response.is_success:
            raise self._no_token(response.status_code)
        answer = response.json()
        lifetime = float(answer["expires_in"])
        early = min(EARLY_SECONDS, lifetime / 2)
        scopes = frozenset(str(answer.get("scope", "")).split())
        return _Token(answer["access_token"], asked_at + lifetime - early, scopes)

    def _no_token(self, status: int) -> Exception:
        """A clerk can have typed something wrong; the console's own client cannot."""
        if self._is_console:
            return Away("数据服务尚未认可本工作台，可能正在初始化")
        if status in _NOT_TAKEN:
            return Refused(status, "工号或口令不正确")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Refused(status, "登录失败次数过多", "请稍后再试。")
        return Away("数据服务暂时不可用")


def _first_of(clients: Path) -> Credentials:
    try:
        first = json.loads(clients.read_bytes())[0]
        return Credentials(first["client_id"], first["client_secret"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Away("数据正在准备，尚未就绪") from error


def _succeeded(response: Response) -> Response:
    if response.is_success:
        return response
    if response.status_code in _AWAY:
        raise Away("数据服务暂时不可用")
    try:
        problem = response.json()
        raise Refused(response.status_code, str(problem["title"]), _detail(problem))
    except (ValueError, LookupError, TypeError) as error:
        raise Refused(response.status_code, "未能取得数据") from error


def _detail(problem: Mapping[str, Any]) -> str:
    """The problem's detail with what is wrong with each value."""
    parts = [problem.get("detail") or "", *(one["detail"] for one in problem.get("errors") or [])]
    return "；".join(part for part in parts if part)


def _parsed(kind: type[Answer], response: Response) -> Answer:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise Refused(response.status_code, "数据服务的答复无法识别") from error
