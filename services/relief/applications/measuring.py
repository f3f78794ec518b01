"""What the rules say of an applicant's household: its facts, the law and the standard of a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from casework.models import CaseFile
from chassis.database import today
from contracts.events.relief import Programme
from services.relief.applications.desk import Desk
from services.relief.applications.family import family_of
from services.relief.applications.models import ApplicationRow
from services.relief.applications.problems import NoStandard
from services.relief.checks import repository as check_rows
from services.relief.checks import service as checks
from services.relief.entitlement.rules import Assessment, assess
from services.relief.entitlement.service import shown, standard_of
from services.relief.households import service as households
from services.relief.parameters import repository as parameters
from services.relief.parameters import service as authorities
from services.relief.parameters.rules import Competence, Law


@dataclass(frozen=True, slots=True)
class Measured:
    """An assessment and the law that it stood on."""

    day: date
    law: Law
    assessment: Assessment
    told: dict[str, Any]
    """The assessment as the calculator answers it, in JSON: what is kept and shown."""

    @property
    def outcome(self) -> str:
        return self.assessment.outcome


async def law(desk: Desk, unit: int, day: date) -> Law:
    """The law of the day as the unit's county has it."""
    return await parameters.law(desk.session, day, county=desk.county_of(unit))


async def competence(desk: Desk, unit: int, day: date) -> Competence:
    """Who decides for the unit's town on the day."""
    return await authorities.competence(
        desk.session,
        programme=Programme.DIBAO,
        town=desk.town_of(unit),
        day=day,
        county=desk.county_of(unit),
    )


async def measure(desk: Desk, case: CaseFile, application: ApplicationRow) -> Measured:
    """Assess the household as it is known now, by the law and the standard of today.

    A source that has not answered, and whose silence nobody has accepted, leaves what depends on
    it undecided, and so does a member who came after the check: missing is not zero.
    """
    session, day = desk.session, today(desk.session)
    held = await law(desk, case.unit_id, day)
    household = await households.assembled(
        session,
        application.household_id,
        day=day,
        applied_on=application.applied_on,
        missing=await _missing(desk, case, application, held),
    )
    standard = await standard_of(session, desk.county_of(case.unit_id), household.area, day)
    if standard is None:
        raise NoStandard(f"{day} 没有施行的低保标准，请先登记")
    assessment = assess(household, day=day, law=held, standard=standard)
    return Measured(day, held, assessment, shown(assessment).model_dump(mode="json"))


async def _missing(
    desk: Desk, case: CaseFile, application: ApplicationRow, held: Law
) -> list[tuple[UUID, str]]:
    missing = await checks.missing_of(desk.session, case.id)
    if application.check_id is None:
        return missing
    requests = await check_rows.requests_of(desk.session, [application.check_id])
    asked = {one.member_id for one in requests}
    family = await family_of(desk.session, application.household_id, held.day)
    sources = sorted(held.codes("dibao.check.sources").value)
    unasked = [one.id for one in family.members if one.id not in asked]
    return missing + [(member, source) for member in unasked for source in sources]
