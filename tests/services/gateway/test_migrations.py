import asyncio

from chassis.migrate import drift
from services.gateway.app import SERVICE
from tests.services.gateway.house import House


def test_migrated_database_equals_the_models(house: House) -> None:
    assert asyncio.run(drift(SERVICE, house.databases.owner)) == []
