"""What the embedded bus owes to its locks."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

from chassis.bus import BusError, EmbeddedBus, Message
from tests.support.bus_readers import ROOT, from_the_start, reading, reading_process, take, until
from tests.support.buses import LEASE

LOCK = "SELECT id, next_offset FROM bus_partition WHERE topic = $1 FOR NO KEY UPDATE"
RECORD = "INSERT INTO bus_record VALUES ($1, $2, 'late', 'late', '{}', '{}', 0)"
ADVANCE = "UPDATE bus_partition SET next_offset = next_offset + 1 WHERE id = $1"

# A producer that stands still between taking its offsets and committing.
STALLED_PRODUCER = """
import asyncio, os, signal, sys
from chassis.bus import EmbeddedBus, Message
from chassis.bus.embedded import EmbeddedProducer

async def stall(self, placed):
    await append(self, placed)
    print(flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)

append = EmbeddedProducer._append
EmbeddedProducer._append = stall

async def main(url, topic):
    async with EmbeddedBus(url, lease=2).producer() as producer:
        await producer.send([Message(topic, "a", b"lost")], timeout=60)

asyncio.run(main(*sys.argv[1:]))
"""


# A member that stands still between reading records and giving them out.
STALLED_MEMBER = """
import asyncio, os, signal, sys
from chassis.bus import BusError, EmbeddedBus
from chassis.bus.embedded import EmbeddedSubscription

async def stall(self, max_records):
    records = await read(self, max_records)
    if records:
        print(flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
    return records

read = EmbeddedSubscription._read
EmbeddedSubscription._read = stall

async def start(partitions):
    return {}

async def main(url, topic, group):
    try:
        async with EmbeddedBus(url, lease=2).subscribe(group, [topic], assigned=start) as member:
            await member.fetch(max_records=1, timeout=60)
            print("gave records out", flush=True)
    except BusError:
        print("cut off", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def stalled(script: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def bus(embedded_bus_url: str) -> EmbeddedBus:
    return EmbeddedBus(embedded_bus_url, lease=LEASE)


@pytest.fixture
async def topic(bus: EmbeddedBus) -> str:
    """One partition."""
    name = f"minzheng.test.{uuid4()}"
    await bus.ensure_topics({name: 1})
    return name


async def test_an_append_that_commits_late_loses_nothing(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    slow = await asyncpg.connect(embedded_bus_url)
    try:
        async with reading(bus, str(uuid4()), [topic]) as reader, bus.producer() as producer:
            await until(lambda: len(reader.assignment) == 1)
            async with slow.transaction():
                partition = await slow.fetchrow(LOCK, topic)
                await slow.execute(RECORD, partition["id"], partition["next_offset"])
                await slow.execute(ADVANCE, partition["id"])
                quick = asyncio.create_task(
                    producer.send([Message(topic, "quick", b"quick")], timeout=30)
                )
                done, _ = await asyncio.wait({quick}, timeout=0.3)
                assert not done
                assert reader.records == []
            await quick
            await until(lambda: len(reader.records) == 2)
        assert [(r.offset, r.value) for r in reader.records] == [(0, b"late"), (1, b"quick")]
    finally:
        await slow.close()


async def test_an_append_that_cannot_have_the_partition_gives_up_in_time(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    slow = await asyncpg.connect(embedded_bus_url)
    try:
        async with slow.transaction(), bus.producer() as producer:
            await slow.fetch(LOCK, topic)
            with pytest.raises(BusError):
                await producer.send([Message(topic, "a", b"1")], timeout=0.5)
    finally:
        await slow.close()
    async with bus.producer() as producer:
        await producer.send([Message(topic, "a", b"2")], timeout=10)
    async with bus.subscribe(str(uuid4()), [topic], assigned=from_the_start) as subscription:
        assert [(r.offset, r.value) for r in await take(subscription, 1)] == [(0, b"2")]


async def test_a_producer_frozen_in_the_middle_does_not_hold_up_the_others(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    with stalled(STALLED_PRODUCER, embedded_bus_url, topic):
        async with bus.producer() as producer:
            await producer.send([Message(topic, "a", b"kept")], timeout=30)
    async with bus.subscribe(str(uuid4()), [topic], assigned=from_the_start) as subscription:
        assert [(r.offset, r.value) for r in await take(subscription, 1)] == [(0, b"kept")]


async def test_a_member_that_was_frozen_learns_that_it_was_cut_off(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    group = str(uuid4())
    with reading_process(embedded_bus_url, group, topic) as frozen:
        await until(lambda: len(frozen.assignment) == 1)
        async with reading(bus, group, [topic]) as staying:
            frozen.signal(signal.SIGSTOP)
            await until(lambda: len(staying.assignment) == 1)
            frozen.signal(signal.SIGCONT)
            await until(lambda: frozen.error is not None)
            assert len(staying.assignment) == 1


async def test_a_member_that_is_frozen_while_it_reads_gives_nothing_out(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    group = str(uuid4())
    async with bus.producer() as producer:
        await producer.send([Message(topic, "a", b"1")], timeout=10)
    with stalled(STALLED_MEMBER, embedded_bus_url, topic, group) as member:
        async with reading(bus, group, [topic]) as staying:
            await until(lambda: len(staying.records) == 1)
            member.send_signal(signal.SIGCONT)
            assert member.stdout is not None
            assert await asyncio.to_thread(member.stdout.readline) == b"cut off\n"


async def test_a_partition_changes_hands_between_batches_however_long_one_takes(
    bus: EmbeddedBus,
) -> None:
    group, topic = str(uuid4()), f"minzheng.test.{uuid4()}"
    await bus.ensure_topics({topic: 2})
    async with bus.subscribe(group, [topic], assigned=from_the_start) as working:
        await working.fetch(max_records=1, timeout=0)
        assert len(working.assignment) == 2
        async with reading(bus, group, [topic]) as other:
            await asyncio.sleep(LEASE * 1.5)
            assert other.assignment == frozenset()
            await asyncio.gather(
                working.fetch(max_records=1, timeout=2), until(lambda: len(other.assignment) == 1)
            )
            assert working.assignment.isdisjoint(other.assignment)


async def test_members_that_died_are_forgotten(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    group = str(uuid4())
    for _ in range(2):
        with reading_process(embedded_bus_url, group, topic) as dying:
            await until(lambda dying=dying: len(dying.assignment) == 1)  # type: ignore[misc]
            dying.signal(signal.SIGKILL)
    connection = await asyncpg.connect(embedded_bus_url)
    try:
        async with bus.subscribe(group, [topic], assigned=from_the_start):
            members = await connection.fetchval(
                "SELECT count(*) FROM bus_member JOIN bus_group g ON g.id = group_id"
                " WHERE g.name = $1",
                group,
            )
    finally:
        await connection.close()
    assert members == 1


async def test_the_committed_offset_shows_the_lag_from_outside(
    bus: EmbeddedBus, embedded_bus_url: str, topic: str
) -> None:
    group = str(uuid4())
    async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
        await subscription.fetch(max_records=1, timeout=0)
        for offset in (5, 3):
            await subscription.commit(dict.fromkeys(subscription.assignment, offset))
    connection = await asyncpg.connect(embedded_bus_url)
    try:
        query = (
            "SELECT c.next_offset FROM bus_committed c JOIN bus_group g ON g.id = group_id"
            " WHERE g.name = $1"
        )
        assert await connection.fetchval(query, group) == 3
    finally:
        await connection.close()
