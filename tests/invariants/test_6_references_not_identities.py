"""Invariant 6: what somebody sends appears in no event, no log line and no problem."""

import json
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumption import Received
from chassis.telemetry import configure_logging
from contracts.events.envelope import CloudEvent
from tests.support.services import DISTRICT, Running
from tests.support.toy import Toy

NAME, PHONE, ADDRESS, NUMBER = "欧阳测试", "13900001234", "双龙大道测试路8号", "500112199003070013"
MARKS = (NAME, PHONE, ADDRESS, NUMBER)
MARK = f"{NAME}{NUMBER}，{PHONE}，{ADDRESS}"
STANDARDS = "/v1/relief/standards"
GOOD = {
    "code": "dibao",
    "area": "urban",
    "division": DISTRICT,
    "amount": "636",
    "valid_from": "2021-09-01",
    "document": "渝民〔2021〕143号",
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def _logging_as_in_a_process() -> None:
    configure_logging(service="test", process="test")


def clean(said: str) -> None:
    readable = said.encode().decode("unicode_escape", "replace") if "\\u" in said else said
    for mark in MARKS:
        assert mark not in said
        assert mark not in readable
        assert quote(mark) not in said


def correction(series: str, amount: str) -> str:
    return f"{STANDARDS}/{series}/amounts/{amount}/correction"


def requests_with_marks(series: str, amount: str) -> list[tuple[str, str, dict[str, object]]]:
    """Every door of relief, each with the mark in every place that it has."""
    fixed = {"amount": "637", "valid_from": "2021-09-01", "document": "x", "reason": "x"}
    url = correction(series, amount)
    found: list[tuple[str, str, dict[str, object]]] = [
        ("POST", STANDARDS, {"json": {**GOOD, field: MARK * times}})
        for field in GOOD
        for times in (1, 40)
        if field != "document" or times > 1
    ]
    found += [
        ("POST", url, {"json": {**fixed, field: MARK * 40}, "headers": {"If-Match": '"2"'}})
        for field in fixed
    ]
    found += [
        ("POST", STANDARDS, {"json": {**GOOD, "document": MARK + "\0"}}),
        ("POST", STANDARDS, {"json": {**GOOD, MARK: MARK}}),
        ("POST", STANDARDS, {"json": {**GOOD, "division": {MARK: [MARK]}}}),
        ("POST", STANDARDS, {"json": [MARK]}),
        ("POST", STANDARDS, {"content": MARK.encode(), "headers": JSON}),
        ("POST", STANDARDS, {"content": json.dumps({**GOOD, "code": MARK}), "headers": JSON}),
        ("POST", STANDARDS, {"content": f'{{"document": "{MARK}'.encode(), "headers": JSON}),
        ("POST", STANDARDS, {"content": b'"\xff' + MARK.encode(), "headers": JSON}),
        ("POST", STANDARDS, {"content": MARK.encode(), "headers": {"Content-Type": quote(MARK)}}),
        ("POST", STANDARDS, {"json": GOOD, "headers": {"Idempotency-Key": MARK.encode()}}),
        ("POST", STANDARDS, {"json": GOOD, "headers": {"Idempotency-Key": NUMBER + " "}}),
        ("POST", url, {"json": fixed, "headers": {"If-Match": MARK.encode()}}),
        ("POST", url, {"json": fixed, "headers": {"If-Match": f'"{NUMBER}"'}}),
        ("POST", correction(NUMBER, MARK), {"json": fixed, "headers": {"If-Match": '"2"'}}),
        ("POST", STANDARDS, {"json": GOOD, "headers": {"Authorization": f"Bearer {NUMBER}"}}),
        ("POST", STANDARDS, {"json": GOOD, "headers": {"Authorization": f"Basic {PHONE}"}}),
        ("GET", STANDARDS, {"headers": {"traceparent": NUMBER, "User-Agent": PHONE}}),
        ("GET", f"{STANDARDS}/{quote(MARK)}", {}),
        ("GET", f"{STANDARDS}/{series}", {"params": {"as_of": MARK, "known_on": NUMBER}}),
        (
            "GET",
            STANDARDS,
            {"params": {"code": MARK, "as_of": PHONE, "known_on": MARK, MARK: MARK}},
        ),
        ("GET", f"/v1/{quote(MARK)}", {}),
        ("PUT", f"{STANDARDS}/{quote(MARK)}", {"json": {MARK: MARK}}),
        ("DELETE", STANDARDS, {"params": {NUMBER: MARK}}),
    ]
    return found


async def send(
    relief: Running, method: str, url: str, settings: dict[str, object]
) -> httpx.Response:
    headers = relief.headers("relief:standards", "relief:read")
    own = settings.pop("headers", {})
    assert isinstance(own, dict)
    return await relief.http.request(method, url, headers={**headers, **own}, **settings)  # type: ignore[arg-type]


async def test_no_door_of_relief_gives_back_or_passes_on_what_was_sent(
    relief: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    first = (await send(relief, "POST", STANDARDS, {"json": GOOD})).json()
    doors = requests_with_marks(first["id"], first["amounts"][0]["id"])
    for method, url, settings in doors:
        answer = await send(relief, method, url, settings)
        clean(answer.text + str(answer.headers))
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"].startswith("urn:minzheng:problem:")
    logged = capsys.readouterr().out
    assert logged.count('"event": "request"') == len(doors) + 1
    clean(logged)
    rows = await relief.rows("SELECT body FROM chassis.outbox")
    clean(" ".join(row["body"].decode() for row in rows))
    entries = await relief.rows("SELECT * FROM chassis.audit_entry")
    clean(str(entries))


async def test_the_reason_of_a_correction_stays_in_the_service(
    relief: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await send(relief, "POST", STANDARDS, {"json": GOOD})
    made = first.json()
    change = {"amount": "637", "valid_from": "2021-09-01", "document": "x", "reason": NAME}
    corrected = await send(
        relief,
        "POST",
        correction(made["id"], made["amounts"][0]["id"]),
        {"json": change, "headers": {"If-Match": first.headers["etag"]}},
    )
    assert corrected.status_code == 200
    rows = await relief.rows("SELECT body FROM chassis.outbox")
    assert len(rows) == 2
    clean(" ".join(row["body"].decode() for row in rows))
    clean(str(await relief.rows("SELECT * FROM chassis.audit_entry")))
    clean(capsys.readouterr().out)


async def test_an_error_that_quotes_its_values_is_told_by_its_type(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drivers and validators quote what they refuse: here the service's own crash does."""
    basket = await toy.basket()
    answer = await toy.running.http.post(
        f"/v1/toy/baskets/{basket}/items",
        json={"number": 123, "then": "crash"},
        headers=toy.running.headers("toy:write"),
    )
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "urn:minzheng:problem:internal",
        "title": "系统内部错误",
        "status": 500,
        "detail": "请联系管理员",
    }
    (failure,) = [line for line in capsys.readouterr().out.splitlines() if "request_failed" in line]
    assert json.loads(failure)["error"] == "builtins.RuntimeError"
    assert "item 123" not in failure


async def test_a_consumer_that_fails_logs_no_content(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    async def handler(session: AsyncSession, _: Sequence[Received]) -> None:
        await session.execute(text("SELECT CAST(:value AS int)"), {"value": MARK})

    await toy.baskets(2)
    records = await toy.records()
    unreadable = replace(records[1], value=f'{{"data": "{MARK}"}}'.encode())
    one = toy.consumption(handler)
    await one.take(toy.partition, [records[0], unreadable])
    parked = await one.parked()
    assert len(parked) == 2
    assert await one.replay() == (0, 2)
    clean(capsys.readouterr().out)
    clean(str(parked))


async def test_an_event_says_who_acted_by_an_opaque_id(relief: Running) -> None:
    token = relief.headers("relief:standards", subject=str(uuid4()), organisation=ADDRESS)
    answer = await relief.http.post(STANDARDS, json=GOOD, headers=token)
    assert answer.status_code == 201
    (row,) = await relief.rows("SELECT body FROM chassis.outbox")
    clean(row["body"].decode())
    assert CloudEvent.read(row["body"]).actor.count("-") == 4
