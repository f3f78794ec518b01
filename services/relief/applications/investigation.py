"""The economic check and the survey of a household (家庭经济状况调查)."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository as cases
from casework import service as casework
from casework.models import CaseFile
from chassis.database import now, today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.problems import FieldError, Forbidden, Unprocessable
from chassis.sealing import seal
from services.relief.applications import documents, limits, measuring, repository, rules
from services.relief.applications.desk import EVENT, Desk
from services.relief.applications.family import family_for
from services.relief.applications.models import ApplicationRow, SignatureRow, SurveyRow
from services.relief.applications.problems import StepRefused, check
from services.relief.applications.schemas import Contest, Survey
from services.relief.checks import repository as check_rows
from services.relief.checks import service as checks
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.households.rules import supporter_checkable


async def start_check(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """Ask the sources about every member who authorised it (57号 art. 15, 17)."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "start_check")
    await _ask(desk, case, application)
    await desk.advance(case, "start_check", data={"check": str(application.check_id)})
    return case


async def contest(desk: Desk, case_id: UUID, if_match: str | None, asked: Contest) -> CaseFile:
    """The applicant contests what the check found, with evidence: it is made again (57号 18)."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "contest")
    await _ask(desk, case, application)
    await desk.advance(
        case, "contest", reason=asked.reason, data={"check": str(application.check_id)}
    )
    return case


async def _ask(desk: Desk, case: CaseFile, application: ApplicationRow) -> None:
    session, day = desk.session, today(desk.session)
    family = await family_for(session, application, day)
    needed = await households.consent_required(session, day, desk.county_of(case.unit_id))
    supporters = [
        one
        for one in await household_rows.supporters_of(session, application.household_id)
        if one.person is not None
        and supporter_checkable(consented_on=one.consented_on, day=day, consent_required=needed)
    ]
    started = await checks.start(
        session,
        case_id=case.id,
        household_id=application.household_id,
        unit=case.unit_id,
        members=family.members,
        supporters=supporters,
    )
    application.check_id = started.id


async def close_check(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """Close the report: on to the survey, or the applicant is told that it stands against them.

    Where the household was surveyed beside the check and all have signed, on to the opinion.

    What is found is taken over by the household's facts; the rules then say whether the household
    still can be entitled. While something is missing they say neither, and the survey goes on.
    """
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "close_check")
    check_row = await checks.latest(desk.session, case.id)
    if check_row is None:
        raise StepRefused("本件没有进行中的信息核对")
    if check_row.closed_on is None:
        await check_rows.lock(desk.session, check_row.id)
        await checks.close(desk.session, check_row)
    measured = await measuring.measure(desk, case, application)
    data = {"check": str(application.check_id)}
    if rules.decided_by_rules(measured.outcome) is rules.Outcome.REFUSE:
        await documents.disqualification(desk, case, application, measured)
        await desk.advance(case, "disqualify", data=data)
    else:
        taken = [one.name for one in await cases.steps_of(desk.session, case.id)]
        surveyed = rules.survey_stands(taken)
        await desk.advance(case, "close_check_surveyed" if surveyed else "close_check", data=data)
    return case


async def note_late(session: AsyncSession, case_id: UUID) -> None:
    """Flag a case for which a source answered only after the report: somebody has to look.

    A case that has ended meanwhile is left alone; the answer stands with its check.
    """
    case = await session.get(CaseFile, case_id, with_for_update=True, populate_existing=True)
    if case is None or rules.DIBAO.state(case.state).final or case.matter != rules.DIBAO.code:
        return
    await casework.advance(
        session, case, rules.DIBAO, "note_late", event=EVENT, flags=["late_answer"]
    )


async def survey(desk: Desk, case_id: UUID, if_match: str | None, asked: Survey) -> CaseFile:
    """Record a survey; in the bureau's hands it is the one before the decision (57号 art. 20).

    Whoever records it signs at once; the others sign with their own login.
    """
    case, application = await desk.take(case_id, if_match)
    by_bureau = case.state == "awaiting"
    step = "inspect" if by_bureau else "survey"
    desk.require(case, step)
    if by_bureau and not desk.holds_county(case.unit_id):
        raise Forbidden("审核确认阶段的入户调查由区县民政部门进行")
    taken = await _record(desk, case, application, asked, by_bureau=by_bureau)
    # The investigation has begun, whether or not the check has been asked for (57号 art. 15).
    begun = limits.survey_begun(casework.limits_of(case)) if case.state == "accepted" else None
    await desk.advance(case, step, data={"survey": str(taken.id)}, limits=begun)
    return case


async def _record(
    desk: Desk,
    case: CaseFile,
    application: ApplicationRow,
    asked: Survey,
    *,
    by_bureau: bool,
) -> SurveyRow:
    session, actor = desk.session, desk.session.info["actor"]
    check(
        rules.survey_fault(
            asked.surveyors,
            actor,
            asked.methods,
            asked.household_signature,
            emergency=asked.emergency,
        )
    )
    if not case.opened_on <= asked.visited_on <= today(session):
        raise Unprocessable(
            "调查日期有误",
            errors=[FieldError("/visited_on", "调查日期应在申请之日至今天之间")],
        )
    family = await family_for(session, application, today(session))
    if asked.signed_by is not None and family.member(asked.signed_by) is None:
        raise Unprocessable("家庭成员有误", errors=[FieldError("/signed_by", "不是该家庭现有成员")])
    objected = await cases.objections_of(session, case.id)
    survey_id = new_id()
    taken = SurveyRow(
        id=survey_id,
        case_id=case.id,
        unit_id=case.unit_id,
        by_bureau=by_bureau,
        resurvey=any(one.answered_on is None for one in objected),
        visited_on=asked.visited_on,
        methods=[one.value for one in dict.fromkeys(asked.methods)],
        emergency=asked.emergency,
        surveyors=asked.surveyors,
        household_signature=asked.household_signature,
        signed_by=asked.signed_by,
        refusal=None
        if asked.refusal is None
        else seal(session, asked.refusal, Cell("application_survey", "refusal", survey_id)),
        findings=seal(session, asked.findings, Cell("application_survey", "findings", survey_id)),
        recorded_at=now(session),
    )
    session.add(taken)
    await session.flush()
    await _sign(desk, taken, actor)
    return taken


async def sign(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """A surveyor who was named signs with his own login; with the last one it is complete."""
    case, _ = await desk.take(case_id, if_match)
    if case.state != "awaiting":
        desk.require(case, "sign")
    session, actor = desk.session, desk.session.info["actor"]
    surveys = await repository.surveys_of(session, case.id)
    last = surveys[-1] if surveys else None
    if last is None or (case.state == "awaiting" and not last.by_bureau):
        desk.require(case, "sign")
        raise StepRefused("没有待签的调查记录")
    signed = {
        one.surveyor
        for one in await repository.signatures_of(session, case.id)
        if one.survey_id == last.id
    }
    if last.withdrawn_on is not None:
        raise StepRefused("没有待签的调查记录")
    if actor not in last.surveyors:
        raise Forbidden("只有调查记录中列明的调查人员可以签字")
    if actor in signed:
        raise StepRefused("您已签字")
    await _sign(desk, last, actor)
    whole = signed | {actor} >= set(last.surveyors)
    step = "inspect" if last.by_bureau else "sign" if whole else "cosign"
    await desk.advance(case, step, data={"survey": str(last.id)})
    return case


async def _sign(desk: Desk, taken: SurveyRow, actor: str) -> None:
    desk.session.add(
        SignatureRow(
            id=new_id(),
            survey_id=taken.id,
            case_id=taken.case_id,
            unit_id=taken.unit_id,
            surveyor=actor,
            signed_at=now(desk.session),
        )
    )
    await desk.session.flush()


async def withdraw_survey(desk: Desk, case_id: UUID, if_match: str | None, reason: str) -> CaseFile:
    """Take a record back that not everybody named in it signs, so that another can be made.

    By whoever recorded it; it stays in the file as what was withdrawn.
    """
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "withdraw_survey")
    surveys = await repository.surveys_of(desk.session, case.id)
    last = surveys[-1] if surveys else None
    whole = [one.id for one in await whole_surveys(desk, case)]
    if last is None or last.withdrawn_on is not None or last.id in whole:
        raise StepRefused("没有尚未签齐的调查记录")
    signatures = await repository.signatures_of(desk.session, case.id)
    recorder = next(one.surveyor for one in signatures if one.survey_id == last.id)
    if recorder != desk.session.info["actor"]:
        raise Forbidden("只有登记该调查记录的人员可以撤回")
    last.withdrawn_on = today(desk.session)
    await desk.advance(case, "withdraw_survey", reason=reason, data={"survey": str(last.id)})
    return case


async def whole_surveys(desk: Desk, case: CaseFile) -> list[SurveyRow]:
    """The surveys that everybody named in them has signed, in order."""
    signatures = await repository.signatures_of(desk.session, case.id)
    signed = {(one.survey_id, one.surveyor) for one in signatures}
    return [
        one
        for one in await repository.surveys_of(desk.session, case.id)
        if all((one.id, surveyor) in signed for surveyor in one.surveyors)
    ]


async def inspected(desk: Desk, case: CaseFile) -> bool:
    """Whether the bureau has surveyed the household and everybody has signed (57号 art. 20)."""
    return any(one.by_bureau for one in await whole_surveys(desk, case))
