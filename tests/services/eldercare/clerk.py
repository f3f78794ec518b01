"""What clerks do with facilities, and what the outbox and the tables then hold."""

import json
from typing import Any

import httpx

from tests.support.services import DISTRICT, Running

URL = "/v1/eldercare/facilities"
READ, WRITE = "eldercare:read", "eldercare:write"
LIANGLU = "500112016000"  # 两路街道
SHIHE = "500112142000"  # 石船镇
LUOQI = "500112144000"  # 洛碛镇


def home(**changes: object) -> dict[str, object]:
    """A registration: opened on 2021-01-01 with 30 beds."""
    return {
        "name": "石船镇敬老院",
        "kind": "rural_home",
        "division": SHIHE,
        "address": "石船镇中心街 1 号",
        "operator": {"name": "石船镇人民政府", "kind": "government"},
        "beds": beds(30),
        "functions": ["day_care", "full_care"],
        "opened_on": "2021-01-01",
        "document": "渝北民政〔2021〕1号",
        **changes,
    }


def beds(total: int, nursing: int = 10) -> dict[str, int]:
    return {"total": total, "nursing": nursing, "in_use": total}


def changed(change: str, day: str, **values: object) -> dict[str, object]:
    return {"change": change, "valid_from": day, "document": "渝北民政〔2021〕9号", **values}


class Clerk:
    """A holder of both scopes, in the divisions given."""

    def __init__(
        self, running: Running, *divisions: str, scopes: tuple[str, ...] = (READ, WRITE)
    ) -> None:
        self.running = running
        self.headers = running.headers(*scopes, divisions=list(divisions) or [DISTRICT])

    async def get(self, path: str = "", **query: object) -> httpx.Response:
        return await self.running.http.get(
            f"{URL}{path}",
            params=query,
            headers=self.headers,  # type: ignore[arg-type]
        )

    async def post(
        self, path: str, body: object, *, etag: str | None = None, key: str | None = None
    ) -> httpx.Response:
        headers = dict(self.headers)
        if etag is not None:
            headers["If-Match"] = etag
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.running.http.post(f"{URL}{path}", json=body, headers=headers)

    async def register(self, **changes: object) -> str:
        answer = await self.post("", home(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def try_change(self, facility: str, body: dict[str, object]) -> httpx.Response:
        """Change what was just read."""
        etag = (await self.get(f"/{facility}")).headers["etag"]
        return await self.post(f"/{facility}/changes", body, etag=etag)

    async def change(self, facility: str, change: str, day: str, **values: object) -> None:
        answer = await self.try_change(facility, changed(change, day, **values))
        assert answer.status_code == 201, answer.text

    async def facts(self, facility: str, series: str, **query: object) -> list[dict[str, Any]]:
        answer = await self.get(f"/{facility}/timeline", **query)
        return [one for one in answer.json()["facts"] if one["series"] == series]

    async def correct(
        self, facility: str, fact: str, replacement: dict[str, object] | None
    ) -> httpx.Response:
        etag = (await self.get(f"/{facility}")).headers["etag"]
        return await self.post(
            f"/{facility}/facts/{fact}/corrections",
            {"reason": "录入有误", "replacement": replacement},
            etag=etag,
        )

    async def send(self, content: bytes, *, key: str | None = None) -> httpx.Response:
        """Send a workbook for back-entry."""
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return await self.running.http.post(f"{URL}/import", content=content, headers=headers)


async def events(running: Running) -> list[dict[str, Any]]:
    rows = await running.rows("SELECT body FROM chassis.outbox ORDER BY seq")
    return [json.loads(row["body"]) for row in rows]


def steps(event: dict[str, Any]) -> list[tuple[object, ...]]:
    """The periods of an event: from, beds, operator, open."""
    return [
        (period["from"], period["beds"], period["operator"], period["open"])
        for period in event["data"]["periods"]
    ]
