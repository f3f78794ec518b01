from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.eldercare.app import SERVICE
from suite.postgres import Postgres
from tests.support.services import Running, running_service


@pytest.fixture
async def eldercare(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(postgres, SERVICE, tmp_path) as running:
        yield running
