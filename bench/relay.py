"""`relay`: the outbox to Kafka by the house's own loop, beside a raw producer of the same bytes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import aiokafka
import asyncpg

from bench.rounds import Bar, Row, Side, alternate, beside
from bench.stage import Stage
from chassis.bus import Bus, Message, Producer, open_bus
from chassis.ids import new_id
from chassis.relay import HEADERS, relay
from contracts.events.casework import CasePeriod
from contracts.events.envelope import CloudEvent
from contracts.events.relief import ReliefCase

TOPIC = "minzheng.relief.case"
KEYS = 500
IN_FLIGHT = 4_000
COLUMNS = ("id", "topic", "key", "sequence", "type", "body", "recorded_at")
LEFT = "SELECT EXISTS (SELECT FROM chassis.outbox WHERE published_at IS NULL)"


class Counting:
    """A bus that tells when so many messages were acknowledged; all else is the bus's."""

    def __init__(self, bus: Bus, count: int) -> None:
        self._bus = bus
        self._left = count
        self.done = asyncio.Event()

    @asynccontextmanager
    async def producer(self) -> AsyncIterator["Counting"]:
        async with self._bus.producer() as self._producer:
            yield self

    async def send(self, messages: Sequence[Message], timeout: float) -> None:  # noqa: ASYNC109 - the contract's
        producer: Producer = self._producer
        await producer.send(messages, timeout)
        self._left -= len(messages)
        if self._left <= 0:
            self.done.set()


def event(key: UUID, sequence: int) -> tuple[UUID, str, bytes]:
    """An application's event after a few steps: id, type, body."""
    now = datetime.now(UTC)
    states = ("draft", "submitted", "accepted", "checking")
    data = ReliefCase(
        id=key,
        matter="relief.dibao",
        number=f"500112-2026-{sequence:06}",
        periods=tuple(
            CasePeriod(from_=now.date().replace(day=day), unit=500112129001, state=state)
            for day, state in enumerate(states, 1)
        ),
        opened_on=now.date(),
    )
    told = CloudEvent(
        id=new_id(),
        source="urn:minzheng:relief",
        type=f"{TOPIC}.accepted.v1",
        subject=str(key),
        time=now,
        sequence=sequence,
        actor="clerk-1",
        data=data.model_dump(mode="json"),
    )
    return told.id, told.type, told.model_dump_json(exclude_none=True).encode()


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    count = 500 if quick else 20_000
    address = await stage.broker()
    await stage.database("relief")
    keys = [new_id() for _ in range(KEYS)]
    events = [(keys[n % KEYS], n // KEYS + 1, *event(keys[n % KEYS], n + 1)) for n in range(count)]

    async def ours(_: int) -> float:
        await _fill(stage, events)
        counting = Counting(open_bus(stage.house.bus_url), count)
        looking = await asyncpg.connect(stage.admin_url("relief"))
        began = time.perf_counter()
        relaying = asyncio.create_task(
            relay(stage.app_url("relief"), cast("Bus", counting), service="relief")
        )
        await counting.done.wait()
        while await looking.fetchval(LEFT):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0)
        took = time.perf_counter() - began
        relaying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await relaying
        await looking.close()
        return count / took

    async def raw(_: int) -> float:
        messages = [(str(key).encode(), body) for key, _, _, _, body in events]
        began = time.perf_counter()
        # As aiokafka's documentation has it for throughput: larger batches, a little patience,
        # many in flight.
        async with aiokafka.AIOKafkaProducer(
            bootstrap_servers=address,
            acks="all",
            enable_idempotence=True,
            max_batch_size=256 * 1024,
            linger_ms=5,
        ) as producer:
            sent = []
            for key, body in messages:
                sent.append(await producer.send(TOPIC, body, key=key, headers=list(HEADERS)))
                if len(sent) == IN_FLIGHT:
                    await asyncio.gather(*sent)
                    sent.clear()
            await asyncio.gather(*sent)
        return count / (time.perf_counter() - began)

    sides = [Side("minzheng", ours), Side("aiokafka", raw)]
    found = await alternate(sides, rounds)
    size = sum(len(one[-1]) for one in events) // count
    what = f"outbox to Kafka, {count} events of {size} bytes"
    return [beside("relay", what, "/s", found, "minzheng", "aiokafka", Bar(least=0.6))]


async def _fill(stage: Stage, events: Sequence[tuple[UUID, int, UUID, str, bytes]]) -> None:
    admin = await asyncpg.connect(stage.admin_url("relief"))
    try:
        await admin.execute("TRUNCATE chassis.outbox")
        now = datetime.now(UTC)
        await admin.copy_records_to_table(
            "outbox",
            schema_name="chassis",
            columns=COLUMNS,
            records=[
                (id_, TOPIC, str(key), sequence, kind, body, now)
                for key, sequence, id_, kind, body in events
            ],
        )
        await admin.execute("VACUUM ANALYZE chassis.outbox")
    finally:
        await admin.close()
