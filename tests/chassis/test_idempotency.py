"""`Idempotency-Key` (architecture.md, HTTP habits): one effect, and the first answer again."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.idempotency import KEPT_FOR, forget_old_keys
from tests.support.services import DISTRICT, Running
from tests.support.toy import Toy

STANDARDS = "/v1/relief/standards"
KEY = "window-1-0001"
GOOD = {
    "code": "dibao",
    "area": "urban",
    "division": DISTRICT,
    "amount": "636",
    "valid_from": "2021-09-01",
    "document": "渝民〔2021〕143号",
}


async def post(
    relief: Running, *, key: str = KEY, url: str = STANDARDS, asked: Any = GOOD, **claims: str
) -> httpx.Response:
    headers = {**relief.headers("relief:standards", **claims), "Idempotency-Key": key}
    return await relief.http.post(url, json=asked, headers=headers)


async def add(toy: Toy, basket: UUID, asked: dict[str, object], **headers: str) -> httpx.Response:
    return await toy.running.http.post(
        f"/v1/toy/baskets/{basket}/items",
        json=asked,
        headers={**toy.running.headers("toy:write"), "Idempotency-Key": KEY, **headers},
    )


async def kept(running: Running) -> int:
    return len(await running.rows("SELECT 1 FROM chassis.idempotency_key"))


async def test_a_repeated_post_gets_its_first_answer_with_its_headers(relief: Running) -> None:
    first, again = await post(relief), await post(relief)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for header in ("etag", "location", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await relief.rows("SELECT 1 FROM standard_amount")) == 1
    assert len(await relief.rows("SELECT 1 FROM chassis.outbox")) == 1


async def test_without_a_key_each_post_is_one_of_its_own(relief: Running) -> None:
    headers = relief.headers("relief:standards")
    statuses = [
        (await relief.http.post(STANDARDS, json=GOOD, headers=headers)).status_code
        for _ in range(2)
    ]
    assert statuses == [201, 409]
    assert await kept(relief) == 0


async def test_many_at_once_with_one_key_are_one(toy: Toy) -> None:
    basket = await toy.basket()
    answers = await asyncio.gather(*(add(toy, basket, {"number": 1}) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 11
    assert len(await toy.events()) == 1


async def test_another_body_under_the_same_key_is_refused(relief: Running) -> None:
    await post(relief)
    other = await post(relief, asked={**GOOD, "amount": "637"})
    assert other.status_code == 422
    assert other.json()["type"] == "urn:minzheng:problem:idempotency-key-reused"
    assert len(await relief.rows("SELECT 1 FROM standard_amount")) == 1


@pytest.mark.parametrize("claim", ["subject", "organisation"])
async def test_anothers_key_is_another_key(relief: Running, claim: str) -> None:
    await post(relief)
    other = await post(relief, **{claim: "another"})
    assert other.status_code == 409  # done anew, and refused by the rule of the service
    assert "idempotency-replayed" not in other.headers


async def test_the_same_key_on_another_path_is_another_key(toy: Toy) -> None:
    first, second = [await toy.basket() for _ in range(2)]
    answers = [await add(toy, basket, {"number": 1}) for basket in (first, second)]
    assert [answer.json()["id"] for answer in answers] == [str(first), str(second)]
    assert len(await toy.events()) == 2


async def test_a_request_that_failed_keeps_nothing_and_may_come_again(toy: Toy) -> None:
    basket = await toy.basket()
    for then, status in (("refuse", 409), ("crash", 500)):
        assert (await add(toy, basket, {"number": 1, "then": then})).status_code == status
        assert await kept(toy.running) == 0
    assert (await add(toy, basket, {"number": 1})).status_code == 201


async def test_a_commit_that_fails_keeps_nothing(toy: Toy) -> None:
    basket = await toy.basket()
    assert (await add(toy, basket, {"number": 1})).status_code == 201
    other = {"Idempotency-Key": "window-1-0002"}
    assert (await add(toy, basket, {"number": 1}, **other)).status_code == 409
    assert await kept(toy.running) == 1
    again = await add(toy, basket, {"number": 2}, **other)
    assert again.status_code == 201


async def test_a_replay_comes_before_if_match(relief: Running) -> None:
    """A repeated correction gets its first answer, and not 412 for the version it changed."""
    first = await post(relief)
    amount = first.json()["amounts"][0]["id"]
    url = f"{first.headers['location']}/amounts/{amount}/correction"
    asked = {"amount": "637", "valid_from": "2021-09-01", "document": "x", "reason": "x"}
    headers = {
        **relief.headers("relief:standards"),
        "If-Match": first.headers["etag"],
        "Idempotency-Key": "correction-0001",
    }
    done = await relief.http.post(url, json=asked, headers=headers)
    again = await relief.http.post(url, json=asked, headers=headers)
    assert (done.status_code, again.status_code) == (200, 200)
    assert again.content == done.content
    assert again.headers["etag"] == done.headers["etag"]
    fresh = {**headers, "Idempotency-Key": "correction-0002"}
    assert (await relief.http.post(url, json=asked, headers=fresh)).status_code == 412
    del headers["If-Match"]
    assert (await relief.http.post(url, json=asked, headers=headers)).status_code == 200


async def test_a_replay_comes_after_authorisation(relief: Running) -> None:
    """Who has lost the scope gets 403, on record, and not the answer of better days."""
    first = await post(relief)
    assert first.status_code == 201
    reader = {**relief.headers("relief:read"), "Idempotency-Key": KEY}
    denied = await relief.http.post(STANDARDS, json=GOOD, headers=reader)
    assert denied.status_code == 403
    nobody = await relief.http.post(STANDARDS, json=GOOD, headers={"Idempotency-Key": KEY})
    assert nobody.status_code == 401
    rows = await relief.rows("SELECT 1 FROM chassis.audit_entry WHERE result = 'denied'")
    assert len(rows) == 1


async def test_denials_at_once_need_no_second_connection(relief: Running) -> None:
    """More at once than the pool holds: each would wait for a connection that another holds."""
    reader = {**relief.headers("relief:read"), "Idempotency-Key": KEY}
    answers = await asyncio.gather(
        *(relief.http.post(STANDARDS, json=GOOD, headers=reader) for _ in range(30))
    )
    assert {answer.status_code for answer in answers} == {403}


async def test_a_key_that_is_none_is_refused_and_nothing_done(relief: Running) -> None:
    for key in ("short", "x" * 201, "with space", "键" * 8):
        headers = {**relief.headers("relief:standards"), "Idempotency-Key": key.encode()}
        answer = await relief.http.post(STANDARDS, json=GOOD, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"
    assert await relief.rows("SELECT 1 FROM standard_amount") == []


async def test_answers_are_forgotten_when_no_client_can_still_try_again(relief: Running) -> None:
    await post(relief)
    await post(relief, key="window-1-0002", asked={**GOOD, "area": "rural"})
    await relief.rows(
        "UPDATE chassis.idempotency_key SET kept_at = kept_at - $1::interval"
        " WHERE request = (SELECT min(request) FROM chassis.idempotency_key)",
        KEPT_FOR,
    )
    async with relief.runtime.database.transaction(actor="job:1") as session:
        await forget_old_keys(session)
    assert await kept(relief) == 1


async def test_the_answer_is_kept_sealed_and_its_reading_is_on_record(toy: Toy) -> None:
    basket = await toy.basket()
    first = await add(toy, basket, {"number": 1})
    (kept,) = await toy.running.rows("SELECT answer FROM chassis.idempotency_key")
    assert first.content not in kept["answer"]
    assert str(basket).encode() not in kept["answer"]
    again = await add(toy, basket, {"number": 1})
    assert again.content == first.content
    rows = await toy.running.rows("SELECT action FROM chassis.audit_entry")
    assert [row["action"] for row in rows] == ["read idempotency_key.answer"]
