"""The owner of facilities and who counts their beds: two services on one bus, and a backup."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.bus import Message
from chassis.ids import new_id
from chassis.relay import HEADERS
from chassis.work import consumers_of, consumption
from services.eldercare.app import SERVICE as ELDERCARE
from services.indicator.app import SERVICE as INDICATOR
from suite.restore_one import copy_database
from suite.topic_copy import Part
from tests.support.services import Databases, Running, drain, looked_at

TOPIC = "minzheng.eldercare.facility"
OUTBOX = """SELECT key, sequence, type, published_at, body FROM chassis.outbox
WHERE topic = $1 ORDER BY seq"""
BEDS = """SELECT coalesce(sum(amount), 0) AS beds FROM projection.entry
WHERE measure = 'eldercare.beds'"""


@dataclass
class Two:
    """The owner of facilities, and who counts their beds, on one bus."""

    owner: Running
    reader: Running
    backup: Databases
    folder: Path

    @property
    def part(self) -> Part:
        return Part(ELDERCARE, self.owner.databases.owner, self.owner.bus)

    @property
    def reading(self) -> Part:
        return Part(INDICATOR, self.reader.databases.owner, self.owner.bus)

    async def register(self, beds: int) -> UUID:
        answer = await self.owner.http.post(
            "/v1/eldercare/facilities",
            json={
                "name": f"站点{new_id().hex[-6:]}",
                "kind": "community_station",
                "division": "500112141000",
                "address": "古路镇",
                "operator": {"name": "社区", "kind": "private_nonprofit"},
                "beds": {"total": 100, "nursing": 0, "in_use": beds},
                "functions": ["day_care"],
                "opened_on": "2025-02-04",
                "document": "测试",
            },
            headers=self.headers(),
        )
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def beds(self, facility: UUID, beds: int, day: str = "2025-03-01") -> None:
        path = f"/v1/eldercare/facilities/{facility}"
        now = await self.owner.http.get(path, headers=self.headers())
        answer = await self.owner.http.post(
            f"{path}/changes",
            json={
                "change": "beds",
                "valid_from": day,
                "beds": {"total": 100, "nursing": 0, "in_use": beds},
                "document": "测试",
            },
            headers=self.headers() | {"If-Match": now.headers["ETag"]},
        )
        assert answer.is_success, answer.text

    def headers(self) -> dict[str, str]:
        scopes = ("eldercare:read", "eldercare:write")
        return self.owner.headers(*scopes) | {"Idempotency-Key": new_id().hex}

    async def publish(self) -> None:
        """What is not published yet, and have it read."""
        await self.owner.relay()
        await self.read()

    async def read(self) -> None:
        for consumer in consumers_of(INDICATOR):
            await drain(consumption(self.reader.runtime, consumer), self.owner.bus)

    async def counted(self) -> int:
        return int((await self.reader.rows(BEDS))[0]["beds"])

    async def archive(self) -> dict[str, list[tuple[int, str]]]:
        """What each facility told: (sequence, verb), in the order of the outbox."""
        found: dict[str, list[tuple[int, str]]] = {}
        for row in await self.owner.rows(OUTBOX, TOPIC):
            told = (row["sequence"], row["type"].split(".")[-2])
            found.setdefault(row["key"], []).append(told)
        return found

    async def waits(self) -> int:
        """How many facilities' events are not published yet."""
        rows = await self.owner.rows(OUTBOX, TOPIC)
        return sum(row["published_at"] is None for row in rows)

    async def put_away(self) -> None:
        await self._copy(self.owner.databases.admin, self.backup.admin)

    async def put_back(self) -> None:
        await self._copy(self.backup.admin, self.owner.databases.admin)

    async def _copy(self, source: str, goal: str) -> None:
        await copy_database(source, goal, self.folder / "table")
        if goal == self.backup.admin:
            await looked_at(goal, "DELETE FROM chassis.relay_hold")

    async def forge(self, body: dict[str, Any]) -> None:
        message = Message(TOPIC, body["subject"], json.dumps(body).encode(), HEADERS)
        async with self.owner.bus.producer() as producer:
            await producer.send([message], timeout=10)

    async def last(self) -> dict[str, Any]:
        rows = await self.owner.rows(OUTBOX, TOPIC)
        told: dict[str, Any] = json.loads(rows[-1]["body"])
        return told
