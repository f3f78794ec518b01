"""What is done of applications each day: drafts that nobody hands in, limits of another organ."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework import archive
from casework import repository as cases
from casework import service as casework
from casework.models import CaseFile
from casework.reckoning import Part
from chassis.database import today
from chassis.law.units import Register
from chassis.service import Runtime
from contracts.events.casework import Outcome as Ended
from contracts.events.relief import Programme
from services.relief.applications import deciding, repository, rules
from services.relief.applications.desk import EVENT
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.parameters import repository as parameters
from services.relief.parameters import service as authorities

LAPSE_DAYS = "dibao.draft.lapse_days"


def part(runtime: Runtime) -> Part:
    """Both, for the service's daily job."""

    async def keep_up(session: AsyncSession) -> None:
        register, units = await runtime.places.register(), await runtime.places.everywhere()
        await lapse_drafts(session, register, units)
        await follow_organs(session, register, units)

    return keep_up


async def lapse_drafts(session: AsyncSession, register: Register, units: Collection[int]) -> None:
    """End the drafts without a step for so long that they hold their applicants' place no more."""
    day = today(session)
    for case_id, unit, last in await repository.drafts(session):
        law = await parameters.law(session, day, county=register.county_of(unit, day))
        days = law.integer(LAPSE_DAYS).value
        if day <= last + timedelta(days=days):
            continue
        case = await _locked(session, units, case_id)
        if case is None or case.state != rules.DIBAO.initial:
            continue
        await households.release_claims(session, file_id=case.id)
        await casework.advance(
            session,
            case,
            rules.DIBAO,
            "lapse",
            event=EVENT,
            reason=f"草稿自{last}起{days}天内没有办理，自动结束；可以重新提出申请",
            outcome=Ended.WITHDRAWN,
        )
        await archive.keep(session, case, retention=rules.RETENTION)


async def follow_organs(session: AsyncSession, register: Register, units: Collection[int]) -> None:
    """Give the cases that another organ decides from today its limit."""
    day = today(session)
    under_review = await repository.under_review(session)
    towns = {register.town_of(unit, day) or unit for _, unit, _ in under_review}
    held = await authorities.competences(
        session, programme=Programme.DIBAO, register=register, towns=towns, day=day
    )
    for case_id, unit, level in under_review:
        now = held.get(register.town_of(unit, day) or unit)
        if now is None or now.level is level:
            continue
        case = await _locked(session, units, case_id)
        application = await repository.application(session, case_id)
        if case is not None and application is not None and case.state in rules.UNDER_REVIEW:
            await deciding.follow(session, register, case, application, now)


async def _locked(session: AsyncSession, units: Collection[int], case_id: UUID) -> CaseFile | None:
    """The case, its household locked before it as everywhere."""
    application = await repository.application(session, case_id)
    if application is None:
        return None
    await household_rows.find(session, units, application.household_id, lock=True)
    return await cases.find(session, units, case_id, lock=True)
