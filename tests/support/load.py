"""A steady, bounded load on a whole house, which remembers what it was answered.

A request without an answer (or told to come back) may have been done or not, but whole: it is asked
again under its key until it is answered, and has then been done once.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx

from chassis.ids import new_id
from suite.demo.cases import Scenario
from suite.demo.clerks import BUREAU_HEAD, WINDOW, bureau_clerk, town_clerk
from suite.demo.district import towns
from suite.demo.people import village_of
from suite.demo.windows import APPLICATIONS, course
from tests.support.counter import Counter, household, scenario
from tests.support.house import House

FACILITIES = "/v1/eldercare/facilities"
DISTRICT, VILLAGE = "yubei-bureau", "500112141000"
COME_AGAIN = frozenset({429, 503, 504})
PAUSE, PATIENCE, ANSWER_WITHIN = 0.4, 150.0, 40.0
MOST_WAITING = 30
MOST_APPLICATIONS = 30
"""Families are not made in the course of a load: the district has so many numbers to give."""
UNCHANGED = date(2020, 12, 31), "6700"
"""A figure that nothing of the load touches: beds in use, long ago."""
DECIDED_FROM = date(2026, 8, 3)


@dataclass
class Write:
    """One POST under a key of its own, and what became of it."""

    kind: str
    who: str
    path: str
    body: dict[str, Any]
    etag: str = ""
    key: str = field(default_factory=lambda: f"load-{new_id().hex}")
    answer: dict[str, Any] | None = None

    @property
    def headers(self) -> dict[str, str]:
        match = {"If-Match": self.etag} if self.etag else {}
        return {"Idempotency-Key": self.key, "Content-Type": "application/json", **match}


def fresh_households() -> Iterator[tuple[int, int]]:
    """(town, number) of families that nobody else in the tests' houses brings to a window."""
    left = [number for number, town in enumerate(towns()) if town.left_on is None]
    for number in range(40):
        for town in left:
            if town not in {0, 11}:
                yield town, number


@dataclass
class Load:
    """Writers and readers at the gateway; `wrong` is what nobody should ever be told."""

    house: House
    counter: Counter
    http: httpx.AsyncClient
    secrets: dict[str, str]
    families: Iterator[tuple[int, int]]
    writes: list[Write] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reads: int = 0
    turned_away: int = 0
    ready: list[Scenario] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)
    _changing: set[str] = field(default_factory=set)

    # --- writers -------------------------------------------------------------------------------

    async def prepare(self, count: int) -> None:
        """So many applications that wait for nothing but their decision."""
        cases = []
        for _ in range(count):
            town, number = next(self.families)
            cases.append(scenario(town, number, starts=DECIDED_FROM))
        if not cases:
            return
        for day, step in course(cases[0], date.max):
            self.counter.at(day)
            if step == "decide":
                break
            if step == "close_check":
                for case in cases:
                    await self.counter.answered(self.counter.id_of(case))
            await self.counter.live(day, [(case, step) for case in cases])
        self.ready += cases

    async def register(self) -> None:
        name = f"负载站点{new_id().hex}"
        beds = {"total": 3, "nursing": 0, "in_use": 3}
        body = {
            "name": name,
            "kind": "community_station",
            "division": VILLAGE,
            "address": "古路镇",
            "operator": {"name": "社区", "kind": "private_nonprofit"},
            "beds": beds,
            "functions": ["day_care"],
            "opened_on": "2025-12-04",
            "document": name,
        }
        await self._write(Write("register", DISTRICT, FACILITIES, body))

    async def change(self) -> None:
        """The beds of a facility whose last write was answered."""
        last: dict[str, Write] = {}
        for one in self.writes:
            if one.kind in {"register", "change"} and one.answer is not None:
                last[one.answer["id"]] = one
        free = [id_ for id_ in last if id_ not in self._changing]
        if not free:
            return
        id_ = random.choice(free)  # noqa: S311 - whichever
        beds = 1 + len(self.writes) % 7
        body = {
            "change": "beds",
            "valid_from": date(2025, 12, 5).isoformat(),
            "document": f"负载变更{new_id().hex}",
            "beds": {"total": beds, "nursing": 0, "in_use": beds},
        }
        write = Write("change", DISTRICT, f"{FACILITIES}/{id_}/changes", body)
        write.etag = (last[id_].answer or {})["etag"]
        self._changing.add(id_)  # a facility is changed once: two of a day would be one too many
        await self._write(write)

    async def apply(self) -> None:
        if sum(one.kind == "apply" for one in self.writes) >= MOST_APPLICATIONS:
            return
        town, number = next(self.families)
        place = towns()[town]
        body = {
            "division": village_of(place, number)[0],
            "submit": True,
            "materials": ["application_form"],
            "household": household(town, number, wage="500.00"),
        }
        await self._write(Write("apply", town_clerk(place, WINDOW), APPLICATIONS, body))

    async def decide(self) -> None:
        if not self.ready:
            return
        case = self.ready.pop()
        path = f"{APPLICATIONS}/{self.counter.id_of(case)}/decide"
        body = {"outcome": "grant", "confirmed": True}
        etag = self.counter.etag_of(case)
        await self._write(Write("decide", bureau_clerk(BUREAU_HEAD), path, body, etag))

    async def _write(self, write: Write) -> None:
        self.writes.append(write)
        await self.ask_for(write)

    async def _again(self) -> bool:
        """Ask for one of those that wait, where there are many: whether that was so."""
        waiting = [one for one in self.writes if one.answer is None]
        if len(waiting) < MOST_WAITING:
            return False
        await self.ask_for(random.choice(waiting))  # noqa: S311 - whichever
        return True

    async def ask_for(self, write: Write) -> bool:
        """Ask once; whether it was answered."""
        content = json.dumps(write.body, ensure_ascii=False).encode()
        answer = await self._send(
            "POST", write.path, write.who, headers=write.headers, content=content
        )
        if answer is None:
            return False
        if not answer.is_success:
            self.wrong.append(f"{write.kind}: {answer.status_code} {answer.text}")
            return False
        write.answer = {**answer.json(), "etag": answer.headers.get("etag", "")}
        return True

    # --- readers -------------------------------------------------------------------------------

    async def read_one(self) -> None:
        """What was answered is there, and as it was told."""
        made = [one for one in self.writes if one.kind == "register" and one.answer]
        if not made:
            return
        one = random.choice(made)  # noqa: S311 - whichever
        told = await self._read(f"{FACILITIES}/{(one.answer or {})['id']}", DISTRICT)
        if told is not None and told["name"] != one.body["name"]:
            self.wrong.append(f"{told['name']} instead of {one.body['name']}")

    async def read_board(self) -> None:
        day, value = UNCHANGED
        told = await self._read(f"/v1/plan/indicators?as_of={day}", DISTRICT)
        if told is not None:
            shown = next(one["value"] for one in told["items"] if one["no"] == 14)
            if shown != value:
                self.wrong.append(f"indicator 14 is {shown} instead of {value}")

    async def _read(self, path: str, who: str) -> Any:
        answer = await self._send("GET", path, who)
        if answer is None:
            return None
        if not answer.is_success:
            self.wrong.append(f"GET {path}: {answer.status_code} {answer.text}")
            return None
        self.reads += 1
        return answer.json()

    # --- the door ------------------------------------------------------------------------------

    async def _send(self, method: str, path: str, who: str, **rest: Any) -> httpx.Response | None:
        """An answer, or None where there was none or it said to come again, as it should."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                token = self._tokens.get(who) or await self._token(who)
                if not token:
                    return None
                headers = {"Authorization": f"Bearer {token}", **rest.pop("headers", {})}
                url = self.house.gateway + path
                answer = await self.http.request(method, url, headers=headers, **rest)
        except (httpx.TransportError, TimeoutError):
            return None
        return None if self._comes_again(method, path, answer) else answer

    def _comes_again(self, method: str, path: str, answer: httpx.Response) -> bool:
        """Whether it is a well-formed "come again"; 504 is one too: the part is up but silent."""
        if answer.status_code not in COME_AGAIN:
            return False
        self.turned_away += 1
        problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        if not problem or not answer.headers.get("retry-after", "").isdigit():
            self.wrong.append(f"{method} {path}: {answer.status_code} {dict(answer.headers)}")
        return True

    async def _token(self, who: str) -> str:
        answer = await self.http.post(
            f"{self.house.gateway}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(who, self.secrets[who]),
        )
        if self._comes_again("POST", "/oauth2/token", answer):
            return ""
        if not answer.is_success:
            self.wrong.append(f"token: {answer.status_code} {answer.text}")
            return ""
        token: str = answer.json()["access_token"]
        self._tokens[who] = token
        return token

    # --- as a whole ----------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The load goes on meanwhile."""
        writing = self.register, self.change, self.apply, self.decide
        stopping = asyncio.Event()

        async def go_on(take: Callable[[], Awaitable[None]]) -> None:
            while not stopping.is_set():
                if take not in writing or not await self._again():
                    await take()
                await asyncio.sleep(PAUSE)

        async with asyncio.TaskGroup() as tasks:
            for take in (*writing, self.read_one, self.read_board):
                tasks.create_task(go_on(take))
            try:
                yield
            finally:
                stopping.set()

    async def answered(self, more: int, within: float = PATIENCE) -> None:
        """Wait until so many more writes have been answered."""
        goal = self.count_answered() + more
        deadline = time.monotonic() + within
        while self.count_answered() < goal:
            assert time.monotonic() < deadline, f"nobody answers; {self.wrong[:3]}"
            await asyncio.sleep(0.1)

    def count_answered(self) -> int:
        return sum(one.answer is not None for one in self.writes)

    async def ask_again(self) -> None:
        """Every write without an answer, under its own key, until it has one."""
        deadline = time.monotonic() + PATIENCE
        for write in self.writes:
            while write.answer is None and not await self.ask_for(write):
                assert time.monotonic() < deadline, f"{write.kind} is not answered; {self.wrong}"
                await asyncio.sleep(0.5)


@asynccontextmanager
async def load_on(house: House, counter: Counter, families: Iterator[tuple[int, int]]) -> Any:
    clients = house.clients + json.loads(house.folder.clerks.read_text())
    secrets = {one["client_id"]: one["client_secret"] for one in clients}
    async with httpx.AsyncClient(timeout=35) as http:
        yield Load(house, counter, http, secrets, families)
