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
from services.indicator.plans.schemas import LineageItem, MatrixQuery
from services.indicator.plans.service import entries_page
from services.indicator.plans.values import LedgerValues


async def board(desk: Desk, seen: View) -> BesideList:
    plan = desk.plan
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


async def matrix(desk: Desk, asked: MatrixQuery) -> BesideMatrix:
    """The towns of the scope that the caller sees."""
    seen = View(asked.as_of or desk.default_day, asked.known_on)
    sums = await fetch(desk, seen, _needs(desk, seen.as_of))
    rows = []
    for town in sorted(desk.scopes[desk.plan.scope].members(seen.as_of) & desk.units):
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
    seen = view(desk, asked.as_of, asked.known_on, asked.division)
    measure = desk.plan.measures[found.measures[asked.area]]
    area = area_of(desk, seen, desk.plan.scope)
    values = (await fetch(desk, seen, {(measure.code, seen.as_of)})).over(area)
    spans = []
    if values.value(measure.code, seen.as_of) is not None:
        spans.append(Within(counted(measure, seen.as_of), area.covered(seen.as_of)))
    return await entries_page(desk, seen, spans, asked)


def _needs(desk: Desk, day: date) -> set[Need]:
    return {(measure, day) for one in desk.plan.beside for measure in one.measures.values()}


def _head(one: Beside) -> BesideHead:
    return BesideHead(code=one.code, name=one.name, unit=one.unit)


def _values(one: Beside, values: LedgerValues, day: date) -> BesideValues:
    def shown(part: Part) -> str | None:
        return publish(values.value(one.measures[part], day), one.decimals)

    return BesideValues(value=shown(Part.TOTAL), urban=shown(Part.URBAN), rural=shown(Part.RURAL))
