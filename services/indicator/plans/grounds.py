"""What a figure is asked for: a plan's scope (管辖口径), or a unit, each by the tree of the day."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from chassis.law.units import Register, Scope
from services.indicator.ledger.rules import Ground


class Area(Protocol):
    @property
    def home(self) -> int:
        """The unit whose levels hold there."""
        ...

    def covered(self, day: date) -> frozenset[int]:
        """All units that count on the day; empty where the area does not exist."""
        ...

    def towns(self, day: date) -> frozenset[int]:
        """The streets and towns that count on the day."""
        ...


@dataclass(frozen=True, slots=True)
class ScopeArea:
    """The subtrees of a scope's towns, and what is recorded for the district itself."""

    scope: Scope
    home: int
    register: Register
    _covered: dict[date, frozenset[int]] = field(default_factory=dict, repr=False, compare=False)

    def covered(self, day: date) -> frozenset[int]:
        if day not in self._covered:
            towns = self.towns(day)
            below = (self.register.below(town, day) for town in towns)
            home = {self.home} if towns else frozenset()
            self._covered[day] = frozenset[int](home).union(*below)
        return self._covered[day]

    def towns(self, day: date) -> frozenset[int]:
        return self.scope.members(day)


@dataclass(frozen=True, slots=True)
class UnitArea:
    """A unit with all below it: a town, a village, another county."""

    home: int
    register: Register

    def covered(self, day: date) -> frozenset[int]:
        return self.register.below(self.home, day)

    def towns(self, day: date) -> frozenset[int]:
        return self.covered(day).intersection(self.register.towns(day))


def ground(area: Area, register: Register, day: date) -> Ground | None:
    """The area on a day; None where it does not exist then."""
    covered = area.covered(day)
    if not covered:
        return None
    return Ground(area.home, covered.__contains__, register.on(day).town_of)
