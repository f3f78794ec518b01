"""What is shown of an application: the whole file, masked where it names people, audited."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from casework import objections, publicity
from casework import repository as cases
from casework import views as case_views
from casework.models import CaseFile
from casework.schemas import CaseView
from casework.sealed import reveal_json
from chassis import audit
from chassis.database import today
from chassis.privacy import Cell
from chassis.sealing import reveal
from contracts.events.relief import Programme
from services.relief.applications import measuring, repository, review, rules, service
from services.relief.applications.desk import Desk
from services.relief.applications.family import family_for
from services.relief.applications.models import (
    ApplicationRow,
    AppraisalRow,
    DecisionRow,
    OpinionRow,
    SignatureRow,
    SurveyRow,
)
from services.relief.applications.rules import SurveyMethod
from services.relief.applications.schemas import (
    ApplicationFile,
    AppraisalView,
    AssessmentNow,
    CommunityAppraisalView,
    ComplaintView,
    DecisionView,
    ElsewhereView,
    MissingItem,
    NearRelativeView,
    ObjectionView,
    OpinionView,
    PublicityView,
    SignatureView,
    SurveyView,
)
from services.relief.checks import service as checks
from services.relief.households import service as households
from services.relief.households import views as household_views

READING = "查看低保申请"


def case_desk(desk: Desk) -> case_views.Desk:
    """The same caller before the general counter of casework."""
    return case_views.Desk(
        desk.principal, desk.units, desk.register, {rules.DIBAO.code: rules.DIBAO}
    )


async def case_view(desk: Desk, case: CaseFile) -> CaseView:
    """The case alone: what every step answers."""
    return await case_views.one(desk.session, case_desk(desk), case)


async def whole_file(desk: Desk, case_id: UUID) -> tuple[ApplicationFile, int]:
    """Everything of one application that the caller may see, and the case's version."""
    case, application = await desk.find(case_id)
    session = desk.session
    household, _ = await household_views.one(
        session, desk.register, desk.units, application.household_id
    )
    check = await checks.latest(session, case.id)
    family = await family_for(session, application, today(session))
    view = ApplicationFile(
        case=await case_view(desk, case),
        applied_on=application.applied_on,
        entrusted=application.entrusted,
        materials=application.materials,
        place_basis=application.place_basis,
        applicant=family.applicant.id,
        applicant_left=family.applicant_left,
        missing_items=await _missing(desk, case, application),
        household=household,
        conflicts=await _conflicts(desk, case, application),
        near_relatives=await _filings(desk, case),
        complaints=await _complaints(desk, case),
        check=None if check is None else await checks.report(session, check.id),
        surveys=await _surveys(desk, case),
        appraisal_required=await review.community_asked(desk, case),
        appraisals=await _appraisals(desk, case),
        opinions=[
            await _opinion(desk, one) for one in await repository.opinions_of(session, case.id)
        ],
        publicities=[
            PublicityView(
                id=one.id,
                kind=one.kind,
                posted_on=one.posted_on,
                last_day=one.last_day,
                closed_on=one.closed_on,
                outcome=one.outcome,
                fields=await publicity.content(session, one),
            )
            for one in await cases.publicities_of(session, case.id)
        ],
        objections=await _objections(desk, case),
        decision=await _decision(desk, await repository.decision_of(session, case.id)),
        documents=(await case_views.documents_of(session, case)).items,
    )
    return view, case.version


async def assessment(desk: Desk, case_id: UUID) -> AssessmentNow:
    """What the rules say of the household today; nothing is kept but that it was asked."""
    case, application = await desk.find(case_id)
    await audit.record(
        desk.session, action="case.assessment", subject=str(case.id), purpose="查看今日测算"
    )
    measured = await measuring.measure(desk, case, application)
    held = await measuring.competence(desk, case.unit_id, measured.day)
    return AssessmentNow(
        as_of=measured.day,
        outcome=rules.decided_by_rules(measured.outcome),
        level=held.level.value,
        flagged=held.flagged,
        assessment=measured.told,
    )


async def _missing(desk: Desk, case: CaseFile, application: ApplicationRow) -> list[MissingItem]:
    if case.accepted_on is not None:
        return []
    return [
        MissingItem(
            code=one.code,
            title=one.title,
            why=one.why,
            member=UUID(one.member) if one.member else None,
        )
        for one in await service.missing(desk, application)
    ]


async def _conflicts(
    desk: Desk, case: CaseFile, application: ApplicationRow
) -> list[ElsewhereView]:
    """Where members apply or are paid otherwise; of another town's file only that it stands."""
    family = await family_for(desk.session, application, today(desk.session))
    decision = await repository.decision_of(desk.session, case.id)
    own = {case.id, decision.award_id if decision else None}
    members = {one.person: one.id for one in family.members}
    found = await households.elsewhere(
        desk.session,
        desk.units,
        programme=Programme.DIBAO,
        persons=[one.person for one in family.members],
        but=case.id,
    )
    return [
        ElsewhereView(
            member=members[one.person],
            person=one.person,
            state=one.state,
            file=one.file_id,
            possible=one.possible,
        )
        for one in found
        if one.file_id is None or one.file_id not in own
    ]


async def _filings(desk: Desk, case: CaseFile) -> list[NearRelativeView]:
    return [
        NearRelativeView(
            member=one.member_id,
            of=one.of,
            filed_on=one.filed_on,
            filed_by=one.filed_by,
            relation=await reveal(
                desk.session,
                one.relation,
                Cell("near_relative_filing", "relation", one.id),
                of=str(case.id),
                purpose=READING,
            ),
        )
        for one in await repository.filings_of(desk.session, case.id)
    ]


async def _complaints(desk: Desk, case: CaseFile) -> list[ComplaintView]:
    return [
        ComplaintView(
            id=one.id,
            received_on=one.received_on,
            content=await reveal(
                desk.session,
                one.content,
                Cell("application_complaint", "content", one.id),
                of=str(case.id),
                purpose=READING,
            ),
        )
        for one in await repository.complaints_of(desk.session, case.id)
    ]


async def _surveys(desk: Desk, case: CaseFile) -> list[SurveyView]:
    signatures = await repository.signatures_of(desk.session, case.id)
    return [
        await _survey(desk, one, signatures)
        for one in await repository.surveys_of(desk.session, case.id)
    ]


async def _survey(desk: Desk, survey: SurveyRow, signatures: Sequence[SignatureRow]) -> SurveyView:
    async def opened(column: str, sealed: bytes) -> str:
        cell = Cell("application_survey", column, survey.id)
        return await reveal(desk.session, sealed, cell, of=str(survey.case_id), purpose=READING)

    signed = {one.surveyor: one.signed_at for one in signatures if one.survey_id == survey.id}
    return SurveyView(
        id=survey.id,
        by_bureau=survey.by_bureau,
        resurvey=survey.resurvey,
        visited_on=survey.visited_on,
        methods=[SurveyMethod(one) for one in survey.methods],
        emergency=survey.emergency,
        household_signature=survey.household_signature,
        signed_by=survey.signed_by,
        refusal=None if survey.refusal is None else await opened("refusal", survey.refusal),
        findings=await opened("findings", survey.findings),
        withdrawn_on=survey.withdrawn_on,
        signatures=[
            SignatureView(surveyor=one, signed_at=signed.get(one)) for one in survey.surveyors
        ],
    )


async def _opinion(desk: Desk, opinion: OpinionRow) -> OpinionView:
    return OpinionView(
        position=opinion.position,
        outcome=opinion.outcome,
        statement=await reveal(
            desk.session,
            opinion.statement,
            Cell("application_opinion", "statement", opinion.id),
            of=str(opinion.case_id),
            purpose=READING,
        ),
        after_objection=opinion.after_objection,
        handled_by=opinion.handled_by,
        given_on=opinion.given_on,
        given_by=opinion.given_by,
        assessment=await _kept(
            desk, opinion.assessment, Cell("application_opinion", "assessment", opinion.id)
        ),
    )


async def _objections(desk: Desk, case: CaseFile) -> list[ObjectionView]:
    views = []
    rows = await repository.appraisals_of(desk.session, case.id)
    appraised = {one.objection_id: one for one in rows}
    for one in await cases.objections_of(desk.session, case.id):
        told = await objections.read(desk.session, one, READING)
        held = appraised.get(one.id)
        views.append(
            ObjectionView(
                id=one.id,
                publicity=one.publicity_id,
                received_on=one.received_on,
                objector=told.objector,
                content=told.content,
                handled_by=one.handled_by,
                finding=told.finding or None,
                upheld=one.upheld,
                answered_on=one.answered_on,
                appraisal=await _appraisal(desk, held) if held is not None else None,
            )
        )
    return views


async def _appraisals(desk: Desk, case: CaseFile) -> list[CommunityAppraisalView]:
    """Those before the opinion; what was held on an objection stands with it."""
    rows = await repository.appraisals_of(desk.session, case.id)
    return [
        CommunityAppraisalView(**(await _appraisal(desk, one)).model_dump(), disputed=one.disputed)
        for one in rows
        if one.objection_id is None
    ]


async def _appraisal(desk: Desk, row: AppraisalRow) -> AppraisalView:
    cell = Cell("application_appraisal", "result", row.id)
    return AppraisalView(
        held_on=row.held_on,
        participants=row.participants,
        outcome=await reveal(desk.session, row.result, cell, of=str(row.case_id), purpose=READING),
    )


async def _decision(desk: Desk, decision: DecisionRow | None) -> DecisionView | None:
    if decision is None:
        return None
    cell = Cell("application_decision", "assessment", decision.id)
    return DecisionView(
        outcome=decision.outcome,
        level=decision.level.value,
        authority=decision.authority,
        decided_on=decision.decided_on,
        decided_by=decision.decided_by,
        award=decision.award_id,
        assessment=await _kept(desk, decision.assessment, cell),
    )


async def _kept(desk: Desk, sealed: bytes, cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = await reveal_json(
        desk.session, sealed, cell, of=str(cell.row), purpose=READING
    )
    return found
