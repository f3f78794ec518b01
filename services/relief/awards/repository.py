from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    any_,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import now
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.sealing import seal
from contracts.events.relief import AwardState
from services.relief.awards.models import (
    OF_AN_AWARD,
    AwardRow,
    ChangeRow,
    DeathRow,
    HearingRow,
    JobOfferRow,
    LineRow,
    PeriodRow,
    ReviewRow,
)
from services.relief.awards.rules import Line, Period, Recorded


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to; None does not narrow. What is to be looked at is still paid."""

    units: Collection[int]
    as_of: date
    state: AwardState | None = None
    number: str | None = None
    review_due_by: date | None = None
    death_open: bool | None = None


def readable(units: Collection[int]) -> Select[AwardRow]:
    """Awards of households in one of the units, exact to the village."""
    return select(AwardRow).where(among(units))


def among(units: Collection[int]) -> ColumnElement[bool]:
    return AwardRow.unit_id == any_(literal(list(units), ARRAY(BigInteger)))


async def find(
    session: AsyncSession, units: Collection[int], award_id: UUID, *, lock: bool = False
) -> AwardRow | None:
    """An award that the caller may see; with `lock` nobody else changes it until the commit."""
    statement = readable(units).where(AwardRow.id == award_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def listed(
    session: AsyncSession, search: Search, *, after: UUID | None, limit: int
) -> list[AwardRow]:
    """The awards that the search finds, in the order of their approval."""
    statement = readable(search.units).order_by(AwardRow.id).limit(limit)
    if after is not None:
        statement = statement.where(AwardRow.id > after)
    if search.number is not None:
        statement = statement.where(AwardRow.number.startswith(search.number, autoescape=True))
    if search.review_due_by is not None:
        death_due = _open_death(DeathRow.due_on <= search.review_due_by)
        review_due = AwardRow.review_due_on <= search.review_due_by
        paid = _state_on(search.as_of) != AwardState.STOPPED
        statement = statement.where(or_(death_due, review_due & paid))
    if search.death_open is not None:
        found = _open_death()
        statement = statement.where(found if search.death_open else ~found)
    if search.state is not None:
        statement = statement.where(_state_on(search.as_of) == search.state)
    return list(await session.scalars(statement))


def _open_death(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        DeathRow.award_id == AwardRow.id, DeathRow.settled_on.is_(None), *conditions
    )


def _state_on(day: date) -> ScalarSelect[AwardState]:
    """The state of an award on a day; nothing before its first."""
    return (
        select(PeriodRow.state)
        .where(
            PeriodRow.award_id == AwardRow.id,
            PeriodRow.superseded_at.is_(None),
            PeriodRow.valid_from <= day,
        )
        .order_by(PeriodRow.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )


async def recorded(
    session: AsyncSession, awards: Collection[UUID]
) -> dict[UUID, list[tuple[PeriodRow, Recorded]]]:
    """Every period ever recorded of these awards, superseded ones too, by day."""
    lines: dict[UUID, list[Line]] = defaultdict(list)
    rows = await session.scalars(
        select(LineRow)
        .where(LineRow.award_id.in_(awards))
        .order_by(LineRow.person, LineRow.category)
    )
    for row in rows:
        lines[row.period_id].append(Line(row.person, row.category, row.amount, row.article))
    found: dict[UUID, list[tuple[PeriodRow, Recorded]]] = {one: [] for one in awards}
    periods = await session.scalars(
        select(PeriodRow)
        .where(PeriodRow.award_id.in_(awards))
        .order_by(PeriodRow.valid_from, PeriodRow.recorded_at, PeriodRow.id)
    )
    for period in periods:
        found[period.award_id].append((period, _recorded(period, lines[period.id])))
    return found


async def replace_periods(
    session: AsyncSession,
    award: AwardRow,
    *,
    known: Iterable[tuple[PeriodRow, Recorded]],
    timeline: Sequence[Period],
    case_id: UUID | None,
    reason: str,
) -> None:
    """Make the timeline the one that stands: what is not in it is superseded, what is new added."""
    standing = {one.period: row for row, one in known if one.superseded_at is None}
    for period, row in standing.items():
        if period not in timeline:
            row.superseded_at, row.superseded_by = now(session), session.info["actor"]
            cell = Cell("award_period", "superseded_reason", row.id)
            row.superseded_reason = seal(session, reason, cell)
    await session.flush()
    for period in timeline:
        if period not in standing:
            await _add(session, award, period, case_id)


async def change(session: AsyncSession, change_id: UUID) -> ChangeRow | None:
    """What a change has besides its case, as it stands now."""
    return await session.get(ChangeRow, change_id, populate_existing=True)


async def changes_of(session: AsyncSession, award_id: UUID) -> list[ChangeRow]:
    """The changes of an award, the latest first."""
    rows = await session.scalars(
        select(ChangeRow).where(ChangeRow.award_id == award_id).order_by(ChangeRow.id.desc())
    )
    return list(rows)


async def hearings_of(session: AsyncSession, award_id: UUID) -> dict[UUID, HearingRow]:
    """The hearings by the change that they were about."""
    rows = await session.scalars(select(HearingRow).where(HearingRow.award_id == award_id))
    return {row.id: row for row in rows}


async def reviews_of(session: AsyncSession, award_id: UUID) -> list[ReviewRow]:
    rows = await session.scalars(
        select(ReviewRow)
        .where(ReviewRow.award_id == award_id)
        .order_by(ReviewRow.reviewed_on, ReviewRow.id)
    )
    return list(rows)


async def deaths_of(session: AsyncSession, awards: Collection[UUID]) -> dict[UUID, list[DeathRow]]:
    """The deaths that these awards had or have to follow, in the order in which they happened."""
    found: dict[UUID, list[DeathRow]] = {one: [] for one in awards}
    rows = await session.scalars(
        select(DeathRow)
        .where(DeathRow.award_id.in_(awards))
        .order_by(DeathRow.died_on, DeathRow.id)
    )
    for row in rows:
        found[row.award_id].append(row)
    return found


async def of_household(session: AsyncSession, household_id: UUID) -> list[AwardRow]:
    """The awards that a household has or had; locked."""
    statement = select(AwardRow).where(AwardRow.household_id == household_id).order_by(AwardRow.id)
    return list(await session.scalars(statement.with_for_update()))


async def job_offers_of(session: AsyncSession, award_id: UUID) -> list[JobOfferRow]:
    """The jobs offered to members, in the order of their days."""
    rows = await session.scalars(
        select(JobOfferRow)
        .where(JobOfferRow.award_id == award_id)
        .order_by(JobOfferRow.offered_on, JobOfferRow.id)
    )
    return list(rows)


async def move(session: AsyncSession, award: AwardRow, unit: int) -> None:
    """Make another unit responsible for the award and all its rows."""
    award.unit_id = unit
    await session.flush()
    for kind in OF_AN_AWARD:
        await session.execute(
            update(kind)
            .where(kind.award_id == award.id)
            .values(unit_id=unit)
            .execution_options(synchronize_session=False)
        )


async def _add(
    session: AsyncSession, award: AwardRow, period: Period, case_id: UUID | None
) -> None:
    row = PeriodRow(
        id=new_id(),
        award_id=award.id,
        unit_id=award.unit_id,
        case_id=case_id,
        valid_from=period.from_,
        place=period.unit,
        area=period.area,
        state=period.state,
        persons=list(period.persons),
        base=period.base,
        recorded_at=now(session),
        recorded_by=session.info["actor"],
        superseded_at=None,
        superseded_by=None,
        superseded_reason=None,
    )
    session.add(row)
    await session.flush()
    session.add_all(
        LineRow(
            id=new_id(),
            period_id=row.id,
            award_id=award.id,
            unit_id=award.unit_id,
            person=line.person,
            category=line.category,
            amount=line.amount,
            article=line.article,
        )
        for line in period.lines
    )


def _recorded(row: PeriodRow, lines: Sequence[Line]) -> Recorded:
    period = Period(
        from_=row.valid_from,
        unit=row.place,
        area=row.area,
        state=row.state,
        persons=tuple(row.persons),
        base=row.base,
        lines=tuple(lines),
    )
    return Recorded(row.id, period, row.recorded_at, row.superseded_at)
