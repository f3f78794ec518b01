"""Support that somebody outside owes (赡养、抚养、扶养费), where a county has set its formula.

No text gives one (民发〔2021〕57号 art. 13; 重庆市…条例 (2016) art. 12; domain.md B1.3): until both
of its figures are set, what was really given is all that counts.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from services.relief.entitlement.articles import Subject, article
from services.relief.entitlement.facts import Household, Support
from services.relief.parameters.rules import Law

_MULTIPLE, _SHARE = "dibao.support.surplus_multiple", "dibao.support.share"
_NO_FORMULA = "义务人的收入已登记，但没有赡养（抚养、扶养）费的计算办法，只计实际给付的"
_NOBODY_NAMED = "已规定赡养（抚养、扶养）费的计算办法，但没有登记义务人的收入，只计实际给付的"


@dataclass(frozen=True, slots=True)
class Due:
    """What one supporter owes a member by the month; `added`: beyond what the member was given.

    `source` and `valid_from` are those of the share that the county has set.
    """

    amount: Fraction
    added: Fraction
    source: str
    valid_from: date
    note: str
    fact: Support


def dues(
    household: Household,
    counted: Collection[str],
    *,
    law: Law,
    standard: Decimal,
    received: Mapping[str, Fraction],
    disregarding: Collection[str],
) -> tuple[Due, ...]:
    """By the formula, for each member that is counted: of the supporter's surplus the share.

    Args:
        household: its facts.
        counted: whose support is looked at.
        law: of the day.
        standard: of the household's area.
        received: support that is counted already, by member: what was given is not added again.
        disregarding: of whom support so marked, with a reason, is left out (83号 1(1)).
    """
    if not _formula(law):
        return ()
    left, found = dict(received), []
    for fact in sorted(household.supports, key=_in_order):
        if fact.member not in counted:
            continue
        amount, note, source = _owed(fact, law, standard), "", law.decimal(_SHARE).source
        if fact.member in disregarding and fact.disregarded and fact.reason.strip():
            note = "兄弟姐妹或60周岁以上老年人给付的供养费用，视情豁免"
            source = article(Subject.DISREGARDED, law.day)
        given = min(amount, left.get(fact.member, Fraction(0)))
        left[fact.member] = left.get(fact.member, Fraction(0)) - given
        added = Fraction(0) if note else amount - given
        valid_from = law.decimal(_SHARE).valid_from
        found.append(Due(amount, added, source, valid_from, note or _explained(law), fact))
    return tuple(found)


def notes(household: Household, law: Law) -> list[str]:
    """Why support was not reckoned, where it might have been."""
    if _formula(law):
        return [] if household.supports else [_NOBODY_NAMED]
    return [_NO_FORMULA] if household.supports else []


def _formula(law: Law) -> bool:
    return law.holds(_MULTIPLE) and law.holds(_SHARE)


def _owed(fact: Support, law: Law, standard: Decimal) -> Fraction:
    kept = Fraction(law.decimal(_MULTIPLE).value) * Fraction(standard) * fact.persons
    surplus = max(Fraction(fact.income) - kept, Fraction(0))
    return surplus * Fraction(law.decimal(_SHARE).value) / fact.owed


def _explained(law: Law) -> str:
    multiple, share = law.decimal(_MULTIPLE).value, law.decimal(_SHARE).value
    return f"义务人家庭收入高于人均低保标准 {multiple} 倍的部分的 {share}，由其供养的人均分"


def _in_order(fact: Support) -> tuple[str, str, Decimal, int, int]:
    return fact.member, fact.supporter, fact.income, fact.persons, fact.owed
