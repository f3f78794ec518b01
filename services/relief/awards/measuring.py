"""What the rules give a household of an award: by its facts, the law and the standard of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.law.units import Register
from services.relief.awards.rules import NOTHING, Line, carried, cents
from services.relief.entitlement import facts
from services.relief.entitlement.problems import NoStandard
from services.relief.entitlement.rules import Assessment, Outcome, assess
from services.relief.entitlement.service import standard_of
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.parameters import repository as parameters
from services.relief.parameters.rules import Law


@dataclass(frozen=True, slots=True)
class Amounts:
    """Whom an award covers and with what: the family's amount and the persons' extras."""

    persons: tuple[UUID, ...]
    base: Decimal
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        return self.base + sum((line.amount for line in self.lines), NOTHING)


@dataclass(frozen=True, slots=True)
class Measured:
    """An assessment with what it stood on; `persons` gives the pseudonym of each ref."""

    household: facts.Household
    law: Law
    assessment: Assessment
    persons: Mapping[str, UUID]

    @property
    def amounts(self) -> Amounts | None:
        return amounts_of(self.assessment, self.persons)


async def measure(
    session: AsyncSession, register: Register, household_id: UUID, *, unit: int, day: date
) -> Measured:
    """Assess the household as it is on a day, by the law and the standard of that day."""
    household = carried(await households.assembled(session, household_id, day=day), day)
    law = await law_on(session, register, unit, day)
    county = register.county_of(unit, day) or unit
    standard = await standard_of(session, county, household.area, day)
    if standard is None:
        raise NoStandard(f"{day} 没有施行的标准，请先登记")
    return Measured(
        household=household,
        law=law,
        assessment=assess(household, day=day, law=law, standard=standard),
        persons=await persons_of(session, household_id),
    )


async def persons_of(session: AsyncSession, household_id: UUID) -> dict[str, UUID]:
    """The pseudonym behind each ref under which the rules name a member."""
    members = await household_rows.members_of(session, household_id)
    return {str(member.id): member.person for member in members}


def amounts_of(assessment: Assessment, persons: Mapping[str, UUID]) -> Amounts | None:
    """What the assessment grants, to the family or to members alone; None where nothing."""
    if assessment.outcome is Outcome.ENTITLED and assessment.base is not None:
        covered = [one.ref for one in assessment.members if one.counted]
        base, extras = assessment.base, assessment.extras
    elif assessment.outcome is Outcome.ALONE:
        granted = [one for one in assessment.alone if one.asked]
        covered = [one.member for one in granted]
        base = sum((one.amount for one in granted), NOTHING)
        extras = tuple(extra for one in granted for extra in one.extras)
    else:
        return None
    lines = (
        Line(persons[one.member], one.category, cents(one.amount), one.article) for one in extras
    )
    return Amounts(
        tuple(sorted(persons[ref] for ref in covered)),
        cents(base),
        tuple(sorted(lines, key=lambda line: (line.person, line.category))),
    )


async def law_on(session: AsyncSession, register: Register, unit: int, day: date) -> Law:
    """The parameters in force on a day in the unit's county."""
    return await parameters.law(session, day, county=register.county_of(unit, day))
