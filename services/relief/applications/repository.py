from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.applications.models import (
    ApplicationRow,
    AppraisalRow,
    ComplaintRow,
    DecisionRow,
    NearRelativeRow,
    OpinionRow,
    SignatureRow,
    SurveyRow,
)

OF_A_CASE = (SurveyRow, SignatureRow, AppraisalRow, OpinionRow, NearRelativeRow, ComplaintRow)
"""Rows that go with the application when it is handed over, by their `case_id`."""


async def application(session: AsyncSession, case_id: UUID) -> ApplicationRow | None:
    """What an application has besides its case, as it stands now."""
    return await session.get(ApplicationRow, case_id, populate_existing=True)


async def surveys_of(session: AsyncSession, case_id: UUID) -> Sequence[SurveyRow]:
    """The surveys of a case, in the order of their recording."""
    statement = select(SurveyRow).where(SurveyRow.case_id == case_id).order_by(SurveyRow.id)
    return (await session.scalars(statement)).all()


async def signatures_of(session: AsyncSession, case_id: UUID) -> Sequence[SignatureRow]:
    statement = (
        select(SignatureRow).where(SignatureRow.case_id == case_id).order_by(SignatureRow.id)
    )
    return (await session.scalars(statement)).all()


async def appraisals_of(session: AsyncSession, case_id: UUID) -> Sequence[AppraisalRow]:
    statement = (
        select(AppraisalRow).where(AppraisalRow.case_id == case_id).order_by(AppraisalRow.id)
    )
    return (await session.scalars(statement)).all()


async def opinions_of(session: AsyncSession, case_id: UUID) -> Sequence[OpinionRow]:
    """The first opinions of a case; the last one stands."""
    statement = (
        select(OpinionRow).where(OpinionRow.case_id == case_id).order_by(OpinionRow.position)
    )
    return (await session.scalars(statement)).all()


async def filings_of(session: AsyncSession, case_id: UUID) -> Sequence[NearRelativeRow]:
    statement = (
        select(NearRelativeRow)
        .where(NearRelativeRow.case_id == case_id)
        .order_by(NearRelativeRow.id)
    )
    return (await session.scalars(statement)).all()


async def complaints_of(session: AsyncSession, case_id: UUID) -> Sequence[ComplaintRow]:
    statement = (
        select(ComplaintRow).where(ComplaintRow.case_id == case_id).order_by(ComplaintRow.id)
    )
    return (await session.scalars(statement)).all()


async def decision_of(session: AsyncSession, case_id: UUID) -> DecisionRow | None:
    return await session.get(DecisionRow, case_id)


async def move(session: AsyncSession, application: ApplicationRow, unit: int) -> None:
    """Hand the application and all that goes with it over to another unit."""
    application.unit_id = unit
    await session.flush()
    for kind in OF_A_CASE:
        await session.execute(
            update(kind)
            .where(kind.case_id == application.id)
            .values(unit_id=unit)
            .execution_options(synchronize_session=False)
        )
    await session.execute(
        update(DecisionRow).where(DecisionRow.id == application.id).values(unit_id=unit)
    )
