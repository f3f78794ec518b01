"""`minzheng run`: the whole suite on one machine, embedded, under one supervisor."""

import asyncio
import gc
import json
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from chassis import private_file
from chassis.bus import open_bus
from chassis.clock import drive
from chassis.migrate import migrate
from chassis.telemetry import configure_logging, log
from contracts.topics import TOPICS
from suite import catalogue
from suite.broker import Broker
from suite.clients import CONSOLE, make_clients
from suite.data import BUS, DataFolder
from suite.demo import build_demo
from suite.demo.clerks import clerks
from suite.demo.clients import CLIENTS
from suite.ports import HOST, is_free
from suite.postgres import Postgres, open_bus_to_app
from suite.processes import listen, serving, working
from suite.republish import republish
from suite.single_run import InUseError
from suite.supervisor import Supervisor
from suite.topic_copy import NotMendedError, parts_of

PORTS_TRIED = 200
READY_SECONDS = 120.0
LOOK = 0.05
ISSUER = "minzheng"
TRIES = 3
LARGEST_LOG = 50 * 1024 * 1024
BROKER = "kafka"
EMBEDDED_LOG = "embedded"


@dataclass(slots=True)
class Embedded:
    """One run: servers, sockets and the environment of each process."""

    folder: DataFolder
    port: int
    kafka: bool = False
    demo: bool = False
    postgres: Postgres = field(init=False)
    broker: Broker | None = None
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.postgres = self.folder.postgres()

    def environment(self, name: str) -> dict[str, str]:
        """What a process of the service is told."""
        told = {
            "MINZHENG_JWKS_URL": f"{self.url('gateway')}/.well-known/jwks.json",
            "MINZHENG_ISSUER": ISSUER,
            "MINZHENG_STATE": str(self.folder.state),
            "MINZHENG_KEYS": str(self.folder.keys),
            "MINZHENG_CLOCK": str(self.folder.clock),
            "MINZHENG_GATEWAY_URL": self.url("gateway"),
            "MINZHENG_CONSOLE_URL": self.url("console"),
            "MINZHENG_CLIENTS": str(self.folder.console_client),
        }
        if self.demo:
            told["MINZHENG_CLERKS"] = str(self.folder.clerks)
            told["MINZHENG_DEPARTMENTS_URL"] = self.url(catalogue.DEPARTMENTS)
        for upstream in catalogue.UPSTREAMS:
            told[f"MINZHENG_UPSTREAM_{upstream.upper()}"] = self.url(upstream)
        if self.broker is not None:
            told["MINZHENG_KAFKA"] = self.broker.address
        else:
            told["MINZHENG_BUS_URL"], _ = self.folder.urls(self.postgres, BUS)
        if name in catalogue.NAMES:
            told["DATABASE_URL"], _ = self.folder.urls(self.postgres, name)
        return told

    def url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def endpoints(self) -> dict[str, str]:
        """Where everything answers, for the other commands."""
        return {name: self.url(name) for name in self.ports} | {"bus": self.bus_url}

    @property
    def served(self) -> list[str]:
        """What answers HTTP through a socket of ours."""
        return [name for name in self.ports if not name.startswith("metrics-")]

    @property
    def bus_url(self) -> str:
        if self.broker is not None:
            return f"kafka://{self.broker.address}"
        return self.folder.urls(self.postgres, BUS)[1]

    def start_broker(self, stack: ExitStack) -> None:
        """Start the broker, if this run is on one, and have it stopped at the end."""
        if self.kafka:
            self.broker = Broker(self.folder.path / BROKER)
            self.broker.start()
            stack.callback(self.broker.stop)

    async def prepare(self) -> None:
        """Databases, migrations, topics."""
        await self.folder.make_databases(self.postgres)
        for service in catalogue.load_all():
            app_url, owner_url = self.folder.urls(self.postgres, service.name)
            await migrate(service, owner_url, app_url)
        await open_bus(self.bus_url).ensure_topics(
            {topic.name: topic.partitions for topic in TOPICS}
        )
        if self.broker is None:
            await open_bus_to_app(self.bus_url)
        await self.adopt_log()

    @property
    def log_id(self) -> str:
        """The message log that this run uses; of brokers, each cluster that was ever made."""
        return f"kafka {self.broker.cluster}" if self.broker is not None else EMBEDDED_LOG

    async def adopt_log(self) -> None:
        """Have the archive told on a log that the data did not run on before, or not last."""
        kept = self.folder.log_id
        # Before this was noted there was the embedded log alone, unless a broker had been started.
        noted = kept.read_text() if kept.exists() else "" if self.has_broker else EMBEDDED_LOG
        if noted != self.log_id:
            parts = parts_of(self.folder, open_bus(self.bus_url))
            counts = await republish(parts, parts)
            log().warning("log_adopted", kind=self.log_id, count=sum(counts.values()))
        private_file.replace(kept, self.log_id.encode())

    @property
    def has_broker(self) -> bool:
        return (self.folder.path / BROKER).exists()


def take_ports(first: int, *others: str) -> dict[str, int]:
    """The gateway's port as asked for; the others are the next free ones."""
    ports = {"gateway": first}
    candidate = first
    metrics = (f"metrics-{name}" for name in catalogue.NAMES)
    for name in ("console", *catalogue.UPSTREAMS, *others, *metrics):
        candidate += 1
        while not is_free(candidate):
            candidate += 1
            if candidate > first + PORTS_TRIED:
                raise OSError(f"no free ports above {first}")
        ports[name] = candidate
    return ports


def run(data: Path, *, port: int, demo: bool, kafka: bool, case_towns: int) -> int:
    """Run until SIGTERM; the exit code."""
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o711)  # the database's account passes through; what is secret is 0600 or 0700
    configure_logging(service="suite", process="run")
    console = Console(stderr=True)
    folder = DataFolder.at(data)
    embedded = Embedded(folder, port, kafka, demo)
    with ExitStack() as stack, _progress(console) as progress:
        step = progress.add_task("启动数据库", total=None)
        try:
            embedded.ports = take_ports(port, *([catalogue.DEPARTMENTS] if demo else []))
            sockets = {name: listen(HOST, embedded.ports[name]) for name in embedded.served}
        except OSError:
            console.print(f"端口 {port} 已被占用，请用 --port 另选一个（make run PORT=…）")
            return 1
        try:
            embedded.postgres.start()
        except InUseError:
            console.print(f"{data} 正由另一个 minzheng run 使用")
            return 1
        stack.callback(embedded.postgres.stop)
        progress.update(step, description="准备消息日志与各服务的数据库")
        embedded.start_broker(stack)
        if not _prepared(embedded, console):
            return 1
        gateway_url, _ = folder.urls(embedded.postgres, "gateway")
        asyncio.run(make_clients(gateway_url, [CONSOLE], folder.console_client))
        if demo:
            asyncio.run(make_clients(gateway_url, CLIENTS, folder.clients))
            asyncio.run(make_clients(gateway_url, clerks(), folder.clerks))
        drive(folder.clock, None)  # a demonstration cut short may have left it in its history
        progress.update(step, description="启动各服务")
        supervisor = Supervisor(watch=lambda: _revive(embedded))
        supervisor.install_signals()
        for name, bound in sockets.items():
            _add(supervisor, embedded, f"serve-{name}", name, serving(name, bound))
        for name in catalogue.NAMES:
            _add(supervisor, embedded, f"work-{name}", name, working(name))
        _warm()
        progress.stop()  # its thread must not live on into the forks
        stack.callback(supervisor.stop)
        supervisor.start()
        private_file.replace(folder.endpoints, json.dumps(embedded.endpoints()).encode())
        stack.callback(folder.endpoints.unlink, missing_ok=True)
        if not _until_ready(embedded, supervisor):
            return 0 if supervisor.stopping else 1
        if demo and not _demo_built(folder, supervisor, case_towns):
            return 1
        if not supervisor.stopping:
            print(  # noqa: T201 - the line that others wait for
                f"ready 网关 {embedded.url('gateway')} 文档 {embedded.url('gateway')}/docs"
                f" 规划指标 {embedded.url('console')}",
                flush=True,
            )
        supervisor.tend_until(lambda: False)
    return 0


def _prepared(embedded: Embedded, console: Console) -> bool:
    """Prepare databases and topics; False, and a word why, where the log was changed too soon."""
    try:
        asyncio.run(embedded.prepare())
    except NotMendedError as error:
        console.print(str(error), soft_wrap=True)
        return False
    return True


def _demo_built(folder: DataFolder, supervisor: Supervisor, case_towns: int) -> bool:
    """Build the demonstration where it is not whole yet; False when it cannot be."""
    if folder.demo_done.exists():
        return True
    building = supervisor.add("demo", lambda: build_demo(folder, case_towns), once=True)
    supervisor.start([building])
    supervisor.tend_until(lambda: folder.demo_done.exists() or building.failures >= TRIES)
    return building.failures < TRIES


def _add(
    supervisor: Supervisor,
    embedded: Embedded,
    child: str,
    service: str,
    run_it: Callable[[], None],
) -> None:
    """Have a process kept running, under its own environment and with a log file of its own."""

    def live() -> None:
        _log_to(embedded.folder.logs / f"{child}.log")
        os.environ.update(embedded.environment(service))
        if f"metrics-{service}" in embedded.ports and child.startswith("work-"):
            os.environ["MINZHENG_METRICS_PORT"] = str(embedded.ports[f"metrics-{service}"])
        run_it()

    supervisor.add(child, live)


def _log_to(path: Path) -> None:
    """Append what this process prints to a file; a file that has grown large begins anew."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".1.log"))
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _warm() -> None:
    """Load what the forks will need, once."""
    catalogue.load_all()
    import_module("services.gateway.app")
    import_module("services.console.app")
    gc.collect()


def _revive(embedded: Embedded) -> None:
    """Start the servers again that died under us; the services reconnect by themselves."""
    if _ended(embedded.postgres.process):
        log().warning("process_ended", kind="postgres")
        embedded.postgres.stop()
        embedded.postgres.start()
    if embedded.broker is not None and _ended(embedded.broker.process):
        log().warning("process_ended", kind="kafka")
        embedded.broker.stop()
        embedded.broker.start()


def _ended(process: subprocess.Popen[bytes] | None) -> bool:
    return process is not None and process.poll() is not None


def _until_ready(embedded: Embedded, supervisor: Supervisor) -> bool:
    """Wait until every service answers that it is ready."""
    deadline = time.monotonic() + READY_SECONDS
    with httpx.Client(timeout=5) as client:
        for name in embedded.served:
            while not _answers(client, f"{embedded.url(name)}/-/ready"):
                supervisor.tend()
                if supervisor.stopping or time.monotonic() > deadline:
                    return False
                time.sleep(LOOK)
    return True


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.HTTPError:
        return False


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True
    )
