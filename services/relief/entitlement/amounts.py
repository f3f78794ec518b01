"""How much: the family's amount (差额), and what is added for a person (分类重点救助).

重庆市…条例 (2016) arts. 20, 21; 57号 arts. 23, 27; 社会救助法 arts. 18, 20; relief.md §3, §11.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chassis.law.money import ceil_yuan, round_half_up
from services.relief.entitlement.facts import Education, Member
from services.relief.entitlement.membership import STUDYING, has_reached, severely_disabled
from services.relief.parameters.rules import Law

_SCHOOLS = STUDYING - {Education.BACHELOR, Education.POSTGRADUATE}


@dataclass(frozen=True, slots=True)
class Extra:
    """What one person is paid besides the family's amount, in yuan a month."""

    member: str
    category: str
    amount: Decimal
    article: str


def due(standard: Decimal, persons: int, income: Fraction, law: Law) -> Decimal:
    """Standard × persons − income, rounded once at the end; never a difference per head × persons.

    Rounding up never carries it above standard × persons.
    """
    most = standard * persons
    difference = {"difference": max(Fraction(most) - income, Fraction(0))}[
        law.choice("dibao.amount.method").value
    ]
    rounded = {
        "ceil_yuan": ceil_yuan(difference),
        "half_up_yuan": round_half_up(difference, 0),
        "cent": round_half_up(difference),
    }[law.choice("dibao.round").value]
    return min(rounded, most)


def extras_of(member: Member, day: date, law: Law) -> tuple[Extra, ...]:
    """The highest category that fits; a disabled person also gets that for the disabled."""
    if not law.holds("dibao.extras"):
        return ()
    amounts = law.amounts("dibao.extras")
    fitting = _categories(member, day, law)
    chosen = fitting
    if not law.flag("dibao.extras.cumulative").value:
        chosen = sorted(fitting, key=lambda code: (-amounts.value[code], code))[:1]
    if member.disability is not None and (
        chosen != ["severely_disabled"] or law.flag("dibao.extras.severe_with_disabled").value
    ):
        chosen = ["disabled", *chosen]
    return tuple(
        Extra(member.ref, code, amounts.value[code], amounts.source)
        for code in chosen
        if amounts.value[code] > 0
    )


def _categories(member: Member, day: date, law: Law) -> list[str]:
    school_age = law.integer("dibao.extras.school_age").value
    in_school = member.education in _SCHOOLS or (
        member.education is Education.BACHELOR and member.full_time
    )
    preschool = member.education is Education.PRESCHOOL or not has_reached(member, school_age, day)
    fits = {
        "severely_disabled": severely_disabled(member),
        "severely_ill": member.severe_illness,
        "aged_70": has_reached(member, law.integer("dibao.extras.aged_from").value, day),
        "preschool": preschool and not in_school,
        "in_school": in_school,
    }
    return [code for code, holds in fits.items() if holds]
