from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import BigInteger, Select, any_, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from casework.models import CaseFile
from services.relief.checks.models import CheckRow, ExchangeRow, RequestRow
from services.relief.checks.rules import Status


def readable(units: Collection[int]) -> Select[CheckRow]:
    """Checks of households for which one of the units is responsible."""
    return select(CheckRow).where(CheckRow.unit_id == any_(literal(list(units), ARRAY(BigInteger))))


async def find(
    session: AsyncSession, units: Collection[int], check_id: UUID, *, lock: bool = False
) -> CheckRow | None:
    statement = readable(units).where(CheckRow.id == check_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def lock(session: AsyncSession, check_id: UUID) -> CheckRow | None:
    """The check, to be changed by nobody else until the transaction ends."""
    statement = select(CheckRow).where(CheckRow.id == check_id).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).first()


async def lock_case(session: AsyncSession, request_id: UUID) -> None:
    """The case for which a request was made, to be changed by nobody else meanwhile."""
    await session.execute(
        select(CaseFile.id)
        .join(CheckRow, CheckRow.case_id == CaseFile.id)
        .join(RequestRow, RequestRow.check_id == CheckRow.id)
        .where(RequestRow.id == request_id)
        .with_for_update(of=CaseFile)
    )


async def ended(session: AsyncSession, check: CheckRow) -> bool:
    """Whether the case is over: then there is no purpose any more for which somebody is asked."""
    closed_on = select(CaseFile.closed_on).where(CaseFile.id == check.case_id)
    return await session.scalar(closed_on) is not None


async def of_case(session: AsyncSession, case_id: UUID) -> list[CheckRow]:
    """The checks of a case, the first one first."""
    return list(
        await session.scalars(
            select(CheckRow).where(CheckRow.case_id == case_id).order_by(CheckRow.id)
        )
    )


async def requests_of(session: AsyncSession, checks: Iterable[UUID]) -> list[RequestRow]:
    """In the order of persons and sources."""
    return list(
        await session.scalars(
            select(RequestRow)
            .where(RequestRow.check_id.in_(checks))
            .order_by(RequestRow.check_id, RequestRow.member_id, RequestRow.source)
        )
    )


async def request(session: AsyncSession, request_id: UUID) -> RequestRow | None:
    return await session.get(RequestRow, request_id, populate_existing=True)


async def late(session: AsyncSession, case_id: UUID) -> list[RequestRow]:
    """What was answered only after the report of its check was closed."""
    return list(
        await session.scalars(
            select(RequestRow)
            .join(CheckRow, CheckRow.id == RequestRow.check_id)
            .where(CheckRow.case_id == case_id, RequestRow.status == Status.LATE)
            .order_by(RequestRow.answered_at, RequestRow.id)
        )
    )


async def exchanges_of(session: AsyncSession, request_id: UUID) -> list[ExchangeRow]:
    """Every query that was sent for a request, in order."""
    return list(
        await session.scalars(
            select(ExchangeRow)
            .where(ExchangeRow.request_id == request_id)
            .order_by(ExchangeRow.asked_at, ExchangeRow.id)
        )
    )


async def hand_over(session: AsyncSession, case_id: UUID, unit: int) -> None:
    """Rewrite the unit of all that was checked for a case; no job adds to it meanwhile."""
    locked = select(CheckRow.id).where(CheckRow.case_id == case_id).order_by(CheckRow.id)
    checks = (await session.scalars(locked.with_for_update())).all()
    asked = select(RequestRow.id).where(RequestRow.check_id.in_(checks))
    for statement in (
        update(ExchangeRow).where(ExchangeRow.request_id.in_(asked)),
        update(RequestRow).where(RequestRow.check_id.in_(checks)),
        update(CheckRow).where(CheckRow.id.in_(checks)),
    ):
        await session.execute(statement.values(unit_id=unit))
