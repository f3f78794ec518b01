"""The documents of a change: decisions with reasons and remedies, and the notice before a hearing.

社会救助法 art. 48; 57号 art. 32; 条例 arts. 28, 29. What they show is kept as a snapshot.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from casework import documents
from casework.models import CaseDocument, CaseFile
from chassis.law.deadlines import Term, TermUnit
from chassis.privacy import Cell
from chassis.sealing import reveal
from contracts.events.relief import Area
from services.relief.applications.rules import law_basis, remedies
from services.relief.awards import repository, rules
from services.relief.awards.desk import Desk
from services.relief.awards.models import AwardRow, ChangeRow
from services.relief.awards.planning import Plan
from services.relief.awards.rules import Effect, HearingMethod, Period
from services.relief.entitlement.articles import LAW_FROM
from services.relief.households import repository as household_rows
from services.relief.households.kinds import LeaveReason
from services.relief.parameters.rules import Level

TEMPLATES = Path(__file__).parent / "templates"

HEARING_NOTICE = "award_hearing_notice"

_KINDS = {
    Effect.RAISED: ("award_increase", "最低生活保障金增发决定书"),
    Effect.LOWERED: ("award_reduce", "最低生活保障金减发决定书"),
    Effect.STOPPED: ("award_stop", "最低生活保障金停发决定书"),
    Effect.GRACE: ("award_grace", "最低生活保障渐退告知书"),
    Effect.UNCHANGED: ("award_notice", "最低生活保障变动告知书"),
}
_CORRECTION = ("award_correction", "最低生活保障登记更正决定书")
_AREAS = {Area.URBAN: "城市", Area.RURAL: "农村", Area.ALL: "不分城乡"}
_INCOMES = ("income_below_standard", "alone_income")
_UNITS = {TermUnit.WORKING_DAYS: "个工作日", TermUnit.DAYS: "日", TermUnit.MONTHS: "个月"}
_METHODS = {
    HearingMethod.IN_PERSON: "当面",
    HearingMethod.PHONE: "电话",
    HearingMethod.VIDEO: "视频",
    HearingMethod.WRITING: "书面",
    HearingMethod.WAIVED: "明确放弃",
    HearingMethod.ABSENT: "已告知，逾期未提出意见",
}


async def hearing_notice(
    desk: Desk, case: CaseFile, award: AwardRow, change: ChangeRow, plan: Plan, answer: Term
) -> CaseDocument:
    """听取意见告知书: what is intended, why, and how long the household may speak to it."""
    article = "《社会救助法》第四十八条" if desk.day >= LAW_FROM else ""
    return await documents.make(
        desk.session,
        case,
        templates=TEMPLATES,
        kind=HEARING_NOTICE,
        title="听取意见告知书",
        number=f"{case.number}-1",
        snapshot={
            **await _figures(desk, award, change, plan),
            "hearing_article": article,
            "answer": f"{answer.count}{_UNITS[answer.unit]}",
            "remedies": [],
        },
    )


async def decision(
    desk: Desk,
    case: CaseFile,
    award: AwardRow,
    change: ChangeRow,
    plan: Plan,
    level: Level,
    *,
    answer: str,
) -> CaseDocument:
    """The decision in writing, with its reasons; `answer` is what became of the opinion heard."""
    kind, title = _KINDS[plan.effect] if plan.correction is None else _CORRECTION
    hearing = (await repository.hearings_of(desk.session, award.id)).get(change.id)
    county = desk.register.county_of(award.unit_id, desk.day) or award.unit_id
    told = remedies(desk.day, level, desk.name_of(county, desk.day) or "")
    heard: dict[str, Any] | None = None
    if hearing is not None:
        heard = {
            "on": hearing.heard_on,
            "method": _METHODS[hearing.method],
            "who": hearing.heard,
            "guardian": hearing.guardian_masked,
            "answer": answer,
            "statement": await reveal(
                desk.session,
                hearing.statement,
                Cell("award_hearing", "statement", hearing.id),
                of=str(change.id),
                purpose=title,
            ),
        }
    return await documents.make(
        desk.session,
        case,
        templates=TEMPLATES,
        kind=kind,
        title=title,
        number=f"{case.number}-2",
        snapshot={
            **await _figures(desk, award, change, plan),
            "hearing": heard,
            "not_heard": plan.nobody_to_hear,
            "remedies": told,
            "remedy_basis": law_basis(desk.day)["remedy"],
        },
    )


async def _figures(desk: Desk, award: AwardRow, change: ChangeRow, plan: Plan) -> dict[str, Any]:
    """What stands on both: the proposal, the figures, the conditions with their sources."""
    reason = await reveal(
        desk.session,
        change.reason,
        Cell("award_change", "reason", change.id),
        of=str(change.id),
        purpose="制作文书",
    )
    assessment = plan.assessment
    return {
        "addressee": await addressee(desk, award, "制作文书"),
        "award_number": award.number,
        "kind": rules.KIND_TITLES[change.kind],
        "effect": plan.effect.value,
        "reason": reason,
        "articles": list(plan.articles),
        "correction": None
        if plan.correction is None
        else {
            "was_from": plan.correction.was_from,
            "becomes_from": plan.correction.becomes_from,
        },
        "effective_from": plan.settles_on or plan.effective_from,
        "interim": None
        if plan.interim is None
        else {"from": plan.effective_from, "total": plan.interim.total},
        "ends_on": plan.ends_on,
        "before": _amounts(plan.was),
        "after": _amounts(plan.becomes),
        "standard": None
        if assessment is None
        else {"amount": assessment.standard.value, "document": assessment.standard.source},
        "figures": []
        if assessment is None
        else [_condition(one) for one in assessment.conditions if one.code in _INCOMES],
        "reasons": [] if assessment is None else [_condition(one) for one in assessment.failed],
        "overpaid": plan.overpaid(desk.day) or None,
        "death_review_due": plan.death and plan.death.due_on,
        "unreported": plan.unreported,
        "fraud": None
        if plan.fraud is None
        else {
            "since": plan.fraud.since,
            "recovery": plan.fraud.recovery,
            "fine_least": plan.fraud.fine and (plan.fraud.fine[0] or None),
            "fine_most": plan.fraud.fine and plan.fraud.fine[1],
            "article": plan.fraud.article,
        },
        "law": [
            {"key": one.key, "source": one.source, "valid_from": one.valid_from}
            for one in plan.law.cited()
        ],
    }


async def addressee(desk: Desk, award: AwardRow, purpose: str) -> str:
    """The name of the applicant, or of who is left of the household; of the dead the next of kin.

    The reading is audited.
    """
    members = await household_rows.members_of(desk.session, award.household_id)
    members.sort(key=lambda one: (one.left_on is not None, one.person != award.applicant))
    first = members[0]
    cell = Cell("household_member", "name", first.id)
    name = await reveal(desk.session, first.name, cell, of=str(first.person), purpose=purpose)
    return f"{name}的近亲属" if first.left_reason is LeaveReason.DEATH else name


def _amounts(period: Period | None) -> Mapping[str, Any] | None:
    if period is None:
        return None
    return {
        "area": _AREAS[period.area],
        "persons": len(period.persons),
        "base": period.base,
        "extras": period.extras,
        "total": period.total,
    }


def _condition(one: Any) -> dict[str, str | date | None]:  # noqa: ANN401 - a condition of the rules
    return {
        name: getattr(one, name)
        for name in ("title", "fact", "threshold", "source", "source_day", "article", "remedy")
    }
