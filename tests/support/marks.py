"""Marked persons: planted into every free text of a service, looked for in all that is kept."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx

from tests.support.requests_of import Document, Operation

NAME = "淳于牧野"
NUMBER = "500112196803124416"
PHONE = "13912340987"
HOME = "梧桐弄九号附三"
ACCOUNT = "6222021234567890123"
PERSON = (NAME, NUMBER, PHONE, HOME, ACCOUNT)
NUMBERS = (NUMBER, PHONE, ACCOUNT)
TOLD = f"{NAME}（{NUMBER}，{PHONE}）住{HOME}，账号{ACCOUNT}"
"""What a clerk might write anywhere."""
LEAST = 8
"""Shorter spellings would be found by chance."""

TEXT = frozenset({r"^[^\p{C}\p{Zl}\p{Zp}]+$", r"^[^\p{C}]+$", r"^[^\x00-\x1f\x7f]+$"})
"""Patterns that leave a text free."""
VALUES = ("name", "document_number", "phone", "address")
"""Fields that are a person's own: left as they are, and marks themselves."""


def spelt(marks: Iterable[str]) -> Iterator[bytes]:
    """Each mark in all the ways in which it could have been written down."""
    for mark in marks:
        plain = mark.encode()
        yield from {plain, json.dumps(mark)[1:-1].encode(), quote(mark).encode()}
        yield quote(mark).lower().encode()
        yield plain.hex().encode()
        yield from (mark.encode(code) for code in ("utf-16-le", "utf-16-be", "gb18030"))
        for shift in range(3):  # wherever it begins in what was written as base64
            written = base64.b64encode(bytes(shift) + plain)
            yield written[4 if shift else 0 : -4]


def pattern_of(marks: Iterable[str]) -> re.Pattern[bytes]:
    found = {one for one in spelt(marks) if len(one) >= LEAST}
    return re.compile(b"|".join(re.escape(one) for one in sorted(found)))


async def dumped(dsn: str) -> dict[str, bytes]:
    """Every table of a database, past every wall, as COPY tells it: whole, not compressed."""
    connection = await asyncpg.connect(dsn)
    found: dict[str, bytes] = {}
    try:
        for schema, table in await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN"
            " ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        ):
            parts: list[bytes] = []

            async def keep(part: bytes, parts: list[bytes] = parts) -> None:
                parts.append(part)

            await connection.copy_from_table(
                table, schema_name=schema, output=keep, format="binary"
            )
            found[f"{schema}.{table}"] = b"".join(parts)
    finally:
        await connection.close()
    return found


@dataclass(frozen=True)
class FreeText:
    """A free text of a request's body: `pointer` has `[]` for each list."""

    operation: str
    pointer: str
    longest: int | None


def free_texts(document: Document) -> set[FreeText]:
    """Every field of every body into which a person could be written."""
    return {
        FreeText(f"{one.method} {one.path}", pointer, schema.get("maxLength"))
        for one in document.operations()
        for schema in _json_bodies(one)
        for pointer, schema in _texts(document, schema, "", frozenset())
    }


def _json_bodies(operation: Operation) -> list[Any]:
    content = operation.described.get("requestBody", {}).get("content", {})
    return [content["application/json"]["schema"]] if "application/json" in content else []


def _texts(
    document: Document, schema: Any, pointer: str, seen: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        if schema["$ref"] in seen:
            return
        seen, schema = seen | {schema["$ref"]}, document.resolved(schema)
    for kind in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(kind, ()):
            yield from _texts(document, one, pointer, seen)
    for name, one in schema.get("properties", {}).items():
        yield from _texts(document, one, f"{pointer}/{name}", seen)
    if schema.get("type") == "array":
        yield from _texts(document, schema["items"], f"{pointer}/[]", seen)
    if schema.get("type") == "string" and _is_free(pointer, schema):
        yield pointer, schema


def _is_free(pointer: str, schema: Mapping[str, Any]) -> bool:
    if pointer.rsplit("/", 1)[-1] in VALUES:
        return True
    if "pattern" in schema:
        return schema["pattern"] in TEXT
    return "maxLength" in schema and not {"enum", "const", "format"} & set(schema)


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any, Any, Any]]:
    """(pointer, what holds it, its place there, the value) of each plain value of a body."""
    items: Iterable[tuple[Any, str, Any]] = ()
    if isinstance(value, dict):
        items = [(name, f"{pointer}/{name}", one) for name, one in value.items()]
    elif isinstance(value, list):
        items = [(place, f"{pointer}/[]", one) for place, one in enumerate(value)]
    for place, below, one in items:
        if isinstance(one, dict | list):
            yield from leaves(one, below)
        else:
            yield below, value, place, one


@dataclass
class Planted:
    """What was planted where, and what was answered to it."""

    fields: Mapping[tuple[str, str], FreeText]
    taken: set[tuple[str, str]] = field(default_factory=set)
    marks: set[str] = field(default_factory=lambda: set(PERSON))
    refusals: list[tuple[int, str]] = field(default_factory=list)


class Planting(httpx.AsyncClient):
    """A client of a service that writes the marked person into every free text that it sends."""

    def __init__(self, planted: Planted, operations: Iterable[Operation], **rest: Any) -> None:
        super().__init__(**rest)
        self.planted = planted
        self._paths = [
            (re.compile(re.sub(r"\{[^}]*\}", "[^/]+", one.path)), f"{one.method} {one.path}")
            for one in operations
        ]

    async def request(self, method: Any, url: Any, *, json: Any = None, **rest: Any) -> Any:
        asked, sent = self._marked(method, str(url), json)
        answer = await super().request(method, url, json=asked, **rest)
        if answer.is_success:
            self.planted.taken |= sent
        else:
            self.planted.refusals.append((answer.status_code, answer.text))
        return answer

    def _marked(self, method: str, url: str, body: Any) -> tuple[Any, set[tuple[str, str]]]:
        path = url.partition("?")[0]
        names = [name for shape, name in self._paths if shape.fullmatch(path)]
        names = [name for name in names if name.startswith(f"{method} ")]
        body = json.loads(json.dumps(body))
        sent = set()
        for pointer, holder, place, value in list(leaves(body)):
            for name in names:
                found = self.planted.fields.get((name, pointer))
                if found is None or value is None:
                    continue
                sent.add((name, pointer))
                if pointer.rsplit("/", 1)[-1] in VALUES:
                    self.planted.marks.add(value)
                else:
                    short = found.longest is not None and found.longest < len(TOLD)
                    holder[place] = NAME if short else TOLD
        return body, sent
