"""Applications for 低保 in the whole house: issue "from the window to the award"."""

import asyncio
import json
import os
import signal
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from chassis.bus import Message, open_bus
from chassis.ids import new_id
from chassis.relay import HEADERS
from contracts.events.envelope import CloudEvent
from contracts.events.placename import PlaceUnit, UnitPeriod
from contracts.places import place_units
from services.relief.applications.rules import DIBAO
from suite import catalogue
from suite.clients import DISTRICT_DIVISIONS
from suite.demo.caller import Caller
from suite.demo.cases import Ending, Later, Scenario, scenarios
from suite.demo.clerks import (
    BUREAU_HEAD,
    CHECKER,
    SURVEYOR,
    TOWN_ROLES,
    WINDOW,
    town_clerk,
)
from suite.demo.district import towns
from suite.demo.people import village_of
from suite.demo.windows import APPLICATIONS
from suite.settled import until_jobs_done, until_settled
from tests.support import recount
from tests.support.counter import (
    ADDRESS,
    PHONE,
    Counter,
    applied_for_and_refused,
    counter_of,
    household,
    scenario,
)
from tests.support.house import House
from tests.support.requests_of import BODIES, PATTERNS, Document, Operation
from tests.support.traces import leaks, spellings, traces

pytestmark = pytest.mark.xdist_group("house")

FIRST, SECOND = 0, 11
"""The two towns of the house's cases, by their place in the district: a street and a town."""
CASES = 40
STANDING = {
    *("draft", "submitted", "correcting", "checking", "surveying", "publicised", "awaiting"),
    *("closed", "withdrawn", "terminated"),
}
WITH_ALL_TOWNS = {"accepted", "checked", "surveyed", "opined", "objected", "granted"}
"""States in which a case waits in one of the other twenty towns (suite/demo/cases.py, ROTATING)."""
PASSED_ON_THE_DAY = {"disqualified", "refused", "delivered"}
"""States that no case of the demonstration rests in: tests/services/relief/applications."""
PAID_DAYS = [
    *(date(2021, 3, 1), date(2021, 3, 31), date(2021, 4, 1), date(2021, 9, 1), date(2022, 12, 31)),
    *(date(2023, 11, 1), date(2024, 6, 30), date(2024, 7, 1), date(2025, 3, 1), date(2025, 11, 6)),
    *(date(2025, 12, 5), date(2026, 5, 18), date(2026, 6, 1), date(2026, 9, 1), date(2026, 11, 1)),
]
SCOPE_ENDS = date(2026, 1, 24)
DISTRICT_2026 = "500157000000"
IN_2026 = {"as_of": "2026-09-01", "division": DISTRICT_2026}
GRANTED_STEPS = [
    *("open", "submit", "accept", "start_check", "close_check", "survey", "sign", "opine"),
    *("publicise", "close_publicity", "grant", "deliver", "close"),
]
PUBLISHED = "/v1/relief/awards/published"
PROBLEM = "urn:minzheng:problem:"


@pytest.fixture
async def counter(house: House) -> AsyncIterator[Counter]:
    async with counter_of(house) as one:
        yield one


def kind_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix(PROBLEM)


def values(item: dict[str, Any]) -> dict[str, Decimal]:
    return {part: Decimal(item[part]) for part in ("value", "urban", "rural")}


async def recounted(house: House) -> None:
    """The board, the matrix of towns and each town equal a count from relief's own tables.

    The scope of the plan's towns ended when they were handed over: after it, by district and town.
    """
    rows = await house.rows("relief", recount.AWARDS)
    names = {town.id: town.name for town in towns()}
    nothing = recount.Beside().shown()
    seen = set()
    for day in PAID_DAYS:
        counted = recount.count_awards(rows, day)
        in_scope = day <= SCOPE_ENDS
        asked = {"as_of": day.isoformat(), **({} if in_scope else {"division": DISTRICT_2026})}
        items = house.get("/v1/plan/beside", **asked)["items"]
        if counted is None:
            assert {one["value"] for one in items} == {None}, day
            continue
        expected = recount.together(counted.values()).shown()
        assert {one["code"]: values(one) for one in items} == expected, day
        seen.add(expected["relief_households"]["value"])
        of_towns = {names[town]: beside.shown() for town, beside in counted.items()}
        for name, shown in towns_shown(house, day, in_scope=in_scope).items():
            assert shown == of_towns.get(name, nothing), (day, name)
    assert len(seen) > 5  # the days differ: awards came, were changed and ended


def towns_shown(house: House, day: date, *, in_scope: bool) -> dict[str, Any]:
    """What the board has of each town on a day."""
    as_of = day.isoformat()
    if in_scope:
        rows = house.get("/v1/plan/beside/matrix", as_of=as_of)["rows"]
        assert len(rows) == len(towns())
        return {
            row["name"]: {code: values(cell) for code, cell in row["cells"].items()} for row in rows
        }
    found = {}
    for number in (FIRST, FIRST + 1, SECOND):  # an award of the first moves to the second street
        town = towns()[number]
        asked = {"as_of": as_of, "division": town.code_on(day)}
        items = house.get("/v1/plan/beside", **asked)["items"]
        found[town.name] = {one["code"]: values(one) for one in items}
    return found


class TestTwoTowns:
    async def test_every_state_of_the_matter_stands_in_it_or_was_passed(self, house: House) -> None:
        demonstrated = "SELECT id FROM case_file WHERE matter = 'dibao' ORDER BY id LIMIT 40"
        rows = await house.rows(
            "relief",
            f"SELECT state, count(*) FROM case_file WHERE id IN ({demonstrated}) GROUP BY state",  # noqa: S608 - a literal of this test
        )
        assert {row["state"] for row in rows} == STANDING
        assert sum(row["count"] for row in rows) == CASES
        every = {state.code for state in DIBAO.states}
        assert every == STANDING | WITH_ALL_TOWNS | PASSED_ON_THE_DAY
        passed = await house.rows(
            "relief",
            f"SELECT DISTINCT target FROM case_step WHERE case_id IN ({demonstrated})",  # noqa: S608 - as above
        )
        assert {row["target"] for row in passed} == every

    def test_the_endings_of_all_towns_are_all_there_are(self) -> None:
        today = date(2026, 11, 24)
        every = [
            one for number, town in enumerate(towns()) for one in scenarios(town, number, today)
        ]
        assert len(every) == 22 * 20
        assert {one.ending for one in every} == set(Ending)
        assert {one.later for one in every} == set(Later)

    def test_the_lists_show_them_by_state_and_the_todo_by_light(self, house: House) -> None:
        shown = house.get("/v1/relief/cases", matter="dibao", limit="200")["items"]
        assert {one["state"] for one in shown} >= STANDING
        todo = house.get("/v1/relief/todo")
        assert set(todo) == {"as_of", "processes", "items"}

    async def test_awards_recounted_from_reliefs_tables_equal_the_board(self, house: House) -> None:
        await recounted(house)

    @pytest.mark.parametrize("seen", [{"as_of": "2025-12-31"}, IN_2026])
    async def test_lineage_leads_from_each_figure_to_the_events_of_awards(
        self, house: House, seen: dict[str, str]
    ) -> None:
        known = "SELECT id FROM chassis.outbox WHERE topic = 'minzheng.relief.award'"
        events = {str(row["id"]) for row in await house.rows("relief", known)}
        for one in house.get("/v1/plan/beside", **seen)["items"]:
            total, path = Decimal(0), f"/v1/plan/beside/{one['code']}/lineage"
            cursor: str | None = None
            while True:
                query = {**seen, "limit": "200", **({"cursor": cursor} if cursor else {})}
                page = house.get(path, **query)
                for item in page["items"]:
                    assert item["event_id"] in events
                    assert item["topic"] == "minzheng.relief.award"
                    total += Decimal(item["amount"])
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            assert total == Decimal(one["value"]) > 0, one["code"]


async def test_a_whole_application_and_a_refusal_by_the_clerks_on_the_embedded_bus(
    house: House,
) -> None:
    """On Kafka: test_house.py, TestOnKafka."""
    await applied_for_and_refused(house, town=FIRST, number=20)


class Killer:
    """Kills a process of the house with -9: before a step is asked for, or a moment after."""

    def __init__(self, counter: Counter, case: Scenario) -> None:
        self.counter, self.case = counter, case
        self.killed: list[str] = []

    async def before(self, step: str) -> None:
        name, after = VICTIMS[step]
        if step == "close_check":
            await self.asking()
        deadline = time.monotonic() + 60
        while not (pid := self.counter.house.pid_of(name)):
            assert time.monotonic() < deadline, f"{name} does not come back"
            await asyncio.sleep(0.02)
        if after:
            asyncio.get_running_loop().call_later(after, os.kill, pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
        self.killed.append(name)
        if step == "close_check":
            await asyncio.sleep(0.2)
            await self.counter.five_minutes_pass()

    async def asking(self) -> None:
        """Wait until the first of the sources is asked."""
        query = """SELECT 1 FROM check_request r JOIN economic_check c ON c.id = r.check_id
        WHERE c.case_id = $1 AND r.attempts > 0"""
        deadline = time.monotonic() + 60
        while not await self.counter.looked(query, self.counter.id_of(self.case)):
            assert time.monotonic() < deadline, "nobody is asked"


VICTIMS = {
    "bring": ("serve-relief", 0.0),
    "accept": ("work-relief", 0.0),
    "check": ("serve-relief", 0.02),
    "close_check": ("work-relief", 0.0),  # while it asks the sources
    "survey": ("serve-departments", 0.0),
    "sign": ("serve-relief", 0.0),
    "opine": ("work-relief", 0.02),
    "publicise": ("postgres", 0.0),
    "close_publicity": ("serve-relief", 0.02),
    "decide": ("work-relief", 0.0),
    "deliver": ("serve-relief", 0.0),
    "close": ("work-relief", 0.0),
}


class TestKilledBetweenAnyTwoSteps:
    async def test_nothing_is_lost_and_nothing_doubled(
        self, house: House, counter: Counter
    ) -> None:
        case = scenario(FIRST, 22)
        killer = Killer(counter, case)
        id_ = await counter.walk(case, before=killer.before)
        assert killer.killed == [name for name, _ in VICTIMS.values()]
        await until_settled(house.folder)

        steps = await house.rows(
            "relief", "SELECT position, name FROM case_step WHERE case_id = $1 ORDER BY 1", id_
        )
        assert [row["position"] for row in steps] == list(range(1, len(steps) + 1))
        assert [row["name"] for row in steps] == GRANTED_STEPS
        told = await counter.file(case)
        assert told["case"]["state"] == "closed"
        await self.one_of_each(house, id_, told)
        await self.each_source_asked_once(house, id_)
        await self.events_without_a_gap(house, id_, told["decision"]["award"])
        await recounted(house)

    async def one_of_each(self, house: House, id_: str, told: dict[str, Any]) -> None:
        """One row of everything that a step writes once."""
        for table, column, count in (
            ("application_survey", "case_id", 1),
            ("application_survey_signature", "case_id", 2),
            ("application_opinion", "case_id", 1),
            ("case_publicity", "case_id", 2),  # the opinion's, and the result's
            ("application_decision", "id", 1),
            ("award", "case_id", 1),
            ("economic_check", "case_id", 1),
        ):
            query = f"SELECT count(*) FROM {table} WHERE {column} = $1"  # noqa: S608 - of this test
            assert (await house.rows("relief", query, id_))[0]["count"] == count, table
        periods = await house.rows(
            "relief", "SELECT 1 FROM award_period WHERE award_id = $1", told["decision"]["award"]
        )
        assert len(periods) == 1
        kinds = Tally(one["kind"] for one in told["documents"])
        assert set(kinds.values()) == {1}, kinds
        numbers = await house.rows("relief", "SELECT number, count(*) FROM case_file GROUP BY 1")
        assert {row["count"] for row in numbers} == {1}
        claims = await house.rows(
            "relief",
            "SELECT state FROM person_claim WHERE household_id = $1",
            told["household"]["id"],
        )
        assert [row["state"] for row in claims].count("awarded") == 2
        assert "open" not in {row["state"] for row in claims}

    async def each_source_asked_once(self, house: House, id_: str) -> None:
        asked = await house.rows(
            "relief",
            """SELECT r.*, (
                SELECT count(*) FROM chassis.audit_entry a
                WHERE a.action = 'relief.check.answered' AND a.subject = r.id::text
            ) AS answers FROM check_request r JOIN economic_check c ON c.id = r.check_id
            WHERE c.case_id = $1""",
            id_,
        )
        sources, persons = {row["source"] for row in asked}, {row["member_id"] for row in asked}
        assert len({(row["member_id"], row["source"]) for row in asked}) == len(asked)
        assert (len(asked), len(persons)) == (2 * len(sources), 2)
        for row in asked:
            assert row["status"] in {"returned", "none"}
            assert (row["round"], row["answers"]) == (1, 1), row["source"]

    async def events_without_a_gap(self, house: House, id_: str, award: str) -> None:
        rows = await house.rows(
            "relief",
            """SELECT topic, key, array_agg(sequence ORDER BY sequence) AS found,
            count(*) FILTER (WHERE published_at IS NULL) AS unpublished
            FROM chassis.outbox GROUP BY 1, 2""",
        )
        for row in rows:
            assert row["found"] == list(range(1, len(row["found"]) + 1)), row["topic"]
            assert row["unpublished"] == 0
        counts = {row["key"]: len(row["found"]) for row in rows}
        assert (counts[id_], counts[award]) == (len(GRANTED_STEPS), 1)


class TestADemonstrationCutShort:
    """Its history is lived again from the start (suite/demo): what was done is done no second time.

    Whoever comes back knows nothing of what was done, but asks it under the same keys.
    """

    async def test_lived_again_nothing_is_done_twice(self, house: House) -> None:
        await until_jobs_done(house.folder, "relief")
        before = [await self.everything(house, name) for name in catalogue.NAMES]
        house.folder.demo_done.unlink()
        again = ("demo", "--case-towns", "2")
        done = await asyncio.to_thread(house.minzheng, *again, within=400)
        assert done.returncode == 0, done.stderr
        assert house.folder.demo_done.exists()
        await until_jobs_done(house.folder, "relief")
        assert [await self.everything(house, name) for name in catalogue.NAMES] == before

    async def everything(self, house: House, service: str) -> dict[str, int]:
        """How many rows its own tables have, and how many events it has told."""
        tables = await house.rows(
            service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        return {
            name: (await house.rows(service, f"SELECT count(*) FROM {name}"))[0]["count"]  # noqa: S608 - our own tables
            for name in [*(row["tablename"] for row in tables), "chassis.outbox"]
        }


class TestSourcesDownForADay:
    async def test_the_case_waits_says_who_is_missing_and_goes_on(self, counter: Counter) -> None:
        case = scenario(SECOND, 23)
        numbers = [one["document_number"] for one in case.household["members"]]
        for number in numbers:
            await counter.script(number, "fail")
        id_ = await counter.walk(case, until="check")
        query = """SELECT min(r.attempts) AS least FROM check_request r
        JOIN economic_check c ON c.id = r.check_id WHERE c.case_id = $1"""

        async def until_asked(times: int) -> None:
            deadline = time.monotonic() + 60
            while (await counter.looked(query, id_))[0]["least"] < times:
                assert time.monotonic() < deadline, "the sources are not asked"
                await asyncio.sleep(0.1)

        await until_asked(1)
        day = case.starts + timedelta(days=1)
        counter.at(day, hour=9)
        await counter.five_minutes_pass()
        await until_asked(2)
        told = await counter.file(case)
        report = told["check"]
        assert (told["case"]["state"], report["state"]) == ("checking", "open")
        missing = {(one["member"], one["source"]) for one in report["missing"]}
        asked = {(line["member"], line["source"]) for line in report["lines"]}
        assert missing == asked
        assert len(asked) == len(numbers) * len({source for _, source in asked}) >= 2 * 4
        assert {line["note"] for line in report["lines"]} == {"对方系统故障"}
        await self.decided_neither_way(counter, case)

        for number in numbers:
            await counter.script(number, "none")
        await counter.five_minutes_pass()
        await counter.walk(case, until="close_check")
        told = await counter.file(case)
        assert (told["case"]["state"], told["check"]["missing"]) == ("checked", [])
        now = await counter.clerk(case, SURVEYOR).get(f"{APPLICATIONS}/{id_}/assessment")
        assert now.json()["outcome"] == "grant"

    async def decided_neither_way(self, counter: Counter, case: Scenario) -> None:
        id_, headers = counter.id_of(case), {"If-Match": counter.etag_of(case)}
        written = {**headers, "Content-Type": "application/json"}
        now = await counter.clerk(case, SURVEYOR).get(f"{APPLICATIONS}/{id_}/assessment")
        assert now.json()["outcome"] is None
        closed = await counter.clerk(case, CHECKER).send(
            "POST", f"{APPLICATIONS}/{id_}/check-closed", headers=headers
        )
        assert (closed.status_code, kind_of(closed)) == (409, "check-sources-missing")
        assert "银行" in closed.json()["detail"]
        for outcome in ("grant", "refuse"):
            opinion = await counter.clerk(case, SURVEYOR).send(
                "POST",
                f"{APPLICATIONS}/{id_}/opinion",
                headers=written,
                content=f'{{"outcome": "{outcome}", "statement": "意见"}}'.encode(),
            )
            decision = await counter.clerk(case, BUREAU_HEAD).send(
                "POST",
                f"{APPLICATIONS}/{id_}/decide",
                headers=written,
                content=f'{{"outcome": "{outcome}", "confirmed": true}}'.encode(),
            )
            assert (opinion.status_code, kind_of(opinion)) == (409, "case-state")
            assert (decision.status_code, kind_of(decision)) == (409, "case-state")
        assert (await counter.file(case))["decision"] is None


class TestTwoAtOnce:
    async def test_the_same_application_twice_is_one(self, counter: Counter) -> None:
        case = scenario(FIRST, 24)
        counter.at(case.starts)
        clerk = counter.caller(town_clerk(case.town, WINDOW))
        await clerk.get("/v1/relief/todo")  # logged in
        asked = {
            "division": village_of(case.town, case.number)[0],
            "materials": ["application_form"],
            "household": case.household,
        }
        content = json.dumps(asked).encode()
        headers = {"Content-Type": "application/json"}
        answers = await asyncio.gather(
            *(clerk.send("POST", APPLICATIONS, content=content, headers=headers) for _ in "ab")
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        (refused,) = [answer for answer in answers if answer.is_error]
        assert case.household["members"][0]["name"] not in refused.text
        made = next(answer.json()["id"] for answer in answers if answer.is_success)
        rows = await counter.looked(
            "SELECT file_id FROM person_claim WHERE state = 'open' AND person IN"
            " (SELECT person FROM person_claim WHERE file_id = $1)",
            made,
        )
        assert {str(row["file_id"]) for row in rows} == {made}
        assert len(rows) == 2

    async def test_two_who_decide_at_once_and_who_accepted_never(self, counter: Counter) -> None:
        case = scenario(FIRST, 25)
        scopes = ("relief:read", "relief:files", "relief:accept", "relief:survey", "relief:decide")
        counter.stand_ins[WINDOW] = counter.newcomer(
            "both-hands", *scopes, divisions=DISTRICT_DIVISIONS
        )
        other = counter.newcomer(
            "second-decider",
            "relief:read",
            "relief:files",
            "relief:decide",
            divisions=DISTRICT_DIVISIONS,
        )
        id_ = await counter.walk(case, until="close_publicity")
        headers = {"If-Match": counter.etag_of(case), "Content-Type": "application/json"}

        async def decide(caller: Caller) -> httpx.Response:
            await caller.get("/v1/relief/todo")  # logged in
            return await caller.send(
                "POST",
                f"{APPLICATIONS}/{id_}/decide",
                headers=headers,
                content=b'{"outcome": "grant", "confirmed": true}',
            )

        own = await decide(counter.clerk(case, WINDOW))
        assert (own.status_code, kind_of(own)) == (403, "four-eyes")
        answers = await asyncio.gather(
            decide(counter.clerk(case, BUREAU_HEAD)), decide(counter.caller(other))
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses in ([200, 412], [200, 409]), statuses
        awards = await counter.looked("SELECT 1 FROM award WHERE case_id = $1", id_)
        assert len(awards) == 1
        told = await counter.file(case)
        assert told["decision"]["decided_by"] in {"minzheng-decide", other}


class TestAnotherTownsClerk:
    """Everything that the service offers, tried with the ids of another town's case."""

    NOT_OF_A_CASE = (
        *("/v1/relief/standards", "/v1/relief/parameters", "/v1/relief/authorities"),
        *("/v1/relief/calculator", "/v1/relief/dead-letters"),
    )
    WITHOUT_IDS = {APPLICATIONS, "/v1/relief/persons/check"}  # noqa: RUF012 - a table
    ON = date(2026, 10, 14)
    SCOPES = (
        *(
            "relief:read",
            "relief:files",
            "relief:accept",
            "relief:survey",
            "relief:opine",
            "relief:review",
        ),
        *("relief:decide", "relief:check", "relief:reveal"),
    )

    @pytest.fixture
    async def tried(self, counter: Counter) -> Scenario:
        """A case of the second town in which something stands behind every id."""
        son = {
            "relation": "child",
            "name": "诸葛远望",
            "document_number": scenario(SECOND, 39).household["members"][0]["document_number"],
            "consented_on": "2026-07-01",
            "consent_document": "核对同意书",
        }
        case = scenario(SECOND, 26, Ending.CONTESTED, later=Later.STOPPED, supporters=[son])
        await counter.walk(case, until="hear")
        return case

    async def ids_of(self, counter: Counter, case: Scenario) -> dict[str, str]:
        told = await counter.file(case)
        check = told["check"]
        award = told["decision"]["award"]
        changes = await counter.clerk(case, SURVEYOR).get(f"/v1/relief/awards/{award}/changes")
        return {
            "case_id": counter.id_of(case),
            "objection_id": told["objections"][0]["id"],
            "document_id": told["documents"][0]["id"],
            "household_id": told["household"]["id"],
            "member_id": told["household"]["members"][0]["id"],
            "fact_id": told["household"]["facts"][0]["id"],
            "supporter_id": told["household"]["supporters"][0]["id"],
            "check_id": check["id"],
            "request_id": check["lines"][0]["request"],
            "award_id": award,
            "change_id": changes.json()["items"][0]["id"],
        }

    async def test_finds_nothing_whatever_is_tried(self, counter: Counter, tried: Scenario) -> None:
        counter.at(self.ON)
        ids = await self.ids_of(counter, tried)
        told = await counter.file(tried)
        own = {*ids.values(), told["case"]["number"]}
        own |= {one["document_number"] for one in tried.household["members"]}
        own |= {one["name"] for one in tried.household["members"]}
        stranger = counter.caller(
            counter.newcomer("another-town", *self.SCOPES, divisions=(towns()[FIRST].code,))
        )
        before = await counter.looked("SELECT count(*) FROM case_step")
        found_by_its_own, wrong = set(), {}
        for one in await self.operations(counter):
            path, hidden = one.path.format_map(ids), bool(one.parameters)
            for etag in ('"1"', counter.etag_of(tried)):
                answer = await self.ask(stranger, one, path, etag)
                if answer.status_code != (404 if hidden or path == PUBLISHED else 200):
                    wrong[f"{one.method} {one.path}"] = answer.text
                assert not leaks(own - set(path.split("/")), answer.text), one.path
            if not hidden:
                answer = await self.ask(counter.clerk(tried, SURVEYOR), one, path)
                if leaks(own, answer.text):
                    found_by_its_own.add(path)
        assert wrong == {}
        assert found_by_its_own >= {
            *("/v1/relief/cases", "/v1/relief/awards", "/v1/relief/publicity", PUBLISHED)
        }
        assert await counter.looked("SELECT count(*) FROM case_step") == before
        assert (await counter.file(tried))["case"] == told["case"]
        await self.of_the_same_person_only_that_there_is_a_file(counter, stranger, tried, own)

    async def operations(self, counter: Counter) -> list[Operation]:
        """What the running service describes, without what is of no case."""
        url = f"{counter.house.endpoints['relief']}/openapi.json"
        self.document = Document((await counter.http.get(url)).json(), PATTERNS)
        of_cases = [
            one for one in self.document.operations() if not one.path.startswith(self.NOT_OF_A_CASE)
        ]
        written = {one.path for one in of_cases if one.method != "GET" and not one.parameters}
        assert written == self.WITHOUT_IDS, "what may it tell of another town?"
        assert len(of_cases) > 60
        return [one for one in of_cases if one.path not in written]

    async def ask(
        self, caller: Caller, one: Operation, path: str, etag: str = ""
    ) -> httpx.Response:
        asked = BODIES.get(one.path.removeprefix("/v1/relief/"), self.document.body(one))
        query = {} if one.parameters else {"limit": "200"}
        if path == PUBLISHED:
            query["division"] = towns()[SECOND].code_on(self.ON)
        return await caller.send(
            one.method,
            path,
            params=query,
            content=None if asked is None else json.dumps(asked).encode(),
            headers={"Content-Type": "application/json", **({"If-Match": etag} if etag else {})},
        )

    async def of_the_same_person_only_that_there_is_a_file(
        self, counter: Counter, stranger: Caller, tried: Scenario, own: set[str]
    ) -> None:
        answer = await stranger.post(
            "/v1/relief/persons/check",
            {
                "document_kind": "resident_id",
                "document_number": tried.household["members"][0]["document_number"],
            },
        )
        assert answer.json()["claimed"] is True
        assert not leaks(own, answer.text)
        for claim in answer.json()["claims"]:
            assert (claim["file"], claim["division"], claim["division_name"]) == (None, None, None)
        mine = counter.caller(town_clerk(tried.town, WINDOW))
        seen = await mine.post(
            "/v1/relief/persons/check",
            {
                "document_kind": "resident_id",
                "document_number": tried.household["members"][0]["document_number"],
            },
        )
        assert {claim["file"] for claim in seen.json()["claims"]} & own


class TestATownThatChangesItsCode:
    """A unit's event in the middle of a case: the case stays where it is, under another code."""

    NEW_TOWN, NEW_VILLAGE = "500157903000", "500157903201"
    CHANGED_ON = date(2026, 8, 10)

    async def changed(self, house: House, case: Scenario) -> None:
        """The register of place names tells it as it would: whole units, on their topic."""
        village, _ = village_of(case.town, case.number)
        events = [
            self.event(case.town.id, self.NEW_TOWN),
            self.event(int(village), self.NEW_VILLAGE),
        ]
        async with open_bus(house.endpoints["bus"]).producer() as producer:
            await producer.send(events, timeout=20)
        await until_settled(house.folder)

    def event(self, unit: int, code: str) -> Message:
        known = next(one for one in place_units() if one.id == unit)
        period = known.periods[-1].model_copy(update={"from_": self.CHANGED_ON, "code": code})
        after = PlaceUnit(
            id=unit,
            periods=(*known.periods, UnitPeriod.model_validate(period.model_dump())),
        )
        event = CloudEvent(
            id=new_id(),
            source="urn:minzheng:placename",
            type="minzheng.placename.unit.changed.v1",
            subject=str(unit),
            time="2026-08-10T08:00:00+08:00",
            sequence=1,
            actor="clerk-7",
            data=after.model_dump(mode="json"),
        )
        return Message(
            "minzheng.placename.unit",
            str(unit),
            event.model_dump_json(exclude_none=True).encode(),
            HEADERS,
        )

    async def test_it_is_read_found_by_the_new_code_and_decided(self, counter: Counter) -> None:
        case = scenario(SECOND, 27)
        old = case.town.code_on(case.starts)
        id_ = await counter.walk(case, until="publicise")
        assert await self.listed(counter, case, old) == {id_}
        counter.at(self.CHANGED_ON, hour=9)
        await self.changed(counter.house, case)
        deadline = time.monotonic() + 30
        while self.NEW_TOWN not in await self.codes(counter, case):
            assert time.monotonic() < deadline, "the service does not take the change"
            await asyncio.sleep(0.2)
        told = (await counter.file(case))["case"]
        assert (told["state"], told["division"]) == ("publicised", self.NEW_VILLAGE)
        assert await self.listed(counter, case, self.NEW_TOWN) == {id_}
        assert await self.listed(counter, case, self.NEW_VILLAGE) == {id_}
        await counter.walk(case)
        told = await counter.file(case)
        assert (told["case"]["state"], told["decision"]["outcome"]) == ("closed", "grant")
        await until_settled(counter.house.folder)
        await recounted(counter.house)

    async def listed(self, counter: Counter, case: Scenario, division: str) -> set[str]:
        number = (await counter.file(case))["case"]["number"]
        found = await counter.clerk(case, SURVEYOR).get(
            "/v1/relief/cases", {"division": division, "q": number}
        )
        return {one["id"] for one in found.json()["items"]}

    async def codes(self, counter: Counter, case: Scenario) -> set[str]:
        told = (await counter.file(case))["case"]
        return {told["division"][:9] + "000" if told["division"] else ""}


@pytest.fixture(scope="module")
def marks() -> set[str]:
    """Names, numbers, telephone and addresses of everybody who applied anywhere here."""
    today = date(2026, 11, 24)
    cases = [one for town in (FIRST, SECOND) for one in scenarios(towns()[town], town, today)]
    families = [one.household for one in cases] + [
        household(town, number, wage="1.00") for town in (FIRST, SECOND) for number in range(20, 40)
    ]
    members = [one for family in families for one in family["members"]]
    return {
        *(one["name"] for one in members),
        *(one["document_number"] for one in members),
        *(PHONE, ADDRESS, "演示路1号", "诸葛远望"),
    }


class TestNobodyIsNamed:
    """Invariant 6 over the whole house, after all that was done in it."""

    TOLD = {  # noqa: RUF012 - a table: what is found where, if one looks
        "relief: chassis.outbox.body": "minzheng.relief.award.approved.v1",
        "indicator: chassis.outbox.body": "minzheng.indicator",
        "bus: public.bus_record.value": "minzheng.relief.case.decided.v1",
        "relief: public.household_member.name_masked": "*",
        "relief: public.household_fact.value": "relation",
        "relief: chassis.audit_entry.purpose": "核对",
        "relief: chassis.job.arguments": "request",
        "data/logs/serve-relief.log": "/v1/relief/applications/{case_id}/decide",
        "data/logs/work-relief.log": "relay_started",
        "data/postgres/log": "ready to accept connections",
        "metrics of relief": "requests",
        "metrics of metrics-relief": "outbox_pending",
    }

    def refusals(self, case: Scenario) -> Iterator[dict[str, Any]]:
        """Applications that are refused, each with the family's names and numbers in it."""
        good = {
            "division": village_of(case.town, case.number)[0],
            "household": case.household,
        }
        first, second = case.household["members"]
        family = case.household
        yield {**good, "division": first["name"]}
        yield {**good, first["name"]: first["document_number"]}
        yield {**good, "materials": [first["name"], first["document_number"]]}
        for field, value in (
            ("document_number", first["document_number"][:-1] + "?"),
            ("document_number", f"{first['name']}{first['document_number']}"),
            ("name", first["document_number"] * 5),
            ("relation", first["name"]),
            ("phone", f"{PHONE}{first['name']}"),
            ("born", first["document_number"]),
            ("domicile", ADDRESS),
            ("incomes", [{"kind": first["name"], "amount": first["document_number"]}]),
        ):
            yield {**good, "household": {**family, "members": [{**first, field: value}, second]}}
        yield {**good, "household": {**family, "members": [first, first]}}
        yield {**good, "household": {**family, "address": ADDRESS * 60}}

    async def test_in_no_problem(self, counter: Counter, marks: set[str]) -> None:
        case = scenario(FIRST, 28)
        counter.at(case.starts)
        clerk = counter.caller(town_clerk(case.town, WINDOW))
        statuses = set()
        for asked in self.refusals(case):
            answer = await clerk.send(
                "POST",
                APPLICATIONS,
                content=json.dumps(asked, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json"},
            )
            statuses.add(answer.status_code)
        first = case.household["members"][0]
        for path in (first["document_number"], first["name"], f"cases?q={first['name']}"):
            await clerk.send("GET", f"/v1/relief/{path}")
        assert statuses == {422}
        assert len(counter.problems) > 10
        spelt = set(spellings(marks))
        for problem in counter.problems:
            assert leaks(spelt, problem) == []

    async def test_in_no_event_no_log_no_metric_and_no_column(
        self, house: House, marks: set[str]
    ) -> None:
        await until_settled(house.folder)
        spelt = set(spellings(marks))
        places, untold = set(), dict(self.TOLD)
        async with aclosing(traces(house)) as told:
            async for place, said in told:
                found = leaks(spelt, said)
                assert not found, f"{place} has {len(found)} of them"
                places.add(place)
                if place in untold and untold[place] in said:
                    del untold[place]
        assert len(places) > 150
        assert untold == {}, "not everything was looked at"

    async def test_the_published_list_alone_names_who_is_paid(
        self, house: House, marks: set[str]
    ) -> None:
        """57号 art. 24; and the marks above are the names that the house knows."""
        async with counter_of(house) as counter:
            clerk = counter.caller(town_clerk(towns()[FIRST], TOWN_ROLES[0]))
            answer = await clerk.get(
                PUBLISHED,
                {"division": towns()[FIRST].code_on(date(2026, 11, 24)), "limit": "200"},
            )
        named = {one["applicant"] for one in answer.json()["items"]}
        assert len(named) > 3
        assert named <= marks
