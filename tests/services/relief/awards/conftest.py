import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.relief.app import SERVICE
from suite.postgres import Postgres
from tests.services.relief.awards.granting import Office
from tests.support.emptied import running_emptied
from tests.support.services import DISTRICT, Databases, Running, fresh_databases


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, SERVICE))


@pytest.fixture
async def relief(
    postgres: Postgres, tmp_path: Path, databases: Databases
) -> AsyncIterator[Running]:
    async with running_emptied(postgres, SERVICE, tmp_path, databases) as running:
        running.at("2025-08-11")
        yield running


@pytest.fixture
async def town(relief: Running) -> Office:
    office = Office(relief)
    await office.standards()
    return office


@pytest.fixture
def bureau(relief: Running, town: Office) -> Office:
    """The county's bureau, which decides unless power was passed down."""
    assert town.relief is relief
    return Office(relief, DISTRICT, "bureau-1")
