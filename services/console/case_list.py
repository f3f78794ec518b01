"""All cases within the clerk's reach: what does not wait for them is found here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from fastapi import Response
from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from services.console import desk, filter_bar, todo
from services.console.case_answers import CasePage
from services.console.clerks import Seat
from services.console.frame import anchor, button, more, panel, text

PATH = "/cases"
CASES = "/v1/relief/cases"
LIMIT = 50
LONGEST_NUMBER = 40
MATTERS = {"dibao": "低保申请", "dibao_change": "低保动态管理"}
PROCESSES = (
    *("申请", "受理", "补正", "调查启动", "信息核对", "核对告知", "入户调查", "初审"),
    *("公示", "异议处理", "审核确认", "听取意见", "动态管理决定", "送达", "办结", "归档"),
)
ANY = "不限"


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; it stands in the URL."""

    q: str = ""
    matter: str = ""
    process: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        matter, process = given.get("matter", ""), given.get("process", "")
        return cls(
            given.get("q", "").strip()[:LONGEST_NUMBER],
            matter if matter in MATTERS else "",
            process if process in PROCESSES else "",
        )

    @property
    def params(self) -> dict[str, str]:
        found = {"q": self.q, "matter": self.matter, "process": self.process}
        return {name: value for name, value in found.items() if value}

    def url(self, **changes: str) -> str:
        query = urlencode(replace(self, **changes).params)
        return f"{PATH}?{query}" if query else PATH


def show(search: Search) -> Response | None:
    """The cases found, the newest first."""

    def fill(seat: Seat) -> None:
        text("全部办件", name="h1")
        _show_filters(search)
        found = _List(seat, search)
        panel(lambda: found.load(""), found.show)

    return desk.show(PATH, search.url(), fill)


def _show_filters(search: Search) -> None:
    with filter_bar.bar():
        number = ui.input("受理编号", value=search.q, placeholder="编号的开头几位")
        number.props("dense outlined stack-label").classes("filter-number")

        def find() -> None:
            ui.navigate.to(search.url(q=(number.value or "").strip()))

        number.on("keydown.enter", find)
        button("查找", find, "button")
        _show_choice("事项", "matter", MATTERS, search)
        _show_choice("环节", "process", {one: one for one in PROCESSES}, search)
        anchor("重置", PATH, "reset")


def _show_choice(label: str, name: str, choices: Mapping[str, str], search: Search) -> None:
    def changed(event: ValueChangeEventArguments[str]) -> None:
        ui.navigate.to(search.url(**{name: event.value}))

    options = {"": ANY, **choices}
    select = ui.select(options, value=getattr(search, name), label=label, on_change=changed)
    select.props("dense outlined options-dense stack-label").classes("filter-choice")


class _List:
    def __init__(self, seat: Seat, search: Search) -> None:
        self._seat = seat
        self._search = search

    async def load(self, cursor: str) -> CasePage:
        params = {**self._search.params, "limit": str(LIMIT), "cursor": cursor}
        return await self._seat.read(CasePage, CASES, params)

    def show(self, found: CasePage) -> None:
        if not found.items:
            text("没有符合条件的办件。", "notice")
            return
        self._body, self._after = todo.table(todo.HEADS)
        self._add(found)

    def _add(self, found: CasePage) -> None:
        with self._body:
            for item in found.items:
                todo.show_row(item)
        if cursor := found.next_cursor:
            with self._after:
                more(f"再看 {LIMIT} 件", lambda: self._more(cursor))

    async def _more(self, cursor: str) -> None:
        self._add(await self.load(cursor))
