import pytest

from tests.services.relief.households.family import Clerk
from tests.support.services import Running


@pytest.fixture
def clerk(relief: Running) -> Clerk:
    return Clerk(relief)
