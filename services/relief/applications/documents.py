"""The papers of an application: each filled from a snapshot that is kept (文书)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from casework import documents, publicity, views
from casework.models import CaseDocument, CaseFile, CasePublicity, PublicityKind
from chassis.database import today
from chassis.law.calendar import Calendar
from chassis.law.deadlines import deadline
from chassis.law.money import round_half_up
from chassis.problems import Forbidden
from contracts.events.relief import Area
from services.relief.applications import limits, rules
from services.relief.applications.desk import Desk
from services.relief.applications.family import Family, family_for, name_of
from services.relief.applications.materials import Item
from services.relief.applications.measuring import Measured
from services.relief.applications.models import ApplicationRow, OpinionRow
from services.relief.applications.rules import Outcome, TerminationGround
from services.relief.applications.schemas import Termination
from services.relief.households.kinds import LeaveReason
from services.relief.parameters.rules import Competence, Law, Level
from services.relief.parameters.seed import seed

TEMPLATES = Path(__file__).parent / "templates"
PROGRAMME = "最低生活保障"
TITLES = {
    "acceptance": "受理通知书",
    "correction_list": "一次性补正告知书",
    "disqualification": "核对情况告知书",
    "publicity": "初审意见公示",
    "confirmation": "最低生活保障确认通知书",
    "refusal": "不予确认最低生活保障决定书",
    "termination": "终止审核通知书",
    "withdrawal": "撤回申请回执",
}
_WORDS = {
    "acceptance": "受",
    "correction_list": "补",
    "disqualification": "核",
    "publicity": "示",
    "confirmation": "确",
    "refusal": "不予",
    "termination": "终",
    "withdrawal": "撤",
}
_GROUNDS = {
    TerminationGround.UNCOOPERATIVE: "共同生活的家庭成员无正当理由拒不配合审核确认工作",
    TerminationGround.DECEASED: "申请人死亡，家庭已无其他成员",
    TerminationGround.MOVED_AWAY: "申请家庭已迁出本区",
}
_AREAS = {Area.URBAN: "城市", Area.RURAL: "农村", Area.ALL: "不分城乡"}
_INCOMES = ("income_below_standard", "alone_income")
_CALENDAR = Calendar()


async def acceptance(
    desk: Desk, case: CaseFile, application: ApplicationRow, law: Law, held: Competence
) -> None:
    """受理通知书: when it was accepted, by when it is decided, and by whom."""
    limit = limits.total_limit(law, held.level)
    await _make(
        desk,
        case,
        application,
        "acceptance",
        {
            "accepted_on": law.day,
            "limit": limits.words(limit),
            "limit_source": limit.term.source,
            "due_on": deadline(limit.term, law.day, _CALENDAR).day,
            "decider": _organ(desk, case, held),
        },
        basis="accept",
    )


async def correction_list(
    desk: Desk, case: CaseFile, application: ApplicationRow, items: Sequence[Item]
) -> None:
    """一次性补正告知书: everything that lacks, with the reason of each."""
    listed = [{"title": one.title, "why": one.why} for one in items]
    await _make(desk, case, application, "correction_list", {"items": listed}, basis="materials")


async def disqualification(
    desk: Desk, case: CaseFile, application: ApplicationRow, measured: Measured
) -> None:
    """核对情况告知书: what of the check stands against the household, and that it may object."""
    facts = {"reasons": reasons(measured)}
    await _make(desk, case, application, "disqualification", facts, basis="check")


async def confirmation(
    desk: Desk,
    case: CaseFile,
    application: ApplicationRow,
    measured: Measured,
    held: Competence,
    *,
    changed: str,
) -> CaseDocument:
    """确认通知书: for whom, how much and how it comes to that, and from which month."""
    told = measured.told
    lines = await _lines(desk, application, measured)
    facts = {
        "alone": measured.outcome == "alone",
        "taken_in": await _taken_in(desk, application, measured, "制作文书"),
        "persons": covered(measured),
        "standard": told["standard"],
        "income": told["income"]["total"],
        "figures": [one for one in told["conditions"] if one["code"] in _INCOMES],
        "base": told["base"],
        "lines": lines,
        "total": monthly(measured),
        "payable_from": told["payable_from"],
        "changed": changed,
        "authority": _authority(held),
        "remedies": _remedies(desk, case, measured.day, held.level),
    }
    return await _make(desk, case, application, "confirmation", facts, basis="grant")


async def refusal(
    desk: Desk,
    case: CaseFile,
    application: ApplicationRow,
    measured: Measured,
    held: Competence,
    *,
    changed: str,
) -> CaseDocument:
    """不予确认决定书: each condition that failed, with its figure, source, article and remedy."""
    key = "dibao.limit.refusal_notice"
    due = (
        deadline(measured.law.term(key).value, measured.day, _CALENDAR).day
        if measured.law.holds(key)
        else None
    )
    facts = {
        "reasons": reasons(measured),
        "standard": measured.told["standard"],
        "area": _AREAS[measured.assessment.area],
        "edge": measured.outcome == "edge",
        "changed": changed,
        "authority": _authority(held),
        "remedies": _remedies(desk, case, measured.day, held.level),
    }
    return await _make(
        desk, case, application, "refusal", facts, basis="refuse", due_delivery_on=due
    )


async def termination(
    desk: Desk, case: CaseFile, application: ApplicationRow, asked: Termination
) -> None:
    """终止审核通知书, made by whoever ends the procedure: town or bureau may (57号 art. 29)."""
    level = Level.COUNTY if desk.holds_county(case.unit_id) else Level.TOWN
    facts = {
        "ground": _GROUNDS[asked.ground],
        "reason": asked.reason,
        "remedies": _remedies(desk, case, today(desk.session), level),
    }
    await _make(desk, case, application, "termination", facts, basis="terminate")


async def withdrawal(desk: Desk, case: CaseFile, application: ApplicationRow) -> None:
    """撤回申请回执."""
    await _make(desk, case, application, "withdrawal", {}, basis="withdraw")


async def post_opinion(
    desk: Desk,
    case: CaseFile,
    application: ApplicationRow,
    opinion: OpinionRow,
    measured: Measured,
    *,
    kind: PublicityKind,
    days: int,
    telephone: str,
) -> CasePublicity:
    """Post the first opinion with the fields that may be public, and keep the paper that hangs."""
    result = "拟确认为低保对象" if opinion.outcome is Outcome.GRANT else "拟不予确认"
    fields = await _public(desk, case, application, measured, result=result)
    posted = await publicity.post(
        desk.session,
        case,
        kind=kind,
        fields={**fields, "telephone": telephone},
        days=days,
        minor=False,
    )
    shown = await publicity.content(desk.session, posted)
    facts = {**shown, "posted_on": posted.posted_on, "last_day": posted.last_day, "days": days}
    await _make(desk, case, application, "publicity", facts, basis="publicity", addressed=False)
    return posted


async def post_result(
    desk: Desk, case: CaseFile, application: ApplicationRow, measured: Measured
) -> None:
    """Post who was confirmed (57号 art. 24): for as long as it holds."""
    await publicity.post(
        desk.session,
        case,
        kind=PublicityKind.RESULT,
        fields=await _public(desk, case, application, measured, result="已确认为低保对象"),
        days=1,
        minor=False,
    )


def delivered_by(desk: views.Desk, case: CaseFile, paper: CaseDocument, day: date) -> None:
    """Whether the caller may record that a paper was delivered: of a refusal the town alone.

    Raises:
        Forbidden: it is a refusal, and the caller speaks for the bureau (57号 art. 21).
    """
    if paper.kind == "refusal" and desk.register.county_of(case.unit_id, day) in desk.units:
        raise Forbidden("不予确认的决定由镇街书面告知申请人")


def reasons(measured: Measured) -> list[dict[str, Any]]:
    """The conditions that failed, as the rules tell them."""
    return [one for one in measured.told["conditions"] if one["passed"] is False]


def covered(measured: Measured) -> int:
    """How many persons the assessment covers: the family, or those taken in alone."""
    if measured.outcome == "alone":
        return sum(one.asked for one in measured.assessment.alone)
    return measured.assessment.persons


def monthly(measured: Measured) -> str:
    """What is paid a month in all, in yuan."""
    return str(measured.told["total"] or "0")


def posted_amount(measured: Measured) -> str:
    """What is posted: without the extras, which would tell of an illness or a disability."""
    base = measured.assessment.base
    if base is None:
        base = sum((one.amount for one in measured.assessment.alone if one.asked), Decimal(0))
    return str(round_half_up(base))


async def _public(
    desk: Desk,
    case: CaseFile,
    application: ApplicationRow,
    measured: Measured,
    *,
    result: str,
) -> dict[str, Any]:
    family = await family_for(desk.session, application, measured.day)
    fields: dict[str, Any] = {
        "applicant_name": await _posted_names(desk, family, measured),
        "members": covered(measured) or len(family.members),
        "address_village": desk.name_of(case.unit_id),
        "result": result,
        "programme": PROGRAMME,
    }
    if rules.decided_by_rules(measured.outcome) is Outcome.GRANT:
        fields["amount"] = posted_amount(measured)
    return fields


async def _posted_names(desk: Desk, family: Family, measured: Measured) -> str:
    """Who is named in public: the applicant, or those taken in alone; of a minor the surname."""
    named = [one for one in family.members if str(one.id) in _alone(measured)]
    return "、".join(
        [
            publicity.surname_only(name) if family.is_minor(one) else name
            for one in named or [family.applicant]
            for name in [await name_of(desk.session, one, "制作公示")]
        ]
    )


def _alone(measured: Measured) -> list[str]:
    """The members who are taken in by themselves, their family not."""
    if measured.outcome != "alone":
        return []
    return [one.member for one in measured.assessment.alone if one.asked]


async def _taken_in(
    desk: Desk, application: ApplicationRow, measured: Measured, purpose: str
) -> str:
    """The names of those who are taken in alone; "" where the whole family is."""
    family = await family_for(desk.session, application, measured.day)
    alone = [one for one in family.members if str(one.id) in _alone(measured)]
    return "、".join([await name_of(desk.session, one, purpose) for one in alone])


async def _lines(
    desk: Desk, application: ApplicationRow, measured: Measured
) -> list[dict[str, str]]:
    """What is paid beside the family's amount, person by person, in the words of the notice."""
    family = await family_for(desk.session, application, measured.day)
    names = {str(one.id): one.name_masked for one in family.members}
    categories = seed().parameters["dibao.extras"].options
    alone = [one for one in measured.assessment.alone if one.asked]
    taken_alone = [
        {"name": names[one.member], "title": "单人户低保金", "amount": str(one.amount)}
        for one in alone
        if measured.outcome == "alone"
    ]
    extras = [
        *measured.assessment.extras,
        *(extra for one in alone for extra in one.extras if measured.outcome == "alone"),
    ]
    return taken_alone + [
        {
            "name": names[one.member],
            "title": categories.get(one.category, one.category),
            "amount": str(one.amount),
        }
        for one in extras
    ]


def _organ(desk: Desk, case: CaseFile, held: Competence) -> str:
    if held.level is Level.TOWN:
        return f"{desk.name_of(desk.town_of(case.unit_id))}（{_authority(held)}）"
    return f"{desk.name_of(desk.county_of(case.unit_id))}民政局"


def _authority(held: Competence) -> str:
    """By what a town decides; nothing where the bureau does."""
    return f"审核确认权限依据：{held.document}" if held.level is Level.TOWN else ""


def _remedies(desk: Desk, case: CaseFile, day: date, level: Level) -> list[str]:
    county = desk.name_of(desk.county_of(case.unit_id))
    return [f"{one}。" for one in rules.remedies(day, level, county)]


async def _addressee(desk: Desk, family: Family) -> str:
    """The applicant; of one who died the next of kin."""
    name = await name_of(desk.session, family.applicant, "制作文书")
    died = family.applicant_left and family.applicant.left_reason is LeaveReason.DEATH
    return f"{name}的近亲属" if died else name


async def _make(
    desk: Desk,
    case: CaseFile,
    application: ApplicationRow,
    kind: str,
    facts: Mapping[str, Any],
    *,
    basis: str,
    due_delivery_on: date | None = None,
    addressed: bool = True,
) -> CaseDocument:
    day = today(desk.session)
    snapshot = {
        "case_number": case.number,
        "programme": PROGRAMME,
        "applied_on": application.applied_on,
        "basis": rules.law_basis(day)[basis],
        "remedy_basis": rules.law_basis(day)["remedy"],
        **facts,
    }
    if addressed:
        family = await family_for(desk.session, application, day)
        snapshot["addressee"] = await _addressee(desk, family)
    return await documents.make(
        desk.session,
        case,
        templates=TEMPLATES,
        kind=kind,
        title=TITLES[kind],
        number=f"低保{_WORDS[kind]}〔{day.year}〕{case.number}号",
        snapshot=snapshot,
        due_delivery_on=due_delivery_on,
    )
