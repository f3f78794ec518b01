"""What the plan's pages ask: the board, one indicator, its line, its origins, the towns."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from uuid import UUID

from chassis import audit
from chassis.paging import Page, decode_cursor, encode_cursor
from chassis.problems import FieldError, Unprocessable
from services.indicator.ledger import repository
from services.indicator.ledger.models import LedgerEntry
from services.indicator.ledger.repository import Within
from services.indicator.ledger.rules import KNOWN, KeyKind
from services.indicator.plans import views
from services.indicator.plans.access import Desk, View, view
from services.indicator.plans.grounds import UnitArea
from services.indicator.plans.readings import (
    fetch,
    lineage_spans,
    readings,
    reported_days,
)
from services.indicator.plans.rules import read, reading_requirements, verdict
from services.indicator.plans.schemas import (
    IndicatorItem,
    IndicatorList,
    IndicatorSeries,
    LineageItem,
    LineageQuery,
    Matrix,
    MatrixIndicator,
    MatrixQuery,
    MatrixRow,
    PlanView,
    ScopeView,
    SeriesQuery,
)

MOST_POINTS = 100
MOST_UNIT = 999_999_999_999
PLACE = (str, str, str, str, str, int)
"""Kinds of a lineage cursor's parts: the entry's day, moment, event, measure, key and unit."""


def plan(desk: Desk) -> PlanView:
    one = desk.plan
    return PlanView(
        code=one.code,
        name=one.name,
        edition=one.edition,
        version=one.version,
        period_from=date(one.baseline_on.year + 1, 1, 1),
        period_to=one.ends_on,
        baseline_on=one.baseline_on,
        scopes=[ScopeView(code=code, name=desk.scopes[code].name) for code in sorted(one.scopes)],
        default_as_of=desk.default_day,
        today=desk.today,
    )


async def board(desk: Desk, seen: View) -> IndicatorList:
    """All indicators of the plan, with the verdict on them."""
    made = await readings(desk, seen, [(one, seen.as_of) for one in desk.plan.indicators])
    reported = await reported_days(desk, seen, made)
    return IndicatorList(
        as_of=seen.as_of,
        known_on=seen.known_on,
        division=seen.code,
        scope=seen.code or desk.plan.scope,
        verdict=views.verdict_view(verdict(one.reading for one in made)),
        items=[views.item(desk, seen, one, reported) for one in made],
    )


async def item(desk: Desk, seen: View, code: str) -> IndicatorItem:
    made = await readings(desk, seen, [(desk.indicator(code), seen.as_of)])
    return views.item(desk, seen, made[0], await reported_days(desk, seen, made))


async def series(desk: Desk, code: str, asked: SeriesQuery) -> IndicatorSeries:
    """One indicator at the ends of years or quarters, and on the last day asked for."""
    one = desk.indicator(code)
    seen = view(desk, asked.to, asked.known_on, asked.division)
    first = asked.from_ or desk.plan.baseline_on
    days = views.period_ends(first, seen.as_of, quarters=asked.step == "quarter")
    if len(days) > MOST_POINTS:
        raise Unprocessable(
            "时间范围过长", errors=[FieldError("/query/from", f"最多 {MOST_POINTS} 个时点")]
        )
    made = await readings(desk, seen, [(one, day) for day in days])
    line = seen.unit is None or one.denominator is not None
    return views.series(desk.plan, one, [each.reading for each in made], line=line)


async def matrix(desk: Desk, asked: MatrixQuery) -> Matrix:
    """The towns of the scope that the caller sees, by the indicators that exist per town."""
    seen = View(asked.as_of or desk.default_day, asked.known_on)
    columns = [one for one in desk.plan.indicators if one.per_town]
    members = desk.scopes[desk.plan.scope].members(seen.as_of)
    needs = {need for one in columns for need in reading_requirements(one, seen.as_of)}
    sums = await fetch(desk, seen, needs)
    rows = []
    for town in sorted(members & desk.units):
        values = sums.over(UnitArea(town, desk.register))
        cells = {
            one.code: views.cell(read(desk.plan, one, values, seen.as_of, whole=False))
            for one in columns
        }
        rows.append(MatrixRow(**views.town_view(desk, town, seen.as_of).model_dump(), cells=cells))
    return Matrix(
        as_of=seen.as_of,
        known_on=seen.known_on,
        indicators=[
            MatrixIndicator(code=one.code, no=one.no, name=one.name, unit=one.unit)
            for one in columns
        ],
        rows=rows,
    )


async def lineage(desk: Desk, code: str, asked: LineageQuery) -> Page[LineageItem]:
    """The entries that an indicator's value is made of; for each measure they add up to its figure.

    A presence (个数) is the number of keys whose entries add up to more than zero. A reported
    figure that moved nothing, a zero say, stands there with 0: it is what makes the value known.
    """
    seen = view(desk, asked.as_of, asked.known_on, asked.division)
    made = (await readings(desk, seen, [(desk.indicator(code), seen.as_of)]))[0]
    page = await entries_page(desk, seen, lineage_spans(made), asked)
    if any(desk.plan.measures[code].key is KeyKind.PERSON for code, _ in made.sources):
        await audit.record(
            desk.session, action="indicator.lineage.read", subject=f"{code} {seen.as_of}"
        )
    return page


async def entries_page(
    desk: Desk, seen: View, spans: Collection[Within], asked: LineageQuery
) -> Page[LineageItem]:
    """The entries of `spans` from where the cursor stands."""
    after = decode_cursor(asked.cursor, PLACE)
    if not spans:
        return Page(items=[])
    entries = await repository.lineage(
        desk.session,
        desk.units,
        spans,
        seen.known_before,
        after=_place(after) if after else None,
        limit=asked.limit + 1,
    )
    shown = entries[: asked.limit]
    more = len(entries) > asked.limit
    return Page(
        items=[_lineage_item(desk, entry, seen.as_of) for entry in shown],
        next_cursor=_cursor(shown[-1]) if more else None,
    )


def _lineage_item(desk: Desk, entry: LedgerEntry, as_of: date) -> LineageItem:
    measure = entry.measure.removesuffix(KNOWN)
    return LineageItem(
        event_id=entry.event_id,
        event_type=entry.event_type,
        type=entry.event_type,
        subject=entry.subject,
        topic=entry.topic,
        measure=measure,
        measure_name=desk.plan.measures[measure].name,
        key=entry.key,
        unit=desk.register.code_of(entry.unit_id, as_of),
        unit_name=desk.register.name_of(entry.unit_id, as_of),
        effective_date=entry.effective,
        recorded_at=entry.recorded_at,
        amount=(views.plain(entry.amount) or "") if measure == entry.measure else "0",
    )


def _cursor(entry: LedgerEntry) -> str:
    return encode_cursor(
        entry.effective.isoformat(),
        entry.recorded_at.isoformat(),
        str(entry.event_id),
        entry.measure,
        entry.key,
        entry.unit_id,
    )


def _place(after: list[str | int]) -> tuple[object, ...]:
    day, moment, event, measure, key, unit = after
    try:
        return (
            date.fromisoformat(str(day)),
            datetime.fromisoformat(str(moment)).astimezone(UTC),
            UUID(str(event)),
            measure,
            key,
            min(int(unit), MOST_UNIT),
        )
    except (ValueError, OverflowError) as error:
        raise Unprocessable(
            "分页游标无效", errors=[FieldError("/query/cursor", "不是本接口返回的游标")]
        ) from error
