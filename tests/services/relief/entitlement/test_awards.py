"""After the decision: relief.md §11 #17, #18, #20; 法 48, 73; 57号 21, 31–34; 83号 1(3), 5(5)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.events.relief import Area
from services.relief.entitlement.awards import (
    Cause,
    Change,
    GracePeriod,
    ReviewClass,
    could_work,
    death_review_due,
    fraud_fine,
    grace,
    hearing_required,
    next_review,
    payable_from,
    refused_jobs,
    review_class,
    stop_from,
    unreported,
)
from services.relief.entitlement.facts import Education, Household, Member, WorkCapacity
from tests.services.relief.entitlement.families import DAY, disabled, law_on, person

LAST_OLD, FIRST_NEW = date(2026, 6, 30), date(2026, 7, 1)


@pytest.mark.parametrize("change", [Change.REDUCE, Change.STOP])
def test_relief_md_11_17_a_hearing_before_a_reduction_or_stop_from_2026_07_01(
    change: Change,
) -> None:
    assert not hearing_required(change, law_on(LAST_OLD))
    assert hearing_required(change, law_on(FIRST_NEW))


def test_law_48_no_hearing_before_an_increase() -> None:
    assert not hearing_required(Change.INCREASE, law_on(FIRST_NEW))


@pytest.mark.parametrize(
    ("day", "serious", "fine"),
    [
        (date(2016, 4, 30), False, (10000, 30000)),  # 办法 68: 可以处
        (date(2016, 5, 1), False, None),  # 条例 36: 情节严重的
        (LAST_OLD, False, None),
        (LAST_OLD, True, (10000, 30000)),
        (FIRST_NEW, False, (0, 20000)),
        (FIRST_NEW, True, (0, 20000)),
    ],
)
def test_relief_md_11_18_the_fine_for_fraud_of_10000_and_when_there_is_one(
    day: date, serious: bool, fine: tuple[int, int] | None
) -> None:
    assert fraud_fine(Decimal(10000), law_on(day), serious=serious) == fine


@pytest.mark.parametrize(
    ("refusals", "cut"),
    [
        ([True, True, False, True], False),
        ([True, True, True], True),
        ([False, True, True, True], True),
        ([True, True, True, False], False),  # who has taken work since is in no such run
        ([True, True], False),
        ([], False),
    ],
)
def test_relief_md_11_20_three_refusals_in_a_row_57_34(refusals: list[bool], cut: bool) -> None:
    assert refused_jobs(refusals, law_on()) is cut


def graced(cause: Cause = Cause.EMPLOYMENT, day: date = DAY, **how: Any) -> GracePeriod | None:
    stated: dict[str, Any] = {"stops_from": date(2025, 8, 1), "last": None, **how}
    return grace(cause, law=law_on(day), **stated)


def test_83_1_3_six_months_of_grace_after_employment() -> None:
    found = graced()
    assert found is not None
    assert (found.from_, found.until) == (date(2025, 8, 1), date(2026, 2, 1))
    assert found.amount == "keep_full"
    assert "83号" in found.source


@pytest.mark.parametrize("cause", [Cause.PROPERTY, Cause.FALSE_STATEMENT, Cause.INCOME])
def test_57_33_no_grace_but_after_employment(cause: Cause) -> None:
    assert graced(cause) is None


def test_83_1_3_the_decision_may_give_fewer_months_never_more() -> None:
    shorter, longer = graced(months=3), graced(months=9)
    assert shorter is not None
    assert longer is not None
    assert shorter.until == date(2025, 11, 1)
    assert longer.until == date(2026, 2, 1)
    assert graced(months=0) is None


def test_domain_b1_7_one_grace_period_in_24_months() -> None:
    assert graced(last=date(2023, 8, 2)) is None
    assert graced(last=date(2023, 8, 1)) is not None


def test_57_33_no_grace_before_2021_07_01() -> None:
    assert graced(day=date(2021, 6, 30)) is None


def test_57_21_paid_from_the_month_after_and_ordinance_22_from_the_month_of_the_decision() -> None:
    assert payable_from(date(2021, 6, 30), law_on(date(2021, 6, 30))) == date(2021, 6, 1)
    assert payable_from(date(2021, 7, 1), law_on(date(2021, 7, 1))) == date(2021, 8, 1)
    assert payable_from(date(2025, 12, 31), law_on(date(2025, 12, 31))) == date(2026, 1, 1)


def test_domain_b1_7_a_stop_holds_from_the_next_month() -> None:
    assert stop_from(date(2025, 7, 1)) == date(2025, 8, 1)
    assert stop_from(date(2025, 12, 31)) == date(2026, 1, 1)


def test_83_1_3_the_household_is_adjusted_within_three_months_of_a_death() -> None:
    assert death_review_due(date(2025, 11, 30), law_on()) == date(2026, 2, 28)
    assert death_review_due(date(2022, 10, 1), law_on(date(2022, 10, 19))) is None


def test_83_5_5_a_change_kept_back_for_more_than_three_months() -> None:
    changed = date(2025, 1, 31)
    assert not unreported(changed, date(2025, 4, 30), law_on())
    assert unreported(changed, date(2025, 5, 1), law_on())
    assert not unreported(changed, date(2025, 5, 1), law_on(date(2022, 10, 19)))


def classed(*members: Member, day: date = DAY, area: Area = Area.URBAN) -> tuple[str, int]:
    found, months = review_class(Household(members, area, day), day=day, law=law_on(day))
    return found.value, months


WORKING = {"employed": True}


def test_57_31_and_ordinance_26_how_often_a_family_is_looked_at_again() -> None:
    ill = person(severe_illness=True)
    severe = person(disability=disabled("vision", 1), work_capacity=WorkCapacity.NONE)
    assert classed(ill) == ("A", 12)
    assert classed(severe) == ("A", 12)
    assert classed(person(**WORKING)) == ("B", 6)
    assert classed(person()) == ("C", 6)


def test_ordinance_26_monthly_in_town_and_quarterly_in_the_country_before_57() -> None:
    day = date(2021, 6, 30)
    assert classed(person(), day=day) == ("C", 1)
    assert classed(person(), day=day, area=Area.RURAL) == ("C", 3)


def test_the_class_that_comes_soonest_holds() -> None:
    assert classed(person(severe_illness=True), person("b", "spouse"))[0] == ReviewClass.C


@pytest.mark.parametrize(
    "member",
    [
        person(born="1965-07-15"),
        person(born="2009-07-16"),
        person(born="2005-01-01", education=Education.BACHELOR),
        person(work_capacity=WorkCapacity.NONE),
    ],
)
def test_ordinance_26_of_working_age_able_and_not_in_school(member: Member) -> None:
    assert classed(member)[0] == ReviewClass.B


def test_the_next_review_is_so_many_months_later() -> None:
    assert next_review(date(2025, 8, 31), 6) == date(2026, 2, 28)


def test_ordinance_26_the_age_of_work_is_a_parameter_of_the_day() -> None:
    """Born on 1965-07-16: 59 years old on the last day on which 60 is not reached."""
    member = person(born="1965-07-16")
    assert could_work(member, DAY, law_on())
    assert not could_work(member, date(2025, 7, 16), law_on())
    assert could_work(member, date(2025, 7, 16), law_on(dibao__work__age_until=63))
    youth = person(born="2009-07-15")
    assert could_work(youth, DAY, law_on())
    assert not could_work(youth, DAY, law_on(dibao__work__age_from=18))
