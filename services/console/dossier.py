"""What a case is about, as its matter tells it: the family, what was found, what the rules say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.console import forms, wording
from services.console.case_answers import CaseView
from services.console.frame import cell, heads, tag, text
from services.console.gateway import Gateway

RELATIONS = {
    "self": "申请人",
    "spouse": "配偶",
    "child": "子女",
    "parent": "父母",
    "grandchild": "孙子女",
    "grandparent": "祖父母",
    "sibling": "兄弟姐妹",
    "other": "其他",
}
INCOMES = {
    "wage": "工资性收入",
    "farming": "种养殖净收入",
    "business": "经营净收入",
    "property": "财产净收入",
    "support_received": "赡养（抚养、扶养）费",
    "pension": "养老金、离退休金",
    "unemployment": "失业保险金",
    "compensation": "赔偿收入",
    "donation": "接受捐赠",
    "other_transfer": "其他转移性收入",
    "tax_paid": "缴纳税款",
    "insurance_paid": "社会保障支出",
    "support_paid": "赡养支出",
    "other_paid": "其他转移性支出",
    "imputed": "核算收入",
    "veterans_allowance": "优待抚恤金",
    "family_planning_award": "计划生育奖扶金",
    "scholarship": "奖学金",
    "bravery_award": "见义勇为奖励",
    "government_relief": "政府救助款物",
    "basic_pension": "基础养老金",
    "disability_subsidy": "残疾人两项补贴",
    "unattended_child_allowance": "事实无人抚养儿童补贴",
}
STATUSES = {
    "asked": "查询中",
    "none": "查无",
    "returned": "查得",
    "failed": "查询失败",
    "timeout": "逾时未答复",
    "late": "迟到的答复",
}
RESULTS = {
    "entitled": "全家符合低保条件",
    "alone": "成员可单独纳入",
    "edge": "不符合低保条件，属低保边缘家庭",
}
RESULTS |= {"not_entitled": "不符合低保条件", "undecided": "尚不能认定"}
DISABILITIES = {
    "vision": "视力",
    "hearing": "听力",
    "speech": "言语",
    "physical": "肢体",
    "intellectual": "智力",
    "mental": "精神",
    "multiple": "多重",
}


class _Member(BaseModel):
    id: UUID
    name: str
    number: str | None
    relation: str
    born: date
    present: bool
    truth_committed_on: date | None
    check_authorised_on: date | None
    situation: dict[str, Any] = {}
    warnings: list[str] = []


class _Household(BaseModel):
    members: list[_Member]
    area: str | None


class _CheckLine(BaseModel):
    name: str
    source_title: str
    status: str
    note: str = ""
    data_day: date | None
    items: list[dict[str, Any]]
    accepted: bool


class _Finding(BaseModel):
    title: str
    declared: Decimal | None
    found: Decimal | None


class _Check(BaseModel):
    state: str
    lines: list[_CheckLine]
    findings: list[_Finding]
    missing: list[dict[str, Any]]


class _Survey(BaseModel):
    by_bureau: bool
    visited_on: date
    findings: str
    signatures: list[dict[str, Any]]


class _Opinion(BaseModel):
    outcome: str
    statement: str
    given_on: date
    given_by: str


class _Publicity(BaseModel):
    posted_on: date
    last_day: date
    closed_on: date | None
    fields: dict[str, Any]


class _Objection(BaseModel):
    id: UUID
    received_on: date
    content: str
    finding: str | None
    answered_on: date | None


class _Decision(BaseModel):
    outcome: str
    level: str
    decided_on: date
    decided_by: str
    award: UUID | None
    assessment: dict[str, Any]


class _Missing(BaseModel):
    title: str
    why: str


class _Application(BaseModel):
    applied_on: date
    missing_items: list[_Missing]
    household: _Household
    conflicts: list[dict[str, Any]]
    check: _Check | None
    surveys: list[_Survey]
    opinions: list[_Opinion]
    publicities: list[_Publicity]
    objections: list[_Objection]
    decision: _Decision | None


class _Condition(BaseModel):
    title: str
    passed: bool | None
    fact: str
    threshold: str
    article: str
    remedy: str
    source: str = ""


class _Line(BaseModel):
    member: str
    kind: str
    amount: Decimal
    counted: bool
    deducted: Decimal
    note: str


class _Income(BaseModel):
    total: Decimal
    per_capita: Decimal | None
    lines: list[_Line]


class _Standard(BaseModel):
    amount: Decimal
    document: str


class _Extra(BaseModel):
    member: str
    amount: Decimal


class _Assessment(BaseModel):
    outcome: str
    persons: int
    standard: _Standard
    income: _Income
    base: Decimal | None
    total: Decimal | None
    extras: list[_Extra]
    conditions: list[_Condition]
    payable_from: date | None


class _Now(BaseModel):
    as_of: date
    level: str
    flagged: str
    assessment: _Assessment


@dataclass(frozen=True, slots=True)
class Dossier:
    """`members` are the family's, by id, for the fields that name one."""

    application: _Application | None = None
    now: _Now | None = None

    @property
    def members(self) -> dict[str, str]:
        if self.application is None:
            return {}
        return {
            str(one.id): f"{one.name}（{RELATIONS.get(one.relation, one.relation)}）"
            for one in self.application.household.members
            if one.present
        }

    @property
    def open_objection(self) -> str:
        """The objection that waits for its finding."""
        if self.application is None:
            return ""
        waiting = (one for one in self.application.objections if one.answered_on is None)
        return next((str(one.id) for one in waiting), "")


async def load(gateway: Gateway, case: CaseView) -> Dossier:
    """What the matter has beside the case; raises as `Gateway.read`."""
    if case.matter != "dibao":
        return Dossier()
    path = f"{forms.APPLICATIONS}/{case.id}"
    application = await gateway.read(_Application, path)
    if case.accepted_on is None or case.decided_on is not None:
        return Dossier(application)
    return Dossier(application, await gateway.read(_Now, f"{path}/assessment"))


def show(dossier: Dossier) -> None:
    application = dossier.application
    if application is None:
        return
    if application.missing_items:
        _show_missing(application.missing_items)
    if application.conflicts:
        text("有成员在另一户申请或在保，请核实；不在您管辖范围内的，请报区民政局。", "notice away")
    _show_members(application.household.members)
    if application.decision is not None:
        decision = application.decision
        organ = "区民政局" if decision.level == "county" else "镇街"
        words = forms.OUTCOMES[decision.outcome]
        text("决定", name="h2")
        text(
            f"{wording.chinese_day(decision.decided_on)}由{organ}决定：{words}（{decision.decided_by}）"
        )
        _show_assessment(_Assessment.model_validate(decision.assessment), dossier.members)
    elif dossier.now is not None:
        text(f"按{wording.chinese_day(dossier.now.as_of)}的规定测算", name="h2")
        if dossier.now.flagged:
            text(dossier.now.flagged, "notice away")
        _show_assessment(dossier.now.assessment, dossier.members)
    _show_found(application)


def _show_missing(missing: Sequence[_Missing]) -> None:
    with tag("div", "notice away"):
        text("受理前尚缺：", "strong")
        with tag("ul"):
            for one in missing:
                text(f"{one.title}（{one.why}）", name="li")


def _show_members(members: Sequence[_Member]) -> None:
    text("家庭成员", name="h2")
    with tag("table", "list cards"):
        names = ("姓名", "关系", "出生", "情况", "承诺与授权")
        heads(names)
        with tag("tbody"):
            for one in members:
                if not one.present:
                    continue
                with tag("tr"):
                    with cell(names[0]):
                        text(one.name, "strong")
                        text(one.number or "无证件", "sub")
                    cell(names[1], "", RELATIONS.get(one.relation, one.relation))
                    cell(names[2], "nowrap", one.born.isoformat())
                    with cell(names[3]):
                        text("、".join(_situation(one.situation)) or wording.ABSENT)
                        for warning in one.warnings:
                            text(warning, "sub")
                    cell(names[4], "", _signed(one))


def _situation(found: Mapping[str, Any]) -> list[str]:
    words = []
    disability = found.get("disability")
    if disability:
        words.append(f"{DISABILITIES[disability['kind']]}残疾{disability['grade']}级")
    for field, said in (
        ("severe_illness", "重病"),
        ("bedridden", "长期卧床"),
        ("employed", "就业"),
        ("alone", "申请单独纳入"),
        ("in_prison", "服刑"),
        ("declared_missing", "宣告失踪"),
    ):
        if found.get(field):
            words.append(said)
    if found.get("education") not in (None, "none"):
        words.append("在学")
    if found.get("work_capacity") in ("none", "partial"):
        words.append("丧失劳动能力" if found["work_capacity"] == "none" else "部分丧失劳动能力")
    return words


def _signed(one: _Member) -> str:
    done = [
        name
        for name, on in (("承诺", one.truth_committed_on), ("授权", one.check_authorised_on))
        if on is not None
    ]
    return "、".join(done) or "未签"


def _show_assessment(found: _Assessment, members: Mapping[str, str]) -> None:
    text(RESULTS.get(found.outcome, found.outcome), f"result {found.outcome}")
    with tag("dl", "situation"):
        for label, words in _sums(found).items():
            text(label, name="dt")
            text(words, name="dd")
    if found.income.lines:
        _show_lines(found.income.lines, members)
    _show_conditions(found.conditions)


def _sums(found: _Assessment) -> dict[str, str]:
    income = found.income
    per_capita = wording.ABSENT if income.per_capita is None else f"{income.per_capita} 元"
    sums = {
        "计入人数": f"{found.persons} 人",
        "低保标准": f"每人每月 {found.standard.amount} 元（{found.standard.document}）",
        "家庭月收入": f"{income.total} 元，人均 {per_capita}",
    }
    if found.base is not None:
        total = found.standard.amount * found.persons
        sums["低保金"] = f"{total} − {income.total} → 每月 {found.base} 元"
    if found.extras:
        extras = sum((one.amount for one in found.extras), Decimal(0))
        sums["分类重点救助"] = f"{len(found.extras)} 人，每月 {extras} 元"
    if found.total is not None:
        sums["合计"] = f"每月 {found.total} 元"
    if found.payable_from is not None:
        sums["自何时发放"] = wording.chinese_day(found.payable_from)
    return sums


def _show_lines(lines: Sequence[_Line], members: Mapping[str, str]) -> None:
    with tag("details"):
        text("收入逐项", name="summary")
        with tag("table", "plain"):
            heads(("成员", "项目", "每月（元）", "扣减", "是否计入"))
            with tag("tbody"):
                for one in lines:
                    with tag("tr"):
                        text(members.get(one.member, ""), name="td")
                        text(INCOMES.get(one.kind, "其他"), name="td")
                        text(str(one.amount), "number", name="td")
                        text(str(one.deducted), "number", name="td")
                        text("计入" if one.counted else f"不计入 {one.note}", name="td")


def _show_conditions(conditions: Sequence[_Condition]) -> None:
    signs = {True: ("✓", "符合"), False: ("✕", "不符合"), None: ("？", "待认定")}
    with tag("table", "plain conditions"):
        heads(("", "条件", "实际", "规定", "依据"))
        with tag("tbody"):
            for one in sorted(conditions, key=lambda c: (c.passed is True, c.passed is None)):
                sign, words = signs[one.passed]
                with tag("tr", "passed" if one.passed else "failed"):
                    text(sign, name="td").props(f'aria-label="{words}"')
                    with tag("td"):
                        text(one.title)
                        if not one.passed and one.remedy:
                            text(one.remedy, "sub")
                    text(one.fact, name="td")
                    text(one.threshold, name="td")
                    text(one.article, "sub", name="td")


def _show_found(application: _Application) -> None:
    if application.check is not None:
        _show_check(application.check)
    for survey in application.surveys:
        text("民政部门入户调查" if survey.by_bureau else "入户调查", name="h2")
        text(f"{wording.chinese_day(survey.visited_on)}　{survey.findings}")
        signatures = (
            f"{one['surveyor']}{'' if one['signed_at'] else '（待签字）'}"
            for one in survey.signatures
        )
        text(f"调查人员：{'、'.join(signatures)}", "sub")
    for opinion in application.opinions:
        text("初审意见", name="h2")
        text(f"{forms.OUTCOMES[opinion.outcome]}。{opinion.statement}")
        text(f"{wording.chinese_day(opinion.given_on)}　{opinion.given_by}", "sub")
    for publicity in application.publicities:
        text("公示", name="h2")
        until = wording.chinese_day(publicity.last_day)
        closed = "" if publicity.closed_on is None else "，已结束"
        text(f"{wording.chinese_day(publicity.posted_on)}至{until}{closed}")
    for objection in application.objections:
        text("异议", name="h2")
        text(f"{wording.chinese_day(objection.received_on)}　{objection.content}")
        text(f"处理结果：{objection.finding}" if objection.finding else "正在处理", "sub")


def _show_check(check: _Check) -> None:
    text("经济状况核对", name="h2")
    unanswered = [one for one in check.lines if one.status not in ("none", "returned")]
    answered = len(check.lines) - len(unanswered)
    text(f"{len(check.lines)} 项查询，{answered} 项已答复。没有答复不等于没有。", "muted")
    for finding in check.findings:
        text(
            f"{finding.title}：申报 {finding.declared or '无'}，查得 {finding.found or '无'}",
            "notice away",
        )
    with tag("details"):
        text("逐项结果", name="summary")
        with tag("table", "plain"):
            heads(("成员", "来源", "结果", "数据日期"))
            with tag("tbody"):
                for one in [*unanswered, *(o for o in check.lines if o not in unanswered)]:
                    with tag("tr"):
                        text(one.name, name="td")
                        text(one.source_title, name="td")
                        accepted = "（缺失已说明理由）" if one.accepted else ""
                        status = f"{STATUSES.get(one.status, one.status)}{one.note}{accepted}"
                        text(status, name="td")
                        text(one.data_day.isoformat() if one.data_day else "", name="td")
