"""Sealed fields within a transaction: sealed by its key ring, opened into its audit."""

from collections.abc import Mapping
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.privacy import Cell, KeyRing, Sealed


def key_ring(session: AsyncSession) -> KeyRing:
    """The keys of the process that the transaction runs in."""
    ring: KeyRing | None = session.info["key_ring"]
    if ring is None:
        raise LookupError("this database was opened without the keys of personal data")
    return ring


def seal(session: AsyncSession, text: str, cell: Cell) -> Sealed:
    return key_ring(session).seal(text, cell)


async def reveal(session: AsyncSession, sealed: bytes, cell: Cell, *, of: str, purpose: str) -> str:
    """Open a field; the reading stands in the audit of the same transaction."""
    return await key_ring(session).reveal(
        sealed, cell, of=of, purpose=purpose, audit=partial(note_reading, session)
    )


async def reveal_all(
    session: AsyncSession, sealed: Mapping[Cell, bytes], *, of: str, purpose: str
) -> dict[Cell, str]:
    """Open cells of one column and one person; that they were read is one entry of the audit."""
    return await key_ring(session).reveal_all(
        sealed, of=of, purpose=purpose, audit=partial(note_reading, session)
    )


async def note_reading(session: AsyncSession, *, what: str, of: str, purpose: str) -> None:
    await audit.record(session, action=f"read {what}", subject=of, purpose=purpose)
