"""The chain of audit entries: each committed entry is sealed behind the one sealed before it.

A link is HMAC-SM3 over the entry's stored text and the link before it, under a key that no
database holds. Entries are numbered before they commit, so a lower number may show after a higher
one: it is sealed later. A link's `floor` tells up to which number no running transaction could
bring an entry any more; what shows below it later was inserted by somebody else and never sealed.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis import sm3
from chassis.audit_keys import AuditKeys
from chassis.database import Aggregate, Database, moment
from chassis.ids import new_id
from chassis.outbox import chassis_metadata, emit
from contracts.events.audit import AuditHead

BATCH = 500
PAUSE = 2.0
SETTLE = 1.0
ANCHOR_EVERY = timedelta(minutes=1)
SEALER_LOCK = 7_306
BREAK = 1_000_000
"""How many positions a declared break leaves free: more than heads that may still be on the way."""

FORMAT = "minzheng.audit.link.1"
ENTRY = (
    *("seq", "at", "recorded_at", "actor", "organisation"),
    *("action", "subject", "purpose", "result", "cause"),
)
BEFORE_THE_FIRST = bytes(32)

TAKE_TURN = text(
    """
SELECT pg_try_advisory_xact_lock(:lock) AS ours,
  CAST(CAST(pg_snapshot_xmin(seen) AS text) AS bigint) AS oldest,
  CAST(CAST(pg_snapshot_xmax(seen) AS text) AS bigint) AS next
FROM pg_current_snapshot() AS seen
"""
)
WAITING = text("SELECT * FROM chassis.audit_waiting(:after, :most)")


class _Base(DeclarativeBase):
    metadata = chassis_metadata


class AuditChain(Aggregate, _Base):
    """The service's one chain: which of its links was told to others last, and when."""

    __tablename__ = "audit_chain"

    anchored_position: Mapped[int] = mapped_column(BigInteger, default=0)
    anchored_at: Mapped[moment | None]


audit_link = Table(
    "audit_link",
    chassis_metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger),
    Column("floor", BigInteger, nullable=False),
    Column("key", Integer, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    Column("mac", LargeBinary, nullable=False),
    UniqueConstraint("seq"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the chain; without `seq` it seals no entry, only how far nothing more may come."""

    position: int
    seq: int | None
    floor: int
    key: int
    sealed_at: datetime
    mac: bytes

    def made(self, keys: AuditKeys, service: str, previous: bytes, entry: Sequence[Any]) -> bytes:
        """The MAC that this link must have behind `previous`, over the text of its entry.

        Raises:
            KeyError: its key is not among these.
        """
        told = [FORMAT, service, self.position, self.seq, self.floor, self.key]
        told += [_instant(self.sealed_at), previous.hex(), *entry]
        return sm3.mac(keys.keys[self.key], json.dumps(told, ensure_ascii=False).encode())


BEFORE_ALL = Link(0, None, 0, 0, datetime(1970, 1, 1, tzinfo=UTC), BEFORE_THE_FIRST)


def stored_text(entry: Mapping[str, Any]) -> list[Any]:
    """An entry as the chain seals it: its columns as they are stored, instants in UTC."""
    return [
        _instant(value) if isinstance(value, datetime) else value
        for value in (entry[name] for name in ENTRY)
    ]


def _instant(moment_: datetime) -> str:
    return moment_.astimezone(UTC).isoformat()


@dataclass(slots=True)
class Horizon:
    """Up to which number no running transaction can bring an entry any more (`reached`).

    What was overtaken when we noted it is settled when every transaction of then has ended. One
    that has drawn its number has no transaction id for a moment: the ids are read `settle` seconds
    after the note.
    """

    settle: float
    reached: int = 0
    _noted: tuple[int, float] | None = None
    _beyond: int | None = None

    def look(self, highest: int, *, oldest: int, next_: int, at: float) -> None:
        """`highest` is sealed; the oldest running and the next transaction id of a snapshot."""
        if self._noted is None:
            self._noted = (highest, at) if highest > self.reached else None
        elif self._beyond is None:
            self._beyond = next_ if at - self._noted[1] >= self.settle else None
        elif oldest >= self._beyond:
            self.reached, self._noted, self._beyond = self._noted[0], None, None


class Sealer:
    """Seals what has been committed; several processes may, each look is one's alone."""

    def __init__(
        self,
        database: Database,
        keys: AuditKeys,
        *,
        batch: int = BATCH,
        settle: float = SETTLE,
        anchor_every: timedelta = ANCHOR_EVERY,
    ) -> None:
        self._database = database
        self._keys = keys
        self._batch = batch
        self._horizon = Horizon(settle)
        self._anchor_every = anchor_every
        self._id = new_id()
        self._after: int | None = None

    async def run(self) -> None:
        """Seal for ever; any failure ends it, and the process with it."""
        while True:
            if await self.look() < self._batch:
                await asyncio.sleep(PAUSE)

    async def look(self) -> int:
        """Seal one batch and anchor the head when it is time; how many entries it held."""
        async with self._database.transaction(actor=f"job:{self._id}") as session:
            turn = (await session.execute(TAKE_TURN, {"lock": SEALER_LOCK})).one()
            if not turn.ours:
                return 0
            head, highest = await read_head(session)
            self._horizon.look(highest, oldest=turn.oldest, next_=turn.next, at=time.monotonic())
            entries = await self._waiting(session, head.floor)
            floor = self._floor(head.floor, entries)
            links = self._links(head, entries, floor)
            if links:
                await session.execute(insert(audit_link), [_row(link) for link in links])
                head = links[-1]
                highest = max(highest, *(link.seq or 0 for link in links))
            full = len(entries) == self._batch
            self._after = entries[-1]["seq"] if full else None
            await self._anchor(session, head, highest)
            return len(entries)

    async def _waiting(self, session: AsyncSession, floor: int) -> Sequence[Mapping[str, Any]]:
        # Behind a full batch there is more: what came late below it is found by the next round.
        after = floor if self._after is None else self._after
        found = await session.execute(WAITING, {"after": after, "most": self._batch})
        return [dict(row) for row in found.mappings()]

    def _floor(self, floor: int, entries: Sequence[Mapping[str, Any]]) -> int:
        """How far the floor may be raised: never past an entry that still waits."""
        if self._after is not None:
            return floor
        reached = self._horizon.reached
        if len(entries) == self._batch:
            reached = min(reached, entries[-1]["seq"])
        return max(floor, reached)

    def _links(self, head: Link, entries: Sequence[Mapping[str, Any]], floor: int) -> list[Link]:
        links: list[Link] = []
        for entry in entries:
            last = entry is entries[-1]
            to = floor if last else head.floor
            head = self._link(head, entry["seq"], to, stored_text(entry))
            links.append(head)
        if not entries and floor > head.floor:
            links.append(self._link(head, None, floor, ()))
        return links

    def _link(self, head: Link, seq: int | None, floor: int, entry: Sequence[Any]) -> Link:
        return linked(self._keys, self._database.source, head, head.position + 1, seq, floor, entry)

    async def _anchor(self, session: AsyncSession, head: Link, highest: int) -> None:
        """Tell others where the chain ends, if it has grown since and the time has come."""
        chain = await session.scalar(select(AuditChain).limit(1))
        now = datetime.now(UTC)
        if chain is None:
            chain = AuditChain(id=new_id(), anchored_position=0)
            session.add(chain)
        # Either way: a clock that has been set back is not waited for.
        due = chain.anchored_at is None or abs(now - chain.anchored_at) >= self._anchor_every
        if head.position == chain.anchored_position or not due:
            return
        chain.anchored_position, chain.anchored_at = head.position, now
        await emit(
            session,
            chain,
            "anchored",
            AuditHead(
                id=chain.id,
                service=self._database.source,
                position=head.position,
                seq=highest,
                key=head.key,
                mac=head.mac.hex(),
                sealed_at=head.sealed_at,
            ),
        )


async def read_head(session: AsyncSession) -> tuple[Link, int]:
    """The last link and the highest number of a sealed entry."""
    last = (
        await session.execute(select(audit_link).order_by(audit_link.c.position.desc()).limit(1))
    ).first()
    highest = await session.scalar(select(func.max(audit_link.c.seq)))
    return BEFORE_ALL if last is None else Link(*last), highest or 0


def linked(
    keys: AuditKeys,
    service: str,
    head: Link,
    position: int,
    seq: int | None,
    floor: int,
    entry: Sequence[Any],
) -> Link:
    """The next link behind `head`."""
    key = keys.next_after(head.key)
    link = Link(position, seq, floor, key, datetime.now(UTC), b"")
    return replace(link, mac=link.made(keys, service, head.mac, entry))


async def declare_break(database: Database, keys: AuditKeys, anchored: int) -> int:
    """Go on, after a restore, beyond all that others may know of the lost links; from where.

    The numbers left out tell of the break for ever: only who has the key can have left them out.
    """
    async with database.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(SEALER_LOCK)))
        head, _ = await read_head(session)
        position = max(head.position, anchored) + BREAK
        link = linked(keys, database.source, head, position, None, head.floor, ())
        await session.execute(insert(audit_link), [_row(link)])
    return position


def _row(link: Link) -> dict[str, Any]:
    return {column.name: getattr(link, column.name) for column in audit_link.columns}
