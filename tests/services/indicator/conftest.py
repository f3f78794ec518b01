from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.indicator.app import SERVICE
from suite.postgres import Postgres
from tests.services.indicator.house import House
from tests.support.services import running_service


@pytest.fixture
async def house(postgres: Postgres, tmp_path: Path) -> AsyncIterator[House]:
    async with running_service(postgres, SERVICE, tmp_path) as running:
        yield House(running)
