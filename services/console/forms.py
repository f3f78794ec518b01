"""The forms by which a clerk takes a step: which fields, where they are sent, and in what shape."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

APPLICATIONS, CHANGES = "/v1/relief/applications", "/v1/relief/award-changes"
PATHS = {"dibao": APPLICATIONS, "dibao_change": CHANGES}
"""Where the steps of a matter are taken."""


class Kind(StrEnum):
    TEXT = "text"
    LONG = "long"
    DAY = "day"
    CHOICE = "choice"
    MANY = "many"
    WORDS = "words"  # several in one line
    CHECK = "check"
    VILLAGE = "village"  # by its town


class Of(StrEnum):
    """Choices that the case itself has."""

    MEMBERS = "members"  # of the household; in an award the persons known
    LACKING = "lacking"  # what was still missing before the acceptance
    PERIODS = "periods"  # of an award, as they stand
    DISTRICTS = "districts"  # of the day
    TOWNS = "towns"  # of the district that is looked at


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is the API's; `preset` stands in the form from the beginning.

    With `when` the field is there only while one before it has one of those values.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    choices: Mapping[str, str] | Of = field(default_factory=dict)
    required: bool = True
    preset: Any = None
    hint: str = ""
    when: tuple[str, frozenset[str]] | None = None


def _as_given(given: dict[str, Any], _: str) -> dict[str, Any]:
    return given


@dataclass(frozen=True, slots=True)
class Form:
    """One way of going on; `steps` are the matter's transitions that it takes.

    `shape` makes the body of what was filled in and the id of the clerk who did. What is `aside`
    is done on occasion alone, and never what the case waits for.
    """

    title: str
    path: str
    fields: tuple[Field, ...] = ()
    steps: frozenset[str] = frozenset()
    hint: str = ""
    shape: Callable[[dict[str, Any], str], dict[str, Any]] = _as_given
    aside: bool = False


OUTCOMES = {"grant": "符合条件", "refuse": "不符合条件"}
METHODS = {
    "household_visit": "入户调查",
    "neighbours": "邻里访问",
    "letter": "信函索证",
    "other": "其他方式",
    "phone": "电话（限重大突发事件）",
    "video": "视频（限重大突发事件）",
}
SIGNATURES = {
    "signed": "在场成员已签字",
    "refused": "在场成员拒绝签字",
    "without_contact": "非接触方式，未签字",
}
HANDLED = {"resurvey": "重新调查", "appraisal": "民主评议"}
DELIVERIES = {
    "in_person": "直接送达",
    "entrusted": "委托送达",
    "mail": "邮寄送达",
    "electronic": "电子送达",
    "left": "留置送达",
    "announced": "公告送达",
}
HEARINGS = {
    "in_person": "当面",
    "phone": "电话",
    "video": "视频",
    "writing": "书面",
    "waived": "明确放弃",
    "absent": "已告知，逾期未提出意见",
}
MATERIALS = {
    "application_form": "最低生活保障申请书",
    "entrustment": "委托书",
    "guardianship": "监护关系说明",
    "illness_certificate": "重特大疾病诊断证明",
    "spending_receipts": "就业成本、刚性支出票据",
    "farming_statement": "种植养殖经营情况说明",
    "support_agreement": "赡养（抚养、扶养）协议或法律文书",
}
"""What an applicant can be asked for; everything else is looked up."""

SIGNED = ("truth_commitment", "check_authorisation")
"""Of a missing item: what a member signs."""

YES, NO = "yes", "no"
TODAY = "today"
"""What a day's field is preset with, where it is the day of what the clerk does."""

_REASON = Field("reason", "理由", Kind.LONG)
_AREAS = {"urban": "城市", "rural": "农村"}


def _complete(given: dict[str, Any], _: str) -> dict[str, Any]:
    """What has come, told apart: papers by their code, signatures by member."""
    signed: dict[str, dict[str, Any]] = {}
    papers = []
    for one in given.get("received", ()):
        code, member = one.split(":")
        if not member:
            papers.append(code)
            continue
        of_member = signed.setdefault(member, {"member": member})
        if code == "truth_commitment":
            of_member["truth_committed"] = True
        else:
            of_member |= {"check_authorised": True, "authorisation": "核对授权书"}
    return {"materials": papers, "undertakings": list(signed.values())}


def _relatives(given: dict[str, Any], _: str) -> dict[str, Any]:
    return {"relatives": [given]}


def _survey(given: dict[str, Any], me: str) -> dict[str, Any]:
    """Whoever records a survey is one of those who made it."""
    return given | {"surveyors": list(dict.fromkeys([me, *given["surveyors"]]))}


def _finding(given: dict[str, Any], _: str) -> dict[str, Any]:
    """With the last objection answered, the opinion is given anew; an appraisal has its record."""
    opinion = {name: given.pop(name) for name in ("outcome", "statement") if name in given}
    appraisal = {name: given.pop(field) for field, name in _APPRAISAL.items() if field in given}
    whole = decided(given, "upheld")
    whole |= {"opinion": opinion} if opinion else {}
    return whole | ({"appraisal": counted(appraisal, "participants")} if appraisal else {})


def _appraised(given: dict[str, Any], _: str) -> dict[str, Any]:
    return decided(counted(given, "participants"), "disputed")


_APPRAISAL = {"held_on": "held_on", "participants": "participants", "appraised": "outcome"}


def counted(given: dict[str, Any], name: str) -> dict[str, Any]:
    """A number as one; what is none goes as it was typed, and is refused."""
    typed = str(given.get(name, ""))
    return given | ({name: int(typed)} if typed.isdecimal() else {})


def decided(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """What was answered by yes or no, as the API takes it."""
    return given | {name: given[name] == YES for name in names if name in given}


def _decision(outcome: str) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    return lambda given, _: {"outcome": outcome, **given}


def _change(given: dict[str, Any], _: str) -> dict[str, Any]:
    """A fraud goes along with the stop that it leads to; a correction says how by a flag."""
    fraud = given.pop("fraud", NO) == YES
    told = {"since": given.pop("since", None), "serious": given.pop("serious", NO) == YES}
    how = given.pop("how", "valid_from")
    corrected = {} if how == "valid_from" else {how: True}
    return counted(given, "months") | corrected | ({"fraud": told} if fraud else {})


def _job_offer(given: dict[str, Any], _: str) -> dict[str, Any]:
    return decided(given, "accepted", "excused")


_SURVEY = (
    Field("visited_on", "调查日期", Kind.DAY, preset=TODAY),
    Field("methods", "调查方式", Kind.MANY, METHODS, preset=["household_visit"]),
    Field("surveyors", "同行调查人员的工号", Kind.WORDS, hint="您已列入；多人用空格隔开"),
    Field("household_signature", "家庭成员签字", Kind.CHOICE, SIGNATURES, preset="signed"),
    Field(
        "signed_by",
        "签字的成员",
        Kind.CHOICE,
        Of.MEMBERS,
        when=("household_signature", frozenset({"signed"})),
    ),
    Field(
        "refusal",
        "拒绝签字的情况",
        Kind.LONG,
        when=("household_signature", frozenset({"refused"})),
    ),
    Field(
        "emergency",
        "因重大突发事件采取非接触方式",
        Kind.CHECK,
        required=False,
        when=("household_signature", frozenset({"without_contact"})),
    ),
    Field("findings", "调查所见", Kind.LONG),
)
_HOW_AND_WHEN = (
    Field("how", "送达方式", Kind.CHOICE, DELIVERIES, preset="in_person"),
    Field("on", "送达日期", Kind.DAY, preset=TODAY),
)
_RECEIVER = Field("received_by", "签收人")
_OPINION = (
    Field("outcome", "初审意见", Kind.CHOICE, OUTCOMES),
    Field("statement", "意见的说明", Kind.LONG),
)
_APPRAISED = ("handled_by", frozenset({"appraisal"}))
_ANSWER = (
    Field("handled_by", "怎样处理的", Kind.CHOICE, HANDLED),
    Field("held_on", "评议日期", Kind.DAY, when=_APPRAISED),
    Field("participants", "参加评议的人数", hint="不少于 3 人", when=_APPRAISED),
    Field("appraised", "评议结论", Kind.LONG, when=_APPRAISED),
    Field("finding", "处理结果", Kind.LONG),
    Field("upheld", "异议是否成立", Kind.CHOICE, {YES: "成立", NO: "不成立"}),
)
_OBJECTION = "objections/{objection}/finding"

DIBAO: Sequence[Form] = (
    Form("提交申请", "submit", steps=frozenset({"submit"})),
    Form(
        "受理",
        "accept",
        (
            Field("area", "城乡类别", Kind.CHOICE, _AREAS),
            Field("area_reason", "按此确定的理由", hint="如：户籍在社区"),
        ),
        frozenset({"accept"}),
        hint="受理后开始计算办理期限。",
    ),
    Form(
        "一次性告知补正",
        "correction-list",
        (
            Field(
                "materials",
                "另需补充的材料",
                Kind.MANY,
                MATERIALS,
                required=False,
                hint="上面已列出的缺项自动写入告知书，不必再选",
            ),
        ),
        frozenset({"tell"}),
        hint="只能告知一次，请一次列全。",
    ),
    Form(
        "登记补正材料",
        "correction-done",
        (Field("received", "已收到的", Kind.MANY, Of.LACKING),),
        frozenset({"complete"}),
        shape=_complete,
    ),
    Form(
        "提请信息核对",
        "check",
        steps=frozenset({"start_check"}),
        hint="向各部门查询已授权成员的收入和财产。",
    ),
    Form(
        "出具核对报告",
        "check-closed",
        steps=frozenset({"close_check", "close_check_surveyed", "disqualify"}),
        hint="查得多于申报的按查得登记；据此不符合条件的，系统同时制作告知书。",
    ),
    Form("登记入户调查", "survey", _SURVEY, frozenset({"survey"}), shape=_survey),
    Form(
        "在调查记录上签字",
        "survey/sign",
        steps=frozenset({"sign", "cosign"}),
        hint="以您本人的登录签字。",
    ),
    Form(
        "组织群众评议",
        "appraisal",
        (Field("held_on", "拟定的评议日期", Kind.DAY, preset=TODAY),),
        frozenset({"convene"}),
        hint="限2021年7月1日前提出初审意见的。",
        aside=True,
    ),
    Form(
        "记录群众评议",
        "appraisal-record",
        (
            Field("held_on", "评议日期", Kind.DAY, preset=TODAY),
            Field("participants", "参加评议的人数", hint="不少于 3 人"),
            Field("outcome", "评议结论", Kind.LONG),
            Field("disputed", "评议是否争议较大", Kind.CHOICE, {NO: "没有", YES: "有争议"}),
        ),
        frozenset({"record_appraisal"}),
        shape=_appraised,
        aside=True,
    ),
    Form("提出初审意见", "opinion", _OPINION, frozenset({"opine"})),
    Form(
        "公示初审意见",
        "publicise",
        (Field("telephone", "受理异议的电话", hint="数字和短横"),),
        frozenset({"publicise"}),
        hint="在申请家庭所在村（社区）公示。",
    ),
    Form(
        "回应异议",
        _OBJECTION,
        _ANSWER,
        frozenset({"answer"}),
        shape=_finding,
        hint="还有其他异议，先答复最早的一项。",
    ),
    Form(
        "处理异议并重新提出意见",
        _OBJECTION,
        (*_ANSWER, *_OPINION),
        frozenset({"find"}),
        shape=_finding,
    ),
    Form("公示期满报送", "publicity-closed", steps=frozenset({"close_publicity"})),
    Form("报送审核确认", "forward", steps=frozenset({"forward"})),
    Form("登记民政部门入户调查", "survey", _SURVEY, frozenset({"inspect"}), shape=_survey),
    Form(
        "确认同意",
        "decide",
        (Field("confirmed", "我已核对测算依据，同意给予最低生活保障", Kind.CHECK),),
        frozenset({"grant"}),
        shape=_decision("grant"),
    ),
    Form(
        "不予确认",
        "decide",
        (Field("confirmed", "我已核对测算依据，决定不予确认", Kind.CHECK),),
        frozenset({"refuse"}),
        shape=_decision("refuse"),
    ),
    Form(
        "登记送达",
        "deliver",
        (*_HOW_AND_WHEN, Field("received_by", "签收人", required=False)),
        frozenset({"deliver"}),
    ),
    Form("办结归档", "close", steps=frozenset({"close"})),
    Form(
        "变更申请人",
        "applicant",
        (Field("member", "新的申请人", Kind.CHOICE, Of.MEMBERS),),
        frozenset({"change_applicant"}),
        hint="有成年成员的，须为成年人。",
    ),
    Form(
        "撤回未签齐的调查记录",
        "survey/withdraw",
        (_REASON,),
        frozenset({"withdraw_survey"}),
        hint="撤回后重新登记；撤回的仍存于卷中。",
        aside=True,
    ),
    Form(
        "撤回初审意见",
        "retract",
        (_REASON,),
        frozenset({"retract", "retract_disqualified"}),
        hint="情况有变化的，撤回后重新提出；公示期重新起算。",
        aside=True,
    ),
    Form(
        "登记异议",
        "objections",
        (
            Field("objector", "提出异议的人"),
            Field("content", "异议内容", Kind.LONG),
            Field("handled_by", "打算怎样处理", Kind.CHOICE, HANDLED),
        ),
        frozenset({"object"}),
        aside=True,
    ),
    Form(
        "对核对结果提出异议",
        "contest",
        (Field("reason", "异议和佐证材料", Kind.LONG),),
        frozenset({"contest"}),
        hint="申请人提供佐证的，重新核对。",
        aside=True,
    ),
    Form(
        "近亲属备案",
        "near-relatives",
        (
            Field("member", "家庭成员", Kind.CHOICE, Of.MEMBERS),
            Field(
                "of",
                "与谁有近亲属关系",
                Kind.CHOICE,
                {"staff": "低保经办人员", "village_committee": "村（居）委会成员"},
            ),
            Field("relation", "何种亲属", hint="如：兄弟"),
            Field("organisation", "所在单位"),
        ),
        frozenset({"declare_relatives"}),
        hint="备案后，决定前须由民政部门入户调查。",
        shape=_relatives,
        aside=True,
    ),
    Form(
        "登记投诉举报",
        "complaints",
        (
            Field("received_on", "收到日期", Kind.DAY, preset=TODAY),
            Field("content", "内容", Kind.LONG, hint="不记举报人"),
        ),
        frozenset({"complain"}),
        hint="登记后，决定前须由民政部门入户调查。",
        aside=True,
    ),
    Form("退回镇街重新调查", "return", (_REASON,), frozenset({"return_step"}), aside=True),
    Form(
        "延长办理期限",
        "prolong",
        (
            Field(
                "ground",
                "延长的情形",
                Kind.CHOICE,
                {
                    "objection": "公示有异议",
                    "separate_residence": "人户分离",
                    "applied_elsewhere": "异地申办",
                    "hard_survey": "调查难度较大",
                },
            ),
            _REASON,
        ),
        frozenset({"prolong"}),
        hint="每件只能延长一次。",
        aside=True,
    ),
    Form(
        "移交其他镇街",
        "move",
        (Field("division", "接收的村（社区）", Kind.VILLAGE), _REASON),
        frozenset({"move"}),
        aside=True,
    ),
    Form(
        "申请人撤回",
        "withdraw",
        (Field("reason", "撤回的原因", Kind.LONG, required=False),),
        frozenset({"withdraw"}),
        aside=True,
    ),
    Form(
        "终止审核确认",
        "terminate",
        (
            Field(
                "ground",
                "终止的情形",
                Kind.CHOICE,
                {
                    "uncooperative": "无正当理由拒不配合",
                    "deceased": "单独申请人死亡",
                    "moved_away": "迁出本区",
                },
            ),
            _REASON,
        ),
        frozenset({"terminate"}),
        aside=True,
    ),
)

DIBAO_CHANGE: Sequence[Form] = (
    Form(
        "记录听取意见",
        "hearing",
        (
            Field("notified_on", "告知日期", Kind.DAY, preset=TODAY),
            Field(
                "heard_on",
                "听取日期",
                Kind.DAY,
                preset=TODAY,
                hint="逾期未提出的，填期满之后的一日",
            ),
            Field("method", "方式", Kind.CHOICE, HEARINGS, preset="in_person"),
            Field(
                "person",
                "听取了谁的意见",
                Kind.CHOICE,
                Of.MEMBERS,
                when=("method", frozenset(HEARINGS) - {"absent"}),
            ),
            Field(
                "guardian",
                "监护人",
                required=False,
                hint="未成年人须写明代为或者一同提出意见的监护人",
                when=("method", frozenset(HEARINGS) - {"absent"}),
            ),
            Field("statement", "意见原话或要点", Kind.LONG, hint="未提出意见的，写明怎样告知"),
        ),
        frozenset({"hear"}),
    ),
    Form(
        "作出决定",
        "decide",
        (Field("reason", "采纳或不采纳意见的理由", Kind.LONG, required=False),),
        frozenset({"decide"}),
        hint="金额和起止日期按今天的事实、规定和标准算出。",
    ),
    Form("登记送达", "deliver", (*_HOW_AND_WHEN, _RECEIVER), frozenset({"deliver"})),
    Form("撤销提出", "withdraw", (_REASON,), frozenset({"withdraw"}), aside=True),
)

FORMS: Mapping[str, Sequence[Form]] = {"dibao": DIBAO, "dibao_change": DIBAO_CHANGE}
"""By matter, in the order in which they are offered."""

DELIVERY = Form("登记送达", "delivery", (*_HOW_AND_WHEN, _RECEIVER))
"""Of a document that is no decision."""

RETRY = Form("重新查询", "retry")
ACCEPT_MISSING = Form(
    "接受缺失并说明理由",
    "acceptance",
    (Field("reason", "理由", Kind.LONG, hint="如：已当面核实，家庭没有银行账户"),),
)

RECALCULATED = {
    "increase": "增发",
    "reduce": "减发",
    "members_changed": "家庭成员变化",
    "standard_changed": "标准调整",
}
ENDED = {
    "stop": "停发",
    "grace": "渐退",
    "death": "家庭成员死亡",
    "move": "迁移",
    "voluntary": "自愿退出",
    "job_refusals": "连续三次拒绝就业",
    "not_cooperating": "拒不配合核查",
    "correction": "更正登记有误的一段",
}


CORRECTED = {
    "valid_from": "改起始日",
    "recompute": "重新测算人口与金额",
    "withdrawn": "撤销该段，由前一段延续",
}


def _for(*kinds: str) -> tuple[str, frozenset[str]]:
    return "kind", frozenset(kinds)


PROPOSE = Form(
    "提出变动",
    "changes",
    (
        Field("kind", "变动的种类", Kind.CHOICE, RECALCULATED | ENDED),
        Field(
            "person",
            "涉及的成员",
            Kind.CHOICE,
            Of.MEMBERS,
            when=_for("grace", "death", "job_refusals"),
        ),
        Field(
            "happened_on",
            "变化发生之日",
            Kind.DAY,
            required=False,
            when=_for(*RECALCULATED, "stop"),
        ),
        Field(
            "fraud",
            "是否骗取低保金",
            Kind.CHOICE,
            {NO: "不是", YES: "是"},
            preset=NO,
            when=_for("stop"),
        ),
        Field("since", "自哪一日起骗取", Kind.DAY, when=("fraud", frozenset({YES}))),
        Field(
            "serious",
            "情节是否严重",
            Kind.CHOICE,
            {NO: "不严重", YES: "严重"},
            preset=NO,
            hint="2026年7月1日前情节严重的才处罚款",
            when=("fraud", frozenset({YES})),
        ),
        Field("employed_on", "就业之日", Kind.DAY, when=_for("grace")),
        Field(
            "months",
            "渐退几个月",
            required=False,
            hint="不填为规定的上限",
            when=_for("grace"),
        ),
        Field("died_on", "死亡之日", Kind.DAY, when=_for("death")),
        Field("division", "迁往的村（社区）", Kind.VILLAGE, when=_for("move")),
        Field("moved_on", "迁移之日", Kind.DAY, when=_for("move")),
        Field("requested_on", "书面申请之日", Kind.DAY, when=_for("voluntary")),
        Field("document", "书面申请的名称", preset="退出低保申请书", when=_for("voluntary")),
        Field("asked_on", "最近一次要求配合之日", Kind.DAY, when=_for("not_cooperating")),
        Field("period", "有误的一段", Kind.CHOICE, Of.PERIODS, when=_for("correction")),
        Field("how", "怎样更正", Kind.CHOICE, CORRECTED, when=_for("correction")),
        Field(
            "valid_from",
            "正确的起始日",
            Kind.DAY,
            when=("how", frozenset({"valid_from"})),
        ),
        Field("reason", "事由与依据的事实", Kind.LONG),
    ),
    hint="金额由系统按现有事实和今天的标准测算；减发、停发的，同时制作听取意见告知书。",
    shape=_change,
)
REVIEW = Form(
    "登记定期核查",
    "reviews",
    (
        Field("reviewed_on", "核查日期", Kind.DAY, preset=TODAY),
        Field("note", "核查的方式与所见", Kind.LONG),
    ),
    hint="未见需要变动的；有变化的请提出变动。",
)
JOB_OFFER = Form(
    "登记就业介绍",
    "job-offers",
    (
        Field("person", "成员", Kind.CHOICE, Of.MEMBERS),
        Field("offered_on", "介绍日期", Kind.DAY, preset=TODAY),
        Field("job", "介绍的工作"),
        Field("accepted", "本人是否接受", Kind.CHOICE, {YES: "接受", NO: "拒绝"}),
        Field(
            "excused",
            "拒绝有无正当理由",
            Kind.CHOICE,
            {NO: "没有", YES: "有"},
            when=("accepted", frozenset({NO})),
        ),
        Field("note", "拒绝的理由及认定", Kind.LONG, when=("accepted", frozenset({NO}))),
    ),
    shape=_job_offer,
)

STANDARDS = {
    "dibao": "最低生活保障标准",
    "tekun_basic": "特困人员基本生活标准",
    "tekun_care_full": "特困照料护理标准（全护理）",
    "tekun_care_half": "特困照料护理标准（半护理）",
    "tekun_care_self": "特困照料护理标准（自理）",
}
BASES = {"bureau": "区民政局下放", "municipal": "市政府规定"}
_DOCUMENT = Field("document", "依据的文件", hint="文号或名称")
STANDARD = Form(
    "登记救助标准",
    "standards",
    (
        Field("division", "区县", Kind.CHOICE, Of.DISTRICTS),
        Field("code", "标准", Kind.CHOICE, STANDARDS, preset="dibao"),
        Field("area", "城乡", Kind.CHOICE, _AREAS | {"all": "不分城乡"}),
        Field("amount", "每人每月（元）", hint="如：770.00"),
        Field("valid_from", "施行日期", Kind.DAY),
        _DOCUMENT,
    ),
    hint="城市、农村分别登记；特困标准不分城乡。",
)
AUTHORITY = Form(
    "登记确认权限",
    "authorities",
    (
        Field("division", "镇街", Kind.CHOICE, Of.TOWNS),
        Field("level", "由谁审核确认", Kind.CHOICE, {"town": "镇街", "county": "区民政局"}),
        Field("basis", "依据", Kind.CHOICE, BASES),
        Field("valid_from", "第一天", Kind.DAY),
        Field("valid_to", "最后一天", Kind.DAY, required=False, hint="不填为未定"),
        _DOCUMENT,
    ),
    hint="2026年7月1日起，只有市政府规定可以由镇街审核确认（社会救助法第四十四条）。",
    shape=lambda given, _: {"programme": "dibao", **given},
)


def present(form: Form, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are there, by what the ones before them hold, with what they hold."""
    found: dict[str, Any] = {}
    for one in form.fields:
        if one.when is None or found.get(one.when[0]) in one.when[1]:
            found[one.name] = given.get(one.name)
    return found


def lacking(form: Form, given: Mapping[str, Any]) -> str:
    """What has to be filled in before the step can be taken; empty when nothing."""
    found = present(form, given)
    missing = [
        one.label
        for one in form.fields
        if one.required and one.name in found and not found[one.name]
    ]
    return f"请填写：{'、'.join(missing)}。" if missing else ""


def body(form: Form, given: Mapping[str, Any], me: str) -> dict[str, Any]:
    """What is sent: what was filled in of the fields that are there."""
    filled = {name: value for name, value in present(form, given).items() if value}
    return form.shape(filled, me)


def read(kind: Kind, value: Any) -> Any:  # noqa: ANN401 - whatever the field holds
    """What was filled in, as it is sent."""
    if kind is Kind.WORDS:
        return [one for one in re.split(r"[\s,，、;；]+", value or "") if one]
    if kind in {Kind.TEXT, Kind.LONG, Kind.DAY}:
        return (value or "").strip()
    return value
