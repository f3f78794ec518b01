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
    """What one step did to the clock; `reason` says why a suspension began or ended.

    `until` is the last day of a suspension that has one of its own, as a publicity has.
    """

    on: date
    effect: Clock
    reason: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a limit stands at the end of a day; `used` is None for limits in months.

    `paused_until` is the last day of the pause, None where there is none or its end is not known.
    """

    due: date | None
    amber_from: date | None
    provisional: bool
    used: int | None
    count: int
    light: Light
    stopped_on: date | None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True)
class _Pause:
    """A suspension from the day it began; `until` its own last day, `ended` the day it was ended.

    Whoever ends it late does not lengthen it.
    """

    reason: str
    begun: date
    until: date | None = None
    ended: date | None = None

    def last(self, today: date) -> date:
        """Its last whole day: known in advance where it has one of its own."""
        if self.ended is None:
            return self.until or today
        return min(self.until or date.max, self.ended - _DAY)

    def runs_on(self, day: date) -> bool:
        return self.ended is None and (self.until is None or day <= self.until)

    def again(self, until: date | None) -> "_Pause":
        """The same one, begun once more while it runs."""
        known = None if until is None or self.until is None else max(until, self.until)
        return replace(self, until=known)


def suspensions(ticks: Sequence[Tick], limit: TimeLimit, today: date) -> tuple[Suspension, ...]:
    """The whole days that the limit does not count, as of `today`.

    The day on which a suspension begins and the day on which it ends are counted: a publicity
    posted on the first and closed on the ninth leaves out its seven days, and no more where it is
    closed on the twentieth. A step that resumes without a reason ends every suspension, a stop too.
    """
    return tuple(
        Suspension(one.begun + _DAY, one.last(today), one.reason)
        for one in _pauses(ticks, today)
        if one.reason in limit.excludes and one.last(today) > one.begun
    )


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
    running = [
        one for one in _pauses(done, day) if one.runs_on(day) and one.reason in limit.excludes
    ]
    light = _light(day, end.day, amber, running)
    return Reading(
        due=end.day,
        amber_from=amber,
        provisional=end.provisional,
        used=days_used(limit.term, started, day, calendar, pauses) if in_days else None,
        count=limit.term.count,
        light=light,
        stopped_on=stopped,
        paused_until=_end_of(running) if light is Light.PAUSED else None,
    )


def _pauses(ticks: Sequence[Tick], today: date) -> list[_Pause]:
    """Each suspension as it stands at the end of today."""
    running: dict[str, _Pause] = {}
    found: list[_Pause] = []
    for tick in ticks:
        if tick.on > today:
            break
        if tick.effect is Clock.SUSPEND:
            before = running.get(tick.reason)
            if before is not None and before.runs_on(tick.on):
                running[tick.reason] = before.again(tick.until)
                continue
            found += [] if before is None else [before]
            running[tick.reason] = _Pause(tick.reason, tick.on, tick.until)
        elif tick.effect in {Clock.RESUME, Clock.STOP}:
            all_end = tick.effect is Clock.STOP or not tick.reason
            ended = list(running) if all_end else [tick.reason] if tick.reason in running else []
            found += [replace(running.pop(reason), ended=tick.on) for reason in ended]
    return found + list(running.values())


def _end_of(running: Sequence[_Pause]) -> date | None:
    """The last day on which one of them runs; None where that is not known."""
    ends = [one.until for one in running]
    return None if None in ends else max(one for one in ends if one is not None)


def _light(day: date, due: date, amber: date, running: Sequence[_Pause]) -> Light:
    # A limit that was missed already stays missed, whatever suspension begins then.
    if any(one.begun <= due for one in running):
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
