"""What both buses promise (chassis/bus/contract.py), each on its real server."""

import asyncio
import itertools
import signal
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from chassis.bus import Bus, BusError, Message, Record, TopicPartition, open_bus
from suite.broker import Broker
from tests.support.bus_readers import (
    Reader,
    from_the_start,
    reading,
    reading_process,
    take,
    until,
)
from tests.support.buses import PATIENCE, MortalBus, mortal_bus, quick_bus

ALL = [0, 1, 2, 3, 4, 5]


@pytest.fixture
def bus(bus_url: str) -> Bus:
    return quick_bus(bus_url)


@pytest.fixture
def mortal(bus_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MortalBus]:
    if bus_kind == "kafka":
        request.getfixturevalue("kafka_libraries")
    with mortal_bus(bus_kind, tmp_path) as mortal:
        yield mortal


@pytest.fixture
def group() -> str:
    return f"group-{uuid4()}"


@pytest.fixture
async def topic(bus: Bus) -> str:
    """Six partitions."""
    name = f"minzheng.test.{uuid4()}"
    await bus.ensure_topics({name: 6})
    return name


def numbered(topic: str, count: int, *, keys: int = 10, prefix: str = "") -> list[Message]:
    return [Message(topic, f"{prefix}key-{n % keys}", str(n).encode()) for n in range(count)]


async def send(bus: Bus, messages: list[Message]) -> None:
    async with bus.producer() as producer:
        await producer.send(messages, timeout=30)


async def read(bus: Bus, topic: str, count: int) -> list[Record]:
    async with bus.subscribe(f"group-{uuid4()}", [topic], assigned=from_the_start) as subscription:
        return await take(subscription, count)


def values_by_key(records: list[Record]) -> dict[str, list[int]]:
    values = defaultdict(list)
    for record in records:
        values[record.key].append(int(record.value))
    return dict(values)


def partitions_of(*readers: Reader) -> list[int]:
    return sorted(p.partition for reader in readers for p in reader.assignment)


class TestOrder:
    async def test_records_of_a_key_come_in_the_order_sent(self, bus: Bus, topic: str) -> None:
        async with bus.producer() as producer:
            messages = numbered(topic, 300)
            for start in range(0, 300, 50):
                await producer.send(messages[start : start + 50], timeout=30)
        values = values_by_key(await read(bus, topic, 300))
        assert values == {f"key-{key}": list(range(key, 300, 10)) for key in range(10)}

    async def test_offsets_of_a_partition_count_from_zero_without_a_gap(
        self, bus: Bus, topic: str
    ) -> None:
        await send(bus, numbered(topic, 100))
        offsets = defaultdict(list)
        for record in await read(bus, topic, 100):
            offsets[TopicPartition(topic, record.partition)].append(record.offset)
        assert all(seen == list(range(len(seen))) for seen in offsets.values())
        ends = await bus.end_offsets([topic])
        assert {p: end for p, end in ends.items() if end} == {
            p: len(seen) for p, seen in offsets.items()
        }
        assert len(ends) == 6

    async def test_concurrent_producers_lose_and_double_nothing(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        async def produce(name: str) -> None:
            messages = numbered(topic, 200, prefix=f"{name}-")
            async with bus.producer() as producer:
                for start in range(0, 200, 20):
                    await producer.send(messages[start : start + 20], timeout=30)

        async with reading(bus, group, [topic]) as reader:
            async with asyncio.TaskGroup() as tasks:
                for name in "abcd":
                    tasks.create_task(produce(name))
            await until(lambda: len(reader.records) >= 800)
        assert len(reader.records) == 800
        assert values_by_key(reader.records) == {
            f"{name}-key-{key}": list(range(key, 200, 10)) for name in "abcd" for key in range(10)
        }


class TestMessages:
    async def test_all_of_a_message_arrives(self, bus: Bus, topic: str) -> None:
        headers = (("content-type", b"application/json"), ("备注", b"\x00\xff"), ("备注", b""))
        await send(bus, [Message(topic, "键", "值".encode(), headers)])
        (record,) = await read(bus, topic, 1)
        assert (record.topic, record.key, record.value) == (topic, "键", "值".encode())
        assert record.headers == headers
        assert record.timestamp_ms > 1_700_000_000_000

    async def test_an_event_of_256_kib_passes(self, bus: Bus, topic: str) -> None:
        value = bytes(range(256)) * 1024
        await send(bus, [Message(topic, "a", value), Message(topic, "a", b"next")])
        assert [record.value for record in await read(bus, topic, 2)] == [value, b"next"]

    async def test_nothing_to_send_is_no_error(self, bus: Bus) -> None:
        await send(bus, [])


class TestTopics:
    async def test_making_topics_again_changes_nothing(self, bus: Bus, topic: str) -> None:
        await send(bus, numbered(topic, 10))
        other = f"{topic}.other"
        await bus.ensure_topics({topic: 6, other: 2})
        assert await bus.partitions(topic) == 6
        assert await bus.partitions(other) == 2
        assert len(await read(bus, topic, 10)) == 10

    async def test_several_processes_may_make_the_same_topics_at_once(self, bus: Bus) -> None:
        name = f"minzheng.test.{uuid4()}"
        await asyncio.gather(*(bus.ensure_topics({name: 3}) for _ in range(4)))
        assert await bus.partitions(name) == 3

    async def test_another_number_of_partitions_is_refused_for_it_would_move_keys(
        self, bus: Bus, topic: str
    ) -> None:
        with pytest.raises(BusError, match="6 partitions, not 12"):
            await bus.ensure_topics({topic: 12})

    async def test_an_unknown_topic_is_refused(self, bus: Bus, topic: str, group: str) -> None:
        unknown = f"{topic}.unknown"
        with pytest.raises(BusError):
            await bus.partitions(unknown)
        with pytest.raises(BusError):
            await bus.end_offsets([topic, unknown])
        with pytest.raises(BusError):
            async with bus.subscribe(group, [topic, unknown], assigned=from_the_start):
                pass
        async with bus.producer() as producer:
            with pytest.raises(BusError):
                await producer.send([Message(unknown, "a", b"1")], timeout=2)


class TestOffsets:
    async def test_our_own_offsets_count_and_not_what_the_bus_was_told(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        await send(bus, numbered(topic, 10, keys=1))
        async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
            partition = TopicPartition(topic, (await take(subscription, 10))[0].partition)
            await subscription.commit({partition: 8})

        async def ours(partitions: frozenset[TopicPartition]) -> Mapping[TopicPartition, int]:
            assert partition in partitions
            return {partition: 3}

        async with bus.subscribe(group, [topic], assigned=ours) as subscription:
            records = await take(subscription, 7)
        assert [record.offset for record in records] == list(range(3, 10))

    async def test_an_offset_beyond_the_end_starts_again_from_the_beginning(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        """A log restored to an earlier day is shorter than the consumer's memory."""
        await send(bus, numbered(topic, 3, keys=1))

        async def ours(partitions: frozenset[TopicPartition]) -> Mapping[TopicPartition, int]:
            return dict.fromkeys(partitions, 100)

        async with bus.subscribe(group, [topic], assigned=ours) as subscription:
            records = await take(subscription, 3)
        assert [record.offset for record in records] == [0, 1, 2]

    async def test_seeking_back_repeats_from_there(self, bus: Bus, topic: str, group: str) -> None:
        await send(bus, numbered(topic, 10, keys=1))
        async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
            first = await take(subscription, 10)
            subscription.seek(TopicPartition(topic, first[0].partition), 4)
            again = await take(subscription, 6)
            subscription.seek(TopicPartition("not.ours", 0), 4)
        assert again == first[4:]

    async def test_fetch_gives_no_more_than_asked_and_goes_on_from_there(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        await send(bus, numbered(topic, 40))
        seen: list[Record] = []
        async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
            while len(seen) < 40:
                batches = await subscription.fetch(max_records=7, timeout=1)
                records = list(itertools.chain(*batches.values()))
                assert len(records) <= 7
                seen += records
        assert len({(record.partition, record.offset) for record in seen}) == 40

    async def test_lag_is_what_was_not_fetched(self, bus: Bus, topic: str, group: str) -> None:
        await send(bus, numbered(topic, 10, keys=1))
        async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
            await take(subscription, 4)
            assert sum((await subscription.lag()).values()) == 6
            assert (await subscription.lag()).keys() == subscription.assignment
            await take(subscription, 6)
            assert sum((await subscription.lag()).values()) == 0

    async def test_what_fails_on_assignment_comes_out_of_fetch_and_is_tried_again(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        await send(bus, numbered(topic, 10, keys=1))
        tries = 0

        async def ours(partitions: frozenset[TopicPartition]) -> Mapping[TopicPartition, int]:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise LookupError
            return dict.fromkeys(partitions, 0)

        async with bus.subscribe(group, [topic], assigned=ours) as subscription:
            with pytest.raises(LookupError):
                await take(subscription, 1)
            assert subscription.assignment == frozenset()
            assert len(await take(subscription, 10)) == 10

    async def test_commits_of_what_is_no_longer_ours_are_let_pass(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
            await subscription.commit({TopicPartition(topic, 0): 1})
            await subscription.commit({TopicPartition("not.ours", 0): 1})
            await subscription.commit({})


class TestGroups:
    async def test_groups_read_independently(self, bus: Bus, topic: str) -> None:
        await send(bus, numbered(topic, 10))
        assert len(await read(bus, topic, 10)) == 10
        assert len(await read(bus, topic, 10)) == 10

    async def test_members_share_the_partitions_and_take_over_when_one_leaves(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        async with reading(bus, group, [topic]) as staying:
            await until(lambda: partitions_of(staying) == ALL)
            async with reading(bus, group, [topic]) as leaving:
                await until(lambda: len(leaving.assignment) == 3)
                await until(lambda: partitions_of(staying, leaving) == ALL)
                await send(bus, numbered(topic, 100, keys=50))
                await until(lambda: len(staying.records + leaving.records) >= 100)
                assert {r.partition for r in staying.records}.isdisjoint(
                    {r.partition for r in leaving.records}
                )
            await until(lambda: partitions_of(staying) == ALL)

    async def test_members_that_read_different_topics_leave_nothing_unread(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        """As while a new version, with one more subscription, replaces the old process."""
        before, after = f"{topic}.a", f"{topic}.z"
        await bus.ensure_topics({before: 1, after: 1})
        async with (
            reading(bus, group, [topic]) as old,
            reading(bus, group, [before, topic, after]) as new,
        ):
            await until(lambda: sum(p.topic == topic for p in new.assignment) == 3)
            await until(lambda: len(old.assignment) + len(new.assignment) == 8)
            assert len(old.assignment | new.assignment) == 8

    async def test_a_killed_member_is_replaced(
        self, bus: Bus, bus_url: str, topic: str, group: str
    ) -> None:
        with reading_process(bus_url, group, topic) as dying:
            await until(lambda: len(dying.assignment) == 6)
            async with reading(bus, group, [topic]) as staying:
                await until(lambda: len(staying.assignment) == len(dying.assignment) == 3)
                dying.signal(signal.SIGKILL)
                await until(lambda: partitions_of(staying) == ALL)

    async def test_a_frozen_member_is_replaced(
        self, bus: Bus, bus_url: str, topic: str, group: str
    ) -> None:
        with reading_process(bus_url, group, topic) as frozen:
            await until(lambda: len(frozen.assignment) == 6)
            async with reading(bus, group, [topic]) as staying:
                await until(lambda: len(staying.assignment) == len(frozen.assignment) == 3)
                frozen.signal(signal.SIGSTOP)
                await until(lambda: partitions_of(staying) == ALL)


class TestBusAway:
    async def test_a_producer_raises_in_bounded_time_and_is_unusable_then(
        self, mortal: MortalBus
    ) -> None:
        bus = quick_bus(mortal.url)
        await bus.ensure_topics({"minzheng.test": 1})
        async with asyncio.timeout(30), bus.producer() as producer:
            await producer.send([Message("minzheng.test", "a", b"1")], timeout=10)
            mortal.kill()
            with pytest.raises(BusError):
                await producer.send([Message("minzheng.test", "a", b"2")], timeout=2)
            with pytest.raises(BusError):
                await producer.send([Message("minzheng.test", "a", b"3")], timeout=2)

    async def test_a_consumer_raises_in_bounded_time(self, mortal: MortalBus) -> None:
        bus = quick_bus(mortal.url)
        await bus.ensure_topics({"minzheng.test": 1})
        await send(bus, [Message("minzheng.test", "a", b"1")])
        async with (
            asyncio.timeout(60),
            bus.subscribe("g", ["minzheng.test"], assigned=from_the_start) as subscription,
        ):
            await take(subscription, 1)
            mortal.kill()
            with pytest.raises(BusError):  # noqa: PT012 - how many fetches it takes is not promised
                while True:
                    await subscription.fetch(max_records=10, timeout=PATIENCE / 3)
            with pytest.raises(BusError):
                await subscription.lag()

    async def test_a_bus_that_is_not_there_is_a_bus_error(self, mortal: MortalBus) -> None:
        bus = quick_bus(mortal.url)
        mortal.kill()
        async with asyncio.timeout(60):
            with pytest.raises(BusError):
                await bus.ensure_topics({"minzheng.test": 1})
            with pytest.raises(BusError):
                async with bus.producer():
                    pass
            with pytest.raises(BusError):
                async with bus.subscribe("g", ["minzheng.test"], assigned=from_the_start):
                    pass


@pytest.mark.kafka
async def test_a_key_falls_into_the_same_partition_on_both_buses(
    kafka: Broker, embedded_bus_url: str
) -> None:
    name = f"minzheng.test.{uuid4()}"
    places = []
    for url in (f"kafka://{kafka.address}", embedded_bus_url):
        bus = open_bus(url)
        await bus.ensure_topics({name: 6})
        await send(bus, numbered(name, 60, keys=60))
        places.append({r.key: r.partition for r in await read(bus, name, 60)})
    assert places[0] == places[1]
    assert len(set(places[0].values())) == 6


def test_an_address_of_no_bus_is_refused() -> None:
    with pytest.raises(ValueError, match="amqp"):
        open_bus("amqp://127.0.0.1")
