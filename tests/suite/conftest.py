from collections.abc import Iterator

import pytest

from tests.support.house import House, running_house


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The suite with its demonstration district and two towns' cases, started once for all."""
    with running_house("--case-towns", "2") as running:
        yield running
