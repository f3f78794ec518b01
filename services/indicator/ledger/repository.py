"""Every query on the ledger. What a batch writes goes in few statements, by arrays."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    TextClause,
    and_,
    any_,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.indicator.ledger.models import LedgerEntry, RegisterMark, SubjectState
from services.indicator.ledger.rules import KNOWN, UNIT_TOPIC, Balance, Entry, Slot, Span

SubjectKey: TypeAlias = tuple[str, UUID]
"""Topic and id: an id alone could be that of another topic's subject."""


@dataclass(frozen=True, slots=True)
class State:
    sequence: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """What one event appends to the ledger."""

    topic: str
    subject: UUID
    event_id: UUID
    event_type: str
    recorded_at: datetime
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Within:
    """A span over some units only."""

    span: Span
    units: Collection[int]


def _sql(statement: str) -> TextClause:
    """`{name:type}` stands for an array that comes as one text.

    The driver encodes an array element by element; most of a batch's time went there.
    """
    return text(re.sub(r"\{(\w+):(\w+)\}", r"CAST(CAST(:\1 AS text) AS \2[])", statement))


STATES = _sql(
    "SELECT topic, subject, sequence, recorded_at FROM subject_state"
    " JOIN unnest({topics:text}, {subjects:uuid})"
    " AS asked(topic, subject) USING (topic, subject)"
)
STANDING = _sql(
    "SELECT topic, subject, measure, key, unit_id, effective, sum(amount) AS amount FROM entry"
    " JOIN unnest({topics:text}, {subjects:uuid})"
    " AS asked(topic, subject) USING (topic, subject)"
    " GROUP BY topic, subject, measure, key, unit_id, effective HAVING sum(amount) <> 0"
)
KEEP = _sql(
    "INSERT INTO subject_state (topic, subject, sequence, recorded_at)"
    " SELECT * FROM unnest({topics:text}, {subjects:uuid},"
    " {sequences:bigint}, {recorded:timestamptz})"
    " ON CONFLICT (topic, subject) DO UPDATE"
    " SET sequence = excluded.sequence, recorded_at = excluded.recorded_at"
)
APPEND = _sql(
    """
INSERT INTO entry (topic, subject, event_id, event_type, recorded_at, measure, key, unit_id,
  effective, amount)
SELECT topic, subject, event_id, event_type, recorded_at, measure, key, unit_id, day, amount
FROM unnest({topics:text}, {subjects:uuid}, {events:uuid}, {types:text}, {recorded:timestamptz})
  WITH ORDINALITY AS event(topic, subject, event_id, event_type, recorded_at, no)
JOIN unnest({nos:bigint}, {measures:text}, {keys:text}, {units:bigint}, {days:date},
    {amounts:numeric}) AS posted(no, measure, key, unit_id, day, amount) USING (no)
ORDER BY topic COLLATE "C", subject, measure COLLATE "C", key COLLATE "C", unit_id, day
"""
)
MARK = _sql(
    "INSERT INTO register_mark (marker, effective, recorded_on, amount)"
    " SELECT * FROM unnest({markers:text}, {days:date},"
    " {recorded:date}, {amounts:bigint})"
    " ON CONFLICT (marker, effective, recorded_on)"
    " DO UPDATE SET amount = register_mark.amount + excluded.amount"
)
MOVE = _sql(
    "INSERT INTO movement (measure, day, key, unit_id, amount)"
    " SELECT * FROM unnest({measures:text}, {days:date},"
    " {keys:text}, {units:bigint}, {amounts:numeric})"
    " ON CONFLICT (measure, day, key, unit_id)"
    " DO UPDATE SET amount = movement.amount + excluded.amount"
)
MOVE_YEAR = _sql(
    "INSERT INTO year_movement (measure, year, key, unit_id, amount)"
    " SELECT * FROM unnest({measures:text}, {years:int},"
    " {keys:text}, {units:bigint}, {amounts:numeric})"
    " ON CONFLICT (measure, year, key, unit_id)"
    " DO UPDATE SET amount = year_movement.amount + excluded.amount"
)
SUMS_NOW = _sql(
    """
SELECT asked.no, moved.key, moved.unit_id, sum(moved.amount) AS amount
FROM unnest({measures:text}, {wholes:bool}, {untils:date})
  WITH ORDINALITY AS asked(measure, whole, until, no)
CROSS JOIN LATERAL (
  SELECT key, unit_id, amount FROM year_movement
  WHERE asked.whole AND measure = asked.measure AND year < extract(year FROM asked.until)::int
    AND unit_id = ANY({units:bigint})
  UNION ALL
  SELECT key, unit_id, amount FROM movement
  WHERE measure = asked.measure
    AND day BETWEEN date_trunc('year', asked.until)::date AND asked.until
    AND unit_id = ANY({units:bigint})
) moved
GROUP BY asked.no, moved.key, moved.unit_id HAVING sum(moved.amount) <> 0
"""
)
SUMS_KNOWN = _sql(
    """
SELECT asked.no, e.key, e.unit_id, sum(e.amount) AS amount
FROM unnest({measures:text}, {sinces:date}, {untils:date})
  WITH ORDINALITY AS asked(measure, since, until, no)
JOIN entry e ON e.measure = asked.measure AND e.effective BETWEEN asked.since AND asked.until
  AND e.recorded_at < :known_before AND e.unit_id = ANY({units:bigint})
GROUP BY asked.no, e.key, e.unit_id HAVING sum(e.amount) <> 0
"""
)

LAST_DAYS_NOW = _sql(
    """
SELECT asked.measure, max(moved.day)
FROM unnest({measures:text}, {sinces:date}, {untils:date}, {units:text})
  AS asked(measure, since, until, units)
CROSS JOIN LATERAL (
  SELECT max(day) AS day FROM movement
  WHERE measure = asked.measure AND day BETWEEN asked.since AND asked.until AND amount > 0
    AND unit_id = ANY(CAST(asked.units AS bigint[]))
) moved
WHERE moved.day IS NOT NULL
GROUP BY asked.measure
"""
)


async def states(
    session: AsyncSession, subjects: Collection[SubjectKey]
) -> dict[SubjectKey, State]:
    rows = await session.execute(STATES, _columns(("topics", "subjects"), subjects))
    return {(row.topic, row.subject): State(row.sequence, row.recorded_at) for row in rows}


async def standing(
    session: AsyncSession, subjects: Collection[SubjectKey]
) -> dict[SubjectKey, dict[Slot, Decimal]]:
    """What each subject's entries come to, by slot."""
    found: dict[SubjectKey, dict[Slot, Decimal]] = {subject: {} for subject in subjects}
    if subjects:
        rows = await session.execute(STANDING, _columns(("topics", "subjects"), subjects))
        for topic, subject, measure, key, unit, effective, amount in rows:
            found[topic, subject][measure, key, unit, effective] = amount
    return found


async def strangers(session: AsyncSession) -> frozenset[int]:
    """Units of which something was posted before the register knew them."""
    found = select(SubjectState.subject).where(SubjectState.topic == UNIT_TOPIC)
    return frozenset(unit.int for unit in await session.scalars(found))


def stranger(unit: int) -> SubjectKey:
    """The subject that stands for a unit as long as no event of it has been applied."""
    return UNIT_TOPIC, UUID(int=unit)


async def keep(session: AsyncSession, kept: Mapping[SubjectKey, State]) -> None:
    rows = [
        (*subject, state.sequence, state.recorded_at) for subject, state in sorted(kept.items())
    ]
    await session.execute(KEEP, _columns(("topics", "subjects", "sequences", "recorded"), rows))


async def append(session: AsyncSession, postings: Sequence[Posting]) -> None:
    """Insert entries; `move` and `mark` bring the sums along."""
    events = _columns(
        ("topics", "subjects", "events", "types", "recorded"),
        [
            (one.topic, one.subject, one.event_id, one.event_type, one.recorded_at)
            for one in postings
        ],
    )
    entries = _columns(
        ("nos", "measures", "keys", "units", "days", "amounts"),
        [
            (no, one.measure, one.key, one.unit, one.effective, one.amount)
            for no, posting in enumerate(postings, 1)
            for one in posting.entries
        ],
    )
    await session.execute(APPEND, events | entries)


async def mark(session: AsyncSession, marks: Mapping[tuple[str, date, date], Decimal]) -> None:
    """Add to what is known of when registers began: by marker, effective day, day recorded."""
    rows = [(*place, int(amount)) for place, amount in sorted(marks.items())]
    await session.execute(MARK, _columns(("markers", "days", "recorded", "amounts"), rows))


async def move(session: AsyncSession, moves: Mapping[Slot, Decimal]) -> None:
    """Add to the sums as known now, in one order for all, so that batches do not cross."""
    years: defaultdict[tuple[str, int, str, int], Decimal] = defaultdict(Decimal)
    days = []
    for (measure, key, unit, day), amount in moves.items():
        years[measure, day.year, key, unit] += amount
        days.append((measure, day, key, unit, amount))
    rest = ("keys", "units", "amounts")
    by_year = [(*slot, amount) for slot, amount in sorted(years.items())]
    await session.execute(MOVE_YEAR, _columns(("measures", "years", *rest), by_year))
    await session.execute(MOVE, _columns(("measures", "days", *rest), sorted(days)))


async def sums(
    session: AsyncSession,
    units: Collection[int],
    spans: Collection[Span],
    known_before: datetime | None,
) -> dict[Span, list[Balance]]:
    """What the entries of each span come to, by key and unit; as known now, or before an instant.

    Spans that are not `whole` begin on 1 January of their last day's year.
    """
    asked = list(spans)
    found: dict[Span, list[Balance]] = {span: [] for span in asked}
    each = [(one.measure, one.since, one.until, one.whole) for one in asked]
    told: dict[str, object] = {"units": _unit_array(frozenset(units))}
    told |= _columns(("measures", "sinces", "untils", "wholes"), each)
    if known_before is None:
        rows = await session.execute(SUMS_NOW, told)
    else:
        rows = await session.execute(SUMS_KNOWN, told | {"known_before": known_before})
    each_found = list(found.values())
    for no, key, unit, amount in rows:
        each_found[no - 1].append(Balance(key, unit, amount))
    return found


async def first_marks(session: AsyncSession, known_on: date | None) -> dict[str, date]:
    """The day from which each register is kept, by its marker."""
    standing_days = (
        select(RegisterMark.marker, RegisterMark.effective)
        .group_by(RegisterMark.marker, RegisterMark.effective)
        .having(func.sum(RegisterMark.amount) > 0)
    )
    if known_on is not None:
        standing_days = standing_days.where(RegisterMark.recorded_on <= known_on)
    days = standing_days.subquery()
    rows = await session.execute(
        select(days.c.marker, func.min(days.c.effective)).group_by(days.c.marker)
    )
    return {row[0]: row[1] for row in rows}


async def last_days(
    session: AsyncSession,
    asked: Collection[Within],
    known_before: datetime | None,
) -> dict[str, date]:
    """The last day of each span's measure on which something was added: a figure's own day."""
    if not asked:
        return {}
    if known_before is None:
        each = [
            (one.span.measure, one.span.since, one.span.until, _unit_array(frozenset(one.units)))
            for one in asked
        ]
        told = _columns(("measures", "sinces", "untils", "units"), each)
        rows = await session.execute(LAST_DAYS_NOW, told)
    else:
        days = _known_days(known_before, asked)
        rows = await session.execute(
            select(days.c.measure, func.max(days.c.day)).group_by(days.c.measure)
        )
    return {row[0]: row[1] for row in rows}


def _known_days(known_before: datetime, asked: Collection[Within]) -> Subquery:
    entry = LedgerEntry
    return (
        select(entry.measure, entry.effective.label("day"))
        .where(
            entry.recorded_at < known_before,
            or_(*(_covers(one) for one in asked)),
        )
        .group_by(entry.measure, entry.key, entry.unit_id, entry.effective)
        .having(func.sum(entry.amount) > 0)
        .subquery()
    )


def _covers(one: Within) -> ColumnElement[bool]:
    span = one.span
    return and_(
        LedgerEntry.measure == span.measure,
        LedgerEntry.effective.between(span.since, span.until),
        LedgerEntry.unit_id == any_(literal(list(one.units), ARRAY(BigInteger))),
    )


LINEAGE_ORDER = (
    LedgerEntry.effective,
    LedgerEntry.recorded_at,
    LedgerEntry.event_id,
    LedgerEntry.measure,
    LedgerEntry.key,
    LedgerEntry.unit_id,
)


def readable(units: Collection[int]) -> Select[LedgerEntry]:
    """Entries of the units that the caller stands above, or is."""
    return select(LedgerEntry).where(
        LedgerEntry.unit_id == any_(literal(list(units), ARRAY(BigInteger)))
    )


async def lineage(
    session: AsyncSession,
    units: Collection[int],
    asked: Collection[Within],
    known_before: datetime | None,
    *,
    after: Sequence[object] | None,
    limit: int,
) -> list[LedgerEntry]:
    """The entries that figures are made of, in the order of their days.

    Of the marks that are asked for, those alone of which nothing else tells: a figure of the day
    that moved nothing, because it was zero or what had been told before.
    """
    statement = (
        readable(units)
        .where(
            or_(*(_covers(one) for one in asked)),
            or_(LedgerEntry.measure.not_like(f"%{KNOWN}"), _lone_mark()),
        )
        .order_by(*LINEAGE_ORDER)
        .limit(limit)
    )
    if known_before is not None:
        statement = statement.where(LedgerEntry.recorded_at < known_before)
    if after is not None:
        statement = statement.where(tuple_(*LINEAGE_ORDER) > tuple_(*after))
    return list(await session.scalars(statement))


def _lone_mark() -> ColumnElement[bool]:
    told = aliased(LedgerEntry)
    moved = exists().where(
        told.topic == LedgerEntry.topic,
        told.subject == LedgerEntry.subject,
        told.event_id == LedgerEntry.event_id,
        told.effective == LedgerEntry.effective,
        told.measure + KNOWN == LedgerEntry.measure,
    )
    return and_(LedgerEntry.amount > 0, ~moved)


def _columns(names: Sequence[str], rows: Collection[Sequence[object]]) -> dict[str, str]:
    """Rows turned into one array a column."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: _array(column) for name, column in zip(names, columns, strict=True)}


@lru_cache(maxsize=256)
def _unit_array(units: frozenset[int]) -> str:
    """A district's units are the same some hundreds for each measure and each request."""
    return _array(sorted(units))


def _array(elements: Sequence[object]) -> str:
    """The elements, all of one type, as PostgreSQL writes an array."""
    if not elements or not isinstance(elements[0], str):
        return "{%s}" % ",".join(map(str, elements))  # noqa: UP031 - braces of the array literal
    joined = "\0".join(map(str, elements)).replace("\\", "\\\\").replace('"', '\\"')
    return '{"%s"}' % joined.replace("\0", '","')  # noqa: UP031 - as above
