"""The statutory clock: domain.md B0 and C1; the ordinance of 2016, art. 19."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.clock import Light, Tick, TimeLimit, read, suspensions
from casework.states import Clock
from chassis.law.calendar import Calendar
from chassis.law.deadlines import Term, TermUnit

CALENDAR = Calendar()
DAY = timedelta(days=1)
START = date(2021, 7, 1)
DURING = ("07-11", "07-18", "07-19")
"""Of a publicity that is posted on the eleventh: its posting, its last day, the day after."""


def limit(count: int, *excludes: str, unit: TermUnit = TermUnit.WORKING_DAYS) -> TimeLimit:
    return TimeLimit("l", "期限", Term(count, unit, "条例", START), frozenset(excludes))


def started(*ticks: Tick, on: date = START) -> list[Tick]:
    return [Tick(on, Clock.START), *ticks]


def d(text: str) -> date:
    return date.fromisoformat(f"2021-{text}")


def posted(from_: str, until: str | None = None, last: str | None = None) -> list[Tick]:
    begun = [Tick(d(from_), Clock.SUSPEND, "publicity", d(last) if last else None)]
    return begun if until is None else [*begun, Tick(d(until), Clock.RESUME, "publicity")]


class TestLights:
    @pytest.mark.parametrize(
        ("day", "used", "light"),
        [
            ("07-01", 0, Light.GREEN),
            ("08-03", 23, Light.GREEN),
            ("08-04", 24, Light.AMBER),
            ("08-12", 30, Light.AMBER),
            ("08-13", 31, Light.RED),
        ],
    )
    def test_amber_from_a_fifth_left_red_when_the_last_day_has_passed(
        self, day: str, used: int, light: Light
    ) -> None:
        seen = read(limit(30), started(), d(day), CALENDAR)
        assert (seen.due, seen.amber_from) == (d("08-12"), d("08-04"))
        assert (seen.used, seen.light) == (used, light)

    def test_a_short_limit_is_amber_on_its_last_day(self) -> None:
        assert read(limit(3), started(), d("07-05"), CALENDAR).light is Light.GREEN
        assert read(limit(3), started(), d("07-06"), CALENDAR).light is Light.AMBER

    def test_months_have_lights_but_no_days(self) -> None:
        months = limit(3, unit=TermUnit.MONTHS)
        seen = read(months, started(), d("09-20"), CALENDAR)
        assert (seen.due, seen.used, seen.light) == (d("10-08"), None, Light.AMBER)
        assert read(months, started(), d("09-10"), CALENDAR).light is Light.GREEN

    def test_before_acceptance_no_clock_runs(self) -> None:
        seen = read(limit(30), started(on=d("07-05")), d("07-02"), CALENDAR)
        assert (seen.due, seen.light, seen.used) == (None, Light.NONE, None)

    def test_a_stopped_clock_keeps_its_light(self) -> None:
        in_time = started(Tick(d("08-12"), Clock.STOP))
        late = started(Tick(d("08-13"), Clock.STOP))
        seen = read(limit(30), in_time, d("12-01"), CALENDAR)
        assert (seen.light, seen.used, seen.stopped_on) == (Light.AMBER, 30, d("08-12"))
        assert read(limit(30), late, d("12-01"), CALENDAR).light is Light.RED

    def test_a_year_without_its_holiday_notice_is_provisional(self) -> None:
        later = read(limit(30), started(on=date(2031, 1, 10)), date(2031, 1, 11), CALENDAR)
        assert later.provisional
        assert not read(limit(30), started(), START, CALENDAR).provisional


class TestSuspension:
    def test_art_19_leaves_out_the_seven_days_of_publicity(self) -> None:
        ticks = started(*posted("07-11", "07-19"))
        (pause,) = suspensions(ticks, limit(30, "publicity"), d("08-30"))
        assert (pause.from_, pause.to) == (d("07-12"), d("07-18"))
        assert read(limit(30, "publicity"), ticks, d("08-30"), CALENDAR).due == d("08-19")

    def test_a_source_that_counts_publicity_is_not_moved_by_it(self) -> None:
        ticks = started(*posted("07-11", "07-19"))
        assert read(limit(30), ticks, d("08-30"), CALENDAR).due == d("08-12")
        assert read(limit(30), started(*posted("07-11")), d("07-15"), CALENDAR).light is Light.GREEN

    def test_paused_while_it_runs_and_the_last_day_moves_with_it(self) -> None:
        ticks = started(*posted("07-11"))
        seen = read(limit(30, "publicity"), ticks, d("07-14"), CALENDAR)
        assert (seen.light, seen.due) == (Light.PAUSED, d("08-17"))
        assert read(limit(30, "publicity"), ticks, d("07-11"), CALENDAR).light is Light.PAUSED

    def test_art_19_a_publicity_that_is_closed_late_leaves_out_its_seven_days_alone(self) -> None:
        late = started(*posted("07-11", "08-05", last="07-18"))
        (pause,) = suspensions(late, limit(30, "publicity"), d("08-30"))
        assert (pause.from_, pause.to) == (d("07-12"), d("07-18"))
        early = started(*posted("07-11", "07-14", last="07-18"))
        (cut,) = suspensions(early, limit(30, "publicity"), d("08-30"))
        assert cut.to == d("07-13")

    def test_its_end_is_known_in_advance_and_the_light_goes_on_after_it(self) -> None:
        ticks = started(*posted("07-11", last="07-18"))
        found = [read(limit(30, "publicity"), ticks, d(day), CALENDAR) for day in DURING]
        assert {one.due for one in found} == {d("08-19")}
        assert [(one.light, one.paused_until) for one in found] == [
            (Light.PAUSED, d("07-18")),
            (Light.PAUSED, d("07-18")),
            (Light.GREEN, None),
        ]
        assert read(limit(30, "publicity"), ticks, d("08-20"), CALENDAR).light is Light.RED

    def test_a_suspension_begun_anew_is_another_one_or_goes_on(self) -> None:
        anew = [Tick(d("07-25"), Clock.SUSPEND, "publicity", d("07-28"))]
        ticks = started(*posted("07-11", last="07-18"), *anew)
        found = suspensions(ticks, limit(30, "publicity"), d("08-30"))
        assert [(one.from_, one.to) for one in found] == [
            (d("07-12"), d("07-18")),
            (d("07-26"), d("07-28")),
        ]
        longer = [Tick(d("07-15"), Clock.SUSPEND, "publicity", d("07-20"))]
        ticks = started(*posted("07-11", last="07-18"), *longer)
        (one,) = suspensions(ticks, limit(30, "publicity"), d("08-30"))
        assert (one.from_, one.to) == (d("07-12"), d("07-20"))

    def test_publicity_does_not_hide_a_limit_that_was_missed(self) -> None:
        ticks = started(*posted("08-20"))
        assert read(limit(30, "publicity"), ticks, d("08-25"), CALENDAR).light is Light.RED

    def test_an_unreasoned_resumption_ends_every_suspension(self) -> None:
        ticks = started(
            *posted("07-11"),
            Tick(d("07-12"), Clock.SUSPEND, "appraisal"),
            Tick(d("07-19"), Clock.RESUME),
        )
        found = suspensions(ticks, limit(30, "publicity", "appraisal"), d("08-30"))
        assert [(one.reason, one.to) for one in found] == [
            ("publicity", d("07-18")),
            ("appraisal", d("07-18")),
        ]

    def test_withdrawn_during_publicity_the_clock_stands(self) -> None:
        ticks = started(*posted("07-11"), Tick(d("07-14"), Clock.STOP))
        seen = read(limit(30, "publicity"), ticks, d("12-01"), CALENDAR)
        assert (seen.light, seen.used) == (Light.GREEN, 7)


REASONS = ("publicity", "appraisal", "hearing")
EFFECTS = st.sampled_from([Clock.SUSPEND, Clock.RESUME])


@st.composite
def any_ticks(draw: st.DrawFn) -> list[Tick]:
    """A clock that starts, is suspended and resumed for any reasons, and may stop."""
    day = draw(st.dates(date(2019, 1, 1), date(2024, 12, 31)))
    ticks = started(on=day)
    for _ in range(draw(st.integers(0, 6))):
        day += draw(st.integers(0, 20)) * DAY
        effect, reason = draw(EFFECTS), draw(st.sampled_from(REASONS))
        last = draw(st.none() | st.integers(0, 15))
        until = None if last is None or effect is Clock.RESUME else day + last * DAY
        ticks.append(Tick(day, effect, reason, until))
    if draw(st.booleans()):
        ticks.append(Tick(day + draw(st.integers(0, 30)) * DAY, Clock.STOP))
    return ticks


any_limit = st.builds(
    lambda count, unit, reasons: limit(count, *reasons, unit=unit),
    st.integers(1, 45),
    st.sampled_from([TermUnit.WORKING_DAYS, TermUnit.DAYS]),
    st.sets(st.sampled_from(REASONS)),
)


@given(any_limit, any_ticks())
def test_the_clock_never_runs_backwards(one: TimeLimit, ticks: list[Tick]) -> None:
    days = [ticks[0].on + n * DAY for n in range(150)]
    seen = [read(one, ticks, day, CALENDAR) for day in days]
    for today, tomorrow in pairwise(seen):
        assert today.used is not None
        assert tomorrow.used is not None
        assert 0 <= tomorrow.used - today.used <= 1
        if tomorrow.stopped_on is not None and today.stopped_on is not None:
            assert tomorrow == today


@given(any_limit, any_ticks(), st.integers(0, 150))
def test_suspensions_never_bring_the_last_day_forward(
    one: TimeLimit, ticks: list[Tick], later: int
) -> None:
    today = ticks[0].on + later * DAY
    bare = [tick for tick in ticks if tick.effect is Clock.START]
    with_them = read(one, ticks, today, CALENDAR)
    without = read(one, bare, today, CALENDAR)
    assert with_them.due is not None
    assert without.due is not None
    assert with_them.due >= without.due
    assert with_them.amber_from is not None
    assert with_them.amber_from <= with_them.due


@given(any_limit, any_ticks(), st.integers(0, 150))
def test_a_limit_that_excludes_nothing_knows_no_suspension(
    one: TimeLimit, ticks: list[Tick], later: int
) -> None:
    today = ticks[0].on + later * DAY
    counted = replace(one, excludes=frozenset())
    ends = {Clock.START, Clock.STOP}
    bare = [tick for tick in ticks if tick.effect in ends]
    assert read(counted, ticks, today, CALENDAR) == read(counted, bare, today, CALENDAR)
