"""Make a service's projections anew from the topics, beside the live ones, and change them over.

The tables are made by the same migrations in the schema `next`, with an inbox and offsets of their
own. When `next` has caught up with the live ones, live consumption pauses; `next` takes what came
meanwhile, so that both have read the same; the results are compared and both schemas renamed in
one transaction. Live consumption goes on from the offsets of what is now live.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.bus import Bus
from chassis.consumption import PAUSE_LOCK, Consumption
from chassis.database import PROJECTION
from chassis.ids import new_id
from chassis.migrate import app_role_of, projections, upgrade
from chassis.service import Runtime
from chassis.work import consumers_of, consumption

NEXT, PREVIOUS = "next", "previous"
REBUILD_LOCK = 7_305
WAIT = 0.2


class RebuildRefusedError(Exception):
    """What the topics hold could not be applied anew; the live projections stay as they are."""


Progress = Callable[[int, int], None]
Fingerprint = Callable[[AsyncSession], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: how many records it read, and the hash of both results.

    When they differ, what was live before stays in the schema `previous` until the next rebuild.
    """

    records: int
    before: str
    after: str

    @property
    def equal(self) -> bool:
        return self.before == self.after


async def rebuild(
    runtime: Runtime, bus: Bus, *, fingerprint: Fingerprint, progress: Progress
) -> Rebuilt:
    """Rebuild every projection of the service while its consumers go on.

    Raises:
        RebuildRefusedError: something could not be applied; the live projections stay.
    """
    settings = runtime.settings
    owner = await asyncpg.connect(settings.owner_database_url)
    try:
        if not await owner.fetchval("SELECT pg_try_advisory_lock($1)", REBUILD_LOCK):
            raise RebuildRefusedError("another rebuild is under way")
        await owner.execute(f"DROP SCHEMA IF EXISTS {NEXT} CASCADE")
        await owner.execute(f"DROP SCHEMA IF EXISTS {PREVIOUS} CASCADE")
        for lineage in projections(runtime.service, schema=NEXT):
            await upgrade(settings.owner_database_url, lineage, app_role_of(settings.database_url))
        reading = [
            consumption(runtime, consumer, schema=NEXT)
            for consumer in consumers_of(runtime.service)
            if consumer.projects
        ]
        records = await _catch_up(runtime, reading, bus, progress)
        # Live consumers hold this lock shared in each transaction: from here on they wait.
        await owner.execute("SELECT pg_advisory_lock($1)", PAUSE_LOCK)
        records += await _catch_up(runtime, reading, bus, progress)
        await _refuse_new_dead_letters(runtime, reading)
        before = await _fingerprint(runtime, fingerprint, PROJECTION)
        after = await _fingerprint(runtime, fingerprint, NEXT)
        async with owner.transaction():
            await owner.execute(f"ALTER SCHEMA {PROJECTION} RENAME TO {PREVIOUS}")
            await owner.execute(f"ALTER SCHEMA {NEXT} RENAME TO {PROJECTION}")
        await owner.execute("SELECT pg_advisory_unlock($1)", PAUSE_LOCK)
        rebuilt = Rebuilt(records, before, after)
        if rebuilt.equal:
            await owner.execute(f"DROP SCHEMA {PREVIOUS} CASCADE")
        return rebuilt
    finally:
        # Closing the connection lets go of the lock, whatever happened.
        await owner.close()


async def _catch_up(
    runtime: Runtime, reading: Sequence[Consumption], bus: Bus, progress: Progress
) -> int:
    """Read every topic to where the live consumer stands now, and no further; how many records."""
    taken = 0
    for one in reading:
        topics = one.consumer.topics
        live = await consumption(runtime, one.consumer).offsets(await bus.end_offsets(topics))
        own = await one.offsets(live)
        total = sum(end - own[partition] for partition, end in live.items())
        done = 0
        async with bus.subscribe(
            f"{one.consumer.name}.rebuild.{new_id()}", topics, assigned=one.assigned
        ) as subscription:
            while any(one.positions.get(partition, 0) < end for partition, end in live.items()):
                done += await one.step(subscription, wait=WAIT, until=live)
                progress(done, total)
        taken += done
    return taken


async def _refuse_new_dead_letters(runtime: Runtime, reading: Sequence[Consumption]) -> None:
    for one in reading:
        live = await consumption(runtime, one.consumer).parked()
        parked = await one.parked()
        if len(parked) > len(live):
            raise RebuildRefusedError(
                f"{one.consumer.name}: {len(parked)} events could not be applied,"
                f" the first one because of: {parked[0].reason}"
            )


async def _fingerprint(runtime: Runtime, fingerprint: Fingerprint, schema: str) -> str:
    async with runtime.database.transaction(
        units=await runtime.places.everywhere(), schema=schema
    ) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        return await fingerprint(session)
