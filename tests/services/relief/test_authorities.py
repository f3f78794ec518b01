"""Who decides: domain.md B1.1, 民发〔2021〕57号 art. 2, 社会救助法 art. 44, relief.md §11.19."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.relief import Programme
from services.relief.parameters import repository, rules, service
from services.relief.parameters.rules import Authority, Basis, Level
from services.relief.parameters.seed import law_on
from tests.support.services import DISTRICT, Running

URL = "/v1/relief/authorities"
TOWN, TOWN_ID = "500112016000", 500112016000  # 两路街道
TOWN_IN_2026, COUNTY_IN_2026 = "500157021000", "500157000000"
FOREIGN = "500109000000"
BODY = {
    "programme": "dibao",
    "division": TOWN,
    "level": "town",
    "valid_from": "2025-03-01",
    "basis": "bureau",
    "document": "渝北民政〔2025〕3号",
}


def d(day: str) -> date:
    return date.fromisoformat(day)


@pytest.fixture(autouse=True)
def on_the_day(request: pytest.FixtureRequest) -> None:
    """Where a service runs, it is the day of `BODY`: no power is given for past days."""
    if "relief" in request.fixturenames:
        request.getfixturevalue("relief").at("2025-03-01")


async def set_one(
    relief: Running, changes: dict[str, object] | None = None, *, key: str = "", **claims: object
) -> httpx.Response:
    headers = relief.headers("relief:standards", **claims)
    if key:
        headers["Idempotency-Key"] = key
    return await relief.http.post(URL, json={**BODY, **(changes or {})}, headers=headers)


async def end(
    relief: Running, first: httpx.Response, valid_to: str, etag: str = "", **claims: object
) -> httpx.Response:
    return await relief.http.post(
        f"{URL}/{first.json()['id']}/ending",
        json={"valid_to": valid_to, "document": "渝北民政〔2025〕9号"},
        headers={
            **relief.headers("relief:standards", **claims),
            "If-Match": etag or first.headers["etag"],
        },
    )


async def holds(
    relief: Running, as_of: str, *, division: str = TOWN, caller: str = DISTRICT, **query: str
) -> Any:
    answer = await relief.http.get(
        f"{URL}/in-force",
        params={"programme": "dibao", "division": division, "as_of": as_of, **query},
        headers=relief.headers("relief:read", divisions=[caller]),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def authority(
    valid_from: str, valid_to: str | None = None, *, basis: Basis = Basis.BUREAU
) -> Authority:
    return Authority(
        Programme.DIBAO,
        TOWN_ID,
        int(DISTRICT),
        Level.TOWN,
        basis,
        "文件",
        d(valid_from),
        d(valid_to) if valid_to else None,
    )


def decided(day: str, *rows: Authority, county: int = int(DISTRICT)) -> rules.Competence:
    law = law_on(d(day))
    return rules.decides(rows, Programme.DIBAO, TOWN_ID, d(day), law, counties={county})


def test_57_article_2_without_a_delegation_the_bureau_decides() -> None:
    assert decided("2025-03-01") == rules.Competence(Level.COUNTY, None, "", "")
    elsewhere = replace(authority("2021-07-01"), town=500112017000)
    assert decided("2025-03-01", elsewhere).level is Level.COUNTY


def test_57_article_2_the_town_decides_from_the_first_to_the_last_day_of_a_delegation() -> None:
    row = authority("2021-07-01", "2025-12-31")
    levels = [
        decided(day, row).level for day in ("2021-06-30", "2021-07-01", "2025-12-31", "2026-01-01")
    ]
    assert levels == [Level.COUNTY, Level.TOWN, Level.TOWN, Level.COUNTY]


def test_relief_md_11_19_act_article_44_a_bureau_delegation_alone_no_longer_holds() -> None:
    row = authority("2021-07-01")
    assert decided("2026-06-30", row) == rules.Competence(Level.TOWN, Basis.BUREAU, "文件", "")
    after = decided("2026-07-01", row)
    assert after.level is Level.COUNTY
    assert after.flagged == "缺少市级政府规定（社会救助法第44条）"
    assert after.document == "文件"


def test_act_article_44_with_a_municipal_rule_the_town_decides() -> None:
    row = authority("2026-07-01", basis=Basis.MUNICIPAL)
    assert decided("2026-07-01", row) == rules.Competence(Level.TOWN, Basis.MUNICIPAL, "文件", "")


def test_57_article_2_what_a_bureau_passed_down_ends_when_the_town_goes_to_another_county() -> None:
    row = authority("2021-07-01")
    gone = decided("2025-03-01", row, county=500109000000)
    assert (gone.level, gone.flagged) == (Level.COUNTY, rules.ANOTHER_BUREAU)
    by_the_city = replace(row, basis=Basis.MUNICIPAL)
    assert decided("2025-03-01", by_the_city, county=500109000000).level is Level.TOWN


def test_an_authority_that_leaves_the_decision_to_the_bureau_is_not_flagged() -> None:
    row = replace(authority("2026-07-01"), level=Level.COUNTY)
    assert decided("2026-07-01", row) == rules.Competence(Level.COUNTY, Basis.BUREAU, "文件", "")


spans = st.tuples(st.integers(0, 30), st.integers(0, 30) | st.none())


@given(spans, spans)
def test_two_authorities_overlap_when_a_day_is_in_both(
    one: tuple[int, int | None], other: tuple[int, int | None]
) -> None:
    def held(span: tuple[int, int | None]) -> Authority:
        start = d("2025-01-01").toordinal() + span[0]
        last = None if span[1] is None else date.fromordinal(start + span[1])
        return replace(authority("2025-01-01"), valid_from=date.fromordinal(start), valid_to=last)

    first, second = held(one), held(other)
    days = [date.fromordinal(d("2025-01-01").toordinal() + n) for n in range(70)]
    shared = any(first.covers(day) and second.covers(day) for day in days)
    assert rules.overlapping([first], second) == shared == rules.overlapping([second], first)


async def test_a_delegation_is_in_force_from_its_day_on(relief: Running) -> None:
    answer = await set_one(relief)
    assert answer.status_code == 201, answer.text
    assert answer.json()["division_name"] == "两路街道"
    assert (await holds(relief, "2025-02-28"))["level"] == "county"
    found = await holds(relief, "2025-03-01")
    assert found == {
        "programme": "dibao",
        "division": TOWN,
        "division_name": "两路街道",
        "as_of": "2025-03-01",
        "level": "town",
        "basis": "bureau",
        "document": "渝北民政〔2025〕3号",
        "flagged": "",
    }
    assert (await holds(relief, "2025-03-01", division="500112017000"))["level"] == "county"


async def test_relief_md_11_19_through_the_change_of_county_and_code(relief: Running) -> None:
    await set_one(relief)
    relief.at("2026-07-01")
    now = {"division": TOWN_IN_2026, "caller": COUNTY_IN_2026}
    assert (await holds(relief, "2026-06-30", **now))["level"] == "town"
    flagged = await holds(relief, "2026-07-01", **now)
    assert (flagged["level"], flagged["flagged"]) == ("county", rules.NO_MUNICIPAL_RULE)
    assert flagged["document"] == "渝北民政〔2025〕3号"


async def test_act_article_44_no_county_says_that_its_own_delegation_is_enough(
    relief: Running,
) -> None:
    relief.at("2026-03-02")
    caller = {"divisions": [COUNTY_IN_2026]}
    await set_one(relief, {"division": TOWN_IN_2026, "valid_from": "2026-03-02"}, **caller)
    answer = await relief.http.post(
        "/v1/relief/parameters",
        json={
            "key": rules.MUNICIPAL_ONLY,
            "division": COUNTY_IN_2026,
            "value": False,
            "valid_from": "2026-07-01",
            "source": "试点文件〔2026〕1号",
        },
        headers=relief.headers("relief:standards", **caller),
    )
    assert answer.status_code == 403, answer.text
    assert "社会救助法（2026）第四十四条" in answer.json()["detail"]
    found = await holds(relief, "2026-07-01", division=TOWN_IN_2026, caller=COUNTY_IN_2026)
    assert (found["level"], found["flagged"]) == ("county", rules.NO_MUNICIPAL_RULE)


async def test_57_article_2_power_is_neither_given_nor_taken_for_days_that_are_past(
    relief: Running,
) -> None:
    relief.at("2025-03-02")
    answer = await set_one(relief)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/valid_from"]
    first = await set_one(relief, {"valid_from": "2025-03-02"})
    relief.at("2025-06-20")
    assert (await end(relief, first, "2025-06-18")).status_code == 422
    ended = await end(relief, first, "2025-06-19")
    assert ended.status_code == 200, ended.text
    relief.at("2025-06-21")
    again = await end(relief, first, "2025-12-31", ended.headers["etag"])
    assert again.status_code == 422, again.text


async def test_an_ending_closes_the_period_and_another_may_follow(relief: Running) -> None:
    first = await set_one(relief)
    overlap = await set_one(relief, {"level": "county", "valid_from": "2025-07-01"})
    assert overlap.status_code == 409
    assert overlap.json()["type"] == "urn:minzheng:problem:authority-overlaps"
    relief.at("2025-06-20")
    ended = await end(relief, first, "2025-06-30")
    assert ended.status_code == 200, ended.text
    assert ended.json()["valid_to"] == "2025-06-30"
    assert ended.headers["etag"] != first.headers["etag"]
    after = await set_one(relief, {"level": "county", "valid_from": "2025-07-01"})
    assert after.status_code == 201
    assert (await holds(relief, "2025-06-30"))["level"] == "town"
    assert (await holds(relief, "2025-07-01"))["document"] == "渝北民政〔2025〕3号"
    assert (await holds(relief, "2025-07-01"))["level"] == "county"
    assert (await holds(relief, "2025-07-01", known_on="2025-06-19"))["level"] == "town"
    assert (await holds(relief, "2025-07-01", known_on="2025-02-28"))["basis"] is None


async def test_an_end_is_corrected_and_what_was_recorded_is_kept(relief: Running) -> None:
    first = await set_one(relief, {"valid_to": "2025-12-31"})
    assert first.json()["valid_to"] == "2025-12-31"
    shorter = await end(relief, first, "2025-06-30")
    assert [one["valid_to"] for one in shorter.json()["endings"]] == ["2025-12-31", "2025-06-30"]
    assert (await holds(relief, "2025-07-01"))["level"] == "county"
    next_one = await set_one(relief, {"valid_from": "2025-08-01", "basis": "municipal"})
    assert next_one.status_code == 201
    longer = await end(relief, first, "2025-07-31", shorter.headers["etag"])
    assert longer.status_code == 200
    into_the_next = await end(relief, first, "2025-08-01", longer.headers["etag"])
    assert into_the_next.status_code == 409
    read = await relief.http.get(
        f"{URL}/{first.json()['id']}", headers=relief.headers("relief:read")
    )
    assert read.json()["valid_to"] == "2025-07-31"
    assert read.headers["etag"] == longer.headers["etag"]


async def test_one_recorded_by_mistake_ends_before_it_begins_and_never_held(
    relief: Running,
) -> None:
    first = await set_one(relief)
    assert (await end(relief, first, "2025-02-27")).status_code == 422
    assert (await end(relief, first, "2025-02-28")).status_code == 200
    assert (await holds(relief, "2025-03-01"))["level"] == "county"
    assert (await set_one(relief, {"basis": "municipal"})).status_code == 201
    assert (await holds(relief, "2025-03-01"))["basis"] == "municipal"


async def test_an_ending_needs_the_version_that_stands(relief: Running) -> None:
    first = await set_one(relief)
    bare = await relief.http.post(
        f"{URL}/{first.json()['id']}/ending",
        json={"valid_to": "2025-06-30", "document": "x"},
        headers=relief.headers("relief:standards"),
    )
    assert bare.status_code == 428
    assert (await end(relief, first, "2025-06-30", '"7"')).status_code == 412
    assert await relief.rows("SELECT 1 FROM authority_ending") == []


async def test_two_clerks_ending_at_once_one_wins(relief: Running) -> None:
    first = await set_one(relief)
    answers = await asyncio.gather(*(end(relief, first, f"2025-0{n}-28") for n in range(4, 9)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    assert len(await relief.rows("SELECT 1 FROM authority_ending")) == 1


async def test_overlaps_recorded_at_once_leave_one(relief: Running) -> None:
    answers = await asyncio.gather(
        *(set_one(relief, {"valid_from": f"2025-0{n}-01"}) for n in range(4, 10))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len(await relief.rows("SELECT 1 FROM authority")) == 1


async def test_two_towns_at_once_do_not_hinder_one_another(relief: Running) -> None:
    towns = (TOWN, "500112017000", "500112018000")
    answers = await asyncio.gather(*(set_one(relief, {"division": town}) for town in towns))
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    listed = await relief.http.get(URL, headers=relief.headers("relief:read"))
    assert [one["unit"] for one in listed.json()["items"]] == [int(town) for town in towns]


async def test_the_same_post_twice_at_once_with_one_key_is_one(relief: Running) -> None:
    answers = await asyncio.gather(*(set_one(relief, key="window-1-0001") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await relief.rows("SELECT 1 FROM authority")) == 1


async def test_a_town_s_clerk_does_not_give_the_town_the_power(relief: Running) -> None:
    town = {"divisions": [TOWN]}
    assert (await set_one(relief, **town)).status_code == 403
    first = await set_one(relief)
    assert (await end(relief, first, "2025-06-30", **town)).status_code == 403
    assert (await holds(relief, "2025-03-01", caller=TOWN))["level"] == "town"
    assert await relief.rows("SELECT 1 FROM authority_ending") == []


async def test_another_county_sees_sets_and_ends_nothing(relief: Running) -> None:
    first = await set_one(relief)
    assert (await set_one(relief, divisions=[FOREIGN])).status_code == 404
    assert (await end(relief, first, "2025-06-30", divisions=[FOREIGN])).status_code == 404
    headers = relief.headers("relief:read", divisions=[FOREIGN])
    assert (await relief.http.get(URL, headers=headers)).json()["items"] == []
    one = await relief.http.get(f"{URL}/{first.json()['id']}", headers=headers)
    assert one.status_code == 404
    in_force = await relief.http.get(
        f"{URL}/in-force", params={"programme": "dibao", "division": TOWN}, headers=headers
    )
    assert in_force.status_code == 404


async def test_the_new_county_ends_what_the_old_one_recorded_not_the_other_way_round(
    relief: Running,
) -> None:
    first = await set_one(relief)
    relief.at("2026-03-02")
    old = await end(relief, first, "2026-06-30", divisions=[DISTRICT])
    assert old.status_code == 403
    new = await end(relief, first, "2026-06-30", divisions=[COUNTY_IN_2026])
    assert new.status_code == 200, new.text


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"programme": "tekun"}, "/programme"),
        ({"level": "village"}, "/level"),
        ({"basis": "habit"}, "/basis"),
        ({"division": DISTRICT}, "/division"),
        ({"division": "500112016001"}, "/division"),
        ({"division": "两路街道"}, "/division"),
        ({"valid_from": "9999-12-31"}, "/valid_from"),
        ({"valid_to": "2025-02-28"}, "/valid_to"),
        ({"document": ""}, "/document"),
        ({"document": "张三 138-0013-8000"}, "/document"),
        ({"more": 1}, "/more"),
    ],
)
async def test_wrong_input_is_a_chinese_problem_and_changes_nothing(
    relief: Running, changes: dict[str, object], pointer: str
) -> None:
    answer = await set_one(relief, changes)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await relief.rows("SELECT 1 FROM authority") == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"division": DISTRICT}, "/query/division"),
        ({"division": "999999999999"}, "/query/division"),
        ({"as_of": "2025-13-01"}, "/query/as_of"),
        ({"as_of": "1990-01-01"}, "/query/division"),  # before the town existed in the register
        ({"programme": "tekun"}, "/query/programme"),
    ],
)
async def test_a_wrong_question_is_refused(
    relief: Running, query: dict[str, str], pointer: str
) -> None:
    answer = await relief.http.get(
        f"{URL}/in-force",
        params={"programme": "dibao", "division": TOWN, **query},
        headers=relief.headers("relief:read"),
    )
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_without_the_scope_it_is_403_without_a_token_401(relief: Running) -> None:
    headers = relief.headers("relief:read")
    assert (await relief.http.post(URL, json=BODY, headers=headers)).status_code == 403
    assert (await relief.http.get(URL)).status_code == 401


async def test_setting_and_ending_are_audited(relief: Running) -> None:
    first = await set_one(relief)
    await end(relief, first, "2025-06-30")
    entries = await relief.rows("SELECT action, subject FROM chassis.audit_entry ORDER BY seq")
    assert [tuple(entry) for entry in entries] == [
        ("relief.authority.set", first.json()["id"]),
        ("relief.authority.ended", first.json()["id"]),
    ]


async def test_what_a_bureau_passed_down_goes_on_under_the_county_that_took_its_place(
    relief: Running,
) -> None:
    """渝北区 ended on 2025-11-06; 两江新区, below which the town stands since, is an heir of it."""
    await set_one(relief)
    relief.at("2025-11-06")
    async with relief.runtime.database.transaction(actor="job:1") as session:
        for county, level in ((500157000000, Level.TOWN), (500120000000, Level.COUNTY)):
            found = await service.competence(
                session,
                programme=Programme.DIBAO,
                town=TOWN_ID,
                day=d("2025-11-06"),
                county=county,
            )
            assert found.level is level


async def test_competence_is_read_the_same_way_by_the_rooms_that_decide(relief: Running) -> None:
    await set_one(relief)
    async with relief.runtime.database.transaction(actor="job:1") as session:
        found = await service.competence(
            session,
            programme=Programme.DIBAO,
            town=TOWN_ID,
            day=d("2025-03-03"),
            county=int(DISTRICT),
        )
        rows = await repository.authorities(session, Programme.DIBAO, TOWN_ID)
    assert found.level is Level.TOWN
    assert [row.document for row in rows] == ["渝北民政〔2025〕3号"]
