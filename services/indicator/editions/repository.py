from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.indicator.editions.models import EditionFigureRow, EditionRow

NUMBERING_LOCK = 7_402


async def next_number(session: AsyncSession, plan: str) -> int:
    """The number of the next edition; whoever asks for it first publishes first."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING_LOCK})
    last = await session.scalar(select(func.max(EditionRow.number)).where(EditionRow.plan == plan))
    return (last or 0) + 1


async def latest(session: AsyncSession, plan: str, as_of: date) -> EditionRow | None:
    """The last word on a day."""
    statement = (
        select(EditionRow)
        .where(EditionRow.plan == plan, EditionRow.as_of == as_of)
        .order_by(EditionRow.number.desc())
        .limit(1)
    )
    return await session.scalar(statement)


async def find(session: AsyncSession, edition_id: UUID) -> tuple[EditionRow, UUID | None] | None:
    """An edition, with the one that restates it. Editions are everybody's to read."""
    found = await listed(session, only=edition_id, limit=1)
    return found[0] if found else None


async def listed(
    session: AsyncSession, *, below: int | None = None, only: UUID | None = None, limit: int
) -> list[tuple[EditionRow, UUID | None]]:
    """Editions, the latest first."""
    later = aliased(EditionRow)
    statement = (
        select(EditionRow, later.id)
        .join(later, later.restates == EditionRow.id, isouter=True)
        .order_by(EditionRow.number.desc())
        .limit(limit)
    )
    if below is not None:
        statement = statement.where(EditionRow.number < below)
    if only is not None:
        statement = statement.where(EditionRow.id == only)
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def figures_of(session: AsyncSession, edition_id: UUID) -> Sequence[EditionFigureRow]:
    rows = await session.scalars(
        select(EditionFigureRow)
        .where(EditionFigureRow.edition_id == edition_id)
        .order_by(EditionFigureRow.no)
    )
    return rows.all()
