"""Services under test: a migrated database each, the real app over ASGI, tokens of our own key."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
from fastapi import FastAPI

from chassis import private_file
from chassis.app import create_app
from chassis.bus import Bus, open_bus
from chassis.clock import drive
from chassis.consumption import Consumption
from chassis.ids import new_id
from chassis.migrate import migrate
from chassis.relay import publish_once
from chassis.service import Runtime, Service, running
from chassis.settings import Settings
from chassis.signing import SigningKey
from chassis.telemetry import configure_logging
from chassis.work import consumers_of, consumption
from contracts.topics import TOPICS
from suite.postgres import Postgres, create_service_database

DISTRICT = "500112000000"
NO_ISSUER = "http://127.0.0.1:9/jwks.json"
configure_logging(service="test", process="test")

_templates: set[tuple[int, str]] = set()
_idle: list[tuple[Service, FastAPI]] = []
"""Apps between two tests: to analyse all routes anew takes longer than most tests."""


@dataclass(frozen=True)
class Databases:
    """What a service under test connects to."""

    app: str
    owner: str
    admin: str
    bus: str


async def fresh_databases(postgres: Postgres, service: Service) -> Databases:
    """A migrated database of its own for the service, and an empty one for the embedded bus."""
    template = f"{service.name}_template"
    owner, app = f"{template}_owner", f"{template}_app"
    if (postgres.port, template) not in _templates:
        await create_service_database(
            postgres.admin_dsn(), template, owner_password="owner", app_password="app"
        )
        await migrate(
            service, postgres.dsn(template, owner, "owner"), postgres.dsn(template, app, "app")
        )
        _templates.add((postgres.port, template))
    name = f"{service.name}_{new_id().hex[-12:]}"
    admin = await asyncpg.connect(postgres.admin_dsn())
    try:
        await admin.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER {owner}"
        )
        await admin.execute(f"CREATE DATABASE {name}_bus OWNER {owner}")
    finally:
        await admin.close()
    return Databases(
        app=postgres.dsn(name, app, "app"),
        owner=postgres.dsn(name, owner, "owner"),
        admin=postgres.admin_dsn(name),
        bus=postgres.dsn(f"{name}_bus", owner, "owner"),
    )


@dataclass
class Running:
    """A service with its app, database, bus and clock."""

    service: Service
    databases: Databases
    settings: Settings
    key: SigningKey
    http: httpx.AsyncClient
    runtime: Runtime
    bus: Bus

    def token(
        self,
        *scopes: str,
        divisions: Sequence[str] = (DISTRICT,),
        subject: str = "clerk-1",
        organisation: str = "渝北区民政局",
    ) -> str:
        return self.key.issue(
            {
                "iss": self.settings.issuer,
                "aud": self.settings.audience,
                "sub": subject,
                "org": organisation,
                "divisions": list(divisions),
                "scope": " ".join(scopes),
            },
            timedelta(hours=1),
        )

    def headers(self, *scopes: str, **claims: object) -> dict[str, str]:
        """Authorization of a holder of these scopes (claims as for `token`)."""
        return {"Authorization": f"Bearer {self.token(*scopes, **claims)}"}  # type: ignore[arg-type]

    def at(self, day: str, time: str = "10:00") -> None:
        """Drive the clock to a moment in Asia/Shanghai."""
        drive(Path(self.settings.clock), datetime.fromisoformat(f"{day}T{time}:00+08:00"))

    async def relay(self) -> int:
        """Publish what the outbox holds; how many events."""
        connection = await asyncpg.connect(self.databases.app)
        total = 0
        try:
            async with self.bus.producer() as producer:
                while sent := await publish_once(
                    connection, lambda messages: producer.send(messages, timeout=10)
                ):
                    total += sent
        finally:
            await connection.close()
        return total

    async def consume(self) -> None:
        """Let every consumer of the service take all that its topics hold."""
        for consumer in consumers_of(self.service):
            await drain(consumption(self.runtime, consumer), self.bus)

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Look into the database past every wall."""
        return await looked_at(self.databases.admin, query, *arguments)


async def looked_at(admin: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    """What a superuser sees in a database."""
    connection = await asyncpg.connect(admin)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
    finally:
        await connection.close()
    return found


async def drain(one: Consumption, bus: Bus) -> None:
    """Consume until the consumer stands at the end of its topics."""
    ends = await bus.end_offsets(one.consumer.topics)
    async with bus.subscribe(
        f"{one.consumer.name}-{new_id().hex}", one.consumer.topics, assigned=one.assigned
    ) as subscription:
        while any(one.positions.get(partition, 0) < end for partition, end in ends.items()):
            await one.step(subscription, wait=0.2)


@contextmanager
def borrowed_app(service: Service, runtime: Runtime) -> Iterator[FastAPI]:
    """An app of the service that answers with this runtime; nobody else has it until the end."""
    found = next((one for one in _idle if one[0] is service), None)
    if found is None:
        found = service, create_app(service, runtime.settings)
    else:
        _idle.remove(found)
    found[1].state.runtime = runtime
    yield found[1]
    _idle.append(found)


@asynccontextmanager
async def running_service(
    postgres: Postgres,
    service: Service,
    folder: Path,
    *,
    bus: str = "",
    databases: Databases | None = None,
) -> AsyncIterator[Running]:
    """The service as it runs, on a database of its own; the clock stands at 2025-03-03."""
    databases = databases or await fresh_databases(postgres, service)
    key = SigningKey.load_or_create(folder / "keys")
    clock = folder / "clock"
    drive(clock, datetime(2025, 3, 3, 2, 0, tzinfo=UTC))
    private_file.replace(
        folder / "state" / f"{service.name}-jwks.json",
        json.dumps({"url": NO_ISSUER, "jwks": key.public_jwks()}).encode(),
    )
    settings = Settings.model_validate(
        {
            "DATABASE_URL": databases.app,
            "OWNER_DATABASE_URL": databases.owner,
            "bus_url": "" if bus.startswith("kafka://") else databases.bus,
            "kafka": bus.removeprefix("kafka://") if bus.startswith("kafka://") else "",
            "jwks_url": NO_ISSUER,
            "state": folder / "state",
            "keys": folder / "keys",
            "clock": str(clock),
        }
    )
    opened = open_bus(settings.bus)
    await opened.ensure_topics({topic.name: topic.partitions for topic in TOPICS})
    async with running(service, settings) as runtime:
        with borrowed_app(service, runtime) as app:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
                yield Running(service, databases, settings, key, http, runtime, opened)
