"""Migrations: every lineage up and down and up, twice at once, and equal to the models."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.exc import DBAPIError

from chassis.ids import new_id
from chassis.migrate import (
    app_role_of,
    connected,
    downgrade,
    drift,
    lineages,
    migrate,
    projections,
    upgrade,
)
from chassis.service import Service
from services.relief.app import SERVICE as RELIEF
from suite.postgres import Postgres, create_service_database
from tests.support.toy import SERVICE as TOY

TABLES = """SELECT schemaname, tablename FROM pg_tables
WHERE schemaname IN ('public', 'chassis', 'acting', 'projection', 'next')
AND tablename NOT LIKE 'alembic_version%'"""


@dataclass(frozen=True)
class Empty:
    owner: str
    app: str

    async def tables(self) -> set[tuple[str, str]]:
        return await connected(
            self.owner,
            "public",
            lambda connection: {
                (schema, table) for schema, table in connection.exec_driver_sql(TABLES)
            },
        )


@pytest.fixture
async def empty(postgres: Postgres) -> Empty:
    name = f"empty_{new_id().hex[-12:]}"
    await create_service_database(
        postgres.admin_dsn(), name, owner_password="owner", app_password="app"
    )
    return Empty(
        postgres.dsn(name, f"{name}_owner", "owner"), postgres.dsn(name, f"{name}_app", "app")
    )


@pytest.mark.parametrize("service", [RELIEF, TOY], ids=lambda service: service.name)
async def test_every_lineage_goes_up_down_and_up_again(empty: Empty, service: Service) -> None:
    await migrate(service, empty.owner, empty.app)
    whole = await empty.tables()
    for lineage in reversed(lineages(service)):
        own = {(lineage.schema, table) for table in lineage.metadata.tables}
        before = await empty.tables()
        assert own <= before
        await downgrade(empty.owner, lineage)
        assert await empty.tables() == before - own
    assert await empty.tables() == set()
    await migrate(service, empty.owner, empty.app)
    assert await empty.tables() == whole
    assert await drift(service, empty.owner) == []


async def test_each_lineage_stands_in_its_schema(empty: Empty) -> None:
    await migrate(RELIEF, empty.owner, empty.app)
    found = await empty.tables()
    assert {("chassis", "outbox"), ("projection", "inbox"), ("public", "standard_series")} <= found
    assert {schema for schema, table in found if table == "outbox"} == {"chassis"}


async def test_a_projection_is_made_beside_the_live_one(empty: Empty) -> None:
    await migrate(RELIEF, empty.owner, empty.app)
    for lineage in projections(RELIEF, schema="next"):
        await upgrade(empty.owner, lineage, app_role_of(empty.app))
    found = await empty.tables()
    live = {table for schema, table in found if schema == "projection"}
    assert {table for schema, table in found if schema == "next"} == live


async def test_migrating_again_and_twice_at_once_changes_nothing(empty: Empty) -> None:
    await asyncio.gather(*(migrate(RELIEF, empty.owner, empty.app) for _ in range(3)))
    found = await empty.tables()
    await migrate(RELIEF, empty.owner, empty.app)
    assert await empty.tables() == found
    assert await drift(RELIEF, empty.owner) == []


async def test_a_table_that_no_migration_makes_is_a_drift(empty: Empty) -> None:
    await migrate(TOY, empty.owner, empty.app)
    metadata = MetaData(naming_convention=TOY.metadata.naming_convention)
    for table in TOY.metadata.sorted_tables:
        table.to_metadata(metadata)
    Table("forgotten", metadata, Column("id", Integer, primary_key=True))
    changed = Service(TOY.name, TOY.title, TOY.description, TOY.routers, metadata, TOY.migrations)
    (found,) = await drift(changed, empty.owner)
    assert found.startswith("toy/service: ")
    assert "forgotten" in found


async def test_the_app_cannot_migrate(empty: Empty) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await migrate(RELIEF, empty.app, empty.app)
    assert await empty.tables() == set()


def test_the_app_role_is_that_of_its_url() -> None:
    assert app_role_of("postgresql://relief_app:x@127.0.0.1:5432/relief") == "relief_app"
    with pytest.raises(ValueError, match="no role"):
        app_role_of("postgresql://127.0.0.1/relief")
