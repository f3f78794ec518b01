"""What is shown of facilities: on a day, as known at the end of another."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import end_of, today
from chassis.paging import Page, decode_cursor, encode_cursor
from chassis.problems import FieldError, NotFound, Unprocessable
from contracts.events.eldercare import FacilityPeriod
from services.eldercare.facilities import repository, rules
from services.eldercare.facilities.repository import Search, Snapshot, View
from services.eldercare.facilities.rules import Fact, Place
from services.eldercare.facilities.schemas import (
    AssessmentView,
    BedsView,
    FacilitySummary,
    FacilityTimeline,
    FacilityView,
    FactView,
    KindTotalView,
    OperatorView,
    PageQuery,
    PeriodView,
    SearchQuery,
    ViewQuery,
)
from services.eldercare.facilities.service import Territory
from services.eldercare.facilities.texts import KINDS, SERIES, value_text


async def one(
    session: AsyncSession, territory: Territory, facility_id: UUID, asked: ViewQuery
) -> tuple[FacilityView, int]:
    """One facility on a day, and its version."""
    view = _view(session, territory.units, asked)
    found = await repository.snapshot(session, view, facility_id)
    if found is None:
        raise NotFound
    return _show(territory, found, view.as_of), found.version


async def page(session: AsyncSession, territory: Territory, asked: PageQuery) -> Page[FacilityView]:
    view = _view(session, territory.units, asked)
    found = await repository.listed(
        session,
        view,
        _search(territory, asked, view.as_of),
        after=_after(asked.cursor),
        limit=asked.limit + 1,
    )
    more = len(found) > asked.limit
    items = [_show(territory, each, view.as_of) for each in found[: asked.limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].id)) if more else None)


async def everything(
    session: AsyncSession, territory: Territory, asked: SearchQuery
) -> list[FacilityView]:
    """All that a search finds, for an export."""
    view = _view(session, territory.units, asked)
    search = _search(territory, asked, view.as_of)
    found = await repository.listed(session, view, search, after=None, limit=None)
    return [_show(territory, each, view.as_of) for each in found]


async def summary(
    session: AsyncSession, territory: Territory, asked: SearchQuery
) -> FacilitySummary:
    view = _view(session, territory.units, asked)
    totals = await repository.totals(session, view, _search(territory, asked, view.as_of))
    return FacilitySummary(
        as_of=view.as_of,
        items=[
            KindTotalView(
                kind=each.kind,
                title=KINDS[each.kind],
                facilities=each.facilities,
                beds=BedsView(total=each.beds, nursing=each.nursing_beds, in_use=each.beds_in_use),
            )
            for each in totals
        ],
        facilities=sum(each.facilities for each in totals),
        beds=BedsView(
            total=sum(each.beds for each in totals),
            nursing=sum(each.nursing_beds for each in totals),
            in_use=sum(each.beds_in_use for each in totals),
        ),
    )


async def timeline(
    session: AsyncSession, territory: Territory, facility_id: UUID, known_on: date | None
) -> FacilityTimeline:
    """A facility's periods, and everything recorded of it until the end of a day."""
    if await repository.find(session, territory.units, facility_id) is None:
        raise NotFound
    before = _before(known_on)
    recorded = await repository.facts_of(session, facility_id)
    facts = [fact for fact in recorded if before is None or fact.recorded_at < before]
    if not facts:
        raise NotFound
    superseded_by = {fact.supersedes: fact.id for fact in facts if fact.supersedes}
    return FacilityTimeline(
        id=facility_id,
        periods=[
            _show_period(territory, period) for period in rules.timeline(facility_id, facts).periods
        ],
        facts=[_show_fact(territory, fact, superseded_by.get(fact.id)) for fact in facts],
    )


def _view(session: AsyncSession, units: Collection[int], asked: ViewQuery) -> View:
    return View(units, asked.as_of or today(session), _before(asked.known_on))


def _search(territory: Territory, asked: SearchQuery, as_of: date) -> Search:
    within = None
    if asked.division is not None:
        unit_id = territory.named(asked.division, "/query/division")
        within = territory.register.covered(unit_id, as_of)
    return Search(
        within=within,
        kind=asked.kind,
        operator_kind=asked.operator_kind,
        state=asked.state,
        function=asked.function,
        name_contains=asked.q,
    )


def _after(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, (str,))
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError:
        raise Unprocessable(
            "分页游标无效", errors=[FieldError("/query/cursor", "不是本接口返回的游标")]
        ) from None


def _show(territory: Territory, found: Snapshot, as_of: date) -> FacilityView:
    register = territory.register
    town = register.town_of(found.unit_id, as_of)
    assessment = (
        None
        if found.assessed_on is None or found.passed is None
        else AssessmentView(assessed_on=found.assessed_on, passed=found.passed, score=found.score)
    )
    return FacilityView(
        id=found.id,
        as_of=as_of,
        state=found.state,
        opened_on=found.opened_on,
        closed_on=found.closed_on,
        name=found.name,
        kind=found.kind,
        division=register.code_of(found.unit_id, as_of),
        division_name=register.name_of(found.unit_id, as_of),
        town_name=None if town is None else register.name_of(town, as_of),
        address=found.address,
        operator=OperatorView(name=found.operator_name, kind=found.operator_kind),
        beds=BedsView(total=found.beds, nursing=found.nursing_beds, in_use=found.beds_in_use),
        functions=list(found.functions),
        assessment=assessment,
        warnings=rules.warnings(found.kind, found.beds),
    )


def _show_period(territory: Territory, period: FacilityPeriod) -> PeriodView:
    return PeriodView(
        from_=period.from_,
        division=territory.register.code_of(period.unit, period.from_),
        division_name=territory.register.name_of(period.unit, period.from_),
        kind=period.kind,
        operator_kind=period.operator,
        open=period.open,
        beds=BedsView(total=period.beds, nursing=period.nursing_beds, in_use=period.beds_in_use),
        functions=list(period.functions),
    )


def _show_fact(territory: Territory, fact: Fact, superseded_by: UUID | None) -> FactView:
    value = fact.value
    unit_id = value.unit_id if isinstance(value, Place) else None
    name = None if unit_id is None else territory.register.name_of(unit_id, fact.valid_from)
    return FactView(
        id=fact.id,
        series=fact.series,
        title=SERIES[fact.series],
        valid_from=fact.valid_from,
        text="" if value is None else value_text(value, name or ""),
        document=fact.document,
        recorded_at=fact.recorded_at,
        recorded_by=fact.recorded_by,
        supersedes=fact.supersedes,
        superseded_by=superseded_by,
        reason=fact.reason,
    )


def _before(known_on: date | None) -> datetime | None:
    return end_of(known_on) if known_on else None
