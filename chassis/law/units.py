"""Units (区划单位) and scopes (管辖口径) on a day: the tree that access and roll-up stand on."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from types import MappingProxyType

from contracts.events.placename import PlaceUnit, UnitLevel, UnitPeriod
from contracts.places import ScopeData

_RANK = {
    UnitLevel.COUNTY: 0,
    UnitLevel.STREET: 1,
    UnitLevel.TOWN: 1,
    UnitLevel.COMMUNITY: 2,
    UnitLevel.VILLAGE: 2,
}
_TOWN_RANK = 1


class RegisterError(ValueError):
    """The units contradict one another: a code used twice, days out of order, a wrong parent."""


class Tree:
    """The units that exist on one day. Every look-up is O(1); `below` is cached."""

    def __init__(self, periods: Mapping[int, UnitPeriod]) -> None:
        """`periods` holds the period in force of each unit that exists."""
        self.units = MappingProxyType(dict(sorted(periods.items())))
        self.towns = tuple(unit for unit in self.units if self._rank(unit) == _TOWN_RANK)
        self._children: dict[int, list[int]] = defaultdict(list)
        for unit, period in self.units.items():
            if period.parent is not None:
                self._children[period.parent].append(unit)
        self._below: dict[int, frozenset[int]] = {}

    def parent(self, unit: int) -> int | None:
        period = self.units.get(unit)
        return period.parent if period else None

    def children(self, unit: int) -> tuple[int, ...]:
        """The units directly below, by id."""
        return tuple(self._children.get(unit, ()))

    def below(self, unit: int) -> frozenset[int]:
        """The unit and all below it; empty if it does not exist."""
        if unit not in self.units:
            return frozenset()
        if unit not in self._below:
            parts = (self.below(child) for child in self._children.get(unit, ()))
            self._below[unit] = frozenset({unit}).union(*parts)
        return self._below[unit]

    def town_of(self, unit: int) -> int | None:
        """The street or town that the unit is or belongs to; None for a county."""
        return self._at_rank(unit, _TOWN_RANK)

    def county_of(self, unit: int) -> int | None:
        """The county that the unit is or belongs to."""
        return self._at_rank(unit, _RANK[UnitLevel.COUNTY])

    def _rank(self, unit: int) -> int:
        return _RANK[self.units[unit].level]

    def _at_rank(self, unit: int | None, rank: int) -> int | None:
        while unit is not None and unit in self.units:
            if self._rank(unit) <= rank:
                return unit if self._rank(unit) == rank else None
            unit = self.units[unit].parent
        return None


class Register:
    """All units over all time; ids are stable, codes are those valid on the day asked about.

    A unit may name a parent that is not (yet) in the register: units come as single events.

    Raises:
        RegisterError: ids or codes are not unique over all time (行政区划代码管理办法, 民政部令
            第79号: a void code is never used again), or the levels do not form a tree.
    """

    def __init__(self, units: Iterable[PlaceUnit]) -> None:
        self._units: dict[int, PlaceUnit] = {}
        for unit in units:
            if unit.id in self._units:
                raise RegisterError(f"{unit.id}: 区划单位重复")
            self._units[unit.id] = unit
        self.ids = frozenset(self._units)
        for unit in self._units.values():
            self._check_order(unit)
        for unit in self._units.values():
            self._check_levels(unit)
        self._days = {
            unit.id: [period.from_ for period in unit.periods] for unit in self._units.values()
        }
        self._by_code = self._codes()
        self._changes = sorted({day for days in self._days.values() for day in days})
        self._trees: dict[int, Tree] = {}
        self._ever_below: dict[tuple[int, int], frozenset[int]] = {}

    def on(self, day: date) -> Tree:
        """The tree of the day; the same object for all days between two changes."""
        index = bisect_right(self._changes, day)
        if index not in self._trees:
            in_force = {unit: self._period(unit, day) for unit in self._units}
            self._trees[index] = Tree(
                {unit: period for unit, period in in_force.items() if period and period.exists}
            )
        return self._trees[index]

    def by_code(self, code: str, day: date | None = None) -> int | None:
        """The unit whose 12-digit code this is on `day`; without a day, at any time.

        Where a unit's code of the day is not known, it goes by its last known one.
        """
        unit = self._by_code.get(code)
        if unit is None or day is None:
            return unit
        return unit if self.last_code_of(unit, day) == code else None

    def last_code_of(self, unit: int, day: date) -> str | None:
        """The code valid on the day, or the last one before it that was known."""
        known = [one.code for one in self._units[unit].periods if one.from_ <= day and one.code]
        return known[-1] if known else None

    def code_of(self, unit: int, day: date) -> str | None:
        """The code valid on the day; None where there is none or it is not known."""
        period = self._period(unit, day)
        return period.code if period else None

    def name_of(self, unit: int, day: date) -> str | None:
        """The name on the day; an abolished unit keeps its last one."""
        period = self._period(unit, day)
        return period.name if period else None

    def level_of(self, unit: int, day: date) -> UnitLevel | None:
        period = self._period(unit, day)
        return period.level if period else None

    def parent(self, unit: int, day: date) -> int | None:
        return self.on(day).parent(unit)

    def town_of(self, unit: int, day: date) -> int | None:
        """The street or town that the unit is or belongs to on the day; None for a county."""
        return self.on(day).town_of(unit)

    def county_of(self, unit: int, day: date) -> int | None:
        """The county that the unit is or belongs to on the day."""
        return self.on(day).county_of(unit)

    def below(self, unit: int, day: date) -> frozenset[int]:
        """The unit and all below it on the day; empty if it does not exist then."""
        return self.on(day).below(unit)

    def ever_below(self, unit: int, until: date = date.max) -> frozenset[int]:
        """The unit and all that stood below it on any day up to `until`.

        What a county's archive covers, though some of its towns have gone to another.
        """
        index = bisect_right(self._changes, until)
        if (unit, index) not in self._ever_below:
            below = (self.below(unit, day) for day in self._changes[:index])
            self._ever_below[unit, index] = frozenset().union(*below)
        return self._ever_below[unit, index]

    def covered(self, unit: int, day: date) -> frozenset[int]:
        """The unit and all below it on the day; of an abolished one, all that was ever below it."""
        return self.below(unit, day) or self.ever_below(unit, day)

    def ever_above(self, units: Iterable[int], until: date = date.max) -> frozenset[int]:
        """Every unit that one of these was below on any day up to `until`."""
        above: set[int] = set()
        waiting = list(units)
        while waiting:
            unit = self._units.get(waiting.pop())
            for period in unit.periods if unit else ():
                parent = period.parent if period.from_ <= until else None
                if parent is not None and parent not in above:
                    above.add(parent)
                    waiting.append(parent)
        return frozenset(above)

    def towns(self, day: date) -> tuple[int, ...]:
        """All streets and towns on the day, by id."""
        return self.on(day).towns

    def successors(self, unit: int) -> tuple[int, ...]:
        """The units that took the unit's place; empty while it lives."""
        return self._units[unit].successors if unit in self._units else ()

    def _period(self, unit: int, day: date) -> UnitPeriod | None:
        index = bisect_right(self._days.get(unit, []), day)
        return self._units[unit].periods[index - 1] if index else None

    def _check_order(self, unit: PlaceUnit) -> None:
        if any(earlier.from_ >= later.from_ for earlier, later in pairwise(unit.periods)):
            raise RegisterError(f"{unit.id}: 区划变更日期未按先后排列")
        if len({_RANK[period.level] for period in unit.periods}) > 1:
            raise RegisterError(f"{unit.id}: 区划单位的层级不能改变")

    def _check_levels(self, unit: PlaceUnit) -> None:
        """A parent stands one level above at least, so that no unit can be below itself."""
        for period in unit.periods:
            parent = self._units.get(period.parent) if period.parent is not None else None
            if parent and _RANK[parent.periods[0].level] >= _RANK[period.level]:
                raise RegisterError(f"{unit.id}: 上级单位的层级不高于本单位")

    def _codes(self) -> dict[str, int]:
        by_code: dict[str, int] = {}
        for unit in self._units.values():
            before: str | None = None
            for period in unit.periods:
                code = period.code
                if code is not None and code != before:
                    if code in by_code:
                        raise RegisterError(f"{code}: 区划代码不得重复使用")
                    by_code[code] = unit.id
                before = code
        return by_code


@dataclass(frozen=True, slots=True)
class ScopePeriod:
    """The units of a scope from `from_` to `to`, both included; `to` is None while it is open."""

    from_: date
    to: date | None
    units: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scope:
    """A dated set of units that a body serves (管辖口径), distinct from the tree."""

    code: str
    name: str
    periods: tuple[ScopePeriod, ...]

    @classmethod
    def of(cls, data: ScopeData) -> "Scope":
        return cls(
            data.code,
            data.name,
            tuple(ScopePeriod(p.from_, p.to, frozenset(p.units)) for p in data.periods),
        )

    def members(self, day: date) -> frozenset[int]:
        """The units of the scope on the day; empty before it begins and after it ends."""
        for period in self.periods:
            if period.from_ <= day and (period.to is None or day <= period.to):
                return period.units
        return frozenset()
