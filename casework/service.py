"""A case (办件) and its steps: opened, advanced by the matter's table, prolonged, handed over."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from casework import clock, repository
from casework.clock import Light, Reading, Tick, TimeLimit
from casework.models import CaseFile, CaseStep
from casework.numbers import case_number
from casework.problems import AlreadyProlonged, NotNow, ReasonMissing, SameHands, TooOften
from casework.states import Clock, Matter, NotPermitted, Transition, same_hands
from chassis import audit
from chassis.database import add_units, now, today
from chassis.ids import new_id
from chassis.law.calendar import Calendar
from chassis.outbox import emit
from chassis.privacy import Cell
from chassis.problems import Forbidden
from chassis.sealing import seal
from contracts.events.casework import Case, CasePeriod, Outcome
from contracts.model import Contract

OPEN = "open"
"""The name of every case's first step, and of the verb `opened`."""

PROLONG = "prolong"
"""The name that a matter gives to the step which prolongs its total limit."""

MOST_PERIODS = 400
"""As many as an event holds."""
_TO_END = 10
"""Of these so many are kept for the steps by which a case is decided, delivered and closed."""

_CALENDAR = Calendar()
_UNDECIDED_ENDS = frozenset({Outcome.WITHDRAWN, Outcome.TERMINATED})


@dataclass(frozen=True)
class Limits:
    """The limits of a case: the whole time, and the time in each state (by its code).

    `promised` is what the office itself promises (承诺时限): shown, and nobody's light goes by it.
    """

    total: TimeLimit | None = None
    steps: Mapping[str, TimeLimit] = field(default_factory=dict)
    promised: TimeLimit | None = None


_LIMITS = TypeAdapter(Limits)

EventOf = Callable[[CaseFile, Sequence[CaseStep]], Contract]
"""Builds the event of a case as it stands after its steps."""


async def open_case(  # noqa: PLR0913 - each names a part of the case
    session: AsyncSession,
    matter: Matter,
    *,
    unit: int,
    label: str,
    channel: str,
    event: EventOf,
    case_id: UUID | None = None,
    parent: UUID | None = None,
    subject: UUID | None = None,
) -> CaseFile:
    """Open a case for a unit (village or community); `label` is shown in lists, so it is masked."""
    day = today(session)
    sequence = await repository.next_sequence(session)
    case = CaseFile(
        id=case_id or new_id(),
        event_seq=0,
        version=1,
        matter=matter.code,
        number=case_number(unit, day, matter.short, sequence),
        unit_id=unit,
        opened_unit_id=unit,
        label=label,
        state=matter.initial,
        channel=channel,
        opened_on=day,
        entered_on=day,
        flags=[],
        limits=_LIMITS.dump_python(Limits(), mode="json"),
        prolonged="",
        paused=False,
        paused_until=None,
        provisional=False,
        parent_id=parent,
        subject_id=subject,
    )
    session.add(case)
    step = _step(session, case, 1, name=OPEN, source="", target=matter.initial)
    await _tell(session, case, matter, OPEN, "opened", event(case, [step]))
    session.add(step)
    repository.keep_steps(session, case.id, [step])
    return case


async def advance(  # noqa: PLR0913 - each names a part of the step
    session: AsyncSession,
    case: CaseFile,
    matter: Matter,
    name: str,
    *,
    event: EventOf,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    clock_reason: str = "",
    clock_until: date | None = None,
    limits: Limits | None = None,
    flags: Iterable[str] = (),
    outcome: Outcome | None = None,
    actor_may: Callable[[str], bool] | None = None,
) -> CaseStep:
    """Take a step: the only way in which a case changes its state. The caller holds its lock.

    Args:
        session: the transaction; its actor takes the step.
        case: found with `lock=True`.
        matter: its table of transitions.
        name: which of them.
        event: builds what is published, from the case after the step.
        reason: free text, kept sealed.
        data: references and codes of the step, no identities.
        clock_reason: why the clock is suspended or resumed, e.g. `publicity`.
        clock_until: the last day of a suspension that has one of its own.
        limits: kept with the case from now on.
        flags: added to those of the case.
        outcome: how the case ends, where the step decides that.
        actor_may: whether the caller holds a scope, where no route has asked before.

    Raises:
        NotNow: the table has no such step for the state (409 `case-state`).
        SameHands: four eyes (403 `four-eyes`).
        ReasonMissing: the table asks for a reason (422).
        Forbidden: the caller lacks the step's scope (403).
        TooOften: no event could tell what comes after it (409 `too-often`).
    """
    try:
        transition = matter.transition(case.state, name)
    except NotPermitted as refused:
        raise NotNow.of(matter, name, refused) from refused
    steps = await repository.steps_of(session, case.id)
    _check(session, matter, transition, steps, reason=reason, actor_may=actor_may)
    if transition.clock is Clock.SUSPEND and not clock_reason:
        raise ValueError(f"{matter.code}: {name} suspends the clock for no reason")
    target = transition.target or case.state
    step = _step(session, case, len(steps) + 1, name=name, source=case.state, target=target)
    step.reason = seal(session, reason, reason_cell(step)) if reason.strip() else None
    step.clock, step.clock_reason, step.clock_until = transition.clock, clock_reason, clock_until
    step.data = dict(data or {})
    session.add(step)
    _enter(case, matter, transition, step, outcome)
    case.flags = sorted({*case.flags, *flags})
    if limits is not None:
        case.limits = _LIMITS.dump_python(limits, mode="json")
    steps.append(step)
    ends = transition.clock is Clock.STOP or case.decided_on is not None
    if not ends and crowded(steps):
        raise TooOften("本件反复办理次数过多，请作出决定、撤回或者终止")
    _reckon(case, steps, step.on_day)
    case.version += 1
    repository.keep_steps(session, case.id, steps)
    await _tell(session, case, matter, name, transition.event, event(case, steps))
    return step


async def prolong(
    session: AsyncSession,
    case: CaseFile,
    matter: Matter,
    *,
    limit: TimeLimit,
    reason_code: str,
    event: EventOf,
    reason: str = "",
) -> None:
    """Put a longer total limit in the place of the first one; once, by the step `prolong`."""
    if case.prolonged:
        raise AlreadyProlonged("办理期限只能延长一次")
    limits = replace(limits_of(case), total=limit)
    case.prolonged = reason_code
    await advance(
        session,
        case,
        matter,
        PROLONG,
        event=event,
        reason=reason,
        data={"reason": reason_code, "limit": limit.code},
        limits=limits,
    )


async def hand_over(session: AsyncSession, case: CaseFile, *, unit: int) -> None:
    """Make another unit responsible for the case and all its rows.

    The step that tells of it (`advance`) comes after; then the old unit sees the case no more.
    """
    await add_units(session, [unit])
    case.version += 1
    await repository.move(session, case, unit)


async def recompute(session: AsyncSession, case: CaseFile, day: date) -> None:
    """Reckon the last day anew: a holiday notice may have moved it. Nothing is published."""
    _reckon(case, await repository.steps_of(session, case.id), day)


def case_event(kind: type[Case]) -> EventOf:
    """The usual event of a case: `kind` is the matter's class of `contracts.events`."""

    def event(case: CaseFile, steps: Sequence[CaseStep]) -> Case:
        total = total_reading(case, steps, steps[-1].on_day)
        return kind(
            id=case.id,
            matter=case.matter,
            number=case.number,
            periods=_periods(steps),
            opened_on=case.opened_on,
            accepted_on=case.accepted_on,
            due_on=None if total is None else total.due,
            decided_on=case.decided_on,
            closed_on=case.closed_on,
            outcome=case.ended,
            parent=case.parent_id,
        )

    return event


def limits_of(case: CaseFile) -> Limits:
    """The limits that are kept with the case."""
    return _LIMITS.validate_python(case.limits)


def total_reading(case: CaseFile, steps: Sequence[CaseStep], day: date) -> Reading | None:
    """How the whole time stands; None where no limit is known."""
    return _of_the_whole(limits_of(case).total, steps, day)


def promised_reading(case: CaseFile, steps: Sequence[CaseStep], day: date) -> Reading | None:
    """How the time stands that the office promises; None where it promises none."""
    return _of_the_whole(limits_of(case).promised, steps, day)


def _of_the_whole(limit: TimeLimit | None, steps: Sequence[CaseStep], day: date) -> Reading | None:
    return None if limit is None else clock.read(limit, _ticks(steps), day, _CALENDAR)


def step_reading(case: CaseFile, steps: Sequence[CaseStep], day: date) -> Reading | None:
    """How the time in the present state stands; None where it has no limit.

    It starts on entering the state and ends on leaving it; suspensions are the case's own.
    """
    limit = limits_of(case).steps.get(case.state)
    if limit is None:
        return None
    pausing = {Clock.SUSPEND, Clock.RESUME}
    ticks = [tick for tick in _ticks(steps) if tick.effect in pausing]
    start = Tick(case.entered_on, Clock.START)
    return clock.read(limit, [start, *ticks], day, _CALENDAR)


def reason_cell(step: CaseStep) -> Cell:
    return Cell("case_step", "reason", step.id)


def _check(
    session: AsyncSession,
    matter: Matter,
    transition: Transition,
    steps: Sequence[CaseStep],
    *,
    reason: str,
    actor_may: Callable[[str], bool] | None,
) -> None:
    if actor_may is not None and not actor_may(transition.scope):
        raise Forbidden(f"需要权限 {transition.scope}")
    taken = [(step.name, step.actor) for step in steps]
    earlier = same_hands(transition, taken, session.info["actor"])
    if earlier is not None:
        raise SameHands(barred_text(matter, earlier))
    if transition.needs_reason and not reason.strip():
        raise ReasonMissing(transition.title)


def barred_text(matter: Matter, earlier: str) -> str:
    """Why four eyes bar the caller, naming the step that he took."""
    titles = (one.title for one in matter.transitions if one.name == earlier)
    return f"您已办理本件的“{next(titles, '登记')}”，此步须由他人办理"


def _step(
    session: AsyncSession, case: CaseFile, position: int, *, name: str, source: str, target: str
) -> CaseStep:
    return CaseStep(
        id=new_id(),
        case_id=case.id,
        unit_id=case.unit_id,
        position=position,
        name=name,
        source=source,
        target=target,
        actor=session.info["actor"],
        organisation=session.info["organisation"],
        at=now(session),
        on_day=today(session),
        responsible=case.unit_id,
        reason=None,
        clock=Clock.NONE,
        clock_reason="",
        clock_until=None,
        data={},
    )


def _enter(
    case: CaseFile, matter: Matter, transition: Transition, step: CaseStep, outcome: Outcome | None
) -> None:
    if transition.target:
        case.state, case.entered_on = transition.target, step.on_day
    if outcome is not None:
        case.ended = outcome
    if transition.clock is Clock.START and case.accepted_on is None:
        case.accepted_on = step.on_day
    if transition.clock is Clock.STOP and outcome not in _UNDECIDED_ENDS:
        case.decided_on = step.on_day
    if matter.state(case.state).final:
        case.closed_on = case.closed_on or step.on_day


def _reckon(case: CaseFile, steps: Sequence[CaseStep], day: date) -> None:
    """Keep the limit that ends next; a clock that stopped is nobody's concern any more."""
    total = total_reading(case, steps, day)
    if total is not None and total.stopped_on is not None:
        total = None
    asked = [one for one in (total, step_reading(case, steps, day)) if one and one.due]
    if case.closed_on is not None:
        asked = []
    running = [one for one in asked if one.light is not Light.PAUSED]
    nearest = running or asked
    case.paused = bool(asked) and not running
    ends = [one.paused_until for one in asked if one.paused_until] if case.paused else []
    case.paused_until = min(ends, default=None)
    case.due_on = min((one.due for one in nearest if one.due), default=None)
    case.amber_on = min((one.amber_from for one in nearest if one.amber_from), default=None)
    case.provisional = any(one.provisional for one in nearest)


def _ticks(steps: Sequence[CaseStep]) -> list[Tick]:
    return [Tick(step.on_day, step.clock, step.clock_reason, step.clock_until) for step in steps]


def crowded(steps: Sequence[CaseStep]) -> bool:
    """Whether the last step begins a period that is kept for the end of the case."""
    periods = len(_periods(steps))
    return periods > MOST_PERIODS - _TO_END and periods > len(_periods(steps[:-1]))


def _periods(steps: Sequence[CaseStep]) -> tuple[CasePeriod, ...]:
    """The state at the end of each day on which it, or the unit responsible, changed."""
    last_of_day = [list(group)[-1] for _, group in groupby(steps, lambda step: step.on_day)]
    periods: list[CasePeriod] = []
    for step in last_of_day:
        period = CasePeriod(from_=step.on_day, unit=step.responsible, state=step.target)
        if not periods or (periods[-1].unit, periods[-1].state) != (period.unit, period.state):
            periods.append(period)
    return tuple(periods)


async def _tell(
    session: AsyncSession, case: CaseFile, matter: Matter, name: str, verb: str, event: Contract
) -> None:
    await audit.record(session, action=f"case.{name}", subject=str(case.id), purpose=matter.title)
    await emit(session, case, verb, event)
