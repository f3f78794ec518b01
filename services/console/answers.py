"""What the gateway answers, as far as the pages show it; unknown fields are ignored."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind


class Status(StrEnum):
    DONE = "done"
    ON_COURSE = "on_course"
    BEHIND = "behind"
    NOT_ASSESSABLE = "not_assessable"


class Origin(StrEnum):
    EVENTS = "events"
    REPORTED = "reported"
    MIXED = "mixed"


BINDING = "约束性"


class PlanScope(BaseModel):
    code: str
    name: str


class PlanView(BaseModel):
    name: str
    period_from: date
    period_to: date
    baseline_on: date
    scopes: list[PlanScope] = []
    default_as_of: date
    today: date


class Counts(BaseModel):
    done: int = 0
    on_course: int = 0
    behind: int = 0
    not_assessable: int = 0

    @property
    def total(self) -> int:
        return self.done + self.on_course + self.behind + self.not_assessable


class Verdict(BaseModel):
    binding: Counts
    expected: Counts


class Gap(BaseModel):
    """What is missing (`more`) or too much until the target is met."""

    amount: Decimal
    more: bool
    thing: str


class Target(BaseModel):
    """One place's target: a `value`, or a `reference` that moves and stands at `goal` that day."""

    operator: str
    value: Decimal | None = None
    reference: str | None = None
    goal: Decimal | None = None
    printed: str = ""
    standing: str = ""
    due: date | None = None
    section: str = ""
    scope: str = ""
    status: Status
    governing: bool = False
    measured_value: Decimal | None = None
    judged_on: date | None = None
    path: Decimal | None = None
    due_passed: bool = False
    note: str | None = None
    gap: Gap | None = None


class Place(BaseModel):
    """A town or street; `division` is None where its code on that day is not known."""

    division: str | None = None
    name: Annotated[str, BeforeValidator(lambda name: name or "名称不详")]


class Item(BaseModel):
    """One indicator on one day."""

    no: int
    code: str
    name: str
    unit: str
    kind: str
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    baseline: Decimal | None = None
    targets: list[Target] = []
    status: Status
    origin: Origin | None = None
    reported_on: date | None = None
    age_days: int | None = None
    as_of: date | None = None
    known_on: date | None = None
    scope: str = ""
    per_town: bool = False
    provisional: bool = False
    conflict: bool = False
    missing: list[Place] = []
    warnings: list[str] = []
    owner: str | None = None
    section: str | None = None
    note: str | None = None

    @property
    def binding(self) -> bool:
        return self.kind == BINDING

    @property
    def governing(self) -> Target | None:
        return next((target for target in self.targets if target.governing), None)


class IndicatorList(BaseModel):
    as_of: date
    known_on: date | None = None
    division: str | None = None
    scope: str = ""
    verdict: Verdict
    items: list[Item]


class Point(BaseModel):
    on: date
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    status: Status | None = None


class PathPoint(BaseModel):
    on: date
    value: Decimal


class Goal(BaseModel):
    operator: str
    value: Decimal | None = None


class Series(BaseModel):
    """An indicator over time, with the straight line to its target (empty where there is none)."""

    points: list[Point] = []
    path: list[PathPoint] = []
    target: Goal | None = None


class LineageEntry(BaseModel):
    event_id: UUID
    event_type: str
    subject: str
    measure_name: str
    unit_name: str | None = None
    effective_date: date
    recorded_at: datetime
    amount: Decimal


class LineagePage(BaseModel):
    items: list[LineageEntry]
    next_cursor: str | None = None


class Cell(BaseModel):
    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    status: Status


class MatrixIndicator(BaseModel):
    code: str
    no: int
    name: str
    unit: str


class MatrixRow(Place):
    cells: dict[str, Cell] = {}


class Matrix(BaseModel):
    indicators: list[MatrixIndicator]
    rows: list[MatrixRow]

    def column(self, code: str) -> list[Cell]:
        return [row.cells[code] for row in self.rows if code in row.cells]


class Parts(BaseModel):
    """A figure in all, and of it what is urban and what is rural."""

    value: Decimal | None = None
    urban: Decimal | None = None
    rural: Decimal | None = None

    @property
    def parts(self) -> tuple[Decimal | None, ...]:
        return self.value, self.urban, self.rural


class BesideItem(Parts):
    """One figure of the day's work (业务数据)."""

    code: str
    name: str
    unit: str
    note: str = ""


class BesideList(BaseModel):
    as_of: date
    scope_name: str
    items: list[BesideItem]


class BesideRow(Place):
    cells: dict[str, Parts] = {}


class BesideMatrix(BaseModel):
    rows: list[BesideRow]


class Figure(Item):
    """A published figure; `before` is what the restated edition said."""

    before: Decimal | None = None


class EditionHead(BaseModel):
    id: UUID
    number: int
    title: str
    as_of: date
    known_on: date | None = None
    frozen_at: datetime
    restates: UUID | None = None
    restated_by: UUID | None = None
    reason: str | None = None


class Edition(EditionHead):
    figures: list[Figure] = []


class EditionPage(BaseModel):
    items: list[EditionHead]
    next_cursor: str | None = None


class Beds(BaseModel):
    total: int
    nursing: int
    in_use: int


class Operator(BaseModel):
    name: str
    kind: OperatorKind


class Assessment(BaseModel):
    assessed_on: date
    passed: bool
    score: Decimal | None = None


class State(StrEnum):
    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
    VOID = "void"


class Facility(BaseModel):
    id: UUID
    as_of: date
    state: State
    opened_on: date | None = None
    closed_on: date | None = None
    name: str
    kind: FacilityKind
    division_name: str | None = None
    town_name: str | None = None
    address: str
    operator: Operator
    beds: Beds
    functions: list[FacilityFunction] = []
    assessment: Assessment | None = None


class FacilityPage(BaseModel):
    items: list[Facility]
    next_cursor: str | None = None


class KindTotal(BaseModel):
    kind: FacilityKind
    facilities: int
    beds: Beds


class FacilitySummary(BaseModel):
    as_of: date
    items: list[KindTotal]
    facilities: int
    beds: Beds


class Period(BaseModel):
    """What holds of a facility from a day on, until the next period begins."""

    from_: Annotated[date, Field(alias="from")]
    division_name: str | None = None
    kind: FacilityKind
    operator_kind: OperatorKind
    open: bool
    beds: Beds
    functions: list[FacilityFunction] = []


class Fact(BaseModel):
    """One entry of a facility's record, as it was made; `text` is empty where it withdraws."""

    id: UUID
    title: str
    valid_from: date
    text: str = ""
    document: str
    recorded_at: datetime
    recorded_by: str
    supersedes: UUID | None = None
    superseded_by: UUID | None = None
    reason: str = ""


class Timeline(BaseModel):
    periods: list[Period] = []
    facts: list[Fact] = []
