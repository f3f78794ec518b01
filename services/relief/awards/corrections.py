"""Putting right a period that was posted wrongly (更正): within which days, and what becomes of it.

57号 art. 21: nothing is paid before the first month that the decision to grant made payable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chassis.problems import Conflict, FieldError, Unprocessable
from services.relief.awards import rules
from services.relief.awards.rules import Period

_DAY = timedelta(days=1)


class AlreadyCorrected(Conflict):
    slug, title = "period-already-corrected", "该段已被更正或替代"


@dataclass(frozen=True, slots=True)
class Corrected:
    """From when the period was posted, and from when it holds; None where it is taken back."""

    was_from: date
    becomes_from: date | None


def moved(
    periods: Sequence[Period], wrong: Period, day: date, *, first: date, last: date
) -> Period:
    """The period from another day on, in its place among the others.

    Args:
        periods: the timeline that stands.
        wrong: one of it.
        day: from when it is to hold.
        first: the first month payable by the decision to grant.
        last: the month that comes next.

    Raises:
        Unprocessable: the day lies before `first`, after `last`, or in another period.
    """
    place = list(periods).index(wrong)
    if place:
        first = max(first, periods[place - 1].from_ + _DAY)
    if place + 1 < len(periods):
        last = min(last, periods[place + 1].from_ - _DAY)
    if not first <= day <= last:
        detail = f"应在 {first} 至 {last} 之间：不早于首个应发月，不晚于下月，不越过相邻的一段"
        raise Unprocessable("更正有误", errors=[FieldError("/valid_from", detail)])
    return replace(wrong, from_=day)


def put_right(periods: Sequence[Period], wrong: Period, right: Period | None) -> tuple[Period, ...]:
    """The timeline with another period in the place of the wrong one, or with none.

    Raises:
        Unprocessable: no period would be left.
    """
    others = [one for one in periods if one != wrong]
    kept = others if right is None else [*others, right]
    if not kept:
        raise Unprocessable("更正有误", errors=[FieldError("/withdrawn", "须至少保留一段")])
    return rules.merged(sorted(kept, key=lambda one: one.from_))
