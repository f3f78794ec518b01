"""What every page has: the head with the ways to the others, and parts that fill themselves."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TypeVar

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from services.console import clerks, wording
from services.console.answers import Status
from services.console.gateway import Away, Refused

RETRY_SECONDS = 3.0
LOGIN, DESK, BOARD = "/login", "/todo", "/"
PAGES = (
    (DESK, "待办"),
    (BOARD, "规划指标"),
    ("/matrix", "镇街对比"),
    ("/editions", "发布版"),
    ("/facilities", "养老服务设施"),
)

Loaded = TypeVar("Loaded")
Handler = Callable[[], Awaitable[None]] | Callable[[], None]


def style() -> str:
    """The style sheet of all pages, for their head."""
    return f"<style>{files(__package__).joinpath('style.css').read_text('utf-8')}</style>"


@contextmanager
def page(here: str) -> Iterator[None]:
    """The head, and the body to fill; `here` is the page's path."""
    with tag("header", "site"):
        text("民政业务平台", "site-name")
        with tag("nav"):
            for path, name in PAGES:
                link = anchor(name, path)
                if path == here:
                    link.props('aria-current="page"')
        _show_clerk()
    with tag("div", "sheet"):
        yield


def _show_clerk() -> None:
    seat = clerks.seat()
    with tag("div", "clerk"):
        if seat is None:
            anchor("登录", LOGIN)
            return

        def leave() -> None:
            seat.leave()
            ui.navigate.to(LOGIN)

        text(clerks.name_of(seat.clerk_id), name="span")
        button("退出", leave, "leave")


def panel(load: Callable[[], Awaitable[Loaded]], show: Callable[[Loaded], None]) -> None:
    """A part that shows what `load` brings; while nobody answers it says so and asks again."""
    box = tag("div")
    with box:
        text("正在读取数据……", "notice")

    async def attempt() -> None:
        try:
            loaded = await load()
        except Away as away:
            box.clear()
            with box:
                waiting(away)
            ui.timer(RETRY_SECONDS, attempt, once=True)
            return
        except Refused as refused:
            box.clear()
            with box:
                refusal(refused)
            return
        box.clear()
        with box:
            show(loaded)

    ui.timer(0, attempt, once=True)


def more(words: str, act: Callable[[], Awaitable[None]]) -> None:
    """A button for the next page, gone as soon as it is pressed; `act` shows what came."""

    async def pressed() -> None:
        shown.delete()
        try:
            await act()
        except Away as away:
            waiting(away)
        except Refused as refused:
            refusal(refused)

    shown: Element = button(words, pressed, "button")


def waiting(away: Away) -> None:
    with tag("div", "notice away").props('role="status"'):
        text(f"{away}。本页每隔几秒自动重试，恢复后即显示。")


def refusal(refused: Refused) -> None:
    with tag("div", "notice refused").props('role="alert"'):
        text(refused.title, "strong")
        if refused.detail:
            text(refused.detail)


def show_pill(status: Status) -> None:
    with tag("span", f"pill {status}"):
        text(wording.SIGNS[status], name="span").props('aria-hidden="true"')
        text(wording.STATUSES[status], name="span")


def tag(name: str, classes: str = "") -> Element:
    """A plain HTML element."""
    return ui.element(name).classes(classes)


def text(words: str, classes: str = "", *, name: str = "div") -> Element:
    """A plain HTML element with a text in it."""
    return TextElement(tag=name, text=words).classes(classes)


def button(words: str, act: Handler, classes: str = "") -> Element:
    return text(words, classes, name="button").props('type="button"').on("click", act)


def heads(words: Sequence[str]) -> None:
    """The head of a table."""
    with tag("thead"), tag("tr"):
        for head in words:
            text(head, name="th").props('scope="col"')


def cell(head: str, classes: str = "", words: str = "") -> Element:
    """A cell with its column's head, which is shown beside it where the row is a card."""
    return text(words, classes, name="td").props(f'data-label="{head}"')


def unfold(
    row: Element, turner: Element, columns: int, show: Callable[[], None], *, opened: bool
) -> None:
    """A second row, turned by a click on the first and its `turner`; filled when it first opens."""
    fold = tag("tr", "fold")
    with fold:
        inside = tag("td").props(f'colspan="{columns}"')
    made = False

    def turn(*, open_: bool) -> None:
        nonlocal made
        if open_ and not made:
            made = True
            with inside:
                show()
        fold.set_visibility(open_)
        row.classes(add="open" if open_ else "", remove="" if open_ else "open")
        turner.props(f'aria-expanded="{str(open_).lower()}"')

    turn(open_=opened)
    row.on("click", lambda: turn(open_=not fold.visible))


def anchor(words: str, url: str, classes: str = "") -> Element:
    return ui.link(words, url).classes(classes)
