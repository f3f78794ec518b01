"""Invariant 3: what is committed is published, in order per key, by one relay at a time."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import relay as relay_module
from chassis.bus import Bus, BusError, Message, Record
from chassis.database import write_gathered
from chassis.relay import publish_once, relay
from contracts.events.envelope import CONTENT_TYPE, CloudEvent
from tests.support.bus_readers import ROOT, from_the_start, take
from tests.support.buses import MortalBus, mortal_bus, quick_bus
from tests.support.toy import UNIT, Toy, add_item

RELAYS = """SELECT 1 FROM pg_stat_activity
WHERE application_name = 'toy-relay' AND datname = current_database()"""

FROZEN = """
import asyncio, sys
from chassis import relay
from chassis.bus import open_bus
relay.IDLE_LIMIT = "2s"
asyncio.run(relay.relay(sys.argv[1], open_bus(sys.argv[2]), service="toy"))
"""


@pytest.fixture
def mortal(bus_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MortalBus]:
    if bus_kind == "kafka":
        request.getfixturevalue("kafka_libraries")
    with mortal_bus(bus_kind, tmp_path / "bus") as mortal:
        yield mortal


@contextlib.contextmanager
def frozen_relay(*addresses: str) -> Iterator[subprocess.Popen[bytes]]:
    """A relay in a process of its own, to be stopped."""
    with subprocess.Popen(
        [sys.executable, "-c", FROZEN, *addresses],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def relaying(toy: Toy, bus: Bus | None = None) -> AsyncIterator[asyncio.Task[None]]:
    running = relay(toy.running.databases.app, bus or toy.running.bus, service="toy")
    task = asyncio.create_task(running)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def published(toy: Toy) -> None:
    """Wait until the outbox holds nothing that is not published."""
    async with asyncio.timeout(60):
        while await toy.pending():  # noqa: ASYNC110 - the relay is watched from outside
            await asyncio.sleep(0.05)


async def read(toy: Toy, count: int) -> list[Record]:
    topics = [toy.topic.name]
    async with toy.running.bus.subscribe(str(uuid4()), topics, assigned=from_the_start) as reading:
        return await take(reading, count)


def sequences(records: list[Record]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for record in records:
        found.setdefault(record.key, []).append(CloudEvent.read(record.value).sequence)
    return found


async def test_what_concurrent_writers_commit_arrives_in_order_per_key(
    toy_on_bus: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = toy_on_bus
    monkeypatch.setattr(relay_module, "BATCH", 7)
    baskets = [await toy.basket() for _ in range(4)]

    async def write(basket: UUID) -> None:
        for _ in range(10):
            await toy.add(basket)

    async with relaying(toy):
        async with asyncio.TaskGroup() as writers:
            for basket in baskets * 2:
                writers.create_task(write(basket))
        await published(toy)
    assert sequences(await read(toy, 80)) == {str(key): list(range(1, 21)) for key in baskets}


async def test_a_transaction_that_commits_late_is_not_lost(toy: Toy) -> None:
    early, late = [await toy.basket() for _ in range(2)]
    async with relaying(toy):
        async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
            await add_item(session, late, 1)
            await write_gathered(session)  # its event has its place in the outbox
            await toy.add(early)
            await published(toy)
            assert list(sequences(await read(toy, 1))) == [str(early)]
        await published(toy)
    rows = await toy.running.rows("SELECT key FROM chassis.outbox ORDER BY seq")
    assert [row["key"] for row in rows] == [str(late), str(early)]
    assert set(sequences(await read(toy, 2))) == {str(early), str(late)}


async def test_the_whole_envelope_goes_out_under_the_aggregates_key(toy_on_bus: Toy) -> None:
    (basket,) = await toy_on_bus.baskets(1)
    await toy_on_bus.running.relay()
    (record,) = await read(toy_on_bus, 1)
    (event,) = await toy_on_bus.events()
    assert record.key == str(basket)
    assert record.headers == (("content-type", CONTENT_TYPE.encode()),)
    assert CloudEvent.read(record.value) == event


async def test_published_rows_are_kept_and_marked(toy: Toy) -> None:
    await toy.baskets(2, events=2)
    assert await toy.running.relay() == 4
    rows = await toy.running.rows("SELECT published_at FROM chassis.outbox")
    assert len(rows) == 4
    assert all(row["published_at"] for row in rows)
    assert await toy.running.relay() == 0


async def test_the_next_batch_is_read_ahead_and_none_is_marked_before_the_brokers_word(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch that the broker has not taken nothing is marked, nor of what is behind it."""
    monkeypatch.setattr(relay_module, "BATCH", 2)
    baskets = await toy.baskets(2, events=3)
    connection = await asyncpg.connect(toy.running.databases.app)
    sent: list[str] = []
    refused = [False]

    async def send(messages: list[Message]) -> None:
        await asyncio.sleep(0.05)  # meanwhile the batch before is marked, and the next one read
        if len(sent) == 2 and not refused[0]:
            refused[0] = True
            assert await toy.pending() == 4
            raise BusError("away")
        sent.extend(message.key for message in messages)

    try:
        with pytest.raises(BusError):
            await publish_once(connection, send)
        assert await toy.pending() == 4
        assert await publish_once(connection, send) == 4
    finally:
        await connection.close()
    assert await toy.pending() == 0
    assert sent == [str(basket) for basket in baskets] * 3


async def test_a_crash_between_send_and_mark_sends_again_and_the_inbox_absorbs_it(
    toy_on_bus: Toy,
) -> None:
    toy = toy_on_bus
    baskets = await toy.baskets(2, events=3)
    connection = await asyncpg.connect(toy.running.databases.app)

    async def crash(messages: list[Message]) -> None:
        async with toy.running.bus.producer() as producer:
            await producer.send(messages, timeout=10)
        raise RuntimeError

    try:
        with pytest.raises(RuntimeError):
            await publish_once(connection, crash)
    finally:
        await connection.close()
    assert await toy.pending() == 6
    assert await toy.running.relay() == 6
    assert len(await read(toy, 12)) == 12
    consumption = toy.consumption()
    async with toy.running.bus.subscribe(
        str(uuid4()), [toy.topic.name], assigned=consumption.assigned
    ) as subscription:
        taken = 0
        while taken < 12:
            taken += await consumption.step(subscription, wait=0.2)
    assert await toy.effects_by_key() == {str(basket): [1, 2, 3] for basket in baskets}


async def test_with_the_broker_away_the_relay_ends_and_nothing_is_marked(
    toy: Toy, mortal: MortalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "SEND_TIMEOUT", 2)
    bus = quick_bus(mortal.url)
    await bus.ensure_topics({toy.topic.name: 1})
    basket = await toy.basket()
    async with relaying(toy, bus) as task:
        await toy.add(basket)
        await published(toy)
        mortal.kill()
        await toy.add(basket)
        async with asyncio.timeout(60):
            with pytest.raises(BusError):
                await task
    assert await toy.pending() == 1
    async with relaying(toy, bus) as task, asyncio.timeout(60):
        with pytest.raises(BusError):
            await task
    assert await toy.pending() == 1


async def test_the_spare_relay_takes_over_when_the_firsts_connection_dies(toy: Toy) -> None:
    basket = await toy.basket()
    async with relaying(toy) as first:
        await toy.add(basket)
        await published(toy)
        async with relaying(toy) as spare:
            await waiting_relays(toy, 2)
            await toy.running.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND objid = $1 AND granted",
                relay_module.RELAY_LOCK,
            )
            async with asyncio.timeout(30):
                with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                    await first
            await toy.add(basket)
            await published(toy)
            assert not spare.done()
    assert sequences(await read(toy, 2)) == {str(basket): [1, 2]}


async def waiting_relays(toy: Toy, count: int) -> None:
    """Wait until so many relays are connected."""
    async with asyncio.timeout(60):
        while len(await toy.running.rows(RELAYS)) < count:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


async def test_only_one_of_two_relays_publishes(toy: Toy) -> None:
    basket = await toy.basket()
    async with relaying(toy) as first, relaying(toy) as second:
        await waiting_relays(toy, 2)
        for _ in range(20):
            await toy.add(basket)
        await published(toy)
        assert not first.done()
        assert not second.done()
    ends = await toy.running.bus.end_offsets([toy.topic.name])
    assert sum(ends.values()) == 20


async def test_a_frozen_relay_loses_its_lock_and_ends_when_it_wakes(toy: Toy) -> None:
    basket = await toy.basket()
    databases = toy.running.databases
    with frozen_relay(databases.app, databases.bus) as frozen:
        await toy.add(basket)
        await published(toy)
        frozen.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT)
        await toy.add(basket)
        async with relaying(toy):
            await published(toy)
        frozen.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(frozen.wait, 60) != 0
    assert sequences(await read(toy, 2)) == {str(basket): [1, 2]}
