"""Facilities (养老服务设施) over time: what is true from which day, as known on which day.

Every attribute is a series of facts of its own; a fact is never changed, a correction takes its
place and says why. So a fact learnt late falls into its place, whatever was learnt before it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from chassis.law.dates import EARLIEST_DAY, add_years
from contracts.events.eldercare import (
    Facility,
    FacilityAssessment,
    FacilityFunction,
    FacilityKind,
    FacilityPeriod,
    OperatorKind,
)

YEARS_AHEAD = 2
"""How far ahead an opening, a change or a closing may be announced."""

MOST_FACTS = 200
"""Standing facts of one facility: what its event surely holds (256 KiB, 200 assessments)."""

INSTITUTION_MIN_BEDS = 10
"""Beds from which lodging with care is an institution (民政部令第66号; law/eldercare.md 4)."""


class Series(StrEnum):
    LIFE = "life"  # 开办、停办
    NAME = "name"  # 名称
    KIND = "kind"  # 类型
    PLACE = "place"  # 区划与地址
    OPERATOR = "operator"  # 运营方
    BEDS = "beds"  # 床位
    FUNCTIONS = "functions"  # 服务功能
    ASSESSMENT = "assessment"  # 服务质量评估


class State(StrEnum):
    """Where a facility stands on a day."""

    PLANNED = "planned"  # 待开办
    OPEN = "open"  # 在办
    CLOSED = "closed"  # 已停办
    VOID = "void"  # 登记作废


@dataclass(frozen=True, slots=True)
class Life:
    open: bool


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    kind: FacilityKind


@dataclass(frozen=True, slots=True)
class Place:
    unit_id: int
    address: str


@dataclass(frozen=True, slots=True)
class Operator:
    operator_name: str
    operator_kind: OperatorKind


@dataclass(frozen=True, slots=True)
class Beds:
    """核定床位, of these 护理型, and 实际投入使用 (law/eldercare.md 10)."""

    beds: int
    nursing_beds: int
    beds_in_use: int


@dataclass(frozen=True, slots=True)
class Functions:
    functions: tuple[FacilityFunction, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Assessed under GB/T 35796 on the fact's day."""

    passed: bool
    score: Decimal | None


Value = Life | Name | Kind | Place | Operator | Beds | Functions | Assessment
AnyValue = TypeVar("AnyValue", bound=Value)

SERIES_OF: Mapping[type[Value], Series] = {
    Life: Series.LIFE,
    Name: Series.NAME,
    Kind: Series.KIND,
    Place: Series.PLACE,
    Operator: Series.OPERATOR,
    Beds: Series.BEDS,
    Functions: Series.FUNCTIONS,
    Assessment: Series.ASSESSMENT,
}
VALUE_OF: Mapping[Series, type[Value]] = {series: kind for kind, series in SERIES_OF.items()}

STATED_AT_OPENING: tuple[type[Value], ...] = (Name, Kind, Place, Operator, Beds, Functions)


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded fact. Without a value it only withdraws the fact that it supersedes."""

    id: UUID
    series: Series
    valid_from: date
    value: Value | None
    document: str
    recorded_at: datetime
    recorded_by: str
    supersedes: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A fact that does not fit the others, and why."""

    fact: Fact
    text: str


def standing(facts: Iterable[Fact], before: datetime | None = None) -> list[Fact]:
    """The facts that hold, as known now or just before an instant, by day."""
    known = [fact for fact in facts if before is None or fact.recorded_at < before]
    superseded = {fact.supersedes for fact in known}
    held = (fact for fact in known if fact.id not in superseded and fact.value is not None)
    return sorted(held, key=lambda fact: fact.valid_from)


def opened_on(held: Iterable[Fact]) -> date | None:
    """The first opening day; None of a registration that was withdrawn."""
    return min((f.valid_from for f in held if f.value == Life(open=True)), default=None)


def of_opening(held: Iterable[Fact]) -> list[Fact]:
    """The facts stated for the opening day beside the opening: they move when it moves."""
    held = list(held)
    day = opened_on(held)
    return [f for f in held if f.valid_from == day and type(f.value) in STATED_AT_OPENING]


def responsible_unit(held: Iterable[Fact]) -> int:
    """Where the facility stands now: a move is recorded from its day on, never ahead."""
    places = [fact for fact in held if isinstance(fact.value, Place)]
    last = max(places, key=lambda fact: fact.valid_from).value
    assert isinstance(last, Place)  # noqa: S101 - chosen by this type two lines above
    return last.unit_id


def timeline(facility_id: UUID, facts: Iterable[Fact]) -> Facility:
    """The public state that the event carries: all series merged, one period a change."""
    held = standing(facts)
    by_kind = _by_kind(held)
    days = sorted({f.valid_from for f in held if not isinstance(f.value, Name | Assessment)})
    periods = [_period(by_kind, day) for day in days]
    merged = (
        next(same)
        for _, same in groupby(periods, key=lambda one: one.model_dump(exclude={"from_"}))
    )
    assessments = (
        FacilityAssessment(assessed_on=f.valid_from, passed=f.value.passed)
        for f in held
        if isinstance(f.value, Assessment)
    )
    return Facility(id=facility_id, periods=tuple(merged), assessments=tuple(assessments))


def violations(facts: Iterable[Fact], today: date) -> list[Violation]:
    """What in the whole history, as known now, cannot be; empty when it is sound."""
    held = standing(facts)
    life = [fact for fact in held if fact.series == Series.LIFE]
    if not life:
        return []
    return [
        *_out_of_range(held, today),
        *_twice_a_day(held),
        *_not_alternating(life),
        *_while_not_open(held, life),
        *_unstated(held, life[0]),
        *_too_many(held),
    ]


def warnings(kind: FacilityKind, beds: int) -> list[str]:
    """What a clerk should look at; nothing is refused for it."""
    if kind == FacilityKind.INSTITUTION and beds < INSTITUTION_MIN_BEDS:
        return ["养老机构床位不足 10 张，请核对类型（民政部令第66号）"]
    return []


def _by_kind(held: Iterable[Fact]) -> dict[type, tuple[list[date], list[Value]]]:
    series: dict[type, tuple[list[date], list[Value]]] = defaultdict(lambda: ([], []))
    for fact in held:
        if fact.value is not None:
            days, values = series[type(fact.value)]
            days.append(fact.valid_from)
            values.append(fact.value)
    return series


def _period(by_kind: Mapping[type, tuple[list[date], list[Value]]], day: date) -> FacilityPeriod:
    def on_day(kind: type[AnyValue]) -> AnyValue:
        days, values = by_kind[kind]
        value = values[max(bisect_right(days, day) - 1, 0)]
        assert isinstance(value, kind)  # noqa: S101 - kept under its own type
        return value

    beds, place = on_day(Beds), on_day(Place)
    return FacilityPeriod(
        from_=day,
        unit=place.unit_id,
        kind=on_day(Kind).kind,
        operator=on_day(Operator).operator_kind,
        open=bool(by_kind[Life][0]) and on_day(Life).open,
        beds=beds.beds,
        nursing_beds=beds.nursing_beds,
        beds_in_use=beds.beds_in_use,
        functions=on_day(Functions).functions,
    )


def _out_of_range(held: list[Fact], today: date) -> Iterator[Violation]:
    latest = add_years(today, YEARS_AHEAD)
    opening = opened_on(held)
    for fact in held:
        if fact.valid_from < EARLIEST_DAY:
            yield Violation(fact, f"日期不得早于 {EARLIEST_DAY}")
        elif fact.valid_from > latest:
            yield Violation(fact, f"日期最多可提前 {YEARS_AHEAD} 年登记")
        elif fact.series == Series.ASSESSMENT and fact.valid_from > today:
            yield Violation(fact, "评估日期不得晚于今天")
        elif fact.series == Series.PLACE and fact.valid_from > today and fact.valid_from != opening:
            yield Violation(fact, "迁址须在迁入当日或之后登记")


def _twice_a_day(held: list[Fact]) -> Iterator[Violation]:
    seen: set[tuple[Series, date]] = set()
    for fact in sorted(held, key=lambda fact: (fact.recorded_at, fact.id)):
        if (fact.series, fact.valid_from) in seen:
            yield Violation(fact, f"{fact.valid_from} 已登记过同一事项，如有误请用更正")
        seen.add((fact.series, fact.valid_from))


def _not_alternating(life: list[Fact]) -> Iterator[Violation]:
    is_open = False
    for fact in life:
        opens = fact.value == Life(open=True)
        if opens == is_open:
            text = "当日已在办，不能再次开办" if opens else "当日未在办，不能停办"
            yield Violation(fact, f"{fact.valid_from}：{text}")
        is_open = opens


def _while_not_open(held: list[Fact], life: list[Fact]) -> Iterator[Violation]:
    days = [fact.valid_from for fact in life]
    for fact in held:
        if fact.series == Series.LIFE:
            continue
        index = bisect_right(days, fact.valid_from) - 1
        if index < 0:
            yield Violation(fact, f"{fact.valid_from} 早于开办日期 {days[0]}")
        elif life[index].value == Life(open=False):
            yield Violation(
                fact, f"{fact.valid_from} 在停办期间（自 {days[index]} 停办），不得有登记事项"
            )


def _unstated(held: list[Fact], opening: Fact) -> Iterator[Violation]:
    stated = {type(fact.value) for fact in held if fact.valid_from <= opening.valid_from}
    if any(kind not in stated for kind in STATED_AT_OPENING):
        yield Violation(opening, "开办时登记的事项只能更正内容，不能撤销或推迟")


def _too_many(held: list[Fact]) -> Iterator[Violation]:
    if len(held) > MOST_FACTS:
        yield Violation(held[-1], f"一处设施的登记事项不得超过 {MOST_FACTS} 项")
