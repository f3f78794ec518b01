"""The life of an award after the decision: days, hearings, grace, refusals of work, fraud.

社会救助法 arts. 46–48, 73; 57号 arts. 21, 31–34; 83号 1(3), 5(5);
重庆市…条例 (2016) arts. 22, 26, 29, 36. `law` is the law of the day of decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile

from chassis.law.dates import add_months
from contracts.events.relief import Area
from services.relief.entitlement.facts import Household, Member, WorkCapacity
from services.relief.entitlement.membership import (
    STUDYING,
    has_reached,
    severely_disabled,
    standings,
)
from services.relief.parameters.rules import Law


class Change(StrEnum):
    """What a decision does to an award."""

    INCREASE = "increase"  # 增发
    REDUCE = "reduce"  # 减发
    STOP = "stop"  # 停发


class Cause(StrEnum):
    """Why a family is no longer entitled."""

    EMPLOYMENT = "employment"  # 就业后收入超过标准
    INCOME = "income"  # 其他收入增加
    PROPERTY = "property"  # 财产不符合
    FALSE_STATEMENT = "false_statement"  # 虚报、隐瞒、伪造


class ReviewClass(StrEnum):
    """How often a family is looked at again (ordinance art. 26)."""

    A = "A"  # 有重病、重残人员，收入基本无变化
    B = "B"  # 成员和收入相对稳定
    C = "C"  # 有劳动能力而无业的成员


@dataclass(frozen=True, slots=True)
class GracePeriod:
    """Months for which the award goes on (渐退期): from the first day to that before `until`."""

    from_: date
    until: date
    amount: str
    source: str


def hearing_required(change: Change, law: Law) -> bool:
    """Whether the person must be heard before a decision of the law's day (社会救助法 art. 48)."""
    return change is not Change.INCREASE and law.flag("dibao.hearing.required").value


def fraud_fine(value: Decimal, law: Law, *, serious: bool) -> tuple[Decimal, Decimal] | None:
    """The least and the most that may be fined for what was got by fraud (办法 68; 法 73).

    None where no fine may be: the ordinance (art. 36) fines serious cases (情节严重) alone.
    """
    serious_only = "dibao.fraud.fine_serious_only"
    if not serious and law.holds(serious_only) and law.flag(serious_only).value:
        return None
    multiples = law.amounts("dibao.fraud.fine").value
    return value * multiples["least"], value * multiples["most"]


def refused_jobs(refusals: Sequence[bool], law: Law) -> bool:
    """Whether suitable work was refused without cause so many times in a row (57号 art. 34).

    Up to now: who has taken work since, or had cause, is not in such a run any more.

    Args:
        refusals: every offer in order; True where it was refused without cause.
        law: the law of the day.
    """
    run = sum(1 for _ in takewhile(bool, reversed(refusals)))
    return run >= law.integer("dibao.job_refusals").value


def grace(
    cause: Cause, *, stops_from: date, last: date | None, law: Law, months: int | None = None
) -> GracePeriod | None:
    """The grace period instead of a stop, or None: only after employment (57号 art. 33; 83号 1(3)).

    Args:
        cause: why the family is no longer entitled.
        stops_from: the day from which nothing more would be paid.
        last: the first day of the family's last grace period.
        law: the law of the day of decision.
        months: fewer than the law's, if the decision says so.
    """
    if cause is not Cause.EMPLOYMENT or not law.holds("dibao.grace.months"):
        return None
    apart = law.integer("dibao.grace.once_in_months").value
    if last is not None and stops_from < add_months(last, apart):
        return None
    most = law.integer("dibao.grace.months")
    length = most.value if months is None else min(months, most.value)
    if length < 1:
        return None
    amount = law.choice("dibao.grace.amount").value
    return GracePeriod(stops_from, add_months(stops_from, length), amount, most.source)


def payable_from(decided_on: date, law: Law) -> date:
    """The first month paid: that after the decision (57号 21), or its own (ordinance, art. 22)."""
    if law.choice("dibao.payment.start").value == "same_month":
        return decided_on.replace(day=1)
    return stop_from(decided_on)


def stop_from(decided_on: date) -> date:
    """The first month that is no longer paid: that after the decision, or after the death."""
    return add_months(decided_on.replace(day=1), 1)


def death_review_due(died_on: date, law: Law) -> date | None:
    """By when the household is looked at and adjusted after a member's death (83号 1(3))."""
    if not law.holds("dibao.death.review_months"):
        return None
    return add_months(died_on, law.integer("dibao.death.review_months").value)


def unreported(changed_on: date, told_on: date, law: Law) -> bool:
    """Whether a change was kept back for longer than the law bears (83号 5(5))."""
    if not law.holds("dibao.unreported.months"):
        return False
    return told_on > add_months(changed_on, law.integer("dibao.unreported.months").value)


def review_class(household: Household, *, day: date, law: Law) -> tuple[ReviewClass, int]:
    """How the family is classed and after how many months it is due again.

    Of several classes the one that comes soonest holds.
    """
    months = law.amounts("dibao.review.months").value
    seeking = "C_urban" if household.area is Area.URBAN else "C_rural"
    counted = {one.ref for one in standings(household, day=day, law=law) if one.counted}
    members = [one for one in household.members if one.ref in counted]
    if any(could_work(member, day, law) for member in members):
        return ReviewClass.C, int(months[seeking])
    if any(one.severe_illness or severely_disabled(one) for one in members):
        return ReviewClass.A, int(months["A"])
    return ReviewClass.B, int(months["B"])


def next_review(last: date, months: int) -> date:
    """The day by which the family is looked at again."""
    return add_months(last, months)


def could_work(member: Member, day: date, law: Law) -> bool:
    """Of working age, able to work, and neither at work nor in school (ordinance art. 26)."""
    first, end = law.integer("dibao.work.age_from"), law.integer("dibao.work.age_until")
    of_age = has_reached(member, first.value, day) and not has_reached(member, end.value, day)
    able = member.work_capacity is not WorkCapacity.NONE and not member.severe_illness
    return of_age and able and not member.employed and member.education not in STUDYING
