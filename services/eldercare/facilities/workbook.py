"""Workbooks (xlsx): the template of a back-entry (补录) and what is read from one; the export."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from chassis.spreadsheet import (
    CellError,
    Column,
    Form,
    Line,
    Sheet,
    Written,
    WrongCellError,
    blank,
    day_of,
    decimal_of,
    read,
    text_of,
    whole_of,
    write,
)
from services.eldercare.facilities.schemas import FacilityChange, FacilityRegister, FacilityView
from services.eldercare.facilities.texts import (
    FUNCTIONS,
    KINDS,
    OPERATOR_KINDS,
    PASSED,
    STATES,
    functions_text,
)

MOST_ROWS = 5_000

EXPLANATION, REGISTRATIONS, CHANGES = "填写说明", "设施登记", "后续变更"
REFERENCE = "设施序号"

Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Said(Generic[Asked]):
    """A row that says something: of which facility of the file, and what."""

    row: int
    reference: str
    asked: Asked


@dataclass(slots=True)
class History:
    """What a workbook says; with errors, only the rows without any."""

    registrations: list[Said[FacilityRegister]] = field(default_factory=list)
    changes: list[Said[FacilityChange]] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    references: dict[str, int] = field(default_factory=dict)


def _one_of(labels: Mapping[Any, str]) -> Callable[[object], object]:
    by_label = {label: code for code, label in labels.items()}

    def chosen(cell: object) -> object:
        if (found := by_label.get(text_of(cell))) is None:
            raise WrongCellError(f"须为：{'、'.join(by_label)}")
        return found

    return chosen


def _some_of(labels: Mapping[Any, str]) -> Callable[[object], object]:
    one = _one_of(labels)

    def chosen(cell: object) -> object:
        text = text_of(cell)
        return (
            [] if text == "无" else [one(part) for part in re.split(r"[、,，;；\s]+", text) if part]
        )

    return chosen


CHANGE_LABELS = {
    "beds": "床位变更",
    "operator": "运营方变更",
    "functions": "服务功能变更",
    "kind": "类型变更",
    "name": "更名",
    "place": "迁址",
    "closing": "停办",
    "opening": "恢复运营",
    "assessment": "服务质量评估",
}


def _choice(heading: str, path: tuple[str, ...], labels: Mapping[Any, str], note: str) -> Column:
    return Column(heading, path, _one_of(labels), note, tuple(labels.values()))


REFERENCE_COLUMN = Column(
    REFERENCE, ("reference",), text_of, "本文件内自行编号，用来把后续变更对应到设施；不入库"
)
DOCUMENT = Column("文件依据", ("document",), text_of, "所依据的文件名称或文号，不得含个人信息")
NAME = Column("设施名称", ("name",), text_of, "不超过 100 字")
KIND = _choice("类型", ("kind",), KINDS, "从下拉列表中选择")
DIVISION = Column(
    "区划代码", ("division",), text_of, "镇街或村居的 12 位代码，须在当日（开办或迁入之日）有效"
)
ADDRESS = Column("地址", ("address",), text_of, "不超过 200 字")
OPERATOR_NAME = Column("运营方名称", ("operator", "name"), text_of, "不超过 100 字")
OPERATOR_KIND = _choice("运营方性质", ("operator", "kind"), OPERATOR_KINDS, "从下拉列表中选择")
BEDS = Column("核定床位", ("beds", "total"), whole_of, "整数")
NURSING_BEDS = Column("护理型床位", ("beds", "nursing"), whole_of, "整数，不多于核定床位")
BEDS_IN_USE = Column("投入使用床位", ("beds", "in_use"), whole_of, "整数，不多于核定床位")
FUNCTION_LIST = Column(
    "服务功能",
    ("functions",),
    _some_of(FUNCTIONS),
    f"以顿号分隔：{'、'.join(FUNCTIONS.values())}；没有的填“无”",
)

REGISTRATION_COLUMNS = (
    REFERENCE_COLUMN,
    NAME,
    KIND,
    DIVISION,
    ADDRESS,
    OPERATOR_NAME,
    OPERATOR_KIND,
    BEDS,
    NURSING_BEDS,
    BEDS_IN_USE,
    FUNCTION_LIST,
    Column("开办日期", ("opened_on",), day_of, "日期，如 2020-01-31"),
    DOCUMENT,
)
CHANGE_COLUMNS = (
    REFERENCE_COLUMN,
    _choice("事项", ("change",), CHANGE_LABELS, "从下拉列表中选择；只填与该事项有关的列"),
    Column("生效日期", ("valid_from",), day_of, "自哪一天起，如 2020-01-31；评估填评估日期"),
    DOCUMENT,
    BEDS,
    NURSING_BEDS,
    BEDS_IN_USE,
    OPERATOR_NAME,
    OPERATOR_KIND,
    FUNCTION_LIST,
    KIND,
    NAME,
    DIVISION,
    ADDRESS,
    _choice("评估结果", ("passed",), PASSED, "从下拉列表中选择"),
    Column("评估得分", ("score",), decimal_of, "可不填"),
)
FORMS = {
    REGISTRATIONS: Form(REGISTRATIONS, REGISTRATION_COLUMNS),
    CHANGES: Form(CHANGES, CHANGE_COLUMNS),
}
REGISTRATION: TypeAdapter[FacilityRegister] = TypeAdapter(FacilityRegister)
CHANGE: TypeAdapter[FacilityChange] = TypeAdapter(FacilityChange)

EXPORTED: Mapping[str, Callable[[FacilityView], Written]] = {
    "设施名称": lambda one: one.name,
    "类型": lambda one: KINDS[one.kind],
    "状态": lambda one: STATES[one.state],
    "镇街": lambda one: one.town_name,
    "区划": lambda one: one.division_name,
    "区划代码": lambda one: one.division,
    "地址": lambda one: one.address,
    "运营方名称": lambda one: one.operator.name,
    "运营方性质": lambda one: OPERATOR_KINDS[one.operator.kind],
    "核定床位": lambda one: one.beds.total,
    "护理型床位": lambda one: one.beds.nursing,
    "投入使用床位": lambda one: one.beds.in_use,
    "服务功能": lambda one: functions_text(one.functions),
    "开办日期": lambda one: one.opened_on,
    "停办日期": lambda one: one.closed_on,
    "评估日期": lambda one: one.assessment.assessed_on if one.assessment else None,
    "评估结果": lambda one: PASSED[one.assessment.passed] if one.assessment else None,
    "评估得分": lambda one: one.assessment.score if one.assessment else None,
}


def read_history(content: bytes) -> History:
    """What the workbook says, row by row.

    Raises:
        UnreadableWorkbook: it is no such workbook, or larger than may be taken in at once.
    """
    found = read(content, list(FORMS.values()), most_rows=MOST_ROWS, verb="补录")
    history = History()
    for line in found[REGISTRATIONS]:
        _read_registration(history, line)
    for line in found[CHANGES]:
        _read_change(history, line)
    return history


def template() -> bytes:
    """An empty workbook to fill in, with an explanation of each column."""
    title, *lines = _explanation()
    explanation = Sheet(EXPLANATION, title, lines, width=20)
    return write([explanation, *(blank(form) for form in FORMS.values())])


def export(facilities: Iterable[FacilityView], as_of: date, known_on: date | None) -> bytes:
    """A workbook of facilities as they are on a day."""
    known = "现在" if known_on is None else known_on.isoformat()
    about: list[Sequence[Written]] = [["所查日期", as_of], ["按何日已登记的内容", known]]
    rows = ([show(one) for show in EXPORTED.values()] for one in facilities)
    return write(
        [
            Sheet("养老服务设施", list(EXPORTED), rows),
            Sheet("说明", ["项目", "内容"], about, width=30),
        ]
    )


def _read_registration(history: History, line: Line) -> None:
    said = _said(REGISTRATIONS, REGISTRATION, line)
    reference, asked, errors = said
    if reference in history.references:
        errors.append(CellError(REGISTRATIONS, line.number, REFERENCE, "与前面的行重复"))
    if reference:
        history.references[reference] = line.number
    history.errors += errors
    if asked is not None and not errors:
        history.registrations.append(Said(line.number, reference, asked))


def _read_change(history: History, line: Line) -> None:
    said = _said(CHANGES, CHANGE, line)
    reference, asked, errors = said
    history.errors += errors
    if asked is not None and not errors:
        history.changes.append(Said(line.number, reference, asked))


def _said(
    sheet: str, kind: TypeAdapter[Asked], line: Line
) -> tuple[str, Asked | None, list[CellError]]:
    """Which facility of the file a row speaks of, what it asks for, and what is wrong with it."""
    form = FORMS[sheet]
    body, errors = form.body(line)
    reference = str(body.pop("reference", ""))
    if not reference and not any(error.heading == REFERENCE for error in errors):
        errors.append(CellError(sheet, line.number, REFERENCE, "缺少必填项"))
    return reference, form.asked(kind, line.number, body, errors), errors


def _explanation() -> Iterator[list[str]]:
    yield ["养老服务设施历史情况补录", "", ""]
    yield [
        f"先在“{REGISTRATIONS}”中每处设施填一行开办时的情况，再在“{CHANGES}”中逐项填写之后的变化。"
    ]
    yield ["任何一行有误，整个文件都不会入库；更正后重新提交即可。"]
    yield [f"一次最多 {MOST_ROWS} 行，文件不超过 2 MB。请勿改动工作表名称和表头。"]
    yield []
    yield ["工作表", "列", "说明"]
    for form in FORMS.values():
        for column in form.columns:
            yield [form.title, column.heading, column.note]
