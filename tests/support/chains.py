"""A service's chain of audit entries under test: written, sealed, anchored, verified."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.audit_anchors import anchors_consumer, read_anchors
from chassis.audit_chain import Sealer
from chassis.audit_keys import AuditKeys, open_audit_keys
from chassis.audit_verify import Verified, verify
from chassis.database import write_gathered
from chassis.work import consumption
from contracts.events.audit import AuditHead
from contracts.events.envelope import CloudEvent
from contracts.topics import BY_DATA
from tests.support.services import Running, drain

NUMBER = "SELECT last_value FROM chassis.audit_entry_seq_seq"
TOPIC = BY_DATA[AuditHead].name


class UndoneError(Exception):
    """An entry's transaction is rolled back."""


@dataclass
class Chain:
    """The chain of one service, and another one that keeps its anchors."""

    running: Running
    keys: AuditKeys
    keeper: Running

    def sealer(self, *, batch: int = 500, anchor_every: timedelta = timedelta(0)) -> Sealer:
        return Sealer(
            self.running.runtime.database,
            self.keys,
            batch=batch,
            settle=0,
            anchor_every=anchor_every,
        )

    async def write(self, count: int) -> list[int]:
        """So many entries, each in a transaction of its own; their numbers."""
        for _ in range(count):
            async with self.transaction() as session:
                await self._record(session)
        rows = await self.running.rows(
            "SELECT seq FROM chassis.audit_entry ORDER BY seq DESC LIMIT $1", count
        )
        return sorted(row["seq"] for row in rows)

    @asynccontextmanager
    async def open_entry(self, *, undone: bool = False) -> AsyncIterator[int]:
        """An entry that is written, but not committed before the end; its number."""
        with suppress(UndoneError):
            async with self.transaction() as session:
                await self._record(session)
                await write_gathered(session)
                (row,) = await self.running.rows(NUMBER)
                yield row["last_value"]
                if undone:
                    raise UndoneError

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        database = self.running.runtime.database
        return database.transaction(actor="clerk-1", organisation="渝北区民政局")

    async def _record(self, session: AsyncSession) -> None:
        await audit.record(session, action="toy.read", subject="basket-1", purpose="复核")

    async def skip(self) -> int:
        """A number that no entry will ever have."""
        async with self.open_entry(undone=True) as seq:
            return seq

    async def settle(self, sealer: Sealer | None = None) -> None:
        """Seal until nothing waits and the floor has come up to what is sealed."""
        sealer = sealer or self.sealer()
        async with asyncio.timeout(60):
            while True:
                waiting = await sealer.look()
                (row,) = await self.running.rows(
                    "SELECT max(floor) AS floor, max(seq) AS seq FROM chassis.audit_link"
                )
                if not waiting and row["floor"] == row["seq"]:
                    return

    async def sealed(self) -> list[int]:
        rows = await self.running.rows(
            "SELECT seq FROM chassis.audit_link WHERE seq IS NOT NULL ORDER BY position"
        )
        return [row["seq"] for row in rows]

    async def floor(self) -> int:
        (row,) = await self.running.rows(
            "SELECT coalesce(max(floor), 0) AS floor FROM chassis.audit_link"
        )
        return int(row["floor"])

    async def heads(self) -> list[CloudEvent]:
        """What was told of the chain, in its order."""
        rows = await self.running.rows(
            "SELECT body FROM chassis.outbox WHERE topic = $1 ORDER BY seq", TOPIC
        )
        return [CloudEvent.read(row["body"]) for row in rows]

    async def anchor(self) -> None:
        """Publish what was told and let the keeper take it."""
        await self.running.relay()
        consumer = anchors_consumer(self.keeper.service.name)
        await drain(consumption(self.keeper.runtime, consumer), self.running.bus)

    async def verified(self) -> Verified:
        anchors = await read_anchors(self.keeper.databases.app, self.running.service.name)
        return await verify(
            self.running.databases.owner, self.running.service.name, self.keys, anchors
        )

    async def found(self) -> list[str]:
        return [str(finding) for finding in (await self.verified()).findings]


def chain_of(running: Running, keeper: Running) -> Chain:
    return Chain(running, open_audit_keys(running.settings), keeper)
