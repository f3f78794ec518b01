from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from chassis.database import day_of
from contracts.events.relief import Programme
from services.relief.parameters import rules
from services.relief.parameters.models import AuthorityEnding, AuthorityRow, ParameterRow
from services.relief.parameters.rules import Authority, Law, Row
from services.relief.parameters.seed import seed


async def law(
    session: AsyncSession, day: date, known_on: date | None = None, *, county: int | None
) -> Law:
    """The law of the day for a county: the seed, and over it what the county has set.

    Without a county (a unit that stood under none on the day) it is the seed alone.
    """
    found = [] if county is None else await parameter_rows(session, county)
    return rules.law_on(day, [*seed().rows, *set_rows(found)], known_on)


def set_rows(found: Collection[ParameterRow]) -> list[Row]:
    """What was set, as the rules read it; a key that is no longer known is left out."""
    return [row_of(row) for row in found if row.key in seed().parameters]


def row_of(row: ParameterRow) -> Row:
    return Row(
        row.key,
        rules.value_of(
            seed().parameters[row.key], row.value, source=row.source, valid_from=row.valid_from
        ),
        row.source,
        row.valid_from,
        row.valid_to,
        confirmed=row.confirmed,
        note=row.note,
        known_from=day_of(row.recorded_at),
        superseded_on=day_of(row.superseded_at) if row.superseded_at else None,
        seeded=False,
        id=row.id,
    )


async def parameter_rows(
    session: AsyncSession, county: int, key: str | None = None
) -> list[ParameterRow]:
    """Everything that the county ever recorded, by `valid_from` and the moment of recording."""
    statement = (
        select(ParameterRow)
        .where(ParameterRow.unit_id == county)
        .order_by(ParameterRow.key, ParameterRow.valid_from, ParameterRow.recorded_at)
    )
    if key is not None:
        statement = statement.where(ParameterRow.key == key)
    return list(await session.scalars(statement))


async def find_parameter(
    session: AsyncSession, units: Collection[int], row_id: UUID, *, lock: bool = False
) -> ParameterRow | None:
    statement = select(ParameterRow).where(
        ParameterRow.id == row_id, _within(ParameterRow.unit_id, units)
    )
    return (await session.scalars(statement.with_for_update() if lock else statement)).first()


async def lock_town(session: AsyncSession, programme: Programme, town: int) -> None:
    """One at a time records who decides for a town: held to the end of the transaction."""
    name = f"authority:{programme}:{town}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def find_authority(
    session: AsyncSession, units: Collection[int], authority_id: UUID
) -> AuthorityRow | None:
    statement = select(AuthorityRow).where(
        AuthorityRow.id == authority_id, _within(AuthorityRow.unit_id, units)
    )
    return (await session.scalars(statement.execution_options(populate_existing=True))).first()


async def authority_rows(
    session: AsyncSession, towns: Collection[int], programme: Programme | None = None
) -> list[AuthorityRow]:
    statement = (
        select(AuthorityRow)
        .where(_within(AuthorityRow.unit_id, towns))
        .order_by(AuthorityRow.unit_id, AuthorityRow.programme, AuthorityRow.valid_from)
    )
    if programme is not None:
        statement = statement.where(AuthorityRow.programme == programme)
    return list(await session.scalars(statement))


async def endings_of(
    session: AsyncSession, authorities: Collection[UUID]
) -> dict[UUID, list[AuthorityEnding]]:
    """The ends of each, in the order of recording."""
    found: dict[UUID, list[AuthorityEnding]] = {one: [] for one in authorities}
    rows = await session.scalars(
        select(AuthorityEnding)
        .where(AuthorityEnding.authority_id.in_(authorities))
        .order_by(AuthorityEnding.recorded_at, AuthorityEnding.id)
    )
    for row in rows:
        found[row.authority_id].append(row)
    return found


async def authorities(
    session: AsyncSession, programme: Programme, town: int, known_on: date | None = None
) -> list[Authority]:
    """Who was to decide for the town, as known at the end of a day (default: now)."""
    rows = await authority_rows(session, [town], programme)
    endings = await endings_of(session, [row.id for row in rows])
    return [
        authority_of(row, endings[row.id], known_on)
        for row in rows
        if known_on is None or day_of(row.recorded_at) <= known_on
    ]


def authority_of(
    row: AuthorityRow, endings: Collection[AuthorityEnding], known_on: date | None = None
) -> Authority:
    ends = [
        one.valid_to for one in endings if known_on is None or day_of(one.recorded_at) <= known_on
    ]
    return Authority(
        row.programme,
        row.unit_id,
        row.county_id,
        row.level,
        row.basis,
        row.document,
        row.valid_from,
        ends[-1] if ends else None,
    )


def _within(column: InstrumentedAttribute[int], units: Collection[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(units), ARRAY(BigInteger)))
