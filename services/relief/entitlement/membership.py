"""Who is counted as a member living together (共同生活的家庭成员).

民发〔2021〕57号 art. 7; 重庆市…条例 (2016) art. 11, which leaves soldiers out and clergy sooner.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from chassis.law.dates import add_years
from services.relief.entitlement.articles import NOTICE_FROM, Subject, article
from services.relief.entitlement.facts import Education, Household, Member, Relation
from services.relief.parameters.rules import Law

ADULT = 18
"""民法典 art. 17, 民法通则 art. 11 before it: the same since 1987."""
STUDYING = frozenset(Education) - {Education.NONE, Education.PRESCHOOL}
_TITLES = {
    Relation.SELF: "申请人",
    Relation.SPOUSE: "配偶",
    Relation.CHILD: "子女",
    Relation.PARENT: "父母",
    Relation.GRANDCHILD: "孙子女",
    Relation.GRANDPARENT: "祖父母",
    Relation.SIBLING: "兄弟姐妹",
    Relation.OTHER: "其他成员",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a member is counted, and why."""

    ref: str
    counted: bool
    reason: str
    article: str


def has_reached(member: Member, years: int, day: date) -> bool:
    """Whether the member is of that age on the day: the birthday counts."""
    return add_years(member.born, years) <= day


def severely_disabled(member: Member) -> bool:
    """Grade 1 or 2 (重度残疾)."""
    return member.disability is not None and member.disability.grade <= 2  # noqa: PLR2004 - 二级


def unemployed_disabled(member: Member, day: date) -> bool:
    """An adult without work, disabled of grade 1 or 2 (83号 1(1): 成年无业重度残疾人)."""
    return has_reached(member, ADULT, day) and severely_disabled(member) and not member.employed


def upkeep_disregarded(members: Iterable[Member], law: Law) -> frozenset[str]:
    """Of whom the upkeep by siblings or by the old may be left out, once 83号 1(1) is in force."""
    if law.day < NOTICE_FROM:
        return frozenset()
    return frozenset(one.ref for one in members if unemployed_disabled(one, law.day))


def clergy_long_enough(member: Member, day: date, law: Law) -> bool:
    """Apart from the family as clergy for the years that the law of the day asks (含本数)."""
    if member.clergy_since is None:
        return False
    years = law.integer("dibao.clergy.years").value
    return add_years(member.clergy_since, years) <= day


def standings(household: Household, *, day: date, law: Law) -> tuple[Standing, ...]:
    """Every member in the order given, counted or not."""
    return tuple(_standing(member, day, law) for member in household.members)


def titles(household: Household) -> dict[str, str]:
    """What a member is called in a text for the household: 子女, or 子女2 where there are more."""
    named: dict[str, str] = {}
    for relation, title in _TITLES.items():
        same = sorted(
            (one for one in household.members if one.relation is relation),
            key=lambda one: (one.born, one.ref),
        )
        for place, member in enumerate(same, start=1):
            named[member.ref] = title if len(same) == 1 else f"{title}{place}"
    return named


def _standing(member: Member, day: date, law: Law) -> Standing:
    out = _left_out(member, day, law)
    if out is not None:
        reason, source = out
        return Standing(member.ref, counted=False, reason=reason, article=source)
    reason = _belongs(member, day, law)
    return Standing(
        member.ref,
        counted=bool(reason),
        reason=reason or "没有法定义务关系，或未长期共同居住，不计入",
        article=article(Subject.MEMBERS, day),
    )


def _left_out(member: Member, day: date, law: Law) -> tuple[str, str] | None:
    named = law.codes("dibao.members.left_out")
    facts = {
        "prison": (member.in_prison, "在监狱内服刑，不计入"),
        "rehabilitation": (member.in_compulsory_rehabilitation, "被强制隔离戒毒，不计入"),
        "missing": (member.declared_missing, "被宣告失踪，不计入"),
    }
    for code, (holds, reason) in facts.items():
        if holds and code in named.value:
            return reason, named.source
    if member.soldier_unmarried:
        soldiers = law.flag("dibao.soldier.counted")
        if not soldiers.value:
            return "未婚现役军人，不计入", soldiers.source
    if clergy_long_enough(member, day, law):
        years = law.integer("dibao.clergy.years")
        return f"宗教教职人员脱离家庭独立生活满 {years.value} 年，不计入", years.source
    return None


def _belongs(member: Member, day: date, law: Law) -> str:
    """The ground on which the member is counted, or nothing."""
    if member.relation is Relation.SELF:
        return "申请人"
    if member.relation is Relation.SPOUSE:
        return "配偶"
    if member.relation is Relation.CHILD and (ground := _child(member, day, law)):
        return ground
    if member.legal_duty and member.lives_together:
        return "具有法定赡养、扶养、抚养义务关系并长期共同居住"
    return ""


def _child(member: Member, day: date, law: Law) -> str:
    """A child is counted wherever it lives, until it is grown and can live independently."""
    if not has_reached(member, ADULT, day):
        return "未成年子女"
    if not member.independent:
        return "已成年但不能独立生活的子女"
    return "已成年的在校子女" if _studies(member, law) else ""


def _studies(member: Member, law: Law) -> bool:
    """Full-time up to bachelor (57号 art. 7); any school before (ordinance of 2016, art. 11)."""
    if law.choice("dibao.members.students").value == "any_school":
        return member.education in STUDYING
    return member.full_time and member.education in STUDYING - {Education.POSTGRADUATE}
