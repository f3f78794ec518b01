"""Anchors: where other services' chains of audit entries ended, kept in this one's database.

Who can rewrite one database, and has an old key or none, cannot make its chain fit these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import asyncpg
from sqlalchemy import BigInteger, Column, DateTime, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumption import Consumer, Received
from chassis.outbox import chassis_metadata
from contracts.events.audit import AuditHead
from contracts.topics import BY_DATA

KEPT = """SELECT position, seq, key, mac, sealed_at FROM chassis.audit_anchor
WHERE service = $1 ORDER BY position, mac"""

audit_anchor = Table(
    "audit_anchor",
    chassis_metadata,
    Column("service", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("mac", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("key", Integer, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    # A second head of one position is kept beside the first: it tells of a chain written anew.
    PrimaryKeyConstraint("service", "position", "mac"),
)


class ForeignHeadError(Exception):
    """A service told of another one's chain."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link that the chain had when others were told of it."""

    position: int
    seq: int
    key: int
    mac: str
    sealed_at: datetime


async def keep_heads(session: AsyncSession, events: Sequence[Received]) -> None:
    """Keep the heads of other services' chains; our own is of no use here.

    Raises:
        ForeignHeadError: not told by the service itself; the event is parked.
    """
    for event in events:
        head = cast("AuditHead", event.data)
        if event.envelope.source != f"urn:minzheng:{head.service}":
            raise ForeignHeadError(head.service)
        if head.service == session.info["source"]:
            continue
        await session.execute(
            insert(audit_anchor)
            .values(
                service=head.service,
                position=head.position,
                mac=head.mac,
                seq=head.seq,
                key=head.key,
                sealed_at=head.sealed_at,
                received_at=datetime.now(UTC),
            )
            .on_conflict_do_nothing()
        )


def anchors_consumer(service: str) -> Consumer:
    return Consumer(f"{service}.anchors", (BY_DATA[AuditHead].name,), keep_heads, projects=False)


async def read_anchors(database_url: str, service: str) -> list[Anchor]:
    """The anchors of a service's chain that another service's database keeps."""
    connection = await asyncpg.connect(database_url)
    try:
        return [Anchor(**row) for row in await connection.fetch(KEPT, service)]
    finally:
        await connection.close()
