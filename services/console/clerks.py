"""Who sits at the browser: a clerk whom the gateway knows; kept in this process's memory alone.

A session is found by the id in the browser's signed cookie, which is a new one after each login:
whoever planted or saw the one before is not let in with it. The session ends when the clerk leaves,
after half an hour without a step (GB/T 22239-2019, 8.1.4.1: 登录连接超时自动退出), and with the
process.
"""

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from nicegui import app
from pydantic import BaseModel, TypeAdapter, ValidationError

from chassis.http_client import Response
from services.console.gateway import Answer, Credentials, Gateway, Params, Refused

IDLE_SECONDS = 30 * 60.0
MOST_SESSIONS = 1_000
TICKET_SECONDS = 30.0


class Known(BaseModel):
    """A clerk of the demonstration, as the login page offers them."""

    client_id: str
    client_secret: str
    name: str
    organisation: str
    note: str = ""


@dataclass(slots=True)
class Clerk:
    """One who is logged in, and the gateway as they see it."""

    id: str
    gateway: Gateway
    used: float


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A clerk whom the gateway knows, on the way to the browser's new id."""

    browser: str
    clerk: Clerk
    until: float


class LoggedOut(Refused):
    """Whoever the page was built for sits at the browser no more."""

    def __init__(self) -> None:
        super().__init__(401, "您已退出登录", "请重新登录后再办理。")


_sessions: dict[str, Clerk] = {}
_tickets: dict[str, _Ticket] = {}
_known = TypeAdapter(list[Known])
_names: dict[str, str] = {}


class Seat:
    """A browser with the clerk for whom a page was built; no other one acts through that page."""

    def __init__(self, browser_id: str, clerk: Clerk) -> None:
        self._browser = browser_id
        self._clerk = clerk

    @property
    def clerk_id(self) -> str:
        return self._clerk.id

    @property
    def taken(self) -> bool:
        """Whether the clerk still sits there; to ask is no sign of life."""
        return _alive().get(self._browser) is self._clerk

    def may(self, scope: str) -> bool:
        return scope in self._clerk.gateway.scopes

    def stir(self) -> None:
        """The clerk is there: typing, or taking a step."""
        if self.taken:
            self._clerk.used = time.monotonic()

    def leave(self) -> None:
        if self.taken:
            del _sessions[self._browser]

    async def read(self, kind: type[Answer], path: str, params: Params | None = None) -> Answer:
        """As `Gateway.read`; raises `LoggedOut`, too."""
        return await self._gateway.read(kind, path, params)

    async def read_version(self, kind: type[Answer], path: str) -> tuple[Answer, str]:
        """As `Gateway.read_version`; raises `LoggedOut`, too."""
        return await self._gateway.read_version(kind, path)

    async def create(
        self,
        kind: type[Answer],
        path: str,
        body: Any,  # noqa: ANN401 - any JSON value
        key: str,
        *,
        version: str = "",
    ) -> Answer:
        """As `Gateway.create`; raises `LoggedOut`, too."""
        self.stir()
        return await self._gateway.create(kind, path, body, key, version=version)

    async def version(self, path: str) -> str:
        """The version (ETag) under which something stands now; raises as `read`."""
        return str((await self._gateway.download(path)).headers["etag"])

    async def download(self, path: str) -> Response:
        """As `Gateway.download`; raises `LoggedOut`, too."""
        return await self._gateway.download(path)

    @property
    def _gateway(self) -> Gateway:
        if not self.taken:
            raise LoggedOut
        return self._clerk.gateway


def browser() -> str:
    """The id of the browser that the page is built for."""
    return str(app.storage.browser["id"])


def seat() -> Seat | None:
    """Of the clerk at the browser that the page is built for."""
    return seat_at(browser())


def seat_at(browser_id: str) -> Seat | None:
    """Of the clerk at a browser, if one is logged in there; a page asked for is a sign of life."""
    clerk = _alive().get(browser_id)
    if clerk is None:
        return None
    clerk.used = time.monotonic()
    return Seat(browser_id, clerk)


def _alive() -> dict[str, Clerk]:
    now = time.monotonic()
    for known, clerk in list(_sessions.items()):
        if now - clerk.used > IDLE_SECONDS:
            del _sessions[known]
    return _sessions


async def ticket(browser_id: str, gateway: Gateway, credentials: Credentials) -> str:
    """What lets a clerk in at that browser, once and soon.

    Raises:
        Refused: the gateway does not know them so.
        Away: no answer for now.
    """
    theirs = await gateway.as_clerk(credentials)
    now = time.monotonic()
    for word in [word for word, one in _tickets.items() if one.until < now]:
        del _tickets[word]
    made = secrets.token_urlsafe()
    clerk = Clerk(credentials.client_id, theirs, now)
    _tickets[made] = _Ticket(browser_id, clerk, now + TICKET_SECONDS)
    return made


def let_in(word: str, browser_id: str) -> str | None:
    """The browser's id from now on, where the ticket is good there; whoever sat there is out."""
    found = _tickets.pop(word, None)
    if found is None or found.browser != browser_id or found.until < time.monotonic():
        return None
    _sessions.pop(browser_id, None)
    if len(_sessions) >= MOST_SESSIONS:
        del _sessions[min(_sessions, key=lambda one: _sessions[one].used)]
    renewed = str(uuid4())
    found.clerk.used = time.monotonic()
    _sessions[renewed] = found.clerk
    return renewed


def of_demonstration(file: Path | None) -> list[Known]:
    """The clerks that a demonstration offers, whose names are known from now on; else none."""
    if file is None:
        return []
    try:
        found = _known.validate_json(file.read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError):
        return []
    _names.update({one.client_id: one.name for one in found})
    return found


def name_of(clerk_id: str) -> str:
    """A clerk's name where it is known; no directory of the staff has been joined yet."""
    return _names.get(clerk_id, clerk_id)
