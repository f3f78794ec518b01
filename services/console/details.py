"""An indicator opened: its line, all its targets, its towns, and the entries that make it up."""

import asyncio
from collections.abc import Mapping
from datetime import date
from functools import partial

from nicegui import ui
from nicegui.element import Element

from services.console import charts, wording
from services.console.answers import (
    Cell,
    Facility,
    Item,
    LineageEntry,
    LineagePage,
    Matrix,
    MatrixRow,
    Series,
    Target,
)
from services.console.filters import Filters
from services.console.frame import anchor, button, cell, heads, more, panel, show_pill, tag, text
from services.console.gateway import Away, Gateway, Refused

STEPS = {"year": "按年", "quarter": "按季"}
IN_FORCE = "有效"
LINEAGE_LIMIT = 20
FACILITY_TOPIC = "minzheng.eldercare.facility."
TARGET_HEADS = ("目标", "规划原文", "出处与期限", "状态与差距")
LINEAGE_HEADS = ("生效日", "登记时间", "单位", "事项类型", "主体", "计量", "数量")


def show(gateway: Gateway, item: Item, filters: Filters, end: date) -> None:
    """Everything about one indicator; `end` is the plan's last day."""
    path = f"/v1/plan/indicators/{item.code}"
    with tag("div", "details"):
        with tag("div", "details-top"):
            _show_chart(gateway, path, item, filters, end)
            _show_targets(item)
        if item.per_town and not filters.division:
            _show_towns(gateway, item, filters)
        _show_lineage(gateway, path, filters)


def _show_chart(gateway: Gateway, path: str, item: Item, filters: Filters, end: date) -> None:
    """The line by years; by quarters on demand, where a flow starts anew each year."""

    def show_chart(series: Series) -> None:
        if all(point.value is None for point in series.points):
            text("这一时期没有数据。", "notice")
            return
        ui.echart(charts.options(series, item.unit, end), renderer="svg").classes("chart")

    def draw(step: str) -> None:
        params = {**filters.params, "as_of": "", "step": step}
        if item.as_of is not None:
            params["to"] = item.as_of.isoformat()
        box.clear()
        with box:
            panel(lambda: gateway.read(Series, f"{path}/series", params), show_chart)

    with tag("section", "details-chart"):
        with tag("div", "chart-head"):
            text("走势", name="h3")
            for step, words in STEPS.items():
                button(words, partial(draw, step), "step")
        box = tag("div")
        draw("year")


def _show_targets(item: Item) -> None:
    with tag("section", "details-targets"):
        text("全部目标", name="h3")
        with tag("table", "plain cards"):
            heads(TARGET_HEADS)
            with tag("tbody"):
                for target in item.targets:
                    _show_target(target, item)
        if item.missing:
            text(f"尚无的镇街：{wording.names(item.missing, len(item.missing))}", "missing")
        for warning in item.warnings:
            text(warning, "notice refused")
        about = [item.section, item.owner and f"牵头：{item.owner}", item.note]
        text("；".join(one for one in about if one), "muted")


def _show_target(target: Target, item: Item) -> None:
    with tag("tr", "governing" if target.governing else ""):
        cell(TARGET_HEADS[0], words=wording.goal(target, item.unit))
        with cell(TARGET_HEADS[1]):
            text(target.printed)
            text("；".join(one for one in (_standing(target), target.note) if one), "sub")
        with cell(TARGET_HEADS[2]):
            text(f"{target.section}（以此为准）" if target.governing else target.section)
            text(f"{target.due} 前" if target.due else "未定期限", "sub")
        with cell(TARGET_HEADS[3]):
            show_pill(target.status)
            text("" if target.gap is None else wording.gap(target.gap), "sub")


def _standing(target: Target) -> str:
    """What the plan's keepers say of a target that does not simply hold."""
    return "" if target.standing == IN_FORCE else target.standing


def _show_towns(gateway: Gateway, item: Item, filters: Filters) -> None:
    def show_rows(matrix: Matrix) -> None:
        yes_or_no = wording.is_yes_or_no(matrix.column(item.code))
        with tag("ul", "town-list"):
            for row in matrix.rows:
                if (cell := row.cells.get(item.code)) is not None:
                    _show_town(row, cell, item, filters, yes_or_no=yes_or_no)

    with tag("section"):
        text("各镇街", name="h3")
        panel(lambda: gateway.read(Matrix, "/v1/plan/matrix", filters.params), show_rows)


def _show_town(
    row: MatrixRow, cell: Cell, item: Item, filters: Filters, *, yes_or_no: bool
) -> None:
    with tag("li", str(cell.status)):
        text(wording.SIGNS[cell.status], "sign", name="span")
        if row.division:
            anchor(row.name, filters.with_(division=row.division).url("/", open=item.code))
        else:
            text(row.name, name="span")
        if yes_or_no and cell.value is not None:
            text(wording.has(cell), "value", name="span")
            return
        text(wording.quantity(cell.value, item.unit), "value", name="span")
        text(wording.fraction(cell.numerator, cell.denominator), "sub", name="span")


def _show_lineage(gateway: Gateway, path: str, filters: Filters) -> None:
    with tag("section"):
        text("由哪些登记汇成", name="h3")
        Lineage(gateway, f"{path}/lineage", filters.params)


class Lineage:
    """The table of entries, page after page."""

    def __init__(self, gateway: Gateway, path: str, params: Mapping[str, str]) -> None:
        self._gateway = gateway
        self._path = path
        self._params = {**params, "limit": str(LINEAGE_LIMIT)}
        self._box = tag("div")
        self._rows: Element | None = None
        with self._box:
            panel(lambda: self._load(""), self._show_first)

    async def _load(self, cursor: str) -> tuple[LineagePage, dict[str, str]]:
        page = await self._gateway.read(LineagePage, self._path, {**self._params, "cursor": cursor})
        return page, await facility_names(self._gateway, page.items)

    def _show_first(self, loaded: tuple[LineagePage, dict[str, str]]) -> None:
        if not loaded[0].items:
            text("这一天没有构成这个数的登记。", "notice")
            return
        with tag("table", "plain cards lineage"):
            heads(LINEAGE_HEADS)
            self._rows = tag("tbody")
        self._add(*loaded)

    def _add(self, page: LineagePage, names: dict[str, str]) -> None:
        if self._rows is None:
            return
        with self._rows:
            for entry in page.items:
                _show_entry(entry, names)
        if page.next_cursor:
            cursor = page.next_cursor
            with self._box:
                more("再看 20 条", lambda: self._more(cursor))

    async def _more(self, cursor: str) -> None:
        self._add(*await self._load(cursor))


async def facility_names(gateway: Gateway, entries: list[LineageEntry]) -> dict[str, str]:
    """Names of the facilities among the subjects; one that cannot be read has none."""

    async def name(subject: str) -> tuple[str, str]:
        try:
            found = await gateway.read(Facility, f"/v1/eldercare/facilities/{subject}")
        except (Away, Refused):
            return subject, ""
        return subject, found.name

    subjects = {one.subject for one in entries if one.event_type.startswith(FACILITY_TOPIC)}
    return {
        subject: found for subject, found in await asyncio.gather(*map(name, subjects)) if found
    }


def _show_entry(entry: LineageEntry, names: dict[str, str]) -> None:
    with tag("tr"):
        cell(LINEAGE_HEADS[0], "nowrap", wording.day(entry.effective_date))
        cell(LINEAGE_HEADS[1], "nowrap", wording.moment(entry.recorded_at))
        cell(LINEAGE_HEADS[2], words=entry.unit_name or wording.ABSENT)
        what = cell(LINEAGE_HEADS[3], words=wording.event(entry.event_type))
        what.props(f'title="{entry.event_id}"')
        with cell(LINEAGE_HEADS[4]):
            _show_subject(entry, names)
        cell(LINEAGE_HEADS[5], words=entry.measure_name)
        cell(LINEAGE_HEADS[6], "number", wording.number(entry.amount))


def _show_subject(entry: LineageEntry, names: dict[str, str]) -> None:
    """A facility by its name, leading to it; what has no page by the end of its id."""
    if entry.event_type.startswith(FACILITY_TOPIC):
        name = names.get(entry.subject, f"设施 {entry.subject[-8:]}")
        anchor(name, f"/facilities/{entry.subject}")
        return
    text(f"…{entry.subject[-8:]}", name="span").props(f'title="{entry.subject}"')
