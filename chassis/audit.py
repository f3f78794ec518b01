"""Who did what, for whom, why, with what result: entries that the app role may only insert."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, DateTime, Identity, Table, Text, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import write_at_end
from chassis.outbox import chassis_metadata

audit_entry = Table(
    "audit_entry",
    chassis_metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("cause", Text),
)


KEEP = insert(audit_entry).inline()


async def record(
    session: AsyncSession, *, action: str, subject: str, purpose: str = "", result: str = "done"
) -> None:
    """One entry in the transaction of what it tells of, which without it is not committed.

    `subject` is a reference.
    """
    info = session.info
    if not info["actor"]:
        raise LookupError(f"{action} of {subject} is done by nobody")
    write_at_end(
        session,
        KEEP,
        {
            "at": info["clock"].now(),
            "recorded_at": datetime.now(UTC),
            "actor": info["actor"],
            "organisation": info["organisation"],
            "action": action,
            "subject": subject,
            "purpose": purpose,
            "result": result,
            "cause": info["cause"],
        },
    )
