"""One service's database with a copy of what its topics hold beside it: SQL compares them.

The copy is a temporary table of the owner's session. It keeps hashes, and the bodies alone of what
the outbox does not have just so.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from chassis.audit_chain import AuditChain
from chassis.bus import Bus, Record, TopicPartition, open_bus
from chassis.database import SEARCH_PATH, Aggregate
from chassis.ids import new_id
from chassis.outbox import HOLD, HOLDS
from chassis.relay import RELAY_LOCK
from chassis.service import Service
from chassis.settings import Settings
from chassis.work import consumers_of
from contracts.events.audit import AuditHead
from contracts.events.envelope import CloudEvent
from contracts.places import place_units
from contracts.topics import BY_DATA
from suite import catalogue
from suite.data import DataFolder

BATCH = 500
LOOK = 0.2
PATIENCE = 60.0
HEADS = BY_DATA[AuditHead]

TABLE = """CREATE TEMP TABLE told (
  topic text NOT NULL,
  partition int NOT NULL,
  "offset" bigint NOT NULL,
  key text NOT NULL,
  own boolean NOT NULL,
  id uuid,
  sequence bigint,
  type text,
  at timestamptz,
  hash bytea NOT NULL,
  body bytea
)"""
COLUMNS = (
    *("topic", "partition", "offset", "key", "own"),
    *("id", "sequence", "type", "at", "hash", "body"),
)
KEPT = "SELECT id, sha256(body) AS hash FROM chassis.outbox WHERE id = ANY($1::uuid[])"
UNITS = "SELECT id FROM projection.place_unit"
RELEASE = "DELETE FROM chassis.relay_hold WHERE reason = ANY($1::text[])"


class NotMendedError(RuntimeError):
    """What was asked for cannot be done now; the message says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Part:
    """One service's database and the bus, as they are reached to be mended."""

    service: Service
    owner_url: str
    bus: Bus

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def publishes(self) -> Mapping[str, type[Aggregate]]:
        """Topic → the aggregate that numbers its events, the audit's chain among them."""
        shared = {HEADS.name: AuditChain} if self.name in HEADS.shared_by else {}
        return {**self.service.publishes, **shared}

    @property
    def reads(self) -> set[str]:
        return {topic for one in consumers_of(self.service) for topic in one.topics}

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """The owner's session, which has all units in sight."""
        connection = await asyncpg.connect(
            self.owner_url, server_settings={"search_path": SEARCH_PATH}
        )
        try:
            units = {unit.id for unit in place_units()}
            units |= {row["id"] for row in await connection.fetch(UNITS)}
            await connection.execute(
                "SELECT set_config('app.units', $1, false)", f"{{{','.join(map(str, units))}}}"
            )
            yield connection
        finally:
            await connection.close()


def parts_in(data: Path, names: Sequence[str] = catalogue.NAMES) -> list[Part]:
    """The services of an embedded run; its databases and its bus must be up."""
    folder = DataFolder.at(data)
    bus = open_bus(json.loads(folder.endpoints.read_text())["bus"])
    return parts_of(folder, bus, names)


def parts_of(folder: DataFolder, bus: Bus, names: Sequence[str] = catalogue.NAMES) -> list[Part]:
    """The services of a data folder, on a bus of its own or another."""
    postgres = folder.postgres()
    return [Part(catalogue.load(name), folder.urls(postgres, name)[1], bus) for name in names]


def part_by(settings: Settings, name: str) -> Part:
    """One service on servers of the bureau, by the environment."""
    return Part(catalogue.load(name), settings.owner_database_url, open_bus(settings.bus))


@asynccontextmanager
async def held(
    part: Part, connection: asyncpg.Connection, reason: str
) -> AsyncIterator[asyncpg.Connection]:
    """Nothing of the service is published meanwhile, not even what was on its way.

    Raises:
        NotMendedError: whoever publishes does not let go within a minute.
    """
    await connection.execute(HOLD, reason)
    try:
        deadline = time.monotonic() + PATIENCE
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK):
            if time.monotonic() > deadline:
                raise NotMendedError(f"{part.name}：后台进程未停止发布，请停下后再试")
            await asyncio.sleep(LOOK)
        yield connection
    finally:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.execute(RELEASE, [reason])
            await connection.execute("SELECT pg_advisory_unlock($1)", RELAY_LOCK)


async def holds(connection: asyncpg.Connection) -> set[str]:
    return {row["reason"] for row in await connection.fetch(HOLDS)}


async def copy_topics(
    part: Part, connection: asyncpg.Connection, topics: Collection[str]
) -> dict[TopicPartition, int]:
    """Copy what the topics hold now into `told`; how much there was, by partition."""
    await connection.execute("DROP TABLE IF EXISTS told")
    await connection.execute(TABLE)
    ends = await part.bus.end_offsets(topics)
    if any(ends.values()):
        await _read(part, connection, ends)
    await connection.execute("CREATE INDEX ON told (id)")
    await connection.execute("CREATE INDEX ON told (topic, key)")
    await connection.execute("ANALYZE told")
    return ends


async def _read(
    part: Part, connection: asyncpg.Connection, ends: Mapping[TopicPartition, int]
) -> None:
    done: dict[TopicPartition, int] = {}

    async def from_the_start(
        partitions: Collection[TopicPartition],
    ) -> Mapping[TopicPartition, int]:
        return {partition: done.get(partition, 0) for partition in partitions}

    topics = sorted({partition.topic for partition in ends})
    async with part.bus.subscribe(
        f"reconcile.{new_id()}", topics, assigned=from_the_start
    ) as subscription:
        while any(done.get(partition, 0) < end for partition, end in ends.items()):
            fetched = await subscription.fetch(max_records=BATCH, timeout=1.0)
            for partition, records in fetched.items():
                wanted = [one for one in records if one.offset < ends[partition]]
                await _keep(part, connection, wanted)
                done[partition] = records[-1].offset + 1


async def _keep(part: Part, connection: asyncpg.Connection, records: Sequence[Record]) -> None:
    read = [(record, _envelope(record)) for record in records]
    ids = [event.id for _, event in read if event]
    known = {row["id"]: row["hash"] for row in await connection.fetch(KEPT, ids)}
    rows: list[tuple[object, ...]] = []
    for record, event in read:
        digest = hashlib.sha256(record.value).digest()
        place = (record.topic, record.partition, record.offset, record.key.replace("\0", ""))
        if event is None:
            rows.append((*place, False, None, None, None, None, digest, None))
            continue
        own = record.topic in part.publishes and event.source == f"urn:minzheng:{part.name}"
        body = record.value if own and known.get(event.id) != digest else None
        told = (event.id, event.sequence, event.type.replace("\0", ""), event.time)
        rows.append((*place, own, *told, digest, body))
    await connection.copy_records_to_table("told", records=rows, columns=COLUMNS)


def _envelope(record: Record) -> CloudEvent | None:
    try:
        return CloudEvent.read(record.value)
    except ValidationError:
        return None
