"""What the rules say of an applicant's household: its facts, the law and the standard of a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from casework.models import CaseFile
from chassis.database import today
from contracts.events.relief import Programme
from services.relief.applications.desk import Desk
from services.relief.applications.family import family_for
from services.relief.applications.models import ApplicationRow
from services.relief.checks import repository as check_rows
from services.relief.checks import service as checks
from services.relief.entitlement.problems import NoStandard
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


async def measure(
    desk: Desk, case: CaseFile, application: ApplicationRow, *, by_law_of: date | None = None
) -> Measured:
    """Assess the household as it is known now, by the law and the standard of today.

    With `by_law_of` the law, the standard and the ages are those of that day, the facts today's.

    A source that has not answered, and whose silence nobody has accepted, leaves what depends on
    it undecided, and so does a member who came after the check, and everybody before it: missing
    is not zero.
    """
    session, day = desk.session, today(desk.session)
    of_law = by_law_of or day
    county = desk.register.county_of(case.unit_id, of_law) or case.unit_id
    held = await parameters.law(session, of_law, by_law_of, county=county)
    household = await households.assembled(
        session,
        application.household_id,
        day=day,
        applied_on=application.applied_on,
        missing=await _missing(desk, case, application, held),
        silences=await checks.silences_of(session, case.id),
    )
    standard = await standard_of(session, county, household.area, of_law)
    if standard is None:
        raise NoStandard(f"{of_law} 没有施行的低保标准，请先登记")
    assessment = assess(household, day=of_law, law=held, standard=standard)
    return Measured(of_law, held, assessment, shown(assessment).model_dump(mode="json"))


async def _missing(
    desk: Desk, case: CaseFile, application: ApplicationRow, held: Law
) -> list[tuple[UUID, str]]:
    missing = await checks.missing_of(desk.session, case.id)
    check = [] if application.check_id is None else [application.check_id]
    asked = {one.member_id for one in await check_rows.requests_of(desk.session, check)}
    family = await family_for(desk.session, application, today(desk.session))
    sources = sorted(held.codes("dibao.check.sources").value)
    unasked = [one.id for one in family.members if one.id not in asked]
    return missing + [(member, source) for member in unasked for source in sources]
