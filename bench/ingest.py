"""`ingest`: topic to ledger entries, beside a raw consumer that decodes, and FastStream.

All read the same topic from its beginning in a group of their own; the clock runs from the moment
the partitions are assigned to the last record's commit (raw: its last record decoded).
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import ModuleType
from uuid import UUID

import aiokafka
import asyncpg

from bench.rounds import Bar, Row, Side, alternate, beside
from bench.stage import Stage
from chassis.bus import Message, TopicPartition, open_bus
from chassis.clock import RealClock
from chassis.consumption import Consumption
from chassis.database import Database
from chassis.ids import new_id
from chassis.places import Places
from chassis.relay import HEADERS
from contracts.events.eldercare import Facility, FacilityKind, FacilityPeriod, OperatorKind
from contracts.events.envelope import CloudEvent
from contracts.places import scopes
from services.indicator.ledger.reactions import LEDGER

TOPIC = "minzheng.eldercare.facility"
OF_EACH = 4
FACTS = (date(2020, 3, 1), date(2021, 6, 1), date(2023, 1, 1), date(2025, 2, 1))
TABLES = (
    "inbox, consumer_offset, dead_letter, subject_state, entry, movement, year_movement, "
    "register_mark"
)
EMPTY = f"TRUNCATE {', '.join(f'projection.{one.strip()}' for one in TABLES.split(','))}"
POOL = 8
SLOWEST = 120.0


class Consumed(Consumption):
    """The house's consumption, with the moment at which its partitions came."""

    __slots__ = ("began",)

    async def assigned(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self.began = time.perf_counter()
        return await Consumption.assigned(self, partitions)


def facility(id_: UUID, facts: int, unit: int, beds: int) -> Facility:
    """A home with so many changes of its beds: all of its timeline is in each event."""
    return Facility(
        id=id_,
        periods=tuple(
            FacilityPeriod(
                from_=day,
                unit=unit,
                kind=FacilityKind.INSTITUTION,
                operator=OperatorKind.PRIVATE_NONPROFIT,
                open=True,
                beds=beds + 10 * place,
                nursing_beds=10,
                beds_in_use=beds,
            )
            for place, day in enumerate(FACTS[:facts])
        ),
    )


def events(count: int) -> list[Message]:
    """Registered and changed: every facility's events in their order, those of all mixed."""
    units = sorted(next(one for one in scopes()).periods[-1].units)
    ids = [new_id() for _ in range(count // OF_EACH)]
    now = datetime.now(UTC)
    made = []
    for sequence in range(1, OF_EACH + 1):
        for place, id_ in enumerate(ids):
            data = facility(id_, sequence, units[place % len(units)], 30 + place % 50)
            told = CloudEvent(
                id=new_id(),
                source="urn:minzheng:eldercare",
                type=f"{TOPIC}.changed.v1",
                subject=str(id_),
                time=now + timedelta(seconds=sequence),
                sequence=sequence,
                actor="clerk-1",
                data=data.model_dump(mode="json"),
            )
            body = told.model_dump_json(exclude_none=True).encode()
            made.append(Message(TOPIC, str(id_), body, HEADERS))
    return made


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    count = 400 if quick else 12_000
    address = await stage.broker()
    await stage.database("indicator")
    database = Database(stage.app_url("indicator"), RealClock(), source="bench", pool_size=POOL)
    places = Places(database)
    made = events(count)
    async with open_bus(stage.house.bus_url).producer() as producer:
        for first in range(0, count, 500):
            await producer.send(made[first : first + 500], timeout=20)
    entries: set[int] = set()

    async def ours(_: int) -> float:
        await _empty(stage)
        one = Consumed(database, LEDGER, places.everywhere)
        running = asyncio.create_task(one.run(open_bus(stage.house.bus_url), group=_group()))
        async with asyncio.timeout(SLOWEST):
            while sum(one.positions.values()) < count and not running.done():  # noqa: ASYNC110 - looks at numbers of this process
                await asyncio.sleep(0.005)
        took = time.perf_counter() - one.began
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        entries.add(await _entries(stage))
        return count / took

    sides = [Side("minzheng", ours), Side("aiokafka", partial(_raw, address, count))]
    faststream = _faststream()
    if faststream is not None:

        async def framework(_: int) -> float:
            await _empty(stage)
            rate: float = await faststream.consume(
                address, TOPIC, _group(), stage.admin_url("indicator"), count
            )
            entries.add(await _entries(stage))
            return rate

        sides.append(Side("FastStream", framework))
    found = await alternate(sides, rounds)
    await database.close()
    if len(entries) > 1:
        raise RuntimeError(f"the sides came to different entries: {sorted(entries)}")
    what = f"topic to ledger, {count} events, {entries.pop()} entries"
    rows = [beside("ingest", what, "/s", found, "minzheng", "aiokafka", Bar(least=0.3))]
    if faststream is not None:
        bar = Bar(least=1.2)
        rows.append(beside("ingest", what, "/s", found, "minzheng", "FastStream", bar))
    return rows


def _faststream() -> ModuleType | None:
    try:
        from bench.peers import framework  # noqa: PLC0415 - a peer that may not be installed
    except ImportError:
        print("FastStream is not installed (make bench installs it): its column is left out")
        return None
    return framework


async def _raw(address: str, count: int, _: int) -> float:
    """A consumer in a group that decodes each value as JSON, and commits what it has read."""
    began = [0.0]

    class Listener(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc] # untyped
        def on_partitions_revoked(self, revoked: object) -> None: ...

        def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 - the contract's
            began[0] = time.perf_counter()

    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=_group(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    consumer.subscribe([TOPIC], listener=Listener())
    seen = 0
    async with consumer, asyncio.timeout(SLOWEST):
        while seen < count:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=500)).values():
                for record in records:
                    json.loads(record.value)
                seen += len(records)
            await consumer.commit()
    return count / (time.perf_counter() - began[0])


def _group() -> str:
    return f"bench-{new_id().hex}"


async def _empty(stage: Stage) -> None:
    admin = await asyncpg.connect(stage.admin_url("indicator"))
    await admin.execute(EMPTY)
    await admin.close()


async def _entries(stage: Stage) -> int:
    admin = await asyncpg.connect(stage.admin_url("indicator"))
    found: int = await admin.fetchval("SELECT count(*) FROM projection.entry")
    await admin.close()
    return found
