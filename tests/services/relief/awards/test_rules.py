"""The timeline of an award as a calculation: 57号 arts. 31–34; design/law/relief.md §11."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.law.money import ceil_yuan
from contracts.events.relief import Area, Award, AwardState, Programme
from services.relief.awards import rules
from services.relief.awards.rules import Effect, Line, Period, Recorded
from services.relief.entitlement.facts import Household, Income, IncomeKind, Member, Relation

ONE, TWO, THREE = (UUID(int=place) for place in (1, 2, 3))
UNIT, ELSEWHERE = 500112002001, 500112004001


def period(
    day: str,
    base: str = "810.00",
    *,
    state: AwardState = AwardState.PAID,
    extras: str = "0.00",
    persons: tuple[UUID, ...] = (ONE, TWO, THREE),
    unit: int = UNIT,
) -> Period:
    lines = (Line(ONE, "disabled", Decimal(extras), "2018"),) if Decimal(extras) else ()
    return Period(date.fromisoformat(day), unit, Area.URBAN, state, persons, Decimal(base), lines)


def end(day: str) -> Period:
    return rules.stopped(period(day))


def test_a_change_leaves_what_was_before_and_changes_all_that_comes_after() -> None:
    before = (period("2025-04-01"), period("2025-09-01", "900.00"))
    after = rules.overlay(
        before, date(2025, 6, 1), lambda one: replace(one, base=Decimal("500.00"))
    )
    assert after == (period("2025-04-01"), period("2025-06-01", "500.00"))


def test_a_move_keeps_what_is_already_decided_for_later() -> None:
    before = (period("2025-04-01"), end("2025-09-01"))
    after = rules.overlay(before, date(2025, 6, 15), lambda one: replace(one, unit=ELSEWHERE))
    assert [(str(one.from_), one.unit, one.state) for one in after] == [
        ("2025-04-01", UNIT, AwardState.PAID),
        ("2025-06-15", ELSEWHERE, AwardState.PAID),
        ("2025-09-01", ELSEWHERE, AwardState.STOPPED),
    ]


def test_a_change_before_the_first_month_holds_from_the_first_month() -> None:
    after = rules.overlay((period("2025-04-01"),), date(2025, 2, 1), rules.stopped)
    assert after == (end("2025-04-01"),)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((period("2025-04-01", "900.00"),), Effect.RAISED),
        ((period("2025-04-01", "700.00"),), Effect.LOWERED),
        ((period("2025-04-01", extras="40.00"),), Effect.RAISED),
        ((period("2025-04-01"), end("2025-06-01")), Effect.STOPPED),
        (
            (
                period("2025-04-01"),
                period("2025-06-01", state=AwardState.GRACE),
                end("2025-12-01"),
            ),
            Effect.GRACE,
        ),
        (
            (period("2025-04-01"), period("2025-06-01", unit=ELSEWHERE)),
            Effect.UNCHANGED,
        ),
        (
            (period("2025-04-01", "700.00"), period("2025-06-01", "900.00")),
            Effect.LOWERED,
        ),
    ],
)
def test_what_a_change_comes_to(after: tuple[Period, ...], expected: Effect) -> None:
    assert rules.effect((period("2025-04-01"),), after) is expected


def test_months_are_paid_by_what_holds_on_their_first_day() -> None:
    timeline = (period("2025-04-01"), period("2025-05-15", "900.00"), end("2025-07-01"))
    assert rules.paid(timeline, date(2025, 4, 20), date(2025, 8, 1)) == 810 + 810 + 900


def test_what_was_overpaid_counts_the_months_that_were_too_much() -> None:
    before = (period("2025-04-01"),)
    after = (period("2025-04-01"), period("2025-05-01", "300.00"))
    assert rules.overpaid(before, after, date(2025, 8, 1)) == 3 * 510
    assert rules.overpaid(after, before, date(2025, 8, 1)) == 0


def test_57_art_34_the_own_part_is_an_equal_share_and_the_persons_extras() -> None:
    left = rules.without_own_part(period("2025-04-01", "1000.00", extras="40.00"), ONE, ceil_yuan)
    assert (left.persons, left.base, left.lines) == ((TWO, THREE), Decimal("667.00"), ())
    assert left.from_ == date(2025, 4, 1)
    alone = rules.without_own_part(period("2025-04-01", persons=(ONE,)), ONE, ceil_yuan)
    assert (alone.state, alone.total) == (AwardState.STOPPED, 0)


def test_the_two_clocks_show_what_was_known_when() -> None:
    first, second = datetime(2025, 3, 10, tzinfo=UTC), datetime(2025, 5, 10, tzinfo=UTC)
    recorded = [
        Recorded(new_id(), period("2025-04-01"), first, second),
        Recorded(new_id(), period("2025-04-01", "900.00"), second, None),
    ]
    assert rules.timeline(recorded) == (period("2025-04-01", "900.00"),)
    assert rules.timeline(recorded, second) == (period("2025-04-01"),)
    assert rules.timeline(recorded, first) == ()


def household(*incomes: Income) -> Household:
    member = Member("a", Relation.SELF, date(1980, 5, 1))
    return Household((member,), Area.URBAN, date(2025, 8, 11), incomes)


def test_an_established_income_is_reckoned_until_something_newer_is_recorded() -> None:
    old = Income("a", IncomeKind.WAGE, Decimal(1500), date(2025, 2, 1))
    (carried,) = rules.carried(household(old), date(2025, 8, 11)).incomes
    assert (carried.first_month, carried.amount) == (date(2025, 7, 1), 1500)
    newer = Income("a", IncomeKind.WAGE, Decimal(0), date(2025, 7, 1))
    kept = rules.carried(household(old, newer), date(2025, 8, 11)).incomes
    assert [one.first_month for one in kept] == [date(2025, 2, 1), date(2025, 7, 1)]


def test_a_year_of_farming_is_carried_as_a_year() -> None:
    year = Income("a", IncomeKind.FARMING, Decimal(6000), date(2024, 1, 1), 12)
    (carried,) = rules.carried(household(year), date(2025, 8, 11)).incomes
    assert (carried.first_month, carried.months) == (date(2024, 8, 1), 12)


DAYS = st.dates(date(2021, 1, 1), date(2027, 12, 1)).map(lambda day: day.replace(day=1))
BASES = st.integers(0, 5000).map(lambda yuan: f"{yuan}.00")
TIMELINES = st.lists(
    st.tuples(DAYS, BASES), min_size=1, max_size=6, unique_by=lambda pair: pair[0]
).map(lambda pairs: tuple(period(str(day), base) for day, base in sorted(pairs)))


@given(TIMELINES, DAYS, BASES)
def test_an_overlay_never_changes_a_day_before_it(
    timeline: tuple[Period, ...], day: date, base: str
) -> None:
    after = rules.overlay(timeline, day, lambda one: replace(one, base=Decimal(base)))
    for one in timeline:
        if one.from_ < day:
            kept = rules.in_force(after, one.from_)
            assert kept is not None
            assert kept.base == one.base
    held = rules.in_force(after, max(day, timeline[0].from_))
    assert held is not None
    assert held.base == Decimal(base)
    Award(id=new_id(), programme=Programme.DIBAO, case=new_id(), periods=rules.published(after))


@given(TIMELINES, TIMELINES)
def test_what_is_overpaid_one_way_is_underpaid_the_other(
    one: tuple[Period, ...], other: tuple[Period, ...]
) -> None:
    first, until = min(one[0].from_, other[0].from_), date(2028, 1, 1)
    difference = rules.paid(one, first, until) - rules.paid(other, first, until)
    there, back = rules.overpaid(one, other, until), rules.overpaid(other, one, until)
    assert there - back == difference


@given(TIMELINES)
def test_merging_twice_is_merging_once(timeline: tuple[Period, ...]) -> None:
    merged = rules.merged(timeline)
    assert rules.merged(merged) == merged
    assert all(rules.in_force(merged, one.from_).base == one.base for one in timeline)  # type: ignore[union-attr]  # it begins with the first
