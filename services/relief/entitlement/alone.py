"""Members who can be taken in by themselves (单人户), though their family is not entitled.

57号 art. 8; 83号 1(1), 1(4); 社会救助法 art. 21; 重庆市…条例 (2016) art. 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from services.relief.entitlement import property as means
from services.relief.entitlement.amounts import Extra, due, extras_of
from services.relief.entitlement.articles import Subject, article
from services.relief.entitlement.conditions import Condition, all_of, told_from, yuan
from services.relief.entitlement.facts import (
    DisabilityKind,
    Household,
    Member,
    Relation,
    WorkCapacity,
)
from services.relief.entitlement.gaps import Gap
from services.relief.entitlement.income import reckon, unreasoned
from services.relief.entitlement.membership import (
    ADULT,
    clergy_long_enough,
    has_reached,
    severely_disabled,
    unemployed_disabled,
    upkeep_disregarded,
)
from services.relief.parameters.rules import Law

_THIRD = 3


class Path(StrEnum):
    """On which ground; the first one that leads to an amount is taken."""

    EDGE_FAMILY = "edge_family"
    UNEMPLOYED_DISABLED = "unemployed_disabled"
    CLERGY = "clergy"
    APART_FROM_PARENTS = "apart_from_parents"
    SPECIAL_HARDSHIP = "special_hardship"


OF_THE_EDGE = frozenset({Path.EDGE_FAMILY, Path.SPECIAL_HARDSHIP})
"""Grounds that the family's own standing, its property included, is a part of."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A member who is entitled alone, to how much a month; `asked`: who asks to be."""

    member: str
    path: Path
    amount: Decimal
    extras: tuple[Extra, ...]
    article: str
    asked: bool

    @property
    def total(self) -> Decimal:
        return self.amount + sum((one.amount for one in self.extras), Decimal(0))


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked about each member: the family around it, the law and standard of the day.

    `edge` is whether the family is one of the edge, None while that is not settled; `per_capita`
    its income by the month, None where nobody is counted.
    """

    household: Household
    counted: frozenset[str]
    edge: bool | None
    per_capita: Fraction | None
    gaps: tuple[Gap, ...]
    names: dict[str, str]
    day: date
    law: Law
    standard: Decimal


@dataclass(frozen=True, slots=True)
class _Trial:
    path: Path
    passed: bool | None
    conditions: tuple[Condition, ...]
    income: Fraction


def alone(case: Case, member: Member) -> tuple[Alone | None, tuple[Condition, ...]]:
    """Whether the member is entitled alone, and each condition of the ground that it comes by."""
    standings = {path: _ground(path, case, member) for path in _paths(case.law)}
    trials = [_trial(path, case, member) for path in standings if standings[path] is not False]
    if not trials:
        return None, (_no_ground(case, member),)
    best = min(trials, key=lambda trial: (True, None, False).index(trial.passed))
    if best.passed is not True:
        return None, best.conditions
    granted = Alone(
        member=member.ref,
        path=best.path,
        amount=_amount(best.income, case),
        extras=extras_of(member, case.day, case.law),
        article=article(Subject(best.path.value), case.law.day),
        asked=member.ref in case.household.alone,
    )
    return granted, best.conditions


def _paths(law: Law) -> list[Path]:
    in_force = law.codes("dibao.alone.paths").value
    return [path for path in Path if path.value in in_force]


def _amount(income: Fraction, case: Case) -> Decimal:
    full = case.law.choice("dibao.single.method").value == "full_standard"
    return due(case.standard, 1, Fraction(0) if full else income, case.law)


def _ground(path: Path, case: Case, member: Member) -> bool | None:
    """Whether the member stands on the ground; None where it hangs on the family's standing."""
    if path is Path.CLERGY:
        return member.lives_in_religious_site and clergy_long_enough(member, case.day, case.law)
    if member.ref not in case.counted:
        return False
    if path in OF_THE_EDGE:
        ill = _severe(member) if path is Path.EDGE_FAMILY else member.special_hardship
        return case.edge if ill else False
    if not has_reached(member, ADULT, case.day):
        return False
    if path is Path.UNEMPLOYED_DISABLED:
        return unemployed_disabled(member, case.day)
    with_parents = member.lives_together and _with_parents(member, case.household)
    return _unable(member) and with_parents and _in_hardship(case, member)


def _severe(member: Member) -> bool:
    """Grade 1–2, grade 3 of mind or of mental illness, or a severe illness (57号 art. 8)."""
    disability = member.disability
    of_mind = (
        disability is not None
        and disability.kind in (DisabilityKind.INTELLECTUAL, DisabilityKind.MENTAL)
        and disability.grade <= _THIRD
    )
    return severely_disabled(member) or of_mind or member.severe_illness


def _unable(member: Member) -> bool:
    """Disabled without capacity to work, or severely ill and bedridden (ordinance, art. 11)."""
    disabled = member.disability is not None and member.work_capacity is WorkCapacity.NONE
    return disabled or (member.severe_illness and member.bedridden)


_PARENTS_AND_SIBLINGS = {
    Relation.SELF: {Relation.PARENT, Relation.SIBLING},
    Relation.CHILD: {Relation.SELF, Relation.SPOUSE, Relation.CHILD},
    Relation.SIBLING: {Relation.SELF, Relation.SIBLING, Relation.PARENT},
}
_OWN_FAMILY = {Relation.SELF: {Relation.SPOUSE, Relation.CHILD, Relation.GRANDCHILD}}


def _in_hardship(case: Case, member: Member) -> bool:
    """家庭生活确有困难: by the family's income per head, or because a person has found it so."""
    multiple = case.law.decimal("dibao.alone.hardship_multiple").value
    limit = Fraction(case.standard) * Fraction(multiple)
    poor = case.per_capita is not None and case.per_capita < limit
    return member.special_hardship or poor


def _with_parents(member: Member, household: Household) -> bool:
    """Lives with parents or siblings, and has no family of its own in the household."""
    others = {one.relation for one in household.members if one.ref != member.ref}
    kin = _PARENTS_AND_SIBLINGS.get(member.relation, set())
    own = _OWN_FAMILY.get(member.relation, set())
    return bool(others & kin) and not others & own


def _trial(path: Path, case: Case, member: Member) -> _Trial:
    held = _ground(path, case, member)
    ground = Condition(
        code="alone_path",
        title="属于可以单独提出申请的人员",
        passed=held,
        fact=_described(member, case),
        threshold=_GROUNDS[path],
        article=article(Subject(path.value), case.law.day),
        remedy="" if held else "待家庭是否属于低保边缘家庭查明后再作认定",
        member=member.ref,
    )
    own_income, income = _own_income(case, member)
    conditions = [ground, own_income]
    if _property_tested(case.law) or path not in OF_THE_EDGE:
        conditions.append(_own_property(case, member))
    return _Trial(path, all_of(one.passed for one in conditions), tuple(conditions), income)


def _property_tested(law: Law) -> bool:
    """Whether the law of the day has a property test of one's own besides the family's."""
    key = "dibao.alone.property_test"
    return law.holds(key) and law.flag(key).value


_GROUNDS = {
    Path.EDGE_FAMILY: "低保边缘家庭中的一级、二级残疾人，三级智力、精神残疾人，重特大疾病患者",
    Path.UNEMPLOYED_DISABLED: "成年、无业的重度（一级、二级）残疾人",
    Path.CLERGY: "脱离家庭、在宗教场所居住达到规定年数的宗教教职人员",
    Path.APART_FROM_PARENTS: "家庭生活确有困难，与父母、兄弟姐妹共同生活，"
    "已成年且丧失劳动能力的残疾人或长期卧床的重病人员",
    Path.SPECIAL_HARDSHIP: "低保边缘家庭中确有特殊困难的人员",
}
_GRADES = "零一二三四"
_KINDS = {
    DisabilityKind.VISION: "视力",
    DisabilityKind.HEARING: "听力",
    DisabilityKind.SPEECH: "言语",
    DisabilityKind.PHYSICAL: "肢体",
    DisabilityKind.INTELLECTUAL: "智力",
    DisabilityKind.MENTAL: "精神",
    DisabilityKind.MULTIPLE: "多重",
}


_EDGES = {
    True: "所在家庭是低保边缘家庭",
    False: "所在家庭不是低保边缘家庭",
    None: "所在家庭是否属于低保边缘家庭尚未查明",
}


def _described(member: Member, case: Case) -> str:
    words = ["已成年" if has_reached(member, ADULT, case.day) else "未成年"]
    if member.disability is None:
        words.append("无残疾证")
    else:
        words.append(f"{_KINDS[member.disability.kind]}残疾{_GRADES[member.disability.grade]}级")
    words.append("患重特大疾病" if member.severe_illness else "未认定重特大疾病")
    words.append("就业" if member.employed else "无业")
    words.append(_EDGES[case.edge])
    if case.per_capita is not None:
        words.append(f"家庭人均月收入 {yuan(case.per_capita)}")
    words.append("经认定确有特殊困难" if member.special_hardship else "未经认定确有特殊困难")
    return "，".join(words)


def _no_ground(case: Case, member: Member) -> Condition:
    return Condition(
        code="alone_path",
        title="属于可以单独提出申请的人员",
        passed=False,
        fact=_described(member, case),
        threshold="；".join(_GROUNDS[path] for path in _paths(case.law)),
        article=article(Subject.ALONE, case.law.day),
        remedy="取得相应残疾等级、重特大疾病认定，经认定家庭生活确有困难，"
        "或家庭收入、财产降至低保边缘家庭标准后可重新申请",
        member=member.ref,
    )


def _own_income(case: Case, member: Member) -> tuple[Condition, Fraction]:
    own = frozenset({member.ref})
    reckoning = reckon(
        case.household,
        own,
        law=case.law,
        standard=case.standard,
        disregarding=upkeep_disregarded([member], case.law),
    )
    passed: bool | None = reckoning.total < case.standard
    waiting = [one.name for one in _own_gaps(case, member) if one.touches("income_below_standard")]
    if unreasoned(case.household, own):
        passed, waiting = None, [*waiting, "推定收入的理由"]
    elif passed and waiting:
        passed = None
    source, day = told_from(line.fact for line in reckoning.lines if line.counted)
    condition = Condition(
        code="alone_income",
        title="本人月收入低于低保标准",
        passed=passed,
        fact=f"本人月收入 {yuan(reckoning.total)}" + _waiting(waiting),
        threshold=f"低于 {yuan(case.standard)}",
        article=article(Subject.BELOW_STANDARD, case.law.day),
        source=source,
        source_day=day,
        remedy=_income_remedy(passed, case.standard),
        member=member.ref,
    )
    return condition, reckoning.total


def _income_remedy(passed: bool | None, standard: Decimal) -> str:  # noqa: FBT001 - a result
    if passed is None:
        return "待所缺信息查明后再作认定"
    return "" if passed else f"本人月收入低于 {yuan(standard)} 后可重新申请"


def _own_property(case: Case, member: Member) -> Condition:
    own = means.of_one(case.household, member.ref, case.standard, _own_gaps(case, member))
    tests = means.tested(own, case.law)
    open_ = [one for one in tests if one.passed is not True]
    days = [one.source_day for one in open_ if one.source_day is not None]
    return Condition(
        code="alone_property",
        title="本人财产状况符合规定",
        passed=all_of(one.passed for one in tests),
        fact="；".join(one.fact for one in open_) or "未发现本人名下超过规定的财产",
        threshold="；".join(one.threshold for one in open_) or "符合最低生活保障家庭财产状况规定",
        article=article(Subject.PROPERTY, case.law.day),
        source="、".join(sorted({one.source for one in open_ if one.source})),
        source_day=max(days, default=None),
        remedy="；".join(dict.fromkeys(one.remedy for one in open_)),
        member=member.ref,
    )


def _own_gaps(case: Case, member: Member) -> Sequence[Gap]:
    return tuple(one for one in case.gaps if one.member == member.ref)


def _waiting(names: Sequence[str]) -> str:
    return f"；尚缺：{'、'.join(names)}" if names else ""
