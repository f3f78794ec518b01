"""Workbooks (xlsx): read what a client uploads within limits, write what a user downloads."""

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any
from urllib.parse import quote

from fastapi import Response
from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from chassis.problems import Unprocessable

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BINARY = {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
"""The `content` of an OpenAPI body or response that is a workbook."""
MOST_PARTS = 200
MOST_BYTES_UNPACKED = 32 * 1024 * 1024
MOST_LINES = 20_000
"""Lines read of a sheet, blank ones too."""

Written = str | int | date | Decimal | None


class UnreadableWorkbook(Unprocessable):
    slug, title = "unreadable-workbook", "无法读取该文件"


class WrongCellError(ValueError):
    """What is wrong with a cell, in Chinese."""


class WorkbookResponse(Response):
    media_type = MEDIA_TYPE


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to write: the first row holds the headings."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Written]]
    width: int = 16


@dataclass(frozen=True, slots=True)
class Line:
    """A row that says something; `number` is the one that the user sees."""

    number: int
    cells: tuple[object, ...]


def read(content: bytes, sheet: str, headings: Sequence[str], *, most_rows: int) -> list[Line]:
    """The rows of one sheet under these headings, without blank ones.

    Raises:
        UnreadableWorkbook: no such workbook, other headings, or larger than may be taken in.
    """
    _check_size(content)
    try:
        return _read(content, sheet, headings, most_rows)
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
        for number in range(1, len(one.headings) + 1):
            sheet.column_dimensions[get_column_letter(number)].width = one.width
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
    if isinstance(cell, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell.strip(), re.ASCII):
        try:
            return date.fromisoformat(cell.strip())
        except ValueError:
            raise WrongCellError("没有这一天") from None
    raise WrongCellError("应为日期，如 2020-01-31")


def _check_size(content: bytes) -> None:
    """A small file may unpack to anything: look at what it declares before opening it."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise UnreadableWorkbook("不是 xlsx 工作簿") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES_UNPACKED:
        raise UnreadableWorkbook("文件展开后过大，请分几次提交")


def _read(content: bytes, title: str, headings: Sequence[str], most_rows: int) -> list[Line]:
    book = load_workbook(BytesIO(content), read_only=True, data_only=True)
    if title not in book.sheetnames:
        raise UnreadableWorkbook(f"缺少工作表“{title}”，请使用模板")
    rows = book[title].iter_rows(max_col=len(headings), values_only=True)
    first = [str(cell or "").strip() for cell in next(rows, ())]
    if first != list(headings):
        raise UnreadableWorkbook(f"工作表“{title}”的表头与模板不符，请使用模板")
    lines: list[Line] = []
    for number, cells in enumerate(rows, 2):
        if number > MOST_LINES:
            raise UnreadableWorkbook(f"工作表“{title}”过长，连空行在内不得超过 {MOST_LINES} 行")
        if all(_is_blank(cell) for cell in cells):
            continue
        if len(lines) == most_rows:
            raise UnreadableWorkbook(f"一次最多 {most_rows} 行，请分几次提交")
        padded = (*cells, *(None,) * (len(headings) - len(cells)))
        lines.append(Line(number, tuple(None if _is_blank(cell) else cell for cell in padded)))
    return lines


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:  # noqa: ANN401 - openpyxl's types name other cells than it makes
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"  # a name that begins with "=" is no formula
    cell.font = Font(bold=bold)
    return cell
