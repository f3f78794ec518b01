"""After a new field key: every sealed field is sealed anew under it, so that the old one can go.

Fields are shown to nobody on the way. Rows that somebody else holds are left for the next round,
so that nobody waits for us and we for nobody.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, Uuid, and_, func, select, update

from chassis.idempotency import answer_cell, idempotency_key
from chassis.privacy import SHORTEST, Cell, sealed_header
from chassis.service import Runtime, Service

BATCH = 200
PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where sealed fields may be; `row` names a row, `cell` is what its field is bound to."""

    table: Table
    column: Column[Any]
    row: Column[Any]
    least: UUID | bytes
    cell: Callable[[Any], Cell]


ANSWERS = SealedColumn(
    idempotency_key, idempotency_key.c.answer, idempotency_key.c.request, b"", answer_cell
)


def sealed_columns(service: Service) -> Iterator[SealedColumn]:
    """Where the service may keep sealed fields: bytes, in rows that one UUID names.

    The kept answers have a name of their own.
    """
    yield ANSWERS
    for metadata in (*(one.metadata for one in service.further), service.metadata):
        for table in metadata.sorted_tables:
            named = list(table.primary_key)
            if len(named) == 1 and isinstance(named[0].type, Uuid):
                yield from (
                    SealedColumn(
                        table,
                        column,
                        named[0],
                        UUID(int=0),
                        partial(Cell, table.name, column.name),
                    )
                    for column in table.columns
                    if isinstance(column.type, LargeBinary)
                )


async def reseal(runtime: Runtime) -> int:
    """Seal anew what is sealed under another key than the current one; how many fields.

    Processes that were not started anew since the new key was added go on sealing under the old
    one: they come first, or this is done again.

    Raises:
        BrokenSeal: a field was changed or moved, or its key is not there.
    """
    total = 0
    for one in sealed_columns(runtime.service):
        while await _left(runtime, one.column):
            done = await _round(runtime, one)
            total += done
            if not done:
                await asyncio.sleep(PAUSE)
    return total


def _stale(runtime: Runtime, column: Column[Any]) -> ColumnElement[bool]:
    header = sealed_header(runtime.key_ring.current)
    return and_(
        func.length(column) >= SHORTEST,
        func.substring(column, 1, 1) == header[:1],
        func.substring(column, 1, len(header)) != header,
    )


async def _left(runtime: Runtime, column: Column[Any]) -> bool:
    units = await runtime.places.everywhere()
    async with runtime.database.transaction(units=units) as session:
        found = await session.scalar(select(_stale(runtime, column)).where(_stale(runtime, column)))
        return bool(found)


async def _round(runtime: Runtime, one: SealedColumn) -> int:
    """Go through the column once, in short transactions."""
    units = await runtime.places.everywhere()
    done, last = 0, one.least
    while True:
        async with runtime.database.transaction(units=units) as session:
            rows = (
                await session.execute(
                    select(one.row, one.column)
                    .where(one.row > last, _stale(runtime, one.column))
                    .order_by(one.row)
                    .limit(BATCH)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            for found, sealed in rows:
                await session.execute(
                    update(one.table)
                    .where(one.row == found)
                    .values({one.column: runtime.key_ring.reseal(sealed, one.cell(found))})
                )
        done += len(rows)
        if len(rows) < BATCH:
            return done
        last = rows[-1][0]
