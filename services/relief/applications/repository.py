from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from casework.models import CaseFile, CaseStep
from chassis.database import day_of
from services.relief.applications import rules
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
from services.relief.households.models import FactRow
from services.relief.parameters.rules import Level

OF_A_CASE = (SurveyRow, SignatureRow, AppraisalRow, OpinionRow, NearRelativeRow, ComplaintRow)
"""Rows that go with the application when it is handed over, by their `case_id`."""


async def application(session: AsyncSession, case_id: UUID) -> ApplicationRow | None:
    """What an application has besides its case, as it stands now."""
    return await session.get(ApplicationRow, case_id, populate_existing=True)


async def drafts(session: AsyncSession) -> list[tuple[UUID, int, date]]:
    """Applications that were never handed in: case, unit and the last day of work on them.

    That is a step, or something that was recorded of the household.
    """
    stepped = select(func.max(CaseStep.on_day)).where(CaseStep.case_id == CaseFile.id)
    told = select(func.max(FactRow.known_at)).where(
        FactRow.household_id == ApplicationRow.household_id
    )
    rows = await session.execute(
        select(CaseFile.id, CaseFile.unit_id, stepped.scalar_subquery(), told.scalar_subquery())
        .join(ApplicationRow, ApplicationRow.id == CaseFile.id)
        .where(CaseFile.matter == rules.DIBAO.code, CaseFile.state == rules.DIBAO.initial)
        .order_by(CaseFile.id)
    )
    return [(case_id, unit, max(day, day_of(at))) for case_id, unit, day, at in rows]


async def under_review(session: AsyncSession) -> list[tuple[UUID, int, Level]]:
    """Accepted applications that nobody has decided yet: case, unit and whose limit runs."""
    rows = await session.execute(
        select(CaseFile.id, CaseFile.unit_id, ApplicationRow.level)
        .join(ApplicationRow, ApplicationRow.id == CaseFile.id)
        .where(
            CaseFile.matter == rules.DIBAO.code,
            CaseFile.state.in_(rules.UNDER_REVIEW),
            ApplicationRow.level.is_not(None),
        )
        .order_by(CaseFile.id)
    )
    return [(case_id, unit, level) for case_id, unit, level in rows if level is not None]


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
