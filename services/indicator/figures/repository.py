from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Select, any_, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from services.indicator.figures.models import FigureRow, FigureSeriesRow


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to; None does not narrow."""

    measure: str | None = None
    unit: int | None = None
    day: date | None = None
    known_before: datetime | None = None


def readable(units: Collection[int]) -> Select[FigureRow, FigureSeriesRow]:
    """Figures of the units that are the caller's."""
    return (
        select(FigureRow, FigureSeriesRow)
        .join(FigureSeriesRow, FigureSeriesRow.id == FigureRow.series_id)
        .where(FigureSeriesRow.unit_id == any_(literal(list(units), ARRAY(BigInteger))))
    )


async def series_for(session: AsyncSession, measure: str, unit_id: int) -> FigureSeriesRow:
    """The series, made when it does not stand yet, locked; two at once make one."""
    await session.execute(
        insert(FigureSeriesRow)
        .values(id=new_id(), measure=measure, unit_id=unit_id, event_seq=0, version=1)
        .on_conflict_do_nothing(index_elements=["measure", "unit_id"])
    )
    return (
        await session.scalars(
            select(FigureSeriesRow)
            .where(FigureSeriesRow.measure == measure, FigureSeriesRow.unit_id == unit_id)
            .with_for_update()
        )
    ).one()


async def find(
    session: AsyncSession, units: Collection[int], figure_id: UUID, *, lock: bool = False
) -> tuple[FigureRow, FigureSeriesRow] | None:
    """A figure with its series, which is what a lock is for."""
    statement = readable(units).where(FigureRow.id == figure_id)
    if lock:
        series_id = select(FigureRow.series_id).where(FigureRow.id == figure_id).scalar_subquery()
        await session.execute(
            select(FigureSeriesRow.id).where(FigureSeriesRow.id == series_id).with_for_update()
        )
    row = (await session.execute(statement)).first()
    if row is None:
        return None
    figure, series = row
    return figure, series


async def standing(session: AsyncSession, series_id: UUID) -> list[FigureRow]:
    """The figures of a series that hold now, by day."""
    return list(
        await session.scalars(
            select(FigureRow)
            .where(FigureRow.series_id == series_id, FigureRow.superseded_at.is_(None))
            .order_by(FigureRow.day)
        )
    )


async def listed(
    session: AsyncSession,
    units: Collection[int],
    search: Search,
    *,
    after: Sequence[object] | None,
    limit: int,
) -> list[tuple[FigureRow, FigureSeriesRow]]:
    """Figures by day, the latest first, superseded ones too."""
    statement = readable(units).order_by(FigureRow.day.desc(), FigureRow.id.desc()).limit(limit)
    if search.measure is not None:
        statement = statement.where(FigureSeriesRow.measure == search.measure)
    if search.unit is not None:
        statement = statement.where(FigureSeriesRow.unit_id == search.unit)
    if search.day is not None:
        statement = statement.where(FigureRow.day == search.day)
    if search.known_before is not None:
        statement = statement.where(FigureRow.reported_at < search.known_before)
    if after is not None:
        statement = statement.where(tuple_(FigureRow.day, FigureRow.id) < tuple_(*after))
    return [(figure, series) for figure, series in await session.execute(statement)]
