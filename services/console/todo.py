"""A clerk's to-do list (待办): by process and light, what ends first on top."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from fastapi import Response
from nicegui.element import Element

from services.console import case_words, desk, wording
from services.console.award_answers import AwardPage
from services.console.case_answers import CaseItem, CasePage, Light, ProcessCount, TodoList
from services.console.clerks import Seat
from services.console.frame import DESK, anchor, cell, heads, more, panel, tag, text

CASES = "/cases"
TODO = "/v1/relief/todo"
AWARDS = "/v1/relief/awards"
DEATHS = "/awards?due=deaths"
LIMIT = 50
MOST_DEATHS = 200
HEADS = ("期限", "申请户", "环节", "村社区", "到期", "登记日期")
LIGHTS = (Light.RED, Light.AMBER, Light.GREEN, Light.PAUSED)
LONGEST_PROCESS = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the list is shown; it stands in the URL."""

    process: str = ""
    light: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        light = given.get("light", "")
        process = given.get("process", "")[:LONGEST_PROCESS]
        return cls(process, light if light in set(Light) else "")

    @property
    def params(self) -> dict[str, str]:
        found = {"process": self.process, "light": self.light}
        return {name: value for name, value in found.items() if value}

    def url(self, **changes: str) -> str:
        query = urlencode(replace(self, **changes).params)
        return f"{DESK}?{query}" if query else DESK


def show(choice: Choice) -> Response | None:
    """What waits for the clerk at the browser."""

    def fill(seat: Seat) -> None:
        params = {**choice.params, "limit": str(LIMIT)}
        panel(
            lambda: asyncio.gather(seat.read(TodoList, TODO, params), _read_deaths(seat)),
            lambda loaded: _List(seat, choice, *loaded).show(),
        )

    return desk.show(DESK, choice.url(), fill)


async def _read_deaths(seat: Seat) -> AwardPage:
    """The awards that have a member's death to follow; of no concern to who does not review."""
    if not seat.may("relief:review"):
        return AwardPage(items=[])
    params = {"death_open": "true", "limit": str(MOST_DEATHS)}
    return await seat.read(AwardPage, AWARDS, params)


def deaths(found: AwardPage) -> str:
    """How many wait and until when for the first of them; empty where none does."""
    if not found.items:
        return ""
    count = f"{len(found.items)} 户{'以上' if found.next_cursor else ''}"
    due = [one.death_review_due_on for one in found.items if one.death_review_due_on is not None]
    if not due:
        return f"有 {count}家庭成员死亡，须调整待遇。"
    first = "最早的" if len(found.items) > 1 else ""
    return f"有 {count}家庭成员死亡，{first}须在{wording.chinese_day(min(due))}前调整待遇。"


def show_light(light: Light) -> None:
    sign, words = case_words.LIGHTS[light]
    with tag("span", f"light {light}"):
        text(sign, name="span").props('aria-hidden="true"')
        text(words, name="span")


class _List:
    def __init__(self, seat: Seat, choice: Choice, found: TodoList, died: AwardPage) -> None:
        self._seat = seat
        self._choice = choice
        self._found = found
        self._died = died

    def show(self) -> None:
        found = self._found
        text(self._verdict(), name="h1")
        text(f"{wording.chinese_day(found.as_of)}，期限先到的排在前面。", "muted")
        if self._seat.may("relief:decide"):
            text("今天由其他机关审核确认的不在其中。", "muted")
        if words := deaths(self._died):
            with tag("div", "notice away"):
                anchor(words, DEATHS)
        if found.processes:
            self._show_lights()
            self._show_processes()
        if found.items.items:
            self._body, self._after = table(HEADS)
            self._add(found.items)
        elif self._choice.params:
            text("没有符合条件的待办。", "notice")
        else:
            with tag("div", "actions"):
                anchor("看全部办件", CASES, "button")
                anchor("看低保家庭", "/awards", "button")

    def _verdict(self) -> str:
        """The one sentence for who has no minute."""
        total = sum(one.count for one in self._found.processes)
        late = sum(one.red for one in self._found.processes)
        soon = sum(one.amber for one in self._found.processes)
        if not total:
            return "没有等您办理的事。"
        if late:
            return f"等您办理 {total} 件，其中 {late} 件已经逾期。"
        return f"等您办理 {total} 件，" + (f"{soon} 件快到期。" if soon else "没有逾期。")

    def _show_lights(self) -> None:
        process = self._choice.process
        chosen = [one for one in self._found.processes if process in ("", one.process)]
        with tag("div", "lights"):
            for light in LIGHTS:
                self._show_count(light, sum(getattr(one, light) for one in chosen))

    def _show_count(self, light: Light, count: int) -> None:
        here = self._choice.light == light
        classes = f"light-box {light}{' chosen' if here else ''}{'' if count else ' none'}"
        box = anchor("", self._choice.url(light="" if here else light), classes)
        box.props(f'aria-pressed="{str(here).lower()}"')
        with box:
            text(str(count), "count", name="span")
            show_light(light)

    def _show_processes(self) -> None:
        with tag("ul", "processes"):
            for one in self._found.processes:
                self._show_process(one)
            if self._choice.params:
                with tag("li"):
                    anchor("显示全部", DESK, "all")

    def _show_process(self, one: ProcessCount) -> None:
        here = self._choice.process == one.process
        goal = self._choice.url(process="" if here else one.process)
        with tag("li"), anchor("", goal, "chosen" if here else ""):
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
                more(f"再看 {LIMIT} 件", lambda: self._more(cursor))

    async def _more(self, cursor: str) -> None:
        params = {**self._choice.params, "limit": str(LIMIT), "cursor": cursor}
        self._add((await self._seat.read(TodoList, TODO, params)).items)


def table(words: tuple[str, ...]) -> tuple[Element, Element]:
    """A list of cases or awards: where its rows stand, and where what comes after them."""
    with tag("table", "plain cards desk-list"):
        heads(words)
        body = tag("tbody")
    return body, tag("div", "after")


def show_row(item: CaseItem) -> None:
    with tag("tr", f"light-row {item.light}"):
        with cell(HEADS[0], "first"):
            show_light(item.light)
        with cell(HEADS[1], "who"):
            anchor(item.label, f"{CASES}/{item.id}", "strong")
            text(f"{item.matter_title}　{item.number}", "sub")
        with cell(HEADS[2]):
            text(item.process)
            text(item.state_title, "sub")
        cell(HEADS[3], "", item.division_name or wording.ABSENT)
        with cell(HEADS[4], "nowrap"):
            text(wording.day(item.due))
            text(case_words.days_left(item.days_left), "sub")
        cell(HEADS[5], "nowrap", item.opened_on.isoformat())
