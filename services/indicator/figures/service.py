"""Report figures (填报), correct them, and show what was reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.conditional import require_version
from chassis.database import now
from chassis.ids import new_id
from chassis.outbox import emit
from chassis.paging import Page, decode_cursor, encode_cursor
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from contracts.events.indicator import FigureEntry, FigureSeries
from services.indicator.figures import repository, rules
from services.indicator.figures.models import FigureRow, FigureSeriesRow
from services.indicator.figures.schemas import (
    FigureCorrection,
    FigureQuery,
    FigureReport,
    FigureView,
    MeasureList,
    MeasureView,
)
from services.indicator.ledger.rules import Measure
from services.indicator.plans import views
from services.indicator.plans.access import Desk, NotYours, View
from services.indicator.plans.rules import reading_requirements

MOST_FIGURES = 500
"""Of one series: what an event of it may hold."""


class AlreadyReported(Conflict):
    slug, title = "figure-already-reported", "该日已有填报数"


class AlreadyCorrected(Conflict):
    slug, title = "figure-already-corrected", "该数已被更正"


@dataclass(frozen=True, slots=True)
class Told:
    """A figure to be reported, checked."""

    measure: Measure
    unit: int
    on: date
    value: Decimal
    document: str


def told(desk: Desk, asked: FigureReport) -> Told:
    """Look up the measure and the unit.

    Raises:
        Unprocessable: with a pointer to what is wrong.
        NotYours: the unit is not the caller's to report for.
    """
    measure = _measure(desk, asked.measure)
    if mistake := rules.day_mistake(measure, asked.on, desk.today):
        raise _wrong("/on", mistake)
    unit = desk.register.by_code(asked.division, asked.on)
    if unit is None:
        raise _wrong("/division", "当日没有此区划代码")
    if unit not in desk.units:
        raise NotYours
    exists = unit in desk.register.on(asked.on).units
    level = desk.register.level_of(unit, asked.on) if exists else None
    if mistake := rules.unit_mistake(measure, level, is_district=unit == desk.plan.district):
        raise _wrong("/division", mistake)
    if mistake := rules.value_mistake(measure, asked.value):
        raise _wrong("/value", mistake)
    return Told(measure, unit, asked.on, asked.value, asked.document)


async def report(desk: Desk, asked: FigureReport) -> FigureView:
    """Record a figure; a second one for the same day is a correction."""
    figure = told(desk, asked)
    series = await repository.series_for(desk.session, figure.measure.code, figure.unit)
    if figure.on in await days_told(desk.session, series):
        raise AlreadyReported("如需改动请用更正")
    row = add(desk.session, series, figure)
    await publish(desk.session, series, "reported")
    return view(desk, row, series)


async def correct(
    desk: Desk, figure_id: UUID, if_match: str | None, asked: FigureCorrection
) -> FigureView:
    """Put another figure in the place of one; both stay on record."""
    found = await repository.find(desk.session, desk.units, figure_id, lock=True)
    if found is None:
        raise NotFound
    wrong, series = found
    require_version(if_match, series.version)
    if wrong.superseded_at is not None:
        raise AlreadyCorrected("请更正现行的数")
    measure = _measure(desk, series.measure)
    if mistake := rules.value_mistake(measure, asked.value):
        raise _wrong("/value", mistake)
    wrong.superseded_at = now(desk.session)
    await desk.session.flush()
    right = Told(measure, series.unit_id, wrong.day, asked.value, asked.document)
    row = add(desk.session, series, right, note=asked.reason)
    await publish(desk.session, series, "corrected")
    return view(desk, row, series)


async def days_told(session: AsyncSession, series: FigureSeriesRow) -> set[date]:
    return {row.day for row in await repository.standing(session, series.id)}


def add(
    session: AsyncSession, series: FigureSeriesRow, figure: Told, *, note: str = ""
) -> FigureRow:
    row = FigureRow(
        id=new_id(),
        series_id=series.id,
        unit_id=series.unit_id,
        day=figure.on,
        value=figure.value,
        document=figure.document,
        note=note,
        reported_at=now(session),
        reported_by=session.info["actor"],
        superseded_at=None,
    )
    session.add(row)
    return row


async def publish(session: AsyncSession, series: FigureSeriesRow, verb: str) -> None:
    """Tell the whole series as known now."""
    series.version += 1
    await session.flush()
    figures = await repository.standing(session, series.id)
    if len(figures) > MOST_FIGURES:
        raise Unprocessable(f"同一计量项目、同一区划最多 {MOST_FIGURES} 个填报数")
    event = FigureSeries(
        id=series.id,
        measure=series.measure,
        unit=series.unit_id,
        figures=tuple(
            FigureEntry(on=row.day, value=row.value, document=row.document) for row in figures
        ),
    )
    await emit(session, series, verb, event)
    await audit.record(session, action=f"indicator.figure.{verb}", subject=str(series.id))


async def one(desk: Desk, figure_id: UUID) -> FigureView:
    found = await repository.find(desk.session, desk.units, figure_id)
    if found is None:
        raise NotFound
    return view(desk, *found)


async def page(desk: Desk, asked: FigureQuery) -> Page[FigureView]:
    """Figures by day, the latest first, as known at the end of a day."""
    after = decode_cursor(asked.cursor, (str, str))
    known_before = View(desk.today, asked.known_on).known_before
    unit = None
    if asked.division is not None:
        unit = desk.register.by_code(asked.division)
        if unit is None or unit not in desk.units:
            raise NotYours
    found = await repository.listed(
        desk.session,
        desk.units,
        repository.Search(asked.measure, unit, asked.on, known_before),
        after=_place(after) if after else None,
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    last = shown[-1][0] if len(found) > asked.limit else None
    return Page(
        items=[view(desk, *each, known_before) for each in shown],
        next_cursor=encode_cursor(last.day.isoformat(), str(last.id)) if last else None,
    )


def measures(desk: Desk) -> MeasureList:
    """The measures whose figures are reported."""
    users = {
        indicator.name: {code for code, _ in reading_requirements(indicator, desk.today)}
        for indicator in desk.plan.indicators
    }
    return MeasureList(
        items=[
            MeasureView(
                code=measure.code,
                name=measure.name,
                unit=measure.unit,
                kind=measure.kind,
                reported_at=measure.reported_at,
                yearly=measure.yearly,
                decimals=measure.decimals,
                note=measure.note,
                indicators=[name for name, used in users.items() if measure.code in used],
            )
            for measure in desk.plan.measures.values()
            if measure.topic is None
        ]
    )


def view(
    desk: Desk,
    row: FigureRow,
    series: FigureSeriesRow,
    known_before: datetime | None = None,
) -> FigureView:
    measure = desk.plan.measures.get(series.measure)
    superseded = row.superseded_at
    if superseded and known_before and superseded >= known_before:
        superseded = None
    return FigureView(
        id=row.id,
        series_id=series.id,
        version=series.version,
        measure=series.measure,
        name=measure.name if measure else series.measure,
        unit=measure.unit if measure else "",
        division=desk.register.code_of(series.unit_id, row.day),
        division_name=desk.register.name_of(series.unit_id, row.day),
        on=row.day,
        value=views.plain(row.value) or "",
        document=row.document,
        reported_by=row.reported_by,
        reported_at=row.reported_at,
        superseded_at=superseded,
        note=row.note,
    )


def _measure(desk: Desk, code: str) -> Measure:
    measure = desk.plan.measures.get(code)
    if measure is None or measure.topic is not None:
        raise _wrong("/measure", "不是填报的计量项目")
    return measure


def _wrong(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable("请按提示更正后重新提交", errors=[FieldError(pointer, detail)])


def _place(after: Sequence[str | int]) -> tuple[date, UUID]:
    try:
        return date.fromisoformat(str(after[0])), UUID(str(after[1]))
    except ValueError as error:
        raise Unprocessable(
            "分页游标无效", errors=[FieldError("/query/cursor", "不是本接口返回的游标")]
        ) from error
