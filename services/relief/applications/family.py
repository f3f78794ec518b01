"""The household of an application as it is on a day: who belongs, who applies, where they live."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.privacy import Cell
from chassis.sealing import reveal
from services.relief.applications.materials import Undertaking, is_minor
from services.relief.applications.rules import Placed
from services.relief.entitlement.facts import Relation
from services.relief.households import repository
from services.relief.households import rules as facts
from services.relief.households.kinds import FactKind
from services.relief.households.models import MemberRow


@dataclass(frozen=True, slots=True)
class Family:
    """The members present on a day, in the order of their entry on record."""

    day: date
    members: tuple[MemberRow, ...]
    applicant: MemberRow
    placed: tuple[Placed, ...]

    @property
    def undertakings(self) -> list[Undertaking]:
        """What each member has signed by that day."""
        return [
            Undertaking(
                str(one.id),
                one.name_masked,
                one.born,
                truth_committed=one.truth_committed_on is not None,
                check_authorised=one.check_authorised_on is not None,
            )
            for one in self.members
        ]

    @property
    def applicant_is_minor(self) -> bool:
        return is_minor(self.applicant.born, self.day)

    @property
    def label(self) -> str:
        """How lists name the case: masked, `张**等3人`."""
        others = len(self.members) - 1
        name = self.applicant.name_masked
        return f"{name}等{others + 1}人" if others else name

    def member(self, member_id: UUID) -> MemberRow | None:
        return next((one for one in self.members if one.id == member_id), None)


async def family_of(session: AsyncSession, household_id: UUID, day: date) -> Family:
    """The household on a day, as known now."""
    known = facts.standing(await repository.facts_of(session, household_id))
    held = facts.in_force(known, day)
    present = set(facts.present(held))
    rows = await repository.members_of(session, household_id)
    members = tuple(row for row in rows if row.id in present)
    values = {(one.member, one.kind): one.value for one in held if one.member is not None}
    selves = {
        one.member
        for one in known
        if one.kind is FactKind.PERSON and one.value["relation"] == Relation.SELF
    }
    applicant = next(row for row in rows if row.id in selves)
    return Family(
        day=day,
        members=members,
        applicant=applicant,
        placed=tuple(
            Placed(
                str(row.id),
                values.get((row.id, FactKind.DOMICILE), {}).get("domicile"),
                values.get((row.id, FactKind.RESIDENCE), {}).get("residence"),
            )
            for row in members
        ),
    )


async def name_of(session: AsyncSession, member: MemberRow, purpose: str) -> str:
    """A member's name in clear; the reading is audited."""
    cell = Cell("household_member", "name", member.id)
    return await reveal(session, member.name, cell, of=str(member.person), purpose=purpose)
