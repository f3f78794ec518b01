"""Statutory time limits (期限): when they end, by 民法典 art. 200-204 and their own sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chassis.law.calendar import Calendar
from chassis.law.dates import add_months

_DAY = timedelta(days=1)


class TermUnit(StrEnum):
    """An attribute of the legal source, not of its word 日 (domain.md B0)."""

    WORKING_DAYS = "working_days"  # 工作日
    DAYS = "days"  # 自然日
    MONTHS = "months"  # 月; a year is twelve


class StartRule(StrEnum):
    DAY_AFTER = "day_after"  # the start day is not counted (民法典 art. 201)
    FIRST_DAY = "first_day"  # the start day is day one


@dataclass(frozen=True, slots=True)
class Term:
    """A limit as one source sets it from `valid_from` on; `source` names document and article.

    Raises:
        ValueError: `count` is below one.
    """

    count: int
    unit: TermUnit
    source: str
    valid_from: date
    start: StartRule = StartRule.DAY_AFTER
    roll_last_day: bool = True

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"{self.source}: 期限至少为1")


@dataclass(frozen=True, slots=True)
class Suspension:
    """Days from `from_` to `to`, both included, that are not counted (听证, 检验, 公示 …).

    One that still runs is given with `to` = the day asked about: the due day then moves with it.

    Raises:
        ValueError: it ends before it begins.
    """

    from_: date
    to: date
    reason: str

    def __post_init__(self) -> None:
        if self.to < self.from_:
            raise ValueError(f"{self.reason}: 中止期间的结束日早于开始日")

    def covers(self, day: date) -> bool:
        return self.from_ <= day <= self.to


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day, until 24:00 or the end of office hours (民法典 art. 203).

    `provisional`: a holiday notice still to come may move it; reckon again when it is loaded.
    """

    day: date
    provisional: bool


def deadline(
    term: Term, start: date, calendar: Calendar, suspensions: Sequence[Suspension] = ()
) -> Deadline:
    """The last day of `term` for what happened on `start`.

    A last day on a rest day moves to the next working day (民法典 art. 203) unless the term says
    otherwise; a working-day term cannot end on one.
    """
    counted = _counted(suspensions)
    first = _first_day(term, start)
    if term.unit is TermUnit.MONTHS:
        last = _end_of_months(term, start, counted)
    else:
        last = _count(first, term.count, _step(term, calendar, counted))
    if not term.roll_last_day:
        return Deadline(last, _provisional(term, first, last, calendar))
    rolled = last
    while not (calendar.is_working(rolled) and counted(rolled)):
        rolled += _DAY
    asked_from = first if term.unit is TermUnit.WORKING_DAYS else last
    return Deadline(rolled, not _all_settled(asked_from, rolled, calendar))


def latest_day_before(term: Term, event: date, calendar: Calendar) -> Deadline:
    """The last day on which something due `term` before `event` may still be done.

    Counted backwards, the event's day left out; it never rolls, for art. 203 only lengthens.
    """
    if term.unit is TermUnit.MONTHS:
        return Deadline(add_months(event, -term.count), provisional=False)
    step = _step(term, calendar, lambda _: True)
    day, left = event, term.count
    while left:
        day -= _DAY
        left -= step(day)
    return Deadline(day, _provisional(term, day, event - _DAY, calendar))


def days_used(
    term: Term, start: date, on: date, calendar: Calendar, suspensions: Sequence[Suspension] = ()
) -> int:
    """How many of the term's days have been used up at the end of `on`.

    Stands still while suspended, never falls, and goes on beyond `count` when the limit is missed.

    Raises:
        ValueError: the term is in months, which have no days to count.
    """
    if term.unit is TermUnit.MONTHS:
        raise ValueError(f"{term.source}: 按月计算的期限不按日累计")
    step = _step(term, calendar, _counted(suspensions))
    first = _first_day(term, start)
    return sum(step(first + n * _DAY) for n in range((on - first).days + 1))


def _first_day(term: Term, start: date) -> date:
    return start if term.start is StartRule.FIRST_DAY else start + _DAY


def _counted(suspensions: Sequence[Suspension]) -> Callable[[date], bool]:
    return lambda day: not any(suspension.covers(day) for suspension in suspensions)


def _step(
    term: Term, calendar: Calendar, counted: Callable[[date], bool]
) -> Callable[[date], bool]:
    if term.unit is TermUnit.WORKING_DAYS:
        return lambda day: calendar.is_working(day) and counted(day)
    return counted


def _count(first: date, count: int, step: Callable[[date], bool]) -> date:
    """The day on which the `count`-th day that `step` accepts is reached, from `first` on."""
    day = first - _DAY
    while count:
        day += _DAY
        count -= step(day)
    return day


def _end_of_months(term: Term, start: date, counted: Callable[[date], bool]) -> date:
    last = add_months(start, term.count)
    # With the start day as day one the term ends the day before, unless the month was too short.
    if term.start is StartRule.FIRST_DAY and last.day == start.day:
        last -= _DAY
    first = _first_day(term, start)
    lost = sum(not counted(first + n * _DAY) for n in range((last - first).days + 1))
    return _count(last + _DAY, lost, counted)


def _provisional(term: Term, first: date, last: date, calendar: Calendar) -> bool:
    """For a term without roll: natural days and months do not ask the calendar."""
    return term.unit is TermUnit.WORKING_DAYS and not _all_settled(first, last, calendar)


def _all_settled(first: date, last: date, calendar: Calendar) -> bool:
    return all(calendar.settled(first + n * _DAY) for n in range((last - first).days + 1))
