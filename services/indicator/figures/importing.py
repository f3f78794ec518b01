"""Figures from a workbook (xlsx): all of its rows, or none."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from pydantic import TypeAdapter

from chassis.problems import Problem
from chassis.spreadsheet import (
    CellError,
    Column,
    Form,
    ImportRefused,
    Line,
    Sheet,
    blank,
    day_of,
    read,
    text_of,
    write,
)
from services.indicator.figures import repository, service
from services.indicator.figures.schemas import FigureReport, ImportResult
from services.indicator.figures.service import Told
from services.indicator.plans.access import Desk

MEASURES = "计量项目"
MOST_ROWS = 2_000


def _number(cell: object) -> str:
    """What stands in the cell: how a number may be written is the single figure's law."""
    return str(cell).strip()


MEASURE = Column("计量项目", ("measure",), text_of, f"“{MEASURES}”中的名称或代码")
DAY = Column("日期", ("on",), day_of, "数值所属的日期，如 2020-12-31；不能晚于今天")
FORM = Form(
    "填报数",
    (
        MEASURE,
        Column(
            "区划代码",
            ("division",),
            text_of,
            "当日有效的 12 位代码；全区填报的填区县代码，镇街填报的填镇街代码",
        ),
        DAY,
        Column("数值", ("value",), _number, "时期数填自 1 月 1 日起的累计数"),
        Column("文件依据", ("document",), text_of, "所依据的文件名称或文号，不得含个人信息"),
    ),
)
REPORT = TypeAdapter(FigureReport)


@dataclass(slots=True)
class _Drafts:
    """The figures of the file by series, with their rows, and what is wrong."""

    figures: dict[tuple[str, int], list[tuple[int, Told]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    errors: list[CellError] = field(default_factory=list)
    days: dict[tuple[str, int, date], int] = field(default_factory=dict)

    def refuse(self, row: int, column: Column, text: str) -> None:
        self.errors.append(CellError(FORM.title, row, column.heading, text))

    def add(self, row: int, figure: Told) -> None:
        place = (figure.measure.code, figure.unit, figure.on)
        if place in self.days:
            self.refuse(row, DAY, f"与第 {self.days[place]} 行重复")
            return
        self.days[place] = row
        self.figures[place[0], place[1]].append((row, figure))


def template(desk: Desk) -> bytes:
    """An empty workbook to fill in, with the measures that can be reported."""
    known = service.measures(desk).items
    levels = {"district": "全区", "town": "镇街", None: ""}
    return write(
        [
            blank(FORM, width=24),
            Sheet(
                MEASURES,
                ["计量项目", "代码", "单位", "填报的层级", "小数位数", "说明"],
                [
                    [one.name, one.code, one.unit, levels[one.reported_at], one.decimals, one.note]
                    for one in known
                ],
                width=30,
            ),
            Sheet(
                "填写说明",
                ["列", "说明"],
                [
                    *([column.heading, column.note] for column in FORM.columns),
                    ["", f"任何一行有误，整个文件都不会保存；一次最多 {MOST_ROWS} 行。"],
                ],
                width=30,
            ),
        ]
    )


async def import_figures(desk: Desk, content: bytes) -> ImportResult:
    """Take in a workbook: one event for each series.

    Raises:
        UnreadableWorkbook: it is no workbook of the template's form, or too large.
        ImportRefused: with each wrong cell; nothing is saved.
    """
    found = await asyncio.to_thread(read, content, [FORM], most_rows=MOST_ROWS, verb="填报")
    lines = found[FORM.title]
    drafts = _drafts(desk, lines)
    if not lines:
        drafts.refuse(2, MEASURE, "没有可导入的内容")
    for (measure, unit), rows in sorted(drafts.figures.items()):
        series = await repository.series_for(desk.session, measure, unit)
        told = await service.days_told(desk.session, series)
        for row, figure in rows:
            if figure.on in told:
                drafts.refuse(row, DAY, "该日已有填报数，如需改动请用更正")
            else:
                service.add(desk.session, series, figure)
        if not drafts.errors:
            await service.publish(desk.session, series, "reported")
    if drafts.errors:
        raise ImportRefused(drafts.errors)
    return ImportResult(figures=len(drafts.days), series=len(drafts.figures))


def _drafts(desk: Desk, lines: list[Line]) -> _Drafts:
    drafts = _Drafts()
    names = {one.name: one.code for one in service.measures(desk).items}
    for line in lines:
        body, errors = FORM.body(line)
        if "measure" in body:
            body["measure"] = names.get(body["measure"], body["measure"])
        asked = FORM.asked(REPORT, line.number, body, errors)
        drafts.errors += errors
        if asked is None:
            continue
        try:
            drafts.add(line.number, service.told(desk, asked))
        except Problem as problem:
            drafts.errors += FORM.refused(line.number, problem)
    return drafts
