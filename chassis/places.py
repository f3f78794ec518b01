"""Each service's own projection of the units (区划单位): seeded from contracts, moved by events."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date
from typing import cast

from sqlalchemy import BigInteger, Column, Table, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.access import Principal
from chassis.consumption import Consumer, Received
from chassis.database import Database, metadata
from chassis.law.units import Register, RegisterError
from contracts.events.placename import PlaceUnit
from contracts.places import place_units

LOOK_AGAIN_AFTER = 2.0

places_metadata = metadata()

place_unit = Table(
    "place_unit",
    places_metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("body", JSONB, nullable=False),
)


async def project_units(session: AsyncSession, events: Sequence[Received]) -> None:
    """Keep the latest state of each unit: the highest sequence alone is the truth.

    Raises:
        RegisterError: the register would contradict itself; the event is parked.
    """
    for event in events:
        unit = cast("PlaceUnit", event.data)
        if event.envelope.subject != str(unit.id):
            raise RegisterError(f"{unit.id}: 事件的主体与内容不是同一区划")
        row = insert(place_unit).values(
            id=unit.id,
            sequence=event.envelope.sequence,
            body=unit.model_dump(mode="json"),
        )
        await session.execute(
            row.on_conflict_do_update(
                index_elements=["id"],
                set_={"sequence": row.excluded.sequence, "body": row.excluded.body},
                where=place_unit.c.sequence < row.excluded.sequence,
            )
        )
    await read_register(session)


async def read_register(session: AsyncSession) -> Register:
    """The register: the units of the contracts, and over them what events have told since."""
    states = {unit.id: unit for unit in place_units()}
    for body in await session.scalars(select(place_unit.c.body)):
        unit = PlaceUnit.model_validate(body, extra="ignore")
        states[unit.id] = unit
    return Register(states.values())


def places_consumer(service: str) -> Consumer:
    return Consumer(f"{service}.places", ("minzheng.placename.unit",), project_units)


class Places:
    """The register of units as this service knows it now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._register = Register(place_units())
        self._mark: tuple[int, int] = (0, 0)
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()
        self._visible: dict[tuple[tuple[str, ...], date], frozenset[int]] = {}

    async def register(self) -> Register:
        """The current register, read anew when an event has changed it."""
        if time.monotonic() - self._looked_at < LOOK_AGAIN_AFTER:
            return self._register
        if self._lock.locked() and self._looked_at > float("-inf"):
            # Whoever looks waits for a connection, and the caller may hold the last one.
            return self._register
        async with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_AGAIN_AFTER:
                await self._look()
                self._looked_at = time.monotonic()
        return self._register

    async def _look(self) -> None:
        async with self._database.transaction() as session:
            mark = (
                await session.execute(
                    select(func.count(), func.coalesce(func.sum(place_unit.c.sequence), 0))
                )
            ).one()
            if tuple(mark) == self._mark:
                return
            self._register = await read_register(session)
        self._visible.clear()
        self._mark = (mark[0], int(mark[1]))

    async def visible(self, principal: Principal) -> frozenset[int]:
        """The principal's divisions and every unit that is below one of them, or was until today.

        So a district keeps its archive when some of its towns go to another one.
        """
        register = await self.register()
        today = self._database.clock.today()
        seen = self._visible.get((principal.divisions, today))
        if seen is None:
            found = (register.by_code(code) for code in principal.divisions)
            seen = frozenset[int]().union(
                *(register.ever_below(unit, today) for unit in found if unit is not None)
            )
            self._visible[principal.divisions, today] = seen
        return seen

    async def everywhere(self) -> frozenset[int]:
        """All units: what consumers and jobs of the service may write."""
        return (await self.register()).ids
