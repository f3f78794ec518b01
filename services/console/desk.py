"""What the pages of a clerk have in common: the login before them, and the ways between them."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import Response
from fastapi.responses import RedirectResponse
from nicegui import ui

from services.console import clerks
from services.console.clerks import Seat
from services.console.frame import DESK, LOGIN, anchor, page, tag

LOOK_SECONDS = 10.0
TABS = ((DESK, "待办"), ("/cases", "全部办件"), ("/awards", "低保家庭"))


def login_url(goal: str) -> str:
    """The way in, and from there to a page of ours."""
    return f"{LOGIN}?{urlencode({'goal': goal})}"


def show(here: str, goal: str, fill: Callable[[Seat], None]) -> Response | None:
    """A page that a clerk alone sees; `here` is its tab, `goal` its own address.

    Who is not logged in is led to the login. A page that stays open while its clerk is idle, or
    leaves from another one, leads there by itself.
    """
    seat = clerks.seat()
    if seat is None:
        return RedirectResponse(login_url(goal))
    with page(DESK), tag("div", "large"):
        with tag("nav", "tabs").props('aria-label="办件"'):
            for path, name in TABS:
                link = anchor(name, path)
                if path == here:
                    link.props('aria-current="page"')
        fill(seat)
        _watch(seat, goal)
    return None


def _watch(seat: Seat, goal: str) -> None:
    def look() -> None:
        if not seat.taken:
            watch.cancel()
            ui.navigate.to(login_url(goal))

    watch = ui.timer(LOOK_SECONDS, look)
