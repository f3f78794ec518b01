"""What may be asked of an applicant, as data: what sharing supplies may not (57号 10, 法 62)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Material:
    """One kind of paper; from `shared_from` on it is looked up and not asked for any more."""

    code: str
    title: str
    article: str
    shared_from: date | None = None
    supplied_by: str = ""


_SHARED = date(2021, 7, 1)
"""57号 arts. 10, 42: from then on nobody is asked for what the platforms of government hold."""

MATERIALS = (
    Material("application_form", "最低生活保障申请书", "民发〔2021〕57号第四条"),
    Material("truth_commitment", "家庭成员如实申报承诺", "民发〔2021〕57号第九条"),
    Material("check_authorisation", "家庭成员核对授权书", "民发〔2021〕57号第九条"),
    Material("entrustment", "委托书", "民发〔2021〕57号第六条"),
    Material("guardianship", "监护关系说明", "民法典第二十七条、第二十八条"),
    Material("illness_certificate", "重特大疾病诊断证明", "民发〔2021〕57号第八条"),
    Material("spending_receipts", "就业成本、刚性支出票据", "民发〔2021〕57号第十三条"),
    Material("farming_statement", "种植养殖经营情况说明", "民发〔2021〕57号第十三条"),
    Material("support_agreement", "赡养（抚养、扶养）协议或法律文书", "民发〔2021〕57号第十三条"),
    Material(
        *("household_register", "居民户口簿", "重庆市城乡居民最低生活保障条例(2016)第十五条"),
        _SHARED,
        "公安机关户籍信息",
    ),
    Material(
        *("identity_card", "居民身份证复印件", "重庆市城乡居民最低生活保障条例(2016)第十五条"),
        _SHARED,
        "公安机关身份信息",
    ),
    Material(
        *("income_proof", "家庭收入状况证明", "重庆市城乡居民最低生活保障条例(2016)第十五条"),
        _SHARED,
        "税务、社会保险信息核对",
    ),
    Material(
        *("property_proof", "家庭财产状况材料", "重庆市城乡居民最低生活保障条例(2016)第十五条"),
        _SHARED,
        "不动产登记、车船登记和金融资产信息核对",
    ),
    Material(
        *("disability_card", "残疾人证", "民发〔2021〕57号第八条"), _SHARED, "残联残疾人证信息"
    ),
    Material(
        *("marriage_certificate", "婚姻状况证明", "民发〔2021〕57号第十条"),
        _SHARED,
        "民政部门婚姻登记信息",
    ),
    Material(
        *("residence_permit", "居住证", "民发〔2021〕57号第五条"), _SHARED, "公安机关居住证信息"
    ),
)
BY_CODE = {one.code: one for one in MATERIALS}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the one-time list (一次性告知); `member` is the one it is about."""

    code: str
    title: str
    why: str
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Undertaking:
    """What a member has signed; a minor's guardian signs for the minor."""

    member: str
    label: str
    born: date
    truth_committed: bool
    check_authorised: bool
    birth_doubtful: bool = False
    """The birthday differs from the number's, and nobody has said with a reason which one holds."""


def refused_demands(codes: Iterable[str], day: date) -> list[tuple[str, str]]:
    """The codes that may not be demanded on the day, each with the reason."""
    refused = []
    for code in codes:
        material = BY_CODE.get(code)
        if material is None:
            refused.append((code, "不在可以要求提供的材料目录之内"))
        elif material.shared_from is not None and day >= material.shared_from:
            refused.append((code, f"{material.title}可由{material.supplied_by}取得，不得要求提供"))
    return refused


def missing_items(
    members: Sequence[Undertaking], supplied: Collection[str], day: date, *, entrusted: bool
) -> list[Item]:
    """What still lacks before the application can be accepted (57号 art. 4, 6, 9, 10)."""
    missing = demanded(["application_form"], supplied)
    for one in members:
        whose = f"{one.label}{'（由监护人）' if is_minor(one.born, day) else ''}"
        for code, done in (
            ("truth_commitment", one.truth_committed),
            ("check_authorisation", one.check_authorised),
        ):
            if not done:
                material = BY_CODE[code]
                missing.append(
                    Item(code, f"{whose}的{material.title}", material.article, one.member)
                )
        if one.birth_doubtful:
            title = f"{one.label}的出生日期与身份证号码不一致，请更正，或核实后作出认定并说明理由"
            missing.append(Item("birthday", title, "民发〔2021〕57号第十条", one.member))
    return missing + demanded(["entrustment"] if entrusted else [], supplied)


def demanded(codes: Iterable[str], supplied: Collection[str]) -> list[Item]:
    """Lines for what a clerk asks for besides."""
    return [
        Item(code, BY_CODE[code].title, BY_CODE[code].article)
        for code in codes
        if code not in supplied
    ]


def is_minor(born: date, day: date) -> bool:
    """Whether somebody is under eighteen on the day (民法典 art. 17)."""
    eighteenth = (born.year + ADULT_AGE, born.month, born.day)
    return (day.year, day.month, day.day) < eighteenth
