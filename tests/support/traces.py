"""Everywhere in a running house that a person's name could have been left in clear."""

import json
from collections.abc import AsyncGenerator, Iterable, Iterator
from urllib.parse import quote

import asyncpg

from suite import catalogue
from suite.data import BUS
from tests.support.house import House

COLUMNS = """SELECT c.table_schema, c.table_name, c.column_name, c.data_type = 'bytea' AS bytes
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
AND c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'USER-DEFINED', 'bytea')
ORDER BY 1, 2, 3"""
"""Sealed columns too: what stands in one unsealed can be read there."""


def spellings(marks: Iterable[str]) -> Iterator[str]:
    """A mark as it is, as JSON escapes it, and as a URL does."""
    for mark in marks:
        yield from {mark, json.dumps(mark)[1:-1], quote(mark)}


def leaks(marks: Iterable[str], said: str) -> list[str]:
    return [mark for mark in marks if mark in said]


async def traces(house: House) -> AsyncGenerator[tuple[str, str], None]:
    """(place, what is said there): databases with outboxes and bus, logs, metrics."""
    for name in (*catalogue.NAMES, BUS):
        async for place, said in _database(house, name):
            yield f"{name}: {place}", said
    errors = house.data.parent / f"{house.data.name}.err"
    logs = {*house.folder.logs.iterdir(), *(house.data / "postgres").glob("log*"), errors}
    for file in sorted(one for one in logs if one.is_file()):
        yield str(file.relative_to(house.data.parent)), file.read_text(errors="replace")
    for name, url in house.endpoints.items():
        if name != "bus":
            path = "/metrics" if name.startswith("metrics-") else "/-/metrics"
            yield f"metrics of {name}", house.http.get(f"{url}{path}").text


async def _database(house: House, name: str) -> AsyncGenerator[tuple[str, str], None]:
    connection = await asyncpg.connect(house.folder.postgres().admin_dsn(name))
    try:
        for schema, table, column, is_bytes in await connection.fetch(COLUMNS):
            shown = f'"{column}"' if is_bytes else f'"{column}"::text'
            query = f'SELECT {shown} FROM "{schema}"."{table}" WHERE "{column}" IS NOT NULL'  # noqa: S608 - names of our own tables
            values = [value for (value,) in await connection.fetch(query)]
            texts = [one.decode(errors="replace") if is_bytes else one for one in values]
            yield f"{schema}.{table}.{column}", "\n".join(texts)
    finally:
        await connection.close()
