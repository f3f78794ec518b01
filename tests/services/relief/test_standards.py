"""Standards of relief: domain.md R-11, design/law/relief.md §3 and §11."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.support.services import DISTRICT, Running

URBAN, RURAL = ("dibao", "urban"), ("dibao", "rural")
TEKUN = ("tekun_basic", "all")
PUBLISHED = [
    ("2020-01-01", "620", "496", "806"),
    ("2021-09-01", "636", "515", "827"),
    ("2022-09-01", "717", "581", "932"),
    ("2023-09-01", "735", "600", "955"),
    ("2024-09-01", "750", "610", "975"),
    ("2025-07-01", "770", "630", "1001"),
]


def body(kind: tuple[str, str], day: str, amount: str) -> dict[str, object]:
    return {
        "code": kind[0],
        "area": kind[1],
        "division": DISTRICT,
        "amount": amount,
        "valid_from": day,
        "document": f"渝民发〔{day[:4]}〕1号",
    }


async def set_one(
    relief: Running, kind: tuple[str, str], day: str, amount: str, *, key: str = ""
) -> httpx.Response:
    headers = relief.headers("relief:standards")
    if key:
        headers["Idempotency-Key"] = key
    return await relief.http.post(
        "/v1/relief/standards", json=body(kind, day, amount), headers=headers
    )


async def seen(relief: Running, **query: str) -> dict[tuple[str, str], Any]:
    answer = await relief.http.get(
        "/v1/relief/standards", params=query, headers=relief.headers("relief:read")
    )
    assert answer.status_code == 200, answer.text
    return {(one["code"], one["area"]): one for one in answer.json()["items"]}


async def published(relief: Running) -> None:
    for day, urban, rural, tekun in PUBLISHED:
        relief.at(day if day > "2020-01-01" else "2020-01-02")
        for kind, amount in ((URBAN, urban), (RURAL, rural), (TEKUN, tekun)):
            assert (await set_one(relief, kind, day, amount)).status_code == 201


@pytest.mark.parametrize(
    ("as_of", "urban", "rural", "tekun"),
    [
        ("2020-12-31", "620.00", "496.00", "806.00"),
        ("2021-08-31", "620.00", "496.00", "806.00"),
        ("2021-09-01", "636.00", "515.00", "827.00"),
        ("2022-12-31", "717.00", "581.00", "932.00"),
        ("2023-12-31", "735.00", "600.00", "955.00"),
        ("2024-12-31", "750.00", "610.00", "975.00"),
        ("2025-06-30", "750.00", "610.00", "975.00"),
        ("2025-12-31", "770.00", "630.00", "1001.00"),
    ],
)
async def test_relief_md_11_1_the_published_series_as_of_a_day(
    relief: Running, as_of: str, urban: str, rural: str, tekun: str
) -> None:
    await published(relief)
    found = await seen(relief, as_of=as_of)
    amounts = [found[kind]["in_force"]["amount"] for kind in (URBAN, RURAL, TEKUN)]
    assert amounts == [urban, rural, tekun]


async def test_no_standard_before_the_first_one(relief: Running) -> None:
    await published(relief)
    assert (await seen(relief, as_of="2019-12-31"))[URBAN]["in_force"] is None


async def test_relief_md_11_6_tekun_below_1_3_times_is_a_warning_not_a_refusal(
    relief: Running,
) -> None:
    await published(relief)
    assert (await seen(relief, as_of="2023-12-31"))[TEKUN]["warnings"]  # 955 < 955.5
    assert not (await seen(relief, as_of="2020-12-31"))[TEKUN]["warnings"]  # 806 = 806


async def test_a_correction_supersedes_and_keeps_what_was_recorded(relief: Running) -> None:
    relief.at("2021-08-20")
    first = (await set_one(relief, URBAN, "2021-09-01", "663")).json()
    wrong = first["amounts"][0]["id"]
    url = f"/v1/relief/standards/{first['id']}"
    etag = (await relief.http.get(url, headers=relief.headers("relief:read"))).headers["etag"]
    relief.at("2021-09-10")
    corrected = await relief.http.post(
        f"{url}/amounts/{wrong}/correction",
        json={
            "amount": "636",
            "valid_from": "2021-09-01",
            "document": "渝民〔2021〕143号",
            "reason": "金额录入有误",
        },
        headers={**relief.headers("relief:standards"), "If-Match": etag},
    )
    assert corrected.status_code == 200, corrected.text
    now = (await seen(relief, as_of="2021-09-05"))[URBAN]
    assert now["in_force"]["amount"] == "636.00"
    assert len(now["amounts"]) == 2
    then = (await seen(relief, as_of="2021-09-05", known_on="2021-09-09"))[URBAN]
    assert then["in_force"]["amount"] == "663.00"
    again = await relief.http.post(
        f"{url}/amounts/{wrong}/correction",
        json={"amount": "1", "valid_from": "2021-09-01", "document": "x", "reason": "x"},
        headers={**relief.headers("relief:standards"), "If-Match": corrected.headers["etag"]},
    )
    assert again.status_code == 409


async def test_if_match_is_required_and_must_be_current(relief: Running) -> None:
    first = (await set_one(relief, URBAN, "2021-09-01", "636")).json()
    url = f"/v1/relief/standards/{first['id']}/amounts/{first['amounts'][0]['id']}/correction"
    change = {"amount": "637", "valid_from": "2021-09-01", "document": "x", "reason": "x"}
    headers = relief.headers("relief:standards")
    assert (await relief.http.post(url, json=change, headers=headers)).status_code == 428
    stale = await relief.http.post(url, json=change, headers={**headers, "If-Match": '"99"'})
    assert stale.status_code == 412
    assert stale.json()["type"] == "urn:minzheng:problem:stale"


async def test_every_change_is_one_event_with_the_whole_timeline_and_no_gap(
    relief: Running,
) -> None:
    await published(relief)
    rows = await relief.rows(
        "SELECT key, sequence, type, body FROM chassis.outbox ORDER BY key, sequence"
    )
    by_key: dict[str, list[Any]] = {}
    for row in rows:
        by_key.setdefault(row["key"], []).append(row)
    assert [len(found) for found in by_key.values()] == [6, 6, 6]
    for found in by_key.values():
        assert [row["sequence"] for row in found] == [1, 2, 3, 4, 5, 6]
        last = json.loads(found[-1]["body"])
        assert [period["from"] for period in last["data"]["periods"]] == [p[0] for p in PUBLISHED]
        assert last["type"] == "minzheng.relief.standard.set.v1"
        assert last["actor"] == "clerk-1"


async def test_the_same_post_twice_at_once_with_one_key_is_one(relief: Running) -> None:
    answers = await asyncio.gather(
        *(set_one(relief, URBAN, "2021-09-01", "636", key="window-1-0001") for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["amounts"][0]["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    other = await set_one(relief, URBAN, "2021-09-01", "637", key="window-1-0001")
    assert other.status_code == 422
    assert other.json()["type"] == "urn:minzheng:problem:idempotency-key-reused"
    assert len(await relief.rows("SELECT 1 FROM chassis.outbox")) == 1


async def test_two_clerks_setting_the_same_day_at_once_one_wins(relief: Running) -> None:
    answers = await asyncio.gather(
        *(set_one(relief, URBAN, "2021-09-01", str(600 + n)) for n in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len(await relief.rows("SELECT 1 FROM standard_amount")) == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"amount": "-1"}, "/amount"),
        ({"amount": "0"}, "/amount"),
        ({"amount": "1.005"}, "/amount"),
        ({"amount": "1e20"}, "/amount"),
        ({"amount": "NaN"}, "/amount"),
        ({"valid_from": "2021-13-01"}, "/valid_from"),
        ({"division": "110101000000"}, "/division"),
        ({"division": "500112016000"}, "/division"),
        ({"division": "5001"}, "/division"),
        ({"area": "all"}, ""),
        ({"document": ""}, "/document"),
        ({"document": "a\u0000b"}, "/document"),
        ({"more": 1}, "/more"),
    ],
)
async def test_bad_input_is_a_chinese_problem_and_changes_nothing(
    relief: Running, changes: dict[str, object], pointer: str
) -> None:
    answer = await relief.http.post(
        "/v1/relief/standards",
        json={**body(URBAN, "2021-09-01", "636"), **changes},
        headers=relief.headers("relief:standards"),
    )
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"].startswith("urn:minzheng:problem:")
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert await relief.rows("SELECT 1 FROM standard_amount") == []
    assert await relief.rows("SELECT 1 FROM chassis.outbox") == []


async def test_without_the_scope_it_is_403_and_the_denial_is_audited(relief: Running) -> None:
    answer = await relief.http.post(
        "/v1/relief/standards",
        json=body(URBAN, "2021-09-01", "636"),
        headers=relief.headers("relief:read"),
    )
    assert answer.status_code == 403
    entries = await relief.rows("SELECT actor, subject, result FROM chassis.audit_entry")
    assert [tuple(entry) for entry in entries] == [("clerk-1", "relief:standards", "denied")]
    assert (await relief.http.get("/v1/relief/standards")).status_code == 401


async def test_another_district_sees_and_sets_nothing(relief: Running) -> None:
    await set_one(relief, URBAN, "2021-09-01", "636")
    foreign = relief.headers("relief:read", "relief:standards", divisions=["500109000000"])
    listed = await relief.http.get("/v1/relief/standards", headers=foreign)
    assert listed.json()["items"] == []
    posted = await relief.http.post(
        "/v1/relief/standards", json=body(URBAN, "2022-09-01", "717"), headers=foreign
    )
    assert posted.status_code == 404


async def test_a_town_reads_the_standards_that_hold_for_it(relief: Running) -> None:
    await set_one(relief, URBAN, "2021-09-01", "636")
    town = relief.headers("relief:read", divisions=["500112016000"])
    listed = await relief.http.get("/v1/relief/standards?as_of=2022-01-01", headers=town)
    assert Decimal(listed.json()["items"][0]["in_force"]["amount"]) == 636
