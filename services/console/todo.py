"""A clerk's to-do list (待办): by process and light, what ends first on top."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from nicegui import ui

from services.console import clerks, login, wording
from services.console.case_answers import CaseItem, CasePage, Light, ProcessCount, TodoList
from services.console.frame import anchor, cell, heads, more, page, panel, tag, text
from services.console.gateway import Gateway

PATH = "/todo"
CASES = "/cases"
TODO = "/v1/relief/todo"
LIMIT = "50"
HEADS = ("灯", "申请户", "编号", "村社区", "环节", "到期", "登记")
LIGHTS = {
    Light.RED: ("●", "逾期"),
    Light.AMBER: ("▲", "将到期"),
    Light.GREEN: ("○", "正常"),
    Light.PAUSED: ("‖", "中止计时"),
    Light.NONE: ("–", "无期限"),
}
"""A sign beside the colour, for print and for who does not tell colours apart."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the list is shown; it stands in the URL."""

    process: str = ""
    light: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        light = given.get("light", "")
        return cls(given.get("process", "")[:40], light if light in set(Light) else "")

    @property
    def params(self) -> dict[str, str]:
        found = {"process": self.process, "light": self.light}
        return {name: value for name, value in found.items() if value}

    def url(self, **changes: str) -> str:
        query = urlencode(replace(self, **changes).params)
        return f"{PATH}?{query}" if query else PATH


def show(choice: Choice) -> None:
    """The list of the clerk at the browser; who is not logged in is led to the login."""
    clerk = clerks.current()
    if clerk is None:
        ui.navigate.to(f"{login.PATH}?{urlencode({'goal': choice.url()})}")
        return
    gateway = clerk.gateway
    with page(PATH), tag("div", "large"):
        text("待办", name="h1")
        panel(
            lambda: gateway.read(TodoList, TODO, {**choice.params, "limit": LIMIT}),
            lambda found: _List(gateway, choice, found).show(),
        )


def show_light(light: Light) -> None:
    sign, words = LIGHTS[light]
    with tag("span", f"light {light}"):
        text(sign, name="span").props('aria-hidden="true"')
        text(words, name="span")


class _List:
    def __init__(self, gateway: Gateway, choice: Choice, found: TodoList) -> None:
        self._gateway = gateway
        self._choice = choice
        self._found = found

    def show(self) -> None:
        found = self._found
        total = sum(one.count for one in found.processes)
        text(f"{wording.chinese_day(found.as_of)}，需要您办理的共 {total} 件。", "muted")
        self._show_lights()
        self._show_processes()
        if not found.items.items:
            text("没有符合条件的待办。", "notice")
            return
        with tag("table", "list cards todo"):
            heads(HEADS)
            self._body = tag("tbody")
        self._after = tag("div", "after")
        self._add(found.items)

    def _show_lights(self) -> None:
        chosen = [one for one in self._found.processes if self._choice.process in ("", one.process)]
        with tag("div", "lights"):
            for light in (Light.RED, Light.AMBER, Light.GREEN, Light.PAUSED):
                count = sum(getattr(one, light) for one in chosen)
                here = self._choice.light == light
                with anchor(
                    "",
                    self._choice.url(light="" if here else light),
                    f"light-box {light}{' chosen' if here else ''}",
                ):
                    text(str(count), "count", name="span")
                    show_light(light)

    def _show_processes(self) -> None:
        with tag("ul", "processes"):
            for one in self._found.processes:
                self._show_process(one)

    def _show_process(self, one: ProcessCount) -> None:
        here = self._choice.process == one.process
        with (
            tag("li"),
            anchor(
                "",
                self._choice.url(process="" if here else one.process),
                "chosen" if here else "",
            ),
        ):
            text(one.title, name="span")
            text(str(one.count), "count", name="span")
            if one.red:
                text(f"逾期 {one.red}", "late", name="span")

    def _add(self, found: CasePage) -> None:
        with self._body:
            for item in found.items:
                show_row(item)
        if cursor := found.next_cursor:
            with self._after:
                more("更多", lambda: self._more(cursor))

    async def _more(self, cursor: str) -> None:
        params = {**self._choice.params, "limit": LIMIT, "cursor": cursor}
        self._add((await self._gateway.read(TodoList, TODO, params)).items)


def show_row(item: CaseItem) -> None:
    with tag("tr"):
        with cell(HEADS[0]):
            show_light(item.light)
        with cell(HEADS[1]):
            anchor(item.label, f"{CASES}/{item.id}", "strong")
            text(item.matter_title, "sub")
        cell(HEADS[2], "nowrap", item.number)
        cell(HEADS[3], "", item.division_name or wording.ABSENT)
        cell(HEADS[4], "nowrap", item.state_title)
        with cell(HEADS[5], "nowrap"):
            if item.due is None:
                text(wording.ABSENT)
            else:
                text(item.due.isoformat())
                text(_left(item.days_left), "sub")
        cell(HEADS[6], "nowrap", item.opened_on.isoformat())


def _left(days: int | None) -> str:
    if days is None:
        return ""
    if days < 0:
        return f"已逾期 {-days} 天"
    return "今天到期" if days == 0 else f"还有 {days} 天"
