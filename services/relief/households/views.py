"""What is shown of a household: masked, on a day, as known at the end of another."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.database import today
from chassis.law.units import Register
from chassis.problems import NotFound
from services.relief.households import repository, rules, service
from services.relief.households.kinds import FactKind
from services.relief.households.models import FactRow, MemberRow, SupporterRow
from services.relief.households.repository import Elsewhere
from services.relief.households.rules import Fact
from services.relief.households.schemas import (
    SITUATION,
    ClaimView,
    FactView,
    HouseholdView,
    MemberView,
    PersonCheckView,
    SupporterView,
)

TITLES = {
    FactKind.ADDRESS: "居住地址",
    FactKind.MEMBERSHIP: "家庭成员的进出",
    FactKind.PERSON: "与申请人的关系、出生日期",
    FactKind.EDUCATION: "就学",
    FactKind.DISABILITY: "残疾",
    FactKind.HEALTH: "重病、长期卧床",
    FactKind.WORK: "劳动能力、就业",
    FactKind.LIVING: "独立生活、共同生活、法定义务",
    FactKind.CLERGY: "宗教教职",
    FactKind.ABSENCE: "服刑、戒毒、失踪、服役",
    FactKind.REQUEST: "单独申请、特殊困难",
    FactKind.DOMICILE: "户籍地",
    FactKind.RESIDENCE: "经常居住地",
    FactKind.EDGE_PROPERTY: "低保边缘家庭财产认定",
    FactKind.INCOME: "收入与转移支出",
    FactKind.PROPERTY: "财产",
    FactKind.CONSUMPTION: "消费",
    FactKind.SUPPORT: "义务人的收入",
}


async def read(
    session: AsyncSession,
    register: Register,
    units: Collection[int],
    household_id: UUID,
    *,
    as_of: date | None,
    known_on: date | None,
) -> tuple[HouseholdView, int]:
    """As `one`, looked up for itself: the reading is audited."""
    found = await one(session, register, units, household_id, as_of=as_of, known_on=known_on)
    await audit.record(
        session, action="relief.household.read", subject=str(household_id), purpose="查看救助家庭"
    )
    return found


async def one(
    session: AsyncSession,
    register: Register,
    units: Collection[int],
    household_id: UUID,
    *,
    as_of: date | None = None,
    known_on: date | None = None,
) -> tuple[HouseholdView, int]:
    """One household on a day, and its version."""
    household = await repository.find(session, units, household_id)
    if household is None:
        raise NotFound
    day = as_of or today(session)
    before = service.end_of(known_on)
    rows = await repository.fact_rows(session, household.id)
    known = [row for row in rows if before is None or row.known_at < before]
    facts = [repository.fact(row) for row in known]
    standing = rules.standing(facts, before)
    held = rules.in_force(standing, day)
    in_force = {fact.id for fact in held}
    current = {fact.id for fact in standing}
    members = await repository.members_of(session, household.id)
    area_known = known_on is None or (household.area_fixed_on or known_on) <= known_on
    county = register.county_of(household.unit_id, day)
    must_consent = await service.consent_required(session, day, county)
    view = HouseholdView(
        id=household.id,
        as_of=day,
        known_on=known_on,
        division=register.last_code_of(household.unit_id, day),
        division_name=register.name_of(household.unit_id, day),
        declared_on=household.declared_on,
        area=household.area if area_known else None,
        area_fixed_on=household.area_fixed_on if area_known else None,
        members=[
            _member(member, standing, held)
            for member in members
            if before is None or member.declared_at < before
        ],
        facts=[
            _fact(row, in_force=row.id in in_force, standing=row.id in current) for row in known
        ],
        supporters=[
            _supporter(one, day, consent_required=must_consent)
            for one in await repository.supporters_of(session, household.id)
            if before is None or one.recorded_at < before
        ],
    )
    return view, household.version


def person_check(register: Register, day: date, found: Sequence[Elsewhere]) -> PersonCheckView:
    """What is told of a person's claims; of another town's files only that there is one."""
    claims = [
        ClaimView(
            programme=each.programme,
            state=each.state,
            file=each.file_id,
            division=None if each.unit_id is None else register.last_code_of(each.unit_id, day),
            division_name=None if each.unit_id is None else register.name_of(each.unit_id, day),
        )
        for each in found
    ]
    return PersonCheckView(claimed=bool(claims), claims=claims)


def _member(member: MemberRow, standing: Sequence[Fact], held: Sequence[Fact]) -> MemberView:
    own = [fact for fact in standing if fact.member == member.id]
    moves = rules.membership(own, member.joined_on)
    known: dict[str, Any] = {}
    for kind, fields in SITUATION.items():
        known |= fields().model_dump(mode="json") | _value_of(member.id, kind, held)
    person = _value_of(member.id, FactKind.PERSON, held) or _value_of(
        member.id, FactKind.PERSON, own
    )
    return MemberView(
        id=member.id,
        name=member.name_masked,
        document_kind=member.document_kind,
        number=member.number_masked,
        phone_known=member.phone is not None,
        relation=person["relation"],
        born=person["born"],
        sex=member.sex,
        present=member.id in rules.present(held),
        joined_on=moves.joined_on,
        left_on=moves.left_on,
        left_reason=moves.left_reason,
        truth_committed_on=member.truth_committed_on,
        check_authorised_on=member.check_authorised_on,
        near_relative_of=member.near_relative_of,
        situation=known,
        warnings=rules.warnings(
            doubts=member.doubts,
            born=date.fromisoformat(person["born"]),
            document_born=member.document_born,
        ),
    )


def _value_of(member_id: UUID, kind: FactKind, facts: Sequence[Fact]) -> dict[str, Any]:
    return next(
        (dict(fact.value) for fact in facts if (fact.member, fact.kind) == (member_id, kind)), {}
    )


def _fact(row: FactRow, *, in_force: bool, standing: bool) -> FactView:
    return FactView(
        id=row.id,
        fact=row.kind,
        title=TITLES[row.kind],
        member=row.member_id,
        value=row.value,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        in_force=in_force,
        source=row.source,
        source_day=row.source_day,
        has_reason=row.note is not None,
        known_at=row.known_at,
        recorded_by=row.recorded_by,
        superseded_at=None if standing else row.superseded_at,
        superseded_by=None if standing else row.superseded_by,
    )


def _supporter(one: SupporterRow, day: date, *, consent_required: bool) -> SupporterView:
    return SupporterView(
        id=one.id,
        name=one.name_masked,
        document_kind=one.document_kind,
        number=one.number_masked,
        relation=one.relation,
        consented_on=one.consented_on,
        consent_document=one.consent_document,
        checkable=rules.supporter_checkable(
            consented_on=one.consented_on, day=day, consent_required=consent_required
        ),
    )
