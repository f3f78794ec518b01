"""Fields of requests that several services take: each refuses what the house cannot keep."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints

from chassis.law.dates import EARLIEST_BIRTH, EARLIEST_DAY, LATEST_DAY
from chassis.telemetry import masked

LONGEST_DOCUMENT = 100


def text(longest: int) -> StringConstraints:
    """A line of text: stripped, not empty, at most so many characters, all of them visible.

    Neither controls nor what hides or turns the writing: zero width, directions, surrogates.
    """
    return StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=longest,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
    )


def _written_day(value: object) -> object:
    """A number is no day here, though a timestamp could be read from it."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return value
    raise ValueError("日期应为 YYYY-MM-DD")


def _within_reach(day: date) -> date:
    if not EARLIEST_DAY <= day <= LATEST_DAY:
        raise ValueError(f"日期应在 {EARLIEST_DAY} 至 {LATEST_DAY} 之间")
    return day


def _plainly_written(value: object) -> object:
    """`Decimal` would also read the digits of other scripts, `1_000`, `1e3`, `+5` and ` 5 `."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is None:
        raise ValueError("应为数字，如 411 或 1300.05")
    return value


def _birth(day: date) -> date:
    if not EARLIEST_BIRTH <= day <= LATEST_DAY:
        raise ValueError(f"出生日期不得早于 {EARLIEST_BIRTH}")
    return day


def _impersonal(value: str) -> str:
    if masked(value) != value:
        raise ValueError("文件名称或文号中不得含身份证号、电话等个人信息")
    return value


def _for_all_to_read(value: str) -> str:
    if masked(value) != value:
        raise ValueError("此处内容公开，不得含身份证号、电话、银行账号等个人信息")
    return value


Public = AfterValidator(_for_all_to_read)
"""Of a text that a register shows to everybody and keeps in clear: no number of a person."""
Day = Annotated[
    date,
    BeforeValidator(_written_day),
    AfterValidator(_within_reach),
    Field(examples=["2025-12-31"]),
]
BirthDay = Annotated[
    date,
    BeforeValidator(_written_day),
    AfterValidator(_birth),
    Field(description="出生日期", examples=["1950-03-01"]),
]
DivisionCode = Annotated[
    str,
    Field(pattern=r"^[0-9]{12}$", description="12 位区划代码", examples=["500112129000"]),
]
PlainDecimal = Annotated[Decimal, BeforeValidator(_plainly_written), Field(examples=["770.00"])]
"""An amount or a measure as people write it: ASCII digits with at most one point."""
Count = Annotated[StrictInt, Field(ge=0)]
Document = Annotated[
    str,
    text(LONGEST_DOCUMENT),
    AfterValidator(_impersonal),
    Field(description="所依据的文件名称或文号，不得含个人信息", examples=["渝北民政〔2021〕12号"]),
]
"""On what a record stands. Events carry it, and no event carries personal data."""
Reason = Annotated[str, text(500), Public, Field(description="更正的理由，不得含个人信息")]
"""Why something that is public was corrected; of persons and cases, reasons are sealed."""
