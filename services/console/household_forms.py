"""The forms by which a household's facts are recorded: of the whole family, or of one member."""

from typing import Any

from services.console import case_words, forms
from services.console.dossier import Member
from services.console.forms import NO, TODAY, YES, Field, Form, Kind, Of

NONE = "none"
"""No paper, no disability: what is sent is null."""

_SOURCES = {code: said for code, said in case_words.FACT_SOURCES.items() if code != "checked"}
_SINCE = Field("valid_from", "自哪一天起", Kind.DAY, preset=TODAY)
_SOURCE = Field("source", "来源", Kind.CHOICE, _SOURCES, preset="declared")
_NOTE = Field("reason", "说明", Kind.LONG, required=False, hint="加密保存")
_IN_AREA = frozenset({"dwelling", "premises"})
_KINDS_OF_PROPERTY = case_words.PROPERTIES | {"other": "债权、林木等其他财产"}

Body = dict[str, Any]


def of_family() -> list[Form]:
    """What is recorded of the household as a whole."""
    return [ADD_MEMBER, _property(None), CONSUMPTION, ADDRESS, ADD_SUPPORTER, EDGE_PROPERTY]


def of_member(one: Member) -> list[Form]:
    """What is recorded of one member, with what stands now filled in."""
    now = one.situation
    return [
        _income(one),
        _property(one),
        _disability(one, now),
        _situation(one, "登记健康状况", "health", (
            _flag("severe_illness", "重特大疾病", now),
            _flag("bedridden", "长期卧床", now),
        )),
        _situation(one, "登记劳动能力和就业", "work", (
            _choice("work_capacity", "劳动能力", case_words.CAPACITIES, now),
            _flag("employed", "就业", now),
            Field(
                "employed_since",
                "现就业的起始日",
                Kind.DAY,
                required=False,
                preset=now.get("employed_since"),
                hint="就业的填写，必要就业成本自该月起扣减",
            ),
        )),
        _situation(one, "登记就学", "education", (
            _choice("education", "就学阶段", case_words.EDUCATIONS, now),
            _flag("full_time", "全日制", now),
        )),
        _situation(one, "登记共同生活和义务", "living", (
            _flag("independent", "成年且能独立生活", now),
            _flag("lives_together", "共同生活", now),
            _flag("legal_duty", "有法定赡养、抚养、扶养义务关系", now),
        )),
        _situation(one, "登记单独申请、特殊困难", "request", (
            _flag("alone", "申请单独纳入", now),
            _flag("special_hardship", "经认定的特殊困难", now),
        )),
        _leave(one),
        _authorise(one),
    ]  # fmt: skip


def withdrawal(fact_id: str) -> Form:
    """Of one fact that was recorded by mistake; what is right is recorded anew."""
    return Form(
        "撤销这项记载",
        f"facts/{fact_id}/correction",
        (Field("reason", "撤销的理由", Kind.LONG),),
        hint="登记有误的，撤销后重新登记；原记载保留备查。",
    )


def of_supporter(supporter_id: str) -> list[Form]:
    """Of a supporter outside: what they earn, and their consent (社会救助法 art. 41)."""
    return [_support(supporter_id), _consent(supporter_id)]


def _support(supporter_id: str) -> Form:
    def shape(given: Body, _: str) -> Body:
        counted = forms.counted(forms.counted(given, "persons"), "owed")
        return {"fact": "support", "supporter": supporter_id, **counted}

    return Form(
        "登记义务人的收入",
        "facts",
        (
            Field("member", "受供养的成员", Kind.CHOICE, Of.MEMBERS),
            Field("income", "义务人家庭月收入（元）", hint="如：8000.00"),
            Field("persons", "义务人家庭人数"),
            Field("owed", "由其供养的人数（含该成员）", preset="1"),
            Field("disregarded", "经认定不计入的供养费", Kind.CHECK, required=False),
            _SINCE,
            _SOURCE,
            _NOTE,
        ),
        shape=shape,
    )


def _consent(supporter_id: str) -> Form:
    return Form(
        "登记同意核对",
        f"supporters/{supporter_id}/consent",
        (
            Field("consented_on", "书面同意之日", Kind.DAY, preset=TODAY),
            Field("consent_document", "同意书的名称", preset="核对同意书"),
        ),
    )


def _flag(name: str, label: str, now: Body) -> Field:
    return Field(name, label, Kind.CHECK, required=False, preset=bool(now.get(name)))


def _choice(name: str, label: str, choices: dict[str, str], now: Body) -> Field:
    return Field(name, label, Kind.CHOICE, choices, preset=now.get(name))


def _situation(one: Member, title: str, fact: str, fields: tuple[Field, ...]) -> Form:
    """A situation is told whole: what is not ticked is told as not so."""
    flags = [each.name for each in fields if each.kind is Kind.CHECK]

    def shape(given: Body, _: str) -> Body:
        told = {name: bool(given.get(name)) for name in flags}
        return _employed({"fact": fact, "member": str(one.id), **given, **told})

    return Form(title, "facts", (*fields, _SINCE, _SOURCE), shape=shape)


def _employed(told: Body) -> Body:
    """Who does not work has no day since when."""
    if not told.get("employed"):
        told.pop("employed_since", None)
    return told


def _disability(one: Member, now: Body) -> Form:
    stands = now.get("disability") or {}
    kinds = {NONE: "没有残疾"} | case_words.DISABILITIES

    def shape(given: Body, _: str) -> Body:
        kind, grade = given.pop("kind"), given.pop("grade", "")
        disability = None if kind == NONE else {"kind": kind, "grade": int(grade)}
        return {"fact": "disability", "member": str(one.id), **given, "disability": disability}

    return Form(
        "登记残疾",
        "facts",
        (
            Field("kind", "残疾类别", Kind.CHOICE, kinds, preset=stands.get("kind", NONE)),
            Field(
                "grade",
                "等级",
                Kind.CHOICE,
                {str(grade): f"{grade}级" for grade in range(1, 5)},
                preset=str(stands.get("grade", "")) or None,
                when=("kind", frozenset(case_words.DISABILITIES)),
            ),
            _SINCE,
            _SOURCE,
        ),
        hint="以残疾人证所载为准。",
        shape=shape,
    )


def _income(one: Member) -> Form:
    def shape(given: Body, _: str) -> Body:
        counted = forms.counted(given, "months")
        return {"fact": "income", "member": str(one.id), **counted}

    return Form(
        "登记收入",
        "facts",
        (
            Field("kind", "项目", Kind.CHOICE, case_words.INCOMES),
            Field("amount", "所属各月合计（元）", hint="如：3000.00"),
            Field("first_month", "首月", Kind.DAY, hint="填该月任一天"),
            Field("months", "共几个月", preset="1"),
            _SOURCE,
            _NOTE,
        ),
        shape=shape,
    )


def _property(one: Member | None) -> Form:
    """Of a member; without one, of the family together."""

    def shape(given: Body, _: str) -> Body:
        owner = {} if one is None else {"member": str(one.id)}
        return {"fact": "property", **owner, **forms.decided(given, "judged")}

    return Form(
        "登记家庭共有财产" if one is None else "登记财产",
        "facts",
        (
            Field("kind", "种类", Kind.CHOICE, _KINDS_OF_PROPERTY),
            Field(
                "amount",
                "价值（元）",
                required=False,
                when=("kind", frozenset(_KINDS_OF_PROPERTY) - _IN_AREA),
            ),
            Field("area", "面积（平方米）", required=False, when=("kind", _IN_AREA)),
            Field("essential", "维持生产生活的必需财产", Kind.CHECK, required=False),
            Field(
                "disability_vehicle",
                "残疾人功能性补偿代步车",
                Kind.CHECK,
                required=False,
                when=("kind", frozenset({"vehicle"})),
            ),
            _JUDGED,
            _SINCE,
            _SOURCE,
            _NOTE,
        ),
        shape=shape,
    )


_JUDGED = Field(
    "judged",
    "人工认定",
    Kind.CHOICE,
    {YES: "不影响资格", NO: "影响资格"},
    required=False,
    hint="作出认定的，在说明中写明理由",
)


def _leave(one: Member) -> Form:
    return Form(
        "登记离开家庭",
        f"members/{one.id}/leave",
        (
            Field("reason", "原因", Kind.CHOICE, case_words.LEFT),
            Field("left_on", "自哪一天起", Kind.DAY, preset=TODAY, hint="死亡的，填死亡之日"),
        ),
        hint="自该日起不再是家庭成员，此前的记载保留。",
    )


def _authorise(one: Member) -> Form:
    return Form(
        "登记承诺与授权",
        f"members/{one.id}/authorisation",
        (
            Field("truth_committed", "已签真实性承诺", Kind.CHECK, required=False),
            Field("check_authorised", "已签核对授权", Kind.CHECK, required=False),
            _AUTHORISATION,
        ),
        hint="按今天签署登记。",
        shape=lambda given, _: _authorised(given),
    )


_AUTHORISATION = Field("authorisation", "授权书的名称", required=False, preset="核对授权书")


def _authorised(given: Body) -> Body:
    """The name of an authorisation goes along with one alone."""
    if not given.get("check_authorised"):
        given.pop("authorisation", None)
    return given


def _documented(given: Body) -> Body:
    """Who has no paper has no number either."""
    kind, number = given.pop("document_kind"), given.pop("document_number", None)
    paper = {"document_kind": None} if kind == NONE else {
        "document_kind": kind, "document_number": number,
    }  # fmt: skip
    return given | paper


def _member(given: Body, _: str) -> Body:
    kind, grade = given.pop("disability", NONE), given.pop("grade", "")
    disability = {} if kind == NONE else {"disability": {"kind": kind, "grade": int(grade)}}
    by_self = {"independent": bool(given.get("independent"))}
    return _authorised(_documented(given)) | disability | by_self


_PERSON = (
    Field("name", "姓名"),
    Field(
        "document_kind",
        "证件",
        Kind.CHOICE,
        case_words.PAPERS | {NONE: "没有证件"},
        preset="resident_id",
    ),
    Field("document_number", "证件号码", when=("document_kind", frozenset(case_words.PAPERS))),
)
_OTHERS = {code: said for code, said in case_words.RELATIONS.items() if code != "self"}
ADD_MEMBER = Form(
    "登记新成员",
    "members",
    (
        *_PERSON,
        Field("relation", "与申请人的关系", Kind.CHOICE, _OTHERS),
        Field("born", "出生日期", Kind.DAY),
        Field(
            "sex",
            "性别",
            Kind.CHOICE,
            {"male": "男", "female": "女"},
            required=False,
            hint="有身份证的以号码为准",
        ),
        Field("phone", "电话", required=False),
        Field("join_reason", "怎样成为成员", Kind.CHOICE, case_words.JOINED),
        Field("joined_on", "自哪一天起", Kind.DAY, preset=TODAY),
        Field("education", "就学", Kind.CHOICE, case_words.EDUCATIONS, preset="none"),
        Field(
            "disability",
            "残疾",
            Kind.CHOICE,
            {NONE: "没有残疾"} | case_words.DISABILITIES,
            preset=NONE,
        ),
        Field(
            "grade",
            "残疾等级",
            Kind.CHOICE,
            {str(grade): f"{grade}级" for grade in range(1, 5)},
            when=("disability", frozenset(case_words.DISABILITIES)),
        ),
        Field("work_capacity", "劳动能力", Kind.CHOICE, case_words.CAPACITIES, preset="full"),
        Field("employed", "就业", Kind.CHECK, required=False),
        Field("severe_illness", "重特大疾病", Kind.CHECK, required=False),
        Field("independent", "成年且能独立生活", Kind.CHECK, required=False),
        Field("truth_committed", "已签真实性承诺", Kind.CHECK, required=False),
        Field("check_authorised", "已签核对授权", Kind.CHECK, required=False),
        _AUTHORISATION,
    ),
    hint="收入、财产在登记成员之后，在该成员的页面上登记。",
    shape=_member,
)
CONSUMPTION = Form(
    "登记消费情形",
    "facts",
    (
        Field("kind", "情形", Kind.CHOICE, case_words.CONSUMPTIONS),
        Field("on", "发生之日", Kind.DAY, required=False),
        Field("amount", "金额（元）", required=False),
        _JUDGED,
        _SINCE,
        _SOURCE,
        _NOTE,
    ),
    shape=lambda given, _: {"fact": "consumption", **forms.decided(given, "judged")},
)
ADDRESS = Form(
    "变更住址",
    "facts",
    (Field("address", "居住地址", hint="加密保存"), _SINCE, _SOURCE),
    hint="迁往其他镇街的，另办移交。",
    shape=lambda given, _: {"fact": "address", **given},
)
ADD_SUPPORTER = Form(
    "登记家庭以外的义务人",
    "supporters",
    (
        *_PERSON,
        Field("relation", "与申请人的关系", Kind.CHOICE, _OTHERS),
        Field("consented_on", "书面同意核对之日", Kind.DAY, required=False),
        Field(
            "consent_document",
            "同意书的名称",
            required=False,
            hint="与同意之日一并填写；同意后才可核对",
        ),
    ),
    hint="法定赡养、抚养、扶养义务人（社会救助法第四十一条）。",
    shape=lambda given, _: _documented(given),
)
EDGE_PROPERTY = Form(
    "登记低保边缘家庭财产认定",
    "facts",
    (
        Field("met", "财产是否符合规定", Kind.CHOICE, {YES: "符合", NO: "不符合"}),
        Field("reason", "认定的理由", Kind.LONG),
        _SINCE,
    ),
    hint="没有登记财产限额的，由经办人认定。",
    shape=lambda given, _: {
        "fact": "edge_property",
        "source": "judgement",
        **forms.decided(given, "met"),
    },
)
