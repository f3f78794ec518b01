"""Whether everything that was written has arrived: outboxes empty, consumers at the end."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from chassis.bus import TopicPartition, open_bus
from chassis.clock import open_clock
from chassis.work import consumers_of
from contracts.topics import TOPICS
from suite import catalogue
from suite.data import DataFolder

LOOK = 0.05
PATIENCE = 120.0
OUTBOX = "SELECT count(*) FROM chassis.outbox WHERE published_at IS NULL"
JOBS = """SELECT count(*) FROM chassis.job
WHERE done_at IS NULL AND failure IS NULL AND run_at <= $1"""
OFFSETS = """SELECT consumer, topic, partition, next FROM projection.consumer_offset
UNION ALL SELECT consumer, topic, partition, next FROM acting.consumer_offset"""


class NotSettledError(RuntimeError):
    """Something stays behind; the message says what."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What a service has not published, and what its consumers have not taken, yet."""

    service: str
    unpublished: int
    unread: dict[str, int]

    @property
    def is_settled(self) -> bool:
        return not self.unpublished and not any(self.unread.values())


async def behind(folder: DataFolder) -> list[Behind]:
    """How far each service of the running suite is behind."""
    bus = open_bus(json.loads(folder.endpoints.read_text())["bus"])
    # In this order: what leaves an outbox after we looked must not be missed on the topics.
    unpublished = {name: await _unpublished(folder, name) for name in catalogue.NAMES}
    ends = await bus.end_offsets([topic.name for topic in TOPICS])
    return [
        Behind(name, unpublished[name], await _unread(folder, name, ends))
        for name in catalogue.NAMES
    ]


async def _unpublished(folder: DataFolder, name: str) -> int:
    rows = await _rows(folder, name, OUTBOX)
    return int(rows[0][0])


async def _unread(
    folder: DataFolder, name: str, ends: Mapping[TopicPartition, int]
) -> dict[str, int]:
    taken = {
        (row["consumer"], row["topic"], row["partition"]): int(row["next"])
        for row in await _rows(folder, name, OFFSETS)
    }
    return {
        consumer.name: sum(
            # What was taken after we looked at the ends is not behind.
            max(0, end - taken.get((consumer.name, partition.topic, partition.partition), 0))
            for partition, end in ends.items()
            if partition.topic in consumer.topics
        )
        for consumer in consumers_of(catalogue.load(name))
    }


async def _rows(folder: DataFolder, name: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(folder.urls(folder.postgres(), name)[0])
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
    finally:
        await connection.close()
    return found


async def until_settled(folder: DataFolder) -> None:
    """Return when every service has published and taken everything.

    Raises:
        NotSettledError: not within two minutes.
    """
    deadline = time.monotonic() + PATIENCE
    while late := [one for one in await behind(folder) if not one.is_settled]:
        if time.monotonic() > deadline:
            raise NotSettledError(str(late))
        await asyncio.sleep(LOOK)


async def until_jobs_done(folder: DataFolder, service: str) -> None:
    """Return when every job that is due has been run; one that has failed waits for its time.

    Raises:
        NotSettledError: not within two minutes.
    """
    now = open_clock(str(folder.clock), deployment=False).now()
    deadline = time.monotonic() + PATIENCE
    connection = await asyncpg.connect(folder.urls(folder.postgres(), service)[0])
    try:
        while left := await connection.fetchval(JOBS, now):
            if time.monotonic() > deadline:
                raise NotSettledError(f"{service}: {left} jobs")
            await asyncio.sleep(LOOK)
    finally:
        await connection.close()
