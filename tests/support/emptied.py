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


@asynccontextmanager
async def running_emptied(
    postgres: Postgres, service: Service, folder: Path, databases: Databases, *, bus: str = ""
) -> AsyncIterator[Running]:
    admin = await asyncpg.connect(databases.admin)
    try:
        await admin.execute(f"TRUNCATE {await admin.fetchval(TABLES)} RESTART IDENTITY")
    finally:
        await admin.close()
    async with running_service(postgres, service, folder, databases=databases, bus=bus) as running:
        yield running
