"""The eldercare facilities (养老服务设施): the list, and the history of one, in plain words."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from nicegui import ui
from nicegui.element import Element

from services.console import filter_bar, wording
from services.console.answers import (
    Facility,
    FacilityPage,
    FacilitySummary,
    Fact,
    Period,
    State,
    Timeline,
)
from services.console.filters import Filters
from services.console.frame import anchor, button, cell, heads, more, page, panel, tag, text
from services.console.gateway import Gateway

PATH = "/facilities"
FACILITIES = "/v1/eldercare/facilities"
LIMIT = "50"
ANY = "不限"
HEADS = ("名称", "类型", "镇街", "运营方", "核定床位", "其中护理型", "状态")
CHOICES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "kind": ("类型", {code.value: word for code, word in wording.KINDS.items()}),
    "operator_kind": (
        "运营方性质",
        {code.value: word for code, word in wording.OPERATOR_KINDS.items()},
    ),
    "state": ("状态", {code.value: word for code, word in wording.STATES.items()}),
}


def show(gateway: Gateway, filters: Filters) -> None:
    """The list, with what the facilities in operation add up to."""
    with page(PATH), tag("div", "large"):
        text("养老服务设施", name="h1")
        _show_filters(gateway, filters)
        panel(
            lambda: gateway.read(FacilitySummary, f"{FACILITIES}/summary", filters.params),
            lambda summary: _show_summary(summary, filters),
        )
        _List(gateway, filters)


def _show_filters(gateway: Gateway, filters: Filters) -> None:
    with filter_bar.bar():
        name = ui.input("名称", value=filters.q, placeholder="名称中的几个字")
        name.props("dense outlined stack-label").classes("filter-choice")

        def find() -> None:
            ui.navigate.to(filters.with_(q=(name.value or "").strip()).url(PATH))

        name.on("keydown.enter", find)
        button("查找", find, "button")
        filter_bar.show_towns(gateway, filters, PATH)
        for field, (label, choices) in CHOICES.items():
            filter_bar.show_choice(label, field, {"": ANY, **choices}, filters, PATH)
        filter_bar.show_day("截至日", "as_of", filters, PATH)
        anchor("重置", PATH, "reset")


def _show_summary(summary: FacilitySummary, filters: Filters) -> None:
    with tag("section", "summary"):
        text(
            f"{wording.chinese_day(summary.as_of)}在办 {wording.number(summary.facilities)} 处；"
            f"{wording.beds(summary.beds)}。",
            "strong",
        )
        with tag("ul", "kinds"):
            for total in (one for one in summary.items if one.facilities):
                with tag("li"):
                    anchor(wording.KINDS[total.kind], filters.with_(kind=total.kind).url(PATH))
                    text(
                        f"{wording.number(total.facilities)} 处，"
                        f"床位 {wording.number(total.beds.total)} 张",
                        name="span",
                    )
        anchor("下载清单（Excel）", filters.url("/exports/facilities.xlsx"), "button")


class _List:
    """The facilities found, page after page."""

    def __init__(self, gateway: Gateway, filters: Filters) -> None:
        self._gateway = gateway
        self._params = {**filters.params, "limit": LIMIT}
        self._rows: Element | None = None
        self._box = tag("div")
        with self._box:
            panel(lambda: self._load(""), self._show_first)

    async def _load(self, cursor: str) -> FacilityPage:
        return await self._gateway.read(
            FacilityPage, FACILITIES, {**self._params, "cursor": cursor}
        )

    def _show_first(self, found: FacilityPage) -> None:
        if not found.items:
            text("没有符合条件的设施。", "notice")
            return
        with tag("table", "plain facilities"):
            heads(HEADS)
            self._rows = tag("tbody")
        self._add(found)

    def _add(self, found: FacilityPage) -> None:
        if self._rows is None:
            return
        with self._rows:
            for facility in found.items:
                _show_row(facility)
        if found.next_cursor:
            cursor = found.next_cursor
            with self._box:
                more("再看 50 处", lambda: self._more(cursor))

    async def _more(self, cursor: str) -> None:
        self._add(await self._load(cursor))


def _show_row(facility: Facility) -> None:
    with tag("tr"):
        with tag("td", "name"):
            anchor(facility.name, f"{PATH}/{facility.id}")
        text(wording.KINDS[facility.kind], name="td")
        text(facility.town_name or facility.division_name or wording.ABSENT, name="td")
        with tag("td"):
            text(facility.operator.name)
            text(wording.OPERATOR_KINDS[facility.operator.kind], "sub")
        cell(HEADS[4], "number", wording.quantity(facility.beds.total, "张"))
        cell(HEADS[5], "number", wording.quantity(facility.beds.nursing, "张"))
        with tag("td"):
            show_state(facility.state)


def show_state(state: State) -> None:
    text(wording.STATES[state], f"state {state}", name="span")


def show_one(gateway: Gateway, facility_id: str, filters: Filters) -> None:
    """One facility on a day, its periods, and everything that was ever recorded of it."""
    path = f"{PATH}/{facility_id}"

    async def load() -> tuple[Facility, Timeline]:
        asked = f"{FACILITIES}/{facility_id}"
        return await asyncio.gather(
            gateway.read(Facility, asked, filters.params),
            gateway.read(Timeline, f"{asked}/timeline", {"known_on": filters.known_on}),
        )

    with page(PATH), tag("div", "large"):
        anchor("← 全部设施", PATH, "back")
        with filter_bar.bar():
            filter_bar.show_day("看哪一天", "as_of", filters, path)
            filter_bar.show_day("按何日所知", "known_on", filters, path)
            anchor("重置", path, "reset")
        panel(load, lambda loaded: _show_facility(*loaded))


def _show_facility(facility: Facility, timeline: Timeline) -> None:
    with tag("div", "title-line"):
        text(facility.name, name="h1")
        show_state(facility.state)
    text(f"以下为 {wording.chinese_day(facility.as_of)} 的情况。", "muted")
    with tag("dl", "situation"):
        for label, words in situation(facility).items():
            text(label, name="dt")
            text(words, name="dd")
    text("各时期情况", name="h2")
    with tag("ol", "periods"):
        _show_periods(timeline.periods)
    text("登记与更正记录", name="h2")
    text("每一项登记原样保留；被更正的划去，并注明由哪一项更正、为什么。", "muted")
    by_id = {fact.id: fact for fact in timeline.facts}
    with tag("ol", "facts"):
        for entry in wording.entries(timeline.facts):
            _show_entry(entry, by_id)


def situation(facility: Facility) -> dict[str, str]:
    """What holds on the day, by the name of each thing."""
    found = {
        "类型": wording.KINDS[facility.kind],
        "所在": " ".join(
            dict.fromkeys(one for one in (facility.town_name, facility.division_name) if one)
        )
        or wording.ABSENT,
        "地址": facility.address,
        "运营方": f"{facility.operator.name}（{wording.OPERATOR_KINDS[facility.operator.kind]}）",
        "床位": wording.beds(facility.beds),
        "服务功能": wording.functions(facility.functions),
        "最近评估": wording.assessment(facility.assessment),
        "开办": wording.ABSENT
        if facility.opened_on is None
        else wording.chinese_day(facility.opened_on),
    }
    if facility.closed_on is not None:
        found["停办"] = wording.chinese_day(facility.closed_on)
    return found


def _show_periods(periods: list[Period]) -> None:
    before: dict[str, str] = {}
    ends = [*(later.from_ for _, later in pairwise(periods)), None]
    for period, end in zip(periods, ends, strict=True):
        now = wording.period(period)
        with tag("li"):
            until = "至今" if end is None else f"至 {wording.chinese_day(end)} 前"
            text(f"{wording.chinese_day(period.from_)} {until}", "when")
            for label, words in now.items():
                if before.get(label) == words:
                    continue
                changed = f"{words}（此前：{before[label]}）" if before else words
                text(f"{label}：{changed}")
        before = now


def _show_entry(entry: Sequence[Fact], by_id: Mapping[UUID, Fact]) -> None:
    """What was recorded together, with who recorded it when and by which document."""
    first = entry[0]
    with tag("li", "replaced" if first.superseded_by is not None else ""):
        text(f"{wording.chinese_day(first.valid_from)} 起", "when")
        for fact in entry:
            text(fact.text or f"撤销（{fact.title}）", "what")
        for line in wording.corrections(first, by_id):
            text(line, "correction")
        when = wording.moment(first.recorded_at)
        text(f"依据：{first.document}；{when} 由 {first.recorded_by} 登记", "sub")
