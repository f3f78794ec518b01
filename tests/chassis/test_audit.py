"""Audit entries: in the transaction of what they tell of; that nobody can change them stands in
test_database.py."""

from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from chassis import audit
from tests.support.services import DISTRICT, Running
from tests.support.toy import UNIT, Toy, add_item

ENTRIES = "SELECT actor, action, subject, purpose, result, cause FROM chassis.audit_entry"


async def test_an_entry_says_who_what_for_whom_why_and_how_it_ended(toy: Toy) -> None:
    async with toy.database.transaction(actor="clerk-1", cause="event:1") as session:
        await audit.record(session, action="toy.read", subject="basket-1", purpose="复核")
    (entry,) = await toy.running.rows(ENTRIES)
    assert tuple(entry) == ("clerk-1", "toy.read", "basket-1", "复核", "done", "event:1")


async def test_it_tells_the_day_of_the_law_and_the_real_moment(toy: Toy) -> None:
    toy.running.at("2024-02-29", "08:00")
    async with toy.database.transaction(actor="clerk-1") as session:
        await audit.record(session, action="toy.read", subject="basket-1")
    (entry,) = await toy.running.rows(
        "SELECT at, recorded_at, now() AS now FROM chassis.audit_entry"
    )
    assert entry["at"].isoformat() == "2024-02-29T00:00:00+00:00"
    assert abs((entry["now"] - entry["recorded_at"]).total_seconds()) < 60


async def test_what_is_rolled_back_leaves_no_entry(toy: Toy) -> None:
    with pytest.raises(RuntimeError):
        await fail(toy)
    assert await toy.running.rows(ENTRIES) == []


async def fail(toy: Toy) -> None:
    async with toy.database.transaction(actor="clerk-1") as session:
        await audit.record(session, action="toy.read", subject="basket-1")
        raise RuntimeError


async def test_what_cannot_be_recorded_is_not_done(toy: Toy) -> None:
    """Entries are written as the last thing before the commit, which does not come without them."""
    basket = await toy.basket()
    await toy.running.rows("REVOKE INSERT ON chassis.audit_entry FROM toy_template_app")
    try:
        with pytest.raises(DBAPIError, match="permission denied"):
            await read_and_add(toy, basket)
    finally:
        await toy.running.rows("GRANT INSERT ON chassis.audit_entry TO toy_template_app")
    assert await toy.running.rows("SELECT 1 FROM item") == []
    assert await toy.events() == []
    await read_and_add(toy, basket)
    assert [entry["action"] for entry in await toy.running.rows(ENTRIES)] == ["toy.read"] * 2


async def read_and_add(toy: Toy, basket: UUID) -> None:
    async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
        await audit.record(session, action="toy.read", subject="basket-1")
        await add_item(session, basket, 1)
        await audit.record(session, action="toy.read", subject="basket-2")


async def test_a_denial_is_recorded_although_its_request_is_refused(relief: Running) -> None:
    for number, headers in enumerate(
        (relief.headers("relief:read"), relief.headers("relief:read", subject="clerk-2")), 1
    ):
        answer = await relief.http.post(
            "/v1/relief/standards",
            json={"division": DISTRICT},
            headers={**headers, "Idempotency-Key": "window-0001"},
        )
        assert answer.status_code == 403
        rows = await relief.rows(ENTRIES)
        assert len(rows) == number
        assert tuple(rows[-1]) == (
            f"clerk-{number}",
            "POST /v1/relief/standards",
            "relief:standards",
            "无权进行此操作",
            "denied",
            None,
        )
    assert await relief.rows("SELECT 1 FROM chassis.idempotency_key") == []


async def test_a_denial_within_a_request_is_recorded_though_all_else_of_it_is_undone(
    toy: Toy,
) -> None:
    basket = await toy.basket()
    answer = await toy.running.http.post(
        f"/v1/toy/baskets/{basket}/items",
        json={"number": 1, "then": "deny"},
        headers={**toy.running.headers("toy:write"), "Idempotency-Key": "window-0001"},
    )
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:minzheng:problem:toy-denied"
    (entry,) = await toy.running.rows(ENTRIES)
    action = "POST /v1/toy/baskets/{basket_id}/items"
    assert tuple(entry) == ("clerk-1", action, str(basket), "须由他人办理", "denied", None)
    assert await toy.running.rows("SELECT 1 FROM item") == []
    assert await toy.events() == []


async def test_a_denial_that_cannot_be_recorded_is_told_as_an_outage(toy: Toy) -> None:
    basket = await toy.basket()
    await toy.running.rows("REVOKE INSERT ON chassis.audit_entry FROM toy_template_app")
    try:
        answer = await toy.running.http.post(
            f"/v1/toy/baskets/{basket}/items",
            json={"number": 1},
            headers=toy.running.headers("toy:read"),
        )
    finally:
        await toy.running.rows("GRANT INSERT ON chassis.audit_entry TO toy_template_app")
    assert answer.status_code == 500
