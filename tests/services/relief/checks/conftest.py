from collections.abc import AsyncIterator

import pytest

from tests.services.relief.checks.checking import Checking
from tests.support.departments import OtherSide
from tests.support.services import Running


@pytest.fixture
async def checking(relief: Running, other: OtherSide) -> AsyncIterator[Checking]:
    one = Checking(relief, other)
    yield one
    await one.jobs.close()
