"""What the ledger does on each event: derive the subject's entries anew, append the difference."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import SHANGHAI
from chassis.consumption import Consumer, Received
from services.indicator.ledger import repository
from services.indicator.ledger.repository import Posting, State, SubjectKey
from services.indicator.ledger.rules import (
    FACILITY_TOPIC,
    FIGURE_TOPIC,
    REGISTER_MARKERS,
    SOCIAL_WORKER_TOPIC,
    STANDARD_TOPIC,
    Slot,
    Subject,
    difference,
    entries,
)
from services.indicator.plans.loader import load_plan

TOPICS = (FACILITY_TOPIC, STANDARD_TOPIC, FIGURE_TOPIC, SOCIAL_WORKER_TOPIC)


async def post(session: AsyncSession, events: Sequence[Received]) -> None:
    """Apply events in their order; one that is older than what stands changes nothing.

    Raises:
        UnknownMeasureError: a figure of a measure that is not reported.
        ForeignUnitError: an event of a unit that is not in the register (yet).
    """
    parameters = load_plan().parameters
    subjects = {_subject(event) for event in events}
    known = await repository.states(session, subjects)
    standing = await repository.standing(session, known.keys())
    moved: dict[SubjectKey, State] = {}
    postings: list[Posting] = []
    for event in events:
        subject = _subject(event)
        before = moved.get(subject) or known.get(subject)
        envelope = event.envelope
        if before is not None and envelope.sequence <= before.sequence:
            continue
        recorded_at = max(envelope.time, before.recorded_at) if before else envelope.time
        sums = standing.setdefault(subject, {})
        changes = difference(sums, entries(cast("Subject", event.data), parameters))
        for change in changes:
            slot = (change.measure, change.key, change.unit, change.effective)
            sums[slot] = sums.get(slot, Decimal(0)) + change.amount
        if changes:
            postings.append(Posting(*subject, envelope.id, envelope.type, recorded_at, changes))
        moved[subject] = State(envelope.sequence, recorded_at)
    if moved:
        await repository.keep(session, moved)
    await _write(session, postings)


def _subject(event: Received) -> SubjectKey:
    return event.topic, UUID(event.envelope.subject)


async def _write(session: AsyncSession, postings: Sequence[Posting]) -> None:
    moves: defaultdict[Slot, Decimal] = defaultdict(Decimal)
    marks: defaultdict[tuple[str, date, date], Decimal] = defaultdict(Decimal)
    for posting in postings:
        recorded_on = posting.recorded_at.astimezone(SHANGHAI).date()
        for entry in posting.entries:
            if entry.measure in REGISTER_MARKERS:
                marks[entry.measure, entry.effective, recorded_on] += entry.amount
            else:
                moves[entry.measure, entry.key, entry.unit, entry.effective] += entry.amount
    if postings:
        await repository.append(session, postings)
    if moves:
        await repository.move(session, moves)
    if marks:
        await repository.mark(session, marks)


LEDGER = Consumer("indicator.ledger", TOPICS, post)
