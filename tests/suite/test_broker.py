import socket
import subprocess
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from suite import broker
from suite.broker import Broker, BrokerError
from suite.ports import HOST
from suite.single_run import InUseError
from tests.support.servers import running_broker

TOPIC = "minzheng.test.kept"


async def put(address: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def first(address: str) -> bytes | None:
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=address, auto_offset_reset="earliest"
    ) as consumer:
        record = await consumer.getone()
        return record.value


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka_libraries")
class TestBroker:
    async def test_comes_back_with_its_topics_after_a_stop_and_after_a_crash(
        self, tmp_path: Path
    ) -> None:
        with running_broker(tmp_path / "kafka") as server:
            address = server.address
            await put(address, b"kept")
            server.stop()
            server.start()
            assert server.address == address
            assert await first(address) == b"kept"
            server.kill()
            server.start()
            assert await first(server.address) == b"kept"

    async def test_moves_to_other_ports_when_its_own_are_taken(self, tmp_path: Path) -> None:
        with running_broker(tmp_path / "kafka") as server, socket.socket() as port:
            old = server.address
            await put(old, b"kept")
            server.stop()
            port.bind((HOST, int(old.rpartition(":")[2])))
            port.listen()
            with socket.socket() as controller:
                controller.bind((HOST, int((server.data / "controller-port").read_text())))
                controller.listen()
                server.start()
            assert server.address != old
            assert await first(server.address) == b"kept"

    def test_ends_the_broker_that_a_killed_run_left(self, tmp_path: Path) -> None:
        # Both in this process, which the lock takes for one run.
        with running_broker(tmp_path) as left, running_broker(tmp_path) as server:
            assert left.process is not None
            left.process.wait(timeout=30)
            assert server.pid != left.pid

    def test_a_second_run_on_the_same_data_is_refused(self, tmp_path: Path) -> None:
        holder = "import sys; from pathlib import Path; from suite.single_run import hold;"
        holder += f"lock = hold(Path({str(tmp_path)!r})); print(flush=True); sys.stdin.read()"
        with subprocess.Popen(
            ["python", "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(InUseError):
                Broker(tmp_path).start()


def test_a_machine_without_java_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert broker.java_missing() == "Java is not installed"


def test_a_machine_with_java_alone_is_told_that_maven_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MINZHENG_KAFKA_LIBS", str(tmp_path / "none"))
    assert broker.java_missing() == "Maven is not installed"


def test_an_old_java_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'java version \"1.8.0_401\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert broker.java_missing() == "Java 17 or later is needed"


def test_a_failed_fetch_leaves_no_half_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("MINZHENG_KAFKA_LIBS", str(tmp_path / "cache" / "kafka"))
    with pytest.raises(BrokerError, match="no network"):
        broker.fetch_libraries()
    assert list((tmp_path / "cache").iterdir()) == []
