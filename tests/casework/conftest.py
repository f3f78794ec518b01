import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import topics
from contracts.events.envelope import CloudEvent
from suite.postgres import Postgres
from tests.casework.toy_matter import SERVICE, SIDE, TOPIC, ToyCase
from tests.support.emptied import running_emptied
from tests.support.services import Databases, Running, fresh_databases

CLERK, DECIDER = "clerk-1", "decider-1"


@dataclass
class Permits:
    """The toy's cases over HTTP, as its clerks take them from step to step."""

    running: Running

    def headers(self, scopes: str = "read accept", **claims: object) -> dict[str, str]:
        return self.running.headers(*(f"toy:{one}" for one in scopes.split()), **claims)

    async def get(
        self, path: str, scopes: str = "read accept", /, *, query: Any = None, **claims: object
    ) -> httpx.Response:
        return await self.running.http.get(
            f"/v1/toy/{path}", params=query, headers=self.headers(scopes, **claims)
        )

    async def open(self, unit: int = SIDE) -> str:
        answer = await self.running.http.post(
            "/v1/toy/permits", json={"unit": unit}, headers=self.headers()
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def version(self, case: str) -> str:
        (row,) = await self.running.rows("SELECT version FROM case_file WHERE id = $1", case)
        return f'"{row["version"]}"'

    async def step(
        self, case: str, name: str, *, by: str = CLERK, scopes: str = "", **body: object
    ) -> httpx.Response:
        decides = name in {"decide", "return", "prolong"}
        held = scopes or ("read decide" if decides else "read accept")
        headers = self.headers(held, subject=by) | {"If-Match": await self.version(case)}
        return await self.running.http.post(
            f"/v1/toy/permits/{case}/{name}", json=body, headers=headers
        )

    async def steps(self, case: str, names: str) -> None:
        """Take steps that must be permitted, the decider's by the decider."""
        for name in names.split():
            by = DECIDER if name in {"decide", "return", "prolong"} else CLERK
            answer = await self.step(case, name, by=by)
            assert answer.status_code == 200, answer.text

    async def granted(self) -> str:
        """A case that was decided on the twelfth."""
        case = await self.open()
        await self.steps(case, "accept publicise")
        self.running.at("2025-03-12")
        await self.steps(case, "publicity_closed decide")
        return case

    async def row(self, case: str) -> Any:
        (row,) = await self.running.rows("SELECT * FROM case_file WHERE id = $1", case)
        return row

    async def events(self) -> list[CloudEvent]:
        rows = await self.running.rows("SELECT body FROM chassis.outbox ORDER BY seq")
        return [CloudEvent.read(row["body"]) for row in rows]

    async def audited(self) -> list[tuple[str, str]]:
        rows = await self.running.rows(
            "SELECT action, subject FROM chassis.audit_entry ORDER BY seq"
        )
        return [(row["action"], row["subject"]) for row in rows]


@pytest.fixture(scope="session")
def permit_databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, SERVICE))


@pytest.fixture
async def permits(
    postgres: Postgres,
    permit_databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Permits]:
    monkeypatch.setitem(topics.BY_DATA, ToyCase, TOPIC)
    monkeypatch.setitem(topics.BY_TYPE_PREFIX, (TOPIC.name, TOPIC.version), TOPIC)
    async with running_emptied(postgres, SERVICE, tmp_path, permit_databases) as running:
        yield Permits(running)
