"""The ledger's law: what each subject's timeline posts, and what a figure is on a day.

The entries of a subject are a pure function of its latest event. On each event they are derived
anew, and only the difference to what stands is appended; so a fact learnt late corrects every
later day, and a known future end is posted at once.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from contracts.events.community import SocialWorker
from contracts.events.eldercare import (
    Facility,
    FacilityFunction,
    FacilityKind,
    FacilityPeriod,
    OperatorKind,
)
from contracts.events.indicator import FigureSeries
from contracts.events.relief import Area, Award, AwardPeriod, AwardState, Standard

FACILITY_TOPIC = "minzheng.eldercare.facility"
STANDARD_TOPIC = "minzheng.relief.standard"
AWARD_TOPIC = "minzheng.relief.award"
SOCIAL_WORKER_TOPIC = "minzheng.community.social_worker"
FIGURE_TOPIC = "minzheng.indicator.figure"
UNIT_TOPIC = "minzheng.placename.unit"

BEDS = "eldercare.beds"
INSTITUTIONS = "eldercare.institution.count"
INSTITUTION_BEDS = "eldercare.institution.beds"
NURSING_BEDS = "eldercare.institution.nursing_beds"
GOVERNMENT_BEDS = "eldercare.institution.government_beds"
PASSED = "eldercare.institution.passed"
COMPREHENSIVE = "eldercare.comprehensive"
SOCIAL_WORKERS = "community.social_workers"
CERTIFIED_SOCIAL_WORKERS = "community.social_workers.certified"
AWARD_HOUSEHOLDS = "relief.award.households"
AWARD_PERSONS = "relief.award.persons"
AWARD_AMOUNT = "relief.award.amount"

KNOWN = "#known"
"""Suffix of a marker measure, by which a known zero differs from what nobody has told."""
REGISTER_MARKERS = frozenset(
    f"{topic}{KNOWN}" for topic in (FACILITY_TOPIC, SOCIAL_WORKER_TOPIC, AWARD_TOPIC)
)
"""Markers of what is_register: known to all units alike, whichever unit's subject came first."""


class MeasureKind(StrEnum):
    STOCK = "stock"  # 时点数: sum of the amounts up to the day
    FLOW = "flow"  # 时期数: sum from 1 January of the day's year
    LEVEL = "level"  # 标准、比率: the one in force, never summed over units
    PRESENCE = "presence"  # 个数: number of keys whose sum is above zero


class KeyKind(StrEnum):
    NONE = "none"
    TOWN = "town"  # follows from the entry's unit by the tree of the day
    PERSON = "person"  # a pseudonym


class ReportedAt(StrEnum):
    """The unit for which a figure is reported (填报)."""

    DISTRICT = "district"
    TOWN = "town"


@dataclass(frozen=True, slots=True)
class Measure:
    """What indicators are made of; `topic` is None where the figures are reported (填报)."""

    code: str
    name: str
    kind: MeasureKind
    key: KeyKind
    unit: str
    service: str
    topic: str | None = None
    reported_at: ReportedAt | None = None
    starts: date | None = None
    yearly: bool = False
    decimals: int = 0
    note: str = ""

    @property
    def is_register(self) -> bool:
        """Kept by events of many subjects: once any is there, a unit without one has zero."""
        return self.topic is not None and self.kind is not MeasureKind.LEVEL

    @property
    def marker(self) -> str:
        """The measure whose entries tell from when this one is known."""
        return f"{self.topic if self.is_register else self.code}{KNOWN}"


class _Dated(Protocol):
    @property
    def from_(self) -> date: ...


_Row = TypeVar("_Row", bound=_Dated)


def in_force(rows: Sequence[_Row], day: date) -> _Row | None:
    """The last of `rows` that began by `day`; rows stand in the order of their first day."""
    index = bisect_right(rows, day, key=_first_day)
    return rows[index - 1] if index else None


def _first_day(row: _Dated) -> date:
    return row.from_


@dataclass(frozen=True, slots=True)
class InstitutionKinds:
    from_: date
    kinds: frozenset[FacilityKind]


@dataclass(frozen=True, slots=True)
class ComprehensiveFunctions:
    from_: date
    functions: frozenset[FacilityFunction]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the entries depend on beside the event: dated tables, and the measures declared."""

    institution_kinds: tuple[InstitutionKinds, ...]
    comprehensive_functions: tuple[ComprehensiveFunctions, ...]
    measures: Mapping[str, Measure]

    def table_days(self) -> set[date]:
        return {row.from_ for row in self.institution_kinds} | {
            row.from_ for row in self.comprehensive_functions
        }

    def is_institution(self, kind: FacilityKind, day: date) -> bool:
        row = in_force(self.institution_kinds, day)
        return row is not None and kind in row.kinds

    def is_comprehensive(self, functions: Collection[FacilityFunction], day: date) -> bool:
        row = in_force(self.comprehensive_functions, day)
        return row is not None and row.functions.issubset(functions)


class Entry(NamedTuple):
    """`amount` is added to the measure at the unit, under the key, from `effective` on.

    A tuple, for each event makes dozens: its first four fields are its slot.
    """

    measure: str
    key: str
    unit: int
    effective: date
    amount: Decimal


_ZERO = Decimal(0)

Subject: TypeAlias = Facility | Standard | FigureSeries | SocialWorker | Award
Slot: TypeAlias = tuple[str, str, int, date]
_State: TypeAlias = Mapping[tuple[str, str, int], Decimal]


class UnknownMeasureError(ValueError):
    """A figure was reported for a measure that no plan declares as reported."""


def entries(subject: Subject, parameters: Parameters) -> tuple[Entry, ...]:
    """All entries of a subject, in order, at most one for each measure, key, unit and day."""
    match subject:
        case Facility():
            return _facility(subject, parameters)
        case Standard():
            return _standard(subject, parameters)
        case Award():
            return _award(subject)
        case SocialWorker():
            return _social_worker(subject)
        case FigureSeries():
            return _figure_series(subject, parameters)


def difference(standing: Mapping[Slot, Decimal], wanted: Iterable[Entry]) -> list[Entry]:
    """What has to be appended to a subject's standing sums so that they become `wanted`."""
    target: dict[Slot, Decimal] = {entry[:4]: entry.amount for entry in wanted}
    return sorted(Entry(*slot, amount) for slot, amount in _moved(standing, target))


_Slot = TypeVar("_Slot")


def _moved(
    before: Mapping[_Slot, Decimal], after: Mapping[_Slot, Decimal]
) -> Iterator[tuple[_Slot, Decimal]]:
    """What is added where, so that `before` becomes `after`."""
    for slot, amount in after.items():
        stood = before.get(slot, _ZERO)
        if amount != stood:
            yield slot, amount - stood
    for slot in before.keys() - after.keys():
        if before[slot]:
            yield slot, -before[slot]


def year_later(day: date) -> date:
    """The same day of the next year; 29 February becomes 28 February."""
    return _same_day(day, day.year + 1)


def year_earlier(day: date) -> date:
    """The same day of the year before; 29 February becomes 28 February."""
    return _same_day(day, day.year - 1)


def _same_day(day: date, year: int) -> date:
    if (day.month, day.day) == (2, 29):
        return date(year, 2, 28)
    return day.replace(year=year)


def _steps(days: Iterable[date], state_on: Callable[[date], _State]) -> tuple[Entry, ...]:
    """The entries of a step function that changes at most on `days`."""
    posted: list[Entry] = []
    before: _State = {}
    for day in sorted(set(days)):
        now = state_on(day)
        posted += [Entry(*slot, day, amount) for slot, amount in _moved(before, now)]
        before = now
    return tuple(sorted(posted))


def _facility(facility: Facility, parameters: Parameters) -> tuple[Entry, ...]:
    opened = next((period for period in facility.periods if period.open), None)
    if opened is None:
        return ()
    marker = (f"{FACILITY_TOPIC}{KNOWN}", "", opened.unit)
    passes = _passing_days(facility)

    def state_on(day: date) -> _State:
        period = in_force(facility.periods, day)
        if period is None or day < opened.from_:
            return {}
        amounts = _facility_amounts(period, parameters, day, passed=_passes_on(passes, day))
        state = {(measure, "", period.unit): Decimal(n) for measure, n in amounts.items()}
        return state | {marker: Decimal(1)}

    starts = {period.from_ for period in facility.periods}
    return _steps(starts | parameters.table_days() | passes.keys(), state_on)


def _facility_amounts(
    period: FacilityPeriod, parameters: Parameters, day: date, *, passed: bool
) -> dict[str, int]:
    """Table 1 #14 to #18 (domain.md A10): only what is open counts."""
    if not period.open:
        return {}
    comprehensive = parameters.is_comprehensive(period.functions, day)
    everywhere = {BEDS: period.beds_in_use, COMPREHENSIVE: int(comprehensive)}
    if not parameters.is_institution(period.kind, day):
        return everywhere
    by_government = period.operator is OperatorKind.GOVERNMENT
    return everywhere | {
        INSTITUTIONS: 1,
        INSTITUTION_BEDS: period.beds,
        NURSING_BEDS: period.nursing_beds,
        GOVERNMENT_BEDS: period.beds if by_government else 0,
        PASSED: int(passed),
    }


def _passing_days(facility: Facility) -> dict[date, bool]:
    """Days on which the result of assessment changes; it counts for a year or until the next."""
    results = {a.assessed_on: a.passed for a in facility.assessments}
    lapses = {year_later(day) for day in results if not _assessed_within_year(day, results)}
    return dict.fromkeys(lapses, False) | results


def _assessed_within_year(day: date, results: Mapping[date, bool]) -> bool:
    return any(day < other <= year_later(day) for other in results)


def _passes_on(changes: Mapping[date, bool], day: date) -> bool:
    latest = max((change for change in changes if change <= day), default=None)
    return latest is not None and changes[latest]


def _standard(standard: Standard, parameters: Parameters) -> tuple[Entry, ...]:
    measure = f"relief.standard.{standard.code}.{standard.area}"
    if measure not in parameters.measures:
        return ()
    amounts = {period.from_: period.amount for period in standard.periods}
    return _series(measure, standard.unit, amounts, yearly=False)


def _award(award: Award) -> tuple[Entry, ...]:
    first = next((period for period in award.periods if _is_awarded(period)), None)
    if first is None:
        return ()
    marker = (f"{AWARD_TOPIC}{KNOWN}", "", first.unit)

    def state_on(day: date) -> _State:
        period = in_force(award.periods, day)
        if period is None or day < first.from_:
            return {}
        amounts = _award_amounts(period).items()
        return {(measure, "", period.unit): n for measure, n in amounts} | {marker: Decimal(1)}

    return _steps((period.from_ for period in award.periods), state_on)


def _is_awarded(period: AwardPeriod) -> bool:
    """Whether the household is on the rolls (在保): so it is until the grace (渐退) has ended."""
    return period.state is not AwardState.STOPPED


def _award_amounts(period: AwardPeriod) -> dict[str, Decimal]:
    """Of all areas, and of the period's own where it is one of the two."""
    if not _is_awarded(period):
        return {}
    everywhere = {
        AWARD_HOUSEHOLDS: Decimal(1),
        AWARD_PERSONS: Decimal(period.persons),
        AWARD_AMOUNT: period.amount + period.extras,
    }
    if period.area is Area.ALL:
        return everywhere
    return everywhere | {f"{measure}.{period.area}": n for measure, n in everywhere.items()}


def _social_worker(worker: SocialWorker) -> tuple[Entry, ...]:
    periods = sorted(worker.periods, key=lambda period: period.from_)
    first = next((period for period in periods if period.registered), None)
    if first is None:
        return ()
    key = str(worker.person)
    marker = (f"{SOCIAL_WORKER_TOPIC}{KNOWN}", "", first.unit)

    def state_on(day: date) -> _State:
        period = in_force(periods, day)
        if period is None or day < first.from_:
            return {}
        state = {marker: Decimal(1)}
        if not period.registered:
            return state
        state[SOCIAL_WORKERS, key, period.unit] = Decimal(1)
        if period.certified:
            state[CERTIFIED_SOCIAL_WORKERS, key, period.unit] = Decimal(1)
        return state

    return _steps((period.from_ for period in periods), state_on)


def _figure_series(series: FigureSeries, parameters: Parameters) -> tuple[Entry, ...]:
    measure = parameters.measures.get(series.measure)
    if measure is None or measure.topic is not None:
        raise UnknownMeasureError(f"{series.measure} is not a reported measure")
    values = {figure.on: figure.value for figure in series.figures}
    if measure.kind is MeasureKind.FLOW:
        return _cumulative(measure.code, series.unit, values)
    return _series(measure.code, series.unit, values, yearly=measure.yearly)


def _series(
    measure: str, unit: int, values: Mapping[date, Decimal], *, yearly: bool
) -> tuple[Entry, ...]:
    """Each value holds until the next one; a yearly one no longer than its calendar year.

    The marker gets 1 at each value's day, so that the last marked day tells a figure's age.
    """
    days = sorted(values)

    def state_on(day: date) -> _State:
        told = [d for d in days if d <= day and (not yearly or d.year == day.year)]
        if not told:
            return {}
        return {
            (measure, "", unit): values[told[-1]],
            (f"{measure}{KNOWN}", "", unit): Decimal(len(told)),
        }

    ends = {date(day.year + 1, 1, 1) for day in days} if yearly else set()
    return _steps(values.keys() | ends, state_on)


def _cumulative(measure: str, unit: int, values: Mapping[date, Decimal]) -> tuple[Entry, ...]:
    """A flow is reported as a total since 1 January: entries are the differences in the year."""
    posted = [Entry(f"{measure}{KNOWN}", "", unit, day, Decimal(1)) for day in values]
    total: defaultdict[int, Decimal] = defaultdict(Decimal)
    for day, value in sorted(values.items()):
        if value != total[day.year]:
            posted.append(Entry(measure, "", unit, day, value - total[day.year]))
        total[day.year] = value
    return tuple(sorted(posted))


class Balance(NamedTuple):
    """The sum of one measure's entries under one key at one unit; a view reads thousands."""

    key: str
    unit: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Ground:
    """What a figure is asked for, by the tree of its day: a scope (管辖口径), a town, a village.

    `home` is the unit whose levels hold there; `covers` says whether an entry's unit counts
    (for a scope: what lies under its towns, and the district itself).
    """

    home: int
    covers: Callable[[int], bool]
    town_of: Callable[[int], int | None]


@dataclass(frozen=True, slots=True)
class Span:
    """A measure's entries from `since` (the beginning of all time, or 1 January) to `until`."""

    measure: str
    since: date
    until: date

    @property
    def whole(self) -> bool:
        return self.since == date.min


def counted(measure: Measure, day: date) -> Span:
    """The entries that make up the figure on `day`."""
    return Span(measure.code, counted_since(measure, day), day)


def marked(measure: Measure, day: date) -> Span:
    """The marker's entries that make the figure on `day` known."""
    return Span(measure.marker, marked_since(measure, day), day)


def counted_since(measure: Measure, day: date) -> date:
    """First effective day of the entries that make up the figure on `day`."""
    return date(day.year, 1, 1) if measure.kind is MeasureKind.FLOW else date.min


def marked_since(measure: Measure, day: date) -> date:
    """First effective day of the marker's entries that make the figure on `day` known."""
    return date.min if measure.is_register else counted_since(measure, day)


def figure(
    measure: Measure,
    day: date,
    balances: Iterable[Balance],
    marks: Iterable[Balance],
    ground: Ground,
) -> Decimal | None:
    """The measure's value; None as long as nobody has told it (not known is not zero).

    `balances` are the measure's sums from `counted_since` to `day`, `marks` those of its marker
    from `marked_since` to `day`, both of all units.
    """
    if not _is_known(measure, day, marks, ground):
        return None
    if measure.kind is MeasureKind.PRESENCE:
        return Decimal(len(present_keys(measure, balances, ground)))
    return sum((b.amount for b in _counted(measure, balances, ground)), Decimal(0))


def present_keys(
    measure: Measure, balances: Iterable[Balance], ground: Ground
) -> set[str] | set[int]:
    """The keys that a presence counts: pseudonyms, or ids of towns."""
    covered = _counted(measure, balances, ground)
    if measure.key is KeyKind.TOWN:
        towns = ((ground.town_of(b.unit), b.amount) for b in covered)
        return _above_zero((town, amount) for town, amount in towns if town is not None)
    return _above_zero((b.key, b.amount) for b in covered)


_Key = TypeVar("_Key", str, int)


def _above_zero(amounts: Iterable[tuple[_Key, Decimal]]) -> set[_Key]:
    sums: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    for key, amount in amounts:
        sums[key] += amount
    return {key for key, total in sums.items() if total > 0}


def _counted(measure: Measure, balances: Iterable[Balance], ground: Ground) -> list[Balance]:
    if measure.kind is MeasureKind.LEVEL:
        return [b for b in balances if b.unit == ground.home]
    return [b for b in balances if ground.covers(b.unit)]


def _is_known(measure: Measure, day: date, marks: Iterable[Balance], ground: Ground) -> bool:
    if measure.starts is not None:
        return day >= measure.starts
    counted = marks if measure.is_register else _counted(measure, marks, ground)
    return any(mark.amount > 0 for mark in counted)
