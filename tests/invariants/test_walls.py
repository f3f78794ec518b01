"""Habits of the house that no single test would miss: walls, actors, import rules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from suite import catalogue
from suite.postgres import Postgres
from tests.support.services import fresh_databases, looked_at

ROOT = Path(__file__).parents[2]
OPEN = {
    "relief": {
        *("standard_series", "standard_amount"),  # published amounts, of whole counties
        *("parameter_row", "authority", "authority_ending"),  # the law, of whole counties
        "person_claim",  # pseudonyms alone: how one person in two towns is found
    },
    "eldercare": {"imported_history"},  # hashes of workbooks
    "indicator": {
        *("edition", "edition_figure"),  # published: read by everybody
        *("subject_state", "register_mark"),  # no unit: sequence numbers and first days
    },
    "gateway": {"client", "client_secret"},  # read before anybody is known
}
"""Tables of services without row-level security, each with why."""

WITHOUT = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('public', 'projection')
AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
AND c.relname NOT LIKE 'alembic_version%'
AND c.relname NOT IN ('inbox', 'consumer_offset', 'dead_letter', 'place_unit')"""


@pytest.mark.parametrize("name", catalogue.NAMES)
async def test_every_other_table_is_behind_the_second_wall(postgres: Postgres, name: str) -> None:
    databases = await fresh_databases(postgres, catalogue.load(name))
    found = {row["relname"] for row in await looked_at(databases.admin, WITHOUT)}
    assert found == OPEN[name]


def calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield str(path.relative_to(ROOT)), node


@pytest.mark.parametrize("folder", ["casework", "chassis", "services", "suite"])
def test_no_actor_is_a_literal(folder: str) -> None:
    """style.md: an actor written as "system" makes an audit worthless."""
    literal = [
        (path, node.lineno)
        for path, node in calls(folder)
        for keyword in node.keywords
        if keyword.arg == "actor" and isinstance(keyword.value, ast.Constant)
    ]
    assert literal == []


@pytest.mark.parametrize("folder", ["casework", "services", "suite"])
def test_nobody_but_the_chassis_commits(folder: str) -> None:
    found = [
        (path, node.lineno)
        for path, node in calls(folder)
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"commit", "rollback"}
    ]
    assert found == []
