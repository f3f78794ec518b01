from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.relief.app import SERVICE
from suite.postgres import Postgres
from tests.services.relief.awards.granting import BOTH, Office
from tests.support.emptied import running_emptied
from tests.support.services import Databases, Running


@pytest.fixture
async def relief(
    postgres: Postgres, tmp_path: Path, databases: Databases
) -> AsyncIterator[Running]:
    async with running_emptied(postgres, SERVICE, tmp_path, databases) as running:
        running.at("2025-12-10")
        await Office(running).standards()
        running.at("2025-08-11")
        yield running


@pytest.fixture
def town(relief: Running) -> Office:
    return Office(relief)


@pytest.fixture
def bureau(relief: Running) -> Office:
    """The county's bureau, which decides unless power was passed down."""
    return Office(relief, BOTH, "bureau-1")
