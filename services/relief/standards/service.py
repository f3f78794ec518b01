"""Set, correct and show the standards of relief."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.conditional import require_version
from chassis.database import day_of, now, today
from chassis.ids import new_id
from chassis.law.units import Register
from chassis.outbox import emit
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from contracts.events.placename import UnitLevel
from contracts.events.relief import Area, Standard, StandardCode, StandardPeriod
from services.relief.standards import repository, rules
from services.relief.standards.models import StandardAmount, StandardSeries
from services.relief.standards.schemas import (
    AmountView,
    StandardCorrection,
    StandardSet,
    StandardView,
)


class AlreadySet(Conflict):
    slug, title = "standard-already-set", "该日期的标准已登记"


def unit_for(register: Register, units: Collection[int], code: str, day: date) -> int:
    """The county that the standard is for: a code of the day, within the caller's divisions."""
    unit_id = register.by_code(code, day)
    if unit_id is None:
        raise Unprocessable(
            "区划代码有误", errors=[FieldError("/division", "施行日期当天没有此区划代码")]
        )
    if unit_id not in units:
        raise NotFound("未找到该区划，或不在您的管辖范围内")
    if register.level_of(unit_id, day) != UnitLevel.COUNTY:
        raise Unprocessable("区划级别有误", errors=[FieldError("/division", "救助标准按区县登记")])
    return unit_id


async def set_standard(
    session: AsyncSession, *, register: Register, units: Collection[int], asked: StandardSet
) -> StandardSeries:
    """Record an amount for a day on; a second one for the same day needs a correction."""
    unit_id = unit_for(register, units, asked.division, asked.valid_from)
    series = await repository.series_for(session, unit_id, asked.code, asked.area)
    standing = (await repository.amounts_of(session, [series.id]))[series.id]
    if any(a.valid_from == asked.valid_from and a.superseded_at is None for a in standing):
        raise AlreadySet("同一施行日期已有金额，如需改动请用更正")
    if sum(a.superseded_at is None for a in standing) >= rules.MOST_AMOUNTS:
        raise Unprocessable(f"同一标准最多登记 {rules.MOST_AMOUNTS} 项现行金额")
    session.add(_amount(session, series, asked.valid_from, asked, note=""))
    await _publish(session, series, "set")
    return series


async def correct_standard(
    session: AsyncSession,
    *,
    units: Collection[int],
    series_id: UUID,
    amount_id: UUID,
    if_match: str | None,
    asked: StandardCorrection,
) -> StandardSeries:
    """Put another amount in the place of one that was recorded; both stay on record."""
    series = await repository.find(session, units, series_id, lock=True)
    if series is None:
        raise NotFound
    require_version(if_match, series.version)
    amounts = (await repository.amounts_of(session, [series.id]))[series.id]
    wrong = next((one for one in amounts if one.id == amount_id), None)
    if wrong is None:
        raise NotFound
    if wrong.superseded_at is not None:
        raise Conflict("该项金额已被更正过，请更正现行的一项")
    if any(
        one.valid_from == asked.valid_from and one.superseded_at is None and one.id != amount_id
        for one in amounts
    ):
        raise AlreadySet("更正后的施行日期已有另一项金额")
    wrong.superseded_at = now(session)
    await session.flush()
    session.add(_amount(session, series, asked.valid_from, asked, note=asked.reason))
    await _publish(session, series, "corrected")
    return series


async def view(
    session: AsyncSession,
    register: Register,
    series: Sequence[StandardSeries],
    *,
    as_of: date,
    known_on: date | None = None,
) -> list[StandardView]:
    """The series with what is in force on a day, as known at the end of another."""
    amounts = await repository.amounts_of(session, [one.id for one in series])
    day = today(session)
    views = []
    for one in series:
        facts = [_fact(row, known_on) for row in amounts[one.id] if _known(row, known_on)]
        current = rules.in_force(facts, as_of)
        rows = {row.id: row for row in amounts[one.id]}
        views.append(
            StandardView(
                id=one.id,
                code=one.code,
                area=one.area,
                unit=one.unit_id,
                division=register.code_of(one.unit_id, min(as_of, day)),
                division_name=register.name_of(one.unit_id, min(as_of, day)),
                in_force=_show(rows[current.id]) if current else None,
                amounts=[_show(rows[fact.id]) for fact in facts],
            )
        )
    _warn(views)
    return views


def _warn(views: list[StandardView]) -> None:
    urban = {
        one.unit: one.in_force.amount
        for one in views
        if (one.code, one.area) == (StandardCode.DIBAO, Area.URBAN) and one.in_force
    }
    for one in views:
        if one.code is not StandardCode.TEKUN_BASIC or not one.in_force or one.unit not in urban:
            continue
        if rules.below_floor(one.in_force.amount, urban[one.unit]):
            one.warnings.append("特困人员基本生活标准低于城市低保标准的 1.3 倍，请核对文件")


def _amount(
    session: AsyncSession,
    series: StandardSeries,
    valid_from: date,
    asked: StandardSet | StandardCorrection,
    *,
    note: str,
) -> StandardAmount:
    return StandardAmount(
        id=new_id(),
        series_id=series.id,
        valid_from=valid_from,
        amount=asked.amount,
        document=asked.document,
        note=note,
        recorded_at=now(session),
        recorded_by=session.info["actor"],
        superseded_at=None,
    )


async def _publish(session: AsyncSession, series: StandardSeries, verb: str) -> None:
    series.version += 1
    await session.flush()
    rows = (await repository.amounts_of(session, [series.id]))[series.id]
    known = rules.timeline(_fact(row, None) for row in rows)
    event = Standard(
        id=series.id,
        unit=series.unit_id,
        code=series.code,
        area=series.area,
        periods=tuple(
            StandardPeriod(from_=one.valid_from, amount=one.amount, document=one.document)
            for one in known
        ),
    )
    await emit(session, series, verb, event)
    await audit.record(session, action=f"relief.standard.{verb}", subject=str(series.id))


def _fact(row: StandardAmount, known_on: date | None) -> rules.Amount:
    superseded = row.superseded_at is not None and (
        known_on is None or day_of(row.superseded_at) <= known_on
    )
    return rules.Amount(
        row.id, row.valid_from, row.amount, row.document, row.recorded_at, superseded
    )


def _known(row: StandardAmount, known_on: date | None) -> bool:
    return known_on is None or day_of(row.recorded_at) <= known_on


def _show(row: StandardAmount) -> AmountView:
    return AmountView(
        id=row.id,
        valid_from=row.valid_from,
        amount=row.amount,
        document=row.document,
        note=row.note,
        recorded_at=row.recorded_at,
        superseded_at=row.superseded_at,
    )
