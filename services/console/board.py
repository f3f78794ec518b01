"""The plan board (规划指标) for a director who has one minute: the verdict, then the 18 rows."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from nicegui import ui
from nicegui.element import Element

from services.console import beside, charts, details, filter_bar, wording
from services.console.answers import (
    Counts,
    IndicatorList,
    Item,
    PlanView,
    Series,
    Status,
)
from services.console.filters import Filters
from services.console.frame import (
    anchor,
    button,
    cell,
    heads,
    page,
    panel,
    show_pill,
    tag,
    text,
    unfold,
)
from services.console.gateway import Away, Gateway, Refused

PATH = "/"
AGAIN_SECONDS = 5.0
URGENCY = (Status.BEHIND, Status.NOT_ASSESSABLE, Status.ON_COURSE, Status.DONE)
HEADS = (
    "序号",
    "指标",
    "{from_} 基线",
    "现值",
    "{to} 目标",
    "状态",
    "走势",
    "还缺什么",
    "数据来源",
    "",
)


@dataclass(frozen=True, slots=True)
class Board:
    """What the page shows: the plan, and its indicators under the filters."""

    plan: PlanView
    found: IndicatorList
    filters: Filters
    place: str

    @property
    def binding(self) -> list[Item]:
        return [item for item in self.found.items if item.binding]

    @property
    def expected(self) -> list[Item]:
        return [item for item in self.found.items if not item.binding]


def show(gateway: Gateway, filters: Filters, opened: str) -> None:
    """The page; `opened` is the code of an indicator whose details stand open."""

    async def load() -> Board:
        plan, found, place = await asyncio.gather(
            gateway.read(PlanView, "/v1/plan"),
            gateway.read(IndicatorList, "/v1/plan/indicators", filters.params),
            _place(gateway, filters),
        )
        return Board(plan, found, filters, place)

    with page(PATH):
        filter_bar.show(gateway, filters, PATH)
        panel(load, lambda board: _show_board(gateway, board, opened))


async def _place(gateway: Gateway, filters: Filters) -> str:
    if not filters.division:
        return filter_bar.WHOLE
    return (await filter_bar.town_names(gateway, filters))[filters.division]


def _show_board(gateway: Gateway, board: Board, opened: str) -> None:
    found = board.found
    with tag("section", "verdict"):
        text(wording.verdict(found.verdict), name="h1")
        text(_seen_as(board), "muted")
        with tag("div", "halves"):
            _show_half("约束性指标", found.verdict.binding, board.binding, all_listed=True)
            _show_half("预期性指标", found.verdict.expected, board.expected, all_listed=False)
    lines = show_table(board, details_of=_details(gateway, board), opened=opened)
    with tag("div", "after"):
        url = board.filters.url("/exports/board.xlsx")
        anchor("下载本表（Excel）", url, "button")
        button("打印", lambda: ui.run_javascript("window.print()"), "print-button")
    beside.show(gateway, board.filters, opened)
    ui.timer(0, lambda: _draw_lines(gateway, board, lines), once=True)
    if opened in lines:
        ui.run_javascript(f"document.getElementById('row-{opened}').scrollIntoView()")


def _seen_as(board: Board) -> str:
    found = board.found
    known = f"按 {found.known_on} 所知" if found.known_on else "按现在所知"
    day = f"截至 {wording.chinese_day(found.as_of)}"
    return f"{board.plan.name} · {board.place} · {day} · {known}"


def _show_half(title: str, counts: Counts, items: list[Item], *, all_listed: bool) -> None:
    """The counters of one kind; below them all its indicators, or only those behind."""
    with tag("div", "half"):
        with tag("div", "half-head"):
            text(f"{title} {counts.total} 项", name="h2")
            with tag("ul", "counters"):
                for status in Status:
                    _show_counter(status, getattr(counts, status.value))
        listed = sorted(items, key=lambda one: URGENCY.index(one.status))
        if not all_listed:
            listed = [one for one in listed if one.status is Status.BEHIND]
        with tag("ul", "short-list"):
            for item in listed:
                _show_short(item)
        if not listed:
            text("没有落后的指标。", "muted")


def _show_counter(status: Status, count: int) -> None:
    with tag("li", f"counter {status}" + ("" if count else " none")):
        text(str(count), "count", name="span")
        text(wording.STATUSES[status], name="span")


def _show_short(item: Item) -> None:
    with tag("li"):
        show_pill(item.status)
        anchor(f"{item.no}. {item.name}", f"#row-{item.code}", "short-name")
        words = f"{wording.held_value(item)} → {wording.governing_goal(item)}"
        text(words, "short-value", name="span")
        missing = wording.lacking(item)
        text(missing[0] if missing else "", f"short-gap {item.status}", name="span")


Details = Callable[[Item], None]


def show_table(
    board: Board, *, details_of: Details | None = None, opened: str = ""
) -> dict[str, Element]:
    """The rows in order; the cells for the small lines by indicator, to be drawn later."""
    columns = [
        head.format(from_=board.plan.baseline_on.year, to=board.plan.period_to.year)
        for head in HEADS
    ]
    lines = {}
    with tag("table", "board"):
        heads(columns)
        with tag("tbody"):
            for item in board.found.items:
                lines[item.code] = _show_row(item, columns, details_of, opened=item.code == opened)
    return lines


def _show_row(
    item: Item, columns: list[str], details_of: Details | None, *, opened: bool
) -> Element:
    row = tag("tr", "indicator-row binding" if item.binding else "indicator-row").props(
        f'id="row-{item.code}"'
    )
    with row:
        text(str(item.no), "no", name="td")
        with tag("td", "name"):
            _show_name(item)
        cell(columns[2], "baseline", wording.quantity(item.baseline, item.unit))
        with cell(columns[3], "now"):
            text(wording.quantity(item.value, item.unit), "value")
            text(wording.fraction(item.numerator, item.denominator), "sub")
            text(wording.judged(item), "sub")
        with cell(columns[4], "goal"):
            text(wording.governing_goal(item))
            if others := wording.other_goals(item):
                text(f"另有：{others}", "sub conflict")
        with tag("td", "status"):
            show_pill(item.status)
            text(wording.course(item), "sub")
        line = tag("td", "line")
        with cell(columns[7], "lacking"):
            for each in wording.lacking(item):
                text(each)
        with cell(columns[8], "origin"):
            text(wording.origin(item))
            text(wording.reported(item), "sub stale" if wording.is_stale(item) else "sub")
        with tag("td", "more"):
            if details_of is not None:
                more = button("详情", lambda: None, "more-button")
    if details_of is not None:
        unfold(row, more, len(HEADS), lambda: details_of(item), opened=opened)
    return line


def _show_name(item: Item) -> None:
    with tag("div", "name-line"):
        text(item.name, "indicator", name="span")
        if item.binding:
            text("约束性", "mark binding-mark", name="span")
        if item.provisional:
            text("暂定数", "mark", name="span")
        if item.warnings:
            text("数据待核", "mark conflict-mark", name="span")
        if item.conflict:
            text("目标不一致", "mark conflict-mark", name="span")


def _details(gateway: Gateway, board: Board) -> Details:
    return lambda item: details.show(gateway, item, board.filters, board.plan.period_to)


async def _draw_lines(gateway: Gateway, board: Board, lines: dict[str, Element]) -> None:
    """The small lines, which come after the rows; those without an answer are asked for again."""

    async def draw(item: Item) -> bool:
        path, params = f"/v1/plan/indicators/{item.code}/series", series_params(board.filters, item)
        try:
            series = await gateway.read(Series, path, params)
        except Away:
            return False
        except Refused:
            return True
        _draw(lines[item.code], series, board.plan.period_to)
        return True

    drawn = await asyncio.gather(*(draw(one) for one in board.found.items if one.code in lines))
    left = {code: line for (code, line), done in zip(lines.items(), drawn, strict=True) if not done}
    if left:
        ui.timer(AGAIN_SECONDS, lambda: _draw_lines(gateway, board, left), once=True)


def series_params(filters: Filters, item: Item) -> dict[str, str]:
    """Up to the day that was judged: half a year of a flow would look like a fall."""
    judged_on = item.governing.judged_on if item.governing else None
    until = judged_on or item.as_of
    params = {"known_on": filters.known_on, "division": filters.division}
    return params if until is None else {**params, "to": until.isoformat()}


def _draw(line: Element, series: Series, end: date) -> None:
    with line:
        picture = charts.sparkline(series, end)
        if picture:
            ui.html(picture, sanitize=False)  # numbers and days alone
        else:
            text(wording.ABSENT, "sub")
