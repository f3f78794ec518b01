"""The other departments, as the suite plays them: the real server, on loopback, in a thread."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from suite.departments.server import departments_server
from suite.ports import HOST, free_port
from suite.processes import listen

STARTED_WITHIN = 30.0


@dataclass
class OtherSide:
    """A running server; `asked` are the queries that reached it: (method, path, body)."""

    port: int
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None
    # One for all: each client loads the machine's certificates anew, which takes 50 ms.
    _http: httpx.Client = field(
        default_factory=lambda: httpx.Client(headers={"Connection": "close"})
    )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        server = departments_server()
        server.config.app = self._recording(server.config.app)  # type: ignore[arg-type]
        bound = listen(HOST, self.port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        self._server, self._thread = server, thread
        deadline = time.monotonic() + STARTED_WITHIN
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = None

    def close(self) -> None:
        self.stop()
        self._http.close()

    def script(self, source: str, number: str, behaviour: str, **more: Any) -> None:
        """Have a source (`*`: each) behave so for a number (`*`: each)."""
        body = {"source": source, "number": number, "behaviour": behaviour, **more}
        self._http.post(f"{self.url}/-/script", json=body).raise_for_status()

    def forget(self) -> None:
        self._http.delete(f"{self.url}/-/script").raise_for_status()
        self.asked.clear()

    def queries(self, source: str) -> list[dict[str, Any]]:
        """The bodies of what was asked of a source."""
        path = f"/v1/sources/{source}/queries"
        return [body for method, at, body in self.asked if (method, at) == ("POST", path)]

    def _recording(self, app: ASGIApp) -> ASGIApp:
        async def recording(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
                await app(scope, receive, send)
                return
            message = await receive()
            body = json.loads(message["body"]) if message.get("body") else None
            self.asked.append((scope["method"], scope["path"], body))
            messages = iter([message])

            async def again() -> Any:
                return next(messages, None) or await receive()

            await app(scope, again, send)

        return recording


@contextlib.contextmanager
def running_departments() -> Iterator[OtherSide]:
    other = OtherSide(free_port())
    other.start()
    try:
        yield other
    finally:
        other.close()
