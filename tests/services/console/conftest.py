"""The console in a process of its own, over a stand-in of the gateway on loopback."""

import json
import os
import shutil
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
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.services.console.stand_in import CLIENT_ID, CLIENT_SECRET, TODAY, stand_in
from tests.services.console.stand_in_cases import CLERKS, SECRET, Office

SERVE = """
import socket, sys, uvicorn
from services.console.app import create_console
config = uvicorn.Config(create_console(), log_level="warning", timeout_graceful_shutdown=2)
uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
"""
PATIENCE = 60.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
BROWSER_PATIENCE = 30_000
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true",
        reason="chromium is missing: deploy/setup-browser",
    ),
]
expect.set_options(timeout=BROWSER_PATIENCE)


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


def write_clerks(path: Path) -> None:
    """A demonstration's clerks, as the login offers them."""
    known = [
        {"client_id": clerk, "client_secret": SECRET, "name": name, "organisation": organisation}
        for clerk, (name, organisation, _) in CLERKS.items()
    ]
    path.write_text(json.dumps(known))


@contextmanager
def running_console(folder: Path) -> Iterator[Console]:
    """A console in its own process, as the suite starts it: on a socket bound before."""
    gateway, clients, state = stand_in(), folder / "clients.json", folder / "state"
    (folder / "clock").write_text(f"{TODAY}T10:00:00+08:00")
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
            "MINZHENG_CLERKS": str(folder / "clerks.json"),
            "MINZHENG_CLOCK": str(folder / "clock"),
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
    write_clerks(folder / "clerks.json")
    with running_console(folder) as running:
        yield running


@pytest.fixture
def office(console: Console) -> Office:
    """The cases behind the console, as they were in the beginning."""
    found: Office = console.gateway.state.office
    found.reset()
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module: its loop must be gone where the next one's tests have their own."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def contrasts() -> str:
    """Measures in the browser how far the words of elements stand out from their ground."""
    return """found => {
            const light = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number)
                .map(one => one / 255)
                .map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
                .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
            return found.map(one => {
                const style = getComputedStyle(one);
                const [low, high] = [light(style.color), light(style.backgroundColor)].sort();
                return (Math.max(low, high) + 0.05) / (Math.min(low, high) + 0.05);
            });
        }"""


@pytest.fixture
def strangers() -> list[str]:
    """Addresses asked for that are not of this machine."""
    return []


@pytest.fixture(scope="module")
def desk_context(browser: Browser) -> Iterator[BrowserContext]:
    """One for a module: what each page loads anew costs more than what most tests look at."""
    yield from opened(browser, DESK)


@pytest.fixture(scope="module")
def phone_context(browser: Browser) -> Iterator[BrowserContext]:
    yield from opened(browser, PHONE)


@pytest.fixture
def desk(desk_context: BrowserContext, strangers: list[str]) -> Iterator[Page]:
    yield from visited(desk_context, strangers)


@pytest.fixture
def phone(phone_context: BrowserContext, strangers: list[str]) -> Iterator[Page]:
    yield from visited(phone_context, strangers)


def opened(browser: Browser, viewport: dict[str, int]) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=viewport, locale="zh-CN")  # type: ignore[arg-type]
    context.set_default_timeout(BROWSER_PATIENCE)
    yield context
    context.close()


def visited(context: BrowserContext, strangers: list[str]) -> Iterator[Page]:
    """A page of somebody who was never here; only the cache knows the place."""

    def watch(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            strangers.append(request.url)

    context.clear_cookies()
    page = context.new_page()
    page.on("request", watch)
    yield page
    for one in context.pages:
        one.close()


def shown(page: Page, console: Console, path: str) -> Page:
    """The page with its matter: no part of it still says that it reads."""
    page.goto(console.url + path)
    return settled(page)


def settled(page: Page) -> Page:
    page.wait_for_selector("h1, .notice.away, .notice.refused")
    expect(page.get_by_text("正在读取数据")).to_have_count(0)
    return page
