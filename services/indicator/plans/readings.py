"""Indicators read from the ledger: all that they need, for all of their days, in one query."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

from services.indicator.ledger import repository
from services.indicator.ledger.repository import Within
from services.indicator.ledger.rules import Balance, MeasureKind, Span, counted, marked
from services.indicator.plans.access import Desk, View, area_of
from services.indicator.plans.expressions import TOWNS, Need
from services.indicator.plans.grounds import Area
from services.indicator.plans.rules import Indicator, Reading, read, reading_requirements
from services.indicator.plans.values import LedgerValues, Nothing, spans


@dataclass(frozen=True, slots=True)
class Sums:
    """What was read from the ledger, for any area over it."""

    desk: Desk
    spans: Mapping[Span, Sequence[Balance]]
    registers: Mapping[str, date]

    def over(self, area: Area) -> LedgerValues:
        desk = self.desk
        return LedgerValues(desk.plan.measures, area, desk.register, self.spans, self.registers)


@dataclass(frozen=True, slots=True)
class Made:
    """A reading with the values that it was made from."""

    reading: Reading
    values: LedgerValues
    sources: Sequence[Need]
    """Measures and days that were known, and that the value is made of."""

    @classmethod
    def of(cls, reading: Reading, values: LedgerValues) -> Self:
        known = sorted(
            (code, day)
            for code, day in reading.sources
            if code != TOWNS and values.value(code, day) is not None
        )
        return cls(reading, values, known if values.area.covered(reading.day) else ())

    def units_of(self, code: str, day: date) -> frozenset[int]:
        """The units whose entries count: a level's home alone."""
        area = self.values.area
        if self.values.measures[code].kind is MeasureKind.LEVEL:
            return frozenset({area.home})
        return area.covered(day)


async def fetch(desk: Desk, seen: View, needs: Iterable[Need]) -> Sums:
    units: Collection[int] = desk.units
    if seen.unit is not None:
        units = desk.units & desk.register.ever_below(seen.unit)
    asked = spans(desk.plan.measures, needs)
    return Sums(
        desk,
        await repository.sums(desk.session, units, asked, seen.known_before),
        await repository.first_marks(desk.session, seen.known_on),
    )


async def readings(desk: Desk, seen: View, asked: Sequence[tuple[Indicator, date]]) -> list[Made]:
    """Each indicator on its day, over the area that the view means for it."""
    needs = {need for one, day in asked for need in reading_requirements(one, day)}
    sums = await fetch(desk, seen, needs)
    scopes = {one.scope for one, _ in asked}
    values = {scope: sums.over(area_of(desk, seen, scope)) for scope in scopes}
    whole = seen.unit is None
    return [
        Made.of(_read(desk, one, values[one.scope], day, whole=whole), values[one.scope])
        for one, day in asked
    ]


def _read(desk: Desk, one: Indicator, values: LedgerValues, day: date, *, whole: bool) -> Reading:
    exists = bool(values.area.covered(day))
    return read(desk.plan, one, values if exists else Nothing(), day, whole=whole)


async def reported_days(desk: Desk, seen: View, made: Iterable[Made]) -> dict[str, date]:
    """By measure, the day of the last reported figure (填报) that counts."""
    asked = {}
    for one in made:
        for code, day in one.sources:
            measure = desk.plan.measures[code]
            if measure.topic is None:
                asked[measure.marker] = Within(marked(measure, day), one.units_of(code, day))
    found = await repository.last_days(desk.session, asked.values(), seen.known_before)
    by_marker = {measure.marker: code for code, measure in desk.plan.measures.items()}
    return {by_marker[marker]: day for marker, day in found.items()}


def lineage_spans(made: Made) -> list[Within]:
    """The entries that make up the reading's value, and the marks of the figures reported."""
    found = []
    for code, day in made.sources:
        measure, units = made.values.measures[code], made.units_of(code, day)
        found.append(Within(counted(measure, day), units))
        if measure.topic is None:
            found.append(Within(marked(measure, day), units))
    return found
