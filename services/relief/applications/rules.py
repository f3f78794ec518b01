"""The matter 低保 (最低生活保障审核确认): its table of steps and what each step asks for.

民发〔2021〕57号, 民发〔2022〕83号, 重庆市城乡居民最低生活保障条例(2016) and, from 2026-07-01,
社会救助法(2026); design/law/relief.md §2 and §14. Nothing here reads a database.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from casework.states import Clock, Matter, Party, State, Transition
from chassis.law.standards import version_on
from services.relief.entitlement.articles import LAW_FROM, MEASURES_FROM, ORDINANCE_FROM
from services.relief.parameters.rules import Level

ACCEPT, CHECK, SURVEY = "relief:accept", "relief:check", "relief:survey"
OPINE, DECIDE = "relief:opine", "relief:decide"
SYSTEM = ""
"""The scope of a step that no person takes."""

STATES = (
    State("draft", "草稿", "申请", Party.APPLICANT),
    State("submitted", "已提交", "受理", Party.TOWN),
    State("correcting", "待补正", "补正", Party.APPLICANT),
    State("accepted", "已受理", "调查启动", Party.TOWN),
    State("checking", "核对中", "信息核对", Party.COUNTY),
    State("checked", "已核对", "入户调查", Party.TOWN),
    State("disqualified", "核对不符告知", "核对告知", Party.TOWN),
    State("surveying", "调查待签", "入户调查", Party.TOWN),
    State("surveyed", "已调查", "初审", Party.TOWN),
    State("opined", "已初审", "公示", Party.TOWN),
    State("publicised", "公示中", "公示", Party.TOWN),
    State("objected", "异议处理中", "异议处理", Party.TOWN),
    State("awaiting", "待确认", "审核确认", Party.DECIDER),
    State("granted", "已确认", "送达", Party.TOWN),
    State("refused", "不予确认", "送达", Party.TOWN),
    State("delivered", "已送达", "办结", Party.TOWN),
    State("closed", "已办结", "归档", Party.NOBODY, final=True),
    State("withdrawn", "已撤回", "归档", Party.NOBODY, final=True),
    State("terminated", "已终止", "归档", Party.NOBODY, final=True),
)

UNDER_REVIEW = (
    *("accepted", "checking", "checked", "disqualified", "surveying", "surveyed"),
    *("opined", "publicised", "objected", "awaiting"),
)
"""States between acceptance and decision, while the statutory limit runs."""
UNDECIDED = ("draft", "submitted", "correcting", *UNDER_REVIEW)
POSTED = ("publicised", "objected")
"""States in which an opinion hangs in the village: such a case stays where it is (57号 art. 19)."""
BESIDE_THE_CHECK = ("accepted", "checking")
"""States in which the household may be surveyed while the check has yet to be made or answered."""
RETENTION = "long_term"
"""How long the archive of a case is kept (保管期限: 长期)."""
INVESTIGATORS = frozenset(
    {"accept", "survey", "cosign", "sign", "opine", "answer", "find", "inspect"}
)
"""Whoever accepted, surveyed or gave the first opinion does not decide (57号 art. 2, 16, 19)."""


def _step(  # noqa: PLR0913 - one row of the table; its columns are the table's
    name: str,
    title: str,
    sources: Iterable[str],
    target: str,
    scope: str,
    event: str,
    article: str,
    *,
    clock: Clock = Clock.NONE,
    apart_from: frozenset[str] = frozenset(),
    needs_reason: bool = False,
) -> Transition:
    return Transition(
        name=name,
        title=title,
        sources=frozenset(sources),
        target=target,
        scope=scope,
        event=event,
        article=article,
        clock=clock,
        apart_from=apart_from,
        needs_reason=needs_reason,
    )


_57 = "民发〔2021〕57号"
_ORDINANCE = "重庆市城乡居民最低生活保障条例(2016)"

DIBAO = Matter(
    code="dibao",
    title="最低生活保障审核确认",
    short="DB",
    initial="draft",
    states=STATES,
    transitions=(
        _step("open", "登记申请", (), "draft", ACCEPT, "opened", f"{_57}第四条"),
        _step("submit", "提交申请", ("draft",), "submitted", ACCEPT, "submitted", f"{_57}第四条"),
        _step("tell", "一次性告知补正", ("submitted",), "correcting", ACCEPT, "told",
              f"{_57}第十条"),
        _step("complete", "收到补正材料", ("correcting",), "submitted", ACCEPT, "submitted",
              f"{_57}第十条"),
        _step("accept", "受理", ("submitted",), "accepted", ACCEPT, "accepted",
              f"{_57}第十条", clock=Clock.START),
        _step("declare_relatives", "近亲属备案", UNDER_REVIEW, "", ACCEPT, "declared",
              f"{_57}第十一条；{_ORDINANCE}第三十三条"),
        _step("change_applicant", "变更申请人",
              ("draft", "submitted", "correcting", *UNDER_REVIEW), "", ACCEPT, "noted",
              f"{_57}第四条"),
        _step("complain", "登记投诉举报", UNDER_REVIEW, "", ACCEPT, "noted", f"{_57}第二十条"),
        _step("note_late", "收到迟到的核对答复",
              (*UNDER_REVIEW, "granted", "refused", "delivered"), "", CHECK, "noted",
              f"{_57}第十七条"),
        _step("start_check", "提请信息核对", ("accepted", "checked", "surveyed"), "checking",
              CHECK, "noted", f"{_57}第十五条、第十七条"),
        _step("close_check", "核对完成", ("checking",), "checked", CHECK, "checked",
              f"{_57}第十七条"),
        _step("close_check_surveyed", "核对完成，调查已签齐", ("checking",), "surveyed", CHECK,
              "checked", f"{_57}第十五条、第十七条"),
        _step("disqualify", "告知核对不符", ("checking",), "disqualified", CHECK, "checked",
              f"{_57}第十八条"),
        _step("contest", "对核对结果提出异议", ("disqualified",), "checking", ACCEPT, "noted",
              f"{_57}第十八条", needs_reason=True),
        _step("survey", "入户调查",
              ("checked", "disqualified", "surveying", "surveyed", "objected"), "surveying",
              SURVEY, "noted", f"{_57}第十六条"),
        _step("survey", "入户调查", BESIDE_THE_CHECK, "", SURVEY, "noted",
              f"{_57}第十五条、第十六条"),
        _step("withdraw_survey", "撤回未签齐的调查记录",
              (*BESIDE_THE_CHECK, "checked", "surveying", "awaiting"), "", SURVEY, "noted",
              f"{_57}第十六条", needs_reason=True),
        _step("cosign", "调查人员签字", (*BESIDE_THE_CHECK, "checked", "surveying"), "", SURVEY,
              "noted", f"{_57}第十六条"),
        _step("sign", "调查人员签齐", ("checked", "surveying"), "surveyed", SURVEY, "surveyed",
              f"{_57}第十六条"),
        _step("sign", "调查人员签齐", BESIDE_THE_CHECK, "", SURVEY, "surveyed",
              f"{_57}第十五条、第十六条"),
        _step("convene", "组织群众评议", ("surveyed", "disqualified"), "", OPINE, "noted",
              f"{_ORDINANCE}第十八条、第十九条", clock=Clock.SUSPEND),
        _step("record_appraisal", "记录群众评议", ("surveyed", "disqualified"), "", OPINE,
              "noted", f"{_ORDINANCE}第十八条、第十九条", clock=Clock.RESUME),
        _step("opine", "提出初审意见", ("surveyed", "disqualified"), "opined", OPINE, "opined",
              f"{_57}第十九条"),
        _step("publicise", "公示初审意见", ("opined",), "publicised", OPINE, "publicised",
              f"{_57}第十九条", clock=Clock.SUSPEND),
        _step("retract", "撤回初审意见", ("opined", "publicised"), "surveyed", OPINE, "noted",
              f"{_57}第十九条", clock=Clock.RESUME, needs_reason=True),
        _step("retract_disqualified", "撤回核对不符的初审意见", ("opined", "publicised"),
              "disqualified", OPINE, "noted", f"{_57}第十八条、第十九条", clock=Clock.RESUME,
              needs_reason=True),
        _step("object", "登记异议", ("publicised", "objected"), "objected", OPINE, "objected",
              f"{_57}第十九条", clock=Clock.RESUME),
        _step("appraise", "组织民主评议", ("objected",), "", OPINE, "noted",
              f"{_57}第十九条；{_ORDINANCE}第十八条", clock=Clock.SUSPEND),
        _step("answer", "处理异议", ("objected", "surveyed"), "", OPINE, "noted",
              f"{_57}第十九条"),
        _step("find", "处理异议并重新提出初审意见", ("objected", "surveyed"), "opined", OPINE,
              "opined", f"{_57}第十九条；{_ORDINANCE}第十八条", clock=Clock.RESUME),
        _step("close_publicity", "公示期满报送", ("publicised",), "awaiting", OPINE,
              "forwarded", f"{_57}第十九条", clock=Clock.RESUME),
        _step("forward", "报送审核确认", ("opined",), "awaiting", OPINE, "forwarded",
              f"{_57}第十九条"),
        _step("inspect", "民政部门入户调查", ("awaiting",), "", SURVEY, "surveyed",
              f"{_57}第二十条"),
        _step("return_step", "退回重新调查", ("awaiting",), "checked", DECIDE, "returned",
              f"{_57}第二十条", needs_reason=True),
        _step("reassign", "审核确认机关变更", UNDER_REVIEW, "", SYSTEM, "noted",
              f"民发〔2022〕83号四（一）；{_57}第二条；社会救助法第四十四条", needs_reason=True),
        _step("prolong", "延长办理期限", UNDER_REVIEW, "", DECIDE, "prolonged",
              f"{_57}第二十二条；民发〔2022〕83号四（一）", needs_reason=True),
        _step("grant", "确认同意", ("awaiting",), "granted", DECIDE, "decided",
              f"{_57}第二十一条", clock=Clock.STOP, apart_from=INVESTIGATORS),
        _step("refuse", "不予确认", ("awaiting",), "refused", DECIDE, "decided",
              f"{_57}第二十一条", clock=Clock.STOP, apart_from=INVESTIGATORS),
        _step("deliver", "送达", ("granted", "refused"), "delivered", ACCEPT, "delivered",
              f"{_57}第二十一条"),
        _step("close", "办结归档", ("delivered",), "closed", ACCEPT, "closed",
              f"{_ORDINANCE}第三十一条"),
        _step("withdraw", "申请人撤回", UNDECIDED, "withdrawn", ACCEPT, "withdrawn",
              f"{_57}第四条", clock=Clock.STOP),
        _step("lapse", "草稿逾期未提交", ("draft",), "withdrawn", SYSTEM, "withdrawn",
              "本系统运行约定", clock=Clock.STOP, needs_reason=True),
        _step("terminate", "终止审核确认", ("submitted", "correcting", *UNDER_REVIEW),
              "terminated", ACCEPT, "terminated", f"{_57}第二十九条", clock=Clock.STOP,
              needs_reason=True),
        _step("move", "移交其他镇街",
              tuple(one for one in UNDECIDED if one not in POSTED), "", DECIDE, "moved",
              f"{_57}第五条", needs_reason=True),
        _step("hand_over", "随待遇移交", ("granted", "delivered", "closed"), "", "", "moved",
              f"{_ORDINANCE}第三十一条"),
    ),
)  # fmt: skip


class Outcome(StrEnum):
    """What is decided."""

    GRANT = "grant"
    REFUSE = "refuse"


class Prolongation(StrEnum):
    """Why the special limit may be used (民发〔2022〕83号 4(1))."""

    OBJECTION = "objection"  # 公示有异议
    SEPARATE_RESIDENCE = "separate_residence"  # 人户分离
    APPLIED_ELSEWHERE = "applied_elsewhere"  # 异地申办
    HARD_SURVEY = "hard_survey"  # 家庭经济状况调查难度较大


class TerminationGround(StrEnum):
    """Why a procedure ends without a decision."""

    UNCOOPERATIVE = "uncooperative"  # 无正当理由拒不配合 (57号 art. 29)
    DECEASED = "deceased"  # the single applicant died
    MOVED_AWAY = "moved_away"  # the household moved out of the district


class SurveyMethod(StrEnum):
    """How a household is surveyed (57号 art. 16)."""

    HOUSEHOLD_VISIT = "household_visit"  # 入户调查
    NEIGHBOURS = "neighbours"  # 邻里访问
    LETTER = "letter"  # 信函索证
    OTHER = "other"  # 其他调查方式
    PHONE = "phone"  # 电话
    VIDEO = "video"  # 视频


WITHOUT_CONTACT = frozenset({SurveyMethod.PHONE, SurveyMethod.VIDEO})
LEAST_SURVEYORS = 2


class HouseholdSignature(StrEnum):
    """Whether a member who was present signed the survey."""

    SIGNED = "signed"
    REFUSED = "refused"
    WITHOUT_CONTACT = "without_contact"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step cannot be taken: `pointer` into the request where it is the request's fault."""

    code: str
    detail: str
    pointer: str = ""


def survey_fault(
    surveyors: Sequence[str],
    recorder: str,
    methods: Collection[SurveyMethod],
    signature: HouseholdSignature,
    *,
    emergency: bool,
) -> Refusal | None:
    """What is wrong with a survey as recorded (57号 art. 16): two at least, visits signed."""
    if len(set(surveyors)) < LEAST_SURVEYORS or len(set(surveyors)) != len(surveyors):
        return Refusal("surveyors", "每组调查人员不得少于 2 人，且不得重复", "/surveyors")
    if recorder not in surveyors:
        return Refusal("surveyors", "调查记录须由调查人员之一登记并签字", "/surveyors")
    if WITHOUT_CONTACT.intersection(methods) and not emergency:
        return Refusal("emergency", "仅在发生重大突发事件时可以采取非接触方式调查", "/methods")
    visited = SurveyMethod.HOUSEHOLD_VISIT in methods
    if visited == (signature is HouseholdSignature.WITHOUT_CONTACT):
        return Refusal(
            "signature",
            "入户调查须有在场家庭成员签字或注明拒签；未入户的注明非接触",
            "/household_signature",
        )
    if not visited and not emergency:
        return Refusal("visit", "须入户调查；仅重大突发事件时可以其他方式代替", "/methods")
    return None


def opinion_fault(
    outcome: Outcome, assessed: Outcome | None, *, disqualified: bool, objection_open: bool
) -> Refusal | None:
    """Why a first opinion cannot be given: it follows the rules' assessment of the day."""
    if objection_open:
        return Refusal("objection-open", "公示异议尚未处理，请在处理异议时重新提出初审意见")
    if assessed is None:
        return Refusal("undecided", "尚有缺失或待人工认定的事项，不能提出初审意见")
    if outcome is not assessed:
        return Refusal("contradicts-rules", "初审意见与按规定测算的结果不一致", "/outcome")
    if disqualified and outcome is Outcome.GRANT:
        return Refusal("disqualified", "核对不符且未经复查，不能提出符合条件的初审意见", "/outcome")
    return None


def may_forward(
    outcome: Outcome, *, refusals_posted: bool, after_objection: bool, again_days: int
) -> Refusal | None:
    """Whether an opinion goes to the decider without publicity.

    Neither 57号 art. 19 nor the ordinance art. 18 excepts a negative one: `refusals_posted`. After
    an objection was handled 57号 asks for no second publicity, the ordinance for three days:
    `again_days`.
    """
    posted = outcome is Outcome.GRANT or refusals_posted
    if not posted or (after_objection and again_days == 0):
        return None
    return Refusal("publicity-required", "初审意见须经公示期满后报送")


def publicity_fault(outcome: Outcome, *, refusals_posted: bool) -> Refusal | None:
    """Why an opinion is not posted: nothing hangs in a village that no text asks to."""
    if outcome is Outcome.REFUSE and not refusals_posted:
        return Refusal("not-posted", "不符合条件的初审意见不公示，请直接报送审核确认")
    return None


def survey_stands(taken: Iterable[str]) -> bool:
    """Whether the household has been surveyed and nobody's signature is waited for.

    `taken` are the steps in order. A return asks for a new survey (57号 art. 20); one that was
    withdrawn leaves the one before it standing.
    """
    whole, waiting = False, False
    for name in taken:
        if name == "return_step":
            whole, waiting = False, False
        elif name == "survey":
            waiting = True
        elif name == "sign":
            whole, waiting = True, False
        elif name == "withdraw_survey":
            waiting = False
    return whole and not waiting


def checked_against(taken: Iterable[str]) -> bool:
    """Whether a check stood against the household and neither survey nor recheck came since."""
    told = [name for name in taken if name in _LOOKED_AT]
    return told[-1:] == ["disqualify"]


_LOOKED_AT = frozenset({"disqualify", "sign", "close_check", "close_check_surveyed"})


def community_fault(taken: Iterable[tuple[str, bool]]) -> Refusal | None:
    """Why the community's appraisal (群众评议) does not let an opinion be given (条例 art. 18(2)).

    `taken` are the steps in order, each with whether the appraisal that it records was disputed.
    """
    held, disputed = False, False
    for name, is_disputed in taken:
        if name == "record_appraisal":
            held, disputed = True, is_disputed
        elif name == "sign":
            disputed = False
    if not held:
        return Refusal("appraisal-missing", "调查核实后须先组织群众评议并记录，再提出初审意见")
    if disputed:
        return Refusal("appraisal-disputed", "群众评议争议较大的，应当重新调查核实")
    return None


def publicity_days(*, after_objection: bool, days: int, again_days: int) -> int:
    """For how long an opinion is posted; 0: it is not posted again."""
    return again_days if after_objection else days


def prolongation_fault(
    reason: Prolongation, flags: Collection[str], already: str
) -> Refusal | None:
    """Why the limit cannot be prolonged (民发〔2022〕83号 4(1)): once, on a ground of the list."""
    if already:
        return Refusal("prolonged", "办理期限已延长过一次")
    if reason is Prolongation.OBJECTION and "objection" not in flags:
        return Refusal("no-objection", "本件公示没有异议，不能以此延长", "/ground")
    if reason is Prolongation.SEPARATE_RESIDENCE and "separate_residence" not in flags:
        return Refusal("same-residence", "家庭成员户籍所在地与经常居住地一致", "/ground")
    if reason is Prolongation.APPLIED_ELSEWHERE and "applied_elsewhere" not in flags:
        return Refusal("applied-here", "本件在户籍所在地申办", "/ground")
    return None


def inspection_required(flags: Collection[str]) -> bool:
    """Whether the bureau itself must survey before the decision (57号 art. 20)."""
    return bool({"near_relative", "complaint"}.intersection(flags))


def competent(level: Level, *, holds_county: bool, holds_town: bool) -> bool:
    """Whether the caller's organ is the one that decides (57号 art. 2; 社会救助法 art. 44)."""
    if level is Level.COUNTY:
        return holds_county
    return holds_town and not holds_county


def decided_by_rules(outcome: str) -> Outcome | None:
    """What the rules' assessment leads to; None while something is missing or must be judged."""
    return {
        "entitled": Outcome.GRANT,
        "alone": Outcome.GRANT,
        "edge": Outcome.REFUSE,
        "not_entitled": Outcome.REFUSE,
    }.get(outcome)


def termination_fault(ground: TerminationGround, members: int) -> Refusal | None:
    """A death ends the procedure only where the applicant was alone."""
    if ground is TerminationGround.DECEASED and members > 1:
        return Refusal("members-left", "家庭尚有其他成员，请变更申请人或成员后继续办理", "/ground")
    return None


def appraisal_fault(
    received_on: date, held_on: date | None, participants: int, today: date
) -> Refusal | None:
    """What is wrong with a democratic appraisal (民主评议) of an objection, as recorded."""
    if held_on is None:
        return Refusal("appraisal", "民主评议须有评议记录", "/appraisal")
    if not received_on < held_on <= today:
        return Refusal(
            "appraisal", "评议日期应在登记异议之日以后、今天以前（含今天）", "/appraisal/held_on"
        )
    return _few(participants, "/appraisal/participants")


def convened_fault(
    convened_on: date | None, held_on: date, participants: int, today: date
) -> Refusal | None:
    """What is wrong with the community's appraisal (群众评议, 条例 art. 18(2)), as recorded."""
    if convened_on is None:
        return Refusal("not-convened", "请先登记组织群众评议")
    if not convened_on <= held_on <= today:
        return Refusal("appraisal", "评议日期应在组织之日至今天之间", "/held_on")
    return _few(participants, "/participants")


def _few(participants: int, pointer: str) -> Refusal | None:
    if participants < LEAST_APPRAISERS:
        return Refusal("appraisal", f"参加评议的不得少于 {LEAST_APPRAISERS} 人", pointer)
    return None


LEAST_APPRAISERS = 3


def on_same_facts(kept: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether two assessments by one law stand on the same: who, how much and what failed.

    `now` is made of today's facts by the law, the standard and the ages of the day of `kept`, so
    that what differs comes of facts alone. Wordings are left out.
    """
    return _substance(kept) == _substance(now)


def _substance(told: Mapping[str, Any]) -> tuple[Any, ...]:
    """What an assessment, as the calculator tells it, comes to."""
    return (
        told["outcome"],
        told["income"]["total"],
        told["base"],
        told["total"],
        sorted((one["ref"], one["counted"]) for one in told["members"]),
        sorted((one["member"], one["category"], one["amount"]) for one in told["extras"]),
        sorted(
            (one["member"], one["path"], one["amount"], one["extras"])
            for one in told["alone"]
            if one["asked"]
        ),
        sorted(
            (one["code"], one["member"] or "", str(one["passed"])) for one in told["conditions"]
        ),
    )


def applicant_fault(*, present: bool, minor: bool, adults: bool, left: bool) -> Refusal | None:
    """Why a member cannot become the applicant: only after the first one left, an adult before."""
    if not left:
        return Refusal("applicant", "申请人仍是家庭成员，无须变更")
    if not present:
        return Refusal("applicant", "不是该家庭现有成员", "/member")
    if minor and adults:
        return Refusal("applicant", "家庭有成年成员的，由成年成员作为申请人", "/member")
    return None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a member is registered and lives, as 12-digit codes; None: as where they apply."""

    ref: str
    domicile: str | None
    residence: str | None


@dataclass(frozen=True, slots=True)
class PlaceOfApplication:
    """On which ground a town takes an application; `basis` "" where it may not."""

    basis: str
    article: str
    detail: str


def place_of_application(
    members: Sequence[Placed], own: Collection[str], day: date, *, residence_permit: bool
) -> PlaceOfApplication:
    """Whether a household may apply at the town whose codes are `own` (57号 4, 5; 法 37).

    Codes of other provinces stand in no register of ours, so provinces are told by the first two
    digits. Where members are registered in several provinces, it is the domicile of one who lives
    where registered, if there is such a member; else any member's domicile.
    """
    article = version_on(_WHERE, day).article
    here = [one for one in members if one.domicile is None or one.domicile in own]
    provinces = {one.domicile[:2] if one.domicile else _province(own) for one in members}
    settled = [one for one in members if _settled(one)]
    if here and len(provinces) > 1 and settled and not any(one in settled for one in here):
        return PlaceOfApplication(
            "",
            f"{_57}第五条",
            "成员户籍不在同一省份的，由户籍地与经常居住地一致的成员在其户籍地申请",
        )
    if here:
        several = len(provinces) > 1
        return PlaceOfApplication(
            "several_provinces" if several else "domicile",
            f"{_57}第五条" if several else article,
            "",
        )
    if residence_permit and any(one.residence in own for one in members):
        return PlaceOfApplication("residence_permit", article, "")
    return PlaceOfApplication("", article, "应向家庭成员户籍所在地的镇街提出申请")


@dataclass(frozen=True, slots=True)
class _Where:
    valid_from: date
    article: str


_WHERE = (
    _Where(ORDINANCE_FROM, f"{_ORDINANCE}第十四条"),
    _Where(MEASURES_FROM, f"{_57}第四条"),
    _Where(LAW_FROM, "社会救助法第三十七条"),
)


def _province(own: Collection[str]) -> str:
    return next(iter(own))[:2] if own else ""


def _settled(member: Placed) -> bool:
    return member.residence is None or member.residence == member.domicile


def separated(members: Iterable[Placed]) -> bool:
    """Whether a member lives elsewhere than where registered (人户分离)."""
    return any(not _settled(one) for one in members)


def law_basis(day: date) -> Mapping[str, str]:
    """The articles that a document of the day cites (relief.md §1: map from 办法 to 法)."""
    return version_on(_BASES, day).articles


@dataclass(frozen=True, slots=True)
class _Basis:
    valid_from: date
    articles: Mapping[str, str]


_BASES = (
    _Basis(
        ORDINANCE_FROM,
        {
            "accept": f"《社会救助暂行办法》第十一条，{_ORDINANCE}第十七条",
            "materials": f"{_ORDINANCE}第十七条",
            "check": f"{_ORDINANCE}第十八条、第二十七条",
            "publicity": f"《社会救助暂行办法》第十一条，{_ORDINANCE}第十八条",
            "grant": f"《社会救助暂行办法》第九条、第十一条，{_ORDINANCE}第十八条",
            "refuse": f"《社会救助暂行办法》第十一条，{_ORDINANCE}第十八条",
            "terminate": "《社会救助暂行办法》第五十九条",
            "withdraw": f"{_ORDINANCE}第十四条",
            "remedy": "《社会救助暂行办法》第六十五条",
        },
    ),
    _Basis(
        MEASURES_FROM,
        {
            "accept": f"《社会救助暂行办法》第十一条，{_57}第十条",
            "materials": f"{_57}第十条",
            "check": f"{_57}第十七条、第十八条",
            "publicity": f"《社会救助暂行办法》第十一条，{_57}第十九条",
            "grant": f"《社会救助暂行办法》第九条、第十一条，{_57}第二十一条",
            "refuse": f"《社会救助暂行办法》第十一条，{_57}第二十一条",
            "terminate": f"{_57}第二十九条",
            "withdraw": f"{_57}第四条",
            "remedy": "《社会救助暂行办法》第六十五条",
        },
    ),
    _Basis(
        LAW_FROM,
        {
            "accept": f"《社会救助法》第三十七条、第四十三条，{_57}第十条",
            "materials": f"《社会救助法》第六十二条，{_57}第十条",
            "check": f"《社会救助法》第四十一条、第四十二条，{_57}第十八条",
            "publicity": f"《社会救助法》第四十四条，{_57}第十九条",
            "grant": f"《社会救助法》第十八条、第四十四条、第四十五条，{_57}第二十一条",
            "refuse": f"《社会救助法》第四十四条、第四十五条，{_57}第二十一条",
            "terminate": f"《社会救助法》第四十三条，{_57}第二十九条",
            "withdraw": f"《社会救助法》第三十七条，{_57}第四条",
            "remedy": "《社会救助法》第七十六条",
        },
    ),
)

REVIEW_LAW_2023 = date(2024, 1, 1)
"""行政复议法(2023) art. 90."""
CITY_BUREAU = "重庆市民政局"
"""The department above every county's bureau (条例(2016) art. 5): 行政复议法(2017) art. 12."""


def remedies(day: date, level: Level, county: str) -> list[str]:
    """What a person may do against a decision: term and organ, each with its article.

    Review: 行政复议法(2023) art. 20, 24; before it art. 9, 12, 13, 15 of the law of 2017. Suit:
    行政诉讼法 art. 14, 18, 46.
    """
    government = f"{county}人民政府"
    if day >= REVIEW_LAW_2023:
        organ, article = government, "第二十条、第二十四条"
    elif level is Level.TOWN:
        organ, article = government, "第九条、第十三条、第十五条"
    else:
        organ, article = f"{government}或者{CITY_BUREAU}", "第九条、第十二条"
    return [
        f"可以自知道本决定之日起六十日内向{organ}申请行政复议（《行政复议法》{article}）",
        (
            "也可以自知道本决定之日起六个月内向作出决定的机关所在地的基层人民法院提起行政诉讼"
            "（《行政诉讼法》第四十六条）"
        ),
    ]
