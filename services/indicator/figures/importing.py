"""Figures from a workbook (xlsx): all of its rows, or none."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from chassis.problems import FieldError, Problem, Unprocessable, from_validation
from chassis.spreadsheet import (
    Line,
    Sheet,
    WrongCellError,
    day_of,
    decimal_of,
    read,
    text_of,
    write,
)
from services.indicator.figures import repository, service
from services.indicator.figures.schemas import FigureReport, ImportResult
from services.indicator.figures.service import Told
from services.indicator.plans.access import Desk

SHEET, MEASURES = "填报数", "计量项目"
MOST_ROWS = 2_000
MOST_ERRORS = 200

COLUMNS: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "计量项目": ("measure", text_of),
    "区划代码": ("division", text_of),
    "日期": ("on", day_of),
    "数值": ("value", decimal_of),
    "文件依据": ("document", text_of),
}
HEADINGS = {name: heading for heading, (name, _) in COLUMNS.items()}


class ImportRefused(Unprocessable):
    slug, title = "import-refused", "导入文件有误，未保存任何内容"


@dataclass(slots=True)
class _Drafts:
    """The figures of the file by series, with their rows, and what is wrong."""

    figures: dict[tuple[str, int], list[tuple[int, Told]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    errors: list[FieldError] = field(default_factory=list)
    days: dict[tuple[str, int, date], int] = field(default_factory=dict)

    def refuse(self, row: int, heading: str, text: str) -> None:
        said = f"“{SHEET}”第 {row} 行“{heading}”：{text}"
        self.errors.append(FieldError(f"/{SHEET}/{row}/{heading}", said))

    def add(self, row: int, figure: Told) -> None:
        place = (figure.measure.code, figure.unit, figure.on)
        if place in self.days:
            self.refuse(row, "日期", f"与第 {self.days[place]} 行重复")
            return
        self.days[place] = row
        self.figures[place[0], place[1]].append((row, figure))


def template(desk: Desk) -> bytes:
    """An empty workbook to fill in, with the measures that can be reported."""
    known = service.measures(desk).items
    levels = {"district": "全区", "town": "镇街", None: ""}
    return write(
        [
            Sheet(SHEET, list(COLUMNS), [], width=24),
            Sheet(
                MEASURES,
                ["计量项目", "代码", "单位", "通常填报的层级", "小数位数", "说明"],
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
                    ["计量项目", f"“{MEASURES}”中的名称或代码"],
                    ["区划代码", "12 位代码；全区的数据填区县代码"],
                    ["日期", "数值所属的日期，如 2020-12-31；不能晚于今天"],
                    ["数值", "时期数填自 1 月 1 日起的累计数"],
                    ["文件依据", "所依据的文件名称或文号"],
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
    lines = await asyncio.to_thread(read, content, SHEET, list(COLUMNS), most_rows=MOST_ROWS)
    drafts = _drafts(desk, lines)
    if not lines:
        drafts.refuse(2, "计量项目", "没有可导入的内容")
    for (measure, unit), rows in sorted(drafts.figures.items()):
        series = await repository.series_for(desk.session, measure, unit)
        told = await service.days_told(desk.session, series)
        for row, figure in rows:
            if figure.on in told:
                drafts.refuse(row, "日期", "该日已有填报数，如需改动请用更正")
            else:
                service.add(desk.session, series, figure)
        if not drafts.errors:
            await service.publish(desk.session, series, "reported")
    if drafts.errors:
        raise ImportRefused(
            f"共发现 {len(drafts.errors)} 处错误，请更正后重新提交",
            errors=drafts.errors[:MOST_ERRORS],
        )
    return ImportResult(figures=len(drafts.days), series=len(drafts.figures))


def _drafts(desk: Desk, lines: list[Line]) -> _Drafts:
    drafts = _Drafts()
    names = {one.name: one.code for one in service.measures(desk).items}
    for line in lines:
        before = len(drafts.errors)
        body = _body(drafts, line)
        if isinstance(body.get("measure"), str):
            body["measure"] = names.get(body["measure"], body["measure"])
        asked = _validated(drafts, line.number, body) if len(drafts.errors) == before else None
        if asked is None:
            continue
        try:
            drafts.add(line.number, service.told(desk, asked))
        except Problem as problem:
            _refuse(drafts, line.number, problem)
    return drafts


def _body(drafts: _Drafts, line: Line) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for (heading, (name, reader)), cell in zip(COLUMNS.items(), line.cells, strict=True):
        if cell is None:
            drafts.refuse(line.number, heading, "缺少必填项")
            continue
        try:
            body[name] = reader(cell)
        except WrongCellError as error:
            drafts.refuse(line.number, heading, str(error))
    return body


def _validated(drafts: _Drafts, row: int, body: dict[str, Any]) -> FigureReport | None:
    try:
        return FigureReport.model_validate(body)
    except ValidationError as error:
        _refuse(drafts, row, from_validation(RequestValidationError(error.errors())))
    return None


def _refuse(drafts: _Drafts, row: int, problem: Problem) -> None:
    """Keep what a single report would have been answered."""
    for error in problem.errors or (FieldError("/division", problem.detail),):
        drafts.refuse(row, HEADINGS.get(error.pointer.lstrip("/"), "计量项目"), error.detail)
