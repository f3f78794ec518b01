"""Who sits at a browser, for how long, and that nobody acts in the name of another."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.console import clerks
from services.console.case_answers import TodoList
from services.console.clerks import IDLE_SECONDS, TICKET_SECONDS, LoggedOut
from services.console.gateway import Away, Credentials, Gateway, Refused
from tests.services.console.conftest import answering, write_clerks, write_clients
from tests.services.console.stand_in import stand_in
from tests.services.console.stand_in_cases import HEAD, SECRET, WINDOW

TODO = "/v1/relief/todo"
LIMIT = {"limit": "5"}


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.shows = 1_000.0

    def monotonic(self) -> float:
        return self.shows


@pytest.fixture(scope="module")
def stood() -> Iterator[tuple[FastAPI, str]]:
    app = stand_in()
    with answering(app) as url:
        yield app, url


@pytest.fixture
async def gateway(stood: tuple[FastAPI, str], tmp_path: Path) -> Gateway:
    write_clients(tmp_path / "clients.json")
    return Gateway(stood[1], tmp_path / "clients.json")


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(time, "monotonic", watch.monotonic)
    return watch


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    clerks._sessions.clear()  # noqa: SLF001 - what one process keeps for all its pages
    yield
    clerks._sessions.clear()  # noqa: SLF001 - as above


async def entered(gateway: Gateway, browser: str, clerk: str) -> str:
    """The browser's id from then on."""
    ticket = await clerks.ticket(browser, gateway, Credentials(clerk, SECRET))
    renewed = clerks.let_in(ticket, browser)
    assert renewed is not None
    return renewed


async def seated(gateway: Gateway, browser: str, clerk: str) -> clerks.Seat:
    seat = clerks.seat_at(await entered(gateway, browser, clerk))
    assert seat is not None
    return seat


async def test_a_clerk_reads_with_what_they_may(gateway: Gateway) -> None:
    seat = await seated(gateway, "a", WINDOW)
    assert (await seat.read(TodoList, TODO, LIMIT)).processes
    assert seat.may("relief:accept")
    assert not seat.may("relief:decide")
    await gateway.close()


async def test_the_id_that_a_browser_had_before_the_login_opens_nothing(
    gateway: Gateway, watch: Watch
) -> None:
    """Whoever planted it in the browser would sit there, too; a ticket is good there, and once."""
    ticket = await clerks.ticket("planted", gateway, Credentials(WINDOW, SECRET))
    assert clerks.let_in(ticket, "another") is None
    ticket = await clerks.ticket("planted", gateway, Credentials(WINDOW, SECRET))
    renewed = clerks.let_in(ticket, "planted")
    assert renewed not in (None, "planted")
    assert clerks.seat_at("planted") is None
    assert clerks.let_in(ticket, "planted") is None
    late = await clerks.ticket("planted", gateway, Credentials(WINDOW, SECRET))
    watch.shows += TICKET_SECONDS + 1
    assert clerks.let_in(late, "planted") is None
    await gateway.close()


async def test_half_an_hour_without_a_step_ends_the_session(gateway: Gateway, watch: Watch) -> None:
    """GB/T 22239-2019, 8.1.4.1."""
    seat = await seated(gateway, "a", WINDOW)
    watch.shows += IDLE_SECONDS - 1
    seat.stir()
    watch.shows += IDLE_SECONDS - 1
    assert seat.taken
    watch.shows += 2
    assert not seat.taken
    with pytest.raises(LoggedOut, match="您已退出登录"):
        await seat.read(TodoList, TODO, LIMIT)
    await gateway.close()


async def test_a_page_that_only_stays_open_keeps_nobody_logged_in(
    gateway: Gateway, watch: Watch
) -> None:
    seat = await seated(gateway, "a", WINDOW)
    for _ in range(3):
        watch.shows += IDLE_SECONDS / 2
        if seat.taken:
            await seat.read(TodoList, TODO, LIMIT)
    assert not seat.taken
    await gateway.close()


async def test_who_has_left_acts_no_more_on_a_page_that_is_still_open(gateway: Gateway) -> None:
    seat = await seated(gateway, "a", WINDOW)
    seat.leave()
    with pytest.raises(LoggedOut):
        await seat.create(TodoList, TODO, {}, "key-12345678")
    await gateway.close()


async def test_the_next_clerk_at_a_browser_does_not_act_through_the_page_of_the_last(
    gateway: Gateway,
) -> None:
    here = await entered(gateway, "a", WINDOW)
    first = clerks.seat_at(here)
    assert first is not None
    second = await seated(gateway, here, HEAD)
    with pytest.raises(LoggedOut):
        await first.read(TodoList, TODO, LIMIT)
    first.leave()
    assert second.taken
    await gateway.close()


async def test_a_wrong_word_is_refused_and_nobody_is_let_in(gateway: Gateway) -> None:
    with pytest.raises(Refused, match="工号或口令不正确"):
        await clerks.ticket("a", gateway, Credentials(WINDOW, "wrong"))
    await gateway.close()


async def test_while_the_gateway_is_away_the_login_says_so(tmp_path: Path) -> None:
    write_clients(tmp_path / "clients.json")
    nowhere = Gateway("http://127.0.0.1:9", tmp_path / "clients.json")
    with pytest.raises(Away, match="连接不上"):
        await clerks.ticket("a", nowhere, Credentials(WINDOW, SECRET))
    await nowhere.close()


async def test_the_least_used_session_makes_room(
    gateway: Gateway, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerks, "MOST_SESSIONS", 2)
    ids = []
    for browser in ("a", "b"):
        ids.append(await entered(gateway, browser, WINDOW))
        watch.shows += 1
    first, second = ids
    assert clerks.seat_at(first) is not None
    watch.shows += 1
    await entered(gateway, "c", WINDOW)
    assert clerks.seat_at(second) is None
    assert clerks.seat_at(first) is not None
    await gateway.close()


def test_the_demonstration_names_its_clerks_and_nobody_else_does(tmp_path: Path) -> None:
    assert clerks.of_demonstration(None) == []
    assert clerks.of_demonstration(tmp_path / "absent.json") == []
    write_clerks(tmp_path / "clerks.json")
    known = clerks.of_demonstration(tmp_path / "clerks.json")
    assert known[0].client_id == WINDOW
    assert clerks.name_of(WINDOW) == "双龙湖街道受理员"
    assert clerks.name_of("stranger") == "stranger"
