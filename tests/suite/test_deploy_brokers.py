"""The three brokers of deploy/docker-compose.yml, started here by what starts them there."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from chassis.bus import BusError, Message
from chassis.bus.kafka import KafkaBus
from suite.ports import HOST, free_port
from tests.support.compose import DEPLOY, read

pytestmark = [pytest.mark.soak, pytest.mark.kafka]

BROKERS = {name: one for name, one in read().services.items() if "KAFKA_NODE" in one.environment}
TOPIC = "minzheng.test.cluster"
PATIENCE = 120.0


class Cluster:
    """Loopback for hosts, a folder for each disk; all else is as the compose file has it."""

    def __init__(self, folder: Path, libraries: Path) -> None:
        self._folder = folder
        self._libraries = libraries
        self._ports = {name: (free_port(), free_port()) for name in BROKERS}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def addresses(self) -> str:
        return ",".join(f"{HOST}:{port}" for port, _ in self._ports.values())

    def start(self, name: str) -> None:
        told = dict(BROKERS[name].environment)
        for host, (_, controller) in self._ports.items():
            told["KAFKA_VOTERS"] = told["KAFKA_VOTERS"].replace(
                f"{host}:9093", f"{HOST}:{controller}"
            )
        port, controller = self._ports[name]
        self.disk(name).mkdir(exist_ok=True)
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [DEPLOY / "kafka" / "start"],
                env={
                    **os.environ,
                    **told,
                    "KAFKA_HOST": HOST,
                    "KAFKA_PORT": str(port),
                    "KAFKA_CONTROLLER_PORT": str(controller),
                    "KAFKA_DATA": str(self.disk(name)),
                    "KAFKA_LIBS": str(self._libraries),
                    "KAFKA_HEAP": "256m",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def disk(self, name: str) -> Path:
        return self._folder / name

    def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in [*self._running]:
            self.kill(name)


@pytest.fixture
def cluster(tmp_path: Path, kafka_libraries: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, kafka_libraries)
    try:
        yield made
    finally:
        made.stop()


async def send(bus: KafkaBus, value: bytes, *, within: float) -> None:
    async with bus.producer() as producer:
        await producer.send([Message(TOPIC, "key", value)], timeout=within)


async def until_sent(bus: KafkaBus, value: bytes) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await send(bus, value, within=10)
        except BusError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.5)
        else:
            return


async def copies_of(addresses: str) -> list[tuple[int, int]]:
    """(copies, copies that are in step) of each partition of the topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses)
    await admin.start()
    try:
        [topic] = await admin.describe_topics([TOPIC])
    finally:
        await admin.close()
    return [(len(one["replicas"]), len(one["isr"])) for one in topic["partitions"]]


async def until_all_in_step(addresses: str) -> None:
    deadline = time.monotonic() + PATIENCE
    in_step: set[int] = set()
    while in_step != {3}:
        assert time.monotonic() < deadline, in_step
        await asyncio.sleep(0.5)
        with contextlib.suppress(KafkaError):  # asked of a broker that is not back yet
            in_step = {number for _, number in await copies_of(addresses)}


async def enough_copies(addresses: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses)
    await admin.start()
    try:
        asked = ConfigResource(ConfigResourceType.TOPIC, TOPIC, {"min.insync.replicas": ""})
        [answer] = await admin.describe_configs([asked])
    finally:
        await admin.close()
    return str(answer.resources[0][4][0][1])


async def test_topics_wait_for_all_brokers_and_writes_for_two(cluster: Cluster) -> None:
    first, second, third = BROKERS
    bus = KafkaBus(cluster.addresses)
    cluster.start(first)
    cluster.start(second)
    making = asyncio.create_task(_made(bus))
    await asyncio.wait({making}, timeout=25)
    assert not making.done(), "made with two copies for ever"
    cluster.start(third)
    await making
    assert await copies_of(cluster.addresses) == [(3, 3)] * 6
    assert await enough_copies(cluster.addresses) == "2"

    await until_sent(bus, b"three")
    cluster.kill(third)
    await until_sent(bus, b"two")
    cluster.kill(second)
    with pytest.raises(BusError):
        await send(bus, b"one", within=15)
    # A broker comes back, and another one with an empty disk: the records are on both.
    cluster.start(second)
    await until_sent(bus, b"two again")
    shutil.rmtree(cluster.disk(third))
    cluster.start(third)
    await until_all_in_step(cluster.addresses)
    cluster.kill(first)
    await until_sent(bus, b"without the first")
    answered = {b"three", b"two", b"two again", b"without the first"}
    assert answered <= await everything(cluster.addresses)


async def everything(addresses: str) -> set[bytes]:
    """What the topic's one key holds; what was refused may be there too, the rest must."""
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses, auto_offset_reset="earliest")
    async with consumer:
        partitions = [TopicPartition(TOPIC, number) for number in range(6)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = set()
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                found.add((await consumer.getone(partition)).value)
        return found


async def _made(bus: KafkaBus) -> None:
    """As `minzheng migrate` is run again where it fails."""
    while True:
        with contextlib.suppress(BusError):
            return await bus.ensure_topics({TOPIC: 6})
