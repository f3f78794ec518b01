"""The first opinion, its publicity, and objections to it (初审、公示、异议)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from casework import objections, publicity
from casework import repository as cases
from casework.models import (
    CaseFile,
    CaseObjection,
    CasePublicity,
    ObjectionMethod,
    PublicityKind,
    PublicityOutcome,
)
from casework.problems import SameHands
from casework.sealed import reveal_json, seal_json
from chassis.database import today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.problems import FieldError, NotFound, Unprocessable
from chassis.sealing import seal
from services.relief.applications import (
    documents,
    investigation,
    measuring,
    repository,
    rules,
)
from services.relief.applications.desk import Desk
from services.relief.applications.family import family_for, require_applicant
from services.relief.applications.measuring import Measured
from services.relief.applications.models import ApplicationRow, AppraisalRow, OpinionRow
from services.relief.applications.problems import OpinionOutdated, StepRefused, check
from services.relief.applications.rules import Outcome
from services.relief.applications.schemas import (
    Appraisal,
    CommunityAppraisal,
    Convening,
    Finding,
    Objection,
    Opinion,
    Publicity,
)

DAYS, AGAIN = "dibao.publicity.days", "dibao.publicity.again_days"
REFUSALS = "dibao.publicity.refusals"
"""Whether an opinion of refusal is posted like one of consent (57号 art. 19; 条例 art. 18)."""
APPRAISAL = "appraisal"
"""The reason under which an appraisal suspends the clock."""
COMMUNITY = "dibao.appraisal.required"
"""Whether the community appraises every household before its opinion (条例 art. 18(2))."""


async def opine(desk: Desk, case_id: UUID, if_match: str | None, asked: Opinion) -> CaseFile:
    """Give the first opinion; it says what the rules say on the day (57号 art. 19)."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "opine")
    await _require_applicant(desk, application)
    open_objections = await _open_objections(desk, case)
    steps = await cases.steps_of(desk.session, case.id)
    if await community_asked(desk, case):
        check(rules.community_fault((one.name, one.data.get("disputed", False)) for one in steps))
    measured = await measuring.measure(desk, case, application)
    check(
        rules.opinion_fault(
            asked.outcome,
            rules.decided_by_rules(measured.outcome),
            disqualified=rules.checked_against(one.name for one in steps),
            objection_open=bool(open_objections),
        )
    )
    await _give(desk, case, asked, measured, handled_by=None)
    await desk.advance(case, "opine", data={"outcome": asked.outcome.value})
    return case


async def convene(desk: Desk, case_id: UUID, if_match: str | None, asked: Convening) -> CaseFile:
    """Call the community together to appraise a household that was looked into (条例 18(2)).

    The days until the one for which it is called are not counted (条例 19), however late what was
    said there is recorded.
    """
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "convene")
    if not await community_asked(desk, case):
        raise StepRefused("当日施行的规定不要求在初审前组织群众评议")
    if asked.held_on < today(desk.session):
        raise Unprocessable("评议日期有误", errors=[FieldError("/held_on", "评议日期不能早于今天")])
    await desk.advance(
        case,
        "convene",
        clock_reason=APPRAISAL,
        clock_until=asked.held_on - timedelta(days=1),
        data={"held_on": asked.held_on.isoformat()},
    )
    return case


async def record_appraisal(
    desk: Desk, case_id: UUID, if_match: str | None, asked: CommunityAppraisal
) -> CaseFile:
    """Record what the community said; where it was divided, the household is surveyed anew."""
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "record_appraisal")
    steps = await cases.steps_of(desk.session, case.id)
    convened = [one.on_day for one in steps if one.name == "convene"]
    check(
        rules.convened_fault(
            convened[-1] if convened else None,
            asked.held_on,
            asked.participants,
            today(desk.session),
        )
    )
    _keep_appraisal(desk, case, asked, objection=None, disputed=asked.disputed)
    await desk.advance(
        case, "record_appraisal", clock_reason=APPRAISAL, data={"disputed": asked.disputed}
    )
    return case


async def community_asked(desk: Desk, case: CaseFile) -> bool:
    """Whether the law of today has the community appraise a household before its opinion."""
    law = await measuring.law(desk, case.unit_id, today(desk.session))
    return law.flag(COMMUNITY).value


async def _give(
    desk: Desk,
    case: CaseFile,
    asked: Opinion,
    measured: Measured,
    *,
    handled_by: ObjectionMethod | None,
) -> None:
    session = desk.session
    earlier = await repository.opinions_of(session, case.id)
    opinion_id = new_id()
    session.add(
        OpinionRow(
            id=opinion_id,
            case_id=case.id,
            unit_id=case.unit_id,
            position=len(earlier) + 1,
            outcome=asked.outcome,
            assessment=seal_json(
                session, measured.told, Cell("application_opinion", "assessment", opinion_id)
            ),
            statement=seal(
                session, asked.statement, Cell("application_opinion", "statement", opinion_id)
            ),
            after_objection=handled_by is not None,
            handled_by=handled_by,
            given_on=today(session),
            given_by=session.info["actor"],
        )
    )
    await session.flush()


async def standing_opinion(desk: Desk, case: CaseFile) -> OpinionRow:
    """The last opinion given.

    Raises:
        StepRefused: there is none.
    """
    opinions = await repository.opinions_of(desk.session, case.id)
    if not opinions:
        raise StepRefused("尚未提出初审意见")
    return opinions[-1]


async def retract(desk: Desk, case_id: UUID, if_match: str | None, reason: str) -> CaseFile:
    """Take an opinion back that no longer fits, from the village too; it is given anew.

    Where it was given on what a check had found, nobody has surveyed, and the finding stands again.
    """
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "retract")
    posted = await hanging(desk, case)
    if posted is not None:
        await publicity.close(desk.session, posted, outcome=PublicityOutcome.RETRACTED)
    taken = [one.name for one in await cases.steps_of(desk.session, case.id)]
    step = "retract_disqualified" if rules.checked_against(taken) else "retract"
    await desk.advance(case, step, reason=reason, clock_reason=publicity.SUSPENDS)
    return case


async def require_standing(
    desk: Desk, case: CaseFile, application: ApplicationRow
) -> tuple[OpinionRow, str]:
    """The standing opinion, and in words what the law alone has changed since; "" for nothing.

    The facts of today are measured once more by the law, the standard and the ages of the day of
    the opinion: what differs then is the household, and needs a new opinion (57号 art. 19).

    Raises:
        ApplicantLeft: nobody can be named.
        OpinionOutdated: the household is no longer what the opinion was given on.
    """
    await _require_applicant(desk, application)
    opinion = await standing_opinion(desk, case)
    kept = await reveal_json(
        desk.session,
        opinion.assessment,
        Cell("application_opinion", "assessment", opinion.id),
        of=str(case.id),
        purpose="核对初审意见",
    )
    then = await measuring.measure(desk, case, application, by_law_of=opinion.given_on)
    if not rules.on_same_facts(kept, then.told):
        raise OpinionOutdated(
            "家庭人口、收入、财产或其他事实自初审以来已有变化，须重新调查或重新提出初审意见后再公示、确认"
        )
    now_ = await measuring.measure(desk, case, application)
    return opinion, "" if rules.on_same_facts(kept, now_.told) else _by_law(opinion, kept, now_)


def _by_law(opinion: OpinionRow, kept: dict[str, Any], measured: Measured) -> str:
    """What is noted where the law or the standard of the day gives something else."""
    was, becomes = kept["total"] or "0", measured.told["total"] or "0"
    return (
        f"初审意见（{opinion.given_on}）提出后，标准、规定或成员年龄有变化而家庭情况未变，"
        f"按决定当日的规定认定：初审测算每月{was}元，现为每月{becomes}元"
    )


async def publicise(desk: Desk, case_id: UUID, if_match: str | None, asked: Publicity) -> CaseFile:
    """Post the opinion in the village: seven days, again for as long as the law asks."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "publicise")
    opinion, _ = await require_standing(desk, case, application)
    law = await measuring.law(desk, case.unit_id, today(desk.session))
    posting = law.flag(REFUSALS).value
    check(rules.publicity_fault(opinion.outcome, refusals_posted=posting))
    days = rules.publicity_days(
        after_objection=opinion.after_objection,
        days=law.integer(DAYS).value,
        again_days=law.integer(AGAIN).value,
    )
    if days == 0:
        raise StepRefused("异议处理后不再公示，请直接报送审核确认")
    kind = PublicityKind.AGAIN if opinion.after_objection else PublicityKind.OPINION
    measured = await measuring.measure(desk, case, application)
    if rules.decided_by_rules(measured.outcome) is not opinion.outcome:
        raise OpinionOutdated("初审意见与今日按规定测算的结果不一致，请撤回后重新提出")
    posted = await documents.post_opinion(
        desk,
        case,
        application,
        opinion,
        measured,
        kind=kind,
        days=days,
        telephone=asked.telephone,
    )
    await desk.advance(
        case,
        "publicise",
        clock_reason=publicity.SUSPENDS,
        clock_until=posted.last_day,
        data={"publicity": str(posted.id), "last_day": posted.last_day.isoformat()},
    )
    return case


async def object_to(desk: Desk, case_id: UUID, if_match: str | None, asked: Objection) -> CaseFile:
    """Take in an objection to what is posted; how it is looked into is said with it."""
    case, _ = await desk.take(case_id, if_match)
    desk.require(case, "object")
    received = await objections.receive(
        desk.session,
        case,
        await _running(desk, case),
        objector=asked.objector,
        content=asked.content,
    )
    await desk.advance(
        case,
        "object",
        clock_reason=publicity.SUSPENDS,
        flags=["objection"],
        data={"objection": str(received.id), "handled_by": asked.handled_by.value},
    )
    if asked.handled_by is ObjectionMethod.APPRAISAL:
        await desk.advance(case, "appraise", clock_reason=APPRAISAL)
    return case


async def find(
    desk: Desk,
    case_id: UUID,
    objection_id: UUID,
    if_match: str | None,
    asked: Finding,
) -> CaseFile:
    """Answer an objection; with the last one the opinion is given anew (57号 art. 19)."""
    case, application = await desk.take(case_id, if_match)
    open_objections = await _open_objections(desk, case)
    objection = await cases.objection(desk.session, case.id, objection_id)
    if objection is None:
        raise NotFound("未找到该异议")
    await _require_other_hands(desk, case)
    last = [one.id for one in open_objections] == [objection.id]
    step = "find" if last or objection.answered_on else "answer"
    desk.require(case, step)
    if asked.handled_by is ObjectionMethod.RESURVEY:
        await _require_resurvey(desk, case, objection)
    elif objection.answered_on is None:
        await _appraise(desk, case, objection, asked.appraisal)
    await objections.answer(
        desk.session,
        objection,
        handled_by=asked.handled_by,
        finding=asked.finding,
        upheld=asked.upheld,
    )
    if last:
        await _opine_anew(desk, case, application, asked)
    elif asked.opinion is not None:
        raise Unprocessable(
            "尚有其他异议未处理",
            errors=[FieldError("/opinion", "最后一项异议处理后再重新提出初审意见")],
        )
    await desk.advance(case, step, data={"objection": str(objection.id)})
    return case


async def _opine_anew(
    desk: Desk, case: CaseFile, application: ApplicationRow, asked: Finding
) -> None:
    if asked.opinion is None:
        raise Unprocessable(
            "须重新提出初审意见",
            errors=[FieldError("/opinion", "异议均已处理，须重新提出初审意见")],
        )
    await _require_applicant(desk, application)
    measured = await measuring.measure(desk, case, application)
    check(
        rules.opinion_fault(
            asked.opinion.outcome,
            rules.decided_by_rules(measured.outcome),
            disqualified=False,
            objection_open=False,
        )
    )
    await _give(desk, case, asked.opinion, measured, handled_by=asked.handled_by)
    await publicity.close(
        desk.session, await _running(desk, case), outcome=PublicityOutcome.OBJECTION
    )


async def _require_resurvey(desk: Desk, case: CaseFile, objection: CaseObjection) -> None:
    surveys = await investigation.whole_surveys(desk, case)
    since = [one for one in surveys if one.resurvey and one.visited_on > objection.received_on]
    if not since or case.state != "surveyed":
        raise StepRefused("登记异议之日以后的重新调查尚未登记或尚未签齐")


async def _appraise(
    desk: Desk, case: CaseFile, objection: CaseObjection, asked: Appraisal | None
) -> None:
    """Keep the record of an appraisal, without which none was held."""
    check(
        rules.appraisal_fault(
            objection.received_on,
            asked.held_on if asked else None,
            asked.participants if asked else 0,
            today(desk.session),
        )
    )
    if asked is not None:
        _keep_appraisal(desk, case, asked, objection=objection.id, disputed=False)


def _keep_appraisal(
    desk: Desk, case: CaseFile, asked: Appraisal, *, objection: UUID | None, disputed: bool
) -> None:
    session, appraisal_id = desk.session, new_id()
    session.add(
        AppraisalRow(
            id=appraisal_id,
            case_id=case.id,
            unit_id=case.unit_id,
            objection_id=objection,
            held_on=asked.held_on,
            participants=asked.participants,
            disputed=disputed,
            result=seal(
                session, asked.outcome, Cell("application_appraisal", "result", appraisal_id)
            ),
            recorded_by=session.info["actor"],
        )
    )


async def _require_other_hands(desk: Desk, case: CaseFile) -> None:
    """Who gave the opinion that is contested does not judge the objection to it."""
    opinion = await standing_opinion(desk, case)
    if opinion.given_by == desk.session.info["actor"]:
        raise SameHands("您提出了被异议的初审意见，异议须由他人处理")


async def _require_applicant(desk: Desk, application: ApplicationRow) -> None:
    require_applicant(await family_for(desk.session, application, today(desk.session)))


async def close_publicity(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """After the last day without an objection the case goes to whoever decides."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "close_publicity")
    await require_standing(desk, case, application)
    running = await _running(desk, case)
    await publicity.close(desk.session, running, outcome=PublicityOutcome.UNCHALLENGED)
    await desk.advance(case, "close_publicity", data={"publicity": str(running.id)})
    return case


async def forward(desk: Desk, case_id: UUID, if_match: str | None) -> CaseFile:
    """Send an opinion on that needs no publicity."""
    case, application = await desk.take(case_id, if_match)
    desk.require(case, "forward")
    opinion, _ = await require_standing(desk, case, application)
    law = await measuring.law(desk, case.unit_id, today(desk.session))
    check(
        rules.may_forward(
            opinion.outcome,
            refusals_posted=law.flag(REFUSALS).value,
            after_objection=opinion.after_objection,
            again_days=law.integer(AGAIN).value,
        )
    )
    await desk.advance(case, "forward", data={"outcome": Outcome(opinion.outcome).value})
    return case


async def _running(desk: Desk, case: CaseFile) -> CasePublicity:
    """What of the case is posted now, the result apart."""
    running = await hanging(desk, case)
    if running is None:
        raise StepRefused("本件没有进行中的公示")
    return running


async def hanging(desk: Desk, case: CaseFile) -> CasePublicity | None:
    """The opinion that hangs in the village now."""
    posted = await cases.publicities_of(desk.session, case.id)
    running = (
        one for one in posted if one.closed_on is None and one.kind is not PublicityKind.RESULT
    )
    return next(running, None)


async def _open_objections(desk: Desk, case: CaseFile) -> list[CaseObjection]:
    found = await cases.objections_of(desk.session, case.id)
    return [one for one in found if one.answered_on is None]
