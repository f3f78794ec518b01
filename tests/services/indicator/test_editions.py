"""Published editions (公布的数据): frozen as they were; restated only by another edition."""

import asyncio
from io import BytesIO
from typing import Any

import asyncpg
import httpx
import pytest
from openpyxl import load_workbook

from chassis.ids import new_id
from tests.services.indicator.house import YUFENGSHAN, House, facility, period

PATH = "/v1/plan/editions"


async def publish(house: House, *, status: int = 201, **asked: object) -> Any:
    body = {"as_of": "2020-12-31", "title": "2020 年度规划指标"} | asked
    answer = await house.post(PATH, body, "plan:publish")
    assert answer.status_code == status, answer.text
    return answer.json()


def beds(edition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in edition["figures"] if one["code"] == "eldercare_beds"
    )
    return found


async def test_an_edition_stays_as_it_was_and_a_restatement_says_what_it_was_before(
    house: House,
) -> None:
    id_ = new_id()
    await house.tell(facility(period("2020-01-01"), id_=id_), at="2020-01-02")
    house.running.at("2021-01-15")
    first = await publish(house)
    assert (first["number"], first["definition_version"], first["restates"]) == (1, 1, None)
    assert (beds(first)["value"], beds(first)["before"]) == ("40", None)
    assert len(first["figures"]) == 18

    late = period("2020-07-01", beds=55, beds_in_use=55)
    await house.tell(facility(period("2020-01-01"), late, id_=id_), at="2021-03-01")
    assert await house.value("eldercare_beds", as_of="2020-12-31") == "55"
    again = (await house.get(f"{PATH}/{first['id']}")).json()
    assert again == first

    house.running.at("2021-03-02")
    second = await publish(house, restates=first["id"], reason="一处养老院迟报床位变更")
    assert (second["number"], second["restates"]) == (2, first["id"])
    assert (beds(second)["value"], beds(second)["before"]) == ("55", "40")
    listed = (await house.get(PATH)).json()["items"]
    assert [(one["number"], one["restated_by"]) for one in listed] == [(2, None), (1, second["id"])]


async def test_an_edition_can_be_of_what_was_known_on_a_day(house: House) -> None:
    id_ = new_id()
    await house.tell(facility(period("2020-01-01"), id_=id_), at="2020-01-02")
    fifty = period("2020-01-01", beds=50, beds_in_use=50)
    await house.tell(facility(fifty, id_=id_), at="2021-02-01")
    house.running.at("2021-03-01")
    first = await publish(house, known_on="2021-01-15")
    assert beds(first)["value"] == "40"
    again = await publish(house, restates=first["id"], reason="2月得知床位有误")
    assert (beds(again)["value"], beds(again)["before"]) == ("50", "40")


async def test_a_restatement_needs_its_reason_and_the_latest_of_the_same_day(
    house: House,
) -> None:
    house.running.at("2021-01-15")
    first = await publish(house)
    id_ = first["id"]
    await publish(house, restates=id_, status=422)
    await publish(house, reason="没有所更正的版本", status=422)
    await publish(house, restates=id_, reason="另一天", as_of="2021-01-10", status=422)
    await publish(house, restates=str(new_id()), reason="没有", status=422)
    await publish(house, as_of="2021-01-16", status=422)
    second = await publish(house, restates=id_, reason="更正")
    problem = await publish(house, restates=id_, reason="再更正", status=409)
    assert problem["type"].endswith("edition-already-restated")
    third = await publish(house, restates=second["id"], reason="再更正")
    assert third["restates"] == second["id"]


async def test_a_second_edition_of_a_day_is_a_restatement(house: House) -> None:
    house.running.at("2021-01-15")
    first = await publish(house)
    for number in range(2):
        problem = await publish(house, title=f"另一版 {number}", status=409)
        assert problem["type"].endswith("edition-already-published")
        assert problem["detail"] == "该日期已有发布版，如数据有更正请发更正版并写明理由"
    assert (await publish(house, as_of="2021-01-10"))["number"] == 2
    listed = (await house.get(PATH)).json()["items"]
    assert [one["id"] for one in listed][-1] == first["id"]


async def test_two_publishers_at_once_make_one_edition_of_a_day(house: House) -> None:
    house.running.at("2021-01-15")
    body = {"as_of": "2020-12-31", "title": "2020 年度"}
    answers = await asyncio.gather(*(house.post(PATH, body, "plan:publish") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


@pytest.mark.parametrize(
    ("today", "asked", "pointer", "words"),
    [
        ("2021-01-15", {"as_of": "2021-01-16"}, "/as_of", "不能晚于今天"),
        ("2021-01-15", {"as_of": "2020-12-30"}, "/as_of", "不能早于规划基期 2020-12-31"),
        ("2026-02-01", {"as_of": "2026-01-25"}, "/as_of", "规划的管辖口径当日不存在"),
        ("2021-01-15", {"known_on": "2021-01-16"}, "/known_on", "不能晚于今天"),
        ("2021-01-15", {"known_on": "2020-12-30"}, "/known_on", "不能早于数据的截止日期"),
    ],
)
async def test_days_that_an_edition_cannot_be_of(
    house: House, today: str, asked: dict[str, str], pointer: str, words: str
) -> None:
    house.running.at(today)
    problem = await publish(house, **asked, status=422)
    assert problem["errors"] == [{"pointer": pointer, "detail": words}]


@pytest.mark.parametrize("as_of", ["2020-12-31", "2025-12-31", "2026-01-24"])
async def test_the_first_and_the_last_day_of_the_plans_towns_can_be_published(
    house: House, as_of: str
) -> None:
    house.running.at("2026-02-01")
    assert (await publish(house, as_of=as_of, known_on=as_of))["as_of"] == as_of


async def test_editions_of_the_district_are_every_readers_and_only_the_district_publishes(
    house: House,
) -> None:
    house.running.at("2021-01-15")
    edition = await publish(house)
    town = {"divisions": (str(YUFENGSHAN),)}
    assert (await house.get(f"{PATH}/{edition['id']}", **town)).json() == edition
    assert len((await house.get(PATH, **town)).json()["items"]) == 1
    body = {"as_of": "2020-12-31", "title": "本镇"}
    assert (await house.post(PATH, body, "plan:publish", **town)).status_code == 404
    assert (await house.post(PATH, body, "plan:read")).status_code == 403
    assert (await house.get(f"{PATH}/{new_id()}")).status_code == 404


@pytest.mark.parametrize("table", ["edition", "edition_figure"])
@pytest.mark.parametrize("change", ["UPDATE {} SET code = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_nobody_changes_what_is_published(house: House, table: str, change: str) -> None:
    house.running.at("2021-01-15")
    edition = await publish(house)
    statement = change.format(table).replace("code", "title" if table == "edition" else "code")
    connection = await asyncpg.connect(house.running.databases.owner)
    try:
        with pytest.raises(asyncpg.PostgresError, match=r"never changed|referenced"):
            await connection.execute(statement)
    finally:
        await connection.close()
    assert (await house.get(f"{PATH}/{edition['id']}")).json() == edition


async def test_an_edition_can_be_exported_and_a_title_is_no_formula(house: House) -> None:
    await house.tell(facility(period("2020-01-01")), at="2020-01-02")
    house.running.at("2021-01-15")
    edition = await publish(house, title='=HYPERLINK("x")')
    answer: httpx.Response = await house.get(f"{PATH}/{edition['id']}/export")
    book = load_workbook(BytesIO(answer.content))
    about = {row[0].value: row[1] for row in book["说明"].iter_rows()}
    assert (about["标题"].value, about["标题"].data_type) == ('=HYPERLINK("x")', "s")
    assert about["公布时间"].value == "2021-01-15 10:00"
    shown = {row[1]: row for row in book["规划指标"].iter_rows(values_only=True)}
    assert shown["养老服务床位"][5] == 40


async def test_publishing_twice_with_one_key_is_one_edition(house: House) -> None:
    house.running.at("2021-01-15")
    body = {"as_of": "2020-12-31", "title": "2020 年度"}
    key = {"Idempotency-Key": "edition-2020"}
    first = await house.post(PATH, body, "plan:publish", headers=key)
    again = await house.post(PATH, body, "plan:publish", headers=key)
    assert first.json()["id"] == again.json()["id"]
    assert len((await house.get(PATH)).json()["items"]) == 1
    actions = await house.running.rows(
        "SELECT action FROM chassis.audit_entry WHERE action LIKE 'indicator.%'"
    )
    assert [row["action"] for row in actions] == ["indicator.edition.publish"]
