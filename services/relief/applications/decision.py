"""Return, prolong, decide, deliver (审核确认与送达)."""

from uuid import UUID

from casework import documents as papers
from casework import repository as cases
from casework import service as casework
from casework.clock import Light
from casework.models import CaseDocument, CaseFile
from casework.sealed import seal_json
from chassis.database import today
from chassis.privacy import Cell
from chassis.problems import FieldError, Unprocessable
from contracts.events.casework import Outcome as Ended
from services.relief.applications import (
    deciding,
    documents,
    investigation,
    limits,
    measuring,
    review,
    rules,
    views,
)
from services.relief.applications.desk import EVENT, Desk
from services.relief.applications.family import Family, family_for
from services.relief.applications.measuring import Measured
from services.relief.applications.models import ApplicationRow, DecisionRow
from services.relief.applications.problems import (
    NotCompetent,
    OpinionOutdated,
    StepRefused,
    check,
)
from services.relief.applications.rules import Outcome
from services.relief.applications.schemas import Decision, Delivery, ProlongationAsked
from services.relief.awards import service as awards
from services.relief.checks import service as checks
from services.relief.entitlement.problems import ContradictsRules
from services.relief.households import service as households
from services.relief.households.kinds import ClaimRole
from services.relief.parameters.rules import Competence

_STEPS = {Outcome.GRANT: "grant", Outcome.REFUSE: "refuse"}
_ENDS = {Outcome.GRANT: Ended.GRANTED, Outcome.REFUSE: Ended.REFUSED}
_NOTICES = ("confirmation", "refusal")


async def return_step(desk: Desk, case_id: UUID, if_match: str | None, reason: str) -> CaseFile:
    """Send the case back to the town, with the reason."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "return_step")
    await _competence(desk, case, application)
    await desk.advance(case, "return_step", reason=reason)
    return case


async def prolong(
    desk: Desk, case_id: UUID, if_match: str | None, asked: ProlongationAsked
) -> CaseFile:
    """Put the special limit in the place of the usual one (57号 art. 22; 83号 4(1)), once.

    The special limit is that of the law of the day of acceptance, as the usual one is.
    """
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "prolong")
    await _competence(desk, case, application)
    check(rules.prolongation_fault(asked.ground, case.flags, case.prolonged))
    await _require_time_left(desk, case)
    law = await measuring.law(desk, case.unit_id, case.accepted_on or application.applied_on)
    special = limits.special_limit(law)
    if special is None:
        raise StepRefused("受理之日施行的规定没有延长期限")
    await casework.prolong(
        desk.session,
        case,
        rules.DIBAO,
        limit=special,
        reason_code=asked.ground.value,
        reason=asked.reason,
        event=EVENT,
    )
    return case


async def _require_time_left(desk: Desk, case: CaseFile) -> None:
    """A limit that has run out is missed; nothing prolongs it afterwards."""
    steps = await cases.steps_of(desk.session, case.id)
    reading = casework.total_reading(case, steps, today(desk.session))
    if reading is not None and reading.light is Light.RED:
        raise StepRefused("办理期限已经届满，不能再延长")


async def decide(desk: Desk, case_id: UUID, if_match: str | None, asked: Decision) -> CaseFile:
    """Decide as the rules of the day say: grant with an award, or refuse with every reason."""
    case, application = await desk.take(case_id, if_match)
    step = _STEPS[asked.outcome]
    desk.require(case, step)
    held = await _competence(desk, case, application)
    if rules.inspection_required(case.flags) and not await investigation.inspected(desk, case):
        raise StepRefused("近亲属备案或有投诉举报的，须先由区县民政部门入户调查并签齐")
    await _require_answers_looked_at(desk, case, application)
    measured = await measuring.measure(desk, case, application)
    _require_agreement(asked.outcome, measured)
    opinion, changed = await review.require_standing(desk, case, application)
    if asked.outcome is Outcome.GRANT and opinion.outcome is Outcome.REFUSE:
        raise OpinionOutdated("初审意见为不符合条件，未公示同意，不能确认同意；请退回重新提出")
    if changed:
        measured.told["notes"].append(changed)
    award_id = None
    if asked.outcome is Outcome.GRANT:
        award_id = await _award(desk, case, application, measured)
        await documents.confirmation(desk, case, application, measured, held, changed=changed)
        await documents.post_result(desk, case, application, measured)
    else:
        await households.release_claims(desk.session, file_id=case.id)
        await documents.refusal(desk, case, application, measured, held, changed=changed)
    _keep(desk, case, asked.outcome, held, measured, award_id)
    await desk.advance(
        case,
        step,
        outcome=_ENDS[asked.outcome],
        data={"level": held.level.value, "award": str(award_id) if award_id else None},
    )
    return case


async def _competence(desk: Desk, case: CaseFile, application: ApplicationRow) -> Competence:
    """Who decides today; the caller's organ, or the request ends here. The limit goes with it."""
    held = await measuring.competence(desk, case.unit_id, today(desk.session))
    if not rules.competent(
        held.level,
        holds_county=desk.holds_county(case.unit_id),
        holds_town=desk.holds_town(case.unit_id),
    ):
        organ = deciding.ORGANS[held.level]
        raise NotCompetent(f"今日由{organ}审核确认" + (f"：{held.flagged}" if held.flagged else ""))
    await deciding.follow(desk.session, desk.register, case, application, held)
    return held


async def _require_answers_looked_at(
    desk: Desk, case: CaseFile, application: ApplicationRow
) -> None:
    """What a source found after the report stands in no fact: it is checked again first."""
    late = await checks.late_flags(desk.session, case.id, application.check_id)
    if any(one.items for one in late):
        sources = "、".join(sorted({one.source_title for one in late if one.items}))
        raise StepRefused(f"核对报告出具后又查得信息（{sources}），请退回镇街重新核对后再决定")


def _require_agreement(outcome: Outcome, measured: Measured) -> None:
    """The decision says what the rules say of the day; what contradicts it is named."""
    by_rules = rules.decided_by_rules(measured.outcome)
    if by_rules is outcome:
        return
    assessment = measured.assessment
    standing = assessment.unsettled if by_rules is None else assessment.failed
    detail = (
        "尚有缺失或待人工认定的事项，不能作出决定"
        if by_rules is None
        else "决定与当日按规定测算的结果不一致"
    )
    raise ContradictsRules(
        detail,
        errors=[FieldError("/outcome", f"{one.title}（{one.article}）") for one in standing],
    )


async def _award(
    desk: Desk, case: CaseFile, application: ApplicationRow, measured: Measured
) -> UUID:
    if application.area is None:
        raise StepRefused("城乡属性尚未确定")
    family = await family_for(desk.session, application, measured.day)
    award = await awards.approve(
        desk.session,
        case_id=case.id,
        household_id=application.household_id,
        unit=case.unit_id,
        area=application.area,
        persons=_roles(family),
        assessment=measured.assessment,
        decided_on=measured.day,
        law=measured.law,
    )
    return award.id


def _roles(family: Family) -> dict[UUID, ClaimRole]:
    applicant = {family.applicant.person: ClaimRole.APPLICANT}
    return {one.person: ClaimRole.MEMBER for one in family.members} | applicant


def _keep(
    desk: Desk,
    case: CaseFile,
    outcome: Outcome,
    held: Competence,
    measured: Measured,
    award_id: UUID | None,
) -> None:
    cell = Cell("application_decision", "assessment", case.id)
    desk.session.add(
        DecisionRow(
            id=case.id,
            unit_id=case.unit_id,
            outcome=outcome,
            level=held.level,
            authority={
                "basis": held.basis.value if held.basis else None,
                "document": held.document,
                "flagged": held.flagged,
            },
            decided_on=measured.day,
            decided_by=desk.session.info["actor"],
            assessment=seal_json(desk.session, measured.told, cell),
            award_id=award_id,
        )
    )


async def deliver(desk: Desk, case_id: UUID, if_match: str | None, asked: Delivery) -> CaseFile:
    """Deliver the decision; a refusal goes through the town (57号 art. 21)."""
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "deliver")
    notice = await _notice(desk, case)
    documents.delivered_by(views.case_desk(desk), case, notice, today(desk.session))
    if notice.delivered_on is None:
        await papers.deliver(
            desk.session,
            notice,
            how=asked.how,
            on=asked.on,
            received_by=asked.received_by or "",
        )
    delivered_on = notice.delivered_on or asked.on
    late = notice.due_delivery_on is not None and delivered_on > notice.due_delivery_on
    await desk.advance(case, "deliver", data={"document": str(notice.id), "late": late})
    return case


async def _notice(desk: Desk, case: CaseFile) -> CaseDocument:
    made = await cases.documents_of(desk.session, case.id)
    notices = [one for one in made if one.kind in _NOTICES]
    if not notices:
        raise Unprocessable("没有可送达的决定文书")
    return notices[-1]
