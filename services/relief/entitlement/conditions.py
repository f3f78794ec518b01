"""One rule applied to one household: what it looked at, what it asks, whether it holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chassis.law.money import round_half_up
from services.relief.entitlement.facts import Consumption, FactSource, Income, Property

_SOURCE_NAMES = {
    FactSource.CHECKED: "核对",
    FactSource.SURVEYED: "调查",
    FactSource.DOCUMENT: "证明材料",
    FactSource.JUDGEMENT: "认定",
    FactSource.DECLARED: "申报",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as the person is told of it; `passed` None: not settled yet.

    `fact` is the figure used, from `source` of `source_day`; `remedy` is what would change a
    result that is not a pass. `member` is set where the condition is one member's alone.
    """

    code: str
    title: str
    passed: bool | None
    fact: str
    threshold: str
    article: str
    source: str = ""
    source_day: date | None = None
    remedy: str = ""
    member: str = ""


def all_of(results: Iterable[bool | None]) -> bool | None:
    """False when one fails, else None when one is not settled, else True."""
    settled = True
    for result in results:
        if result is False:
            return False
        settled = settled and result is not None
    return True if settled else None


def told_from(facts: Iterable[Income | Property | Consumption]) -> tuple[str, date | None]:
    """Where figures come from, in words, and the latest day that they stand for."""
    known = list(facts)
    sources = {one.source for one in known}
    days = [one.source_day for one in known if one.source_day is not None]
    names = [name for source, name in _SOURCE_NAMES.items() if source in sources]
    return "、".join(names), max(days, default=None)


def yuan(amount: Decimal | Fraction | int) -> str:
    """An amount as people read it; the rounding is for the eye alone."""
    return f"{round_half_up(amount)} 元"
