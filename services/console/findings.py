"""What a case's matter tells, as it is shown: the family, what was found, what the rules say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from services.console import case_words, clerks, forms, wording
from services.console.award_answers import Change, Fraud
from services.console.case_words import yuan
from services.console.dossier import (
    Application,
    Assessment,
    Check,
    CheckLine,
    Condition,
    Decision,
    Deduction,
    Dossier,
    Elsewhere,
    Income,
    Line,
    Member,
    MissingOf,
    Now,
    Objection,
    SupportDue,
    Survey,
)
from services.console.frame import anchor, cell, heads, tag, text

MEMBER_HEADS = ("姓名", "关系", "出生日期", "情况", "承诺与授权")
LINE_HEADS = ("成员", "项目", "每月", "扣减", "是否计入")
CONDITION_HEADS = ("条件", "查明的情况", "规定", "依据")
CHECK_HEADS = ("来源", "结果", "查得内容", "数据日期")
SIGNS = {True: ("✓", "符合"), False: ("✕", "不符合"), None: ("？", "待认定")}


def show(dossier: Dossier, beside_members: Callable[[], None]) -> None:
    """All of it; right below the members whatever else there is to do with them."""
    if dossier.change is not None:
        _show_change(dossier.change)
    application = dossier.application
    if application is None:
        return
    if application.missing_items:
        _show_missing(application.missing_items)
    _show_elsewhere(application.conflicts, dossier.members)
    if application.decision is not None:
        _show_decision(application.decision, dossier.names)
    elif dossier.now is not None:
        _show_now(dossier.now, dossier.names)
    _show_members(application)
    beside_members()
    _show_found(application, dossier.members)


def _show_missing(missing: Sequence[MissingOf]) -> None:
    with tag("div", "notice away"):
        text("受理前还缺：", "strong")
        with tag("ul", "dots"):
            for one in missing:
                text(f"{one.title}（{one.why}）", name="li")


def _show_elsewhere(conflicts: Sequence[Elsewhere], members: Mapping[str, str]) -> None:
    """Each by the member's own name; of a file that is not the clerk's only that it stands."""
    for certain in (True, False):
        found = [one for one in conflicts if one.possible is not certain]
        if found:
            with tag("div", "notice away" if certain else "notice"):
                text(ELSEWHERE[certain], "strong")
                with tag("ul", "dots"):
                    for one in found:
                        _show_file(one, members)


ELSEWHERE = {
    True: "有成员在另一户申请或在保，请核实：",
    False: "另一户有姓名、出生日期相同的人，是否同一人请核实；不影响办理：",
}
CLAIMS = {"open": "申请正在办理", "awarded": "正在领取低保"}


def _show_file(one: Elsewhere, members: Mapping[str, str]) -> None:
    with tag("li"):
        words = f"{members.get(str(one.member), '')}：{CLAIMS.get(one.state, '')}"
        if one.file is None:
            text(f"{words}，不在您管辖范围内，请报区民政局核实。", name="span")
            return
        text(f"{words}，", name="span")
        anchor("查看", f"{'/awards' if one.state == 'awarded' else '/cases'}/{one.file}")


def _show_members(application: Application) -> None:
    household = application.household
    area = case_words.AREAS.get(household.area or "", "城乡类别未定")
    present = [one for one in household.members if one.present]
    text(f"家庭成员 {len(present)} 人", name="h2")
    text(f"{wording.chinese_day(application.applied_on)}申请，{area}。", "muted")
    with tag("table", "plain cards"):
        heads(MEMBER_HEADS)
        with tag("tbody"):
            for one in present:
                _show_member(one)


def _show_member(one: Member) -> None:
    with tag("tr"):
        with cell(MEMBER_HEADS[0]):
            text(one.name, "strong")
            text(one.number or "无证件", "sub")
        cell(MEMBER_HEADS[1], "", case_words.relation(one.relation))
        cell(MEMBER_HEADS[2], "nowrap", one.born.isoformat())
        with cell(MEMBER_HEADS[3]):
            text("、".join(case_words.situation(one.situation)) or wording.ABSENT)
            for warning in one.warnings:
                text(warning, "sub")
        cell(
            MEMBER_HEADS[4],
            "",
            case_words.signed(one.truth_committed_on, one.check_authorised_on),
        )


def _show_decision(decision: Decision, names: Mapping[str, str]) -> None:
    text("决定", name="h2")
    organ = case_words.LEVELS.get(decision.level, "")
    words = {"grant": "确认同意", "refuse": "不予确认"}.get(decision.outcome, "")
    by = clerks.name_of(decision.decided_by)
    text(f"{wording.chinese_day(decision.decided_on)}，{organ}决定：{words}（{by}）。")
    _show_assessment(decision.assessment, names)
    if decision.award is not None:
        anchor("查看低保待遇", f"/awards/{decision.award}", "button")


def _show_now(now: Now, names: Mapping[str, str]) -> None:
    text("按今天的规定测算", name="h2")
    organ = case_words.LEVELS.get(now.level, "")
    flagged = f"：{now.flagged}" if now.flagged else ""
    text(f"{wording.chinese_day(now.as_of)}。今天由{organ}审核确认{flagged}。", "muted")
    _show_assessment(now.assessment, names)


def _show_assessment(found: Assessment, names: Mapping[str, str]) -> None:
    text(case_words.RESULTS.get(found.outcome, ""), f"result {found.outcome}")
    with tag("dl", "situation"):
        for label, words in sums(found, names).items():
            text(label, name="dt")
            text(words, name="dd")
    _show_income(found.income, names)
    if found.notes:
        text("测算说明", name="h3")
        with tag("ul", "dots"):
            for note in found.notes:
                text(note, name="li")
    _show_conditions(found.conditions)


def sums(found: Assessment, members: Mapping[str, str]) -> dict[str, str]:
    """How the amount comes about, step by step."""
    income = found.income
    told = {
        "低保标准": f"每人每月 {yuan(found.standard.amount)}（{found.standard.document}）",
        "家庭收入": (
            f"每月 {yuan(income.total)}，计 {found.persons} 人，人均 {yuan(income.per_capita)}"
        ),
    }
    if found.base is not None:
        told["低保金"] = (
            f"{yuan(found.standard.amount)} × {found.persons} 人 − {yuan(income.total)}"
            f" ＝ 每月 {yuan(found.base)}"
        )
    alone = [one for one in found.alone if one.asked]
    if found.outcome == "alone":
        told["单独纳入"] = "；".join(
            f"{members.get(one.member, '')}每月 {yuan(one.amount)}" for one in alone
        )
    if found.extras:
        told["分类重点救助"] = "；".join(
            f"{members.get(one.member, '')}{case_words.EXTRAS.get(one.category, '')} "
            f"{yuan(one.amount)}"
            for one in found.extras
        )
    if found.total is not None:
        told["合计"] = f"每月 {yuan(found.total)}"
    if found.payable_from is not None:
        told["起发"] = wording.chinese_day(found.payable_from)
    return told


@dataclass(frozen=True, slots=True)
class IncomeRow:
    """One row of what makes up the income."""

    member: str
    title: str
    amount: Decimal | None
    off: Decimal | None
    notes: tuple[str, ...]
    counts: bool = True

    @property
    def net(self) -> Decimal:
        """What of it goes into the total."""
        nothing = Decimal(0)
        return (self.amount or nothing) - (self.off or nothing) if self.counts else nothing

    @property
    def standing(self) -> str:
        if self.amount is None:
            return "扣减"
        return "计入" if self.counts else "不计入"


def income_rows(income: Income, names: Mapping[str, str]) -> list[IncomeRow]:
    """What makes up the total: what came in, what is owed from outside, what is taken off."""
    return [
        *map(_row_of_line, income.lines),
        *(_row_of_support(one, names.get(one.supporter, "")) for one in income.support),
        *map(_row_of_deduction, income.deductions),
    ]


def _row_of_line(one: Line) -> IncomeRow:
    title = case_words.INCOMES.get(one.kind, "其他")
    return IncomeRow(one.member, title, one.amount, one.deducted, (one.note,), one.counted)


def _row_of_support(one: SupportDue, supporter: str) -> IncomeRow:
    """What was given already stands among the lines."""
    return IncomeRow(
        one.member,
        "应给付未给付的赡养（抚养、扶养）费",
        one.added,
        None,
        (f"{supporter}应给付 {yuan(one.amount)}，{one.note}", _source(one.article, one.valid_from)),
        one.added > 0,
    )


def _row_of_deduction(one: Deduction) -> IncomeRow:
    notes = (_source(one.article, one.valid_from),)
    return IncomeRow(one.member, f"{one.ground}刚性支出", None, one.amount, notes)


def _source(article: str, since: date) -> str:
    return f"{article}，{wording.chinese_day(since)}起"


def _show_income(income: Income, names: Mapping[str, str]) -> None:
    rows = income_rows(income, names)
    if not rows:
        return
    below = sum(one.net for one in rows) < income.total == 0
    with tag("details", "more-rows"):
        text(f"收入逐项（{len(rows)} 项）", name="summary")
        with tag("table", "plain cards"):
            heads(LINE_HEADS)
            with tag("tbody"):
                for one in rows:
                    _show_income_row(one, names)
                with tag("tr"):
                    cell(LINE_HEADS[0], "strong", "合计")
                    cell(LINE_HEADS[1])
                    cell(LINE_HEADS[2], "number strong", yuan(income.total))
                    cell(LINE_HEADS[3])
                    cell(LINE_HEADS[4], "", "低于零的，按零计" if below else "")


def _show_income_row(one: IncomeRow, names: Mapping[str, str]) -> None:
    with tag("tr"):
        cell(LINE_HEADS[0], "", names.get(one.member, wording.ABSENT))
        cell(LINE_HEADS[1], "", one.title)
        cell(LINE_HEADS[2], "number", yuan(one.amount))
        cell(LINE_HEADS[3], "number", yuan(one.off))
        with cell(LINE_HEADS[4]):
            text(one.standing)
            for note in one.notes:
                text(note, "sub")


def _show_conditions(conditions: Sequence[Condition]) -> None:
    """What stands in the way is in sight, what is met behind a heading."""
    met = [one for one in conditions if one.passed]
    open_ = [one for one in conditions if not one.passed]
    if open_:
        _condition_table(sorted(open_, key=lambda one: one.passed is None))
    if met:
        with tag("details", "more-rows"):
            text(f"已符合的条件（{len(met)} 项）", name="summary")
            _condition_table(met)


def _condition_table(conditions: Sequence[Condition]) -> None:
    with tag("table", "plain cards conditions"):
        heads(CONDITION_HEADS)
        with tag("tbody"):
            for one in conditions:
                _show_condition(one)


def _show_condition(one: Condition) -> None:
    sign, words = SIGNS[one.passed]
    state = {True: "met", False: "failed", None: "open"}[one.passed]
    with tag("tr", state):
        with cell(CONDITION_HEADS[0]):
            with tag("span", f"verdict-mark {state}"):
                text(sign, name="span").props('aria-hidden="true"')
                text(words, name="span")
            text(one.title, "strong")
        with cell(CONDITION_HEADS[1]):
            text(one.fact)
            source = f"{one.source} {one.source_day or ''}".strip()
            text(f"来源：{source}" if source else "", "sub")
        with cell(CONDITION_HEADS[2]):
            text(one.threshold)
            text(f"可以这样改变结果：{one.remedy}" if one.remedy else "", "sub")
        cell(CONDITION_HEADS[3], "article", one.article)


def _show_found(application: Application, members: Mapping[str, str]) -> None:
    if application.check is not None:
        _show_check(application.check, members)
    for one in application.near_relatives:
        text("近亲属备案", name="h2")
        of = case_words.RELATIVES_OF.get(one.of, "")
        text(f"{members.get(str(one.member), '')}与{of}：{one.relation}")
    for complaint in application.complaints:
        text("投诉举报", name="h2")
        text(f"{wording.chinese_day(complaint.received_on)}　{complaint.content}")
    for survey in application.surveys:
        _show_survey(survey)
    for opinion in application.opinions:
        text("初审意见", name="h2")
        text(f"{forms.OUTCOMES.get(opinion.outcome, '')}。{opinion.statement}")
        by = clerks.name_of(opinion.given_by)
        text(f"{wording.chinese_day(opinion.given_on)}　{by}", "sub")
    for posted in application.publicities:
        text("公布确认结果" if posted.kind == "result" else "公示", name="h2")
        until = wording.chinese_day(posted.last_day)
        closed = "" if posted.closed_on is None else "，已结束"
        text(f"{wording.chinese_day(posted.posted_on)}至{until}{closed}。")
    for objection in application.objections:
        _show_objection(objection)


def _show_survey(survey: Survey) -> None:
    text("民政部门入户调查" if survey.by_bureau else "入户调查", name="h2")
    text(f"{wording.chinese_day(survey.visited_on)}　{survey.findings}")
    if survey.withdrawn_on is not None:
        text(f"{wording.chinese_day(survey.withdrawn_on)}撤回，未签齐", "sub")
    if survey.refusal:
        text(f"拒绝签字：{survey.refusal}")
    signatures = (
        f"{clerks.name_of(one.surveyor)}{'' if one.signed_at else '（待签字）'}"
        for one in survey.signatures
    )
    text(f"调查人员：{'、'.join(signatures)}", "sub")


def _show_objection(one: Objection) -> None:
    text("异议", name="h2")
    text(f"{wording.chinese_day(one.received_on)}　{one.objector}：{one.content}")
    if (held := one.appraisal) is not None:
        on = wording.chinese_day(held.held_on)
        text(f"{on}民主评议，{held.participants} 人参加：{held.outcome}", "sub")
    if one.answered_on is None:
        text("正在处理", "sub")
        return
    upheld = "成立" if one.upheld else "不成立"
    text(f"{wording.chinese_day(one.answered_on)}处理，异议{upheld}：{one.finding}", "sub")


def _show_check(check: Check, members: Mapping[str, str]) -> None:
    silent = check.silent
    text("家庭经济状况核对", name="h2")
    text(
        f"查询 {len(check.lines)} 项，{len(check.lines) - len(silent)} 项已答复。"
        "没有答复不等于没有。",
        "muted",
    )
    for one in silent:
        with tag("div", "silent accepted" if one.accepted else "silent"):
            show_silent(one, members)
    for found in check.findings:
        whose = members.get(str(found.member), "家庭")
        words = case_words.difference(found.kind, found.title, found.declared, found.found)
        text(f"{whose}：{words}", "notice away")
    for late in check.late:
        what = f"查得 {late.items} 项" if late.items else "查无"
        text(f"出具报告后，{late.source_title}才答复：{what}。", "notice away")
    _show_answered([one for one in check.lines if one.answered], members)


def show_silent(one: CheckLine, members: Mapping[str, str]) -> None:
    """A source that has not answered, and why."""
    status = case_words.STATUSES.get(one.status, "")
    why = f"（{one.note}）" if one.note else ""
    text(f"{members.get(str(one.member), one.name)}　{one.source_title}", "strong")
    text(f"{status}{why}{'，缺失已说明理由并接受' if one.accepted else ''}")


def _show_answered(lines: Sequence[CheckLine], members: Mapping[str, str]) -> None:
    if not lines:
        return
    with tag("details", "more-rows"):
        text(f"已答复的逐项结果（{len(lines)} 项）", name="summary")
        for member, of_member in groupby(lines, key=lambda one: str(one.member)):
            answered = list(of_member)
            text(members.get(member, answered[0].name), name="h3")
            with tag("table", "plain cards"):
                heads(CHECK_HEADS)
                with tag("tbody"):
                    for one in answered:
                        _show_line(one)


def _show_line(one: CheckLine) -> None:
    with tag("tr"):
        cell(CHECK_HEADS[0], "", one.source_title)
        cell(CHECK_HEADS[1], "", case_words.STATUSES.get(one.status, ""))
        items = (case_words.found(each.kind, each.amount, each.area) for each in one.items)
        cell(CHECK_HEADS[2], "", "、".join(items) or wording.ABSENT)
        cell(CHECK_HEADS[3], "nowrap", wording.day(one.data_day))


def _show_change(change: Change) -> None:
    text(change.kind_title, name="h2")
    with tag("dl", "situation"):
        for label, words in told(change).items():
            text(label, name="dt")
            text(words, name="dd")
    anchor("查看低保待遇", f"/awards/{change.award}", "button")


def _fine(fraud: Fraud) -> str:
    if fraud.fine_least is None or fraud.fine_most is None:
        return "未认定情节严重，不处罚款"
    return f"可以罚款 {yuan(fraud.fine_least)}至 {yuan(fraud.fine_most)}"


def told(change: Change) -> dict[str, str]:
    """What a change does, by the name of each thing."""
    decided = change.decided_on is not None
    found = {
        "提出": wording.chinese_day(change.proposed_on),
        "每月合计": f"{yuan(change.before)} → {yuan(change.after)}"
        f"（{case_words.EFFECTS.get(change.effect, '')}）",
        "生效" if decided else "拟自": wording.chinese_day(change.effective_from),
    }
    if change.decided_on is not None:
        found["决定"] = wording.chinese_day(change.decided_on)
    if change.settles_on is not None:
        until = wording.chinese_day(change.settles_on)
        found["其间"] = f"{until}前每月 {yuan(change.interim)}，其后按重新测算的金额"
    if change.ends_on is not None:
        found["期满停发"] = wording.chinese_day(change.ends_on)
    if change.overpaid:
        found["应当收回"] = yuan(change.overpaid)
    if (fraud := change.fraud) is not None:
        since = wording.chinese_day(fraud.since)
        found["骗取"] = f"自{since}起，应退回 {yuan(fraud.recovery)}；{_fine(fraud)}"
    if (corrected := change.correction) is not None:
        becomes = corrected.becomes_from
        end = "撤销" if becomes is None else f"{wording.chinese_day(becomes)}起"
        found["更正"] = f"{wording.chinese_day(corrected.was_from)}起的一段 → {end}"
    if change.unreported:
        found["未主动告知"] = "变化超过规定期限没有告知，可以批评教育"
    if (heard := change.hearing) is not None:
        who = f"，{heard.heard}" if heard.heard else ""
        how = case_words.HEARD.get(heard.method, "")
        found["听取意见"] = f"{wording.chinese_day(heard.heard_on)}{how}{who}"
    elif change.hearing_note:
        found["听取意见"] = change.hearing_note
    return found
