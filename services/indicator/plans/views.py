"""Readings as they are shown: published numbers, Chinese words, codes of the day."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from services.indicator.ledger.rules import KeyKind, Measure
from services.indicator.plans.access import Desk, View
from services.indicator.plans.expressions import Figure
from services.indicator.plans.readings import Made
from services.indicator.plans.rules import (
    KIND_NAMES,
    TARGET_STATUS_NAMES,
    Assessment,
    Gap,
    Indicator,
    Plan,
    Reading,
    Status,
    Target,
    TargetStatus,
    Verdict,
    publish,
    straight_line,
)
from services.indicator.plans.schemas import (
    CellView,
    GapView,
    IndicatorItem,
    IndicatorSeries,
    PathPoint,
    PointView,
    SeriesTarget,
    TargetView,
    TownView,
    VerdictCounts,
    VerdictView,
)

QUARTER_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))
FINEST = 6
"""Decimals of what is shown unrounded, should a value not end before."""


def plain(value: Fraction | Decimal | None) -> str | None:
    """A count or an amount as it is, without zeros that say nothing."""
    text = publish(value, FINEST)
    return None if text is None else text.rstrip("0").rstrip(".")


def item(desk: Desk, seen: View, made: Made, reported: Mapping[str, date]) -> IndicatorItem:
    reading = made.reading
    one = reading.indicator
    days = [reported[code] for code, _ in made.sources if code in reported]
    reported_on = max(days, default=None)
    return IndicatorItem(
        no=one.no,
        code=one.code,
        name=one.name,
        unit=one.unit,
        kind=KIND_NAMES[one.kind],
        value=publish(reading.value, one.decimals),
        numerator=plain(reading.numerator),
        denominator=plain(reading.denominator),
        baseline=f"{one.baseline:f}" if one.baseline is not None and seen.unit is None else None,
        targets=[target_view(one, assessed) for assessed in reading.assessments],
        status=reading.governing.status,
        origin=origin(made),
        reported_on=reported_on,
        age_days=(seen.as_of - reported_on).days if reported_on else None,
        as_of=seen.as_of,
        known_on=seen.known_on,
        scope=seen.code or one.scope,
        scope_name=scope_name(desk, seen, one.scope),
        per_town=one.per_town,
        provisional=is_provisional(one, seen.as_of, min(seen.known_on or desk.today, desk.today)),
        conflict=has_conflict(one),
        missing=missing_towns(desk, made),
        unreported=unreported_towns(desk, made),
        owner=one.owner_on(seen.as_of),
        section=one.section,
        definition=one.definition,
        decimals=one.decimals,
        note=one.note,
        warnings=warnings(reading),
    )


def scope_name(desk: Desk, seen: View, scope: str) -> str:
    """What is looked at, as one says it: the scope (管辖口径) by its name, or the unit."""
    if seen.unit is None:
        return desk.scopes[scope].name
    return desk.register.name_of(seen.unit, seen.as_of) or ""


def warnings(reading: Reading) -> list[str]:
    """What cannot be right and yet was told, in Chinese: a share of more than the whole."""
    part, whole = reading.numerator, reading.denominator
    if reading.indicator.unit != "%" or part is None or whole is None or part <= whole:
        return []
    return [f"分子 {plain(part)} 大于分母 {plain(whole)}，请核对"]


def target_view(one: Indicator, assessed: Assessment) -> TargetView:
    target = assessed.target
    return TargetView(
        id=target.id,
        operator=target.operator,
        value=None if target.value is None else f"{target.value:f}",
        reference=None if target.reference is None else target.printed,
        printed=target.printed,
        goal=plain(assessed.goal),
        due=target.due,
        section=target.section,
        scope=target.scope,
        standing=TARGET_STATUS_NAMES[target.status],
        status=assessed.status,
        governing=target.governing,
        measured_value=publish(assessed.value, one.decimals),
        judged_on=assessed.judged_on,
        path=publish(assessed.path, one.decimals),
        due_passed=assessed.due_passed,
        note=target.note,
        gap=None if assessed.gap is None else gap_view(assessed.gap),
    )


def gap_view(gap: Gap) -> GapView:
    return GapView(amount=f"{gap.amount:f}", more=gap.more, thing=gap.thing)


def origin(made: Made) -> str | None:
    """Whether what is known comes from events of the domains or from reported figures (填报)."""
    by_event = {made.values.measures[code].topic is not None for code, _ in made.sources}
    if len(by_event) > 1:
        return "mixed"
    return {True: "events", False: "reported"}[by_event.pop()] if by_event else None


def is_provisional(one: Indicator, as_of: date, known_on: date) -> bool:
    """Whether reports that the figure of the year rests on may still come in."""
    until = one.provisional_until(as_of)
    return until is not None and known_on <= until


def has_conflict(one: Indicator) -> bool:
    """Whether the plan sets the same thing differently in several places (domain.md A12)."""
    said = {
        (target.operator, target.value, target.reference)
        for target in one.targets
        if target.measured is None and target.status is not TargetStatus.TO_CONFIRM
    }
    return len(said) > 1


def missing_towns(desk: Desk, made: Made) -> list[TownView]:
    """Of what every town should have, the towns that have none; empty where nothing is known."""
    day = made.reading.day
    measure = town_presence(desk.plan, made.reading.indicator)
    if measure is None or made.reading.numerator is None:
        return []
    without = made.values.area.towns(day) - made.values.present(measure, day)
    return [town_view(desk, town, day) for town in sorted(without)]


def unreported_towns(desk: Desk, made: Made) -> list[TownView]:
    """The towns whose figure is not in the sum, because they have told none."""
    towns = (made.values.unreported(desk.plan.measures[code], day) for code, day in made.sources)
    return [
        town_view(desk, town, made.reading.day) for town in sorted(frozenset[int]().union(*towns))
    ]


def town_presence(plan: Plan, one: Indicator) -> Measure | None:
    if not isinstance(one.numerator, Figure):
        return None
    measure = plan.measures[one.numerator.measure]
    return measure if measure.key is KeyKind.TOWN else None


def town_view(desk: Desk, town: int, day: date) -> TownView:
    return TownView(
        division=desk.register.code_of(town, day), name=desk.register.name_of(town, day)
    )


def verdict_view(counted: Verdict) -> VerdictView:
    return VerdictView(binding=_counts(counted.binding), expected=_counts(counted.expected))


def _counts(counted: Mapping[Status, int]) -> VerdictCounts:
    return VerdictCounts(**{status.value: number for status, number in counted.items()})


def cell(reading: Reading) -> CellView:
    return CellView(
        value=publish(reading.value, reading.indicator.decimals),
        numerator=plain(reading.numerator),
        denominator=plain(reading.denominator),
        status=reading.governing.status,
    )


def series(
    plan: Plan, one: Indicator, readings: Sequence[Reading], *, line: bool
) -> IndicatorSeries:
    target = one.governing
    return IndicatorSeries(
        code=one.code,
        points=[PointView(on=reading.day, **cell(reading).model_dump()) for reading in readings],
        path=path(plan, one, target) if line else [],
        target=SeriesTarget(
            operator=target.operator, value=None if target.value is None else f"{target.value:f}"
        ),
    )


def path(plan: Plan, one: Indicator, target: Target) -> list[PathPoint]:
    """The straight line from the baseline to the target, at the ends of the years."""
    if one.baseline is None or target.value is None:
        return []
    end = target.due or plan.ends_on
    days = [plan.baseline_on, *period_ends(plan.baseline_on, end, quarters=False)]
    return [
        PathPoint(
            on=day,
            value=publish(
                straight_line(
                    Fraction(one.baseline), Fraction(target.value), plan.baseline_on, end, day
                ),
                one.decimals,
            )
            or "",
        )
        for day in sorted(set(days))
    ]


def period_ends(first: date, last: date, *, quarters: bool) -> list[date]:
    """The ends of the years (or quarters) from `first` to `last`, and `last` itself."""
    ends = QUARTER_ENDS if quarters else QUARTER_ENDS[-1:]
    days = {
        date(year, month, day) for year in range(first.year, last.year + 1) for month, day in ends
    }
    return sorted({day for day in days if first <= day <= last} | {last})
