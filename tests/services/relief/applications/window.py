"""A town's window and the bureau's desk: an application taken from step to step through the API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from casework import reckoning
from chassis.jobs import JobRunner
from services.relief.applications import rules, upkeep
from services.relief.applications.investigation import note_late
from services.relief.checks.jobs import CheckJobs
from tests.support.departments import OtherSide
from tests.support.jobs import run_due
from tests.support.services import DISTRICT, Running
from tests.support.standards import set_standards

TOWN, VILLAGE = "500112129000", "500112129001"  # 玉峰山镇，玉峰山社区
OTHER_TOWN, OTHER_VILLAGE = "500112142000", "500112142200"  # 石船镇
URL = "/v1/relief/applications"
SCOPES = (
    *(
        "relief:read",
        "relief:files",
        "relief:accept",
        "relief:check",
        "relief:survey",
        "relief:opine",
    ),
    *("relief:decide", "relief:reveal", "relief:standards"),
)
STANDARDS = (
    ("2020-01-01", "620", "496"),
    ("2021-09-01", "636", "515"),
    ("2022-09-01", "717", "581"),
    ("2023-09-01", "735", "600"),
    ("2024-09-01", "750", "610"),
    ("2025-07-01", "770", "630"),
)
CHECKS = "0123456789X"
NAMES = ("诸葛云帆", "诸葛青禾", "诸葛小满")


def number(born: str, sequence: int) -> str:
    """A citizen's number whose checksum holds."""
    body = f"500112{born.replace('-', '')}{sequence:03}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + CHECKS[(1 - total) % 11]


def member(ref: str, relation: str, born: str, sequence: int, **changes: Any) -> dict[str, Any]:
    return {
        "ref": ref,
        "relation": relation,
        "born": born,
        "name": NAMES[sequence % 3],
        "document_number": number(born, sequence),
        "truth_committed": True,
        "check_authorised": True,
        "authorisation": "核对授权书 2021 版",
        **changes,
    }


def applicant(wage: str = "300.00", sequence: int = 3, **changes: Any) -> dict[str, Any]:
    incomes = [{"kind": "wage", "amount": wage}] if wage else []
    return member("a", "self", "1970-05-01", sequence, incomes=incomes, **changes)


def body(*members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    household = {"address": "玉峰山镇梧桐路 7 号", "members": list(members or (applicant(),))}
    return {
        "division": VILLAGE,
        "materials": ["application_form"],
        "household": household | changes.pop("household", {}),
        **changes,
    }


@dataclass
class Case:
    """An application as last answered."""

    view: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.view["id"])

    @property
    def state(self) -> str:
        return str(self.view["state"])


@dataclass
class Window:
    relief: Running
    other: OtherSide
    jobs: CheckJobs = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = CheckJobs(self.relief.runtime, note_late)

    async def set_standards(
        self,
        division: str = DISTRICT,
        published: Sequence[tuple[str, str, str]] = STANDARDS,
    ) -> None:
        """As they were published, all known from the start."""
        await set_standards(self.relief, division, published)

    async def ask_two_sources(self) -> None:
        """A county that asks two sources alone: most tests are not about the sources."""
        answer = await self.relief.http.post(
            "/v1/relief/parameters",
            json={
                "key": "dibao.check.sources",
                "division": DISTRICT,
                "value": ["bank", "tax"],
                "valid_from": "2022-10-21",
                "source": "渝北民政〔2022〕30号",
            },
            headers=self.headers("setter", DISTRICT),
        )
        assert answer.status_code == 201, answer.text

    async def delegate(
        self,
        valid_from: str,
        *,
        basis: str = "bureau",
        division: str = TOWN,
        by: str = DISTRICT,
    ) -> None:
        """Let the town decide, as recorded on the first day of it."""
        today = self.today().isoformat()
        self.relief.at(valid_from)
        answer = await self.relief.http.post(
            "/v1/relief/authorities",
            json={
                "programme": "dibao",
                "division": division,
                "level": "town",
                "valid_from": valid_from,
                "basis": basis,
                "document": "渝北民政〔2021〕12号",
            },
            headers=self.headers("setter", by),
        )
        self.relief.at(today)
        assert answer.status_code == 201, answer.text

    def headers(
        self, who: str, division: str = TOWN, *, etag: str | None = None, key: str = ""
    ) -> dict[str, str]:
        found = self.relief.headers(*SCOPES, subject=who, divisions=[division])
        if etag is not None:
            found["If-Match"] = etag
        if key:
            found["Idempotency-Key"] = key
        return found

    async def open(self, asked: dict[str, Any] | None = None, **claims: Any) -> httpx.Response:
        return await self.relief.http.post(
            URL, json=asked or body(), headers=self.headers(claims.pop("who", "acceptor"), **claims)
        )

    async def opened(self, asked: dict[str, Any] | None = None) -> Case:
        answer = await self.open(asked)
        assert answer.status_code == 201, answer.text
        return Case(answer.json())

    async def step(
        self,
        case: Case,
        path: str,
        asked: dict[str, Any] | None = None,
        *,
        who: str = "acceptor",
        division: str = TOWN,
        etag: str | None = None,
    ) -> httpx.Response:
        """One step as asked, on the version last read unless told otherwise."""
        answer = await self.relief.http.post(
            f"{URL}/{case.id}/{path}",
            json=asked,
            headers=self.headers(who, division, etag=case.view["etag"] if etag is None else etag),
        )
        if answer.is_success:
            case.view = answer.json()
        return answer

    async def done(self, case: Case, path: str, asked: Any = None, **claims: Any) -> None:
        answer = await self.step(case, path, asked, **claims)
        assert answer.status_code == 200, f"{path}: {answer.text}"

    async def file(self, case: Case, **claims: Any) -> dict[str, Any]:
        answer = await self.relief.http.get(
            f"{URL}/{case.id}", headers=self.headers(claims.pop("who", "reader"), **claims)
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        case.view = found["case"]
        return found

    async def waiting(self, **claims: Any) -> dict[str, int]:
        """How many cases wait for a decider there, by process."""
        headers = self.headers("decider", **claims)
        answer = await self.relief.http.get("/v1/relief/todo?process=审核确认", headers=headers)
        assert answer.status_code == 200, answer.text
        found = {one["process"]: one["count"] for one in answer.json()["processes"]}
        assert len(answer.json()["items"]["items"]) == found.get("审核确认", 0)
        return {name: count for name, count in found.items() if name == "审核确认"}

    async def barred(self, case: Case, step: str, **claims: Any) -> str | None:
        """Why somebody who decides there may not take a step; None where he may."""
        answer = await self.relief.http.get(
            f"/v1/relief/cases/{case.id}", headers=self.headers("decider", **claims)
        )
        assert answer.status_code == 200, answer.text
        (found,) = [one for one in answer.json()["actions"] if one["name"] == step]
        barred: str | None = found["barred"]
        return barred

    async def day_begins(self) -> None:
        """The daily job."""
        runtime = self.relief.runtime
        handlers = {reckoning.KIND: reckoning.daily(upkeep.part(runtime))}
        runner = JobRunner(
            runtime.database, handlers, runtime.places.everywhere, daily=(reckoning.KIND,)
        )
        await runner.plan_days()
        await run_due(self.relief, runner)

    async def run_jobs(self) -> None:
        runtime = self.relief.runtime
        runner = JobRunner(runtime.database, self.jobs.handlers, runtime.places.everywhere)
        await run_due(self.relief, runner)

    async def accepted(self, asked: dict[str, Any] | None = None, *, area: str = "urban") -> Case:
        case = await self.opened(asked)
        await self.done(case, "accept", {"area": area, "area_reason": "户籍在社区"})
        return case

    async def checked(self, asked: dict[str, Any] | None = None, **claims: Any) -> Case:
        """Up to the end of the check, whether it stands against the household or not."""
        case = await self.accepted(asked, **claims)
        await self.check(case)
        return case

    async def check(self, case: Case) -> None:
        if case.state != "checking":
            await self.done(case, "check", who="checker", division=DISTRICT)
        await self.run_jobs()
        await self.done(case, "check-closed", who="checker", division=DISTRICT)

    async def surveyed(self, asked: dict[str, Any] | None = None, **claims: Any) -> Case:
        case = await self.checked(asked, **claims)
        await self.survey(case)
        return case

    async def survey(self, case: Case, **changes: Any) -> None:
        await self.done(case, "survey", await self.visit(case, **changes), who="surveyor-1")
        await self.done(case, "survey/sign", who="surveyor-2")

    async def visit(self, case: Case, **changes: Any) -> dict[str, Any]:
        """A survey as it is recorded, signed by the applicant."""
        found = await self.file(case)
        return {
            "visited_on": self.today().isoformat(),
            "methods": ["household_visit", "neighbours"],
            "surveyors": ["surveyor-1", "surveyor-2"],
            "household_signature": "signed",
            "signed_by": found["household"]["members"][0]["id"],
            "findings": "家中陈设简单，与申报一致",
            **changes,
        }

    async def opined(
        self, asked: dict[str, Any] | None = None, *, outcome: str = "grant", **claims: Any
    ) -> Case:
        case = await self.surveyed(asked, **claims)
        await self.done(case, "opinion", opinion(outcome), who="opiner")
        return case

    async def publicised(self, asked: dict[str, Any] | None = None, **claims: Any) -> Case:
        case = await self.opined(asked, **claims)
        await self.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
        return case

    async def awaiting(self, asked: dict[str, Any] | None = None, **claims: Any) -> Case:
        case = await self.publicised(asked, **claims)
        self.later(8)
        await self.done(case, "publicity-closed", who="opiner")
        return case

    async def granted(self, asked: dict[str, Any] | None = None, **claims: Any) -> Case:
        case = await self.awaiting(asked, **claims)
        await self.done(case, "decide", decision("grant"), who="decider", division=DISTRICT)
        return case

    async def refused(self, asked: dict[str, Any] | None = None) -> Case:
        """Somebody who earns too much; posted like everybody else."""
        case = await self.checked(asked or body(applicant("3000.00")))
        assert case.state == "disqualified"
        await self.done(case, "opinion", opinion("refuse"), who="opiner")
        await self.sent_on(case)
        await self.done(case, "decide", decision("refuse"), who="decider", division=DISTRICT)
        return case

    async def sent_on(self, case: Case) -> None:
        """Posted for its days and forwarded."""
        await self.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
        self.later(8)
        await self.done(case, "publicity-closed", who="opiner")

    async def set_parameter(self, key: str, value: Any) -> None:
        """From today on, by the county."""
        asked = {
            "key": key,
            "division": DISTRICT,
            "value": value,
            "valid_from": self.today().isoformat(),
            "source": "渝北民政〔2025〕3号",
        }
        answer = await self.relief.http.post(
            "/v1/relief/parameters", json=asked, headers=self.headers("setter", DISTRICT)
        )
        assert answer.status_code == 201, answer.text

    async def history(self, case: Case, **claims: Any) -> list[dict[str, Any]]:
        answer = await self.relief.http.get(
            f"/v1/relief/cases/{case.id}/history", headers=self.headers("reader", **claims)
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def today(self) -> date:
        return self.relief.runtime.clock.today()

    def later(self, days: int) -> None:
        self.relief.at((self.today() + timedelta(days=days)).isoformat())

    async def documents(self, case: Case) -> list[dict[str, Any]]:
        """The papers of a case with their snapshots."""
        headers = self.headers("reader")
        url = f"/v1/relief/cases/{case.id}/documents"
        listed = (await self.relief.http.get(url, headers=headers)).json()["items"]
        return [
            (await self.relief.http.get(f"{url}/{one['id']}", headers=headers)).json()
            for one in listed
        ]

    async def page(self, case: Case, kind: str) -> str:
        """The last paper of a kind, as it prints."""
        (*_, last) = [one for one in await self.documents(case) if one["kind"] == kind]
        answer = await self.relief.http.get(
            f"/v1/relief/cases/{case.id}/documents/{last['id']}/page",
            headers=self.headers("reader"),
        )
        assert answer.status_code == 200, answer.text
        return answer.text

    async def events(self, case: Case) -> list[str]:
        """The verbs of what was published of a case, in order."""
        rows = await self.relief.rows(
            "SELECT type FROM chassis.outbox WHERE key = $1 ORDER BY sequence", case.id
        )
        return [row["type"].split(".")[-2] for row in rows]


def opinion(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "statement": "经调查核实，提出本意见"}


def decision(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "confirmed": True}


def kind_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("urn:minzheng:problem:")


async def objected(window: Window, handled_by: str) -> tuple[Case, str]:
    """A case to whose opinion somebody objects two days after it was posted."""
    case = await window.publicised()
    window.later(2)
    asked = {"objector": "慕容秋水", "content": "其子每月汇款", "handled_by": handled_by}
    await window.done(case, "objections", asked, who="opiner")
    (objection,) = (await window.file(case))["objections"]
    assert objection["objector"] == "慕容秋水"
    return case, objection["id"]


def appraised(window: Window, anew: dict[str, Any] | None = None, **record: Any) -> dict[str, Any]:
    """What an appraisal of today found, with the opinion given anew."""
    held = {"held_on": window.today().isoformat(), "participants": 9, "outcome": "多数认为属实"}
    return {
        "handled_by": "appraisal",
        "finding": "评议 9 人，均认为困难属实",
        "upheld": False,
        "opinion": anew,
        "appraisal": held | record,
    }


STATES = tuple(state.code for state in rules.STATES)
