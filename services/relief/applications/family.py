"""The household of an application as it is on a day: who belongs, who applies, where they live."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.privacy import Cell
from chassis.sealing import reveal
from services.relief.applications.materials import Undertaking, is_minor
from services.relief.applications.models import ApplicationRow
from services.relief.applications.problems import ApplicantLeft
from services.relief.applications.rules import Placed
from services.relief.entitlement.facts import Relation
from services.relief.households import repository
from services.relief.households import rules as facts
from services.relief.households.kinds import FactKind
from services.relief.households.models import MemberRow
from services.relief.households.service import Declared


@dataclass(frozen=True, slots=True)
class Family:
    """The members present on a day, in the order of their entry on record."""

    day: date
    members: tuple[MemberRow, ...]
    applicant: MemberRow
    """Who applies, though perhaps of the household no more (`applicant_left`)."""
    placed: tuple[Placed, ...]
    birth_doubtful: frozenset[UUID] = frozenset()
    """Whose birthday differs from the number's without a judgement that gives its reason."""

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
                birth_doubtful=one.id in self.birth_doubtful,
            )
            for one in self.members
        ]

    @property
    def applicant_left(self) -> bool:
        return self.member(self.applicant.id) is None

    def is_minor(self, member: MemberRow) -> bool:
        return is_minor(member.born, self.day)

    @property
    def label(self) -> str:
        """How lists name the case: masked, `张**等3人`."""
        others = len(self.members) - 1
        name = self.applicant.name_masked
        return f"{name}等{others + 1}人" if others else name

    def member(self, member_id: UUID) -> MemberRow | None:
        return next((one for one in self.members if one.id == member_id), None)


async def family_of(
    session: AsyncSession, household_id: UUID, day: date, applicant_id: UUID | None = None
) -> Family:
    """The household on a day, as known now; `applicant_id` came in the first applicant's place."""
    recorded = await repository.facts_of(session, household_id)
    rows = await repository.members_of(session, household_id)
    return _family(recorded, rows, day, applicant_id)


def family_declared(declared: Declared, day: date) -> Family:
    """As `family_of`, of a household that was just taken down."""
    return _family(map(repository.fact, declared.facts), declared.members, day)


def _family(
    recorded: Iterable[facts.Fact],
    rows: Sequence[MemberRow],
    day: date,
    applicant_id: UUID | None = None,
) -> Family:
    known = facts.standing(recorded)
    held = facts.in_force(known, day)
    present = set(facts.present(held))
    members = tuple(row for row in rows if row.id in present)
    values = {(one.member, one.kind): one.value for one in held if one.member is not None}
    selves = (
        {applicant_id}
        if applicant_id
        else {
            one.member
            for one in known
            if one.kind is FactKind.PERSON and one.value["relation"] == Relation.SELF
        }
    )
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
        birth_doubtful=frozenset(
            row.id
            for row in members
            if any(
                one.member == row.id and facts.birth_doubtful(one, row.document_born)
                for one in held
            )
        ),
    )


async def family_for(session: AsyncSession, application: ApplicationRow, day: date) -> Family:
    """The household that an application is about, with whoever applies now."""
    return await family_of(session, application.household_id, day, application.applicant_id)


def require_applicant(family: Family) -> None:
    """Whoever is told, named and paid must belong to the household (57号 art. 4).

    Raises:
        ApplicantLeft: the applicant does not any more.
    """
    if family.applicant_left:
        raise ApplicantLeft("请先变更申请人；家庭已无其他成员的，应终止审核确认")


async def name_of(session: AsyncSession, member: MemberRow, purpose: str) -> str:
    """A member's name in clear; the reading is audited."""
    cell = Cell("household_member", "name", member.id)
    return await reveal(session, member.name, cell, of=str(member.person), purpose=purpose)
