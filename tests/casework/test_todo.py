"""To-do lists: domain.md C1 (my to-do grouped by process, with lights)."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import Engine, event

from casework.states import Matter
from casework.todo import steps_on, tasks
from chassis.wake import NOTIFY
from tests.casework.conftest import CLERK, DECIDER, Permits
from tests.casework.toy_matter import MATTER, OTHER_SIDE, SIDE

DECIDES = "read decide"


def may(*scopes: str) -> Callable[[str], bool]:
    return lambda scope: scope.removeprefix("toy:") in scopes


def names(matter: Matter, state: str) -> list[str]:
    return [one.name for one in steps_on(matter, matter.state(state))]


class TestWhoseTurn:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("submitted", ["tell", "accept"]),
            ("correcting", []),
            ("accepted", ["publicise"]),
            ("awaiting", ["decide"]),
            ("granted", ["deliver"]),
            ("closed", []),
        ],
        ids=[
            "the step that leads on, not the withdrawal",
            "the applicant's turn is no clerk's task",
            "a note and a longer limit wait for an occasion",
            "returning a case is no task where it can be decided",
            "a step that ends the case, where no other leads on",
            "what is closed waits for nobody",
        ],
    )
    def test_a_state_waits_for_the_steps_that_lead_on(
        self, state: str, expected: list[str]
    ) -> None:
        assert names(MATTER, state) == expected

    def test_only_states_whose_steps_the_caller_may_take(self) -> None:
        held = [one.state for one in tasks([MATTER], may("decide"))]
        assert held == ["awaiting"]
        assert [one.state for one in tasks([MATTER], may("accept"), "送达")] == ["granted"]
        assert tasks([MATTER], may("read")) == []


async def todo(permits: Permits, scopes: str = "read accept", /, **asked: object) -> httpx.Response:
    subject = asked.pop("subject", CLERK)
    answer = await permits.get("todo", scopes, query=asked, subject=subject)
    assert answer.status_code == 200, answer.text
    return answer


async def awaiting(permits: Permits) -> str:
    permits.running.at("2025-03-03")
    case = await permits.open()
    await permits.steps(case, "accept publicise")
    permits.running.at("2025-03-12")
    await permits.steps(case, "publicity_closed")
    return case


class TestList:
    async def test_grouped_by_process_with_lights_the_most_urgent_first(
        self, permits: Permits
    ) -> None:
        later = await permits.open()
        urgent = await permits.open()
        fresh = await permits.open()
        await permits.steps(urgent, "accept")
        permits.running.at("2025-03-05")
        await permits.steps(later, "accept")
        permits.running.at("2025-03-07")
        seen = (await todo(permits)).json()
        assert seen["as_of"] == "2025-03-07"
        assert seen["processes"] == [
            {"process": "受理", "title": "受理"}
            | {"count": 1, "green": 0, "amber": 0, "red": 0, "paused": 0},
            {"process": "调查", "title": "调查"}
            | {"count": 2, "green": 1, "amber": 0, "red": 1, "paused": 0},
        ]
        items = seen["items"]["items"]
        assert [one["id"] for one in items] == [urgent, later, fresh]
        assert [one["light"] for one in items] == ["red", "green", "none"]
        assert [one["days_left"] for one in items] == [-1, 3, None]
        assert items[0]["label"] == "张**等3人"

    async def test_narrowed_by_light_and_process(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept")
        permits.running.at("2025-03-06")
        other = await permits.open()
        amber = (await todo(permits, light="amber")).json()["items"]["items"]
        assert [one["id"] for one in amber] == [case]
        assert (await todo(permits, light="red")).json()["items"]["items"] == []
        found = (await todo(permits, process="受理")).json()["items"]["items"]
        assert [one["id"] for one in found] == [other]

    async def test_what_four_eyes_bar_is_nobodys_to_do_of_his(self, permits: Permits) -> None:
        case = await awaiting(permits)
        both = "read accept decide"
        mine = (await todo(permits, both)).json()
        assert mine["items"]["items"] == []
        assert mine["processes"] == []
        others = (await todo(permits, both, subject=DECIDER)).json()
        assert [one["id"] for one in others["items"]["items"]] == [case]
        assert others["processes"][0]["count"] == 1

    async def test_paused_while_publicity_runs(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept publicise")
        seen = (await todo(permits, light="paused")).json()
        assert [one["id"] for one in seen["items"]["items"]] == [case]
        assert seen["processes"][0]["paused"] == 1
        permits.running.at("2025-03-10")
        assert (await todo(permits, light="paused")).json()["items"]["items"]
        permits.running.at("2025-03-11")  # nobody has closed it yet
        seen = (await todo(permits, light="green")).json()
        assert [(one["light"], one["due"]) for one in seen["items"]["items"]] == [
            ("green", "2025-04-22")
        ]

    async def test_another_towns_cases_are_neither_listed_nor_counted(
        self, permits: Permits
    ) -> None:
        await permits.open(OTHER_SIDE)
        answer = await permits.get("todo", divisions=[str(SIDE)])
        assert answer.json()["processes"] == []
        assert answer.json()["items"]["items"] == []

    async def test_page_by_page_each_case_once(self, permits: Permits) -> None:
        cases = [await permits.open() for _ in range(5)]
        for case in cases[:3]:
            await permits.steps(case, "accept")
        seen: list[str] = []
        cursor = None
        while True:
            asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            items = (await todo(permits, **asked)).json()["items"]
            seen += [one["id"] for one in items["items"]]
            cursor = items["next_cursor"]
            if cursor is None:
                break
        assert seen == cases

    async def test_a_cursor_of_another_making_is_refused(self, permits: Permits) -> None:
        for cursor in ("x", "WyJhIiwgImIiXQ", "WyIyMDI1LTAzLTAzIiwgImIiXQ"):
            answer = await permits.get("todo", query={"cursor": cursor})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "/query/cursor"

    async def test_as_many_queries_for_many_items_as_for_one(self, permits: Permits) -> None:
        async def queries() -> int:
            ran: list[str] = []

            def count(*arguments: object) -> None:
                if arguments[2] != str(NOTIFY):  # the relay's wake-up is beside them
                    ran.append(str(arguments[2]))

            event.listen(Engine, "before_cursor_execute", count)
            try:
                await todo(permits)
            finally:
                event.remove(Engine, "before_cursor_execute", count)
            return len(ran)

        await permits.open()
        await queries()  # the register of units is read once
        few = await queries()
        for _ in range(8):
            await permits.open()
        assert await queries() == few <= 4
