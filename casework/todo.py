"""Whose turn it is: from a matter's table, the caller's scopes and what he did before."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from casework.clock import Light
from casework.repository import Count, Task
from casework.schemas import ProcessCount
from casework.states import Matter, Party, State, Transition
from chassis.law.units import Register

_NO_CLERK = frozenset({Party.APPLICANT, Party.NOBODY})


@dataclass(frozen=True, slots=True)
class Organ:
    """Steps that fall now to one organ, now to another: those of `scope` on the cases `where`.

    `why` says who takes them on the others.
    """

    scope: str
    where: ColumnElement[bool]
    why: str


Organs = Callable[[AsyncSession, Register, Collection[int]], Awaitable[Mapping[str, Organ]]]
"""By matter what falls today to the organ of a caller who sees these units."""


def steps_on(matter: Matter, state: State) -> tuple[Transition, ...]:
    """The steps by which a case goes on from a state; a matter's states stand in their order.

    Where one leads forward, those that lead back, stay, or end the case (withdrawal, termination)
    wait for an occasion, not for a clerk. While the applicant has the turn nothing does.
    """
    if state.final or state.turn in _NO_CLERK:
        return ()
    order = [one.code for one in matter.states]
    leaving = [
        one
        for one in matter.permitted(state.code)
        if one.scope and one.target not in {"", state.code}
    ]
    onward = [one for one in leaving if not matter.state(one.target).final]
    forward = [one for one in onward if order.index(one.target) > order.index(state.code)]
    return tuple(forward or onward or leaving)


def tasks(
    matters: Iterable[Matter],
    may: Callable[[str], bool],
    process: str | None = None,
    organs: Mapping[str, Organ] | None = None,
) -> list[Task]:
    """The states in which a holder of these scopes has something to do."""
    found = []
    held = organs or {}
    for matter in matters:
        for state in matter.states:
            if process is not None and state.process != process:
                continue
            steps = [one for one in steps_on(matter, state) if may(one.scope)]
            if steps:
                apart = tuple(one.apart_from for one in steps)
                where = tuple(_where(one, held.get(matter.code)) for one in steps)
                found.append(Task(matter.code, state.code, apart, where))
    return found


def _where(step: Transition, organ: Organ | None) -> ColumnElement[bool] | None:
    return organ.where if organ is not None and step.scope == organ.scope else None


def by_process(matters: Iterable[Matter], counts: Iterable[Count]) -> list[ProcessCount]:
    """The counts by process (环节), in the order of the matters' states."""
    lights: dict[tuple[str, str], Counter[Light]] = defaultdict(Counter)
    for one in counts:
        lights[one.matter, one.state][one.light] += one.cases
    summed: dict[str, Counter[Light]] = {}
    for matter in matters:
        for state in matter.states:
            if (matter.code, state.code) in lights:
                of_process = summed.setdefault(state.process, Counter())
                of_process.update(lights[matter.code, state.code])
    return [
        ProcessCount(
            process=process,
            title=process,
            count=found.total(),
            green=found[Light.GREEN],
            amber=found[Light.AMBER],
            red=found[Light.RED],
            paused=found[Light.PAUSED],
        )
        for process, found in summed.items()
    ]
