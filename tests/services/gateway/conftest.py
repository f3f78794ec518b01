import asyncio
from collections.abc import Iterator

import pytest

from services.gateway.app import SERVICE
from suite.postgres import Postgres
from tests.services.gateway.house import House, rough_service, running_house
from tests.support.services import fresh_databases


@pytest.fixture(scope="session")
def house(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    databases = asyncio.run(fresh_databases(postgres, SERVICE))
    folder = tmp_path_factory.mktemp("gateway")
    with rough_service() as rough, running_house(databases, folder, rough) as running:
        yield running
