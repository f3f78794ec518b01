"""Every lineage of every service: no drift from the models, up and down and up again."""

import pytest

from chassis.migrate import app_role_of, downgrade, drift, lineages, migrate, upgrade
from suite import catalogue
from suite.postgres import Postgres, create_service_database


async def migrated(postgres: Postgres, name: str, suffix: str) -> tuple[str, str]:
    database = f"{name}_{suffix}"
    await create_service_database(
        postgres.admin_dsn(), database, owner_password="owner", app_password="app"
    )
    owner = postgres.dsn(database, f"{database}_owner", "owner")
    app = postgres.dsn(database, f"{database}_app", "app")
    await migrate(catalogue.load(name), owner, app)
    return owner, app


@pytest.mark.parametrize("name", catalogue.NAMES)
async def test_the_migrated_database_is_what_the_models_say(postgres: Postgres, name: str) -> None:
    owner, _ = await migrated(postgres, name, "drift")
    assert await drift(catalogue.load(name), owner) == []


@pytest.mark.parametrize("name", catalogue.NAMES)
async def test_up_down_up(postgres: Postgres, name: str) -> None:
    owner, app = await migrated(postgres, name, "updown")
    service = catalogue.load(name)
    for lineage in reversed(lineages(service)):
        await downgrade(owner, lineage)
    for lineage in lineages(service):
        await upgrade(owner, lineage, app_role_of(app))
    assert await drift(service, owner) == []
