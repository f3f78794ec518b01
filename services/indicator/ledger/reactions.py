"""What the ledger does on each event: derive the subject's entries anew, append the difference."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import SHANGHAI
from chassis.consumption import Consumer, Received
from chassis.database import add_units
from contracts.events.envelope import CloudEvent
from services.indicator.ledger import repository
from services.indicator.ledger.repository import Posting, State, SubjectKey
from services.indicator.ledger.rules import (
    AWARD_TOPIC,
    FACILITY_TOPIC,
    FIGURE_TOPIC,
    REGISTER_MARKERS,
    SOCIAL_WORKER_TOPIC,
    STANDARD_TOPIC,
    Entry,
    Slot,
    Subject,
    difference,
    entries,
)
from services.indicator.plans.loader import load_plan

TOPICS = (FACILITY_TOPIC, STANDARD_TOPIC, FIGURE_TOPIC, SOCIAL_WORKER_TOPIC, AWARD_TOPIC)


async def post(session: AsyncSession, events: Sequence[Received]) -> None:
    """Apply events in their order; one that is older than what stands changes nothing.

    Nothing is ordered across topics: a unit that the register does not know is posted to all the
    same, and counts as soon as it is in the tree.

    Raises:
        UnknownMeasureError: a figure of a measure that is not reported.
    """
    known = await repository.states(session, {_subject(event) for event in events})
    told = _told(events, known)
    if not told:
        return
    states = {one.subject: one.state for one in told}
    met = await _bring_in_sight(session, {entry.unit for one in told for entry in one.entries})
    states |= {repository.stranger(unit): State(0, told[0].state.recorded_at) for unit in met}
    standing = await repository.standing(session, states.keys() & known.keys())
    await repository.keep(session, states)
    await _write(session, list(_postings(told, standing)))


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that is news, and all that its subject's entries come to by it."""

    subject: SubjectKey
    envelope: CloudEvent
    state: State
    entries: Sequence[Entry]


def _told(events: Iterable[Received], known: Mapping[SubjectKey, State]) -> list[_Told]:
    parameters = load_plan().parameters
    states = dict(known)
    told = []
    for event in events:
        subject, envelope = _subject(event), event.envelope
        before = states.get(subject)
        if before is not None and envelope.sequence <= before.sequence:
            continue
        recorded_at = max(envelope.time, before.recorded_at) if before else envelope.time
        states[subject] = State(envelope.sequence, recorded_at)
        posted = entries(cast("Subject", event.data), parameters)
        told.append(_Told(subject, envelope, states[subject], posted))
    return told


async def _bring_in_sight(session: AsyncSession, units: set[int]) -> frozenset[int]:
    """Widen the transaction by these units and by all strangers; which are strangers from now on.

    Of what a subject stands at, only rows in sight are found: also at a unit that the register
    still does not know and that the subject's new timeline does not name any more.
    """
    strangers = await repository.strangers(session)
    return await add_units(session, units | strangers) - strangers


def _postings(
    told: Iterable[_Told], standing: dict[SubjectKey, dict[Slot, Decimal]]
) -> Iterator[Posting]:
    for one in told:
        sums = standing.setdefault(one.subject, {})
        changes = difference(sums, one.entries)
        for change in changes:
            slot: Slot = change[:4]
            sums[slot] = sums.get(slot, Decimal(0)) + change.amount
        if changes:
            envelope, recorded_at = one.envelope, one.state.recorded_at
            yield Posting(*one.subject, envelope.id, envelope.type, recorded_at, changes)


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
                moves[entry[:4]] += entry.amount
    if postings:
        await repository.append(session, postings)
    if moves:
        await repository.move(session, moves)
    if marks:
        await repository.mark(session, marks)


LEDGER = Consumer("indicator.ledger", TOPICS, post)
