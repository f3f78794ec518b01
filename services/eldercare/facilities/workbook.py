"""Workbooks (xlsx): the template of a back-entry (补录) and what is read from one; the export."""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from io import BytesIO
from itertools import islice
from typing import Any, Generic, TypeVar

from fastapi.exceptions import RequestValidationError
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from pydantic import TypeAdapter, ValidationError

from chassis.problems import Unprocessable, from_validation
from services.eldercare.facilities.schemas import FacilityChange, FacilityRegister, FacilityView
from services.eldercare.facilities.texts import (
    FUNCTIONS,
    KINDS,
    OPERATOR_KINDS,
    PASSED,
    STATES,
    functions_text,
)

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 5_000
MOST_LINES = 20_000
"""Lines read of a sheet, blank ones too."""
MOST_COLUMNS = 40
MOST_BYTES_UNPACKED = 32 * 1024 * 1024
MOST_PARTS = 200

EXPLANATION, REGISTRATIONS, CHANGES = "填写说明", "设施登记", "后续变更"
REFERENCE = "设施序号"

Asked = TypeVar("Asked")
Written = str | int | date | Decimal | None


class UnreadableWorkbook(Unprocessable):
    slug, title = "unreadable-workbook", "无法读取该文件"


class WrongCellError(ValueError):
    """What is wrong with a cell, in Chinese."""


@dataclass(frozen=True, slots=True)
class RowError:
    sheet: str
    row: int
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, where its value stands in the request's body, and how a cell is read."""

    heading: str
    path: tuple[str, ...]
    read: Callable[[object], object]
    note: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line(Generic[Asked]):
    """A row that says something: of which facility of the file, and what."""

    row: int
    reference: str
    asked: Asked


@dataclass(slots=True)
class History:
    """What a workbook says; with errors, only the rows without any."""

    registrations: list[Line[FacilityRegister]] = field(default_factory=list)
    changes: list[Line[FacilityChange]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    references: dict[str, int] = field(default_factory=dict)


def _written(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, str) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return str(cell).strip()
    raise WrongCellError("应为文字")


def _whole(cell: object) -> int:
    text = _written(cell) if not isinstance(cell, float) or cell.is_integer() else ""
    if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) is None:
        raise WrongCellError("应为整数")
    return int(text)


def _decimal(cell: object) -> Decimal:
    try:
        return Decimal(str(cell).strip())
    except InvalidOperation:
        raise WrongCellError("应为数字") from None


def _day(cell: object) -> object:
    if isinstance(cell, datetime):
        if cell.time() != time.min:
            raise WrongCellError("应为日期，不带时刻")
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        return cell.strip()
    raise WrongCellError("应为日期，如 2020-01-31")


def _one_of(labels: Mapping[Any, str]) -> Callable[[object], object]:
    by_label = {label: code for code, label in labels.items()}

    def read(cell: object) -> object:
        if (found := by_label.get(_written(cell))) is None:
            raise WrongCellError(f"须为：{'、'.join(by_label)}")
        return found

    return read


def _some_of(labels: Mapping[Any, str]) -> Callable[[object], object]:
    one = _one_of(labels)

    def read(cell: object) -> object:
        text = _written(cell)
        return (
            [] if text == "无" else [one(part) for part in re.split(r"[、,，;；\s]+", text) if part]
        )

    return read


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
    REFERENCE, ("reference",), _written, "本文件内自行编号，用来把后续变更对应到设施；不入库"
)
DOCUMENT = Column("文件依据", ("document",), _written, "所依据的文件名称或文号")
NAME = Column("设施名称", ("name",), _written, "不超过 100 字")
KIND = _choice("类型", ("kind",), KINDS, "从下拉列表中选择")
DIVISION = Column(
    "区划代码", ("division",), _written, "镇街或村居的 12 位代码，须在当日（开办或迁入之日）有效"
)
ADDRESS = Column("地址", ("address",), _written, "不超过 200 字")
OPERATOR_NAME = Column("运营方名称", ("operator", "name"), _written, "不超过 100 字")
OPERATOR_KIND = _choice("运营方性质", ("operator", "kind"), OPERATOR_KINDS, "从下拉列表中选择")
BEDS = Column("核定床位", ("beds", "total"), _whole, "整数")
NURSING_BEDS = Column("护理型床位", ("beds", "nursing"), _whole, "整数，不多于核定床位")
BEDS_IN_USE = Column("投入使用床位", ("beds", "in_use"), _whole, "整数，不多于核定床位")
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
    Column("开办日期", ("opened_on",), _day, "日期，如 2020-01-31"),
    DOCUMENT,
)
CHANGE_COLUMNS = (
    REFERENCE_COLUMN,
    _choice("事项", ("change",), CHANGE_LABELS, "从下拉列表中选择；只填与该事项有关的列"),
    Column("生效日期", ("valid_from",), _day, "自哪一天起，如 2020-01-31；评估填评估日期"),
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
    Column("评估得分", ("score",), _decimal, "可不填"),
)
COLUMNS_OF = {REGISTRATIONS: REGISTRATION_COLUMNS, CHANGES: CHANGE_COLUMNS}
READS: Mapping[str, TypeAdapter[Any]] = {
    REGISTRATIONS: TypeAdapter(FacilityRegister),
    CHANGES: TypeAdapter(FacilityChange),
}


def read_history(content: bytes) -> History:
    """What the workbook says, row by row.

    Raises:
        UnreadableWorkbook: it is no such workbook, or larger than may be taken in at once.
    """
    _check_size(content)
    try:
        return _read_book(content)
    except UnreadableWorkbook:
        raise
    except Exception as error:  # what a malformed part makes openpyxl raise is not bounded
        raise UnreadableWorkbook("文件已损坏，或不是 xlsx 工作簿") from error


def template() -> bytes:
    """An empty workbook to fill in, with an explanation of each column."""
    book = Workbook()
    book.remove(book.worksheets[0])
    explanation = book.create_sheet(EXPLANATION)
    for line in _explanation():
        explanation.append(line)
    for row, width in (("A", 12), ("B", 16), ("C", 90)):
        explanation.column_dimensions[row].width = width
    for title, columns in COLUMNS_OF.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for number, column in enumerate(columns, 1):
            letter = get_column_letter(number)
            sheet[f"{letter}1"] = column.heading
            sheet[f"{letter}1"].font = Font(bold=True)
            sheet.column_dimensions[letter].width = 16
            if column.choices:
                _offer(sheet, letter, column.choices)
    return _bytes_of(book)


def export(facilities: Iterable[FacilityView], as_of: date, known_on: date | None) -> bytes:
    """A workbook of facilities as they are on a day."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("养老服务设施")
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, heading, bold=True) for heading in EXPORTED])
    for facility in facilities:
        sheet.append([_cell(sheet, read(facility)) for read in EXPORTED.values()])
    about = book.create_sheet("说明")
    about.append(["所查日期", as_of.isoformat()])
    about.append(["按何日已登记的内容", "现在" if known_on is None else known_on.isoformat()])
    return _bytes_of(book)


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


def _check_size(content: bytes) -> None:
    """A small file may unpack to anything: look at what it declares before opening it."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise UnreadableWorkbook("不是 xlsx 工作簿") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES_UNPACKED:
        raise UnreadableWorkbook("文件展开后过大，请分几次补录")


def _read_book(content: bytes) -> History:
    history = History()
    book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    for sheet in (REGISTRATIONS, CHANGES):
        if sheet not in book.sheetnames:
            raise UnreadableWorkbook(f"缺少工作表“{sheet}”，请使用模板")
        _read_sheet(history, sheet, book[sheet].iter_rows(max_col=MOST_COLUMNS, values_only=True))
    return history


def _read_sheet(history: History, sheet: str, lines: Iterator[Sequence[object]]) -> None:
    headings = [str(cell).strip() for cell in next(lines, ()) if cell is not None]
    expected = {column.heading: column for column in COLUMNS_OF[sheet]}
    if sorted(headings) != sorted(expected):
        raise UnreadableWorkbook(f"工作表“{sheet}”的表头与模板不符")
    columns = [expected[heading] for heading in headings]
    for row, line in enumerate(islice(lines, MOST_LINES), 2):
        if any(cell is not None and str(cell).strip() for cell in line):
            _read_row(history, sheet, row, columns, line)
    if next(lines, None) is not None:
        raise UnreadableWorkbook(f"工作表“{sheet}”过长，连空行在内不得超过 {MOST_LINES} 行")


def _read_row(
    history: History, sheet: str, row: int, columns: Sequence[Column], line: Sequence[object]
) -> None:
    if len(history.registrations) + len(history.changes) >= MOST_ROWS:
        raise UnreadableWorkbook(f"一次最多补录 {MOST_ROWS} 行，请分几次补录")
    body, errors = _body(sheet, row, columns, line)
    reference = str(body.pop("reference", ""))
    if not reference and not any(error.heading == REFERENCE for error in errors):
        errors.append(RowError(sheet, row, REFERENCE, "缺少必填项"))
    asked = _validated(sheet, row, body, errors)
    if sheet == REGISTRATIONS and reference:
        if reference in history.references:
            errors.append(RowError(sheet, row, REFERENCE, "与前面的行重复"))
        history.references[reference] = row
    history.errors += errors
    if errors:
        return
    if sheet == REGISTRATIONS:
        history.registrations.append(Line(row, reference, asked))
    else:
        history.changes.append(Line(row, reference, asked))


def _body(
    sheet: str, row: int, columns: Sequence[Column], line: Sequence[object]
) -> tuple[dict[str, Any], list[RowError]]:
    body: dict[str, Any] = {}
    errors = []
    for column, cell in zip(columns, line, strict=False):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            value = column.read(cell)
        except WrongCellError as error:
            errors.append(RowError(sheet, row, column.heading, str(error)))
            continue
        *outer, last = column.path
        place = body
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = value
    return body, errors


def _validated(sheet: str, row: int, body: dict[str, Any], errors: list[RowError]) -> Any:  # noqa: ANN401 - as the sheet says
    try:
        return READS[sheet].validate_python(body)
    except ValidationError as error:
        told = {one.heading for one in errors}
        for problem in from_validation(RequestValidationError(error.errors())).errors:
            heading = heading_of(sheet, problem.pointer)
            if heading not in told:
                told.add(heading)
                errors.append(RowError(sheet, row, heading, problem.detail))
    return None


def heading_of(sheet: str, pointer: str) -> str:
    """The column that a JSON pointer of the request's body speaks of."""
    path = tuple(pointer.split("/")[1:])
    columns = COLUMNS_OF[sheet]
    for column in columns:
        if column.path[: len(path)] == path or path[: len(column.path)] == column.path:
            return column.heading
    return columns[1].heading


def _explanation() -> Iterator[list[str]]:
    yield ["养老服务设施历史情况补录"]
    yield [
        f"先在“{REGISTRATIONS}”中每处设施填一行开办时的情况，再在“{CHANGES}”中逐项填写之后的变化。"
    ]
    yield ["任何一行有误，整个文件都不会入库；更正后重新提交即可。"]
    yield [f"一次最多 {MOST_ROWS} 行，文件不超过 2 MB。请勿改动工作表名称和表头。"]
    yield []
    yield ["工作表", "列", "说明"]
    for sheet, columns in COLUMNS_OF.items():
        for column in columns:
            yield [sheet, column.heading, column.note]


def _offer(sheet: Any, letter: str, choices: Sequence[str]) -> None:  # noqa: ANN401 - openpyxl's active sheet has no one type
    offered = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    offered.add(f"{letter}2:{letter}{MOST_ROWS + 1}")
    sheet.add_data_validation(offered)


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:  # noqa: ANN401 - openpyxl's types name other cells than it makes
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"  # a name that begins with "=" is no formula
    cell.font = Font(bold=bold)
    return cell


def _bytes_of(book: Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()
