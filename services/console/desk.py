"""What the pages of a clerk have in common: the login before them, and the ways between them."""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import Response
from fastapi.responses import RedirectResponse
from nicegui import ui

from services.console import clerks
from services.console.clerks import Seat
from services.console.frame import BOARD, DESK, LOGIN, anchor, page, tag, text

LOOK_SECONDS = 10.0
PROVISIONS = "/provisions"
FILES, READ = "relief:files", "relief:read"
TABS = (
    (DESK, "待办", FILES),
    ("/cases", "全部办件", FILES),
    ("/awards", "低保家庭", FILES),
    (PROVISIONS, "标准与参数", READ),
)


def login_url(goal: str) -> str:
    """The way in, and from there to a page of ours."""
    return f"{LOGIN}?{urlencode({'goal': goal})}"


def home(seat: Seat) -> str:
    """Where the clerk's work waits: the first tab that is theirs."""
    return next((path for path, _, scope in TABS if seat.may(scope)), BOARD)


def show(
    here: str, goal: str, fill: Callable[[Seat], None], *, scope: str = FILES
) -> Response | None:
    """A page that a clerk with that scope alone sees; `here` is its tab, `goal` its own address.

    Who is not logged in is led to the login. A page that stays open while its clerk is idle, or
    leaves from another one, leads there by itself.
    """
    seat = clerks.seat()
    if seat is None:
        return RedirectResponse(login_url(goal))
    with page(DESK), tag("div", "large"):
        with tag("nav", "tabs").props('aria-label="办件"'):
            for path, name, needed in TABS:
                if seat.may(needed):
                    link = anchor(name, path)
                    if path == here:
                        link.props('aria-current="page"')
        if seat.may(scope):
            fill(seat)
        else:
            _show_way_back(seat)
        _watch(seat, goal)
    return None


def _show_way_back(seat: Seat) -> None:
    """Of a page that is not for the clerk's post."""
    text("您的岗位不办理这一页的事项", name="h1")
    home_path = home(seat)
    names = {path: name for path, name, _ in TABS} | {BOARD: "规划指标"}
    with tag("div", "actions"):
        anchor(f"去“{names[home_path]}”", home_path, "button primary")


def _watch(seat: Seat, goal: str) -> None:
    def look() -> None:
        if not seat.taken:
            watch.cancel()
            ui.navigate.to(login_url(goal))

    watch = ui.timer(LOOK_SECONDS, look)
