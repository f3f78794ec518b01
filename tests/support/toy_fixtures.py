"""Fixtures of the toy and of relief, each on one database for the session; for conftests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.relief.app import SERVICE as RELIEF
from suite.postgres import Postgres
from tests.support.emptied import running_emptied
from tests.support.services import Databases, Running, fresh_databases
from tests.support.toy import SERVICE, Toy, own_topic


@pytest.fixture(scope="session")
def toy_databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, SERVICE))


@pytest.fixture(scope="session")
def relief_databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, RELIEF))


@pytest.fixture
async def toy(
    postgres: Postgres, toy_databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Toy]:
    async with running_emptied(postgres, SERVICE, tmp_path, toy_databases) as running:
        yield Toy(running, await own_topic(running, monkeypatch))


@pytest.fixture
async def toy_on_bus(
    postgres: Postgres,
    toy_databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bus_url: str,
) -> AsyncIterator[Toy]:
    """The test runs on both buses."""
    async with running_emptied(postgres, SERVICE, tmp_path, toy_databases, bus=bus_url) as running:
        yield Toy(running, await own_topic(running, monkeypatch))


@pytest.fixture
async def relief(
    postgres: Postgres, relief_databases: Databases, tmp_path: Path
) -> AsyncIterator[Running]:
    async with running_emptied(postgres, RELIEF, tmp_path, relief_databases) as running:
        yield running
