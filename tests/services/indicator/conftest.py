import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.indicator.app import SERVICE
from suite.postgres import Postgres
from tests.services.indicator.house import House
from tests.support.emptied import running_emptied
from tests.support.services import Databases, fresh_databases


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, SERVICE))


@pytest.fixture
async def house(postgres: Postgres, tmp_path: Path, databases: Databases) -> AsyncIterator[House]:
    async with running_emptied(postgres, SERVICE, tmp_path, databases) as running:
        yield House(running)
