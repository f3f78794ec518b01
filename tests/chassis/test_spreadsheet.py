import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook
from pydantic import BaseModel, ConfigDict, TypeAdapter

from chassis import spreadsheet
from chassis.problems import FieldError, NotFound, Problem, Unprocessable
from chassis.spreadsheet import (
    CellError,
    Column,
    Form,
    ImportRefused,
    Line,
    Sheet,
    UnreadableWorkbook,
    WrongCellError,
    blank,
    day_of,
    decimal_of,
    read,
    text_of,
    whole_of,
    write,
)

FORM = Form(
    "表",
    (
        Column("名称", ("name",), text_of, choices=("甲", "乙")),
        Column("数", ("size", "number"), whole_of),
    ),
)
OTHER = Form("另一表", (Column("日期", ("on",), day_of),))
HEADINGS = FORM.headings


class Size(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    unit: str


class Asked(BaseModel):
    name: str
    size: Size


ASKED = TypeAdapter(Asked)


def book(
    rows: Sequence[Sequence[object]], title: str = "表", headings: Sequence[str] = HEADINGS
) -> bytes:
    return write([Sheet(title, headings, rows)])  # type: ignore[arg-type]


def lines(content: bytes) -> list[tuple[int, tuple[object, ...]]]:
    found = read(content, [FORM], most_rows=2, verb="提交")["表"]
    return [(line.number, line.cells) for line in found]


def test_what_is_written_is_read_again_with_the_rows_that_the_user_sees() -> None:
    assert lines(book([["甲", 1], [None, " "], ["乙", 2.5]])) == [(2, ("甲", 1)), (4, ("乙", 2.5))]


def test_columns_are_read_by_their_headings_wherever_they_stand() -> None:
    moved = book([[1, None, " 甲"]], headings=["数", "", "名称 "])
    assert lines(moved) == [(2, (" 甲", 1))]


def test_a_text_that_begins_with_an_equals_sign_is_no_formula() -> None:
    cell = load_workbook(BytesIO(book([["=1+1", 1]])))["表"]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_a_blank_form_offers_the_choices_of_its_columns() -> None:
    sheet = load_workbook(BytesIO(write([blank(FORM)])))["表"]
    (offered,) = sheet.data_validations.dataValidation
    assert offered.formula1 == '"甲,乙"'
    assert "A2" in offered.sqref
    assert "B2" not in offered.sqref


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "不是 xlsx 工作簿"),
        (book([], title="别的"), "缺少工作表“表”，请使用模板"),
        (book([["甲", 1], ["乙", 1], ["丙", 1]]), "一次最多提交 2 行，请分几次提交"),
        (book([], headings=["名称"]), "工作表“表”的表头与模板不符"),
        (book([], headings=["名称", "数", "备注"]), "工作表“表”的表头与模板不符"),
        (book([], headings=["名称", "数", "数"]), "工作表“表”的表头与模板不符"),
    ],
)
def test_another_workbook_than_asked_for_is_refused(content: bytes, detail: str) -> None:
    with pytest.raises(UnreadableWorkbook) as refused:
        lines(content)
    assert refused.value.detail == detail


def test_rows_are_counted_over_all_sheets() -> None:
    content = write(
        [
            Sheet("表", HEADINGS, [["甲", 1], ["乙", 1]]),
            Sheet("另一表", OTHER.headings, [[date(2020, 1, 1)]]),
        ]
    )
    found = read(content, [FORM, OTHER], most_rows=3, verb="补录")
    assert {title: len(rows) for title, rows in found.items()} == {"表": 2, "另一表": 1}
    with pytest.raises(UnreadableWorkbook) as refused:
        read(content, [FORM, OTHER], most_rows=2, verb="补录")
    assert refused.value.detail == "一次最多补录 2 行，请分几次补录"


def test_a_sheet_of_endless_blank_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_LINES", 5)
    with pytest.raises(UnreadableWorkbook):
        lines(book([[None, None]] * 9))


def test_a_small_file_that_unpacks_to_much_is_refused_unopened() -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 * 1024 * 1024))
    with pytest.raises(UnreadableWorkbook) as refused:
        lines(content.getvalue())
    assert refused.value.detail == "文件展开后过大，请分几次提交"


def test_a_row_is_the_body_of_a_request_without_its_wrong_cells() -> None:
    body, errors = FORM.body(Line(7, ("甲", "许多")))
    assert body == {"name": "甲"}
    assert errors == [CellError("表", 7, "数", "应为整数")]
    assert FORM.body(Line(7, (None, 3))) == ({"size": {"number": 3}}, [])


def test_each_cell_is_told_of_once_and_in_the_words_of_a_single_request() -> None:
    errors = [CellError("表", 7, "数", "应为整数")]
    assert FORM.asked(ASKED, 7, {}, errors) is None
    assert errors[1:] == [CellError("表", 7, "名称", "缺少必填项")]
    told: list[CellError] = []
    asked = FORM.asked(ASKED, 7, {"name": "甲", "size": {"number": 1, "unit": "张"}}, told)
    assert (asked, told) == (Asked(name="甲", size=Size(number=1, unit="张")), [])


@pytest.mark.parametrize(
    ("problem", "heading", "text"),
    [
        (Unprocessable("有误", errors=[FieldError("/size/number", "过大")]), "数", "过大"),
        (Unprocessable("有误", errors=[FieldError("/size", "过大")]), "数", "过大"),
        (Unprocessable("有误", errors=[FieldError("/elsewhere", "过大")]), "名称", "过大"),
        (NotFound("未找到该区划"), "名称", "未找到该区划"),
    ],
)
def test_what_a_single_request_is_refused_for_is_told_at_the_cell(
    problem: Problem, heading: str, text: str
) -> None:
    assert FORM.refused(3, problem) == [CellError("表", 3, heading, text)]


def test_a_refused_import_tells_how_many_cells_are_wrong_and_the_first_of_them() -> None:
    refused = ImportRefused([CellError("表", row, "数", "应为整数") for row in range(2, 302)])
    assert refused.detail == "共发现 300 处错误，请更正后重新提交"
    assert len(refused.errors) == 200
    assert refused.errors[0] == FieldError("/表/2/数", "“表”第 2 行“数”：应为整数")


def test_cells_are_read_as_what_they_mean() -> None:
    assert text_of(500112129000.0) == "500112129000"
    assert whole_of(40.0) == 40
    assert whole_of(" -3 ") == -3
    assert decimal_of("30.92") == Decimal("30.92")
    assert decimal_of(0.1) == Decimal("0.1")
    assert day_of(datetime(2020, 12, 31)) == date(2020, 12, 31)  # noqa: DTZ001 - as Excel has it
    assert day_of(" 2020-12-31 ") == date(2020, 12, 31)


@pytest.mark.parametrize(
    ("reader", "cell"),
    [
        (text_of, True),
        (text_of, 1.5),
        (whole_of, 1.5),
        (whole_of, True),
        (whole_of, "9" * 10),
        (decimal_of, "四百"),
        (decimal_of, "NaN"),
        (decimal_of, True),
        (decimal_of, datetime(2020, 1, 1)),  # noqa: DTZ001 - as Excel has it
        (day_of, 44196),
        (day_of, "2020-02-30"),
        (day_of, "2020/2/3"),
        (day_of, datetime.combine(date(2020, 1, 1), time(8))),
    ],
)
def test_other_cells_are_refused_in_chinese(reader: object, cell: object) -> None:
    assert callable(reader)
    with pytest.raises(WrongCellError, match=r"应为|没有"):
        reader(cell)
