"""A plan's indicators and targets: what is read on a day, how it stands, what is missing.

Domain.md A10: values are compared unrounded, an empty denominator is NA, Table 1 governs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from services.indicator.ledger.rules import Measure, Parameters, in_force
from services.indicator.plans.expressions import (
    Expression,
    Need,
    Number,
    Values,
    evaluate,
    requirements,
    used,
)


class IndicatorKind(StrEnum):
    BINDING = "binding"
    EXPECTED = "expected"


KIND_NAMES = {IndicatorKind.BINDING: "约束性", IndicatorKind.EXPECTED: "预期性"}


class Judged(StrEnum):
    """The day whose value is held against the targets."""

    AS_OF = "as_of"
    LAST_WHOLE_YEAR = "last_whole_year"


class Operator(StrEnum):
    AT_LEAST = ">="
    ABOVE = ">"
    AT_MOST = "<="
    EXACTLY = "=="


class TargetStatus(StrEnum):
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    TO_CONFIRM = "to_confirm"


TARGET_STATUS_NAMES = {
    TargetStatus.IN_FORCE: "有效",
    TargetStatus.SUPERSEDED: "以表1为准",
    TargetStatus.TO_CONFIRM: "待确认",
}


class Status(StrEnum):
    DONE = "done"
    ON_COURSE = "on_course"
    BEHIND = "behind"
    NOT_ASSESSABLE = "not_assessable"


STATUS_NAMES = {
    Status.DONE: "已完成",
    Status.ON_COURSE: "进度正常",
    Status.BEHIND: "落后",
    Status.NOT_ASSESSABLE: "无法评判",
}


@dataclass(frozen=True, slots=True)
class Target:
    """One target as one place of the plan sets it: a `value`, or a `reference` that moves.

    `measured` is what it speaks of where that is not the indicator itself (持证 for #7).
    """

    id: str
    operator: Operator
    goal: Expression
    value: Decimal | None
    reference: str | None
    printed: str
    due: date | None
    section: str
    scope: str
    status: TargetStatus
    governing: bool
    measured: Expression | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """The lead organ (牵头单位) from a day on."""

    from_: date
    organ: str


@dataclass(frozen=True, slots=True)
class ReportDue:
    """From the figures of `year` on, the report they rest on is due on this day a year later."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Indicator:
    """One line of Table 1. `formula` is the text of the value's expression, for who wants it.

    `missing` names the things that a gap counts, `missing_decimals` how finely.
    """

    no: int
    code: str
    name: str
    unit: str
    kind: IndicatorKind
    version: int
    definition: str
    formula: str
    value: Expression
    numerator: Expression | None
    denominator: Expression | None
    scope: str
    baseline: Decimal | None
    decimals: int
    judged: Judged
    per_town: bool
    section: str
    owners: tuple[Owner, ...]
    missing: str
    missing_decimals: int
    reports_due: tuple[ReportDue, ...]
    targets: tuple[Target, ...]
    note: str = ""

    @property
    def governing(self) -> Target:
        return next(target for target in self.targets if target.governing)

    def owner_on(self, day: date) -> str | None:
        owner = in_force(self.owners, day)
        return None if owner is None else owner.organ

    def provisional_until(self, day: date) -> date | None:
        """The day until which the figure of `day`'s year rests on reports not yet due."""
        rules = [rule for rule in self.reports_due if rule.year <= day.year]
        return date(day.year + 1, rules[-1].month, rules[-1].day) if rules else None


class Part(StrEnum):
    """What a figure beside the indicators is told for."""

    TOTAL = "total"
    URBAN = "urban"
    RURAL = "rural"


@dataclass(frozen=True, slots=True)
class Beside:
    """A figure of the day's work (业务数据) that stands beside the indicators, without a target.

    `measures` are those of its parts; the total may be more than the two areas together.
    """

    code: str
    name: str
    measures: Mapping[Part, str]
    unit: str
    decimals: int
    note: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan; `version` is that of its definitions, `district` the unit that it was made for.

    `scope` is the one that its indicators are counted over, unless one names another.
    """

    code: str
    name: str
    edition: str
    version: int
    district: int
    scope: str
    baseline_on: date
    ends_on: date
    freeze_month: int
    freeze_day: int
    parameters: Parameters
    indicators: tuple[Indicator, ...]
    beside: tuple[Beside, ...]

    @property
    def measures(self) -> Mapping[str, Measure]:
        return self.parameters.measures

    @property
    def scopes(self) -> frozenset[str]:
        """Codes of the scopes that its indicators are counted over."""
        return frozenset(indicator.scope for indicator in self.indicators)

    def indicator(self, code: str) -> Indicator | None:
        return next((i for i in self.indicators if i.code == code), None)

    def frozen_on(self, year: int) -> date:
        """Freeze date of the year's figures: what is learnt later is a restatement."""
        return date(year + 1, self.freeze_month, self.freeze_day)


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing (or, if not `more`, too much) until the target is met, other things equal."""

    amount: Decimal
    more: bool
    thing: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """How one target stands; `path` is where the straight line from the baseline is that day."""

    target: Target
    judged_on: date
    value: Fraction | None
    goal: Fraction | None
    path: Fraction | None
    status: Status
    due_passed: bool
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One indicator on one day; `sources` are the measures and days that the value is made of."""

    indicator: Indicator
    day: date
    value: Fraction | None
    numerator: Fraction | None
    denominator: Fraction | None
    sources: frozenset[Need]
    assessments: tuple[Assessment, ...]

    @property
    def governing(self) -> Assessment:
        return next(a for a in self.assessments if a.target.governing)


def judged_on(indicator: Indicator, day: date) -> date:
    """The day whose value the targets are held against: 31 December closes a whole year."""
    if indicator.judged is Judged.AS_OF or (day.month, day.day) == (12, 31):
        return day
    return date(day.year - 1, 12, 31)


def reading_requirements(indicator: Indicator, day: date) -> frozenset[Need]:
    """Every measure and day that `read` may ask for, to be fetched at once."""
    judged = judged_on(indicator, day)
    parts = [indicator.value, indicator.numerator, indicator.denominator]
    held = [part for t in indicator.targets for part in (t.goal, t.measured)]
    return frozenset[Need]().union(
        *(requirements(part, on) for part in parts if part for on in (day, judged)),
        *(requirements(part, judged) for part in held if part),
    )


def read(
    plan: Plan, indicator: Indicator, values: Values, day: date, *, whole: bool = True
) -> Reading:
    """The indicator on `day`, with each of its targets assessed.

    A target that is a number of things (7,000 beds) is the whole district's: a part of the
    district (`whole` false) is not held against it. A rate is a yardstick for each part.
    """
    held = whole or indicator.denominator is not None
    return Reading(
        indicator=indicator,
        day=day,
        value=evaluate(indicator.value, values, day),
        numerator=_optional(indicator.numerator, values, day),
        denominator=_optional(indicator.denominator, values, day),
        sources=used(indicator.value, values, day),
        assessments=tuple(
            _assess(plan, indicator, target, values, day)
            if held
            else _not_held(indicator, target, values, day)
            for target in indicator.targets
        ),
    )


def _optional(expression: Expression | None, values: Values, day: date) -> Fraction | None:
    return None if expression is None else evaluate(expression, values, day)


def _assess(
    plan: Plan, indicator: Indicator, target: Target, values: Values, day: date
) -> Assessment:
    judged = judged_on(indicator, day)
    value = evaluate(target.measured or indicator.value, values, judged)
    goal = evaluate(target.goal, values, judged)
    path = _path(plan, indicator, target, goal, judged)
    due_passed = target.due is not None and day >= target.due
    return Assessment(
        target=target,
        judged_on=judged,
        value=value,
        goal=goal,
        path=path,
        status=status(target.operator, value, goal, path, due_passed=due_passed),
        due_passed=due_passed,
        gap=_gap(indicator, target, values, judged),
    )


def _not_held(indicator: Indicator, target: Target, values: Values, day: date) -> Assessment:
    judged = judged_on(indicator, day)
    return Assessment(
        target=target,
        judged_on=judged,
        value=evaluate(target.measured or indicator.value, values, judged),
        goal=evaluate(target.goal, values, judged),
        path=None,
        status=Status.NOT_ASSESSABLE,
        due_passed=target.due is not None and day >= target.due,
        gap=None,
    )


def satisfies(operator: Operator, value: Fraction, goal: Fraction) -> bool:
    """Whether the unrounded value meets the goal."""
    match operator:
        case Operator.AT_LEAST:
            return value >= goal
        case Operator.ABOVE:
            return value > goal
        case Operator.AT_MOST:
            return value <= goal
        case Operator.EXACTLY:
            return value == goal


def status(
    operator: Operator,
    value: Fraction | None,
    goal: Fraction | None,
    path: Fraction | None,
    *,
    due_passed: bool,
) -> Status:
    """Done, or after the due date behind; before it, held against the straight line `path`."""
    if value is None or goal is None:
        return Status.NOT_ASSESSABLE
    if satisfies(operator, value, goal):
        return Status.DONE
    if due_passed:
        return Status.BEHIND
    if path is None:
        return Status.NOT_ASSESSABLE
    return Status.ON_COURSE if _on_path(operator, value, goal, path) else Status.BEHIND


def _on_path(operator: Operator, value: Fraction, goal: Fraction, path: Fraction) -> bool:
    """Whether the value is as far as the path; beyond a goal that is exact, it is not."""
    match operator:
        case Operator.AT_MOST:
            return value <= path
        case Operator.EXACTLY:
            return min(path, goal) <= value <= max(path, goal)
        case _:
            return value >= path


def straight_line(
    baseline: Fraction, goal: Fraction, start: date, end: date, day: date
) -> Fraction:
    """Where the line from `baseline` at `start` to `goal` at `end` is on `day`; flat outside."""
    within = min(max(day, start), end)
    return baseline + (goal - baseline) * Fraction((within - start).days, (end - start).days)


def _path(
    plan: Plan, indicator: Indicator, target: Target, goal: Fraction | None, day: date
) -> Fraction | None:
    if not isinstance(target.goal, Number):
        return goal  # a goal that moves by itself is set anew each year and has no line to it
    if indicator.baseline is None or target.measured is not None or goal is None:
        return None
    end = target.due or plan.ends_on
    return straight_line(Fraction(indicator.baseline), goal, plan.baseline_on, end, day)


def _gap(indicator: Indicator, target: Target, values: Values, day: date) -> Gap | None:
    """In units of the numerator (with the denominator as it is), else of the value itself."""
    value = evaluate(target.measured or indicator.value, values, day)
    goal = evaluate(target.goal, values, day)
    if value is None or goal is None:
        return None
    if target.measured is None and indicator.denominator is not None:
        numerator = _optional(indicator.numerator, values, day)
        denominator = _optional(indicator.denominator, values, day)
        if numerator is None or denominator is None:
            return None
        value, goal = numerator, goal * denominator / 100
    return gap(target.operator, value, goal, indicator.missing, indicator.missing_decimals)


def gap(
    operator: Operator, value: Fraction, goal: Fraction, thing: str, decimals: int
) -> Gap | None:
    """The least amount, in whole steps of 10^-decimals, that meets the goal; None if it is met."""
    if satisfies(operator, value, goal):
        return None
    steps = abs(goal - value) * 10**decimals
    count = floor(steps) + 1 if operator is Operator.ABOVE else ceil(steps)
    return Gap(amount=Decimal(count).scaleb(-decimals), more=value <= goal, thing=thing)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many indicators stand how, by their governing targets; the binding ones apart."""

    binding: Mapping[Status, int]
    expected: Mapping[Status, int]


def verdict(readings: Iterable[Reading]) -> Verdict:
    counts = {kind: Counter(dict.fromkeys(Status, 0)) for kind in IndicatorKind}
    for reading in readings:
        counts[reading.indicator.kind][reading.governing.status] += 1
    return Verdict(counts[IndicatorKind.BINDING], counts[IndicatorKind.EXPECTED])


def publish(value: Fraction | Decimal | None, decimals: int) -> str | None:
    """The value as it is published: rounded half up, with all its decimals; NA stays None."""
    if value is None:
        return None
    exact = Fraction(value) * 10**decimals
    rounded = floor(abs(exact) + Fraction(1, 2))
    return f"{Decimal(rounded if exact >= 0 else -rounded).scaleb(-decimals):f}"
