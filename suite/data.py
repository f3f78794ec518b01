"""The data folder of an embedded run: the databases' passwords, keys, the clock, who holds it."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chassis import private_file
from suite import catalogue
from suite.postgres import Postgres, create_service_database

BUS = "bus"


@dataclass(frozen=True)
class DataFolder:
    """Everything that an embedded run keeps; files with secrets are 0600."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> Self:
        """The folder, wherever the process goes from here."""
        return cls(path.resolve())

    @property
    def clock(self) -> Path:
        return self.path / "clock"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def state(self) -> Path:
        return self.path / "state"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def clients(self) -> Path:
        return self.path / "clients.json"

    @property
    def clerks(self) -> Path:
        """The demonstration's clerks with their secrets, which the login page offers."""
        return self.path / "clerks.json"

    @property
    def console_client(self) -> Path:
        """The console's own client, which may only read."""
        return self.path / "console.json"

    @property
    def endpoints(self) -> Path:
        """Where the running suite answers: written at its start, for the other commands."""
        return self.path / "endpoints.json"

    @property
    def log_id(self) -> Path:
        """Which message log the data last ran on: another one does not hold its events yet."""
        return self.path / "log-id"

    @property
    def demo_done(self) -> Path:
        """Present when the demonstration district is whole."""
        return self.path / "demo.json"

    @property
    def demo_day(self) -> Path:
        """On which day the demonstration was first built: its open cases stand before it."""
        return self.path / "demo-day"

    def postgres(self) -> Postgres:
        return Postgres(self.path / "postgres")

    def password(self, role: str) -> str:
        """A role's password, made at its first use."""
        made = private_file.read_or_create(
            self.path / "passwords" / role, lambda: secrets.token_urlsafe(32).encode()
        )
        return made.decode()

    def urls(self, postgres: Postgres, name: str) -> tuple[str, str]:
        """(app, owner) URLs of a service's database."""
        return (
            postgres.dsn(name, f"{name}_app", self.password(f"{name}_app")),
            postgres.dsn(name, f"{name}_owner", self.password(f"{name}_owner")),
        )

    async def make_databases(self, postgres: Postgres) -> None:
        """A database with its two roles for each service, and one for the embedded bus."""
        for name in (*catalogue.NAMES, BUS):
            await create_service_database(
                postgres.admin_dsn(),
                name,
                owner_password=self.password(f"{name}_owner"),
                app_password=self.password(f"{name}_app"),
            )

    def read_endpoints(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.endpoints.read_text())
        return found
