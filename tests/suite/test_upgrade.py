"""An upgrade with old and new processes side by side: expand first, contract in a later version."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.exc import DBAPIError

from chassis import migrate as migrating
from chassis.ids import new_id
from chassis.lineage import Lineage
from chassis.migrate import app_role_of, lineages, upgrade
from services.eldercare.app import SERVICE as ELDERCARE
from services.indicator.app import SERVICE as INDICATOR
from suite import catalogue
from suite.postgres import Postgres
from tests.support.services import fresh_databases, looked_at, running_service
from tests.support.two import Two

EXPANDS = {"create_table", "create_index", "add_column", "execute", "f"}
CONTRACTS = re.compile(
    r"\b(DROP|RENAME|TRUNCATE|SET\s+NOT\s+NULL|ALTER\s+COLUMN|DELETE\s+FROM|VALIDATE)\b",
    re.IGNORECASE,
)
ROOT = Path(__file__).parents[2]
REVISIONS = sorted(
    {
        revision
        for service in catalogue.load_all()
        for lineage in lineages(service)
        for revision in (lineage.folder / "versions").glob("*.py")
        # Before the first one there was nothing that could stumble.
        if "\ndown_revision = None" not in revision.read_text("utf-8")
    }
)


def contracting(source: str) -> list[str]:
    """What a revision's upgrade does that a process of the version before could stumble over."""
    (body,) = (
        one
        for one in ast.parse(source).body
        if isinstance(one, ast.FunctionDef) and one.name == "upgrade"
    )
    strings = {
        target.id: one.value.value
        for one in ast.parse(source).body
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    return [word for call in ast.walk(body) for word in _judged(call, strings)]


def _judged(call: ast.AST, strings: dict[str, Any]) -> Iterator[str]:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    owner, name = call.func.value, call.func.attr
    if not isinstance(owner, ast.Name) or owner.id != "op":
        return
    if name not in EXPANDS:
        yield f"op.{name}"
    if name == "add_column" and not _old_code_may_leave_it_out(call):
        yield "op.add_column without a default"
    if name == "execute":
        told = " ".join(
            str(strings.get(one.id, "")) if isinstance(one, ast.Name) else one.value
            for one in ast.walk(call)
            if isinstance(one, ast.Name)
            or (isinstance(one, ast.Constant) and isinstance(one.value, str))
        )
        if found := CONTRACTS.search(told):
            yield f"op.execute: {found.group()}"


def _old_code_may_leave_it_out(call: ast.Call) -> bool:
    column = next(one for one in ast.walk(call) if isinstance(one, ast.Call) and one is not call)
    told = {one.arg: ast.unparse(one.value) for one in column.keywords}
    return told.get("nullable", "True") == "True" or "server_default" in told


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda one: str(one.relative_to(ROOT)))
def test_a_revision_only_adds_what_old_processes_need_not_know(revision: Path) -> None:
    assert contracting(revision.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_table("award")',
        'op.drop_column("award", "label")',
        'op.rename_table("award", "grant")',
        'op.alter_column("award", "label", nullable=False)',
        'op.alter_column("award", "label", new_column_name="name")',
        'op.add_column("award", sa.Column("kind", sa.Text(), nullable=False))',
        'op.execute("ALTER TABLE award ALTER COLUMN label SET NOT NULL")',
        'op.execute("alter table award rename to grant")',
        "op.execute(AFAR)",
    ],
)
def test_what_takes_away_is_found(statement: str) -> None:
    source = f'AFAR = "DROP TABLE award"\n\ndef upgrade() -> None:\n    {statement}\n'
    assert len(contracting(source)) == 1


def test_what_adds_is_let_through() -> None:
    added = (
        'op.add_column("award", sa.Column("kind", sa.Text(), nullable=False, server_default=""))'
    )
    assert contracting(f"def upgrade() -> None:\n    {added}\n") == []


FIRST = """import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "1", None, None, None


def upgrade() -> None:
    op.create_table("thing", sa.Column("id", sa.Integer(), primary_key=True))
"""
SECOND = """import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "2", "1", None, None


def upgrade() -> None:
    op.create_table("other", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("thing", sa.Column("later", sa.Integer()))
"""
TABLES = """SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name IN ('thing', 'other') ORDER BY 1, 2"""


async def test_a_migration_gives_up_where_a_table_is_in_use_and_leaves_nothing_behind(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text("from chassis.migrate import environment\n\nenvironment()\n")
    (tmp_path / "versions" / "first.py").write_text(FIRST)
    metadata = MetaData()
    Table("thing", metadata, Column("id", Integer, primary_key=True))
    lineage = Lineage("toy", tmp_path, "public", metadata)
    databases = await fresh_databases(postgres, catalogue.load("gateway"))
    role = app_role_of(databases.app)
    await upgrade(databases.owner, lineage, role)
    (tmp_path / "versions" / "second.py").write_text(SECOND)
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", "200ms")
    long = await asyncpg.connect(databases.app)
    try:
        async with long.transaction():
            await long.fetch("SELECT * FROM thing")
            with pytest.raises(DBAPIError) as failed:
                await upgrade(databases.owner, lineage, role)
            assert getattr(failed.value.orig, "sqlstate", "") == "55P03"
            # Others go on: nobody queues behind a migration that has given up.
            assert await looked_at(databases.admin, "SELECT count(*) FROM thing")
    finally:
        await long.close()
    found = [tuple(row) for row in await looked_at(databases.admin, TABLES)]
    assert found == [("thing", "id")]
    await upgrade(databases.owner, lineage, role)
    found = [tuple(row) for row in await looked_at(databases.admin, TABLES)]
    assert found == [("other", "id"), ("thing", "id"), ("thing", "later")]


GROW = """SELECT format('ALTER TABLE %I.%I ADD COLUMN later_optional text,'
  ' ADD COLUMN later_counted integer NOT NULL DEFAULT 7', schemaname, tablename) AS statement
FROM pg_tables WHERE schemaname IN ('public', 'chassis', 'acting', 'projection')
AND tablename NOT LIKE 'alembic_version%'"""


def of_a_later_version(value: Any) -> Any:
    if isinstance(value, dict):
        grown = {key: of_a_later_version(one) for key, one in value.items()}
        return {**grown, "added_later": {"reason": ["new"]}}
    if isinstance(value, list):
        return [of_a_later_version(one) for one in value]
    return value


async def test_old_processes_work_on_tables_and_events_of_the_next_version(
    postgres: Postgres, tmp_path: Path
) -> None:
    one, other = [await fresh_databases(postgres, each) for each in (ELDERCARE, INDICATOR)]
    for databases in (one, other):
        for row in await looked_at(databases.admin, GROW):
            await looked_at(databases.admin, row["statement"])
    async with (
        running_service(postgres, ELDERCARE, tmp_path / "owner", databases=one) as owner,
        running_service(postgres, INDICATOR, tmp_path / "reader", databases=other) as reader,
    ):
        two = Two(owner, reader, one, tmp_path)
        facility = await two.register(10)
        await two.beds(facility, 12)
        await two.publish()
        assert await two.counted() == 12
        newer = of_a_later_version(await two.last())
        newer |= {
            "id": str(new_id()),
            "sequence": 3,
            "type": newer["type"].replace("changed", "merged"),
        }
        newer["data"]["periods"][-1]["beds_in_use"] = 30
        await two.forge(newer)
        await two.read()
        assert await two.counted() == 30
        assert await reader.rows("SELECT 1 FROM projection.dead_letter") == []
