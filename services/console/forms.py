"""The forms by which a clerk takes a step of a case: which fields, and where they are sent."""

from collections.abc import Callable, Mapping
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
    MEMBER = "member"  # one of the household's members
    WORDS = "words"  # several, one a line
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is the API's; `preset` stands in the form from the beginning."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    choices: Mapping[str, str] = field(default_factory=dict)
    required: bool = True
    preset: Any = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One step; `fixed` goes along with what is filled in, `shape` makes the body of both."""

    path: str
    fields: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    shape: Callable[[dict[str, Any]], dict[str, Any]] = dict


OUTCOMES = {"grant": "符合条件，同意", "refuse": "不符合条件，不同意"}
METHODS = {
    "household_visit": "入户调查",
    "neighbours": "邻里访问",
    "letter": "信函索证",
    "other": "其他方式",
}
SIGNATURES = {"signed": "在场成员已签字", "refused": "在场成员拒绝签字"}
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
    "absent": "已告知，逾期未提出意见",
}
_REASON = Field("reason", "理由", Kind.LONG)
_ON = Field("on", "日期", Kind.DAY)


def _relatives(given: dict[str, Any]) -> dict[str, Any]:
    return {"relatives": [given]}


def _survey(given: dict[str, Any]) -> dict[str, Any]:
    """A refused signature is described in the findings; the API wants it for itself."""
    if given["household_signature"] == "refused":
        given.pop("signed_by", None)
        given["refusal"] = given["findings"][:500]
    return given


def _finding(given: dict[str, Any]) -> dict[str, Any]:
    """The new opinion goes with the last finding; whether it is upheld is said either way."""
    opinion = {name: given.pop(name) for name in ("outcome", "statement") if name in given}
    return {"upheld": False, **given, **({"opinion": opinion} if opinion else {})}


_SURVEY = (
    Field("visited_on", "调查日期", Kind.DAY),
    Field("methods", "调查方式", Kind.MANY, METHODS, preset=["household_visit"]),
    Field(
        "surveyors",
        "调查人员工号",
        Kind.WORDS,
        hint="至少两人，一行一个；其余各人以本人登录后签字",
    ),
    Field("household_signature", "家庭成员签字", Kind.CHOICE, SIGNATURES, preset="signed"),
    Field("signed_by", "签字的成员", Kind.MEMBER, required=False),
    Field("findings", "调查所见", Kind.LONG),
)
_DELIVERY = (
    Field("how", "送达方式", Kind.CHOICE, DELIVERIES, preset="in_person"),
    _ON,
    Field("received_by", "签收人", required=False),
)

DIBAO: Mapping[str, Form] = {
    "submit": Form("submit"),
    "tell": Form("correction-list", hint="系统已列出缺项；告知只能一次。"),
    "complete": Form("correction-done", hint="请先在家庭情况中补签承诺与授权。"),
    "accept": Form(
        "accept",
        (
            Field("area", "城乡类别", Kind.CHOICE, {"urban": "城市", "rural": "农村"}),
            Field("area_reason", "确定的理由", Kind.TEXT),
        ),
        hint="受理后开始计算办理期限。",
    ),
    "declare_relatives": Form(
        "near-relatives",
        (
            Field("member", "家庭成员", Kind.MEMBER),
            Field(
                "of",
                "与谁有近亲属关系",
                Kind.CHOICE,
                {"staff": "低保经办人员", "village_committee": "村（居）委会成员"},
            ),
            Field("relation", "何种亲属"),
            Field("organisation", "所在单位"),
        ),
        shape=_relatives,
    ),
    "complain": Form(
        "complaints",
        (
            Field("received_on", "收到日期", Kind.DAY),
            Field("content", "内容", Kind.LONG, hint="不记举报人"),
        ),
    ),
    "start_check": Form("check"),
    "close_check": Form("check-closed"),
    "disqualify": Form("check-closed"),
    "contest": Form("contest", (_REASON,)),
    "survey": Form("survey", _SURVEY, shape=_survey),
    "sign": Form("survey/sign"),
    "cosign": Form("survey/sign"),
    "opine": Form(
        "opinion",
        (
            Field("outcome", "初审意见", Kind.CHOICE, OUTCOMES),
            Field("statement", "意见", Kind.LONG),
        ),
    ),
    "publicise": Form("publicise", (Field("telephone", "受理异议的电话"),)),
    "object": Form(
        "objections",
        (
            Field("objector", "提出异议的人"),
            Field("content", "异议内容", Kind.LONG),
            Field("handled_by", "处理方式", Kind.CHOICE, HANDLED),
        ),
    ),
    "find": Form(
        "objections/{objection}/finding",
        (
            Field("handled_by", "处理方式", Kind.CHOICE, HANDLED),
            Field("finding", "处理结果", Kind.LONG),
            Field("upheld", "异议成立", Kind.CHECK, required=False),
            Field("outcome", "重新提出的意见", Kind.CHOICE, OUTCOMES),
            Field("statement", "意见", Kind.LONG),
        ),
        shape=_finding,
    ),
    "close_publicity": Form("publicity-closed"),
    "forward": Form("forward"),
    "inspect": Form("survey", _SURVEY, shape=_survey),
    "return_step": Form("return", (_REASON,)),
    "prolong": Form(
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
    ),
    "grant": Form(
        "decide",
        (Field("confirmed", "我已核对测算依据，同意给予最低生活保障", Kind.CHECK),),
        fixed={"outcome": "grant"},
    ),
    "refuse": Form(
        "decide",
        (Field("confirmed", "我已核对测算依据，决定不予确认", Kind.CHECK),),
        fixed={"outcome": "refuse"},
    ),
    "deliver": Form("deliver", _DELIVERY),
    "close": Form("close"),
    "withdraw": Form("withdraw", (Field("reason", "撤回的原因", Kind.LONG, required=False),)),
    "terminate": Form(
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
    ),
    "move": Form("move", (Field("division", "接收的村（社区）代码"), _REASON)),
}

DIBAO_CHANGE: Mapping[str, Form] = {
    "hear": Form(
        "hearing",
        (
            Field("notified_on", "告知日期", Kind.DAY),
            Field("heard_on", "听取日期", Kind.DAY),
            Field("method", "方式", Kind.CHOICE, HEARINGS, preset="in_person"),
            Field("person", "听取了谁的意见", Kind.MEMBER, required=False),
            Field("statement", "意见原话或要点", Kind.LONG),
        ),
    ),
    "decide": Form(
        "decide",
        (Field("reason", "采纳或不采纳意见的理由", Kind.LONG, required=False),),
        hint="金额与起止日期按决定之日的事实、规定与标准算出。",
    ),
    "deliver": Form("deliver", _DELIVERY),
    "close": Form("close"),
    "withdraw": Form("withdraw", (_REASON,)),
}

FORMS: Mapping[str, Mapping[str, Form]] = {"dibao": DIBAO, "dibao_change": DIBAO_CHANGE}


def lacking(form: Form, given: Mapping[str, Any]) -> str:
    """What has to be filled in before the step can be taken; empty when nothing."""
    missing = [one.label for one in form.fields if one.required and not given.get(one.name)]
    return f"请填写：{'、'.join(missing)}。" if missing else ""


def body(form: Form, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent: what was filled in, with what the step says by itself."""
    filled = {one.name: given[one.name] for one in form.fields if given.get(one.name)}
    return form.shape({**form.fixed, **filled})


def read(kind: Kind, value: Any) -> Any:  # noqa: ANN401 - whatever the field holds
    """What was filled in, as it is sent."""
    if kind is Kind.WORDS:
        return [one for line in (value or "").splitlines() if (one := line.strip())]
    if kind in {Kind.TEXT, Kind.LONG, Kind.DAY}:
        return (value or "").strip()
    return value
