"""The demonstration's windows in a running house: cases and days of a test's own choosing."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import httpx

from chassis.clock import SHANGHAI, drive
from suite import catalogue
from suite.demo.caller import Caller
from suite.demo.cases import Ending, Later, Scenario
from suite.demo.clerks import SURVEYOR, Role
from suite.demo.district import towns
from suite.demo.people import person
from suite.demo.windows import APPLICATIONS, Windows, course
from suite.settled import until_settled
from tests.support.house import House

PHONE, ADDRESS = "13900001234", "双龙大道柜台路8号"
PATIENCE, LOOK = 90.0, 0.1
BEFORE_LIGHT = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What looking into a database meets that is just coming up again."""


def household(town: int, number: int, *, wage: str, **more: Any) -> dict[str, Any]:
    """A couple of whom one works; the numbers of a town from twenty on are nobody's."""

    def member(place: int, relation: str, born: int, **told: Any) -> dict[str, Any]:
        return {
            **person(town, number, place, born, female=place % 2 == 1),
            "ref": f"m{place}",
            "relation": relation,
            "phone": PHONE,
            "truth_committed": True,
            "check_authorised": True,
            "authorisation": "核对授权书",
            **told,
        }

    earned = [{"kind": "wage", "amount": wage, "months": 1}]
    members = [member(0, "self", 1_976, employed=True, incomes=earned), member(1, "spouse", 1_979)]
    return {"address": ADDRESS, "members": members, "properties": [], **more}


def scenario(
    town: int,
    number: int,
    ending: Ending = Ending.GRANTED,
    *,
    starts: date = date(2026, 8, 3),
    later: Later = Later.KEPT,
    near_relative: bool = False,
    **more: Any,
) -> Scenario:
    """A case of a town (by its place in the district) beside the demonstration's twenty."""
    wage = "3000.00" if ending is Ending.REFUSED else "500.00"
    asked = household(town, number, wage=wage, **more)
    where = number, towns()[town], town
    return Scenario(*where, starts, ending, asked, later=later, near_relative=near_relative)


@dataclass
class Counter(Windows):
    """Takes cases along their ways, the clock driven from day to day; keeps every refusal."""

    house: House = field(kw_only=True)
    stand_ins: dict[Role, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _taken: dict[tuple[int, int], int] = field(default_factory=dict)

    async def walk(
        self,
        scenario: Scenario,
        *,
        until: str = "",
        before: Callable[[str], Awaitable[None]] | None = None,
    ) -> str:
        """Take the case's next steps, to `until` or to its end, each on its day; its id."""
        key = scenario.town_number, scenario.number
        for on, step in course(scenario, date.max)[self._taken.get(key, 0) :]:
            self.at(on)
            if before is not None:
                await before(step)
            if step == "close_check":
                await self.answered(self.id_of(scenario))
            await self.live(on, [(scenario, step)])
            self._taken[key] = self._taken.get(key, 0) + 1
            if step == until:
                break
        return self.id_of(scenario)

    def at(self, on: date, hour: int = 10) -> None:
        """Drive everybody's clock."""
        instant = datetime(on.year, on.month, on.day, hour, tzinfo=SHANGHAI)
        drive(self.house.folder.clock, instant.astimezone(UTC))

    async def answered(self, case: str) -> None:
        """Wait until no source is being asked about the case any more."""
        query = """SELECT count(*) FROM check_request r JOIN economic_check c ON c.id = r.check_id
        WHERE c.case_id = $1 AND r.status = 'asked'"""
        deadline = time.monotonic() + PATIENCE
        while (await self.looked(query, case))[0]["count"]:
            assert time.monotonic() < deadline, "the other departments have not answered"
            await asyncio.sleep(LOOK)

    async def looked(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """What stands in relief's database, which may be coming up again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(*BEFORE_LIGHT):
                return await self.house.rows("relief", query, *arguments)
            assert time.monotonic() < deadline, "the database does not come up"
            await asyncio.sleep(LOOK)

    async def five_minutes_pass(self) -> None:
        """End the leases of jobs whose process died, and the pauses of those that failed.

        They are counted by real time, which a driven clock does not move.
        """
        await self.looked(
            """UPDATE chassis.job SET lease_until = now()
            WHERE kind = 'relief.check' AND done_at IS NULL AND lease_until > now()"""
        )

    def id_of(self, scenario: Scenario) -> str:
        return self._cases[scenario.town_number, scenario.number].id

    def etag_of(self, scenario: Scenario) -> str:
        return self._cases[scenario.town_number, scenario.number].etag

    def clerk(self, scenario: Scenario, role: Role) -> Caller:
        """Whoever has a role for a case."""
        return self._by(self._cases[scenario.town_number, scenario.number], role)

    async def file(self, scenario: Scenario) -> dict[str, Any]:
        """The whole application as the town's surveyor reads it."""
        url = f"{APPLICATIONS}/{self.id_of(scenario)}"
        found: dict[str, Any] = (await self.clerk(scenario, SURVEYOR).get(url)).json()
        return found

    def newcomer(self, name: str, *scopes: str, divisions: tuple[str, ...]) -> str:
        """Somebody who is no clerk of the demonstration: the id of a new login."""
        made = self.house.minzheng(
            *("client", name, "--organisation", "测试单位"),
            *("--scope", " ".join(scopes), "--division", " ".join(divisions)),
        )
        assert made.returncode == 0, made.stderr
        self.secrets = {**self.secrets, name: made.stdout.strip()}
        return name

    def caller(self, name: str) -> Caller:
        return Caller(self.gateway, name, self.secrets[name], self.http)

    async def script(self, number: str, behaviour: str) -> None:
        """Have every source behave so for a document's number."""
        asked = {"source": "*", "number": number, "behaviour": behaviour}
        answer = await self.http.post(f"{self.departments}/-/script", json=asked)
        assert answer.status_code == 204, answer.text

    def _id(self, case: Any, role: Role) -> str:
        return self.stand_ins.get(role) or super()._id(case, role)


@asynccontextmanager
async def counter_of(house: House) -> AsyncIterator[Counter]:
    """The windows of a house; its clock is handed back to real time in the end."""
    problems: list[str] = []

    async def keep(answer: httpx.Response) -> None:
        if answer.is_error:
            problems.append((await answer.aread()).decode())

    secrets = {
        one["client_id"]: one["client_secret"]
        for one in json.loads(house.folder.clerks.read_text())
    }
    async with httpx.AsyncClient(timeout=60, event_hooks={"response": [keep]}) as http:
        try:
            yield Counter(
                *(house.endpoints["gateway"], house.endpoints[catalogue.DEPARTMENTS], secrets),
                *(http, _at_once),
                house=house,
                problems=problems,
            )
        finally:
            drive(house.folder.clock, None)


async def _at_once() -> None:
    """The counter waits for answers where it needs them."""


async def applied_for_and_refused(house: House, town: int, number: int) -> None:
    """A whole application and a refusal through the door, to an award that is counted once."""
    granted = scenario(town, number)
    refused = scenario(town, number + 1, Ending.REFUSED)
    paid_from = date(2026, 9, 1)  # decided in August; 民发〔2021〕57号第二十三条: from next month

    def beside() -> dict[str, Decimal]:
        asked = {"as_of": paid_from.isoformat(), "division": towns()[town].code_on(paid_from)}
        items = house.get("/v1/plan/beside", **asked)["items"]
        return {one["code"]: Decimal(one["value"] or 0) for one in items}

    before = beside()
    async with counter_of(house) as counter:
        for one in (granted, refused):
            await counter.walk(one)
        await until_settled(house.folder)
        told = await counter.file(granted)
        assert told["case"]["state"] == "closed"
        assert told["decision"]["outcome"] == "grant"
        award = (
            await counter.clerk(granted, SURVEYOR).get(
                f"/v1/relief/awards/{told['decision']['award']}",
                {"as_of": paid_from.isoformat()},
            )
        ).json()
        assert (award["paid_from"], award["state"], award["persons"]) == ("2026-09-01", "paid", 2)
        after = beside()
        assert {code: after[code] - before[code] for code in after} == {
            "relief_households": 1,
            "relief_persons": 2,
            "relief_amount": Decimal(award["amount"]) + Decimal(award["extras"]),
        }
        told = await counter.file(refused)
        assert told["case"]["state"] == "closed"
        assert (told["decision"]["outcome"], told["decision"]["award"]) == ("refuse", None)
        assert [one["kind"] for one in told["documents"]].count("refusal") == 1
        failed = [
            one for one in told["decision"]["assessment"]["conditions"] if one["passed"] is False
        ]
        assert failed
        for one in failed:  # 57号 art. 21: the figure used, its threshold, the article, a way out
            assert all(one[part] for part in ("fact", "threshold", "article", "remedy")), one
    awards = await house.rows(
        "relief",
        "SELECT type FROM chassis.outbox WHERE topic = 'minzheng.relief.award' AND key = $1",
        award["id"],
    )
    assert [row["type"] for row in awards] == ["minzheng.relief.award.approved.v1"]
