"""Household income by the month (家庭收入): what is counted, what is taken off, exactly.

民发〔2021〕57号 art. 13; 重庆市…条例 (2016) art. 12. Nothing is rounded before the end
(domain.md B1.6).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from services.relief.entitlement import deductions, support
from services.relief.entitlement.articles import Subject, article
from services.relief.entitlement.deductions import Deduction
from services.relief.entitlement.facts import Household, Income, IncomeKind
from services.relief.entitlement.support import Due
from services.relief.parameters.rules import Law

MONTHS = 12
_MOST_MONTHS = "dibao.employment_cost.max_months"


class Item(StrEnum):
    """The items of 57号 art. 13, within which receipts and outgoings are set against each other."""

    WAGES = "wages"  # 工资性收入
    BUSINESS = "business"  # 经营净收入
    PROPERTY = "property"  # 财产净收入
    TRANSFERS = "transfers"  # 转移净收入
    OTHER = "other"  # 其他应当计入的项目


_ITEM_OF = {
    IncomeKind.WAGE: Item.WAGES,
    IncomeKind.FARMING: Item.BUSINESS,
    IncomeKind.BUSINESS: Item.BUSINESS,
    IncomeKind.PROPERTY: Item.PROPERTY,
    IncomeKind.IMPUTED: Item.OTHER,
    IncomeKind.OTHER: Item.OTHER,
}
_PLACE_OF = {
    Item.WAGES: "第（一）项",
    Item.BUSINESS: "第（二）项",
    Item.PROPERTY: "第（三）项",
    Item.TRANSFERS: "第（四）项",
    Item.OTHER: "第（五）项",
}
_PAID = frozenset(
    {
        IncomeKind.TAX_PAID,
        IncomeKind.INSURANCE_PAID,
        IncomeKind.SUPPORT_PAID,
        IncomeKind.OTHER_PAID,
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One income by the month: `amount` gross, below nothing when paid out; `deducted` from it."""

    member: str
    kind: IncomeKind
    amount: Fraction
    counted: bool
    deducted: Fraction
    article: str
    note: str
    fact: Income

    @property
    def net(self) -> Fraction:
        return self.amount - self.deducted if self.counted else Fraction(0)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The lines and their total by the month; `notes` say where the total is not their sum.

    `support` adds to the transfers what is owed from outside and was not given, `deductions` are
    taken off at the end; both only where a county has set by what figure.
    """

    lines: tuple[Line, ...]
    support: tuple[Due, ...]
    deductions: tuple[Deduction, ...]
    total: Fraction
    notes: tuple[str, ...]


def reckon(
    household: Household,
    counted: Collection[str],
    *,
    law: Law,
    standard: Decimal,
    disregarding: Collection[str] = (),
) -> Reckoning:
    """The monthly income of the members that are counted.

    `disregarding` are those of whom support so marked, with a reason, is left out (83号 1(1)).
    """
    facts = sorted(household.incomes, key=_in_order)
    lines = [
        _line(fact, household.applied_on, counted, law, disregarding=fact.member in disregarding)
        for fact in facts
    ]
    lines = _less_employment_cost(lines, household, law, standard)
    owed = support.dues(
        household,
        counted,
        law=law,
        standard=standard,
        received=_support_received(lines),
        disregarding=disregarding,
    )
    nets = {item: _net(lines, item) for item in Item}
    nets[Item.TRANSFERS] += sum((one.added for one in owed), Fraction(0))
    offsetting = law.codes("dibao.income.offsetting").value  # no text says (relief.md §14)
    kept = {item: net for item, net in nets.items() if net >= 0 or item.value in offsetting}
    notes = [f"{_SHORTFALLS[item]}，按规定不冲抵其他收入" for item in nets if item not in kept]
    notes += [*support.notes(household, law), *deductions.notes(household, counted, law)]
    off = deductions.deductions(household, counted, law)
    total = sum(kept.values(), Fraction(0)) - sum((one.amount for one in off), Fraction(0))
    return Reckoning(tuple(lines), owed, off, max(total, Fraction(0)), tuple(notes))


def unreasoned(household: Household, counted: Collection[str]) -> tuple[Income, ...]:
    """Imputed incomes that nobody has given a reason for (83号 1(1))."""
    return tuple(
        one
        for one in household.incomes
        if one.kind is IncomeKind.IMPUTED and one.member in counted and not one.reason.strip()
    )


def missed(fact: Income, applied_on: date, law: Law) -> bool:
    """Whether an income that could count does not, for none of its months is looked at."""
    if fact.kind.value in law.codes("dibao.income.not_counted").value:
        return False
    return not _months_within(fact, applied_on, _window(fact.kind, law))


_SHORTFALLS = {
    Item.WAGES: "工资性收入为负",
    Item.BUSINESS: "经营亏损",
    Item.PROPERTY: "财产净收入为负",
    Item.TRANSFERS: "转移性支出超过转移性收入的部分",
    Item.OTHER: "其他收入为负",
}


def _in_order(fact: Income) -> tuple[str, str, date, Decimal, int]:
    return (fact.member, fact.kind.value, fact.first_month, fact.amount, fact.months)


def _net(lines: Iterable[Line], item: Item) -> Fraction:
    of_item = (line.net for line in lines if _item_of(line.kind) is item)
    return sum(of_item, Fraction(0))


def _item_of(kind: IncomeKind) -> Item:
    return _ITEM_OF.get(kind, Item.TRANSFERS)


def _line(
    fact: Income, applied_on: date, counted: Collection[str], law: Law, *, disregarding: bool
) -> Line:
    amount = _monthly(fact, applied_on, law)
    sign = -1 if fact.kind in _PAID else 1
    why_not, source = _not_counted(fact, applied_on, counted, law, disregarding=disregarding)
    return Line(
        member=fact.member,
        kind=fact.kind,
        amount=sign * amount,
        counted=not why_not,
        deducted=Fraction(0),
        article=source or _article_of(fact.kind, law),
        note=why_not,
        fact=fact,
    )


def _not_counted(
    fact: Income, applied_on: date, counted: Collection[str], law: Law, *, disregarding: bool
) -> tuple[str, str]:
    exempt = law.codes("dibao.income.not_counted")
    if fact.member not in counted:
        return "不是计入的家庭成员", article(Subject.MEMBERS, law.day)
    if fact.kind.value in exempt.value:
        return "按规定不计入家庭收入", exempt.source
    support = fact.kind is IncomeKind.SUPPORT_RECEIVED
    if disregarding and support and fact.disregarded and fact.reason.strip():
        return "兄弟姐妹或60周岁以上老年人给付的供养费用，视情豁免", article(
            Subject.DISREGARDED, law.day
        )
    if not _months_within(fact, applied_on, _window(fact.kind, law)):
        return "不在核算期内", article(Subject.INCOME_WINDOW, law.day)
    return "", ""


def _article_of(kind: IncomeKind, law: Law) -> str:
    whole = article(Subject.INCOME, law.day)
    if "57号" not in whole:
        return whole
    return f"{whole}第一款{_PLACE_OF[_item_of(kind)]}"


def _window(kind: IncomeKind, law: Law) -> int:
    farming = kind is IncomeKind.FARMING
    key = "dibao.income.window.farming_months" if farming else "dibao.income.window.months"
    return law.integer(key).value


def _monthly(fact: Income, applied_on: date, law: Law) -> Fraction:
    """The part of the span that lies in the months looked at, spread over all of these."""
    window = _window(fact.kind, law)
    within = _months_within(fact, applied_on, window)
    return Fraction(fact.amount) * within / fact.months / window


def _months_within(fact: Income, applied_on: date, window: int) -> int:
    """How many months of the span are among the `window` months before that of application."""
    end = _month(applied_on)
    return _months_between(fact, end - window, end)


def _months_between(fact: Income, start: int, end: int) -> int:
    """How many months of the span are from `start` on and before `end`."""
    first = _month(fact.first_month)
    return max(0, min(end, first + fact.months) - max(start, first))


def _month(day: date) -> int:
    return day.year * MONTHS + day.month


def _support_received(lines: Iterable[Line]) -> dict[str, Fraction]:
    given: dict[str, Fraction] = {}
    for line in lines:
        if line.kind is IncomeKind.SUPPORT_RECEIVED and line.counted:
            given[line.member] = given.get(line.member, Fraction(0)) + line.amount
    return given


@dataclass(frozen=True, slots=True)
class _Costed:
    """The months, from `start` on and before `until`, whose wages of a member bear the cost.

    `window` is how many months are looked at, `wage` what was earned in these months over them;
    `since` when the employment began, None where that is not known.
    """

    start: int
    until: int
    window: int
    since: date | None
    wage: Fraction = Fraction(0)

    @property
    def part(self) -> Fraction:
        return Fraction(max(0, self.until - self.start), self.window)

    def of(self, line: Line) -> Fraction:
        months = _months_between(line.fact, self.start, self.until)
        return Fraction(line.fact.amount) * months / line.fact.months / self.window


def _less_employment_cost(
    lines: list[Line], household: Household, law: Law, standard: Decimal
) -> list[Line]:
    """Wages less the necessary cost of working, once for each person who works.

    57号 art. 13 names the cost twice, under wages and at its end: it is taken off once, and for no
    more months than are set, from that on in which the employment began. Where that is not known
    the cost is taken off, and the line says so.
    """
    if not law.holds("dibao.employment_cost.method"):
        return lines
    costed = {
        member.ref: _costed(member.employed_since, household.applied_on, law)
        for member in household.members
    }
    for line in lines:
        if _is_wage(line):
            so_far = costed[line.member]
            costed[line.member] = replace(so_far, wage=so_far.wage + so_far.of(line))
    return [
        _with_cost(line, costed[line.member], law, standard) if _is_wage(line) else line
        for line in lines
    ]


def _is_wage(line: Line) -> bool:
    return line.kind is IncomeKind.WAGE and line.counted


def _costed(since: date | None, applied_on: date, law: Law) -> _Costed:
    most = law.integer(_MOST_MONTHS).value
    window, end = _window(IncomeKind.WAGE, law), _month(applied_on)
    begun = end - window if since is None else _month(since)
    until = end if since is None and most else min(end, begun + most)
    return _Costed(end - window, until, window, since)


def _with_cost(line: Line, costed: _Costed, law: Law, standard: Decimal) -> Line:
    source, most = article(Subject.EMPLOYMENT_COST, law.day), law.integer(_MOST_MONTHS).value
    if costed.since is not None and not costed.part:
        began = f"{costed.since:%Y-%m}"
        told = f"必要的就业成本已扣满 {most} 个月（自 {began} 就业），不再扣除（{source}）"
        return replace(line, note=told)
    if not costed.wage:
        return line
    note = f"已扣除必要的就业成本（{source}）"
    if costed.since is None:
        note += f"；就业起始月未登记，未核是否已满 {most} 个月"
    cost = _cost(costed, law, standard) * costed.of(line) / costed.wage
    return replace(line, deducted=cost, note=note)


def _cost(costed: _Costed, law: Law, standard: Decimal) -> Fraction:
    method = law.choice("dibao.employment_cost.method").value
    value = Fraction(law.decimal("dibao.employment_cost.value").value)
    cap = Fraction(law.decimal("dibao.employment_cost.cap").value) * Fraction(standard)
    of_method = {
        "fixed": value * costed.part,
        "pct_of_wage": costed.wage * value,
        "pct_of_standard": Fraction(standard) * value * costed.part,
    }
    return min(of_method[method], cap * costed.part, costed.wage)
