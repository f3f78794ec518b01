"""The statutory clock (法定时限) of a case: what its steps make of a limit on a day. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from casework.states import Clock
from chassis.law.calendar import Calendar
from chassis.law.deadlines import Suspension, Term, TermUnit, days_used, deadline

_DAY = timedelta(days=1)
_AMBER_PART = 5
"""Amber (黄灯) from the day on which a fifth of the limit is left (domain.md C1: 剩余≤20%)."""


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    PAUSED = "paused"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A limit by one source; `excludes` are the reasons of suspension that it does not count.

    The ordinance of 2016 leaves out 评议 and 公示 (art. 19), later sources leave out nothing.
    """

    code: str
    title: str
    term: Term
    excludes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tick:
    """What one step did to the clock; `reason` says why a suspension began or ended."""

    on: date
    effect: Clock
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a limit stands at the end of a day; `used` is None for limits in months."""

    due: date | None
    amber_from: date | None
    provisional: bool
    used: int | None
    count: int
    light: Light
    stopped_on: date | None


def suspensions(ticks: Sequence[Tick], limit: TimeLimit, today: date) -> tuple[Suspension, ...]:
    """The whole days that the limit does not count, as of `today`.

    The day on which a suspension begins and the day on which it ends are counted: a publicity
    posted on the first and closed on the ninth leaves out its seven days. A step that resumes
    without a reason ends every suspension, a stop too.
    """
    found = []
    for reason, begun, ended in _pauses(ticks, today):
        last = today if ended is None else ended - _DAY
        if reason in limit.excludes and last > begun:
            found.append(Suspension(begun + _DAY, last, reason))
    return tuple(found)


def read(limit: TimeLimit, ticks: Sequence[Tick], today: date, calendar: Calendar) -> Reading:
    """The limit at the end of `today` by what was done until then; a stopped clock stands still."""
    done = [tick for tick in ticks if tick.on <= today]
    started = next((tick.on for tick in done if tick.effect is Clock.START), None)
    stopped = next((tick.on for tick in done if tick.effect is Clock.STOP), None)
    if started is None:
        return Reading(None, None, False, None, limit.term.count, Light.NONE, stopped)  # noqa: FBT003 - in the order of the fields
    day = today if stopped is None else stopped
    pauses = suspensions(done, limit, day)
    end = deadline(limit.term, started, calendar, pauses)
    amber = _amber_from(limit.term, started, end.day, calendar, pauses)
    in_days = limit.term.unit is not TermUnit.MONTHS
    return Reading(
        due=end.day,
        amber_from=amber,
        provisional=end.provisional,
        used=days_used(limit.term, started, day, calendar, pauses) if in_days else None,
        count=limit.term.count,
        light=_light(day, end.day, amber, running=_pause_running(done, limit, day)),
        stopped_on=stopped,
    )


def _pauses(ticks: Sequence[Tick], today: date) -> list[tuple[str, date, date | None]]:
    """Each suspension as (reason, begun, ended); None where it still runs at the end of today."""
    running: dict[str, date] = {}
    found: list[tuple[str, date, date | None]] = []
    for tick in ticks:
        if tick.on > today:
            break
        if tick.effect is Clock.SUSPEND:
            running.setdefault(tick.reason, tick.on)
        elif tick.effect in {Clock.RESUME, Clock.STOP}:
            all_end = tick.effect is Clock.STOP or not tick.reason
            ended = list(running) if all_end else [tick.reason] if tick.reason in running else []
            found += [(reason, running.pop(reason), tick.on) for reason in ended]
    return found + [(reason, begun, None) for reason, begun in running.items()]


def _pause_running(ticks: Sequence[Tick], limit: TimeLimit, day: date) -> date | None:
    """Since when a suspension runs that the limit does not count."""
    running = (
        begun
        for reason, begun, ended in _pauses(ticks, day)
        if ended is None and reason in limit.excludes
    )
    return min(running, default=None)


def _light(day: date, due: date, amber: date, *, running: date | None) -> Light:
    # A limit that was missed already stays missed, whatever suspension begins then.
    if running is not None and running <= due:
        return Light.PAUSED
    if day > due:
        return Light.RED
    return Light.AMBER if day >= amber else Light.GREEN


def _amber_from(
    term: Term, started: date, due: date, calendar: Calendar, pauses: Sequence[Suspension]
) -> date:
    """The first day at whose end at most a fifth of the limit is left."""
    if term.unit is TermUnit.MONTHS:
        return due - ((due - started) // _AMBER_PART)
    most = replace(term, count=term.count - term.count // _AMBER_PART, roll_last_day=False)
    return min(deadline(most, started, calendar, pauses).day, due)
