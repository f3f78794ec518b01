"""Figures of the day's work (业务数据) beside the indicators: no targets, the same walls."""

from datetime import date

from chassis.paging import Page
from chassis.problems import NotFound
from services.indicator.beside.schemas import (
    BesideHead,
    BesideItem,
    BesideLineageQuery,
    BesideList,
    BesideMatrix,
    BesideMatrixQuery,
    BesideQuery,
    BesideRow,
    BesideValues,
)
from services.indicator.ledger.repository import Within
from services.indicator.ledger.rules import counted
from services.indicator.plans import views
from services.indicator.plans.access import Desk, View, area_of, view
from services.indicator.plans.expressions import Need
from services.indicator.plans.grounds import UnitArea
from services.indicator.plans.readings import fetch
from services.indicator.plans.rules import Beside, Part, publish
from services.indicator.plans.schemas import LineageItem
from services.indicator.plans.service import entries_page
from services.indicator.plans.values import LedgerValues


async def board(desk: Desk, asked: BesideQuery) -> BesideList:
    plan, seen = desk.plan, _seen(desk, asked)
    sums = await fetch(desk, seen, _needs(desk, seen.as_of))
    values = sums.over(area_of(desk, seen, plan.scope))
    return BesideList(
        as_of=seen.as_of,
        known_on=seen.known_on,
        division=seen.code,
        scope=seen.code or plan.scope,
        scope_name=views.scope_name(desk, seen, plan.scope),
        items=[
            BesideItem(
                **_head(one).model_dump(),
                **_values(one, values, seen.as_of).model_dump(),
                decimals=one.decimals,
                note=one.note,
            )
            for one in plan.beside
        ],
    )


async def matrix(desk: Desk, asked: BesideMatrixQuery) -> BesideMatrix:
    """The towns of the scope that the caller sees; after its end those below the caller's units."""
    seen = View(asked.as_of or desk.today, asked.known_on)
    sums = await fetch(desk, seen, _needs(desk, seen.as_of))
    rows = []
    for town in sorted(_towns(desk, seen.as_of)):
        values = sums.over(UnitArea(town, desk.register))
        cells = {one.code: _values(one, values, seen.as_of) for one in desk.plan.beside}
        rows.append(BesideRow(**views.town_view(desk, town, seen.as_of).model_dump(), cells=cells))
    return BesideMatrix(
        as_of=seen.as_of,
        known_on=seen.known_on,
        figures=[_head(one) for one in desk.plan.beside],
        rows=rows,
    )


async def lineage(desk: Desk, code: str, asked: BesideLineageQuery) -> Page[LineageItem]:
    """The entries that one part of a figure is made of; together they are the figure."""
    found = next((one for one in desk.plan.beside if one.code == code), None)
    if found is None:
        raise NotFound("没有此项业务数据")
    seen = _seen(desk, asked)
    measure = desk.plan.measures[found.measures[asked.area]]
    area = area_of(desk, seen, desk.plan.scope)
    values = (await fetch(desk, seen, {(measure.code, seen.as_of)})).over(area)
    spans = []
    if values.value(measure.code, seen.as_of) is not None:
        spans.append(Within(counted(measure, seen.as_of), area.covered(seen.as_of)))
    return await entries_page(desk, seen, spans, asked)


def _seen(desk: Desk, asked: BesideQuery | BesideLineageQuery) -> View:
    """As the plan is looked at, but today by default: the day's work goes on when a plan has ended.

    When its scope has ended, too, the caller's own district takes its place.
    """
    day = asked.as_of or desk.today
    seen = view(desk, day, asked.known_on, asked.division)
    own = _own(desk, day)
    if asked.division or seen.unit is not None or _members(desk, day) or len(own) != 1:
        return seen
    return View(day, asked.known_on, own[0], desk.register.last_code_of(own[0], day))


def _towns(desk: Desk, day: date) -> frozenset[int]:
    if members := _members(desk, day):
        return members & desk.units
    below = (desk.register.below(unit, day) for unit in _own(desk, day))
    return frozenset[int]().union(*below).intersection(desk.register.towns(day))


def _members(desk: Desk, day: date) -> frozenset[int]:
    return desk.scopes[desk.plan.scope].members(day)


def _own(desk: Desk, day: date) -> list[int]:
    """The caller's own units, as far as they exist on the day."""
    units = (desk.register.by_code(code) for code in desk.divisions)
    return [unit for unit in units if unit is not None and desk.register.below(unit, day)]


def _needs(desk: Desk, day: date) -> set[Need]:
    return {(measure, day) for one in desk.plan.beside for measure in one.measures.values()}


def _head(one: Beside) -> BesideHead:
    return BesideHead(code=one.code, name=one.name, unit=one.unit)


def _values(one: Beside, values: LedgerValues, day: date) -> BesideValues:
    def shown(part: Part) -> str | None:
        return publish(values.value(one.measures[part], day), one.decimals)

    return BesideValues(value=shown(Part.TOTAL), urban=shown(Part.URBAN), rural=shown(Part.RURAL))
