"""Whose turn it is: from a matter's table, the caller's scopes and what he did before."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from casework.clock import Light
from casework.repository import Count, Task
from casework.schemas import ProcessCount
from casework.states import Matter, Party, State, Transition

_NO_CLERK = frozenset({Party.APPLICANT, Party.NOBODY})


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
    matters: Iterable[Matter], may: Callable[[str], bool], process: str | None = None
) -> list[Task]:
    """The states in which a holder of these scopes has something to do."""
    found = []
    for matter in matters:
        for state in matter.states:
            if process is not None and state.process != process:
                continue
            steps = [one for one in steps_on(matter, state) if may(one.scope)]
            if steps:
                apart = tuple(one.apart_from for one in steps)
                found.append(Task(matter.code, state.code, apart))
    return found


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
