from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from chassis import spreadsheet
from chassis.spreadsheet import (
    Sheet,
    UnreadableWorkbook,
    WrongCellError,
    day_of,
    decimal_of,
    read,
    text_of,
    write,
)

HEADINGS = ["名称", "数"]


def book(rows: list[list[object]], title: str = "表") -> bytes:
    return write([Sheet(title, HEADINGS, rows)])  # type: ignore[arg-type]


def test_what_is_written_is_read_again_with_the_rows_that_the_user_sees() -> None:
    lines = read(book([["甲", 1], [None, " "], ["乙", 2.5]]), "表", HEADINGS, most_rows=2)
    assert [(line.number, line.cells) for line in lines] == [(2, ("甲", 1)), (4, ("乙", 2.5))]


def test_a_text_that_begins_with_an_equals_sign_is_no_formula() -> None:
    cell = load_workbook(BytesIO(book([["=1+1", 1]])))["表"]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "不是 xlsx 工作簿"),
        (book([], title="别的"), "缺少工作表“表”，请使用模板"),
        (book([["甲", 1], ["乙", 1], ["丙", 1]]), "一次最多 2 行，请分几次提交"),
    ],
)
def test_another_workbook_than_asked_for_is_refused(content: bytes, detail: str) -> None:
    with pytest.raises(UnreadableWorkbook) as refused:
        read(content, "表", HEADINGS, most_rows=2)
    assert refused.value.detail == detail


def test_a_sheet_of_endless_blank_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_LINES", 5)
    with pytest.raises(UnreadableWorkbook):
        read(book([[None, None]] * 9), "表", HEADINGS, most_rows=2)


def test_cells_are_read_as_what_they_mean() -> None:
    assert text_of(500112129000.0) == "500112129000"
    assert decimal_of("30.92") == Decimal("30.92")
    assert decimal_of(0.1) == Decimal("0.1")
    assert day_of(datetime(2020, 12, 31)) == date(2020, 12, 31)  # noqa: DTZ001 - as Excel has it
    assert day_of(" 2020-12-31 ") == date(2020, 12, 31)


@pytest.mark.parametrize(
    ("reader", "cell"),
    [
        (text_of, True),
        (text_of, 1.5),
        (decimal_of, "四百"),
        (decimal_of, "NaN"),
        (decimal_of, True),
        (decimal_of, datetime(2020, 1, 1)),  # noqa: DTZ001 - as Excel has it
        (day_of, 44196),
        (day_of, "2020-02-30"),
        (day_of, datetime.combine(date(2020, 1, 1), time(8))),
    ],
)
def test_other_cells_are_refused_in_chinese(reader: object, cell: object) -> None:
    assert callable(reader)
    with pytest.raises(WrongCellError, match=r"应为|没有"):
        reader(cell)
