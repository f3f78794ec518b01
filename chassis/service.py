"""What a service is made of, and what a process of it runs with."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter
from sqlalchemy import MetaData

from chassis.access import Jwks, KeySource, TokenVerifier
from chassis.clock import Clock, open_clock
from chassis.consumption import Consumer
from chassis.database import Aggregate, Database
from chassis.http_client import HttpClient
from chassis.jobs import JobHandler
from chassis.limits import Rates
from chassis.lineage import Lineage
from chassis.places import Places
from chassis.privacy import KeyRing, open_keys
from chassis.settings import Settings
from chassis.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of one process; made at its start, closed at its end."""

    service: "Service"
    settings: Settings
    clock: Clock
    database: Database
    places: Places
    verifier: TokenVerifier
    key_ring: KeyRing
    callers: Rates
    lookups: Rates


@dataclass(frozen=True)
class Service:
    """One domain: routes, tables, consumers and jobs; `migrations` holds a folder per lineage."""

    name: str
    title: str
    description: str
    routers: tuple[APIRouter, ...]
    metadata: MetaData
    migrations: Path
    projection: MetaData | None = None
    further: tuple[Lineage, ...] = ()
    """Tables that several services have alike, each kind with migrations of its own."""
    consumers: tuple[Consumer, ...] = ()
    jobs: Callable[["Runtime"], Mapping[str, JobHandler]] = lambda _: {}
    daily: tuple[str, ...] = ()
    publishes: Mapping[str, type[Aggregate]] = field(default_factory=dict, hash=False)
    """Topic → the aggregate whose rows number its events."""
    keys: Callable[[Settings], KeySource] | None = None
    """Where tokens are verified from, for the issuer itself; else its JWKS over HTTP."""


@asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncIterator[Runtime]:
    """Open what a process of the service needs; nothing is fetched or connected before its use."""
    metrics.watch_disk(settings.state)
    clock = open_clock(settings.clock or None, deployment=settings.deployment)
    key_ring = open_keys(
        field_keys=settings.field_keys,
        pseudonym_key=settings.pseudonym_key,
        name_index_key=settings.name_index_key,
        folder=settings.key_folder / "persons",
        deployment=settings.deployment,
    )
    database = Database(
        settings.database_url,
        clock,
        source=service.name,
        pool_size=settings.pool_size,
        key_ring=key_ring,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        if service.keys is None:
            client = await stack.enter_async_context(HttpClient())
            file = settings.state / f"{service.name}-jwks.json"
            keys: KeySource = await stack.enter_async_context(
                Jwks(settings.jwks_url, file=file, client=client)
            )
        else:
            keys = service.keys(settings)
        verifier = TokenVerifier(keys, settings.issuer, settings.audience)
        yield Runtime(
            service,
            settings,
            clock,
            database,
            Places(database),
            verifier,
            key_ring,
            callers=Rates(settings.requests_a_second, burst=2 * settings.requests_a_second),
            lookups=Rates(settings.lookups_a_minute / 60, burst=settings.lookups_a_minute),
        )
