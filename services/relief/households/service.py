"""Take down households, what is true of them and who claims what; open what is sealed of them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.clock import SHANGHAI
from chassis.conditional import require_version
from chassis.database import now, today
from chassis.identity import (
    DocumentKind,
    ResidentId,
    check_resident_id,
    mask_name,
    mask_number,
    pseudonym,
    undocumented_person,
)
from chassis.ids import new_id
from chassis.jobs import enqueue
from chassis.law.dates import add_months
from chassis.privacy import Cell, Sealed
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from chassis.sealing import key_ring, reveal, seal
from contracts.events.relief import Area, Programme
from services.relief.entitlement import facts as law
from services.relief.entitlement.income import missed
from services.relief.households import repository, rules
from services.relief.households.kinds import (
    ClaimRole,
    ClaimState,
    FactKind,
    LeaveReason,
)
from services.relief.households.models import FactRow, HouseholdRow, MemberRow, SupporterRow
from services.relief.households.repository import Elsewhere
from services.relief.households.rules import Fact
from services.relief.households.schemas import (
    SITUATION,
    AddressFact,
    AnyFact,
    AuthorisationIn,
    ConsentIn,
    ConsumptionIn,
    FactCorrection,
    HouseholdIn,
    MemberIn,
    PropertyIn,
    SupporterIn,
    SupportFact,
)
from services.relief.parameters import repository as parameters
from services.relief.parameters.rules import Law

MONTH_ASSUMED = "month_assumed"
"""Marks in an income's value that no month was stated: it is of those before the application."""
MEMBERS_CHANGED = "relief.household.members_changed"
"""The job that is made when somebody comes or goes; done by whoever pays the household."""
TWICE = "同一人不能同日在一个家庭中登记两次"
CONSENT = "dibao.supporter.consent_required"

_BESIDE_THE_VALUE = {
    "fact",
    "address",
    "member",
    "valid_from",
    "valid_to",
    "first_month",
    "source",
    "source_day",
    "reason",
}


class AlreadyMember(Conflict):
    slug, title = "already-member", "该人员已是家庭成员"


class AlreadyRecorded(Conflict):
    slug, title = "fact-already-recorded", "该日期已有同一事项的记载"


class AlreadyCorrected(Conflict):
    slug, title = "fact-already-corrected", "该项记载已被更正"


class OutsideWindow(Unprocessable):
    slug, title = "income-outside-window", "申报的收入不在核算期内"


class AreaFixed(Conflict):
    slug, title = "area-fixed", "城乡类别已确定"


class AreaOpen(Conflict):
    slug, title = "area-open", "城乡类别尚未确定"


class AlreadyApplied(Conflict):
    """`persons` are the pseudonyms of those whose other claim stands."""

    slug, title = "already-applied", "申请人已有办理中的同类申请"

    def __init__(self, persons: Iterable[UUID]) -> None:
        super().__init__("同一申请人同时只能有一件办理中的申请")
        self.persons = frozenset(persons)


class AlreadyAwarded(Conflict):
    """`persons` are the pseudonyms of those whom another award already covers."""

    slug, title = "already-awarded", "家庭成员已在其他家庭享受该项救助"

    def __init__(self, persons: Iterable[UUID]) -> None:
        super().__init__("请先核实并处理该成员在其他家庭的救助")
        self.persons = frozenset(persons)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as revealed; shows nothing of itself."""

    name: str
    document_kind: DocumentKind | None
    number: str | None
    phone: str | None
    near_relative: Mapping[str, str] | None

    def __repr__(self) -> str:
        return "Identity(…)"


@dataclass(frozen=True, slots=True)
class Declared:
    """A household just taken down, with all that was recorded of it: nothing is to be read anew."""

    household: HouseholdRow
    members: list[MemberRow]
    facts: list[FactRow]


@dataclass(frozen=True, slots=True)
class _Documented:
    """A person as taken down: the pseudonym, and what the number says."""

    person: UUID
    resident: ResidentId | None


async def create(
    session: AsyncSession, *, unit: int, asked: HouseholdIn, pointer: str = ""
) -> Declared:
    """Take down a household as it declares itself; `pointer` is where it stands in the body."""
    day = asked.declared_on or today(session)
    _not_ahead(session, day, f"{pointer}/declared_on")
    for place, each in enumerate(asked.members):
        _months_over(session, each, f"{pointer}/members/{place}")
    household = HouseholdRow(
        id=new_id(),
        unit_id=unit,
        version=1,
        declared_on=day,
    )
    session.add(household)
    await session.flush()
    refs: dict[str | None, UUID | None] = {None: None}
    members: list[MemberRow] = []
    for place, each in enumerate(asked.members):
        at = f"{pointer}/members/{place}"
        member = _member(session, household, each, day=day, known=members, pointer=at)
        members.append(member)
        refs[each.ref] = member.id
    session.add_all(members)
    await session.flush()
    lives = _add_fact(
        session,
        household,
        FactKind.ADDRESS,
        {},
        member_id=None,
        valid_from=day,
        reason=asked.address,
    )
    facts = [lives]
    for member, each in zip(members, asked.members, strict=True):
        facts += _declare(session, household, member, each, day)
    for owned in asked.properties:
        member_id = refs[owned.member]
        facts.append(
            _add_item(session, household, FactKind.PROPERTY, owned, day=day, member_id=member_id)
        )
    facts += [
        _add_item(session, household, FactKind.CONSUMPTION, spent, day=day, member_id=None)
        for spent in asked.consumptions
    ]
    for supporter in asked.supporters:
        session.add(_supporter(session, household, supporter))
    await session.flush()
    await _note(session, household, "declared")
    return Declared(household, members, facts)


async def redeclare(
    session: AsyncSession,
    household: HouseholdRow,
    held: Law,
    facts: Iterable[FactRow] | None = None,
) -> None:
    """Make today the day of the declaration: an application that lay as a draft is handed in.

    An income of which no month was stated is of those before the application, whenever that is.

    Args:
        session: the transaction, which holds the household.
        household: which.
        held: the law of today.
        facts: all that is recorded of it, where that is at hand.

    Raises:
        OutsideWindow: names the incomes of which no month counts under the law of today, `held`.
    """
    day = today(session)
    if facts is None:
        facts = await repository.fact_rows(session, household.id)
    rows = {row.id: row for row in facts}
    incomes = [
        fact
        for fact in rules.standing(repository.fact(row) for row in rows.values())
        if fact.kind is FactKind.INCOME
    ]
    stated = [fact for fact in incomes if not fact.value.get(MONTH_ASSUMED)]
    if outside := [fact for fact in stated if missed(rules.income(fact), day, held)]:
        names = {one.id: one for one in await repository.members_of(session, household.id)}
        raise OutsideWindow(
            "下列收入不在申请之日的核算期内，不能据以测算，请更正所属月份、补报核算期内的收入："
            + "；".join(
                f"{names[fact.member].name_masked}自 {fact.valid_from:%Y-%m} 起的"
                f" {fact.value['months']} 个月"
                for fact in outside
                if fact.member
            )
        )
    if household.declared_on == day:
        return
    await _touch(session, household)
    household.declared_on = day
    for fact in incomes:
        first = _months_before(day, fact.value["months"])
        if fact.value.get(MONTH_ASSUMED) and fact.valid_from != first:
            await _date_anew(session, household, rows[fact.id], first)
    await _check(session, household, "")
    await _note(session, household, "redeclared")


async def to_change(
    session: AsyncSession, units: Collection[int], household_id: UUID, if_match: str | None
) -> HouseholdRow:
    """The household, locked, on the version that the caller read."""
    household = await repository.find(session, units, household_id, lock=True)
    if household is None:
        raise NotFound
    require_version(if_match, household.version)
    return household


async def member_of(session: AsyncSession, household: HouseholdRow, member_id: UUID) -> MemberRow:
    member = await session.get(MemberRow, member_id)
    if member is None or member.household_id != household.id:
        raise NotFound("未找到该成员")
    return member


async def add_member(
    session: AsyncSession, household: HouseholdRow, asked: MemberIn, pointer: str = ""
) -> MemberRow:
    """Somebody enters: by birth, marriage, moving in; with what is declared of them."""
    await _touch(session, household)
    _months_over(session, asked, pointer)
    known = await repository.members_of(session, household.id)
    member = _member(session, household, asked, day=today(session), known=known, pointer=pointer)
    session.add(member)
    await session.flush()
    # Of an open application the income before its own day is asked for, whoever joins later.
    applying = await repository.open_claims(session, household.id)
    asked_on = household.declared_on if applying else today(session)
    _declare(session, household, member, asked, asked_on)
    await _check(session, household, f"{pointer}/joined_on")
    await _members_changed(session, household)
    await _note(session, household, "member_joined")
    return member


async def member_leaves(
    session: AsyncSession,
    household: HouseholdRow,
    member_id: UUID,
    *,
    left_on: date,
    reason: LeaveReason,
) -> MemberRow:
    """Somebody is no member any more from a day on; all that was recorded of them stays."""
    await _touch(session, household)
    member = await member_of(session, household, member_id)
    _not_ahead(session, left_on, "/left_on")
    if left_on < member.joined_on:
        raise Unprocessable("日期有误", errors=[FieldError("/left_on", "不得早于成为家庭成员之日")])
    if member.left_on is not None:
        raise AlreadyRecorded("该成员已离开家庭，如有误请更正")
    _add_fact(
        session,
        household,
        FactKind.MEMBERSHIP,
        {"state": "out", "reason": reason.value},
        member_id=member.id,
        valid_from=left_on,
    )
    await _check(session, household, "/left_on")
    await _members_changed(session, household)
    await _note(session, household, "member_left")
    return member


async def authorise(
    session: AsyncSession, household: HouseholdRow, member_id: UUID, asked: AuthorisationIn
) -> MemberRow:
    """Record a member's commitment to truth and authorisation of the check, given today."""
    await _touch(session, household)
    member = await member_of(session, household, member_id)
    _take_authorisation(member, asked, today(session))
    await _note(session, household, "authorised")
    return member


async def record_fact(session: AsyncSession, household: HouseholdRow, asked: AnyFact) -> FactRow:
    """Record what holds from a day on."""
    await _touch(session, household)
    return await _take(session, household, asked, [], pointer="")


async def record_found(
    session: AsyncSession,
    household: HouseholdRow,
    found: Sequence[tuple[AnyFact, Collection[UUID]]],
) -> None:
    """Record what a check found, each in the place of facts that it supersedes; all at once."""
    await _touch(session, household)
    rows = {row.id: row for row in await repository.fact_rows(session, household.id)}
    for asked, superseding in found:
        await _put(
            session, household, asked, [rows[fact_id] for fact_id in superseding], pointer=""
        )
    await _check(session, household, "")
    await _note(session, household, "found_recorded")


async def correct_fact(
    session: AsyncSession, household: HouseholdRow, fact_id: UUID, asked: FactCorrection
) -> FactRow | None:
    """Put another fact in the place of one, or withdraw it; the first stays on record."""
    await _touch(session, household)
    rows = {row.id: row for row in await repository.fact_rows(session, household.id)}
    wrong = rows.get(fact_id)
    if wrong is None:
        raise NotFound("未找到该项记载")
    if wrong.superseded_at is not None:
        raise AlreadyCorrected("请更正现行的一项")
    cell = _fact_cell("superseded_reason", wrong.id)
    wrong.superseded_reason = seal(session, asked.reason, cell)
    right = asked.replacement
    if right is None:
        wrong.superseded_at = now(session)
        await _check(session, household, "")
        if wrong.kind is FactKind.MEMBERSHIP:
            await _members_changed(session, household)
        await _note(session, household, "fact_withdrawn")
        return None
    if FactKind(right.fact) is not wrong.kind or _member_id(right) != wrong.member_id:
        raise Unprocessable(
            "更正的事项不符",
            errors=[FieldError("/replacement/fact", "须与原记载为同一成员的同一事项")],
        )
    return await _take(session, household, right, [wrong], pointer="/replacement")


async def fix_area(
    session: AsyncSession, household: HouseholdRow, *, area: Area, reason: str
) -> None:
    """Fix whether the household is urban or rural, with the reason; once."""
    await _touch(session, household)
    if household.area is not None:
        raise AreaFixed("城乡类别在受理时确定，不再变动")
    household.area = area
    household.area_reason = seal(session, reason, _household_cell("area_reason", household.id))
    household.area_fixed_on = today(session)
    await _note(session, household, "area_fixed")


async def hand_over(session: AsyncSession, household: HouseholdRow, unit: int) -> None:
    """Make another unit responsible for the household and all that is recorded of it.

    The transaction's units must hold both (row-level security).
    """
    await _touch(session, household)
    await repository.hand_over(session, household, unit)
    await _note(session, household, "handed_over")


async def add_supporter(
    session: AsyncSession, household: HouseholdRow, asked: SupporterIn
) -> SupporterRow:
    """Take down somebody outside who owes support."""
    await _touch(session, household)
    supporter = _supporter(session, household, asked)
    session.add(supporter)
    await session.flush()
    await _note(session, household, "supporter_named")
    return supporter


async def consent(
    session: AsyncSession, household: HouseholdRow, supporter_id: UUID, asked: ConsentIn
) -> SupporterRow:
    """Record that a supporter agrees to be checked (社会救助法 art. 41)."""
    await _touch(session, household)
    supporter = await _supporter_of(session, household, supporter_id)
    _not_ahead(session, asked.consented_on, "/consented_on")
    supporter.consented_on = asked.consented_on
    supporter.consent_document = asked.consent_document
    await _note(session, household, "supporter_consented")
    return supporter


async def _supporter_of(
    session: AsyncSession, household: HouseholdRow, supporter_id: UUID
) -> SupporterRow:
    found = await repository.supporters_of(session, household.id)
    supporter = next((one for one in found if one.id == supporter_id), None)
    if supporter is None:
        raise NotFound("未找到该义务人")
    return supporter


async def consent_required(session: AsyncSession, day: date, county: int | None) -> bool:
    """Whether by the law of the day a supporter outside must agree to be checked (法 art. 41)."""
    of_day = await parameters.law(session, day, county=county)
    return of_day.holds(CONSENT) and of_day.flag(CONSENT).value


async def assembled(
    session: AsyncSession,
    household_id: UUID,
    *,
    day: date,
    known_on: date | None = None,
    applied_on: date | None = None,
    area: Area | None = None,
    missing: Iterable[tuple[UUID, str]] = (),
    silences: Iterable[law.Silence] = (),
) -> law.Household:
    """The household on a day, as known at the end of another (None: now).

    Args:
        session: shows the household; what it does not show is not found.
        household_id: whose.
        day: the day on which membership and situation are read.
        known_on: what was recorded after it is left out.
        applied_on: the day of the application, if it is not `day`.
        area: until it is fixed, what to go by.
        missing: (member, source) that has not answered and whose silence nobody has accepted.
        silences: those whose silence somebody has accepted.

    Raises:
        AreaOpen: it is neither fixed nor given.
    """
    household = await session.get(HouseholdRow, household_id)
    if household is None:
        raise NotFound
    of_area = household.area or area
    if of_area is None:
        raise AreaOpen("请先确定城乡类别")
    return rules.assemble(
        await repository.facts_of(session, household_id),
        day=day,
        area=of_area,
        applied_on=applied_on or day,
        before=end_of(known_on),
        missing=missing,
        silences=silences,
    )


async def revealed(session: AsyncSession, member: MemberRow, *, purpose: str) -> Identity:
    """Who a member is, in full; each field that is opened stands in the audit."""

    async def opened(column: str, sealed: bytes | None) -> str | None:
        if sealed is None:
            return None
        cell = _member_cell(column, member.id)
        return await reveal(session, sealed, cell, of=str(member.person), purpose=purpose)

    relative = await opened("near_relative", member.near_relative)
    return Identity(
        name=await opened("name", member.name) or "",
        document_kind=member.document_kind,
        number=await opened("number", member.number),
        phone=await opened("phone", member.phone),
        near_relative=None if relative is None else json.loads(relative),
    )


async def revealed_address(
    session: AsyncSession, household: HouseholdRow, *, purpose: str
) -> str | None:
    """Where the household lives today."""
    rows = {row.id: row for row in await repository.fact_rows(session, household.id)}
    facts = rules.standing(repository.fact(row) for row in rows.values())
    held = rules.in_force(facts, today(session))
    lives = next((fact for fact in held if fact.kind is FactKind.ADDRESS), None)
    if lives is None:
        return None
    return await _opened(session, rows[lives.id], "note", purpose)


async def revealed_area_reason(
    session: AsyncSession, household: HouseholdRow, *, purpose: str
) -> str | None:
    if household.area_reason is None:
        return None
    cell = _household_cell("area_reason", household.id)
    return await reveal(session, household.area_reason, cell, of=str(household.id), purpose=purpose)


async def revealed_reasons(
    session: AsyncSession, household: HouseholdRow, fact_id: UUID, *, purpose: str
) -> tuple[str | None, str | None]:
    """Why a fact was recorded, and why it was corrected."""
    rows = await repository.fact_rows(session, household.id)
    row = next((one for one in rows if one.id == fact_id), None)
    if row is None:
        raise NotFound("未找到该项记载")

    return (
        await _opened(session, row, "note", purpose),
        await _opened(session, row, "superseded_reason", purpose),
    )


async def claim(
    session: AsyncSession,
    *,
    programme: Programme,
    file_id: UUID,
    household_id: UUID,
    persons: Mapping[UUID, ClaimRole],
) -> None:
    """Record who asks for a programme under an open case; what stands already is left.

    Args:
        session: the case's transaction.
        programme: what is asked for.
        file_id: the case.
        household_id: whose case; by it others know whether they may see the file.
        persons: pseudonyms.

    Raises:
        AlreadyApplied: the applicant is the applicant of another open case.
    """
    new = set(persons) - await repository.claimed_under(session, file_id)
    members = await repository.members_of(session, household_id)
    await _ask(session, programme, file_id, members, {one: persons[one] for one in new})


async def claim_first(
    session: AsyncSession,
    declared: Declared,
    *,
    programme: Programme,
    file_id: UUID,
    persons: Mapping[UUID, ClaimRole],
) -> None:
    """As `claim`, for the household of a case that is being opened: nothing stands under it yet.

    Raises:
        AlreadyApplied: the applicant is the applicant of another open case.
    """
    await _ask(session, programme, file_id, declared.members, persons)


async def _ask(
    session: AsyncSession,
    programme: Programme,
    file_id: UUID,
    members: Sequence[MemberRow],
    persons: Mapping[UUID, ClaimRole],
) -> None:
    stands = await repository.claim(
        session,
        persons,
        members,
        programme=programme,
        file_id=file_id,
        state=ClaimState.OPEN,
    )
    if stands < set(persons):
        raise AlreadyApplied(set(persons) - stands)


async def award_claims(
    session: AsyncSession,
    *,
    programme: Programme,
    case_id: UUID,
    award_id: UUID,
    household_id: UUID,
    persons: Mapping[UUID, ClaimRole],
) -> None:
    """Make `persons` those whom an award covers, and close what was open under the case.

    Raises:
        AlreadyAwarded: another award of the programme covers one of them.
    """
    covered = await repository.claimed_under(session, award_id)
    await repository.close_claims(session, case_id)
    await repository.close_claims(session, award_id, covered - set(persons))
    new = set(persons) - covered
    stands = await repository.claim(
        session,
        {person: persons[person] for person in new},
        await repository.members_of(session, household_id),
        programme=programme,
        file_id=award_id,
        state=ClaimState.AWARDED,
    )
    if stands < new:
        raise AlreadyAwarded(new - stands)


async def release_claims(
    session: AsyncSession, *, file_id: UUID, persons: Collection[UUID] | None = None
) -> None:
    """Close the claims under a case or an award: of some persons, or (None) of all."""
    await repository.close_claims(session, file_id, persons)


async def elsewhere(
    session: AsyncSession,
    units: Collection[int],
    *,
    programme: Programme | None = None,
    persons: Collection[UUID],
    but: UUID | None = None,
) -> list[Elsewhere]:
    """Where persons ask or are paid under other files than `but`.

    The file, the household and the unit are told only where the caller may see them.
    """
    return await repository.elsewhere(session, units, persons, programme=programme, but=but)


async def claims_of(
    session: AsyncSession, units: Collection[int], kind: DocumentKind, number: str
) -> list[Elsewhere]:
    """Where the holder of a document asks or is paid (新增人员校验); the asking is audited."""
    person = pseudonym(key_ring(session).pseudonym_key, kind, number)
    await audit.record(session, action="relief.person.checked", subject=str(person))
    return await elsewhere(session, units, persons=[person])


def end_of(day: date | None) -> datetime | None:
    """The instant at which a day ends in Asia/Shanghai."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


async def _touch(session: AsyncSession, household: HouseholdRow) -> None:
    """Lock the household, so that what is checked next still holds when it is written."""
    await session.flush()
    await session.refresh(household, with_for_update=True)
    household.version += 1
    await session.flush()


async def _members_changed(session: AsyncSession, household: HouseholdRow) -> None:
    """What follows when somebody came, left or was recorded otherwise."""
    await _claim_anew(session, household)
    await enqueue(
        session,
        MEMBERS_CHANGED,
        f"{MEMBERS_CHANGED}:{household.id}:{household.version}",
        {"household": str(household.id)},
    )


async def _claim_anew(session: AsyncSession, household: HouseholdRow) -> None:
    """Whoever belongs to the household today asks with its open files, the applicant in any case.

    So that somebody who comes or goes in the middle of a case is found elsewhere, or no more.
    """
    claims = await repository.open_claims(session, household.id)
    facts = rules.standing(await repository.facts_of(session, household.id))
    present = set(rules.present(rules.in_force(facts, today(session))))
    members = await repository.members_of(session, household.id)
    belong = {one.person for one in members if one.id in present}
    for programme, file_id in {(one.programme, one.file_id) for one in claims}:
        asking = {one.person: one.role for one in claims if one.file_id == file_id}
        gone = {one for one, role in asking.items() if role is ClaimRole.MEMBER} - belong
        await repository.close_claims(session, file_id, gone)
        await repository.claim(
            session,
            dict.fromkeys(belong - asking.keys(), ClaimRole.MEMBER),
            members,
            programme=programme,
            file_id=file_id,
            state=ClaimState.OPEN,
        )


async def _opened(session: AsyncSession, row: FactRow, column: str, purpose: str) -> str | None:
    sealed: bytes | None = getattr(row, column)
    if sealed is None:
        return None
    return await reveal(
        session, sealed, _fact_cell(column, row.id), of=str(row.id), purpose=purpose
    )


async def _note(session: AsyncSession, household: HouseholdRow, verb: str) -> None:
    await audit.record(session, action=f"relief.household.{verb}", subject=str(household.id))


def _member(
    session: AsyncSession,
    household: HouseholdRow,
    asked: MemberIn,
    *,
    day: date,
    known: Sequence[MemberRow],
    pointer: str,
) -> MemberRow:
    joined = asked.joined_on or day
    _not_ahead(session, joined, f"{pointer}/joined_on")
    _not_ahead(session, asked.born, f"{pointer}/born")
    _begun(session, asked, pointer)
    documented = _documented(session, asked.document_kind, asked.document_number)
    resident = documented.resident
    member_id = new_id()
    index = key_ring(session).name_index(asked.name)
    member = MemberRow(
        id=member_id,
        household_id=household.id,
        unit_id=household.unit_id,
        person=documented.person,
        name=seal(session, asked.name, _member_cell("name", member_id)),
        name_masked=mask_name(asked.name),
        name_index=index,
        document_kind=asked.document_kind,
        number=_sealed(session, asked.document_number, _member_cell("number", member_id)),
        number_masked=_masked(asked.document_number),
        phone=_sealed(session, asked.phone, _member_cell("phone", member_id)),
        born=asked.born,
        document_born=resident and resident.born,
        sex=resident.sex if resident else asked.sex,
        doubts=[doubt.value for doubt in resident.doubts] if resident else [],
        joined_on=joined,
        declared_at=now(session),
        authorisation="",
    )
    if any(_together(member, other) for other in known):
        raise AlreadyMember(TWICE)
    if asked.near_relative is not None:
        member.near_relative_of = asked.near_relative.of
        details = json.dumps(asked.near_relative.model_dump(mode="json"), ensure_ascii=False)
        member.near_relative = seal(session, details, _member_cell("near_relative", member_id))
    _take_authorisation(member, asked, day)
    return member


def _together(one: MemberRow, other: MemberRow) -> bool:
    """Whether both rows are of one person on one day."""
    if one.left_on == one.joined_on or other.left_on == other.joined_on:
        return False
    apart = (one.left_on or date.max) <= other.joined_on or (
        other.left_on or date.max
    ) <= one.joined_on
    return not apart and _same_person(one, other)


def _same_person(one: MemberRow, other: MemberRow) -> bool:
    """By pseudonym; who has no document is known again by name and day of birth alone."""
    if one.document_kind is None and other.document_kind is None:
        return (one.name_index, one.born) == (other.name_index, other.born)
    return one.person == other.person


def _documented(
    session: AsyncSession, kind: DocumentKind | None, number: str | None
) -> _Documented:
    if kind is None or number is None:
        return _Documented(undocumented_person(), None)
    person = pseudonym(key_ring(session).pseudonym_key, kind, number)
    resident = None
    if kind is DocumentKind.RESIDENT_ID:
        resident = check_resident_id(number, today=today(session))
    return _Documented(person, resident)


def _take_authorisation(member: MemberRow, asked: AuthorisationIn, day: date) -> None:
    if asked.truth_committed:
        member.truth_committed_on = day
    if asked.check_authorised:
        member.check_authorised_on = day
        member.authorisation = asked.authorisation or ""


def _declare(
    session: AsyncSession,
    household: HouseholdRow,
    member: MemberRow,
    asked: MemberIn,
    declared_on: date,
) -> list[FactRow]:
    """The facts that a member's declaration holds; what is the ordinary case is none."""
    values: dict[FactKind, dict[str, Any]] = {
        FactKind.MEMBERSHIP: {"state": "in", "reason": asked.join_reason.value},
        FactKind.PERSON: {"relation": asked.relation.value, "born": asked.born.isoformat()},
    }
    for kind, fields in SITUATION.items():
        stated = asked.model_dump(mode="json", include=set(fields.model_fields))
        if stated != fields().model_dump(mode="json"):
            values[kind] = stated
    facts = [
        _add_fact(
            session,
            household,
            kind,
            value,
            member_id=member.id,
            valid_from=member.joined_on,
        )
        for kind, value in values.items()
    ]
    for income in asked.incomes:
        assumed = {} if income.first_month else {MONTH_ASSUMED: True}
        fact = _add_fact(
            session,
            household,
            FactKind.INCOME,
            _value(income) | assumed,
            member_id=member.id,
            valid_from=income.first_month or _months_before(declared_on, income.months),
            reason=income.reason,
        )
        facts.append(fact)
    return facts


def _months_before(day: date, months: int) -> date:
    """The first of so many months of which the last one is that before the day."""
    return add_months(day.replace(day=1), -months)


def _months_over(session: AsyncSession, asked: MemberIn, pointer: str) -> None:
    """Nothing is declared of months that are still to come: it would count for none."""
    for place, income in enumerate(asked.incomes):
        if income.first_month is not None:
            last = add_months(income.first_month, income.months - 1)
            _not_ahead(session, last, f"{pointer}/incomes/{place}/first_month")


async def _date_anew(
    session: AsyncSession, household: HouseholdRow, row: FactRow, first: date
) -> None:
    """Put a declared income, as it was told, into the months before today."""
    anew = _add_fact(
        session,
        household,
        row.kind,
        row.value,
        member_id=row.member_id,
        valid_from=first,
        source=row.source,
        source_day=row.source_day,
        reason=await _opened(session, row, "note", "按申请之日确定收入的所属月份"),
    )
    row.superseded_at, row.superseded_by = anew.known_at, anew.id


def _add_item(
    session: AsyncSession,
    household: HouseholdRow,
    kind: FactKind,
    asked: PropertyIn | ConsumptionIn,
    *,
    day: date,
    member_id: UUID | None,
) -> FactRow:
    return _add_fact(
        session,
        household,
        kind,
        _value(asked),
        member_id=member_id,
        valid_from=day,
        reason=asked.reason,
    )


def _add_fact(
    session: AsyncSession,
    household: HouseholdRow,
    kind: FactKind,
    value: Mapping[str, Any],
    *,
    valid_from: date,
    member_id: UUID | None,
    reason: str | None = None,
    **origin: Any,  # noqa: ANN401 - further columns of FactRow
) -> FactRow:
    fact_id = new_id()
    row = FactRow(
        id=fact_id,
        household_id=household.id,
        member_id=member_id,
        unit_id=household.unit_id,
        kind=kind,
        value=dict(value),
        valid_from=valid_from,
        note=_sealed(session, reason, _fact_cell("note", fact_id)),
        known_at=now(session),
        recorded_by=session.info["actor"],
        **({"source": law.FactSource.DECLARED} | origin),
    )
    session.add(row)
    return row


async def _take(
    session: AsyncSession,
    household: HouseholdRow,
    asked: AnyFact,
    replaced: Sequence[FactRow],
    *,
    pointer: str,
) -> FactRow:
    row = await _put(session, household, asked, replaced, pointer=pointer)
    await _check(session, household, f"{pointer}/{_day_name(asked)}")
    if row.kind is FactKind.MEMBERSHIP:
        await _members_changed(session, household)
    await _note(session, household, "fact_corrected" if replaced else "fact_recorded")
    return row


async def _put(
    session: AsyncSession,
    household: HouseholdRow,
    asked: AnyFact,
    replaced: Sequence[FactRow],
    *,
    pointer: str,
) -> FactRow:
    """Write one fact down; whether all of them fit together is checked after it."""
    member_id = _member_id(asked)
    if member_id is not None:
        await member_of(session, household, member_id)
    if isinstance(asked, SupportFact):
        await _supporter_of(session, household, asked.supporter)
    valid_from: date = getattr(asked, _day_name(asked))
    _not_ahead(session, valid_from, f"{pointer}/{_day_name(asked)}")
    _begun(session, asked, pointer)
    row = _add_fact(
        session,
        household,
        FactKind(asked.fact),
        _value(asked),
        member_id=member_id,
        valid_from=valid_from,
        valid_to=getattr(asked, "valid_to", None),
        reason=asked.address if isinstance(asked, AddressFact) else asked.reason,
        source=asked.source,
        source_day=asked.source_day,
    )
    for one in replaced:
        one.superseded_at, one.superseded_by = row.known_at, row.id
    return row


def _day_name(asked: AnyFact) -> str:
    return "first_month" if asked.fact == "income" else "valid_from"


async def _check(session: AsyncSession, household: HouseholdRow, pointer: str) -> None:
    """What all facts together must keep to; then the members' rows say what the facts say."""
    await session.flush()
    facts = await repository.facts_of(session, household.id)
    held = rules.standing(facts)
    by_hand = [fact for fact in facts if fact.source is not law.FactSource.CHECKED]
    if len(by_hand) > rules.MOST_FACTS:
        raise Unprocessable(f"一个家庭的记载不得超过 {rules.MOST_FACTS} 项")
    if rules.twice_a_day(held):
        raise AlreadyRecorded("如需改动请用更正")
    members = await repository.members_of(session, household.id)
    for member in members:
        own = [fact for fact in held if fact.member == member.id]
        problem = rules.violation(own)
        if problem:
            raise Unprocessable("与该成员的其他记载不符", errors=[FieldError(pointer, problem)])
        _follow(member, own)
    if any(_together(one, other) for one, other in combinations(members, 2)):
        raise AlreadyMember(TWICE)


def _follow(member: MemberRow, own: Sequence[Fact]) -> None:
    found = rules.membership(own, member.joined_on)
    member.joined_on, member.left_on = found.joined_on, found.left_on
    member.left_reason = found.left_reason
    member.born = rules.born(own) or member.born


def _value(asked: BaseModel) -> dict[str, Any]:
    value = asked.model_dump(mode="json", exclude=_BESIDE_THE_VALUE)
    if "state" in value:
        reasons = [value.pop("join_reason"), value.pop("leave_reason")]
        value["reason"] = next(reason for reason in reasons if reason)
    return value


def _member_id(asked: AnyFact) -> UUID | None:
    member_id: UUID | None = getattr(asked, "member", None)
    return member_id


def _supporter(session: AsyncSession, household: HouseholdRow, asked: SupporterIn) -> SupporterRow:
    supporter_id = new_id()
    documented = _documented(session, asked.document_kind, asked.document_number)
    return SupporterRow(
        id=supporter_id,
        household_id=household.id,
        unit_id=household.unit_id,
        person=documented.person if asked.document_number else None,
        name=seal(session, asked.name, Cell("supporter", "name", supporter_id)),
        name_masked=mask_name(asked.name),
        document_kind=asked.document_kind,
        number=_sealed(session, asked.document_number, Cell("supporter", "number", supporter_id)),
        number_masked=_masked(asked.document_number),
        relation=asked.relation,
        recorded_at=now(session),
        consented_on=asked.consented_on,
        consent_document=asked.consent_document or "",
    )


def _not_ahead(session: AsyncSession, day: date, pointer: str) -> None:
    if day > today(session):
        raise Unprocessable("日期有误", errors=[FieldError(pointer, "不得晚于今天")])


def _begun(session: AsyncSession, asked: BaseModel, pointer: str) -> None:
    """What is told as the case since a day has begun by today."""
    for name in ("employed_since", "clergy_since"):
        since: date | None = getattr(asked, name, None)
        if since is not None:
            _not_ahead(session, since, f"{pointer}/{name}")


def _sealed(session: AsyncSession, text: str | None, cell: Cell) -> Sealed | None:
    return None if text is None else seal(session, text, cell)


def _masked(number: str | None) -> str | None:
    return None if number is None else mask_number(number)


def _household_cell(column: str, row: UUID) -> Cell:
    return Cell("household", column, row)


def _member_cell(column: str, row: UUID) -> Cell:
    return Cell("household_member", column, row)


def _fact_cell(column: str, row: UUID) -> Cell:
    return Cell("household_fact", column, row)
