"""State and event are one write: `emit` numbers the event on its aggregate's row and keeps it."""

from datetime import UTC, datetime
from functools import cache
from typing import cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    UpdateBase,
    bindparam,
    insert,
    inspect,
    update,
)
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from chassis.database import Aggregate, metadata, write_at_end
from chassis.ids import new_id
from chassis.telemetry import current_traceparent
from contracts.events.envelope import CloudEvent
from contracts.model import Contract
from contracts.topics import BY_DATA

MAX_EVENT_BYTES = 256 * 1024

chassis_metadata = metadata()

outbox = Table(
    "outbox",
    chassis_metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("id", PG_UUID(as_uuid=True), nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    UniqueConstraint("topic", "key", "sequence"),
    CheckConstraint(f"octet_length(body) <= {MAX_EVENT_BYTES}", name="body_size"),
    Index("ix_outbox_pending", "seq", postgresql_where="published_at IS NULL"),
    postgresql_with={
        "autovacuum_vacuum_scale_factor": "0",
        "autovacuum_vacuum_threshold": "5000",
    },
)

relay_hold = Table(
    "relay_hold",
    chassis_metadata,
    Column("reason", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
)
"""While it has a row nothing is published: the database came back from a backup, and what was
told of the hours that it lacks is to be reconciled first."""

RESTORED, RECONCILING, REPUBLISHING = "restored", "reconciling", "republishing"
"""Reasons of a hold; each is taken away by whoever has set it, `RESTORED` by a reconcile."""
HOLD = """INSERT INTO chassis.relay_hold (reason, since) VALUES ($1, now())
ON CONFLICT (reason) DO NOTHING"""
HOLDS = "SELECT reason, since FROM chassis.relay_hold ORDER BY since"

# Statements are built once: to build one anew costs more than to send it.
KEEP = insert(outbox).inline()


@cache
def _numbering(table: Table) -> UpdateBase:
    return (
        update(table)
        .where(table.c.id == bindparam("aggregate"))
        .values(event_seq=table.c.event_seq + 1)
        .returning(table.c.event_seq)
    )


async def _number(session: AsyncSession, aggregate: Aggregate) -> int | None:
    """The event's number, in the statement that writes what else the aggregate's row is to say."""
    state = inspect(aggregate)
    if state.pending:  # nobody else has the row yet
        aggregate.event_seq = (aggregate.event_seq or 0) + 1
    elif state.persistent:
        aggregate.event_seq = type(aggregate).event_seq + 1
    try:
        await session.flush()
    except StaleDataError:
        return None
    if state.persistent:
        return aggregate.event_seq
    table = cast("Table", inspect(type(aggregate)).local_table)
    number: int | None = await session.scalar(_numbering(table), {"aggregate": aggregate.id})
    return number


async def emit(session: AsyncSession, aggregate: Aggregate, verb: str, data: Contract) -> UUID:
    """Record that the aggregate is now as `data` says; the relay publishes it after the commit.

    The UPDATE takes the aggregate's row lock before the number is given, so the order on the
    topic is the order of the commits, without a gap.
    """
    topic = BY_DATA[type(data)]
    sequence = await _number(session, aggregate)
    if sequence is None:
        raise LookupError(f"{topic.name} {aggregate.id} has no row to number its event on")
    info = session.info
    if not info["actor"]:
        raise LookupError(f"{topic.name} {aggregate.id} is changed by nobody")
    recorded_at: datetime = info["clock"].now()
    event = CloudEvent(
        id=new_id(),
        source=f"urn:minzheng:{info['source']}",
        type=topic.type_of(verb),
        subject=str(aggregate.id),
        time=recorded_at,
        sequence=sequence,
        traceparent=current_traceparent(),
        actor=info["actor"],
        cause=info["cause"],
        data=data.model_dump(mode="json"),
    )
    write_at_end(
        session,
        KEEP,
        {
            "id": event.id,
            "topic": topic.name,
            "key": event.subject,
            "sequence": sequence,
            "type": event.type,
            "body": event.model_dump_json(exclude_none=True).encode(),
            "recorded_at": recorded_at.astimezone(UTC),
        },
    )
    info["emitted"] = True  # the commit wakes the relay
    return event.id
