from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.gateway.clients.models import Client, ClientSecret


def readable(codes: Collection[str]) -> Select[Client]:
    """Clients all of whose divisions the administrator stands above."""
    return select(Client).where(Client.divisions.contained_by(cast(list(codes), ARRAY(Text))))


async def division_codes(session: AsyncSession) -> set[str]:
    """Every code that was granted to anybody."""
    return set(await session.scalars(select(func.unnest(Client.divisions)).distinct()))


async def find(
    session: AsyncSession, codes: Collection[str], client_id: str, *, lock: bool = False
) -> Client | None:
    statement = readable(codes).where(Client.id == client_id)
    return (await session.scalars(statement.with_for_update() if lock else statement)).first()


async def exists(session: AsyncSession, client_id: str) -> bool:
    return await session.scalar(select(Client.id).where(Client.id == client_id)) is not None


async def page(
    session: AsyncSession, codes: Collection[str], after: str, limit: int
) -> list[Client]:
    statement = readable(codes).where(Client.id > after).order_by(Client.id).limit(limit)
    return list(await session.scalars(statement))


async def secrets_of(session: AsyncSession, client_ids: Sequence[str]) -> list[ClientSecret]:
    statement = select(ClientSecret).where(ClientSecret.client_id.in_(client_ids))
    return list(await session.scalars(statement.order_by(ClientSecret.created_at)))


async def enabled(session: AsyncSession, client_id: str) -> Client | None:
    """The client that authenticates itself: no administrator asks."""
    statement = select(Client).where(Client.id == client_id, Client.disabled_at.is_(None))
    return (await session.scalars(statement)).first()


async def mark_used(session: AsyncSession, secret_id: UUID, now: datetime) -> None:
    await session.execute(
        update(ClientSecret)
        .where(ClientSecret.id == secret_id, ClientSecret.used_at.is_(None))
        .values(used_at=now)
    )
