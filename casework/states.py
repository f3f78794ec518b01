"""States and transitions of a matter (事项), as one table; nothing here knows a programme."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

DELIVER = "deliver"
"""The name that a matter gives to the step which delivers its decision."""


class Clock(StrEnum):
    """What a step does to the statutory clock (domain.md C1: 办件 model)."""

    NONE = "none"
    START = "start"  # 受理: the day itself is not counted (民法典 art. 201)
    SUSPEND = "suspend"  # 特别程序 begins; whether it counts is the limit's own rule
    RESUME = "resume"
    STOP = "stop"  # 决定, 撤回 or 终止


class Party(StrEnum):
    """Whose turn it is in a state."""

    APPLICANT = "applicant"
    TOWN = "town"  # 镇街
    COUNTY = "county"  # 区民政局
    DECIDER = "decider"  # whichever of the two decides this case
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class State:
    """`process` is the name under which to-do lists group it (环节)."""

    code: str
    title: str
    process: str
    turn: Party
    final: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from any of `sources` to `target`; `target` "" stays where it is.

    `apart_from` names steps whose actor may not take this one (four eyes); `event` is the verb
    that is published; `article` is the source.
    """

    name: str
    title: str
    sources: frozenset[str]
    target: str
    scope: str
    event: str
    article: str
    clock: Clock = Clock.NONE
    apart_from: frozenset[str] = frozenset()
    needs_reason: bool = False


class NotPermitted(Exception):  # noqa: N818 - says what happened
    """The step is not in the table for this state; `possible` are those that are."""

    def __init__(self, state: State, possible: tuple[Transition, ...]) -> None:
        super().__init__(state.code)
        self.state = state
        self.possible = possible


@dataclass(frozen=True)
class Matter:
    """A matter's whole table.

    Raises:
        ValueError: an unknown state, two rows for one step and state, a final state that is left
            for another, or a state that nothing leads to.
    """

    code: str
    title: str
    short: str
    """Two to four capitals that stand in the case's number."""
    initial: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    _by_code: dict[str, State] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_code", {state.code: state for state in self.states})
        if len(self._by_code) != len(self.states):
            raise ValueError(f"{self.code}: a state stands twice")
        reached = {self.initial} | {one.target for one in self.transitions if one.target}
        named = reached.union(*(one.sources for one in self.transitions))
        if named != self._by_code.keys() or reached != self._by_code.keys():
            raise ValueError(f"{self.code}: states that are not named or not reached")
        rows = [(source, one.name) for one in self.transitions for source in one.sources]
        if len(rows) != len(set(rows)):
            raise ValueError(f"{self.code}: two rows for one step and state")
        for one in self.transitions:
            if one.target and any(self._by_code[source].final for source in one.sources):
                raise ValueError(f"{self.code}: {one.name} leaves a final state")

    def state(self, code: str) -> State:
        return self._by_code[code]

    def permitted(self, state: str) -> tuple[Transition, ...]:
        """The steps that may be taken from a state, in the order of the table."""
        return tuple(one for one in self.transitions if state in one.sources)

    def transition(self, state: str, name: str) -> Transition:
        """The row for a step.

        Raises:
            NotPermitted: the table has none for this state.
        """
        possible = self.permitted(state)
        found = next((one for one in possible if one.name == name), None)
        if found is None:
            raise NotPermitted(self._by_code[state], possible)
        return found

    def scope_of(self, name: str) -> str:
        """The scope that a step takes, from whatever state.

        Raises:
            ValueError: the table has no such step.
        """
        found = next((one.scope for one in self.transitions if one.name == name), None)
        if found is None:
            raise ValueError(f"{self.code}: no step {name}")
        return found

    @cached_property
    def scopes(self) -> frozenset[str]:
        return frozenset(one.scope for one in self.transitions)


def same_hands(transition: Transition, taken: Iterable[tuple[str, str]], actor: str) -> str | None:
    """The earlier step that bars the actor from this one; `taken` are (step, actor), in order."""
    barred = (name for name, by in taken if name in transition.apart_from and by == actor)
    return next(barred, None)
