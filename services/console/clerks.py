"""Who sits at the browser: a clerk whom the gateway knows; kept in this process's memory alone.

A session is found by the id in the browser's signed cookie. It ends when the clerk leaves, after
half an hour without a step (GB/T 22239-2019, 8.1.4.1: 登录连接超时自动退出), and with the process.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from nicegui import app
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.console.gateway import Credentials, Gateway

IDLE_SECONDS = 30 * 60.0
MOST_SESSIONS = 1_000


class Known(BaseModel):
    """A clerk of the demonstration, as the login page offers them."""

    client_id: str
    client_secret: str
    name: str
    organisation: str


@dataclass(slots=True)
class Clerk:
    """One who is logged in, and the gateway as they see it."""

    id: str
    gateway: Gateway
    used: float


_sessions: dict[str, Clerk] = {}
_known = TypeAdapter(list[Known])


def browser() -> str:
    """The id of the browser that the page is built for."""
    return str(app.storage.browser["id"])


def current() -> Clerk | None:
    """The clerk at the browser that the page is built for."""
    return at(browser())


def at(browser_id: str) -> Clerk | None:
    """The clerk who sits at a browser; being asked is a sign of life."""
    now = time.monotonic()
    for known, other in list(_sessions.items()):
        if now - other.used > IDLE_SECONDS:
            del _sessions[known]
    clerk = _sessions.get(browser_id)
    if clerk is not None:
        clerk.used = now
    return clerk


async def log_in(browser_id: str, gateway: Gateway, credentials: Credentials) -> None:
    """Let a clerk in at a browser.

    Raises:
        Refused: the gateway does not know them so.
        Away: no answer for now.
    """
    theirs = await gateway.as_clerk(credentials)
    if len(_sessions) >= MOST_SESSIONS:
        del _sessions[min(_sessions, key=lambda one: _sessions[one].used)]
    _sessions[browser_id] = Clerk(credentials.client_id, theirs, time.monotonic())


def log_out(browser_id: str) -> None:
    _sessions.pop(browser_id, None)


def of_demonstration(file: Path | None) -> list[Known]:
    """The clerks that a demonstration offers; none where there is no such file."""
    if file is None:
        return []
    try:
        return _known.validate_json(file.read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError):
        return []
