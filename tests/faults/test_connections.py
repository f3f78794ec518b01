"""Ten thousand who say nothing and a thousand who say it slowly, against one `serve`.

The same in small, in each run of the tests: TestCrowds and TestSlowness of test_attacks_door.py.
"""

import asyncio
import contextlib
import os
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.gateway.app import SERVICE
from suite.ports import HOST, free_port
from suite.postgres import Postgres
from tests.faults.door import TOKEN, Behind
from tests.services.gateway.house import bound, served
from tests.support.services import fresh_databases

IDLE, SLOW = 10_000, 1_000
EACH_ADDRESS = 4_000
"""Connections from one of our addresses: ports are few."""
MOST_MEMORY = 384 * 1024 * 1024
"""What a container of ours may have (deploy/docker-compose.yml)."""
BESIDE = 200
READY_SECONDS = 60
HEAD = b"GET /v1/relief/x HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer a.b.c\r\n"
BODY = HEAD.replace(b"GET", b"POST") + b"Content-Length: 100000\r\n\r\n"

pytestmark = pytest.mark.soak


@dataclass
class Serving:
    """One process that answers for the gateway."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def files(self) -> int:
        return len([*Path(f"/proc/{self.process.pid}/fd").iterdir()])

    @property
    def memory(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture
def serving(
    postgres: Postgres, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Serving]:
    databases = asyncio.run(fresh_databases(postgres, SERVICE))
    port = free_port()
    with served(Behind(), bound()) as relief, more_files():
        told = {
            "DATABASE_URL": databases.app,
            "MINZHENG_STATE": str(tmp_path),
            "MINZHENG_UPSTREAM_RELIEF": relief,
            "MINZHENG_CONNECTIONS": str(request.param),
            "MINZHENG_HEADER_SECONDS": "60",
            "MINZHENG_BODY_SECONDS": "60",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "suite", "serve", "gateway", "--port", str(port)],
            env={"PATH": os.environ["PATH"], **told},
            stdout=subprocess.DEVNULL,
        )
        try:
            ready(f"http://{HOST}:{port}/-/health")
            yield Serving(process, port)
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def more_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < IDLE + SLOW + 1_000:
        pytest.skip("this machine lets nobody have so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + SLOW + 1_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).status_code == 200:
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def connected(serving: Serving, number: int) -> socket.socket:
    source = f"127.0.0.{2 + number // EACH_ADDRESS}"
    return socket.create_connection((HOST, serving.port), timeout=30, source_address=(source, 0))


def crowd(serving: Serving, http: httpx.Client) -> Iterator[socket.socket]:
    """All of them, one after the other; somebody who asks is served all the while."""
    url = f"http://{HOST}:{serving.port}/v1/relief/x"
    for number in range(IDLE + SLOW):
        one = connected(serving, number)
        one.setblocking(False)
        if number % (1 + IDLE // SLOW) == 0:
            with contextlib.suppress(OSError):
                one.send((HEAD, BODY)[number % 2])
        if number % 250 == 0:
            assert http.get(url, headers=TOKEN).status_code == 200, number
        yield one


def trickle(people: list[socket.socket]) -> None:
    for one in people[:: 1 + IDLE // SLOW]:
        with contextlib.suppress(OSError):
            one.send(b"X: a\r\n")


def gone(people: list[socket.socket]) -> int:
    """How many of them the process has let go."""
    with selectors.DefaultSelector() as found:
        for one in people:
            found.register(one, selectors.EVENT_READ)
        return sum(_ended(key.fileobj) for key, _ in found.select(timeout=1))


def _ended(connection: object) -> bool:
    assert isinstance(connection, socket.socket)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize(
    ("serving", "most"), [(2_000, 2_000), (12_000, 12_000)], indirect=["serving"]
)
def test_ten_thousand_idle_and_a_thousand_slow_connections(serving: Serving, most: int) -> None:
    """With fewer places than there are people the oldest idle ones go; with enough, nobody."""
    people: list[socket.socket] = []
    began_with = serving.files
    with httpx.Client(timeout=30) as http:
        try:
            for one in crowd(serving, http):
                people.append(one)
                if len(people) % 1_000 == 0:
                    trickle(people)
                    assert serving.files <= most + BESIDE
            assert serving.memory < MOST_MEMORY
            within = serving.files
            assert within >= min(most, IDLE + SLOW) * 0.9
            left = gone(people)
            if most < IDLE + SLOW:
                assert left >= (IDLE + SLOW - most) * 0.9  # some learn of it only when they send
            else:
                assert left == 0
        finally:
            for one in people:
                one.close()
        asked = [http.get(f"http://{HOST}:{serving.port}/v1/relief/x", headers=TOKEN)]
        assert [one.status_code for one in asked] == [200]
        deadline = time.monotonic() + READY_SECONDS
        while serving.files > began_with + BESIDE:
            assert time.monotonic() < deadline, "connections that have ended are kept"
            time.sleep(0.2)
