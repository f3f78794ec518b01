from collections.abc import AsyncIterator

import pytest

from tests.services.relief.applications.window import Window
from tests.support.departments import OtherSide
from tests.support.services import Running


@pytest.fixture
async def window(relief: Running, other: OtherSide) -> AsyncIterator[Window]:
    one = Window(relief, other)
    await one.set_standards()
    await one.ask_two_sources()
    yield one
    await one.jobs.close()
