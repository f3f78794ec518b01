from collections.abc import Iterator

import pytest

from tests.support.house import House, running_house


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The suite with its demonstration district, started once for all tests that only look."""
    with running_house() as running:
        yield running
