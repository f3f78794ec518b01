import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.relief.app import SERVICE
from suite.postgres import Postgres
from tests.support.departments import OtherSide, running_departments
from tests.support.emptied import running_emptied
from tests.support.services import Databases, Running, fresh_databases


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, SERVICE))


@pytest.fixture
async def relief(
    postgres: Postgres, tmp_path: Path, databases: Databases
) -> AsyncIterator[Running]:
    async with running_emptied(postgres, SERVICE, tmp_path, databases) as running:
        yield running


@pytest.fixture(scope="session")
def departments() -> Iterator[OtherSide]:
    with running_departments() as other:
        yield other


@pytest.fixture
def other(departments: OtherSide, monkeypatch: pytest.MonkeyPatch) -> OtherSide:
    """Sources that know nobody, unless they are told otherwise."""
    monkeypatch.setenv("MINZHENG_DEPARTMENTS_URL", departments.url)
    monkeypatch.setenv("MINZHENG_DEPARTMENTS_TIMEOUT", "5")
    departments.forget()
    departments.script("*", "*", "none")
    return departments
