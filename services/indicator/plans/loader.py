"""Reads a plan's folder: a plan is data, and a mistake in it is found when it is loaded."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.events.eldercare import FacilityFunction, FacilityKind
from contracts.model import UnitId
from services.indicator.ledger.rules import (
    ComprehensiveFunctions,
    InstitutionKinds,
    KeyKind,
    Measure,
    MeasureKind,
    Parameters,
    ReportedAt,
)
from services.indicator.plans.expressions import (
    Expression,
    ExpressionError,
    Number,
    parse,
    percentage,
)
from services.indicator.plans.rules import (
    Beside,
    Indicator,
    IndicatorKind,
    Judged,
    Operator,
    Owner,
    Part,
    Plan,
    ReportDue,
    Target,
    TargetStatus,
)

PLAN = "yubei-145"


class PlanError(ValueError):
    """The message names the file, and in it the measure, indicator or target."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _OwnerRow(_Row):
    from_: date = Field(alias="from")
    organ: str


class _KindsRow(_Row):
    from_: date = Field(alias="from")
    kinds: frozenset[FacilityKind]


class _FunctionsRow(_Row):
    from_: date = Field(alias="from")
    functions: frozenset[FacilityFunction] = Field(min_length=1)


class _DayRow(_Row):
    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)


class _ReportDueRow(_DayRow):
    year: int


class _PlanRow(_Row):
    code: str
    name: str
    edition: str
    version: int = Field(ge=1)
    district: UnitId
    scope: str
    baseline_on: date
    ends_on: date
    freeze: _DayRow
    owners: tuple[_OwnerRow, ...]
    institution_kinds: tuple[_KindsRow, ...]
    comprehensive_functions: tuple[_FunctionsRow, ...]


class _MeasureRow(_Row):
    name: str
    kind: MeasureKind
    key: KeyKind = KeyKind.NONE
    unit: str
    service: str
    topic: str | None = None
    reported_at: ReportedAt | None = None
    starts: date | None = None
    yearly: bool = False
    decimals: int = 0
    note: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> "_MeasureRow":
        if (self.topic is None) is (self.reported_at is None):
            raise ValueError("a measure has either a topic or reported_at")
        if (self.kind is MeasureKind.PRESENCE) is (self.key is KeyKind.NONE):
            raise ValueError("a presence has a key, and nothing else has one")
        if self.key is KeyKind.TOWN and self.reported_at is ReportedAt.DISTRICT:
            raise ValueError("a presence by town is reported by the towns")
        if self.yearly and self.kind is not MeasureKind.LEVEL:
            raise ValueError("only a level can be yearly")
        if self.starts and self.topic is None:
            raise ValueError("a reported measure starts with its first figure")
        return self


class _IndicatorRow(_Row):
    no: int
    name: str
    unit: str
    kind: IndicatorKind
    version: int = Field(ge=1)
    definition: str
    value: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    scope: str | None = None
    baseline: Decimal | None
    decimals: int
    judged: Judged
    per_town: bool
    section: str
    owners: tuple[_OwnerRow, ...] = ()
    missing: str
    missing_decimals: int = 0
    reports_due: tuple[_ReportDueRow, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> "_IndicatorRow":
        ratio = (self.numerator is not None, self.denominator is not None)
        if ratio not in {(True, True), (False, False)} or ratio[0] is (self.value is not None):
            raise ValueError("an indicator has either value or numerator and denominator")
        return self


class _TargetRow(_Row):
    id: str
    operator: Operator
    value: Decimal | None = None
    reference: str | None = None
    printed: str
    due: date | None
    section: str
    scope: str | None = None
    status: TargetStatus
    governing: bool = False
    measured: str | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_goal(self) -> "_TargetRow":
        if (self.value is None) is (self.reference is None):
            raise ValueError("a target has either value or reference")
        return self


class _BesideRow(_Row):
    name: str
    measure: str
    urban: str
    rural: str
    unit: str
    decimals: int = Field(ge=0)
    note: str = ""


@cache
def load_plan(code: str = PLAN) -> Plan:
    """The plan packaged under `code`."""
    return read_plan(files(__package__) / code)


def read_plan(folder: Traversable) -> Plan:
    """The plan in a folder of its files; raises PlanError."""
    plan = _checked(_PlanRow, _yaml(folder, "plan.yaml"), "plan.yaml")
    measures = _each(folder, "measures.yaml", _measure)
    targets = _yaml(folder, "targets.yaml")

    def indicator(code: str, row: object) -> Indicator:
        return _indicator(code, row, targets.pop(code, []), plan, measures)

    indicators = _each(folder, "indicators.yaml", indicator)

    def beside(code: str, row: object) -> Beside:
        return _beside(code, row, measures)

    if targets:
        raise PlanError(f"targets.yaml: no indicator {', '.join(targets)}")
    return Plan(
        code=plan.code,
        name=plan.name,
        edition=plan.edition,
        version=plan.version,
        district=plan.district,
        scope=plan.scope,
        baseline_on=plan.baseline_on,
        ends_on=plan.ends_on,
        freeze_month=plan.freeze.month,
        freeze_day=plan.freeze.day,
        parameters=Parameters(
            tuple(InstitutionKinds(row.from_, row.kinds) for row in plan.institution_kinds),
            tuple(
                ComprehensiveFunctions(row.from_, row.functions)
                for row in plan.comprehensive_functions
            ),
            measures,
        ),
        indicators=tuple(sorted(indicators.values(), key=lambda i: i.no)),
        beside=tuple(_each(folder, "beside.yaml", beside).values()),
    )


def _yaml(folder: Traversable, name: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PlanError(f"{name}: {error}") from error
    if not isinstance(content, dict):
        raise PlanError(f"{name}: must be a mapping")
    return content


_Made = TypeVar("_Made")
_RowType = TypeVar("_RowType", bound=_Row)


def _each(folder: Traversable, name: str, make: Callable[[str, object], _Made]) -> dict[str, _Made]:
    made = {}
    for code, row in _yaml(folder, name).items():
        try:
            made[code] = make(code, row)
        except ExpressionError as error:
            raise PlanError(f"{name}: {code}: {error}") from error
    return made


def _checked(row_type: type[_RowType], content: object, where: str) -> _RowType:
    try:
        return row_type.model_validate(content)
    except ValidationError as error:
        raise PlanError(f"{where}: {error}") from error


def _measure(code: str, content: object) -> Measure:
    row = _checked(_MeasureRow, content, f"measures.yaml: {code}")
    return Measure(code=code, **row.model_dump())


def _indicator(
    code: str,
    content: object,
    target_rows: list[object],
    plan: _PlanRow,
    measures: Mapping[str, Measure],
) -> Indicator:
    row = _checked(_IndicatorRow, content, f"indicators.yaml: {code}")
    numerator = _expression(row.numerator, measures)
    denominator = _expression(row.denominator, measures)
    where = f"targets.yaml: {code}"
    scope = row.scope or plan.scope
    targets = tuple(_target(content, scope, measures, where) for content in target_rows)
    if sum(target.governing for target in targets) != 1:
        raise PlanError(f"{where}: exactly one target governs")
    return Indicator(
        code=code,
        **row.model_dump(
            exclude={"value", "numerator", "denominator", "scope", "owners", "reports_due"},
        ),
        scope=scope,
        formula=row.value or f"100 * {row.numerator} / {row.denominator}",
        value=(
            percentage(numerator, denominator)
            if numerator and denominator
            else parse(row.value or "", measures)
        ),
        numerator=numerator,
        denominator=denominator,
        owners=tuple(Owner(o.from_, o.organ) for o in row.owners or plan.owners),
        reports_due=tuple(ReportDue(**rule.model_dump()) for rule in row.reports_due),
        targets=targets,
    )


def _target(content: object, scope: str, measures: Mapping[str, Measure], where: str) -> Target:
    row = _checked(_TargetRow, content, where)
    try:
        reference = _expression(row.reference, measures)
        measured = _expression(row.measured, measures)
    except ExpressionError as error:
        raise PlanError(f"{where}: {row.id}: {error}") from error
    return Target(
        **row.model_dump(exclude={"scope", "measured"}),
        goal=reference or Number(Fraction(row.value or 0)),
        scope=row.scope or scope,
        measured=measured,
    )


def _beside(code: str, content: object, measures: Mapping[str, Measure]) -> Beside:
    row = _checked(_BesideRow, content, f"beside.yaml: {code}")
    parts = {Part.TOTAL: row.measure, Part.URBAN: row.urban, Part.RURAL: row.rural}
    for measure in parts.values():
        if measure not in measures:
            raise PlanError(f"beside.yaml: {code}: {measure!r} is not a declared measure")
    return Beside(code, row.name, parts, row.unit, row.decimals, row.note)


def _expression(text: str | None, measures: Mapping[str, Measure]) -> Expression | None:
    return None if text is None else parse(text, measures)
