"""The console in a process of its own, over a stand-in of the gateway on loopback."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.services.console.stand_in import CLIENT_ID, CLIENT_SECRET, stand_in

SERVE = """
import socket, sys, uvicorn
from services.console.app import create_console
config = uvicorn.Config(create_console(), log_level="warning", timeout_graceful_shutdown=2)
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""
PATIENCE = 60.0


def listening() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(128)
    return bound


def url_of(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def answering(app: FastAPI) -> Iterator[str]:
    """The app on loopback, in a thread; its address."""
    bound = listening()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield url_of(bound)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@dataclass(frozen=True)
class Console:
    """A running console: its address, its folder, and the gateway that it asks."""

    url: str
    state: Path
    clients: Path
    gateway: FastAPI


def write_clients(path: Path) -> None:
    clients = [
        {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": "plan:read"},
        {"client_id": "town", "client_secret": "other", "scope": "plan:read"},
    ]
    path.write_text(json.dumps(clients))


@contextmanager
def running_console(folder: Path) -> Iterator[Console]:
    """A console in its own process, as the suite starts it: on a socket bound before."""
    gateway, clients, state = stand_in(), folder / "clients.json", folder / "state"
    bound = listening()
    with answering(gateway) as gateway_url:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST")
        }
        environment |= {
            "MINZHENG_GATEWAY_URL": gateway_url,
            "MINZHENG_CLIENTS": str(clients),
            "MINZHENG_STATE": str(state),
            "MINZHENG_CONSOLE_PUBLISHES": "true",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(bound.fileno())],
            env=environment,
            pass_fds=[bound.fileno()],
        )
        try:
            until_ready(process, url_of(bound))
            yield Console(url_of(bound), state, clients, gateway)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            bound.close()


def until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "the console ended"
        assert time.monotonic() < deadline, "the console does not answer"
        try:
            httpx.get(f"{url}/-/ready", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One for the session, with its clients' file; its gateway is at hand again after a test."""
    folder = tmp_path_factory.mktemp("console")
    write_clients(folder / "clients.json")
    with running_console(folder) as running:
        yield running
