"""What the measures are worth on an area, from sums that were read from the ledger at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from chassis.law.units import Register
from services.indicator.ledger.rules import (
    Balance,
    Measure,
    ReportedAt,
    Span,
    counted,
    figure,
    marked,
    present_keys,
)
from services.indicator.plans.expressions import TOWNS, Need
from services.indicator.plans.grounds import Area, ground


class Nothing:
    """Values of a day on which the area does not exist: none is known."""

    def value(self, measure: str, day: date) -> None:  # noqa: ARG002 - as `Values` has it
        return None


def spans(measures: Mapping[str, Measure], needs: Iterable[Need]) -> set[Span]:
    """What has to be summed to know the values of `needs`."""
    found = set()
    for code, day in needs:
        if code == TOWNS:
            continue
        measure = measures[code]
        found.add(counted(measure, day))
        if not measure.is_register:
            found.add(marked(measure, day))
    return found


@dataclass(frozen=True, slots=True)
class LedgerValues:
    """The values of one area; `sums` of all units seen, `registers` with the day each began."""

    measures: Mapping[str, Measure]
    area: Area
    register: Register
    sums: Mapping[Span, Sequence[Balance]]
    registers: Mapping[str, date]
    _told: dict[Need, Decimal | None] = field(default_factory=dict, repr=False, compare=False)

    def value(self, measure: str, day: date) -> Decimal | None:
        need = (measure, day)
        if need not in self._told:
            self._told[need] = self._value(measure, day)
        return self._told[need]

    def present(self, measure: Measure, day: date) -> set[int]:
        """The towns that a presence counts."""
        there = ground(self.area, self.register, day)
        if there is None:
            return set()
        keys = present_keys(measure, self.sums[counted(measure, day)], there)
        return {key for key in keys if isinstance(key, int)}

    def unreported(self, measure: Measure, day: date) -> frozenset[int]:
        """The towns that have told no figure of what each town reports, where others have."""
        if measure.reported_at is not ReportedAt.TOWN:
            return frozenset()
        town_of = self.register.on(day).town_of
        told = {mark.unit for mark in self.sums[marked(measure, day)] if mark.amount > 0}
        return self.area.towns(day) - {town_of(unit) for unit in told}

    def _value(self, code: str, day: date) -> Decimal | None:
        there = ground(self.area, self.register, day)
        if there is None:
            return None
        if code == TOWNS:
            return Decimal(len(self.area.towns(day)))
        measure = self.measures[code]
        return figure(
            measure, day, self.sums[counted(measure, day)], self._marks(measure, day), there
        )

    def _marks(self, measure: Measure, day: date) -> Sequence[Balance]:
        if not measure.is_register:
            return self.sums[marked(measure, day)]
        began = self.registers.get(measure.marker)
        if began is None or began > day:
            return ()
        return (Balance("", self.area.home, Decimal(1)),)
