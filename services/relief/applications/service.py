"""Open, complete, accept, move and end applications for 低保 (申请与受理)."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from casework import archive, corrections
from casework import service as casework
from casework.models import CaseFile
from chassis.database import add_units, today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.problems import FieldError, NotFound, Unprocessable
from chassis.sealing import seal
from contracts.events.casework import Outcome as Ended
from contracts.events.relief import Programme
from services.relief.applications import (
    deciding,
    documents,
    limits,
    materials,
    measuring,
    repository,
    review,
    rules,
)
from services.relief.applications.desk import EVENT, Desk
from services.relief.applications.family import (
    Family,
    family_declared,
    family_for,
    require_applicant,
)
from services.relief.applications.materials import Item
from services.relief.applications.models import ApplicationRow, ComplaintRow, NearRelativeRow
from services.relief.applications.problems import (
    Incomplete,
    NotDemandable,
    NotHere,
    StepRefused,
    check,
)
from services.relief.applications.schemas import (
    Acceptance,
    ApplicationIn,
    Channel,
    Complaint,
    CorrectionDone,
    CorrectionList,
    Move,
    NearRelatives,
    NewApplicant,
    Termination,
    Withdrawal,
)
from services.relief.checks import service as checks
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.households.kinds import ClaimRole
from services.relief.households.models import FactRow, HouseholdRow
from services.relief.parameters.rules import Law

PERMIT = "dibao.place.residence_permit"
"""Whether holders of a residence permit may apply where they live (法 37; 57号 5)."""


_BY_FORM = frozenset({Channel.ONLINE, Channel.MOBILE})
_FORMS = {True: ("application_form",), False: ()}
"""Who applies online fills the form (申请书) in there; elsewhere it comes on paper."""


async def open_application(desk: Desk, asked: ApplicationIn) -> CaseFile:
    """Record a household and its application: as a draft, or submitted at once.

    The same applicant at once elsewhere: the claim is one, the other application is refused.
    """
    session = desk.session
    unit = desk.village(asked.division, "/division")
    _known(asked.materials)
    _declared_today(asked.household.declared_on, today(session))
    held = await measuring.law(desk, unit, today(session)) if asked.submit else None
    case_id = new_id()
    declared = await households.create(
        session, unit=unit, asked=asked.household, pointer="/household"
    )
    household = declared.household
    family = family_declared(declared, today(session))
    await households.claim_first(
        session,
        declared,
        programme=Programme.DIBAO,
        file_id=case_id,
        persons={
            one.person: ClaimRole.APPLICANT if one is family.applicant else ClaimRole.MEMBER
            for one in family.members
        },
    )
    case = await casework.open_case(
        session,
        rules.DIBAO,
        unit=unit,
        label=family.label,
        channel=asked.channel,
        case_id=case_id,
        event=EVENT,
    )
    session.add(
        ApplicationRow(
            id=case_id,
            unit_id=unit,
            household_id=household.id,
            applied_on=today(session),
            entrusted=asked.entrusted or asked.channel is Channel.COMMITTEE,
            materials=sorted({*asked.materials, *_FORMS[asked.channel in _BY_FORM]}),
            place_basis="",
        )
    )
    if held is not None:
        await _hand_in(desk, case, household, held, declared.facts)
    return case


async def submit(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """Hand in a draft."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "submit")
    application.applied_on = today(desk.session)
    household = await _household(desk, application)
    held = await measuring.law(desk, case.unit_id, today(desk.session))
    await _hand_in(desk, case, household, held)
    return case


async def _hand_in(
    desk: Desk,
    case: CaseFile,
    household: HouseholdRow,
    held: Law,
    facts: Iterable[FactRow] | None = None,
) -> None:
    """What is declared is declared of the day of the application, however long it was a draft."""
    await households.redeclare(desk.session, household, held, facts)
    await desk.advance(case, "submit")


def _declared_today(declared_on: date | None, day: date) -> None:
    if declared_on not in {None, day}:
        raise Unprocessable(
            "申报之日有误",
            errors=[FieldError("/household/declared_on", "申报之日即申请之日，应为今天或不填")],
        )


async def missing(desk: Desk, application: ApplicationRow) -> list[Item]:
    """What still lacks before the application can be accepted."""
    family = await family_for(desk.session, application, today(desk.session))
    return _missing(application, family)


def _missing(application: ApplicationRow, family: Family) -> list[Item]:
    return materials.missing_items(
        family.undertakings, application.materials, family.day, entrusted=application.entrusted
    )


async def tell(desk: Desk, case_id: UUID, if_match: str | None, asked: CorrectionList) -> CaseFile:
    """Tell the applicant at once of everything that lacks (57号 art. 10): one time only."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "tell")
    session = desk.session
    refused = dict(materials.refused_demands(asked.materials, today(session)))
    if refused:
        raise NotDemandable(
            "可以通过信息共享取得的材料不得要求申请人提供",
            errors=[
                FieldError(f"/materials/{place}", refused[code])
                for place, code in enumerate(asked.materials)
                if code in refused
            ],
        )
    items = [
        *(await missing(desk, application)),
        *materials.demanded(asked.materials, application.materials),
    ]
    if not items:
        raise Incomplete("申请已经齐备，没有需要补正的事项，应当受理")
    await corrections.tell(
        session, case, [corrections.Missing(one.code, one.title, one.why) for one in items]
    )
    await documents.correction_list(desk, case, application, items)
    await desk.advance(case, "tell", data={"items": [one.code for one in items]})
    return case


async def complete(
    desk: Desk, case_id: UUID, if_match: str | None, asked: CorrectionDone
) -> CaseFile:
    """Take in what was missing; whether that is all shows at the acceptance."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "complete")
    session = desk.session
    _known(asked.materials)
    household = await _household(desk, application)
    family = await family_for(session, application, today(session))
    for place, one in enumerate(asked.undertakings):
        if family.member(one.member) is None:
            raise _no_member(f"/undertakings/{place}/member")
        await households.authorise(session, household, one.member, one.signed)
    application.materials = sorted({*application.materials, *asked.materials})
    await corrections.fulfil(session, case)
    await desk.advance(case, "complete")
    return case


async def accept(desk: Desk, case_id: UUID, if_match: str | None, asked: Acceptance) -> CaseFile:
    """Accept a complete application: the clock starts, area and limits are fixed from here."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "accept")
    session, day = desk.session, today(desk.session)
    family = await family_for(session, application, day)
    require_applicant(family)
    lacking = _missing(application, family)
    if lacking:
        raise Incomplete("尚缺：" + "、".join(one.title for one in lacking))
    law = await measuring.law(desk, case.unit_id, day)
    permit = law.holds(PERMIT) and law.flag(PERMIT).value
    own = _codes_of(desk, case.unit_id)
    place = rules.place_of_application(family.placed, own, day, residence_permit=permit)
    if not place.basis:
        raise NotHere(f"{place.detail}（{place.article}）")
    competence = await measuring.competence(desk, case.unit_id, day)
    household = await _household(desk, application)
    await households.fix_area(session, household, area=asked.area, reason=asked.area_reason)
    application.area, application.level = asked.area, competence.level
    application.place_basis = place.basis
    await documents.acceptance(desk, case, application, law, competence)
    await desk.advance(
        case,
        "accept",
        limits=limits.limits_of(law, competence.level),
        flags=_flags(family, place.basis),
        data={"area": asked.area.value, "place": place.basis, "level": competence.level.value},
    )
    return case


def _flags(family: Family, basis: str) -> Iterable[str]:
    if any(one.near_relative_of is not None for one in family.members):
        yield "near_relative"
    if rules.separated(family.placed):
        yield "separate_residence"
    if basis in {"several_provinces", "residence_permit"}:
        yield "applied_elsewhere"


def _codes_of(desk: Desk, unit: int) -> frozenset[str]:
    """The codes of today of the town that takes the application, and of all below it."""
    day = today(desk.session)
    below = desk.register.below(desk.town_of(unit), day)
    codes = (desk.register.last_code_of(one, day) for one in below)
    return frozenset(code for code in codes if code is not None)


async def declare_relatives(
    desk: Desk, case_id: UUID, if_match: str | None, asked: NearRelatives
) -> CaseFile:
    """File apart that a member is a near relative of staff or of the village committee."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "declare_relatives")
    session, day = desk.session, today(desk.session)
    family = await family_for(session, application, day)
    for place, one in enumerate(asked.relatives):
        if family.member(one.member) is None:
            raise _no_member(f"/relatives/{place}/member")
        filing_id = new_id()
        session.add(
            NearRelativeRow(
                id=filing_id,
                case_id=case.id,
                unit_id=case.unit_id,
                member_id=one.member,
                of=one.of,
                relation=seal(
                    session,
                    f"{one.relation}（{one.organisation}）",
                    Cell("near_relative_filing", "relation", filing_id),
                ),
                filed_on=day,
                filed_by=session.info["actor"],
            )
        )
    await desk.advance(case, "declare_relatives", flags=["near_relative"])
    return case


async def change_applicant(
    desk: Desk, case_id: UUID, if_match: str | None, asked: NewApplicant
) -> CaseFile:
    """Let another member apply in the place of one who died or left (57号 art. 4)."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "change_applicant")
    session, day = desk.session, today(desk.session)
    family = await family_for(session, application, day)
    member = family.member(asked.member)
    check(
        rules.applicant_fault(
            present=member is not None,
            minor=member is not None and family.is_minor(member),
            adults=not all(family.is_minor(one) for one in family.members),
            left=family.applicant_left,
        )
    )
    application.applicant_id = asked.member
    after = await family_for(session, application, day)
    persons = [family.applicant.person, after.applicant.person]
    await households.release_claims(session, file_id=case.id, persons=persons)
    await households.claim(
        session,
        programme=Programme.DIBAO,
        file_id=case.id,
        household_id=application.household_id,
        persons={after.applicant.person: ClaimRole.APPLICANT},
    )
    case.label = after.label
    await desk.advance(case, "change_applicant", data={"member": str(asked.member)})
    return case


async def complain(desk: Desk, case_id: UUID, if_match: str | None, asked: Complaint) -> CaseFile:
    """Record a complaint; the bureau must then survey before it decides (57号 art. 20)."""
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "complain")
    session = desk.session
    _not_ahead(asked.received_on, today(session), "/received_on")
    complaint_id = new_id()
    session.add(
        ComplaintRow(
            id=complaint_id,
            case_id=case.id,
            unit_id=case.unit_id,
            received_on=asked.received_on,
            content=seal(
                session, asked.content, Cell("application_complaint", "content", complaint_id)
            ),
            recorded_by=session.info["actor"],
        )
    )
    await desk.advance(case, "complain", flags=["complaint"])
    return case


async def withdraw(desk: Desk, case_id: UUID, if_match: str | None, asked: Withdrawal) -> CaseFile:
    """The applicant takes the application back before it is decided."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "withdraw")
    await documents.withdrawal(desk, case, application)
    await households.release_claims(desk.session, file_id=case.id)
    await desk.advance(case, "withdraw", reason=asked.reason or "", outcome=Ended.WITHDRAWN)
    await archive.keep(desk.session, case, retention=rules.RETENTION)
    return case


async def terminate(
    desk: Desk, case_id: UUID, if_match: str | None, asked: Termination
) -> CaseFile:
    """End the procedure without a decision (57号 art. 29), for one of the grounds."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "terminate")
    family = await family_for(desk.session, application, today(desk.session))
    check(rules.termination_fault(asked.ground, len(family.members)))
    application.terminated_for = asked.ground
    await documents.termination(desk, case, application, asked)
    await households.release_claims(desk.session, file_id=case.id)
    await desk.advance(
        case,
        "terminate",
        reason=asked.reason,
        outcome=Ended.TERMINATED,
        data={"ground": asked.ground.value},
    )
    await archive.keep(desk.session, case, retention=rules.RETENTION)
    return case


async def move(desk: Desk, case_id: UUID, if_match: str | None, asked: Move) -> CaseFile:
    """Hand a case over to a village of another town: by the bureau, which sees both."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "move")
    session, old = desk.session, case.unit_id
    if await review.hanging(desk, case) is not None:
        raise StepRefused("初审意见正在公示，不能移交；请先处理异议或撤回初审意见")
    unit = desk.village(asked.division, "/division")
    if not desk.holds_county(old):
        raise NotFound("未找到该申请，或不在您的管辖范围内")
    if desk.town_of(unit) == desk.town_of(old):
        raise Unprocessable(
            "接收的村（社区）属于同一镇街",
            errors=[FieldError("/division", "接收的村（社区）应属于其他镇街")],
        )
    household = await _household(desk, application)
    await add_units(session, [unit])
    await households.hand_over(session, household, unit)
    await checks.hand_over(session, case.id, unit)
    await repository.move(session, application, unit)
    await casework.hand_over(session, case, unit=unit)
    await desk.advance(case, "move", reason=asked.reason, data={"from": old, "to": unit})
    held = await measuring.competence(desk, unit, today(session))
    await deciding.follow(session, desk.register, case, application, held)
    return case


async def close(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """Put a delivered case into the archive."""
    case, _ = await desk.take(case_id, if_match)
    await desk.advance(case, "close")
    await archive.keep(desk.session, case, retention=rules.RETENTION)
    return case


async def _household(desk: Desk, application: ApplicationRow) -> HouseholdRow:
    """The household of an application, locked."""
    found = await household_rows.find(desk.session, desk.units, application.household_id, lock=True)
    if found is None:
        raise NotFound
    return found


def _known(codes: Iterable[str]) -> None:
    unknown = [
        FieldError(f"/materials/{place}", "不在材料目录之内")
        for place, code in enumerate(codes)
        if code not in materials.BY_CODE
    ]
    if unknown:
        raise Unprocessable("材料代码有误", errors=unknown)


def _no_member(pointer: str) -> Unprocessable:
    return Unprocessable("家庭成员有误", errors=[FieldError(pointer, "不是该家庭现有成员")])


def _not_ahead(day: date, today_: date, pointer: str) -> None:
    if day > today_:
        raise Unprocessable("日期有误", errors=[FieldError(pointer, "不能晚于今天")])
