"""An attacker's afternoon with a valid token: ids, fields, queries, headers and bodies.

The attacker holds every scope in a town of their own; nothing may break (5xx), nothing may be told
or changed that is not theirs, and no line of the log or of an answer's head may be of their making.
"""

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.telemetry import configure_logging
from tests.faults.worlds import NOBODY, SCOPES, World
from tests.support.services import Running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("worlds")]

ASSIGNED = (
    *("id", "version", "event_seq", "unit_id", "state", "seq", "actor", "subject"),
    *("scopes", "organisation_id", "decided_by", "created_at", "__class__", "$where"),
)
"""Fields that rows have and no request may set."""
IDS = ("0", "1 OR 1=1", "'; DROP TABLE case_file; --", "%00", "..%2f..%2fetc", "%0d%0aSet-Cookie:a")
SQL = (
    *("' OR '1'='1", "1; SELECT pg_sleep(30); --", "') UNION SELECT 1,2,3 --", "%' --", "\\"),
    *("\x00", "\ud7ff", "9" * 400, "-1", "2025-02-30"),
)
HEADS = (
    *(b"x\r\nSet-Cookie: a=b", b"x\nInjected: 1", b"\x00", b"\xff\xfe", b"%0d%0aInjected:%201"),
    *(b'"1"\r\n\r\nHTTP/1.1 200 OK', b"key\x1b[2J-injected", b'{"event": "injected"}'),
)
INJECTED = ("set-cookie", "injected")


def attacker(world: World) -> dict[str, str]:
    return world.running.headers(*SCOPES, divisions=[world.foreign], subject="attacker")


def owner(world: World) -> dict[str, str]:
    return world.running.headers(*SCOPES, divisions=[world.own], subject="owner")


async def everything(running: Running) -> dict[str, int]:
    """How many rows each table has, but for what denials and readings write."""
    tables = await running.rows(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname IN ('public', 'projection', 'chassis')"
        " AND tablename NOT IN ('audit_entry', 'idempotency_key')"
    )
    counts = " UNION ALL ".join(
        f"SELECT '{row['name']}' AS name, count(*) AS rows FROM {row['name']}"  # noqa: S608 - names of the catalogue
        for row in tables
    )
    return {row["name"]: row["rows"] for row in await running.rows(counts)}


def objects(document: dict[str, Any], schema: Any, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """Every object that a request's body may have, however deep."""
    if isinstance(schema, list):
        for one in schema:
            yield from objects(document, one, seen)
        return
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if name not in seen:
            seen.add(name)
            for _, found in objects(document, document["components"]["schemas"][name], seen):
                yield name, found
        return
    if "properties" in schema:
        yield "", schema
    for key, part in schema.items():
        yield from objects(document, list(part.values()) if key == "properties" else part, seen)


async def test_no_body_takes_a_field_that_it_does_not_know(world: World) -> None:
    """However deep: what is not described is refused, so nothing can be assigned by guessing."""
    document = world.document.content
    open_ = {
        (path, name)
        for path, methods in document["paths"].items()
        for described in methods.values()
        for content in described.get("requestBody", {}).get("content", {}).values()
        for name, schema in objects(document, content["schema"], set())
        if schema.get("additionalProperties") is not False
    }
    assert {path for path, _ in open_} <= {"/oauth2/token"}  # RFC 6749, 3.2: ignored there


async def test_fields_of_the_rows_cannot_be_assigned(world: World) -> None:
    wrong = {}
    before = await everything(world.running)
    for row in world.protected:
        asked = world.body(row)
        if not isinstance(asked, dict):
            continue
        unknown = [name for name in ASSIGNED if name not in world.fields(row)]
        answer = await world.send(row, owner(world), asked | dict.fromkeys(unknown, "1"))
        said = answer.json()
        # Where a body is of one kind of several, its kind stands before the field.
        told = {one["pointer"].rsplit("/", 1)[-1] for one in said.get("errors", ())}
        missing = {name for name in unknown if name not in told} - {"$where"}
        if answer.status_code != 422 or missing:
            wrong[row.name] = (answer.status_code, missing, answer.text)
    assert await everything(world.running) == before
    assert wrong == {}


async def test_guessed_and_malformed_ids_find_nothing_and_break_nothing(world: World) -> None:
    """In the town's own name, too: an id of another kind is no id of this one."""
    wrong = {}
    before = await everything(world.running)
    malformed = itertools.cycle(IDS)
    for row in world.protected:
        own = world.ids_for(row)
        names = [part[1:-1] for part in row.path.split("/") if part.startswith("{")]
        for name in names:
            others = [value for key, value in own.items() if key != name and "_id" in key]
            for guess in (NOBODY, _next(own[name]), *others[:1], next(malformed)):
                ids = world.ids_for(row) | {name: guess}
                answer = await world.send(row, owner(world), world.body(row), ids=ids)
                if answer.status_code not in {404, 422, 428}:
                    wrong[row.name, name, guess] = (answer.status_code, answer.text)
    assert await everything(world.running) == before
    assert wrong == {}


def _next(identifier: str) -> str:
    """The id beside one."""
    last = identifier[-1]
    return identifier[:-1] + ("0" if last != "0" else "1")


async def test_queries_are_data_and_never_sql(world: World) -> None:
    wrong = {}
    before = await everything(world.running)
    for row in world.protected:
        if row.method != "GET":
            continue
        described = world.operations[row.name].described.get("parameters", ())
        for name in (one["name"] for one in described if one["in"] == "query"):
            for value in SQL:
                answer = await world.ask(row, attacker(world), {name: value})
                leaked = [mark for mark in world.marks if mark in answer.text]
                leaked = [mark for mark in leaked if mark not in world.url(row)]
                if answer.status_code not in {200, 404, 422} or leaked:
                    wrong[row.name, name, value] = (answer.status_code, answer.text)
    assert await everything(world.running) == before
    assert wrong == {}


async def test_heads_make_neither_a_header_nor_a_log_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {}
    configure_logging(service=world.running.service.name, process="serve")
    token = world.running.headers(*SCOPES)["Authorization"].encode()
    for row in world.protected[::5]:
        path = row.path.replace("{", "").replace("}", "")
        for value in HEADS:
            answer = await world.running.http.request(
                row.method,
                path,
                content=b"{}" if row.method == "POST" else None,
                headers=[
                    (b"Authorization", token),
                    (b"Content-Type", b"application/json"),
                    *((name, value) for name in (b"If-Match", b"Idempotency-Key")),
                    *((name, value) for name in (b"X-Request-Id", b"traceparent")),
                ],
            )
            made = [name for name in INJECTED if name in answer.headers]
            made += [one for one in answer.headers.values() if "\r" in one or "\n" in one]
            if answer.status_code >= 500 or made:
                wrong[row.name, value] = (answer.status_code, made)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= len(HEADS)
    assert all(json.loads(line)["event"] in {"request", "jwks_not_refreshed"} for line in lines)
    assert not [line for line in lines if "njected" in line or "Cookie" in line]
    assert wrong == {}


JSON = {"Content-Type": "application/json"}
TAKING = {
    "POST /v1/relief/applications",
    "POST /v1/eldercare/facilities",
    "POST /v1/plan/figures",
    "POST /v1/gateway/clients",
}
"""In each service the one that takes most."""
BOMBS = {
    "deep arrays": b"[" * 500_000,
    "deep objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "deep in a field": b'{"division": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a long number": b'{"amount": ' + b"9" * 1_000_000 + b"}",
    "a great exponent": b'{"amount": 1e999999999, "beds": {"total": 1E400}}',
    "not numbers": b'{"amount": NaN, "beds": Infinity}',
    "half a surrogate": b'{"name": "\\ud800", "document": "\\udfff"}',
    "zero bytes": b'{"name": "\\u0000", "division": "\\u0000"}',
    "many fields": b"{" + b",".join(b'"f%d":1' % one for one in range(100_000)) + b"}",
    "many items": b'{"functions": [' + b"1," * 500_000 + b"1]}",
    "the same field": b"{" + b",".join([b'"name":"a"'] * 100_000) + b"}",
    "no utf-8": b'{"name": "\xff\xfe"}',
    "utf-32": '{"name": "a"}'.encode("utf-32"),
    "nothing": b"",
    "null": b"null",
}


async def test_json_bombs_are_the_clients_fault(world: World) -> None:
    wrong = {}
    posts = [row for row in world.protected if row.name in TAKING]
    for row in posts:
        for bomb, content in BOMBS.items():
            answer = await world.send(row, owner(world) | JSON, content)
            told = answer.headers["content-type"] == "application/problem+json"
            short = len(answer.content) < 20_000
            if answer.status_code not in {400, 413, 422} or not told or not short:
                wrong[row.name, bomb] = (answer.status_code, answer.text[:200])
    assert len(posts) == 1
    assert wrong == {}


async def test_many_parts_are_refused_before_they_are_read(world: World) -> None:
    """Each of them would be told of as an error: seconds of work for a megabyte."""
    for row in (one for one in world.protected if one.name in TAKING):
        for bomb in ("many fields", "many items", "the same field"):
            answer = await world.send(row, owner(world) | JSON, BOMBS[bomb])
            assert answer.status_code == 413
            assert answer.json()["detail"] == "请求体的条目过多"


async def test_a_compressed_body_is_not_inflated(world: World) -> None:
    """A hundred megabytes in a hundred kilobytes: what is no JSON as it came is refused as such."""
    bomb = gzip.compress(b"0" * 100_000_000, compresslevel=1)
    for row in (one for one in world.protected if one.name in TAKING):
        headers = owner(world) | JSON | {"Content-Encoding": "gzip"}
        assert (await world.send(row, headers, bomb)).status_code == 400
