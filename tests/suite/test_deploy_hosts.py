"""The suite as three separate hosts, in network namespaces: each is cut off once and comes back.

Commands, variables and names are those of deploy/docker-compose.yml; what it restarts is restarted.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from suite.settled import OFFSETS, OUTBOX
from tests.support import recount
from tests.support.compose import DEPLOY, Service, interpolated, read
from tests.support.hosts import Host, Switch
from tests.support.servers import open_folder

pytestmark = [
    pytest.mark.soak,
    pytest.mark.kafka,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("ip") is None,
        reason="network namespaces are root's, and made with `ip`",
    ),
]

COMPOSE = read()
PATIENCE = 180.0
CUT_SECONDS = 45.0
DOOR = "http://serve-gateway:8000"
ON_HOSTS = (
    ("postgres", "kafka-1", "serve-relief", "work-relief", "serve-eldercare", "work-eldercare"),
    (
        *("kafka-2", "serve-gateway", "work-gateway", "serve-console"),
        *("serve-indicator", "work-indicator"),
    ),
    (
        *("kafka-3", "serve-relief", "work-relief", "serve-eldercare", "work-eldercare"),
        *("serve-indicator", "work-indicator"),
    ),
)
"""Which process stands where: what there are two of, on two hosts."""
DAY = date(2025, 12, 31)
BEDS = 2


@dataclass
class Machines:
    """The compose file's processes, spread over three hosts."""

    folder: Path
    libraries: Path
    switch: Switch
    hosts: list[Host]
    running: dict[tuple[str, int], subprocess.Popen[bytes]] = field(default_factory=dict)
    addresses: dict[tuple[str, int], str] = field(default_factory=dict)

    def start(self, name: str, number: int) -> None:
        one, host, at = COMPOSE.services[name], self.hosts[number], (name, number)
        if at not in self.addresses:
            self.addresses[at] = host.address(name)
        address, log = self.addresses[at], self.folder / f"{name}-{number}.log"
        told = {key: self._here(one, text) for key, text in one.environment.items()}
        if name == "postgres":
            command = [sys.executable, "-m", "tests.support.host_database"]
            command += [str(self.folder / "postgres"), address]
        elif name.startswith("kafka"):
            command = [str(DEPLOY / "kafka" / "start")]
            told |= {"KAFKA_DATA": str(self.folder / name), "KAFKA_LIBS": str(self.libraries)}
            told |= {"KAFKA_HEAP": "256m"}
            (self.folder / name).mkdir(exist_ok=True)
        else:
            told |= {"MINZHENG_SECRETS": str(self.secrets(name))}
            told |= {"MINZHENG_METRICS_HOST": address}
            words = [self._here(one, part) for part in one.command]
            command = [sys.executable, "-m", "suite"]
            command += [word.replace("0.0.0.0", address) for word in words]  # noqa: S104 - as it stands there
        self.running[at] = host.start(command, told, log)

    def once(self, name: str, *more: str) -> str:
        """Run to its end what runs once, on the host of the database; what it printed."""
        one = COMPOSE.services[name]
        told = {key: self._here(one, text) for key, text in one.environment.items()}
        told["MINZHENG_SECRETS"] = str(self.secrets(name))
        log = self.folder / f"{name}-{uuid4()}.log"
        words = [*more] or [self._here(one, part) for part in one.command]
        ended = self.hosts[0].minzheng(words, told, log).wait(PATIENCE)
        assert ended == 0, (name, log.read_text()[-2000:])
        return log.read_text()

    def secrets(self, name: str) -> Path:
        folder = self.folder / "secrets-of" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, secret in COMPOSE.services[name].secret_files.items():
            text = (self.folder / COMPOSE.secrets[secret].file).read_text()
            if secret == "admin-database-url":
                password = (self.folder / "postgres" / "password").read_text()
                text = f"postgresql://postgres:{password}@postgres:5432/postgres"
            (folder / file).write_text(text)
        return folder

    def look_after(self) -> None:
        """What has ended begins anew, as the compose file has it: restart always."""
        for (name, number), process in [*self.running.items()]:
            if process.poll() is not None:
                self.start(name, number)

    def _here(self, one: Service, text: str) -> str:
        text = interpolated(text)
        for volume in one.volumes:
            name, inside = volume.split(":")[:2]
            text = re.sub(rf"(^|=){inside}(?=/|$)", rf"\1{self.folder}/volumes/{name}", text)
        return text

    def close(self) -> None:
        ours = [process for process in self.running.values() if process.poll() is None]
        for process in ours:
            process.terminate()
        for process in ours:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            if process.poll() is None:
                process.kill()
                process.wait()
        self.switch.close()


@pytest.fixture(scope="module")
def machines(kafka_libraries: Path) -> Iterator[Machines]:
    """All three hosts up, and every process ready."""
    with open_folder() as folder:
        subprocess.run([DEPLOY / "make-secrets", folder / "secrets"], check=True)
        switch = Switch(folder)
        made = Machines(folder, kafka_libraries, switch, [switch.host() for _ in ON_HOSTS])
        try:
            first = [(name, 0) for name in ("postgres",)]
            first += [(f"kafka-{number + 1}", number) for number in range(3)]
            rest = [(name, number) for number, names in enumerate(ON_HOSTS) for name in names]
            for name, number in (*first, *rest):  # the names of all stand in every hosts file
                made.addresses.setdefault((name, number), made.hosts[number].address(name))
            for at in first:
                made.start(*at)
            until((folder / "postgres" / "ready").exists, made)
            for kind in ("database", "migrate"):
                for service in ("relief", "eldercare", "indicator", "gateway"):
                    made.once(f"{kind}-{service}")
            made.once("client-console")
            for at in rest:
                if at not in made.running:
                    made.start(*at)
            until(lambda: all_up(made), made)
            yield made
        finally:
            made.close()


def until(true: Any, machines: Machines) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, {
            at: (machines.folder / f"{at[0]}-{at[1]}.log").read_text()[-300:]
            for at in machines.running
        }
        machines.look_after()
        time.sleep(0.5)


def all_up(machines: Machines) -> bool:
    with contextlib.suppress(httpx.TransportError, ValueError):
        answer = machines.switch.ask(ask, machines, "GET", "/-/status")
        return answer.json()["status"] == "up"
    return False


def ask(machines: Machines, method: str, path: str, **rest: Any) -> httpx.Response:
    """As the city's platform does: through the door, from the switch."""
    door = DOOR.replace("serve-gateway", machines.addresses["serve-gateway", 1])
    return httpx.request(method, door + path, timeout=20, **rest)


class Writer(threading.Thread):
    """Registers a facility after the other; what was not answered is asked again, same key."""

    def __init__(self, machines: Machines) -> None:
        super().__init__()
        self.machines = machines
        self.answered: list[str] = []
        self.wrong: list[str] = []
        self.stopping = threading.Event()
        self.token = ""
        self.client = f"writer-{uuid4()}"
        said = machines.once(
            "client-console",
            *("client", self.client, "--organisation=民政局", "--division=500112000000"),
            "--scope=eldercare:write eldercare:read plan:read",
        )
        self.secret = said.split()[-1]

    def run(self) -> None:
        while not self.stopping.is_set():
            self.write(str(uuid4()))
            time.sleep(0.3)

    def write(self, key: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                answer = self.machines.switch.ask(self.once, key)
                if answer.status_code == 201:
                    self.answered.append(answer.json()["id"])
                    return
                self.judge(answer)
            time.sleep(0.5)
        self.wrong.append("no answer in time")

    def once(self, key: str) -> httpx.Response:
        if not self.token:
            given = ask(
                self.machines,
                *("POST", "/oauth2/token"),
                data={"grant_type": "client_credentials"},
                auth=(self.client, self.secret),
            )
            if given.status_code != 200:
                return given
            self.token = given.json()["access_token"]
        return ask(
            self.machines,
            *("POST", "/v1/eldercare/facilities"),
            headers={"Authorization": f"Bearer {self.token}", "Idempotency-Key": key},
            json={
                "name": f"断网期间登记的站点{key[:8]}",
                "kind": "community_station",
                "division": "500112141000",
                "address": "古路镇",
                "operator": {"name": "社区", "kind": "private_nonprofit"},
                "beds": {"total": BEDS, "nursing": 0, "in_use": BEDS},
                "functions": ["day_care"],
                "opened_on": "2025-12-03",
                "document": "测试",
            },
        )

    def judge(self, answer: httpx.Response) -> None:
        """No answer but the one asked for, or "not now, come again"."""
        told = answer.headers.get("content-type") == "application/problem+json"
        if answer.status_code not in {429, 502, 503, 504} or not told:
            self.wrong.append(answer.text)
        elif answer.status_code in {429, 503} and "retry-after" not in answer.headers:
            self.wrong.append(f"no Retry-After: {answer.text}")

    def figure(self) -> Decimal:
        answer = ask(
            self.machines,
            *("GET", "/v1/plan/indicators"),
            params={"as_of": DAY.isoformat()},
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == 200, answer.text
        [one] = [item for item in answer.json()["items"] if item["no"] == 14]
        return Decimal(one["value"] or 0)


def rows(machines: Machines, service: str, query: str) -> list[asyncpg.Record]:
    password = (machines.folder / "postgres" / "password").read_text()
    address = machines.addresses["postgres", 0]

    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(f"postgresql://postgres:{password}@{address}/{service}")
        try:
            found: list[asyncpg.Record] = await connection.fetch(query)
        finally:
            await connection.close()
        return found

    return machines.switch.ask(lambda: asyncio.run(fetch()))


def settled(machines: Machines) -> bool:
    """The outboxes are empty, and the indicator service has taken everything."""
    if any(rows(machines, one, OUTBOX)[0][0] for one in ("relief", "eldercare", "indicator")):
        return False
    taken: Mapping[Any, int] = {
        (row["topic"], row["partition"]): row["next"]
        for row in rows(machines, "indicator", OFFSETS)
        if row["topic"] == "minzheng.eldercare.facility"
    }
    kept = rows(
        machines,
        "eldercare",
        "SELECT count(*) FROM chassis.outbox WHERE topic = 'minzheng.eldercare.facility'",
    )
    return sum(taken.values()) >= kept[0][0]


@pytest.mark.parametrize("number", range(3))
def test_a_host_that_was_cut_off_comes_back_and_nothing_is_lost_or_doubled(
    machines: Machines, number: int
) -> None:
    """With the first the database is away: 503 until it is back. With the second the door is.

    With the third only one of two of everything is: writes are answered all the while.
    """
    writer = Writer(machines)
    before = len(rows(machines, "eldercare", recount.FACTS))
    writer.start()
    try:
        until(lambda: len(writer.answered) >= 3, machines)
        machines.hosts[number].cut()
        answered = len(writer.answered)
        away = time.monotonic() + CUT_SECONDS
        while time.monotonic() < away:
            machines.look_after()
            time.sleep(0.5)
        meanwhile = len(writer.answered) - answered
        machines.hosts[number].join()
        answered = len(writer.answered)
        until(lambda: len(writer.answered) >= answered + 3, machines)
    finally:
        machines.hosts[number].join()
        writer.stopping.set()
        writer.join()
    assert (meanwhile > 3) == (number == 2)
    assert writer.wrong == []
    until(lambda: settled(machines), machines)

    facts = rows(machines, "eldercare", recount.FACTS)
    names = [row["facility_id"] for row in facts if row["series"] == "beds"]
    assert {str(one) for one in names} >= set(writer.answered)
    assert len(set(names)) == len(names)
    assert len(facts) > before
    # Asked in the end: what is answered again under its key is registered once.
    counted = recount.count_facilities(facts, DAY)[14][0]
    until(lambda: machines.switch.ask(writer.figure) == counted, machines)
    sequences = rows(
        machines,
        "eldercare",
        "SELECT array_agg(sequence ORDER BY sequence) AS found FROM chassis.outbox GROUP BY key",
    )
    for row in sequences:
        assert row["found"] == [*range(1, len(row["found"]) + 1)]
    for service in ("relief", "eldercare", "indicator"):
        assert (
            rows(
                machines,
                service,
                "SELECT 1 FROM projection.dead_letter UNION ALL SELECT 1 FROM acting.dead_letter",
            )
            == []
        )
    assert all_up(machines)


def test_the_chain_of_each_audit_holds(machines: Machines) -> None:
    for service in ("relief", "eldercare", "indicator", "gateway"):
        machines.once(f"audit-{service}")
