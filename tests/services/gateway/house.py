"""The door as it runs: uvicorn on loopback, real stand-ins behind it, a database of its own."""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp

from chassis.clock import RealClock
from chassis.database import Database
from chassis.http_server import configuration
from chassis.ids import new_id
from chassis.settings import Settings
from services.gateway.app import SERVICE, create_gateway_app
from services.gateway.clients.service import create_client
from services.gateway.settings import GatewaySettings
from suite.ports import HOST
from tests.support.services import Databases

DISTRICT, TOWN = "500112000000", "500112129000"


def bound() -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind((HOST, 0))
    return found


@contextmanager
def served(app: ASGIApp, on: socket.socket, settings: Settings | None = None) -> Iterator[str]:
    """The app by uvicorn, as the suite serves it, in a thread."""
    config = configuration(app, settings or Settings(), patience=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([on],))
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    try:
        yield f"http://{HOST}:{on.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        on.close()


def echo() -> FastAPI:
    """A service that says what reached it."""
    app = FastAPI()

    @app.get("/-/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/v1/relief/xlsx")
    async def xlsx() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for number in range(64):
                yield bytes([number]) * 65_536

        return StreamingResponse(
            parts(),
            media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            headers={"Content-Disposition": 'attachment; filename="a.xlsx"'},
        )

    @app.get("/v1/relief/answer")
    async def answer(request: Request) -> Response:
        return Response(
            "好",
            status_code=409,
            headers={
                "ETag": '"7"',
                "Location": request.query_params["location"],
                "Keep-Alive": "timeout=99",
                "Server": "inner",
                "Set-Cookie": "inner=1",
                "X-Inner": "1",
                "Idempotency-Replayed": "true",
                "Retry-After": "3",
                "Content-Type": "application/problem+json",
            },
        )

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    async def say(request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "target": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode()] for name, value in request.headers.raw],
            "length": len(await request.body()),
        }

    return app


@dataclass
class Rough:
    """A service that misbehaves as its path says, and counts who came how often."""

    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def answer(self, target: str) -> bytes | None:
        """The bytes to write before the connection closes; None to write nothing for long."""
        self.asked[target] += 1
        if target == "/-/ready":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        match urlsplit(target).path.rsplit("/", 1)[-1]:
            case "hang":
                return None
            case "drop-once" if self.asked[target] > 1:
                return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            case "cut":
                return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
            case "nonsense":
                return b"\x00\x01 no HTTP\r\n\r\n"
        return b""


@contextmanager
def rough_service() -> Iterator[Rough]:
    rough = Rough()
    over = threading.Event()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            target = self.rfile.readline().split(b" ")[1].decode()
            length = 0
            while line := self.rfile.readline().strip().lower():
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            written = rough.answer(target)
            if written is None:
                over.wait()
            else:
                self.wfile.write(written)

    class Server(ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server((HOST, 0), Handler) as server:
        rough.url = f"http://{HOST}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield rough
        finally:
            over.set()
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class House:
    """The door's address, what stands behind it, and its database."""

    url: str
    relief: str
    rough: Rough
    nobody: socket.socket
    databases: Databases
    http: httpx.Client

    def client(
        self, *scopes: str, divisions: tuple[str, ...] = (DISTRICT,), organisation: str = "民政局"
    ) -> tuple[str, str]:
        """A new client's id and secret."""
        name = f"client-{new_id().hex[-12:]}"

        async def make() -> str:
            database = Database(self.databases.app, RealClock(), source=SERVICE.name)
            try:
                async with database.transaction(actor="test") as session:
                    return await create_client(
                        session,
                        client_id=name,
                        name="测试",
                        organisation=organisation,
                        scopes=scopes or ("relief:read",),
                        divisions=divisions,
                    )
            finally:
                await database.close()

        return name, asyncio.run(make())

    def token(self, *scopes: str, divisions: tuple[str, ...] = (DISTRICT,)) -> str:
        answer = self.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=self.client(*scopes, divisions=divisions),
        )
        token: str = answer.json()["access_token"]
        return token

    def bearer(self, *scopes: str, divisions: tuple[str, ...] = (DISTRICT,)) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*scopes, divisions=divisions)}"}

    def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Look into the database past every wall."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.databases.admin)
            try:
                found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            finally:
                await connection.close()
            return found

        return asyncio.run(fetch())

    def raw(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Bytes as they are, for what no client library would send."""
        parts = urlsplit(self.url)
        with socket.create_connection((HOST, parts.port or 0), timeout=20) as connection:
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer and (more := connection.recv(65_536)):
                answer += more
            head, _, body = answer.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:])
            while len(body) < int(headers.get("content-length", "0")):
                body += connection.recv(65_536)
        return int(lines[0].split(" ")[1]), headers, body


@contextmanager
def running_house(databases: Databases, folder: Any, rough: Rough) -> Iterator[House]:
    nobody = bound()  # bound and not listening: connections are refused
    with served(echo(), bound()) as relief:
        settings = GatewaySettings.model_validate(
            {
                "DATABASE_URL": databases.app,
                "state": folder / "state",
                "keys": folder / "keys",
                "upstream_relief": relief,
                "upstream_eldercare": f"http://{HOST}:{nobody.getsockname()[1]}",
                "upstream_indicator": rough.url,
                "upstream_seconds": 2,
                "probe_seconds": 0.1,
                "console_url": "http://127.0.0.1:8080/?a=1&b=2",
            }
        )
        with (
            served(create_gateway_app(settings), bound(), settings) as url,
            httpx.Client(base_url=url, timeout=30) as http,
        ):
            yield House(url, relief, rough, nobody, databases, http)
    nobody.close()


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The answer's problem (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body["status"] == answer.status_code
    return body
