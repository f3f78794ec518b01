"""Changes of an award (动态管理): proposed by the town, heard, decided by whoever has the power."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from casework import archive, documents
from casework import repository as cases
from casework import service as casework
from casework.models import CaseDocument, CaseFile
from chassis import audit
from chassis.database import now
from chassis.privacy import Cell
from chassis.problems import Conflict, FieldError, Unprocessable
from chassis.sealing import seal
from contracts.events.casework import Outcome as Ended
from services.relief.applications import repository as applications
from services.relief.applications.rules import RETENTION
from services.relief.awards import (
    competence,
    endings,
    measuring,
    papers,
    planning,
    repository,
    service,
)
from services.relief.awards.desk import EVENT, Desk
from services.relief.awards.models import AwardRow, ChangeRow, HearingRow
from services.relief.awards.planning import Plan
from services.relief.awards.rules import MATTER, ChangeKind, Effect, HearingMethod
from services.relief.awards.schemas import (
    AnyChange,
    ChangeIn,
    DecisionIn,
    DeliveryIn,
    HearingIn,
    WithdrawalIn,
)
from services.relief.awards.service import HearingRequired
from services.relief.checks import service as checks
from services.relief.entitlement import awards as law_of_awards
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.parameters.rules import Law

_ASKED: TypeAdapter[AnyChange] = TypeAdapter(ChangeIn)

_NEVER_LESS = frozenset({ChangeKind.INCREASE, ChangeKind.MOVE})

_ENDS = frozenset({Effect.STOPPED, Effect.GRACE})

_VERBS = {Effect.LOWERED: "reduced", Effect.STOPPED: "stopped"}


class ChangeOpen(Conflict):
    slug, title = "change-open", "该户已有办理中的变动"


class NothingToHear(Conflict):
    slug, title = "hearing-needless", "无须听取意见"


async def propose(desk: Desk, award_id: UUID, asked: AnyChange) -> CaseFile:
    """Open a change; what would lower or end the payment is announced, so that it can be heard.

    Raises:
        ChangeOpen: another one of this award is not decided yet (409).
        ContradictsRules: the rules say otherwise of the facts of today (409); and see `planning`.
    """
    session = desk.session
    award = await desk.award(award_id, lock=True)
    if any(one.open for one in await repository.changes_of(session, award.id)):
        raise ChangeOpen("请先办结或撤销该项变动")
    found = await planning.plan(desk, award, asked, told_on=desk.day)
    case = await casework.open_case(
        session,
        MATTER,
        unit=award.unit_id,
        label=award.label,
        channel="town",
        parent=award.case_id,
        subject=award.id,
        event=EVENT,
    )
    change = ChangeRow(
        id=case.id,
        award_id=award.id,
        unit_id=award.unit_id,
        kind=asked.kind,
        open=True,
        reason=seal(session, asked.reason, Cell("award_change", "reason", case.id)),
        asked=asked.model_dump(mode="json", exclude={"reason"}),
        proposed_on=desk.day,
        decided_on=None,
        effective_from=found.effective_from,
        effect=found.effect,
        figures=_figures(desk, found),
    )
    session.add(change)
    await session.flush()
    if found.lowers and not found.nobody_to_hear:
        await papers.hearing_notice(desk, case, award, change, found)
    return case


async def hear(desk: Desk, change_id: UUID, if_match: str | None, asked: HearingIn) -> CaseFile:
    """Record that the household was told and heard, and what it said (社会救助法 art. 48)."""
    session = desk.session
    case, change, award = await desk.take(change_id, if_match)
    if change.kind in _NEVER_LESS or change.figures["nobody_to_hear"]:
        raise NothingToHear(change.figures["nobody_to_hear"] or "该项变动不减少、不停止救助")
    if asked.method is HearingMethod.ABSENT and asked.heard_on == asked.notified_on:
        detail = "告知当日尚未逾期，须给予提出意见的时间"
        raise Unprocessable("日期有误", errors=[FieldError("/heard_on", detail)])
    for name, day in (("notified_on", asked.notified_on), ("heard_on", asked.heard_on)):
        if not change.proposed_on <= day <= desk.day:
            detail = f"应在提出变动之日 {change.proposed_on} 至今天之间"
            raise Unprocessable("日期有误", errors=[FieldError(f"/{name}", detail)])
    session.add(
        HearingRow(
            id=change.id,
            award_id=award.id,
            unit_id=award.unit_id,
            notified_on=asked.notified_on,
            heard_on=asked.heard_on,
            method=asked.method,
            person=asked.person,
            heard=await _masked(desk, award, asked.person),
            statement=seal(session, asked.statement, Cell("award_hearing", "statement", change.id)),
            recorded_at=now(session),
            recorded_by=session.info["actor"],
        )
    )
    await casework.advance(
        session, case, MATTER, "hear", event=EVENT, data={"method": asked.method.value}
    )
    return case


async def decide(desk: Desk, change_id: UUID, if_match: str | None, asked: DecisionIn) -> CaseFile:
    """Decide a change, by the facts, the law and the standard of today.

    Raises:
        NotCompetent: another organ decides (403).
        SameHands: whoever proposed it does not decide it (403).
        HearingRequired: less would be paid and nobody was heard, from 2026-07-01 (409).
    """
    session = desk.session
    case, change, award = await desk.take(change_id, if_match)
    held = await competence.required(desk, award, of_both_places=change.kind is ChangeKind.MOVE)
    found = await planning.plan(desk, award, asked_of(change), told_on=change.proposed_on)
    hearing = (await repository.hearings_of(session, award.id)).get(change.id)
    if found.lowers and not found.nobody_to_hear:
        law = await measuring.law_on(session, desk.register, award.unit_id, desk.day)
        _require_hearing(change, found, law, heard=hearing is not None)
    change.open, change.decided_on = False, desk.day
    change.effective_from, change.effect = found.effective_from, found.effect
    change.figures = _figures(desk, found) | {"level": held.level.value}
    if found.death_review_due is not None:
        award.death_review_due_on = found.death_review_due
        award.review_due_on = min(award.review_due_on, found.death_review_due)
    award.version += 1
    await service.post(
        session, award, _verb(found), found.after, case_id=case.id, reason=MATTER.title
    )
    await papers.decision(desk, case, award, change, found, held.level, answer=asked.reason or "")
    if found.unit is not None:
        await _hand_over(desk, case, award, found.unit)
    if found.ends_on is not None:
        await endings.plan_end(session, award.id, found.ends_on)
    await casework.advance(
        session,
        case,
        MATTER,
        "decide",
        event=EVENT,
        reason=asked.reason or "",
        data={"effect": found.effect.value, "effective_from": str(found.effective_from)},
        outcome=Ended.GRANTED,
    )
    return case


def _require_hearing(change: ChangeRow, found: Plan, law: Law, *, heard: bool) -> None:
    """Heard before, and on what is now decided: nothing worse than was told (法 art. 48)."""
    if not law_of_awards.hearing_required(law_of_awards.Change.STOP, law):
        return
    if not heard:
        raise HearingRequired("减发、停发决定前应当听取意见（社会救助法第四十八条）")
    told, now_ = change.figures["after"], found.becomes
    worse = now_ is not None and told is not None and now_.total < Decimal(told)
    if worse or (found.effect != change.effect and found.effect in _ENDS):
        raise HearingRequired("拟作的决定比告知时更为不利，请撤销后重新提出，并就此听取意见")


def _verb(found: Plan) -> str:
    if found.correction is not None:
        return "corrected"
    return "moved" if found.unit is not None else _VERBS.get(found.effect, "changed")


async def deliver(desk: Desk, change_id: UUID, if_match: str | None, asked: DeliveryIn) -> CaseFile:
    """Record the delivery of the decision, with which the change is closed."""
    session = desk.session
    case, _, _ = await desk.take(change_id, if_match)
    await casework.advance(session, case, MATTER, "deliver", event=EVENT)
    made = await _decision_of(desk, case)
    if made.delivered_on is None:
        await documents.deliver(
            session, made, how=asked.how, on=asked.on, received_by=asked.received_by
        )
    await casework.advance(session, case, MATTER, "close", event=EVENT)
    await archive.keep(session, case, retention=RETENTION)
    return case


async def withdraw(
    desk: Desk, change_id: UUID, if_match: str | None, asked: WithdrawalIn
) -> CaseFile:
    """Take back a proposal that is not decided yet."""
    case, change, _ = await desk.take(change_id, if_match)
    change.open = False
    await casework.advance(
        desk.session,
        case,
        MATTER,
        "withdraw",
        event=EVENT,
        reason=asked.reason,
        outcome=Ended.WITHDRAWN,
    )
    await archive.keep(desk.session, case, retention=RETENTION)
    return case


def asked_of(change: ChangeRow) -> AnyChange:
    """The proposal as it was made; its reason stays sealed."""
    return _ASKED.validate_python({**change.asked, "reason": "（已加密保存）"})


async def _hand_over(desk: Desk, case: CaseFile, award: AwardRow, unit: int) -> None:
    """The award, its household and its cases go with the household to where it lives now."""
    session = desk.session
    household = await household_rows.find(session, desk.units, award.household_id, lock=True)
    if household is not None:
        await households.hand_over(session, household, unit)
    for other in await repository.changes_of(session, award.id):
        of_award = await cases.find(session, desk.units, other.id, lock=True)
        if of_award is not None and of_award.id != case.id:
            await casework.hand_over(session, of_award, unit=unit)
    granted = await cases.find(session, desk.units, award.case_id, lock=True)
    application = await applications.application(session, award.case_id)
    if granted is not None and application is not None:
        await checks.hand_over(session, granted.id, unit)
        await applications.move(session, application, unit)
        await casework.hand_over(session, granted, unit=unit)
    await repository.move(session, award, unit)
    await casework.hand_over(session, case, unit=unit)
    await audit.record(session, action="relief.award.handed_over", subject=str(award.id))


async def _decision_of(desk: Desk, case: CaseFile) -> CaseDocument:
    made = await cases.documents_of(desk.session, case.id)
    return next(one for one in reversed(made) if one.kind != papers.HEARING_NOTICE)


async def _masked(desk: Desk, award: AwardRow, person: UUID | None) -> str:
    if person is None:
        return ""
    members = await household_rows.members_of(desk.session, award.household_id)
    found = next((one for one in members if one.person == person), None)
    if found is None:
        raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户的家庭成员")])
    return found.name_masked


def _figures(desk: Desk, found: Plan) -> dict[str, Any]:
    fraud = found.fraud
    was, becomes = found.was, found.becomes
    return {
        "before": None if was is None else str(was.total),
        "after": None if becomes is None else str(becomes.total),
        "ends_on": None if found.ends_on is None else str(found.ends_on),
        "overpaid": str(found.overpaid(desk.day)),
        "lowers": found.lowers,
        "nobody_to_hear": found.nobody_to_hear,
        "unreported": found.unreported,
        "articles": list(found.articles),
        "correction": None
        if found.correction is None
        else {
            "was_from": str(found.correction.was_from),
            "becomes_from": found.correction.becomes_from and str(found.correction.becomes_from),
        },
        "fraud": None
        if fraud is None
        else {
            "since": str(fraud.since),
            "recovery": str(fraud.recovery),
            "fine_least": str(fraud.fine_least),
            "fine_most": str(fraud.fine_most),
            "article": fraud.article,
        },
    }
