"""What a caller sees of cases, and what not: architecture.md, Access and Audit."""

import re

import pytest

from chassis.app import create_app
from tests.casework.conftest import CLERK, DECIDER, Permits
from tests.casework.toy_matter import OTHER_SIDE, SERVICE, SIDE

TOWN = str(SIDE)[:9] + "000"


class TestCase:
    async def test_a_case_tells_what_its_reader_may_do_now(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept publicise")
        permits.running.at("2025-03-12")
        await permits.steps(case, "publicity_closed")
        held = "read accept decide"
        mine = (await permits.get(f"cases/{case}", held)).json()
        barred = {one["name"]: one["barred"] for one in mine["actions"]}
        assert barred == {
            "return": None,
            "prolong": None,
            "decide": "您已办理本件的“受理”，此步须由他人办理",
            "withdraw": None,
        }
        others = (await permits.get(f"cases/{case}", held, subject=DECIDER)).json()
        assert all(one["barred"] is None for one in others["actions"])
        needs = {one["name"] for one in others["actions"] if one["needs_reason"]}
        assert needs == {"return"}
        reader = (await permits.get(f"cases/{case}", "read")).json()
        assert reader["actions"] == []

    async def test_its_etag_is_the_version_to_change_it_by(self, permits: Permits) -> None:
        case = await permits.open()
        answer = await permits.get(f"cases/{case}")
        assert answer.headers["etag"] == answer.json()["etag"] == await permits.version(case)
        assert answer.json()["division"] == str(SIDE)
        assert answer.json()["clock"] is None

    async def test_each_reading_is_audited(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.get(f"cases/{case}")
        await permits.get(f"cases/{case}/history")
        audited = await permits.audited()
        assert ("case.read", case) in audited
        assert ("case.history", case) in audited

    async def test_the_first_step_of_the_history_is_the_opening(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept")
        items = (await permits.get(f"cases/{case}/history")).json()["items"]
        assert [(one["position"], one["title"], one["from"], one["to"]) for one in items] == [
            (1, "登记", "", "submitted"),
            (2, "受理", "submitted", "accepted"),
        ]
        assert items[1]["clock"] == "start"
        assert items[1]["actor"] == CLERK

    async def test_what_is_promised_stands_beside_what_the_law_allows(
        self, permits: Permits
    ) -> None:
        case = await permits.open()
        await permits.steps(case, "accept")
        permits.running.at("2025-03-18")
        seen = (await permits.get(f"cases/{case}")).json()
        promised, total = seen["promised_clock"], seen["clock"]
        assert (promised["title"], promised["count"]) == ("10个工作日", 10)
        assert (promised["due"], promised["light"]) == ("2025-03-17", "red")
        assert (total["count"], total["light"]) == (30, "green")


class TestForeign:
    async def test_another_towns_clerk_finds_nothing(self, permits: Permits) -> None:
        case = await permits.granted()
        (row,) = await permits.running.rows("SELECT id FROM case_document")
        foreign = {"divisions": [str(OTHER_SIDE)]}
        for path in (
            f"cases/{case}",
            f"cases/{case}/history",
            f"cases/{case}/documents",
            f"cases/{case}/documents/{row['id']}",
            f"cases/{case}/documents/{row['id']}/page",
        ):
            assert (await permits.get(path, **foreign)).status_code == 404, path
        listed = (await permits.get("cases", **foreign)).json()
        assert listed == {"items": [], "next_cursor": None}
        assert (await permits.get("publicity", **foreign)).json()["items"] == []

    async def test_a_document_is_found_in_its_own_case_alone(self, permits: Permits) -> None:
        await permits.granted()
        other = await permits.open()
        (row,) = await permits.running.rows("SELECT id FROM case_document")
        assert (await permits.get(f"cases/{other}/documents/{row['id']}")).status_code == 404

    @pytest.mark.parametrize("path", ["cases", "todo", "publicity"])
    async def test_without_the_scope_nothing_is_read(self, permits: Permits, path: str) -> None:
        assert (await permits.get(path, "accept")).status_code == 403
        assert (await permits.running.http.get(f"/v1/toy/{path}")).status_code == 401


class TestList:
    async def test_narrowed_by_state_process_light_number_and_division(
        self, permits: Permits
    ) -> None:
        first, second = await permits.open(), await permits.open(OTHER_SIDE)
        await permits.steps(first, "accept")
        permits.running.at("2025-03-07")
        number = (await permits.row(second))["number"]

        async def found(**query: str) -> list[str]:
            answer = await permits.get("cases", query=query)
            assert answer.status_code == 200, answer.text
            return [one["id"] for one in answer.json()["items"]]

        assert await found() == [second, first]
        assert await found(state="accepted") == [first]
        assert await found(process="受理") == [second]
        assert await found(light="red") == [first]
        assert await found(light="none") == [second]
        assert await found(q=number) == [second]
        assert await found(q="%") == []
        assert await found(division=TOWN) == [first]
        assert await found(matter="permit") == [second, first]
        assert await found(matter="other") == []

    async def test_page_by_page(self, permits: Permits) -> None:
        cases = [await permits.open() for _ in range(3)]
        first = (await permits.get("cases", query={"limit": 2})).json()
        rest = await permits.get("cases", query={"limit": 2, "cursor": first["next_cursor"]})
        ids = [one["id"] for one in first["items"] + rest.json()["items"]]
        assert ids == cases[::-1]
        assert rest.json()["next_cursor"] is None

    async def test_a_foreign_division_is_not_found(self, permits: Permits) -> None:
        answer = await permits.get(
            "cases", query={"division": str(OTHER_SIDE)}, divisions=[str(SIDE)]
        )
        assert answer.status_code == 404


async def test_the_api_speaks_chinese(permits: Permits) -> None:
    document = create_app(SERVICE, permits.running.settings).openapi()
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for path, operations in document["paths"].items():
        if not path.startswith(("/v1/toy/cases", "/v1/toy/todo", "/v1/toy/publicity")):
            continue
        for operation in operations.values():
            assert chinese.search(operation["summary"]), path
            assert chinese.search(operation["description"]), path
            assert "401" in operation["responses"], path


async def test_no_name_stands_in_events_or_clear_columns(permits: Permits) -> None:
    case = await permits.open()
    await permits.steps(case, "tell corrected accept publicise")
    permits.running.at("2025-03-12")
    await permits.steps(case, "publicity_closed")
    await permits.step(case, "return", by=DECIDER, reason="张三丰收入不实")
    await permits.steps(case, "publicise")
    permits.running.at("2025-03-21")
    await permits.steps(case, "publicity_closed decide")
    dumped = [
        row["text"]
        for table in (
            *("case_file", "case_step", "case_correction", "case_publicity", "case_document"),
            *("chassis.outbox", "chassis.audit_entry"),
        )
        for row in await permits.running.rows(f"SELECT t::text AS text FROM {table} t")  # noqa: S608 - names of our own
    ]
    bodies = [event.model_dump_json() for event in await permits.events()]
    assert len(dumped) > 20
    assert not [text for text in dumped + bodies if "张三丰" in text]
    assert not [text for text in dumped if "张三丰".encode().hex() in text]
