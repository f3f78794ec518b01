"""What the bus on Kafka adds to the client, whose silence is no answer."""

import asyncio
from pathlib import Path
from uuid import uuid4

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.bus import BusError, KafkaBus, Message, TopicPartition
from suite.broker import Broker
from tests.support.bus_readers import from_the_start, reading, take, until
from tests.support.servers import running_broker

pytestmark = pytest.mark.kafka


async def test_a_member_that_is_behind_and_does_not_move_gives_up(kafka: Broker) -> None:
    bus = KafkaBus(kafka.address, patience=2)
    topic = f"minzheng.test.{uuid4()}"
    await bus.ensure_topics({topic: 1})
    async with (
        bus.subscribe(str(uuid4()), [topic], assigned=from_the_start) as subscription,
        bus.producer() as producer,
        asyncio.timeout(60),
    ):
        while not subscription.assignment:
            await subscription.fetch(max_records=1, timeout=0.2)
        subscription._client.pause(aiokafka.TopicPartition(topic, 0))  # noqa: SLF001 - stands for the client's bug
        await producer.send([Message(topic, "a", b"1")], timeout=10)
        with pytest.raises(BusError, match="nothing has moved"):  # noqa: PT012 - however many it takes
            while True:
                await subscription.fetch(max_records=1, timeout=0.2)


async def test_a_member_with_nothing_to_read_waits_on(kafka: Broker) -> None:
    bus = KafkaBus(kafka.address, patience=2)
    topic = f"minzheng.test.{uuid4()}"
    await bus.ensure_topics({topic: 1})
    async with (
        bus.subscribe(str(uuid4()), [topic], assigned=from_the_start) as subscription,
        bus.producer() as producer,
    ):
        for _ in range(30):
            assert await subscription.fetch(max_records=1, timeout=0.1) == {}
        await producer.send([Message(topic, "a", b"1")], timeout=10)
        assert len(await take(subscription, 1)) == 1


@pytest.mark.usefixtures("kafka_libraries")
async def test_a_member_rides_out_a_broker_that_comes_back(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        bus = KafkaBus(broker.address)
        await bus.ensure_topics({"minzheng.test": 1})
        async with reading(bus, "g", ["minzheng.test"]) as reader:
            await until(lambda: len(reader.assignment) == 1)
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            async with bus.producer() as producer:
                await producer.send([Message("minzheng.test", "a", b"1")], timeout=30)
            await until(lambda: len(reader.records) == 1)


async def test_topics_keep_their_records_for_ever(kafka: Broker) -> None:
    topic = f"minzheng.test.{uuid4()}"
    await KafkaBus(kafka.address).ensure_topics({topic: 1})
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    settings = {name: value for name, value, *_ in answer.resources[0][4]}
    assert settings["retention.ms"] == "-1"
    assert settings["cleanup.policy"] == "delete"


async def test_topics_wait_for_every_broker_that_was_named(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.bus.kafka._LOOKS_FOR_BROKERS", 1)
    topic = f"minzheng.test.{uuid4()}"
    with pytest.raises(BusError, match="1 of 2 brokers"):
        await KafkaBus(f"{kafka.address},{kafka.address}").ensure_topics({topic: 1})
    with pytest.raises(BusError, match="no topic"):
        await KafkaBus(kafka.address).partitions(topic)


async def test_a_record_of_another_writer_without_key_or_value_is_read(kafka: Broker) -> None:
    bus = KafkaBus(kafka.address)
    topic = f"minzheng.test.{uuid4()}"
    await bus.ensure_topics({topic: 1})
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=kafka.address) as producer:
        await producer.send_and_wait(topic, value=b"1")
        await producer.send_and_wait(topic, key=b"\xff", value=None)
    async with bus.subscribe(str(uuid4()), [topic], assigned=from_the_start) as subscription:
        first, second = await take(subscription, 2)
    assert (first.key, first.value) == ("", b"1")
    assert (second.key, second.value) == ("\ufffd", b"")


async def test_the_committed_offset_shows_the_lag_from_outside(kafka: Broker) -> None:
    bus = KafkaBus(kafka.address)
    topic, group = f"minzheng.test.{uuid4()}", str(uuid4())
    await bus.ensure_topics({topic: 1})
    async with bus.subscribe(group, [topic], assigned=from_the_start) as subscription:
        while not subscription.assignment:
            await subscription.fetch(max_records=1, timeout=0.2)
        await subscription.commit({TopicPartition(topic, 0): 3})
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    assert offsets[aiokafka.TopicPartition(topic, 0)].offset == 3
