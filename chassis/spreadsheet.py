"""Workbooks (xlsx): read forms that users fill in within limits, write what they download."""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import IO, Any, TypeVar
from urllib.parse import quote
from xml.parsers import expat

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from pydantic import TypeAdapter, ValidationError

from chassis.problems import FieldError, Problem, Unprocessable, from_validation

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BINARY = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
"""The `content` of an OpenAPI body that is a workbook."""
DOWNLOAD: dict[int | str, dict[str, Any]] = {200: {"content": BINARY, "description": "xlsx 工作簿"}}
"""The OpenAPI entry of an answer that is a workbook."""
MOST_PARTS = 200
MOST_BYTES_UNPACKED = 32 * 1024 * 1024
MOST_ELEMENTS = 1_000_000
MOST_DEPTH = 64
"""Of the XML in all parts together, and in each: elements take many times their bytes in memory."""
MOST_LINES = 20_000
"""Lines read of a sheet below its headings, blank ones too."""
MOST_COLUMNS = 40
MOST_ERRORS = 200

Asked = TypeVar("Asked")
Written = str | int | date | Decimal | None


class UnreadableWorkbook(Unprocessable):
    slug, title = "unreadable-workbook", "无法读取该文件"


class WrongCellError(ValueError):
    """What is wrong with a cell, in Chinese."""


class WorkbookResponse(Response):
    media_type = MEDIA_TYPE


@dataclass(frozen=True, slots=True)
class CellError:
    """A wrong cell: its place as the user sees it, and what is wrong, in Chinese."""

    sheet: str
    row: int
    heading: str
    text: str

    def told(self) -> FieldError:
        return FieldError(
            f"/{self.sheet}/{self.row}/{self.heading}",
            f"“{self.sheet}”第 {self.row} 行“{self.heading}”：{self.text}",
        )


class ImportRefused(Unprocessable):
    """A workbook with wrong cells; of very many the first are told."""

    slug, title = "import-refused", "文件有误，未保存任何内容"

    def __init__(self, errors: Sequence[CellError]) -> None:
        super().__init__(
            f"共发现 {len(errors)} 处错误，请更正后重新提交",
            errors=[error.told() for error in errors[:MOST_ERRORS]],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A row that says something; `number` is the one that the user sees, a blank cell is None."""

    number: int
    cells: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, where its value stands in a request's body, and how a cell is read."""

    heading: str
    path: tuple[str, ...]
    read: Callable[[object], object]
    note: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A sheet to fill in: each row says what the body of a single request would."""

    title: str
    columns: Sequence[Column]

    @property
    def headings(self) -> list[str]:
        return [column.heading for column in self.columns]

    def heading_of(self, pointer: str) -> str:
        """The column that a JSON pointer into the body speaks of, or the first one."""
        path = tuple(pointer.split("/")[1:])
        for column in self.columns:
            if column.path[: len(path)] == path or path[: len(column.path)] == column.path:
                return column.heading
        return self.columns[0].heading

    def body(self, line: Line) -> tuple[dict[str, Any], list[CellError]]:
        """What the cells say, without blank and wrong ones."""
        body: dict[str, Any] = {}
        errors = []
        for column, cell in zip(self.columns, line.cells, strict=True):
            if cell is None:
                continue
            try:
                value = column.read(cell)
            except WrongCellError as error:
                errors.append(CellError(self.title, line.number, column.heading, str(error)))
                continue
            *outer, last = column.path
            place = body
            for key in outer:
                place = place.setdefault(key, {})
            place[last] = value
        return body, errors

    def asked(
        self, kind: TypeAdapter[Asked], row: int, body: object, errors: list[CellError]
    ) -> Asked | None:
        """The request that the body is; what is wrong with cells not told of yet joins `errors`."""
        try:
            return kind.validate_python(body)
        except ValidationError as error:
            told = {one.heading for one in errors}
            problem = from_validation(RequestValidationError(error.errors()))
            for one in self.refused(row, problem):
                if one.heading not in told:
                    told.add(one.heading)
                    errors.append(one)
        return None

    def refused(self, row: int, problem: Problem) -> list[CellError]:
        """What a single request would have been answered, as errors of the row's cells.

        A problem that names no field speaks of the division: it alone may be somebody else's.
        """
        return [
            CellError(self.title, row, self.heading_of(error.pointer), error.detail)
            for error in problem.errors or (FieldError("/division", problem.detail),)
        ]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to write: the first row holds the headings; `choices` are offered, by heading."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Written]] = ()
    width: int = 16
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)


def blank(form: Form, *, width: int = 16) -> Sheet:
    """The form as a sheet of a template."""
    choices = {column.heading: column.choices for column in form.columns if column.choices}
    return Sheet(form.title, form.headings, width=width, choices=choices)


def read(
    content: bytes, forms: Sequence[Form], *, most_rows: int, verb: str
) -> dict[str, list[Line]]:
    """The rows of each form, by title, without blank ones; columns may stand in any order.

    `verb` is what the user does with so many rows at once, for the messages (such as 补录).

    Raises:
        UnreadableWorkbook: no such workbook, other headings, or larger than may be taken in.
    """
    _check_size(content, verb)
    _check_elements(content, verb)
    try:
        return _read(content, forms, most_rows, verb)
    except UnreadableWorkbook:
        raise
    except Exception as error:  # what a malformed part makes openpyxl raise is not bounded
        raise UnreadableWorkbook("文件已损坏，或不是 xlsx 工作簿") from error


def write(sheets: Iterable[Sheet]) -> bytes:
    """A workbook of these sheets; a text is never taken for a formula."""
    book = Workbook(write_only=True)
    for one in sheets:
        sheet = book.create_sheet(one.title)
        sheet.freeze_panes = "A2"
        for number, heading in enumerate(one.headings, 1):
            letter = get_column_letter(number)
            sheet.column_dimensions[letter].width = one.width
            if heading in one.choices:
                _offer(sheet, letter, one.choices[heading])
        sheet.append([_cell(sheet, heading, bold=True) for heading in one.headings])
        for row in one.rows:
            sheet.append([_cell(sheet, value) for value in row])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def download(content: bytes, name: str) -> WorkbookResponse:
    """The workbook as a file of that name."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return WorkbookResponse(content, headers={"Content-Disposition": disposition})


def text_of(cell: object) -> str:
    """A cell's text; a number that Excel made of a code is written out again."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, str) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return str(cell).strip()
    raise WrongCellError("应为文字")


def whole_of(cell: object) -> int:
    """A whole number of at most nine digits."""
    text = text_of(cell) if not isinstance(cell, float) or cell.is_integer() else ""
    if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) is None:
        raise WrongCellError("应为整数")
    return int(text)


def decimal_of(cell: object) -> Decimal:
    if isinstance(cell, bool | date | time):
        raise WrongCellError("应为数字")
    try:
        number = Decimal(str(cell).strip())
    except InvalidOperation:
        raise WrongCellError("应为数字") from None
    if not number.is_finite():
        raise WrongCellError("应为数字")
    return number


def day_of(cell: object) -> date:
    if isinstance(cell, datetime):
        if cell.time() != time.min:
            raise WrongCellError("应为日期，不带时刻")
        return cell.date()
    if isinstance(cell, date):
        return cell
    if not isinstance(cell, str):
        raise WrongCellError("应为日期，如 2020-01-31")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell.strip(), re.ASCII) is None:
        raise WrongCellError("日期应为 YYYY-MM-DD，如 2020-01-31")
    try:
        return date.fromisoformat(cell.strip())
    except ValueError:
        raise WrongCellError("没有这一天") from None


def _check_size(content: bytes, verb: str) -> None:
    """A small file may unpack to anything: look at what it declares before opening it."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise UnreadableWorkbook("不是 xlsx 工作簿") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES_UNPACKED:
        raise UnreadableWorkbook(f"文件展开后过大，请分几次{verb}")


class _Elements:
    """Counts the elements of a workbook's parts, and how deep they are."""

    def __init__(self) -> None:
        self._count = 0
        self._depth = 0

    def check(self, part: IO[bytes]) -> None:
        """Raise ValueError where there are too many, or a document type, which forms have not."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse
        self._depth = 0
        parser.ParseFile(part)

    def _begin(self, *_: object) -> None:
        self._count += 1
        self._depth += 1
        if self._count > MOST_ELEMENTS or self._depth > MOST_DEPTH:
            raise ValueError

    def _end(self, _: str) -> None:
        self._depth -= 1

    def _refuse(self, *_: object) -> None:
        raise ValueError


def _check_elements(content: bytes, verb: str) -> None:
    elements = _Elements()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                if name.endswith((".xml", ".rels")):
                    with archive.open(name) as part:
                        elements.check(part)
    except ValueError:
        raise UnreadableWorkbook(f"文件的内容过多或过于复杂，请分几次{verb}") from None
    except Exception as error:  # what a malformed part makes these raise is not bounded
        raise UnreadableWorkbook("文件已损坏，或不是 xlsx 工作簿") from error


def _read(
    content: bytes, forms: Sequence[Form], most_rows: int, verb: str
) -> dict[str, list[Line]]:
    book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    found: dict[str, list[Line]] = {form.title: [] for form in forms}
    for form in forms:
        if form.title not in book.sheetnames:
            raise UnreadableWorkbook(f"缺少工作表“{form.title}”，请使用模板")
        for line in _lines(
            form, book[form.title].iter_rows(max_col=MOST_COLUMNS, values_only=True)
        ):
            if sum(map(len, found.values())) == most_rows:
                raise UnreadableWorkbook(f"一次最多{verb} {most_rows} 行，请分几次{verb}")
            found[form.title].append(line)
    return found


def _lines(form: Form, rows: Iterator[Sequence[object]]) -> Iterator[Line]:
    headings = ["" if _is_blank(cell) else str(cell).strip() for cell in next(rows, ())]
    if sorted(filter(None, headings)) != sorted(form.headings):
        raise UnreadableWorkbook(f"工作表“{form.title}”的表头与模板不符")
    places = [headings.index(heading) for heading in form.headings]
    for number, row in enumerate(rows, 2):
        if number > MOST_LINES + 1:
            raise UnreadableWorkbook(
                f"工作表“{form.title}”过长，连空行在内不得超过 {MOST_LINES} 行"
            )
        cells = [row[place] if place < len(row) else None for place in places]
        if not all(map(_is_blank, cells)):
            yield Line(number, tuple(None if _is_blank(cell) else cell for cell in cells))


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _offer(sheet: Any, letter: str, choices: Sequence[str]) -> None:  # noqa: ANN401 - as below
    offered = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    offered.add(f"{letter}2:{letter}{MOST_LINES + 1}")
    sheet.data_validations.append(offered)


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:  # noqa: ANN401 - openpyxl's types name other cells than it makes
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"  # a name that begins with "=" is no formula
    cell.font = Font(bold=bold)
    return cell
