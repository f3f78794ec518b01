"""Apache Kafka on this machine: for `minzheng run --kafka` and for the tests.

The jars come by Maven (`deploy/kafka/fetch`) into a cache that all runs share, named by
`MINZHENG_KAFKA_LIBS` or `~/.cache/minzheng/kafka-<version>`.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import re
import shutil
import signal
import string
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from suite.ports import HOST, is_free, kept_port
from suite.single_run import end_left_over, hold

VERSION = "4.3.1"

_DEPLOY = Path(__file__).parents[1] / "deploy" / "kafka"
_OLDEST_JAVA = 17
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class BrokerError(RuntimeError):
    """The broker could not be fetched, started or stopped."""


def libraries() -> Path:
    """Where the jars are or will be."""
    default = Path.home() / ".cache" / "minzheng" / f"kafka-{VERSION}"
    return Path(os.environ.get("MINZHENG_KAFKA_LIBS", default))


def java_missing() -> str | None:
    """Why the broker cannot run here, in one phrase; None if it can."""
    java = shutil.which("java")
    if java is None:
        return "Java is not installed"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - found on PATH
    version = re.search(r'version "(\d+)', said.stderr)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        return f"Java {_OLDEST_JAVA} or later is needed"
    if not libraries().exists() and shutil.which("mvn") is None:
        return "Maven is not installed"
    return None


def fetch_libraries() -> Path:
    """The folder with the jars, fetched if it is not there yet (44 MB).

    Raises:
        BrokerError: Maven failed; the message has its last lines.
    """
    wanted = libraries()
    if wanted.exists():
        return wanted
    wanted.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{wanted.name}-", dir=wanted.parent))
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours
            [str(_DEPLOY / "fetch"), str(fresh)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BrokerError(f"Kafka could not be fetched: {_tail(done.stdout + done.stderr)}")
        # Renamed when whole. Another run that was quicker has put the same jars there.
        with contextlib.suppress(OSError):
            fresh.rename(wanted)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return wanted


class Broker:
    """One broker on loopback, its ports, its cluster id and its log kept in `data`.

    The process is a child in a session of its own; watch `process`, which stays when it did not
    come up.
    """

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.process: subprocess.Popen[bytes] | None = None
        self._log = self.data / "server.log"
        self._lock: IO[str] | None = None

    @property
    def address(self) -> str:
        """`host:port`, the same after every restart unless the port was taken meanwhile."""
        return f"{HOST}:{int((self.data / 'port').read_text())}"

    @property
    def cluster(self) -> str:
        """The id of the cluster: a broker whose data was lost is another one."""
        return (self.data / "cluster-id").read_text().strip()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Return when the broker lists its topics; blocks some seconds, at most a minute.

        Raises:
            BrokerError: the jars cannot be fetched, or the broker does not come up.
            InUseError: another run holds the folder.
        """
        jars = fetch_libraries()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = hold(self.data)
        try:
            self._bring_up(jars)
        except BaseException:
            ended = self.process
            self.stop()
            self.process = ended
            raise

    def stop(self) -> None:
        """Shut down in order, or by force when that takes too long."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End at once, as a crash would; `start()` brings it back on the same data."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def _bring_up(self, jars: Path) -> None:
        noted = self.data / "pid"
        if noted.exists():
            end_left_over(int(noted.read_text()), self.data, signal.SIGTERM)
        self._write_settings()
        self._format(jars)
        settings = str(self.data / "server.properties")
        with self._log.open("wb") as log:
            self.process = self._spawn(jars, log, "kafka.Kafka", settings)
        noted.write_text(f"{self.process.pid}\n")
        self._wait_until_ready(self.process)

    def _write_settings(self) -> None:
        template = string.Template((_DEPLOY / "server.properties").read_text())
        port = kept_port(self.data / "port")
        controller_port = kept_port(self.data / "controller-port", other_than=port)
        settings = template.substitute(data=self.data, port=port, controller_port=controller_port)
        (self.data / "server.properties").write_text(settings)

    def _format(self, jars: Path) -> None:
        """Once per folder; after a crash in between it goes on under the id kept, as it must."""
        if (self.data / "log" / "meta.properties").exists():
            return
        kept = self.data / "cluster-id"
        if not kept.exists():
            kept.write_text(self._storage_tool(jars, "random-uuid"))
        settings = str(self.data / "server.properties")
        identity = ["-t", kept.read_text().strip(), "-c", settings]
        self._storage_tool(jars, "format", "--standalone", "--ignore-formatted", *identity)

    def _storage_tool(self, jars: Path, *arguments: str) -> str:
        with tempfile.TemporaryFile() as said:
            code = self._spawn(jars, said, "kafka.tools.StorageTool", *arguments).wait()
            said.seek(0)
            text = said.read().decode()
        if code != 0:
            raise BrokerError(f"Kafka's storage tool failed: {_tail(text)}")
        return text

    def _spawn(self, jars: Path, log: IO[bytes], *arguments: str) -> subprocess.Popen[bytes]:
        command = [
            "java",
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={_DEPLOY / 'log4j2.properties'}",
            "-cp",
            f"{jars}/*",
            *arguments,
        ]
        return subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            cwd=self.data,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        port = int(self.address.rpartition(":")[2])
        while process.poll() is None:
            # The port opens before the broker serves; asking is dear, so we ask from then on.
            if not is_free(port) and _answers(self.address):
                return
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka is not ready in time: {_tail(self._log.read_text())}")
            time.sleep(0.1)
        raise BrokerError(f"Kafka does not start: {_tail(self._log.read_text())}")


def _answers(address: str) -> bool:
    # In a thread of its own, for a caller that runs an event loop already.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _lists_topics(address)).result()


async def _lists_topics(address: str) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5_000)
    try:
        await client.start()
        await client.list_topics()
    except KafkaError:
        return False
    finally:
        await client.close()
    return True


def _tail(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-5:])
