"""分类重点救助 on top of the base: ordinance art. 21, 民发〔2021〕57号 art. 27, 法 20.

Amounts: relief.md §3, §11.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.services.relief.law.window import (
    PUPIL,
    SEVERE,
    Json,
    Window,
    alone,
    applicant,
    child,
    extras,
    income,
    member,
    spouse,
    three,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = "2025-07-15"
ERAS = ("2018-01-01", "2021-06-30", "2021-07-01", DAY, "2026-07-01")


def grade(number: int, kind: str = "physical") -> Json:
    return {"disability": {"kind": kind, "grade": number}}


async def extra(window: Window, one: Json, day: str = DAY, area: str = "urban") -> Decimal:
    members = [one] if one["relation"] == "self" else [applicant(), one]
    answer = await window.answer(members, day, area)
    assert answer["outcome"] == "entitled"
    amounts = [Decimal(found["amount"]) for found in answer["extras"]]
    assert all(found["member"] == one["ref"] for found in answer["extras"])
    assert Decimal(answer["total"]) == Decimal(answer["base"]) + sum(amounts)
    return Decimal(sum(amounts))


PUPIL_FACTS: dict[str, Any] = {"education": "compulsory", "full_time": True}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (applicant(born="1953-01-01", **grade(1)), 100),
        (child(**PUPIL_FACTS, **grade(3)), 140),
        (applicant(born="1950-01-01", severe_illness=True), 60),
        (child(born="2021-01-01", education="preschool", severe_illness=True), 100),
    ],
)
async def test_relief_md_11_9_what_several_circumstances_give(
    window: Window, one: Json, expected: int
) -> None:
    for area in ("urban", "rural"):
        assert await extra(window, one, area=area) == expected


@pytest.mark.parametrize("area", ["urban", "rural"])
@pytest.mark.parametrize("day", ERAS)
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 0),
        (grade(3), 40),
        (grade(4, "mental"), 40),
        ({"severe_illness": True}, 60),
    ],
)
async def test_relief_md_3_each_circumstance_alike_in_town_and_country_since_2018(
    window: Window, day: str, area: str, facts: Json, expected: int
) -> None:
    assert await extra(window, applicant(**{"born": "1970-01-01", **facts}), day, area) == expected


@pytest.mark.parametrize("day", ERAS)
async def test_relief_md_3_a_child_before_school_and_one_in_school(
    window: Window, day: str
) -> None:
    year = int(day[:4])
    small = child(born=f"{year - 4}-01-01", education="preschool")
    pupil = child(born=f"{year - 10}-01-01", **PUPIL_FACTS)
    assert await extra(window, small, day) == 100
    assert await extra(window, pupil, day) == 100


@pytest.mark.parametrize(
    ("day", "born", "expected"),
    [
        (DAY, "1955-07-14", 60),
        (DAY, "1955-07-17", 0),
        ("2020-01-01", "1949-12-31", 60),
        ("2026-07-01", "1956-06-30", 60),
        ("2026-07-01", "1956-07-03", 0),
    ],
)
async def test_relief_md_3_seventy_years(
    window: Window, day: str, born: str, expected: int
) -> None:
    assert await extra(window, applicant(born=born), day) == expected


async def test_relief_md_3_whoever_was_born_before_1949_10_is_aged_too(window: Window) -> None:
    """The oldest are the ones for whom the extra is made: somebody of 81 and somebody of 96."""
    assert await extra(window, applicant(born="1944-02-29")) == 60
    assert await extra(window, applicant(born="1929-01-01")) == 60


async def test_relief_md_14_grade_one_alone_is_sixty_or_a_hundred_and_owned_as_open(
    window: Window,
) -> None:
    answer = await window.answer([applicant(disability=SEVERE)], DAY)
    assert sum(Decimal(one["amount"]) for one in answer["extras"]) in {60, 100}
    assert {"dibao.extras", "dibao.extras.cumulative"} & unconfirmed(answer)


async def test_relief_md_3_the_extra_is_the_persons_and_never_in_the_familys_base(
    window: Window,
) -> None:
    plain = await window.answer(three("1000"), DAY)
    ill = await window.answer(three("1000", severe_illness=True), DAY)
    assert ill["base"] == plain["base"]
    assert extras(ill) == {("c", "severely_ill"): "60.00"}
    assert Decimal(ill["total"]) == Decimal(plain["total"]) + 60


async def test_relief_md_11_an_award_may_exceed_standard_times_persons(window: Window) -> None:
    answer = await window.answer([applicant(born="1950-01-01")], DAY)
    assert (answer["base"], answer["total"]) == ("770.00", "830.00")


async def test_ordinance_art_21_nobody_outside_low_income_relief_gets_an_extra(
    window: Window,
) -> None:
    prisoner = [applicant(), spouse(in_prison=True, disability=SEVERE)]
    assert (await window.answer(prisoner, DAY))["extras"] == []
    too_rich = await window.answer([applicant(income("pension", "9000"), born="1950-01-01")], DAY)
    assert too_rich["extras"] == []
    edge = await window.answer(three("2400", severe_illness=True), DAY)
    assert edge["extras"] == []
    assert edge["total"] is None


async def test_law_art_20_who_is_taken_in_alone_gets_his_extra_and_nobody_elses(
    window: Window,
) -> None:
    members = three("2400", severe_illness=True, alone=True)
    members[1]["born"] = "1950-01-01"
    answer = await window.answer(members, DAY)
    assert alone(answer)["c"]["extras"] == "60.00"
    assert answer["total"] == "830.00"


async def test_relief_md_3_several_members_each_get_their_own(window: Window) -> None:
    members = [
        applicant(disability={"kind": "physical", "grade": 4}),
        child(born=PUPIL, **PUPIL_FACTS),
        member("p", "parent", "1950-01-01"),
    ]
    answer = await window.answer(members, DAY)
    assert extras(answer) == {
        ("a", "disabled"): "40.00",
        ("c", "in_school"): "100.00",
        ("p", "aged_70"): "60.00",
    }
    assert answer["total"] == "2510.00"


async def test_relief_md_12_13_the_amounts_are_those_of_2018_and_owned_as_open(
    window: Window,
) -> None:
    for day in ("2020-06-01", DAY, "2026-07-01"):
        answer = await window.answer([applicant(severe_illness=True)], day)
        assert "dibao.extras" in unconfirmed(answer)
        assert all("条例" in one["article"] for one in answer["extras"])
