from collections.abc import Collection
from uuid import UUID

from sqlalchemy import BigInteger, Select, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from contracts.events.relief import Area, StandardCode
from services.relief.standards.models import StandardAmount, StandardSeries


def readable(units: Collection[int]) -> Select[StandardSeries]:
    """Standards are public within the district: those of any unit that the caller stands under."""
    return select(StandardSeries).where(
        StandardSeries.unit_id == any_(literal(list(units), ARRAY(BigInteger)))
    )


async def series_for(
    session: AsyncSession, unit_id: int, code: StandardCode, area: Area
) -> StandardSeries:
    """The series, made when it does not stand yet; two at once make one."""
    await session.execute(
        insert(StandardSeries)
        .values(id=new_id(), unit_id=unit_id, code=code, area=area, event_seq=0, version=1)
        .on_conflict_do_nothing(index_elements=["unit_id", "code", "area"])
    )
    return (
        await session.scalars(
            select(StandardSeries)
            .where(
                StandardSeries.unit_id == unit_id,
                StandardSeries.code == code,
                StandardSeries.area == area,
            )
            .with_for_update()
        )
    ).one()


async def find(
    session: AsyncSession, units: Collection[int], series_id: UUID, *, lock: bool = False
) -> StandardSeries | None:
    statement = readable(units).where(StandardSeries.id == series_id)
    return (await session.scalars(statement.with_for_update() if lock else statement)).first()


async def listed(
    session: AsyncSession, units: Collection[int], code: StandardCode | None
) -> list[StandardSeries]:
    statement = readable(units).order_by(
        StandardSeries.unit_id, StandardSeries.code, StandardSeries.area
    )
    if code is not None:
        statement = statement.where(StandardSeries.code == code)
    return list(await session.scalars(statement))


async def amounts_of(
    session: AsyncSession, series: Collection[UUID]
) -> dict[UUID, list[StandardAmount]]:
    found: dict[UUID, list[StandardAmount]] = {one: [] for one in series}
    rows = await session.scalars(
        select(StandardAmount)
        .where(StandardAmount.series_id.in_(series))
        .order_by(StandardAmount.valid_from, StandardAmount.recorded_at)
    )
    for row in rows:
        found[row.series_id].append(row)
    return found
