"""Standards of relief: domain.md R-11, design/law/relief.md §3 and §11."""

import asyncio
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from chassis.fields import LONGEST_DOCUMENT
from chassis.ids import new_id
from chassis.outbox import MAX_EVENT_BYTES
from chassis.telemetry import next_span
from contracts.events.envelope import CloudEvent
from contracts.events.relief import Area, Standard, StandardCode, StandardPeriod
from services.relief.standards.rules import MOST_AMOUNTS
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
        ({"amount": True}, "/amount"),
        ({"valid_from": "2021-13-01"}, "/valid_from"),
        ({"valid_from": "9999-12-31"}, "/valid_from"),
        ({"valid_from": "1949-09-30"}, "/valid_from"),
        ({"valid_from": 1630454400}, "/valid_from"),
        ({"valid_from": "2021-09-01T00:00:00"}, "/valid_from"),
        ({"division": "110101000000"}, "/division"),
        ({"division": "500112016000"}, "/division"),
        ({"division": "5001"}, "/division"),
        ({"division": "５００１１２００００００"}, "/division"),
        ({"area": "all"}, ""),
        ({"document": ""}, "/document"),
        ({"document": "a\u0000b"}, "/document"),
        ({"document": "文" * 101}, "/document"),
        ({"document": "张三，50011219900101123X"}, "/document"),
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


@pytest.mark.parametrize("name", ["as_of", "known_on"])
@pytest.mark.parametrize("day", ["9999-12-31", "1949-09-30", "1609459200", "2021-1-1", ""])
async def test_a_day_out_of_reach_or_otherwise_written_is_refused_in_a_query(
    relief: Running, name: str, day: str
) -> None:
    series = (await set_one(relief, URBAN, "2021-09-01", "636")).json()["id"]
    for path in ("", f"/{series}"):
        answer = await relief.http.get(
            f"/v1/relief/standards{path}",
            params={name: day},
            headers=relief.headers("relief:read"),
        )
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{name}"]


@pytest.mark.parametrize("day", ["1949-10-01", "2099-12-31"])
async def test_the_first_and_the_last_day_can_be_asked_for(relief: Running, day: str) -> None:
    await set_one(relief, URBAN, "2021-09-01", "636")
    (shown,) = (await seen(relief, as_of=day)).values()
    assert (shown["in_force"] is None) == (day < "2021-09-01")


async def test_a_document_that_names_a_person_is_refused_without_echo(relief: Running) -> None:
    answer = await relief.http.post(
        "/v1/relief/standards",
        json={**body(URBAN, "2021-09-01", "636"), "document": "张三 138-0013-8000"},
        headers=relief.headers("relief:standards"),
    )
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert error == {
        "pointer": "/document",
        "detail": "文件名称或文号中不得含身份证号、电话等个人信息",
    }
    assert await relief.rows("SELECT 1 FROM chassis.outbox") == []


@pytest.mark.parametrize("character", ["文", "𠮷"])
def test_a_full_series_with_the_longest_documents_stays_below_256_kib(character: str) -> None:
    period = StandardPeriod(
        from_=date(2021, 9, 1),
        amount=Decimal("99999999.99"),
        document=character * LONGEST_DOCUMENT,
    )
    standard = Standard(
        id=new_id(),
        unit=int(DISTRICT),
        code=StandardCode.TEKUN_CARE_FULL,
        area=Area.URBAN,
        periods=(period,) * MOST_AMOUNTS,
    )
    event = CloudEvent(
        id=new_id(),
        source="urn:minzheng:relief",
        type="minzheng.relief.standard.corrected.v1",
        subject=str(standard.id),
        time=datetime.now(UTC),
        sequence=10**9,
        traceparent=next_span(None),
        actor="clerk-1",
        data=standard.model_dump(mode="json"),
    )
    assert len(event.model_dump_json().encode()) < MAX_EVENT_BYTES


async def test_one_amount_more_than_a_series_holds_is_a_clear_422(relief: Running) -> None:
    series = (await set_one(relief, URBAN, "2021-09-01", "636")).json()["id"]
    await relief.rows(
        """INSERT INTO standard_amount
        SELECT gen_random_uuid(), $1, date '1990-01-01' + day, 100, repeat('𠮷', 100), '', now(),
          'clerk-1', NULL FROM generate_series(1, $2) day RETURNING 1""",
        series,
        MOST_AMOUNTS - 2,
    )
    assert (await set_one(relief, URBAN, "2022-09-01", "717")).status_code == 201
    refused = await set_one(relief, URBAN, "2023-09-01", "735")
    assert refused.status_code == 422, refused.text
    assert refused.json()["detail"] == "同一标准最多登记 200 项现行金额"
    assert len(await relief.rows("SELECT 1 FROM chassis.outbox")) == 2


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


async def test_a_full_series_is_told_in_chinese(
    relief: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.relief.standards.rules.MOST_AMOUNTS", 2)
    for day in ("2020-01-01", "2021-01-01"):
        assert (await set_one(relief, URBAN, day, "620")).status_code == 201
    full = await set_one(relief, URBAN, "2022-01-01", "620")
    assert full.status_code == 422
    assert "最多登记 2 项" in full.json()["detail"]


async def test_each_district_is_held_against_its_own_dibao(relief: Running) -> None:
    """design/law/relief.md §3: 特困 basic against the same district's urban 低保."""
    relief.at("2026-03-02")
    both = {"divisions": [DISTRICT, "500157000000"]}
    for division, kind, amount in (
        (DISTRICT, URBAN, "620"),
        (DISTRICT, TEKUN, "806"),
        ("500157000000", URBAN, "770"),
    ):
        answer = await relief.http.post(
            "/v1/relief/standards",
            json={**body(kind, "2026-01-01", amount), "division": division},
            headers=relief.headers("relief:standards", **both),
        )
        assert answer.status_code == 201, answer.text
    answer = await relief.http.get(
        "/v1/relief/standards", headers=relief.headers("relief:read", **both)
    )
    items = answer.json()["items"]
    assert [one["division_name"] for one in items] == ["渝北区", "渝北区", "两江新区"]
    assert not any(one["warnings"] for one in items)
