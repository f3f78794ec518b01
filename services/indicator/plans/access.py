"""Which part of the plan a caller may look at: first wall of every view."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import end_of, today
from chassis.law.units import Register, Scope
from chassis.problems import FieldError, NotFound, Unprocessable
from services.indicator.plans.grounds import Area, ScopeArea, UnitArea
from services.indicator.plans.rules import Indicator, Plan


class NotYours(NotFound):
    def __init__(self) -> None:
        super().__init__("未找到该区划，或不在您的管辖范围内")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a caller works with: the plan, the register, the units of theirs, the ledger."""

    session: AsyncSession
    plan: Plan
    register: Register
    scopes: Mapping[str, Scope]
    units: frozenset[int]
    divisions: tuple[str, ...]

    @property
    def today(self) -> date:
        return today(self.session)

    @property
    def default_day(self) -> date:
        return min(self.today, self.plan.ends_on)

    @property
    def sees_scopes(self) -> bool:
        """Whether every unit of the plan's scopes is the caller's, and the district itself."""
        members = (
            period.units for code in self.plan.scopes for period in self.scopes[code].periods
        )
        return frozenset({self.plan.district}).union(*members) <= self.units

    def indicator(self, code: str) -> Indicator:
        found = self.plan.indicator(code)
        if found is None:
            raise NotFound("规划中没有此指标")
        return found


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: without `unit` the plan's scopes; `code` is the unit's 12-digit code."""

    as_of: date
    known_on: date | None = None
    unit: int | None = None
    code: str | None = None

    @property
    def known_before(self) -> datetime | None:
        """The end of the day in Asia/Shanghai by which something had to be known."""
        if self.known_on is None:
            return None
        return end_of(self.known_on)


def view(desk: Desk, as_of: date | None, known_on: date | None, division: str | None) -> View:
    """The view that is asked for; without a division the scope, or a town's own unit.

    Raises:
        NotYours: the unit, or the scope, is not the caller's to see.
        Unprocessable: several units are the caller's own, and none was named.
    """
    day = as_of or desk.default_day
    unit = _own_unit(desk) if division is None else _unit(desk, division)
    if unit is None:
        return View(day, known_on, code=division)
    return View(day, known_on, unit, division or desk.register.code_of(unit, day))


def area_of(desk: Desk, seen: View, scope: str) -> Area:
    if seen.unit is None:
        return ScopeArea(desk.scopes[scope], desk.plan.district, desk.register)
    return UnitArea(seen.unit, desk.register)


def _unit(desk: Desk, division: str) -> int | None:
    """A code that a unit ever had names it: codes are unique over all time."""
    unit = desk.register.by_code(division)
    if unit is None or unit not in desk.units:
        raise NotYours
    if unit != desk.plan.district:
        return unit
    if not desk.sees_scopes:
        raise NotYours
    return None


def _own_unit(desk: Desk) -> int | None:
    if desk.sees_scopes:
        return None
    own = {desk.register.by_code(code) for code in desk.divisions} - {None}
    if not own:
        raise NotYours
    if len(own) > 1:
        raise Unprocessable(
            "请指明区划", errors=[FieldError("/query/division", "您管辖多个区划，请选择其一")]
        )
    return own.pop()
