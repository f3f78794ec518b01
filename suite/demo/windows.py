"""The demonstration's windows: each case goes its way by its town's clerks, day by day."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx

from suite.demo.caller import Caller, expect_success
from suite.demo.cases import Ending, Later, Scenario
from suite.demo.clerks import (
    BUREAU_HEAD,
    BUREAU_ROLES,
    BUREAU_SURVEYOR,
    CHECKER,
    SURVEYOR,
    TOWN_HEAD,
    WINDOW,
    Role,
    bureau_clerk,
    town_clerk,
)
from suite.demo.district import towns
from suite.demo.history import DELEGATED_ON
from suite.demo.people import village_of

APPLICATIONS = "/v1/relief/applications"
AT_ONCE = 8
DELEGATED_UNTIL = date(2026, 7, 1)
"""From then on a town decides by a municipal rule alone, and the demonstration has none (法44)."""
APPRAISED_UNTIL = date(2021, 7, 1)
"""Before it the community appraises every household before its opinion (条例(2016) art. 18)."""
TELEPHONE = "023-67212345"

_TO_SURVEY = ("bring", "accept", "check", "close_check", "survey", "sign")
_TO_PUBLICITY = (*_TO_SURVEY, "opine", "publicise")
_TO_DECISION = (*_TO_PUBLICITY, "close_publicity")
_ENDS = ("decide", "deliver", "close")
_ENDING = ("decide_change", "deliver_change")
STEPS: Mapping[Ending, tuple[str, ...]] = {
    Ending.GRANTED: (*_TO_DECISION, *_ENDS),
    Ending.REFUSED: (*_TO_DECISION, *_ENDS),
    Ending.CONTESTED: (
        *_TO_PUBLICITY,
        *("object", "survey", "sign", "find", "publicise", "close_publicity"),
        *_ENDS,
    ),
    Ending.WITHDRAWN: (*_TO_SURVEY, "withdraw"),
    Ending.TERMINATED: ("bring", "accept", "check", "close_check", "terminate"),
    Ending.DRAFT: ("draft",),
    Ending.SUBMITTED: ("bring",),
    Ending.CORRECTING: ("bring", "tell"),
    Ending.ACCEPTED: ("bring", "accept"),
    Ending.CHECKING: ("bring", "accept", "check"),
    Ending.CHECKED: ("bring", "accept", "check", "close_check"),
    Ending.SURVEYING: ("bring", "accept", "check", "close_check", "survey"),
    Ending.SURVEYED: _TO_SURVEY,
    Ending.OPINED: (*_TO_SURVEY, "opine"),
    Ending.PUBLICISED: _TO_PUBLICITY,
    Ending.OBJECTED: (*_TO_PUBLICITY, "object"),
    Ending.AWAITING: _TO_DECISION,
    Ending.DECIDED: (*_TO_DECISION, "decide"),
}
GAPS = {  # days that a step comes after the one before it
    "close_check": 1,
    "survey": 2,
    "opine": 1,
    "close_publicity": 10,
    "object": 3,
    "find": 1,
    "decide": 1,
    "deliver": 2,
    "withdraw": 1,
    "terminate": 4,
    "hear": 2,
    "decide_change": 1,
    "deliver_change": 1,
}


LATER: Mapping[Later, tuple[date, tuple[str, ...]]] = {
    Later.STOPPED: (date(2026, 10, 12), ("earn_more", "propose_stop", "hear", *_ENDING)),
    Later.GRACE: (date(2024, 5, 13), ("earn_more", "propose_grace", *_ENDING)),
    Later.DEATH: (date(2024, 6, 11), ("propose_death", *_ENDING)),
    Later.VOLUNTARY: (date(2025, 2, 17), ("propose_voluntary", *_ENDING)),
    Later.MOVED: (date(2026, 5, 18), ("propose_move", *_ENDING)),
    Later.RAISED: (date(2026, 6, 15), ("propose_raise", *_ENDING)),
    Later.REVIEWED: (date(2026, 8, 10), ("review",)),
}
"""When an award is changed, and by which steps; the last two come two days apart."""


def course(scenario: Scenario, today: date) -> list[tuple[date, str]]:
    """The days of a case's steps, none of them after today."""
    on, found = scenario.starts, []
    for step in STEPS[scenario.ending]:
        on = min(on + timedelta(days=GAPS.get(step, 0)), today)
        if step == "opine" and on < APPRAISED_UNTIL:
            found += [(on, "convene"), (on, "record_appraisal")]
        found.append((on, step))
    if scenario.later is not Later.KEPT:
        on, steps = LATER[scenario.later]
        for step in steps:
            on += timedelta(days=GAPS.get(step, 0))
            found.append((on, step))
    return [(day, step) for day, step in found if day <= today]


@dataclass(slots=True)
class _Case:
    scenario: Scenario
    id: str = ""
    etag: str = ""
    disqualified: bool = False
    award: str = ""
    change: str = ""
    change_etag: str = ""


@dataclass
class Windows:
    """All cases of all towns, and the clerks who take their steps."""

    gateway: str
    departments: str
    secrets: Mapping[str, str]
    http: httpx.AsyncClient
    until_answered: Callable[[], Awaitable[None]]
    _day: date = date.min
    _callers: dict[str, Caller] = field(default_factory=dict)
    _cases: dict[tuple[int, int], _Case] = field(default_factory=dict)

    async def live(self, day: date, due: Iterable[tuple[Scenario, str]]) -> None:
        """Take one day's steps: those of one case in order, of many cases at once.

        First the other departments answer what they were asked on the days before.
        """
        self._day = day
        await self.until_answered()
        by_case: dict[tuple[int, int], list[tuple[Scenario, str]]] = defaultdict(list)
        for scenario, step in due:
            by_case[scenario.town_number, scenario.number].append((scenario, step))
        limit = asyncio.Semaphore(AT_ONCE)

        async def walk(steps: list[tuple[Scenario, str]]) -> None:
            async with limit:
                for scenario, step in steps:
                    await self._step(scenario, step)

        async with asyncio.TaskGroup() as tasks:
            for steps in by_case.values():
                tasks.create_task(walk(steps))

    async def _step(self, scenario: Scenario, step: str) -> None:
        case = self._cases.setdefault((scenario.town_number, scenario.number), _Case(scenario))
        take: Callable[[_Case], Any] = getattr(self, f"_{step}")
        await take(case)

    async def _draft(self, case: _Case) -> None:
        await self._open(case, submit=False)

    async def _bring(self, case: _Case) -> None:
        for scripted in case.scenario.scripted:
            url = f"{self.departments}/-/script"
            expect_success(await self.http.post(url, json=scripted))
        await self._open(case, submit=True)

    async def _open(self, case: _Case, *, submit: bool) -> None:
        scenario = case.scenario
        asked = {
            "division": village_of(scenario.town, scenario.number)[0],
            "submit": submit,
            "materials": ["application_form"],
            "household": scenario.household,
        }
        answer = await self._by(case, WINDOW).post(APPLICATIONS, asked)
        case.id, case.etag = answer.json()["id"], answer.headers["etag"]

    async def _tell(self, case: _Case) -> None:
        await self._take(case, WINDOW, "correction-list", {"materials": []})

    async def _accept(self, case: _Case) -> None:
        scenario = case.scenario
        area = "rural" if scenario.rural else "urban"
        reason = "户籍在村" if scenario.rural else "户籍在社区"
        await self._take(case, WINDOW, "accept", {"area": area, "area_reason": reason})
        if scenario.near_relative:
            found = await self._read(case)
            relative = {
                "member": found["household"]["members"][0]["id"],
                "of": "village_committee",
                "relation": "表兄弟",
                "organisation": f"{village_of(scenario.town, scenario.number)[1]}委员会",
            }
            await self._take(case, WINDOW, "near-relatives", {"relatives": [relative]})

    async def _check(self, case: _Case) -> None:
        await self._take(case, CHECKER, "check")

    async def _close_check(self, case: _Case) -> None:
        await self._take(case, CHECKER, "check-closed")

    async def _survey(self, case: _Case) -> None:
        """By two of the town; who is told of a disqualification is not surveyed."""
        if not case.disqualified:
            await self._visit(case, await self._read(case), SURVEYOR, WINDOW)

    async def _visit(self, case: _Case, found: dict[str, Any], first: Role, second: Role) -> None:
        visit = {
            "visited_on": self._day.isoformat(),
            "methods": ["household_visit", "neighbours"],
            "surveyors": [self._id(case, first), self._id(case, second)],
            "household_signature": "signed",
            "signed_by": found["household"]["members"][0]["id"],
            "findings": "家中陈设简单，生活来源与申报一致，邻里无异议。",
        }
        await self._take(case, first, "survey", visit)

    async def _sign(self, case: _Case) -> None:
        if case.disqualified:
            return
        await self._take(case, WINDOW, "survey/sign")

    async def _convene(self, case: _Case) -> None:
        await self._take(case, SURVEYOR, "appraisal", {"held_on": self._day.isoformat()})

    async def _record_appraisal(self, case: _Case) -> None:
        held = {
            "held_on": self._day.isoformat(),
            "participants": 11,
            "outcome": "多数村（居）民代表认为其生活困难属实。",
            "disputed": False,
        }
        await self._take(case, SURVEYOR, "appraisal-record", held)

    async def _opine(self, case: _Case) -> None:
        await self._take(case, SURVEYOR, "opinion", self._opinion(case))

    def _opinion(self, case: _Case) -> dict[str, Any]:
        if case.scenario.ending is Ending.REFUSED:
            return {"outcome": "refuse", "statement": "经核对，不符合最低生活保障条件。"}
        return {"outcome": "grant", "statement": "经调查核实，符合最低生活保障条件。"}

    async def _publicise(self, case: _Case) -> None:
        await self._take(case, SURVEYOR, "publicise", {"telephone": TELEPHONE})

    async def _object(self, case: _Case) -> None:
        objection = {
            "objector": "村民代表",
            "content": "反映该户成员近期外出务工，收入可能有变化。",
            "handled_by": "resurvey",
        }
        await self._take(case, SURVEYOR, "objections", objection)

    async def _find(self, case: _Case) -> None:
        """By the other of the two, not by whoever gave the contested opinion."""
        objection = (await self._read(case))["objections"][-1]
        finding = {
            "handled_by": "resurvey",
            "finding": "重新入户并走访用工单位，收入与申报一致。",
            "upheld": False,
            "opinion": self._opinion(case),
        }
        await self._take(case, WINDOW, f"objections/{objection['id']}/finding", finding)

    async def _close_publicity(self, case: _Case) -> None:
        await self._take(case, SURVEYOR, "publicity-closed")

    async def _decide(self, case: _Case) -> None:
        """By the town where the power has been handed down and holds, else by the bureau."""
        if case.scenario.near_relative:
            await self._visit(case, await self._read(case), BUREAU_SURVEYOR, CHECKER)
            await self._take(case, CHECKER, "survey/sign")
        outcome = "refuse" if case.scenario.ending is Ending.REFUSED else "grant"
        decider = TOWN_HEAD if self._by_town(case) else BUREAU_HEAD
        await self._take(case, decider, "decide", {"outcome": outcome, "confirmed": True})

    async def _deliver(self, case: _Case) -> None:
        delivery = {"how": "in_person", "on": self._day.isoformat(), "received_by": "申请人本人"}
        await self._take(case, WINDOW, "deliver", delivery)

    async def _close(self, case: _Case) -> None:
        await self._take(case, WINDOW, "close")

    async def _withdraw(self, case: _Case) -> None:
        await self._take(case, WINDOW, "withdraw", {"reason": "已找到稳定工作"})

    async def _terminate(self, case: _Case) -> None:
        ending = {"ground": "uncooperative", "reason": "多次联系均拒绝配合入户调查"}
        await self._take(case, WINDOW, "terminate", ending)

    async def _earn_more(self, case: _Case) -> None:
        """The first member who works earns three thousand from the month before on."""
        household = (await self._read(case))["household"]
        path = f"/v1/relief/households/{household['id']}"
        etag = (await self._by(case, WINDOW).get(path)).headers["etag"]
        fact = {
            "fact": "income",
            "member": household["members"][0]["id"],
            "kind": "wage",
            "amount": "3000.00",
            "first_month": self._month_before().isoformat(),
        }
        await self._by(case, WINDOW).post(f"{path}/facts", fact, etag=etag, once=True)

    def _month_before(self) -> date:
        return (self._day.replace(day=1) - timedelta(days=1)).replace(day=1)

    async def _propose_stop(self, case: _Case) -> None:
        await self._propose(case, SURVEYOR, {"kind": "stop", "reason": "家庭收入增加，超过标准"})

    async def _propose_grace(self, case: _Case) -> None:
        person = (await self._award(case))["persons_known"][0]["person"]
        employed = {"person": person, "employed_on": self._month_before().isoformat()}
        asked = {"kind": "grace", "reason": "成员就业，家庭收入超过标准", **employed}
        await self._propose(case, SURVEYOR, asked)

    async def _propose_death(self, case: _Case) -> None:
        on = (self._day - timedelta(days=3)).isoformat()
        household = (await self._read(case))["household"]
        path = f"/v1/relief/households/{household['id']}"
        window = self._by(case, WINDOW)
        leave = f"{path}/members/{household['members'][0]['id']}/leave"
        etag = (await window.get(path)).headers["etag"]
        await window.post(leave, {"left_on": on, "reason": "death"}, etag=etag, once=True)
        died = {
            "person": (await self._award(case))["persons_known"][0]["person"],
            "died_on": on,
        }
        await self._propose(case, SURVEYOR, {"kind": "death", "reason": "成员死亡", **died})

    async def _propose_voluntary(self, case: _Case) -> None:
        asked = {
            "kind": "voluntary",
            "reason": "子女已能赡养",
            "requested_on": self._day.isoformat(),
            "document": "退出低保申请书",
        }
        await self._propose(case, SURVEYOR, asked)

    async def _propose_move(self, case: _Case) -> None:
        """To the next town of the district, by the bureau's two."""
        goal = village_of(towns()[case.scenario.town_number + 1], case.scenario.number)[0]
        asked = {
            "kind": "move",
            "reason": "全家迁居",
            "division": goal,
            "moved_on": self._day.isoformat(),
        }
        await self._propose(case, BUREAU_SURVEYOR, asked)

    async def _propose_raise(self, case: _Case) -> None:
        asked = {"kind": "standard_changed", "reason": "低保标准调整，按新标准重新核定"}
        await self._propose(case, SURVEYOR, asked)

    async def _review(self, case: _Case) -> None:
        await self._award(case)
        url, surveyor = f"/v1/relief/awards/{case.award}", self._by(case, SURVEYOR)
        etag = (await surveyor.get(url)).headers["etag"]
        seen = {"reviewed_on": self._day.isoformat(), "note": "入户核查，家庭情况没有变化。"}
        await surveyor.post(f"{url}/reviews", seen, etag=etag, once=True)

    async def _award(self, case: _Case) -> dict[str, Any]:
        if not case.award:
            case.award = (await self._read(case))["decision"]["award"]
        answer = await self._by(case, BUREAU_SURVEYOR).get(f"/v1/relief/awards/{case.award}")
        found: dict[str, Any] = answer.json()
        return found

    async def _propose(self, case: _Case, role: Role, asked: dict[str, Any]) -> None:
        await self._award(case)
        url = f"/v1/relief/awards/{case.award}/changes"
        answer = await self._by(case, role).post(url, asked)
        case.change, case.change_etag = answer.json()["id"], answer.headers["etag"]

    async def _hear(self, case: _Case) -> None:
        asked = {
            "notified_on": (self._day - timedelta(days=1)).isoformat(),
            "heard_on": self._day.isoformat(),
            "method": "in_person",
            "person": (await self._award(case))["persons_known"][0]["person"],
            "statement": "知晓收入已超过标准，没有不同意见。",
        }
        await self._change(case, SURVEYOR, "hearing", asked)

    async def _decide_change(self, case: _Case) -> None:
        moves = case.scenario.later is Later.MOVED
        by_town = self._by_town(case) and not moves
        await self._change(case, TOWN_HEAD if by_town else BUREAU_HEAD, "decide", {})

    async def _deliver_change(self, case: _Case) -> None:
        delivery = {"how": "in_person", "on": self._day.isoformat(), "received_by": "户主本人"}
        role = BUREAU_SURVEYOR if case.scenario.later is Later.MOVED else SURVEYOR
        await self._change(case, role, "deliver", delivery)

    async def _change(self, case: _Case, role: Role, path: str, asked: dict[str, Any]) -> None:
        url = f"/v1/relief/award-changes/{case.change}/{path}"
        answer = await self._by(case, role).post(url, asked, etag=case.change_etag)
        case.change_etag = answer.headers["etag"]

    def _by_town(self, case: _Case) -> bool:
        return DELEGATED_ON <= self._day < DELEGATED_UNTIL and case.scenario.delegated

    async def _take(
        self, case: _Case, role: Role, path: str, asked: dict[str, Any] | None = None
    ) -> None:
        url = f"{APPLICATIONS}/{case.id}/{path}"
        answer = await self._by(case, role).post(url, asked, etag=case.etag)
        case.etag = answer.headers["etag"]
        case.disqualified = answer.json()["state"] == "disqualified"

    async def _read(self, case: _Case) -> dict[str, Any]:
        """The whole application, but not its version: a step goes on from the step before it.

        So a history that is lived again asks what it asked, under the same keys. The bureau reads
        it, to which it is open when it has moved to another town.
        """
        answer = await self._by(case, BUREAU_SURVEYOR).get(f"{APPLICATIONS}/{case.id}")
        found: dict[str, Any] = answer.json()
        return found

    def _id(self, case: _Case, role: Role) -> str:
        return clerk_id(case.scenario, role)

    def _by(self, case: _Case, role: Role) -> Caller:
        known = self._id(case, role)
        if known not in self._callers:
            self._callers[known] = Caller(self.gateway, known, self.secrets[known], self.http)
        return self._callers[known]


def clerk_id(scenario: Scenario, role: Role) -> str:
    return bureau_clerk(role) if role in BUREAU_ROLES else town_clerk(scenario.town, role)
