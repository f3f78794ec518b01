from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.law.money import (
    MAX_YUAN,
    AmountError,
    ceil_yuan,
    equal_shares,
    parse_yuan,
    published_percent,
    round_half_up,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("620", "620.00"),
        (" 833.3 ", "833.30"),
        ("-0.01", "-0.01"),
        ("1E+3", "1000.00"),
        ("12.500", "12.50"),
        (620, "620.00"),
        (Decimal("0.1"), "0.10"),
        ("999999999999.99", "999999999999.99"),
    ],
)
def test_an_amount_is_read_exactly(text: str | int | Decimal, amount: str) -> None:
    assert str(parse_yuan(text)) == amount


def test_there_is_no_negative_zero() -> None:
    assert str(parse_yuan("-0")) == "0.00"
    assert str(round_half_up(Decimal("-0.001"))) == "0.00"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "不是数字"),
        ("六百", "不是数字"),
        ("1,000", "不是数字"),
        ("NaN", "不是数字"),
        ("Infinity", "不是数字"),
        ("0.001", "两位小数"),
        ("1000000000000", "超出范围"),
        ("1E+999999", "超出范围"),
        ("1E-999999", "两位小数"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(AmountError, match=message):
        parse_yuan(text)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Decimal("955.545"), "955.55"),
        (Decimal("955.544"), "955.54"),
        (Decimal("-0.005"), "-0.01"),
        (Fraction(15_365_700, 10_912), "1408.15"),  # waiver average, funeral-place-marriage.md 9
        (Fraction(2, 3), "0.67"),
        (5, "5.00"),
    ],
)
def test_half_is_rounded_up(value: Decimal | Fraction | int, rounded: str) -> None:
    assert str(round_half_up(value)) == rounded


def test_other_places_are_rounded_half_up_too() -> None:
    assert str(round_half_up(Decimal("0.5"), places=0)) == "1"
    assert str(round_half_up(Fraction(806, 620), places=4)) == "1.3000"


def test_the_gap_of_632_for_three_with_1894_is_2_yuan_where_floats_give_3() -> None:
    gap = 3 * (Fraction(632) - Fraction(1894, 3))
    assert ceil_yuan(gap) == 2
    assert ceil_yuan(Decimal("2.01")) == 3
    assert ceil_yuan(Decimal("-1.50")) == -1


@pytest.mark.parametrize(
    ("ratio", "published"),
    [
        (Fraction(13, 22), "59.09"),
        (Fraction(20, 22), "90.91"),
        (Fraction(496, 620), "80.00"),
        (Fraction(630, 770), "81.82"),
        (Fraction(208_200, 1_085_506), "19.18"),
        (Fraction(16, 620), "2.58"),
        (Fraction(19, 496), "3.83"),
        (Fraction(154, 2147), "7.17"),
        (1, "100.00"),
        (0, "0.00"),
        (Decimal("0.30925"), "30.93"),
        (Fraction(-1, 20_000), "-0.01"),
    ],
)
def test_a_ratio_is_published_as_per_cent_with_two_decimals(
    ratio: Fraction | Decimal | int, published: str
) -> None:
    assert published_percent(ratio) == published


def test_10000_yuan_over_twelve_months_is_eleven_times_833_33_and_833_37() -> None:
    shares = equal_shares(Decimal(10_000), 12)
    assert shares == (Decimal("833.33"),) * 11 + (Decimal("833.37"),)
    assert equal_shares(Decimal(10_000), 4) == (Decimal(2_500),) * 4


@given(st.decimals(0, MAX_YUAN, places=2), st.integers(1, 400))
def test_equal_shares_add_up_and_none_is_negative(total: Decimal, parts: int) -> None:
    shares = equal_shares(total, parts)
    assert sum(shares) == total
    assert len(shares) == parts
    assert min(shares) >= 0
    assert len(set(shares[:-1])) <= 1


def test_there_is_nothing_to_share_among_nobody_or_of_a_debt() -> None:
    with pytest.raises(ValueError, match="份数"):
        equal_shares(Decimal(1), 0)
    with pytest.raises(AmountError, match="负数"):
        equal_shares(Decimal(-1), 2)
