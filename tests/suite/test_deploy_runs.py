"""deploy/docker-compose.yml is started here without Docker: its commands, variables and secrets.

Its hosts become loopback, its volumes folders, and its three brokers the embedded bus.
"""

import asyncio
import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from suite.ports import HOST, free_port
from suite.postgres import Postgres, create_service_database
from tests.support import commands
from tests.support.compose import DEPLOY, Service, interpolated, read
from tests.support.servers import open_folder, running_postgres

COMPOSE = read()
PATIENCE = 120.0
FUNCTIONS = frozenset({"sum", "max", "min", "or", "absent", "rate", "changes"}) | {
    *("histogram_quantile", "max_over_time"),
}
OF_PROMETHEUS = frozenset({"up", "ALERTS"})


@dataclass
class Deployed:
    """The processes of the compose file on this machine; replicas have a port each."""

    folder: Path
    postgres: Postgres
    bus: str
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    metrics_ports: dict[tuple[str, int], int] = field(default_factory=dict)
    running: dict[tuple[str, int], BaseProcess] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, one in COMPOSE.ours.items():
            for replica in range(0 if one.runs_once else one.deploy.replicas):
                ports = self.ports if name.startswith("serve-") else self.metrics_ports
                ports[name, replica] = free_port()

    def start(self, name: str, replica: int = 0) -> BaseProcess:
        one = COMPOSE.services[name]
        environment = {key: self._here(one, text) for key, text in one.environment.items()}
        del environment["MINZHENG_KAFKA"]
        environment |= {
            "MINZHENG_BUS_URL": self.bus,
            "MINZHENG_SECRETS": str(self._secrets(name, one)),
            "MINZHENG_METRICS_HOST": HOST,
            "MINZHENG_METRICS_PORT": str(self.metrics_ports.get((name, replica), 0)),
        }
        told = {"--host=0.0.0.0": f"--host={HOST}"}
        if (name, replica) in self.ports:
            told["--port=8000"] = f"--port={self.ports[name, replica]}"
        arguments = [told.get(part, self._here(one, part)) for part in one.command]
        process = commands.start(arguments, environment, self.log(name))
        self.running[name, replica] = process
        return process

    def once(self, name: str) -> None:
        """Run what runs once, after what it waits for."""
        for other in COMPOSE.services[name].depends_on:
            if other in COMPOSE.ours and (other, 0) not in self.running:
                self.once(other)
        process = self.start(name)
        process.join(PATIENCE)
        assert process.exitcode == 0, (name, self.log(name).read_text()[-2000:])

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.join(PATIENCE)

    def url(self, name: str, replica: int = 0) -> str:
        return f"http://{HOST}:{(self.ports | self.metrics_ports)[name, replica]}"

    def _here(self, one: Service, text: str) -> str:
        """The text with loopback for hosts and folders of ours for volumes."""
        text = interpolated(text)
        for volume in one.volumes:
            name, inside = volume.split(":")[:2]
            text = re.sub(rf"(^|=){inside}(?=/|$)", rf"\1{self.folder}/volumes/{name}", text)
        return re.sub(r"http://(serve-\w+):8000", lambda found: self.url(found[1]), text)

    def _secrets(self, name: str, one: Service) -> Path:
        folder = self.folder / "secrets" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, secret in one.secret_files.items():
            text = (self.folder / COMPOSE.secrets[secret].file).read_text()
            if secret == "admin-database-url":
                text = self.postgres.admin_dsn()
            (folder / file).write_text(
                text.replace("@postgres:5432", f"@{HOST}:{self.postgres.port}")
            )
        return folder


def until_ready(deployed: Deployed, http: httpx.Client) -> None:
    waiting = {
        **dict.fromkeys(deployed.ports, "/-/ready"),
        **dict.fromkeys(deployed.metrics_ports, "/metrics"),
    }
    deadline = time.monotonic() + PATIENCE
    while waiting:
        for at, path in [*waiting.items()]:
            process = deployed.running[at]
            said = deployed.log(at[0]).read_text()[-2000:]
            assert process.is_alive(), (at, process.exitcode, said)
            assert time.monotonic() < deadline, (at, said)
            with contextlib.suppress(httpx.TransportError):
                if http.get(deployed.url(*at) + path).is_success:
                    del waiting[at]
        time.sleep(0.05)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def deployed(http: httpx.Client) -> Iterator[Deployed]:
    """Everything of ours in the compose file, with its replicas, ready."""
    with open_folder() as folder, running_postgres() as postgres:
        secrets = folder / "secrets"
        subprocess.run([DEPLOY / "make-secrets", secrets], check=True, capture_output=True)
        making = create_service_database(
            postgres.admin_dsn(), "bus", owner_password="bus", app_password="bus"
        )
        asyncio.run(making)
        deployed = Deployed(folder, postgres, postgres.dsn("bus", "bus_owner", "bus"))
        try:
            for name, one in COMPOSE.ours.items():
                if one.runs_once and (name, 0) not in deployed.running:
                    deployed.once(name)
            for name, replica in (*deployed.ports, *deployed.metrics_ports):
                deployed.start(name, replica)
            until_ready(deployed, http)
            yield deployed
        finally:
            deployed.stop()


def test_what_runs_once_may_run_at_each_start(deployed: Deployed) -> None:
    for name in ("database-relief", "migrate-relief", "client-console"):
        before = (deployed.folder / "volumes/console-client/console.json").read_bytes()
        deployed.once(name)
        assert (deployed.folder / "volumes/console-client/console.json").read_bytes() == before


def test_the_door_reaches_every_part_and_knows_the_console(
    deployed: Deployed, http: httpx.Client
) -> None:
    door = deployed.url("serve-gateway")
    deadline = time.monotonic() + PATIENCE
    while (status := http.get(f"{door}/-/status").json())["status"] != "up":
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    made = json.loads((deployed.folder / "volumes/console-client/console.json").read_text())[0]
    token = http.post(
        f"{door}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(made["client_id"], made["client_secret"]),
    ).json()
    assert set(token["scope"].split()) == {"plan:read", "relief:read", "eldercare:read"}
    # Asked of both replicas: each verifies by the keys that the door publishes.
    for replica in range(2):
        answer = http.get(
            f"{deployed.url('serve-relief', replica)}/v1/relief/standards",
            headers={"Authorization": f"Bearer {token['access_token']}"},
        )
        assert answer.status_code == 200, answer.text


def test_of_two_workers_one_publishes_and_a_spare_takes_over(
    deployed: Deployed, http: httpx.Client
) -> None:
    def held() -> list[int]:
        holders = []
        for replica in range(2):
            with contextlib.suppress(httpx.TransportError):
                shown = families(http, f"{deployed.url('work-relief', replica)}/metrics")
                [one] = shown["relay_held"].samples
                holders += [replica] if one.value else []
        return holders

    def until_held_by(*wanted: int) -> int:
        deadline = time.monotonic() + PATIENCE
        while not set(holders := held()) & set(wanted):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        [holder] = holders
        return holder

    holder = until_held_by(0, 1)
    deployed.running["work-relief", holder].kill()
    deployed.running["work-relief", holder].join(PATIENCE)
    assert until_held_by(1 - holder) == 1 - holder
    deployed.start("work-relief", holder)
    until_ready(deployed, http)


def test_the_audit_of_a_service_is_verified_by_what_others_keep(deployed: Deployed) -> None:
    deployed.once("audit-relief")


def test_rules_and_board_ask_for_what_the_processes_show(
    deployed: Deployed, http: httpx.Client
) -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"][0]["rules"]
    board = json.loads((DEPLOY / "grafana/house.json").read_text())
    asked = [rule["expr"] for rule in rules]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    # A counter has no line before something was counted, a consumer's lag none before it looked.
    http.get(f"{deployed.url('serve-relief')}/v1/relief/none")
    wanted = {name for expression in asked for name in metrics_of(expression)} - OF_PROMETHEUS
    deadline = time.monotonic() + PATIENCE
    while not wanted <= set(shown := labels_shown(deployed, http)):
        assert time.monotonic() < deadline, wanted - set(shown)
        time.sleep(0.5)
    for expression in asked:
        labels = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", expression))
        grouped = {
            label.strip()
            for found in re.findall(r"by \(([^)]*)\)", expression)
            for label in found.split(",")
        }
        known = {label for name in metrics_of(expression) for label in shown.get(name, ())}
        assert labels | grouped <= known | {"container", "alertname", "alertstate", "severity"}
    ours = {name for name in shown if not name.startswith(("process_", "http_"))}
    assert ours <= wanted, "a metric that nobody looks at"


def test_no_secret_comes_out_in_a_log(deployed: Deployed) -> None:
    secrets = [
        re.sub(r"^\d+:", "", (deployed.folder / one.file).read_text().strip())
        for one in COMPOSE.secrets.values()
    ]
    passwords = [urlsplit(one).password or one for one in secrets]
    for name in COMPOSE.ours:
        said = deployed.log(name).read_text()
        assert not [one for one in passwords if one in said], name


def labels_shown(deployed: Deployed, http: httpx.Client) -> dict[str, set[str]]:
    """Metric → its labels, as all processes show them."""
    shown: dict[str, set[str]] = {}
    for at, path in (
        *((at, "/-/metrics") for at in deployed.ports),
        *((at, "/metrics") for at in deployed.metrics_ports),
    ):
        for family in families(http, deployed.url(*at) + path).values():
            for sample in family.samples:
                shown.setdefault(sample.name, set()).update(sample.labels)
    return shown


def families(http: httpx.Client, url: str) -> dict[str, Metric]:
    found = text_string_to_metric_families(http.get(url).text)
    return {family.name: family for family in found}


def metrics_of(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", "", expression)
    bare = re.sub(r"\b(by) \([^)]*\)", "", bare)
    return {name for name in re.findall(r"\b[A-Za-z_]\w*", bare) if name not in FUNCTIONS}
