"""Changes of an award (动态管理): proposed by the town, heard, decided by whoever has the power."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from casework import archive, documents
from casework import repository as cases
from casework import service as casework
from casework.clock import TimeLimit
from casework.models import CaseDocument, CaseFile
from casework.states import Matter
from chassis import audit
from chassis.database import now
from chassis.identity import mask_name
from chassis.law.calendar import Calendar
from chassis.law.dates import add_years
from chassis.law.deadlines import deadline
from chassis.privacy import Cell
from chassis.problems import Conflict, FieldError, Unprocessable
from chassis.sealing import seal
from contracts.events.casework import Outcome as Ended
from services.relief.applications import repository as applications
from services.relief.applications.rules import DIBAO, RETENTION
from services.relief.awards import (
    competence,
    deaths,
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
from services.relief.awards.rules import HAND_OVER, MATTER, ChangeKind, Effect, HearingMethod
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
from services.relief.entitlement.membership import ADULT
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.households.models import MemberRow
from services.relief.parameters.rules import Law

_ASKED: TypeAdapter[AnyChange] = TypeAdapter(ChangeIn)

ANSWER = "dibao.hearing.answer"

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
        await _tell(desk, case, award, change, found)
    return case


async def _tell(
    desk: Desk, case: CaseFile, award: AwardRow, change: ChangeRow, found: Plan
) -> None:
    """Announce the change in writing; from today the household has its time to answer."""
    law = await measuring.law_on(desk.session, desk.register, award.unit_id, desk.day)
    term = law.term(ANSWER).value
    limits = casework.Limits(
        steps={case.state: TimeLimit("hearing_answer", "提出意见的期限", term)}
    )
    await papers.hearing_notice(desk, case, award, change, found, term)
    await casework.advance(desk.session, case, MATTER, "tell", event=EVENT, limits=limits)


async def hear(desk: Desk, change_id: UUID, if_match: str | None, asked: HearingIn) -> CaseFile:
    """Record that the household was told and heard, and what it said (社会救助法 art. 48)."""
    session = desk.session
    case, change, award = await desk.take(change_id, if_match)
    if change.kind in _NEVER_LESS or change.figures["nobody_to_hear"]:
        raise NothingToHear(change.figures["nobody_to_hear"] or "该项变动不减少、不停止救助")
    for name, day in (("notified_on", asked.notified_on), ("heard_on", asked.heard_on)):
        if not change.proposed_on <= day <= desk.day:
            detail = f"应在提出变动之日 {change.proposed_on} 至今天之间"
            raise Unprocessable("日期有误", errors=[FieldError(f"/{name}", detail)])
    if asked.method is HearingMethod.ABSENT:
        _require_time(case, asked)
    member = await _member(desk, award, asked.person)
    _require_guardian(asked, member)
    session.add(
        HearingRow(
            id=change.id,
            award_id=award.id,
            unit_id=award.unit_id,
            notified_on=asked.notified_on,
            heard_on=asked.heard_on,
            method=asked.method,
            person=asked.person,
            heard=member.name_masked if member else "",
            guardian=None
            if asked.guardian is None
            else seal(session, asked.guardian, Cell("award_hearing", "guardian", change.id)),
            guardian_masked=mask_name(asked.guardian) if asked.guardian else "",
            statement=seal(session, asked.statement, Cell("award_hearing", "statement", change.id)),
            recorded_at=now(session),
            recorded_by=session.info["actor"],
        )
    )
    await casework.advance(
        session, case, MATTER, "hear", event=EVENT, data={"method": asked.method.value}
    )
    return case


def _require_time(case: CaseFile, asked: HearingIn) -> None:
    """Nobody is silent before the time to answer is over (社会救助法 art. 48)."""
    limit = next(iter(casework.limits_of(case).steps.values()), None)
    if limit is None:
        raise NothingToHear("未告知的，不能记为逾期未提出意见")
    last = deadline(limit.term, asked.notified_on, Calendar()).day
    if asked.heard_on <= last:
        detail = f"提出意见的期限至 {last} 止，其后才可记为逾期未提出"
        raise Unprocessable("日期有误", errors=[FieldError("/heard_on", detail)])


def _require_guardian(asked: HearingIn, member: MemberRow | None) -> None:
    """A minor is heard through or with the guardian (民法典 arts. 19, 20, 27)."""
    if member is None or asked.guardian is not None:
        return
    if add_years(member.born, ADULT) > asked.heard_on:
        detail = "未成年人由监护人代为或者一同提出意见，请写明监护人"
        raise Unprocessable("缺少监护人", errors=[FieldError("/guardian", detail)])


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
    await _settle_death(desk, award, change, found)
    if found.effect is not Effect.STOPPED:
        await _review_anew(desk, award, found)
    award.version += 1
    await service.post(
        session, award, _verb(found), found.after, case_id=case.id, reason=MATTER.title
    )
    await deaths.note(session, desk.register, award)
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


async def _settle_death(desk: Desk, award: AwardRow, change: ChangeRow, found: Plan) -> None:
    """What the change decides about a death is no work any more."""
    noted, died = await deaths.note(desk.session, desk.register, award), found.death
    if died is not None:
        settled = [one for one in noted if (one.person, one.died_on) == (died.person, died.died_on)]
        deaths.settle(desk.session, settled, change.id)


async def _review_anew(desk: Desk, award: AwardRow, found: Plan) -> None:
    household = await households.assembled(desk.session, award.household_id, day=desk.day)
    law = await measuring.law_on(desk.session, desk.register, award.unit_id, desk.day)
    service.review_anew(award, household, desk.day, law, looked_at=found.looked_at)


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
            await _case_follows(session, of_award, MATTER, unit)
    granted = await cases.find(session, desk.units, award.case_id, lock=True)
    application = await applications.application(session, award.case_id)
    if granted is not None and application is not None:
        await checks.hand_over(session, granted.id, unit)
        await applications.move(session, application, unit)
        await _case_follows(session, granted, DIBAO, unit)
    await repository.move(session, award, unit)
    await casework.hand_over(session, case, unit=unit)
    await audit.record(session, action="relief.award.handed_over", subject=str(award.id))


async def _case_follows(session: AsyncSession, case: CaseFile, matter: Matter, unit: int) -> None:
    """A case of the award goes with it, as a step of its own that is told like any other."""
    moved = {"from": case.unit_id, "to": unit}
    await casework.hand_over(session, case, unit=unit)
    await casework.advance(session, case, matter, HAND_OVER, event=EVENT, data=moved)


async def _decision_of(desk: Desk, case: CaseFile) -> CaseDocument:
    made = await cases.documents_of(desk.session, case.id)
    return next(one for one in reversed(made) if one.kind != papers.HEARING_NOTICE)


async def _member(desk: Desk, award: AwardRow, person: UUID | None) -> MemberRow | None:
    if person is None:
        return None
    members = await household_rows.members_of(desk.session, award.household_id)
    found = next((one for one in members if one.person == person), None)
    if found is None:
        raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户的家庭成员")])
    return found


def _figures(desk: Desk, found: Plan) -> dict[str, Any]:
    fraud = found.fraud
    was, becomes, interim = found.was, found.becomes, found.interim
    return {
        "before": None if was is None else str(was.total),
        "after": None if becomes is None else str(becomes.total),
        "interim": interim and str(interim.total),
        "settles_on": interim and str(found.settles_on),
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
            "fine_least": fraud.fine and str(fraud.fine[0]),
            "fine_most": fraud.fine and str(fraud.fine[1]),
            "article": fraud.article,
        },
    }
