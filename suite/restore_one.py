"""One service's database from a backup, into a run whose other services went on.

A backup is a copy of the whole server: it is started aside, and the tables of the one database are
copied over in a single transaction. Numbers already drawn are not drawn again: sequences stay
where they are, for papers with the lost numbers are out in the world.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from chassis.outbox import HOLD, RESTORED
from suite.audit import in_folder
from suite.backup import Backup, BackupError, restore
from suite.data import DataFolder
from suite.single_run import InUseError

TABLES = """SELECT format('%I.%I', n.nspname, c.relname) AS name, n.nspname, c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('public', 'chassis', 'acting', 'projection')
  AND c.relname NOT LIKE 'alembic_version%' ORDER BY name"""
REVISIONS = """SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('public', 'chassis', 'acting', 'projection')
  AND c.relname LIKE 'alembic_version%' ORDER BY name"""


def restore_one(source: Path, data: Path, service: str) -> Backup:
    """Put one service's database back to a backup; its relay waits for a reconcile from then on.

    Its chain of audit entries is told of the lost stretch, before anything is sealed again.

    Raises:
        BackupError: the data folder is in use or is none, the backup is not whole, or its tables
            are of another revision than those of the data.
    """
    if not (data / "postgres" / "cluster").is_dir():
        raise BackupError(f"{data} 中没有套件的数据")
    folder = DataFolder.at(data)
    server = folder.postgres()
    # Beside the data: the same disk, and folders that the database's account can pass through.
    beside = Path(tempfile.mkdtemp(prefix=f"{data.name}.", dir=data.resolve().parent))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, beside)
        beside.chmod(0o711)
        try:
            server.start()
        except InUseError as error:
            raise BackupError(f"{data} 正在运行，请先停止") from error
        stack.callback(server.stop)
        made = restore(source, beside / "data")
        (beside / "data").chmod(0o711)
        aside = DataFolder.at(beside / "data").postgres()
        aside.start()
        stack.callback(aside.stop)
        urls = (aside.admin_dsn(service), server.admin_dsn(service))
        asyncio.run(copy_database(*urls, beside / "table"))
        (chain,) = in_folder(data, (service,))
        asyncio.run(chain.resume())
    return made


async def copy_database(source: str, goal: str, file: Path) -> None:
    """Make one database's rows those of another, and put it on hold, in one transaction.

    `file` is where a table is kept on the way.

    Raises:
        BackupError: the two are not of one revision.
    """
    reading = await asyncpg.connect(source)
    writing = await asyncpg.connect(goal)
    try:
        tables = [tuple(row) for row in await reading.fetch(TABLES)]
        standing = [tuple(row) for row in await writing.fetch(TABLES)]
        if tables != standing or await _revisions(reading) != await _revisions(writing):
            raise BackupError(
                "备份中的表与现有数据不是同一版本：请用备份时的程序恢复整个备份，"
                "或先把备份恢复到新目录、以现在的程序启动一次后再备份"
            )
        async with writing.transaction():
            # No foreign key is looked up while tables come one after the other.
            await writing.execute("SET LOCAL session_replication_role = replica")
            await writing.execute(f"TRUNCATE {', '.join(name for name, _, _ in tables)}")
            for name, schema, table in tables:
                columns = await _columns(reading, name)
                with file.open("wb") as kept:
                    await reading.copy_from_table(
                        table, schema_name=schema, columns=columns, output=kept, format="binary"
                    )
                with file.open("rb") as kept:
                    await writing.copy_to_table(
                        table, schema_name=schema, columns=columns, source=kept, format="binary"
                    )
            await writing.execute(HOLD, RESTORED)
    finally:
        await reading.close()
        await writing.close()


async def _revisions(connection: asyncpg.Connection) -> dict[str, list[str]]:
    return {
        row["name"]: [
            one["version_num"]
            for one in await connection.fetch(f"SELECT version_num FROM {row['name']} ORDER BY 1")  # noqa: S608 - a table of Alembic's
        ]
        for row in await connection.fetch(REVISIONS)
    }


async def _columns(connection: asyncpg.Connection, table: str) -> Sequence[str]:
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        table,
    )
    return [row["attname"] for row in rows]
