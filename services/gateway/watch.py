"""Which parts answer, looked at again and again, so that nobody's question makes us ask them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.gateway.proxy.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Seen:
    """Up or down, since when that is so, and when it was last looked at."""

    up: bool
    since: datetime
    at: datetime


class Watch:
    """`run` it as a task; until the first look nothing is known of a part."""

    def __init__(self, upstreams: Mapping[str, Upstream], *, every: float) -> None:
        self._upstreams = upstreams
        self._every = every
        self._seen: dict[str, Seen] = {}

    def seen(self, part: str) -> Seen | None:
        return self._seen.get(part)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, upstream in self._upstreams.items():
                tasks.create_task(self._keep_looking(name, upstream))

    async def _keep_looking(self, name: str, upstream: Upstream) -> None:
        while True:
            self._note(name, up=await upstream.probe())
            await asyncio.sleep(self._every)

    def _note(self, name: str, *, up: bool) -> None:
        now = datetime.now(UTC)
        before = self._seen.get(name)
        since = before.since if before and before.up == up else now
        self._seen[name] = Seen(up, since, now)
