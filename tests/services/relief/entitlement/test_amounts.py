"""Amounts: domain.md B1.6, D3; relief.md §11 #4, #5, #9; 条例 (2016) arts. 20, 21."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.events.relief import Area
from services.relief.entitlement.amounts import due, extras_of
from services.relief.entitlement.facts import Education, Household, Member
from tests.services.relief.entitlement.families import (
    answer,
    disabled,
    income,
    law_on,
    person,
    pupil,
    three,
)


@pytest.mark.parametrize(
    ("standard", "received", "family", "base"),
    [
        (620, "1500", "dibao", 360),
        (632, "1894", "dibao", 2),  # a float gives 3
        (620, "1860", "edge", None),  # per head 620 exactly
        (620, "1859.97", "dibao", 1),  # 619.99
        (620, "2790", "none", None),  # 930 exactly
        (620, "2789.97", "edge", None),  # 929.99
        (770, "2309.00", "dibao", 1),
        (770, "2310.00", "edge", None),
    ],
)
def test_domain_d3_and_relief_md_11_5_standard_by_persons_less_income(
    standard: int, received: str, family: str, base: int | None
) -> None:
    found = answer(three(income("a", "other", received)), standard=standard)
    assert (found.family, found.base) == (family, base)


@pytest.mark.parametrize(
    ("standard", "area", "received", "family"),
    [
        (770, Area.URBAN, "1154.99", "edge"),
        (770, Area.URBAN, "1155.00", "none"),
        (630, Area.RURAL, "944.99", "edge"),
        (630, Area.RURAL, "945.00", "none"),
    ],
)
def test_relief_md_11_4_the_edge_is_strict(
    standard: int, area: Area, received: str, family: str
) -> None:
    household = Household(
        (person(),), area, date(2025, 7, 15), incomes=(income("a", "other", received),)
    )
    assert answer(household, standard=standard).family == family


def test_domain_b1_6_never_the_difference_per_head_by_persons() -> None:
    each = Decimal(632) - Decimal(1894) / 3  # 0.67 yuan, which would be paid as 1 × 3
    assert each.to_integral_value("ROUND_CEILING") * 3 == 3
    assert answer(three(income("a", "other", 1894)), standard=632).base == 2


@pytest.mark.parametrize(
    ("method", "expected"), [("ceil_yuan", 101), ("half_up_yuan", 100), ("cent", "100.33")]
)
def test_the_rounding_is_a_parameter_and_comes_once_at_the_end(
    method: str, expected: int | str
) -> None:
    law = law_on(dibao__round=method)
    assert due(Decimal(620), 1, Fraction(1559, 3), law) == Decimal(expected)


def test_rounding_up_stays_within_standard_by_persons() -> None:
    assert due(Decimal("515.50"), 1, Fraction(0), law_on()) == Decimal("515.50")


def lines(member: Member, day: date = date(2025, 7, 15), **law: object) -> dict[str, Decimal]:
    return {one.category: one.amount for one in extras_of(member, day, law_on(day, **law))}


@pytest.mark.parametrize(
    ("member", "total"),
    [
        (person(born="1953-01-01", disability=disabled("physical", 1)), 100),
        (pupil("c", disability=disabled("hearing", 3)), 140),
        (person(born="1950-01-01", severe_illness=True), 60),
        (
            person("c", "child", "2021-01-01", education=Education.PRESCHOOL, severe_illness=True),
            100,
        ),
        (person(disability=disabled("vision", 4)), 40),
        (person(disability=disabled("vision", 2)), 100),
        (person(), 0),
    ],
)
def test_relief_md_11_9_the_highest_category_and_the_forty_of_a_disabled_person(
    member: Member, total: int
) -> None:
    assert sum(lines(member).values()) == total


def test_relief_md_3_each_extra_is_a_line_of_its_own() -> None:
    assert lines(pupil("c", disability=disabled("hearing", 3))) == {
        "disabled": 40,
        "in_school": 100,
    }


def test_relief_md_3_seventy_is_reached_on_the_birthday() -> None:
    assert lines(person(born="1955-07-15")) == {"aged_70": 60}
    assert lines(person(born="1955-07-16")) == {}


def test_relief_md_3_the_ages_of_the_extras_are_parameters() -> None:
    old, child = person(born="1960-07-15"), person(born="2020-07-16")
    assert lines(old) == {}
    assert lines(old, dibao__extras__aged_from=65) == {"aged_70": Decimal(60)}
    assert lines(child) == {"preschool": Decimal(100)}
    assert lines(child, dibao__extras__school_age=4) == {}


def test_relief_md_3_a_child_below_school_age_needs_no_kindergarten() -> None:
    assert lines(person("c", "child", "2019-07-16")) == {"preschool": 100}
    assert lines(person("c", "child", "2019-07-15")) == {}


def test_relief_md_3_students_up_to_bachelor_full_time_are_in_school() -> None:
    student = person("c", "child", "2004-01-01", education=Education.BACHELOR, full_time=True)
    assert lines(student) == {"in_school": 100}
    evening = person("c", "child", "2004-01-01", education=Education.BACHELOR)
    assert lines(evening) == {}


def test_relief_md_14_grade_one_with_both_categories_is_a_parameter() -> None:
    severe = person(disability=disabled("vision", 1))
    assert lines(severe, dibao__extras__severe_with_disabled=False) == {"severely_disabled": 60}
    both = pupil("c", disability=disabled("vision", 1))
    assert lines(both, dibao__extras__severe_with_disabled=False) == {
        "disabled": 40,
        "in_school": 100,
    }


def test_relief_md_12_13_whether_categories_add_up_is_a_parameter() -> None:
    aged_and_ill = person(born="1950-01-01", severe_illness=True)
    assert sum(lines(aged_and_ill, dibao__extras__cumulative=True).values()) == 120


def test_relief_md_3_no_extras_before_2018() -> None:
    assert lines(person(born="1940-01-01"), date(2017, 12, 31)) == {}
    assert lines(person(born="1940-01-01"), date(2018, 1, 1)) == {"aged_70": 60}


def test_relief_md_0_9_an_award_may_exceed_standard_by_persons_with_its_extras() -> None:
    found = answer(three())
    assert (found.base, found.total) == (2310, 2410)
