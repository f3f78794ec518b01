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
from services.relief.awards import rules, service
from services.relief.awards.models import AwardRow
from services.relief.awards.planning import Plan
from services.relief.awards.rules import Effect, Line, Period, Recorded
from services.relief.entitlement.facts import Household, Income, IncomeKind, Member, Relation
from services.relief.parameters.seed import law_on

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


@pytest.mark.parametrize("kind", [IncomeKind.COMPENSATION, IncomeKind.DONATION])
def test_57_13_what_is_received_once_counts_in_its_own_months_and_in_no_later_ones(
    kind: IncomeKind,
) -> None:
    """The wage beside it goes on; a year of it stays the year that it was received for."""
    once = Income("a", kind, Decimal(6000), date(2025, 7, 1))
    spread = Income("a", kind, Decimal(6000), date(2025, 1, 1), 6)
    wage = Income("a", IncomeKind.WAGE, Decimal(1500), date(2025, 6, 1))
    in_its_window = rules.carried(household(once, wage), date(2025, 8, 11)).incomes
    assert [one.first_month for one in in_its_window] == [date(2025, 7, 1), date(2025, 7, 1)]
    later = rules.carried(household(once, spread, wage), date(2025, 9, 11)).incomes
    assert [one.first_month for one in later] == [
        date(2025, 7, 1),
        date(2025, 1, 1),
        date(2025, 8, 1),
    ]


DIED = date(2025, 5, 15)
BEFORE = (period("2025-04-01", "1050.00", extras="40.00"),)


def followed(
    measured: Period | None, from_: str = "2025-09-01", died_on: date = DIED, who: UUID = ONE
) -> list[tuple[str, int, str, str]]:
    after = rules.after_death(
        BEFORE,
        who,
        died_on=died_on,
        rounded=ceil_yuan,
        measured=measured,
        from_=date.fromisoformat(from_),
    )
    return [(str(one.from_), len(one.persons), str(one.base), str(one.extras)) for one in after]


def test_83_1_3_the_part_of_the_dead_ends_with_the_month_the_rest_changes_by_the_decision() -> None:
    measured = period("2025-09-01", "340.00", persons=(TWO, THREE))
    assert followed(measured) == [
        ("2025-04-01", 3, "1050.00", "40.00"),
        ("2025-06-01", 2, "700.00", "0.00"),
        ("2025-09-01", 2, "340.00", "0.00"),
    ]
    assert followed(None)[-1] == ("2025-06-01", 2, "700.00", "0.00")
    assert followed(end("2025-09-01"))[1:] == [
        ("2025-06-01", 2, "700.00", "0.00"),
        ("2025-09-01", 0, "0.00", "0.00"),
    ]
    assert followed(measured, from_="2025-05-01")[1:] == [("2025-06-01", 2, "340.00", "0.00")]


def test_57_32_whom_a_death_has_made_poorer_is_not_lowered_for_the_months_before() -> None:
    """Who earned the wage died: the others are due more than the whole was; his extras end."""
    measured = period("2025-09-01", "1540.00", persons=(TWO, THREE))
    assert followed(measured)[1:] == [
        ("2025-06-01", 2, "1050.00", "0.00"),
        ("2025-09-01", 2, "1540.00", "0.00"),
    ]


def test_a_decision_after_a_death_is_told_as_what_it_leads_to() -> None:
    """The extras of the dead end before the others get more: they are heard, and get more."""
    measured = period("2025-09-01", "1540.00", persons=(TWO, THREE))
    after = rules.after_death(
        BEFORE,
        ONE,
        died_on=DIED,
        rounded=ceil_yuan,
        measured=measured,
        from_=measured.from_,
    )
    plan = Plan(BEFORE, after, date(2025, 6, 1), (), law_on(DIED), settles_on=measured.from_)
    assert (plan.lowers, plan.effect) == (True, Effect.RAISED)
    assert plan.overpaid(date(2025, 8, 11)) == 3 * 40


@pytest.mark.parametrize(
    ("periods", "who", "died_on", "work"),
    [
        ((period("2025-04-01"),), ONE, "2025-05-15", True),
        ((period("2025-04-01"),), UUID(int=9), "2025-05-15", True),  # of the household, not covered
        ((period("2025-04-01"),), UUID(int=9), "2025-03-01", False),  # before the award
        ((period("2025-04-01"),), ONE, "2025-03-01", True),  # told too late to be left out
        ((period("2025-04-01"), end("2025-05-01")), ONE, "2025-05-15", False),
        ((period("2025-04-01"), end("2025-09-01")), ONE, "2025-05-15", True),
        ((period("2025-04-01"),), ONE, "2025-03-20", True),  # before the first month is paid
    ],
)
def test_83_1_3_an_award_follows_the_deaths_under_it(
    periods: tuple[Period, ...], who: UUID, died_on: str, *, work: bool
) -> None:
    day, approved_on = date.fromisoformat(died_on), date(2025, 3, 10)
    assert rules.follows_death(periods, who, died_on=day, approved_on=approved_on) is work


@pytest.mark.parametrize(
    ("day", "light"),
    [("2025-05-16", "green"), ("2025-07-27", "green"), ("2025-07-28", "amber"),
     ("2025-08-15", "amber"), ("2025-08-16", "red")],
)  # fmt: skip
def test_83_1_3_the_light_of_a_death_runs_from_the_death(day: str, light: str) -> None:
    """Three months from 2025-05-15 are 92 days; the last fifth begins 18 days before the end."""
    assert rules.death_light(DIED, date(2025, 8, 15), date.fromisoformat(day)).value == light


@pytest.mark.parametrize(("looked_at", "due"), [(True, "2026-02-11"), (False, "2025-10-01")])
def test_57_31_a_change_classes_the_household_anew(*, looked_at: bool, due: str) -> None:
    """Measured for the change it was looked at; a move alone never puts the review off."""
    day = date(2025, 8, 11)
    award = AwardRow(review_class="A", review_due_on=date(2025, 10, 1))
    service.review_anew(award, household(), day, law_on(day), looked_at=looked_at)
    assert (award.review_class, str(award.review_due_on)) == ("C", due)


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
