from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.relief.app import SERVICE
from suite.postgres import Postgres
from tests.services.relief.law.window import TODAY, Window
from tests.support.emptied import running_emptied
from tests.support.services import Databases


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> AsyncIterator[Window]:
    """The calculator on a house that knows every standard of 2018 to 2025."""
    folder = tmp_path_factory.mktemp("law")
    async with running_emptied(postgres, SERVICE, folder, databases) as running:
        running.at(TODAY)
        window = Window(running)
        await window.set_standards()
        yield window
