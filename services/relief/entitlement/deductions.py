"""What is taken off the income for disability and severe illness (刚性支出), where it is set.

民发〔2021〕57号 art. 13 lets it be taken off "as provided" and gives no figure: until a county sets
one, nothing is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.relief.entitlement.articles import MEASURES_FROM
from services.relief.entitlement.facts import Household, Member
from services.relief.parameters.rules import Law

DISABILITY, ILLNESS = "dibao.deduction.disability", "dibao.deduction.severe_illness"
_TITLES = {DISABILITY: "残疾", ILLNESS: "患重病"}


@dataclass(frozen=True, slots=True)
class Deduction:
    """What is taken off for one member by the month; `valid_from` is that of the figure."""

    member: str
    ground: str
    amount: Fraction
    source: str
    valid_from: date


def deductions(household: Household, counted: Collection[str], law: Law) -> tuple[Deduction, ...]:
    """For each member that is counted; who is disabled and ill has both burdens, and both figures.

    In the order of the members' refs.
    """
    members = sorted((one for one in household.members if one.ref in counted), key=_ref)
    return tuple(one for member in members for one in _of_member(member, law))


def notes(household: Household, counted: Collection[str], law: Law) -> list[str]:
    """On which grounds nothing was taken off, because no figure is set."""
    members = [one for one in household.members if one.ref in counted]
    grounds = [ground for ground, holds in _strained(members) if holds and not law.holds(ground)]
    if not grounds or law.day < MEASURES_FROM:
        return []
    named = "、".join(_TITLES[one] for one in grounds)
    may = f"因{named}增加的刚性支出可按规定扣减（民发〔2021〕57号第十三条）"
    return [f"{may}；没有登记的扣减数额，本次未扣减"]


def _strained(members: Iterable[Member]) -> list[tuple[str, bool]]:
    known = list(members)
    return [
        (DISABILITY, any(one.disability is not None for one in known)),
        (ILLNESS, any(one.severe_illness for one in known)),
    ]


def _of_member(member: Member, law: Law) -> list[Deduction]:
    found = []
    if member.disability is not None and law.holds(DISABILITY):
        by_grade = law.amounts(DISABILITY)
        amount = by_grade.value[f"grade_{member.disability.grade}"]
        found.append((_TITLES[DISABILITY], amount, by_grade.source, by_grade.valid_from))
    if member.severe_illness and law.holds(ILLNESS):
        each = law.decimal(ILLNESS)
        found.append((_TITLES[ILLNESS], each.value, each.source, each.valid_from))
    return [
        Deduction(member.ref, ground, Fraction(amount), source, valid_from)
        for ground, amount, source, valid_from in found
        if amount
    ]


def _ref(member: Member) -> str:
    return member.ref
