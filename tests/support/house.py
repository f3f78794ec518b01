"""The whole suite as a user starts it, for tests that look at it from outside."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from suite.data import DataFolder
from suite.ports import free_port
from tests.support.servers import open_folder

READY_SECONDS = 400
COMM = 15
"""How much of a process's name the kernel shows."""


@dataclass
class House:
    """A running suite: its data folder, its process, and the tokens of its clients."""

    data: Path
    process: subprocess.Popen[str]
    ready: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    _tokens: dict[int, str] = field(default_factory=dict)

    @property
    def folder(self) -> DataFolder:
        return DataFolder.at(self.data)

    @property
    def endpoints(self) -> dict[str, str]:
        return self.folder.read_endpoints()

    @property
    def gateway(self) -> str:
        return self.endpoints["gateway"]

    @property
    def clients(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.folder.clients.read_text())
        return found

    def token(self, client: int = 0) -> str:
        if client not in self._tokens:
            one = self.clients[client]
            answer = self.http.post(
                f"{self.gateway}/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=(one["client_id"], one["client_secret"]),
            )
            assert answer.status_code == 200, answer.text
            self._tokens[client] = answer.json()["access_token"]
        return self._tokens[client]

    def request(
        self,
        method: str,
        path: str,
        *,
        client: int = 0,
        headers: dict[str, str] | None = None,
        **rest: Any,
    ) -> httpx.Response:
        return self.http.request(
            method,
            self.gateway + path,
            headers={"Authorization": f"Bearer {self.token(client)}", **(headers or {})},
            **rest,
        )

    def get(self, path: str, *, client: int = 0, **query: str) -> Any:
        answer = self.request("GET", path, client=client, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def indicators(self, *, client: int = 0, **query: str) -> dict[int, dict[str, Any]]:
        return {
            one["no"]: one
            for one in self.get("/v1/plan/indicators", client=client, **query)["items"]
        }

    async def rows(self, service: str, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Look into a service's database past every wall."""
        connection = await asyncpg.connect(self.folder.postgres().admin_dsn(service))
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        finally:
            await connection.close()
        return found

    def minzheng(self, *arguments: str, within: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command of the suite on this data."""
        return self.minzheng_on(self.data, *arguments, within=within)

    @staticmethod
    def minzheng_on(
        data: Path, *arguments: str, within: float = 120
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "suite", *arguments, "--data", str(data)],
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def close(self) -> None:
        """Let go of what a process that has ended leaves open."""
        self.http.close()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def resume(self, started: "House") -> None:
        """Go on with another process on the same data."""
        self.process, self.ready, self.http = started.process, started.ready, started.http
        self._tokens.clear()

    def pid_of(self, name: str) -> int:
        """The process that the supervisor keeps under that name now; 0 between two lives."""
        shown = name[:COMM]
        found = [pid for pid, comm in children_of(self.process.pid).items() if comm == shown]
        return found[0] if found else 0


def children_of(pid: int) -> dict[int, str]:
    """pid → name of the processes below one."""
    found: dict[int, str] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                child = int(stat.parent.name)
                found[child] = (stat.parent / "comm").read_text().strip()
    return found


def start(data: Path, *options: str, port: int | None = None) -> House:
    """Start the suite and wait for its `ready` line."""
    errors = data.parent / f"{data.name}.err"
    with errors.open("a") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "suite", "run", "--demo"),
                *("--data", str(data), "--port", str(port or free_port()), *options),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "COLUMNS": "80"},
        )
    assert process.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    for line in process.stdout:
        if line.startswith("ready"):
            return House(data, process, line)
        assert time.monotonic() < deadline, "the suite is not ready in time"
    process.stdout.close()
    raise AssertionError(f"the suite ended with {process.wait()}: {errors.read_text()[-4000:]}")


def stop(house: House) -> int:
    """End the suite as an operator would; its exit code."""
    house.process.send_signal(signal.SIGTERM)
    code = house.process.wait(60)
    house.close()
    return code


@contextlib.contextmanager
def running_house(*options: str) -> Iterator[House]:
    with open_folder() as folder:
        house = start(folder / "data", *options)
        try:
            yield house
        finally:
            if house.process.poll() is None:
                stop(house)
