from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    Subquery,
    any_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from services.eldercare.facilities.models import FacilityFactRow, FacilityRow, ImportedHistory
from services.eldercare.facilities.rules import (
    VALUE_OF,
    Fact,
    Functions,
    Series,
    State,
    Value,
)


@dataclass(frozen=True, slots=True)
class View:
    """Which day is looked at, as known before which instant (None: now), by whom."""

    units: Collection[int]
    as_of: date
    known_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to; None does not narrow."""

    within: Collection[int] | None = None
    kind: FacilityKind | None = None
    operator_kind: OperatorKind | None = None
    state: State | None = None
    function: FacilityFunction | None = None
    name_contains: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A facility on a day. Before its opening it shows what will hold on the opening day."""

    id: UUID
    version: int
    state: State
    opened_on: date | None
    closed_on: date | None
    name: str
    kind: FacilityKind
    unit_id: int
    address: str
    operator_name: str
    operator_kind: OperatorKind
    beds: int
    nursing_beds: int
    beds_in_use: int
    functions: tuple[FacilityFunction, ...]
    assessed_on: date | None
    passed: bool | None
    score: Decimal | None


@dataclass(frozen=True, slots=True)
class KindTotal:
    """Open facilities of one kind, and their beds."""

    kind: FacilityKind
    facilities: int
    beds: int
    nursing_beds: int
    beds_in_use: int


def readable(units: Collection[int]) -> Select[FacilityRow]:
    """Facilities that stand in one of the units, exact to the village."""
    return select(FacilityRow).where(_seen(units))


async def find(
    session: AsyncSession, units: Collection[int], facility_id: UUID, *, lock: bool = False
) -> FacilityRow | None:
    statement = readable(units).where(FacilityRow.id == facility_id)
    return (await session.scalars(statement.with_for_update() if lock else statement)).first()


async def facts_of(session: AsyncSession, facility_id: UUID) -> list[Fact]:
    """Everything ever recorded of a facility, superseded facts too, by the time of recording."""
    rows = await session.scalars(
        select(FacilityFactRow)
        .where(FacilityFactRow.facility_id == facility_id)
        .order_by(FacilityFactRow.recorded_at, FacilityFactRow.id)
    )
    return [_fact(row) for row in rows]


def add(session: AsyncSession, facility: FacilityRow, facts: Iterable[Fact]) -> None:
    session.add_all(_row(facility, fact) for fact in facts)


async def move(session: AsyncSession, facility: FacilityRow, unit_id: int) -> None:
    """Hand a facility and its facts over to the unit where it stands now."""
    facility.responsible_unit = unit_id
    await session.execute(
        update(FacilityFactRow)
        .where(FacilityFactRow.facility_id == facility.id)
        .values(responsible_unit=unit_id)
        .execution_options(synchronize_session=False)
    )


async def first_import(session: AsyncSession, fingerprint: bytes, facilities: int) -> bool:
    """Whether this content is taken in for the first time; two at once: one of them."""
    info = session.info
    inserted = await session.scalar(
        insert(ImportedHistory)
        .values(
            fingerprint=fingerprint,
            imported_at=info["clock"].now(),
            imported_by=info["actor"],
            facilities=facilities,
        )
        .on_conflict_do_nothing()
        .returning(ImportedHistory.fingerprint)
    )
    return inserted is not None


async def snapshot(session: AsyncSession, view: View, facility_id: UUID) -> Snapshot | None:
    on_day = _on_day(view, FacilityRow.id == facility_id)
    row = (await session.execute(select(on_day))).first()
    return None if row is None else _snapshot(row)


async def listed(
    session: AsyncSession, view: View, search: Search, *, after: UUID | None, limit: int | None
) -> list[Snapshot]:
    """The facilities that the search finds, in the order of their registration."""
    on_day = _on_day(view, true() if after is None else FacilityRow.id > after)
    statement = select(on_day).where(*_narrowed(on_day, search)).order_by(on_day.c.id).limit(limit)
    return [_snapshot(row) for row in await session.execute(statement)]


async def totals(session: AsyncSession, view: View, search: Search) -> list[KindTotal]:
    """Open facilities by kind."""
    on_day = _on_day(view, true())
    statement = (
        select(
            on_day.c.kind,
            func.count(),
            func.sum(on_day.c.beds),
            func.sum(on_day.c.nursing_beds),
            func.sum(on_day.c.beds_in_use),
        )
        .where(on_day.c.state == State.OPEN, *_narrowed(on_day, search))
        .group_by(on_day.c.kind)
    )
    found = {kind: KindTotal(kind, *counts) for kind, *counts in await session.execute(statement)}
    return [found.get(kind, KindTotal(kind, 0, 0, 0, 0)) for kind in FacilityKind]


def _seen(units: Collection[int]) -> ColumnElement[bool]:
    return _among(FacilityRow.responsible_unit, units)


def _among(column: SQLColumnExpression[int], units: Collection[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(units), ARRAY(BigInteger)))


def _on_day(view: View, narrowed: ColumnElement[bool]) -> Subquery:
    """One row a readable facility, with the value of each series on the day."""
    fact, later = FacilityFactRow, aliased(FacilityFactRow)
    known = [] if view.known_before is None else [fact.recorded_at < view.known_before]
    known_later = [] if view.known_before is None else [later.recorded_at < view.known_before]
    in_force = fact.valid_from <= view.as_of
    opening = func.min(fact.valid_from).filter(fact.open.is_(True))
    held = (
        select(
            fact,
            FacilityRow.version,
            in_force.label("in_force"),
            opening.over(partition_by=fact.facility_id).label("opened_on"),
            func.row_number()
            .over(
                partition_by=(fact.facility_id, fact.series),
                order_by=(
                    in_force.desc(),
                    case((in_force, fact.valid_from)).desc().nulls_last(),
                    fact.valid_from,
                ),
            )
            .label("rank"),
        )
        .join(FacilityRow, FacilityRow.id == fact.facility_id)
        .where(
            _seen(view.units),
            narrowed,
            *known,
            ~fact.withdrawn,
            ~select(later.id).where(later.supersedes == fact.id, *known_later).exists(),
            or_(fact.series != Series.ASSESSMENT, in_force),
        )
    ).subquery()
    return _one_row_each(held)


def _one_row_each(held: Subquery) -> Subquery:
    c = held.c

    def only(name: str) -> ColumnElement[Any]:
        # The column is filled in one fact of the facility; ANY_VALUE would need PostgreSQL 16.
        return func.max(c[name]).label(name)

    is_life = c.series == Series.LIFE
    began = func.bool_or(c.in_force).filter(is_life)
    opens = func.bool_or(c.open)
    state = case(
        (opens.is_(None), State.VOID.value),
        (~began, State.PLANNED.value),
        (opens, State.OPEN.value),
        else_=State.CLOSED.value,
    )
    return (
        select(
            c.facility_id.label("id"),
            func.max(c.version).label("version"),
            state.label("state"),
            func.max(c.opened_on).label("opened_on"),
            func.max(c.valid_from).filter(is_life, ~c.open).label("closed_on"),
            *(
                only(name)
                for name in (
                    "name",
                    "kind",
                    "unit_id",
                    "address",
                    "operator_name",
                    "operator_kind",
                    "beds",
                    "nursing_beds",
                    "beds_in_use",
                )
            ),
            func.max(c.functions).label("functions"),
            func.max(c.valid_from).filter(c.series == Series.ASSESSMENT).label("assessed_on"),
            func.bool_or(c.passed).label("passed"),
            only("score"),
        )
        .where(c.rank == 1)
        .group_by(c.facility_id)
        .subquery()
    )


def _narrowed(on_day: Subquery, search: Search) -> list[ColumnElement[bool]]:
    c = on_day.c
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (c.kind, search.kind),
            (c.operator_kind, search.operator_kind),
            (c.state, search.state),
        )
        if value is not None
    ]
    if search.within is not None:
        conditions.append(_among(c.unit_id, search.within))
    if search.function is not None:
        conditions.append(c.functions.contains([search.function]))
    if search.name_contains is not None:
        conditions.append(c.name.contains(search.name_contains, autoescape=True))
    return conditions


def _snapshot(row: Row[Any]) -> Snapshot:
    values = {**row._mapping, "state": State(row.state), "functions": tuple(row.functions)}  # noqa: SLF001 - public by its documentation
    return Snapshot(**values)


def _fact(row: FacilityFactRow) -> Fact:
    return Fact(
        id=row.id,
        series=row.series,
        valid_from=row.valid_from,
        value=None if row.withdrawn else _value(row),
        document=row.document,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        supersedes=row.supersedes,
        reason=row.reason,
    )


def _value(row: FacilityFactRow) -> Value:
    if row.functions is not None:
        return Functions(tuple(row.functions))
    kind = VALUE_OF[row.series]
    return kind(**{field.name: getattr(row, field.name) for field in fields(kind)})


def _row(facility: FacilityRow, fact: Fact) -> FacilityFactRow:
    stored = {} if fact.value is None else asdict(fact.value)
    return FacilityFactRow(
        id=fact.id,
        facility_id=facility.id,
        responsible_unit=facility.responsible_unit,
        series=fact.series,
        valid_from=fact.valid_from,
        document=fact.document,
        recorded_at=fact.recorded_at,
        recorded_by=fact.recorded_by,
        supersedes=fact.supersedes,
        reason=fact.reason,
        withdrawn=fact.value is None,
        **stored,
    )
