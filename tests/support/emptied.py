"""Services on databases that a module's tests share, emptied before each: quicker than new ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from chassis.service import Service
from suite.postgres import Postgres
from tests.support.services import Databases, Running, running_service

TABLES = """SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables
WHERE schemaname IN ('public', 'projection', 'acting', 'chassis')
AND tablename NOT LIKE 'alembic_version%'"""
SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences"
PAST_TRIGGERS = "SET session_replication_role = replica"
BUS = ("bus_committed", "bus_member", "bus_group", "bus_record", "bus_partition")


@asynccontextmanager
async def running_emptied(
    postgres: Postgres, service: Service, folder: Path, databases: Databases, *, bus: str = ""
) -> AsyncIterator[Running]:
    await empty(databases)
    async with running_service(postgres, service, folder, databases=databases, bus=bus) as running:
        yield running


async def empty(databases: Databases) -> None:
    """Past triggers and references: with a few rows a table, a tenth of the time of TRUNCATE."""
    admin = await asyncpg.connect(databases.admin)
    try:
        tables = (await admin.fetchval(TABLES)).split(", ")
        sequences = [row[0] for row in await admin.fetch(SEQUENCES)]
        statements = [
            PAST_TRIGGERS,
            *(f"DELETE FROM {one}" for one in tables),  # noqa: S608 - names of the catalogue
            *(f"ALTER SEQUENCE {one} RESTART" for one in sequences),
        ]
        await admin.execute(";".join(statements))
    finally:
        await admin.close()
    bus = await asyncpg.connect(databases.bus)
    try:
        if await bus.fetchval("SELECT to_regclass($1) IS NOT NULL", BUS[0]):
            await bus.execute(";".join(f"DELETE FROM {one}" for one in BUS))  # noqa: S608 - ours
    finally:
        await bus.close()
