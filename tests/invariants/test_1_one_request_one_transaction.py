"""Invariant 1: a request is one transaction, committed before its answer goes out."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.toy import EFFECTS, Toy

ROOT = Path(__file__).parents[2]
WRITERS = ("item", "chassis.outbox", "chassis.audit_entry", "chassis.idempotency_key")


async def post(toy: Toy, basket: object, number: int, then: str = "") -> httpx.Response:
    return await toy.running.http.post(
        f"/v1/toy/baskets/{basket}/items",
        json={"number": number, "then": then},
        headers={**toy.running.headers("toy:write"), "Idempotency-Key": str(uuid4())},
    )


async def written(toy: Toy) -> dict[str, int]:
    """How many rows each table that a request writes into has."""
    counted = {}
    for table in WRITERS:
        (row,) = await toy.running.rows(f"SELECT count(*) AS n FROM {table}")  # noqa: S608 - ours
        counted[table] = row["n"]
    return counted


async def transactions(toy: Toy, *tables: str) -> set[int]:
    """The transactions that wrote the rows of these tables."""
    union = " UNION ALL ".join(f"SELECT xmin FROM {table}" for table in tables)  # noqa: S608 - ours
    return {row["xmin"] for row in await toy.running.rows(union)}


async def test_state_event_and_kept_answer_are_one_transaction(toy: Toy) -> None:
    basket = await toy.basket()
    assert (await post(toy, basket, 1)).status_code == 201
    tables = ("basket", "item", "chassis.outbox", "chassis.idempotency_key")
    assert len(await transactions(toy, *tables)) == 1


async def test_a_commit_that_fails_is_no_success(toy: Toy) -> None:
    basket = await toy.basket()
    assert (await post(toy, basket, 1)).status_code == 201
    before = await written(toy)
    again = await post(toy, basket, 1)  # the number is checked at the commit alone
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert await written(toy) == before


async def test_the_answer_goes_out_after_the_commit(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    basket = await toy.basket()
    seen: list[dict[str, int]] = []
    transport: Any = toy.running.http._transport  # noqa: SLF001 - where the answer goes out
    app = transport.app

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.append(await written(toy))
            await send(message)

        await app(scope, receive, sent)

    monkeypatch.setattr(transport, "app", watched)
    assert (await post(toy, basket, 1)).status_code == 201
    assert [(found["item"], found["chassis.outbox"]) for found in seen] == [(1, 1)]


@pytest.mark.parametrize(("then", "status"), [("refuse", 409), ("crash", 500), ("hang up", 503)])
async def test_a_request_that_fails_at_its_end_has_written_nothing(
    toy: Toy, then: str, status: int
) -> None:
    basket = await toy.basket()
    before = await written(toy)
    answer = await post(toy, basket, 1, then)
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 503)
    assert await written(toy) == before
    assert (await post(toy, basket, 1)).status_code == 201


async def test_a_batch_is_one_transaction_with_its_offset(toy: Toy) -> None:
    await toy.baskets(3)
    consumption = toy.consumption()
    await consumption.take(toy.partition, await toy.records())
    assert len(await toy.effects()) == 3
    rows = await toy.running.rows("SELECT consumer, next FROM acting.consumer_offset")
    assert [tuple(row) for row in rows] == [(EFFECTS, 3)]
    written_by = await transactions(toy, "effect", "acting.inbox", "acting.consumer_offset")
    assert len(written_by) == 1


def test_nobody_but_the_chassis_commits() -> None:
    commits = re.compile(r"\.(commit|begin|begin_nested|rollback)\(|\bsessionmaker\b|create_engine")
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ("services", "contracts")
        for path in (ROOT / room).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if commits.search(line)
    ]
    assert offenders == []
    database = (ROOT / "chassis/database.py").read_text("utf-8")
    assert database.count("session.begin()") == 1
