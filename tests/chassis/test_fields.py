"""What requests may say, whichever service they go to."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from chassis.fields import (
    LONGEST_DOCUMENT,
    BirthDay,
    Count,
    Day,
    DivisionCode,
    Document,
    PlainDecimal,
    text,
)
from chassis.problems import from_validation

LINE = Annotated[str, text(5)]
IMPERSONAL = "文件名称或文号中不得含身份证号、电话等个人信息"


def taken(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refused(kind: Any, value: object) -> str:
    """What the user is told."""
    with pytest.raises(ValidationError) as error:
        taken(kind, value)
    (told,) = from_validation(RequestValidationError(error.value.errors())).errors
    return told.detail


@pytest.mark.parametrize("day", ["1949-10-01", "2020-02-29", "2099-12-31"])
def test_a_day_is_written_year_month_day(day: str) -> None:
    assert taken(Day, day) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "value",
    [
        *(0, 1609459200, 1.5, True, None, [], {}),
        *("", "20210101", "2021-1-1", "2021/01/01", "２０２１-01-01", "1609459200"),
        *("2021-01-01T00:00:00Z", "2021-01-01 ", "2021-01-01\n", "-2021-01-01", "12021-01-01"),
    ],
)
def test_a_number_or_another_writing_is_no_day(value: object) -> None:
    assert refused(Day, value) == "日期应为 YYYY-MM-DD"


@pytest.mark.parametrize("day", ["2021-02-29", "2021-13-01", "0000-01-01"])
def test_a_day_that_is_not_in_the_calendar_is_refused(day: str) -> None:
    assert refused(Day, day) == "日期应为 YYYY-MM-DD"


@pytest.mark.parametrize("day", ["0001-01-01", "1949-09-30", "2100-01-01", "9999-12-31"])
def test_a_day_out_of_reach_is_refused(day: str) -> None:
    assert refused(Day, day) == "日期应在 1949-10-01 至 2099-12-31 之间"


@pytest.mark.parametrize("day", ["1900-01-01", "1944-02-29", "1949-09-30"])
def test_a_birthday_may_be_of_before_1949_10(day: str) -> None:
    assert taken(BirthDay, day) == date.fromisoformat(day)


@pytest.mark.parametrize("day", ["1899-12-31", "2100-01-01"])
def test_a_birthday_of_nobody_alive_is_refused(day: str) -> None:
    assert refused(BirthDay, day) == "出生日期不得早于 1900-01-01"


@pytest.mark.parametrize(
    "code",
    ["50011212900", "5001121290000", "５００１１２１２９０００", "500112129000\n", 500112129000],
)
def test_a_division_code_is_twelve_digits(code: object) -> None:
    assert taken(DivisionCode, "500112129000") == "500112129000"
    assert refused(DivisionCode, code) in {"格式不符", "数据类型不符"}


def test_a_text_is_stripped_and_then_measured() -> None:
    assert taken(LINE, " \u3000渝民规 6\n") == "渝民规 6"
    assert refused(LINE, "渝民规六七八") == "内容过长"
    assert refused(LINE, " \t ") == "内容过短"


@pytest.mark.parametrize(
    "character", ["\x00", "\x01", "\n", "\t", "\x7f", "\x85", "\ufeff", "\ufffe", "\uffff"]
)
def test_a_control_character_in_a_text_is_refused(character: str) -> None:
    assert refused(LINE, f"甲{character}乙") == "格式不符"


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert refused(LINE, "甲\ud800") == "取值不符合要求"


@pytest.mark.parametrize(
    "document", ["渝北民政〔2021〕12号", "民政部令第66号", "2021年度统计报表", "GB/T 35796-2017"]
)
def test_a_document_is_told_by_its_name_or_number(document: str) -> None:
    assert taken(Document, f" {document} ") == document


@pytest.mark.parametrize(
    "document",
    [
        "张三（500112199001011239）的申请",
        "身份证 50011219900101123X",
        "500112 19900101 1239",
        "电话 13800138000",
        "+86 138 0013 8000",
    ],
)
def test_a_document_names_no_person(document: str) -> None:
    assert refused(Document, document) == IMPERSONAL


def test_a_document_has_at_most_100_characters() -> None:
    assert taken(Document, "文" * LONGEST_DOCUMENT) == "文" * 100
    assert refused(Document, "文" * (LONGEST_DOCUMENT + 1)) == "内容过长"


@pytest.mark.parametrize("value", [-1, 1.0, "1", True, None])
def test_a_count_is_a_whole_number_and_nothing_else(value: object) -> None:
    assert taken(Count, 0) == 0
    assert refused(Count, value) in {"数据类型不符", "数值过小"}


@pytest.mark.parametrize(
    ("value", "told"), [("770.00", "770.00"), ("-3", "-3"), (5, "5"), (0.1, "0.1")]
)
def test_an_amount_is_a_plain_decimal(value: object, told: str) -> None:
    assert taken(PlainDecimal, value) == Decimal(told)


@pytest.mark.parametrize("value", [True, False, None, [], float("inf"), float("nan")])
def test_an_amount_takes_neither_truth_values_nor_what_is_no_number(value: object) -> None:
    assert refused(PlainDecimal, value) in {"数据类型不符", "取值不符合要求"}


@pytest.mark.parametrize(
    "value",
    ["１００", "1_000", " 5 ", "5\n", "+5", "1e3", ".5", "5.", "1,000", "٣", "NaN", "Infinity", ""],
)
def test_an_amount_is_written_in_plain_digits(value: str) -> None:
    assert refused(PlainDecimal, value) == "应为数字，如 411 或 1300.05"
