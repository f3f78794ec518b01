"""Where the benches play: durable PostgreSQL and a Kafka broker on loopback, as the house has it.

Servers run in processes of their own, set up by the suite's own code; everything lies in a folder
that is removed at the end.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import asyncpg

from chassis import private_file
from chassis.bus import open_bus
from chassis.migrate import migrate
from chassis.signing import SigningKey
from contracts.topics import TOPICS
from suite import catalogue
from suite.broker import Broker
from suite.data import DataFolder
from suite.ports import HOST, free_port
from suite.postgres import create_service_database
from suite.processes import listen
from suite.run import ISSUER, Embedded, take_ports

DISTRICT = "500112000000"
PEERS = "peer"
"""The database of the peers; each has tables of its own in it."""
POOL = 8
"""Connections of each side to its database: the house's default."""
START_SECONDS = 60.0
CLIENT = "bench"
ORGANISATION = "渝北区民政局"


@dataclass
class Stage:
    """The servers of one run of benches; what is not asked for is not started."""

    house: Embedded
    stack: ExitStack
    _made: set[str] = field(default_factory=set)

    @property
    def folder(self) -> DataFolder:
        return self.house.folder

    def app_url(self, name: str) -> str:
        return self.folder.urls(self.house.postgres, name)[0]

    def owner_url(self, name: str) -> str:
        return self.folder.urls(self.house.postgres, name)[1]

    def admin_url(self, name: str) -> str:
        """Past every wall: to fill tables and to empty them."""
        return self.house.postgres.admin_dsn(name)

    async def database(self, name: str) -> None:
        """A migrated database of a service, or an empty one for the peers."""
        if name in self._made:
            return
        self._made.add(name)
        await create_service_database(
            self.house.postgres.admin_dsn(),
            name,
            owner_password=self.folder.password(f"{name}_owner"),
            app_password=self.folder.password(f"{name}_app"),
        )
        if name == PEERS:
            owner = await asyncpg.connect(self.admin_url(name))
            await owner.execute(f"GRANT CREATE ON SCHEMA public TO {name}_owner")
            await owner.close()
            return
        await migrate(catalogue.load(name), self.owner_url(name), self.app_url(name))

    async def broker(self) -> str:
        """`host:port` of a broker that has the house's topics."""
        if self.house.broker is None:
            broker = Broker(self.folder.path / "kafka")
            broker.start()
            self.stack.callback(broker.stop)
            self.house.broker = broker
            topics = {topic.name: topic.partitions for topic in TOPICS}
            await open_bus(self.house.bus_url).ensure_topics(topics)
        return self.house.broker.address

    def token(self, *scopes: str) -> str:
        """Of a caller of the whole district, signed as the gateway signs."""
        key = SigningKey.load_or_create(self.folder.keys)
        return key.issue(
            {
                "iss": ISSUER,
                "aud": "minzheng",
                "sub": CLIENT,
                "org": ORGANISATION,
                "divisions": [DISTRICT],
                "scope": " ".join(scopes),
            },
            timedelta(hours=4),
        )

    def bearer(self, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(*scopes)}"}

    @contextmanager
    def serving(self, name: str) -> Iterator[int]:
        """A service of the house under uvicorn; its port."""
        self._tell_keys(name)
        with (
            listen(HOST, self.house.ports[name]) as bound,
            self._process("serve", name, str(bound.fileno()), files=(bound.fileno(),)) as process,
        ):
            _until_ready(process, self.house.ports[name], "/-/ready")
            yield self.house.ports[name]

    @contextmanager
    def working(self, name: str) -> Iterator[None]:
        """A service's relay, consumers and jobs."""
        self._tell_keys(name)
        with self._process("work", name, "0"):
            yield

    @contextmanager
    def peer(self, name: str, **told: str) -> Iterator[int]:
        """A peer under uvicorn, with the pool and the settings that a service has; its port."""
        port = free_port()
        with (
            listen(HOST, port) as bound,
            self._process(
                "peer", name, str(bound.fileno()), files=(bound.fileno(),), told=told
            ) as process,
        ):
            _until_ready(process, port, "/ready")
            yield port

    def _tell_keys(self, name: str) -> None:
        """The gateway does not run in most benches: its keys are known as from an earlier day."""
        jwks = SigningKey.load_or_create(self.folder.keys).public_jwks()
        url = self.house.environment(name)["MINZHENG_JWKS_URL"]
        file = self.folder.state / f"{name}-jwks.json"
        private_file.replace(file, json.dumps({"url": url, "jwks": jwks}).encode())

    @contextmanager
    def _process(
        self,
        kind: str,
        name: str,
        number: str,
        *,
        files: tuple[int, ...] = (),
        told: dict[str, str] | None = None,
    ) -> Iterator["Process"]:
        environment = dict(os.environ)
        if kind == "peer":
            peers = {"DATABASE_URL": self.owner_url(PEERS), "POOL_SIZE": str(POOL)}
            environment |= peers | (told or {})
        else:
            environment |= self.house.environment(name)
            # One client stands for all that a district has; counting them goes on all the same.
            environment["MINZHENG_REQUESTS_A_SECOND"] = "1000000"
        self.folder.logs.mkdir(mode=0o700, exist_ok=True)
        file = self.folder.logs / f"{kind}-{name}.log"
        with file.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - a module of ours
                [sys.executable, "-m", "bench.serve", kind, name, number],
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=files,
            )
            try:
                yield Process(process, file)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def opened() -> Iterator[Stage]:
    """A stage with PostgreSQL running; the rest comes when it is asked for."""
    path = Path(tempfile.mkdtemp(prefix="minzheng-bench-"))
    path.chmod(0o711)  # the database's account passes through
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        data = path / "data"
        data.mkdir(mode=0o711)
        house = Embedded(DataFolder.at(data), free_port())
        house.ports = take_ports(house.port)
        house.postgres.start()
        stack.callback(house.postgres.stop)
        yield Stage(house, stack)


@dataclass(frozen=True, slots=True)
class Process:
    """What was started, and where it writes."""

    running: "subprocess.Popen[bytes]"
    log: Path

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2_000:]


def _until_ready(process: Process, port: int, path: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.running.poll() is None:
        connection = HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status < 300:  # noqa: PLR2004 - a success
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError(f"no answer to {path}: {process.last_words()}")
