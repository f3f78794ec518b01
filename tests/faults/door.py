"""The gateway as it is served, with bounds small enough to be reached, and who is behind it."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.types import Receive, Scope, Send

from chassis.signing import SigningKey
from services.gateway.app import create_gateway_app
from services.gateway.settings import GatewaySettings
from suite.ports import HOST
from tests.services.gateway.house import bound, served
from tests.support.services import Databases

TOKEN = {"Authorization": "Bearer any.token.goes"}


@dataclass
class Behind:
    """A service that remembers what reached it: (method, target, headers, body)."""

    reached: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    holding: threading.Event = field(default_factory=threading.Event)
    """While it is set, whoever asks for `…/held` waits."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        target = scope["raw_path"].decode()
        if target != "/-/ready":
            heads = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            self.reached.append((scope["method"], target, heads, body))
        while target.endswith("/held") and self.holding.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        answer = json.dumps({"length": len(body)}).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", str(len(answer)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    @property
    def targets(self) -> list[str]:
        return [target for _, target, _, _ in self.reached]


@dataclass(frozen=True)
class Door:
    url: str
    behind: Behind
    http: httpx.Client
    key: SigningKey

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=20)

    def said(self, request: bytes) -> bytes:
        """Everything that is answered to bytes as they are, until the door closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return rest_of(connection)

    def get(self, path: str = "/v1/relief/x") -> int:
        return self.http.get(path, headers=TOKEN).status_code


def rest_of(connection: socket.socket) -> bytes:
    answer = b""
    try:
        while more := connection.recv(65_536):
            answer += more
    except ConnectionResetError:
        pass
    return answer


def statuses(answer: bytes) -> list[int]:
    """Of each answer on a connection."""
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def is_closed(connection: socket.socket, within: float = 10) -> bool:
    """Whether the other side ends it, whatever it says before."""
    connection.settimeout(within)
    deadline = time.monotonic() + within
    try:
        while time.monotonic() < deadline:
            if not connection.recv(65_536):
                return True
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return False


@contextmanager
def running_door(databases: Databases, folder: Path, **bounds: Any) -> Iterator[Door]:
    behind = Behind()
    with served(behind, bound()) as relief:
        settings = GatewaySettings.model_validate(
            {
                "DATABASE_URL": databases.app,
                "state": folder / "state",
                "keys": folder / "keys",
                "upstream_relief": relief,
                "probe_seconds": 60,
                **bounds,
            }
        )
        with (
            served(create_gateway_app(settings), bound(), settings) as url,
            httpx.Client(base_url=url, timeout=30) as http,
        ):
            yield Door(url, behind, http, SigningKey.load_or_create(folder / "keys"))
