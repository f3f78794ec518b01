"""Work that is done at a time, or slowly: a row made in the business transaction.

A job calls out first, outside any transaction, then records the answer and its own end in one.
A job of a day carries that day as its argument; missed days run in order. A handler that has to
ask again at a time raises `Later`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Exists,
    Index,
    Integer,
    Table,
    Text,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Database
from chassis.ids import new_id
from chassis.outbox import chassis_metadata
from chassis.telemetry import log, metrics

LEASE = timedelta(minutes=5)
IDLE = 1.0
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=2), timedelta(hours=1)

job_table = Table(
    "job",
    chassis_metadata,
    Column("id", PG_UUID(as_uuid=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("arguments", JSONB, nullable=False),
    Column("run_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_until", DateTime(timezone=True)),
    Column("done_at", DateTime(timezone=True)),
    Column("failure", Text),
    Index("ix_job_waiting", "run_at", postgresql_where="done_at IS NULL"),
)


@dataclass(frozen=True, slots=True)
class Job:
    id: UUID
    kind: str
    key: str
    arguments: dict[str, Any]
    attempts: int


Record = Callable[[AsyncSession], Awaitable[None]]
JobHandler = Callable[[Job], Awaitable[Record]]


class Later(Exception):  # noqa: N818 - no error: the job goes on at a time
    """Raised by a handler without an answer yet: run it again at `at`, by the service's clock.

    `record` writes what is known so far, in the transaction that puts the job off.
    """

    def __init__(self, at: datetime, record: Record | None = None) -> None:
        super().__init__(at)
        self.at = at
        self.record = record


async def enqueue(
    session: AsyncSession,
    kind: str,
    key: str,
    arguments: Mapping[str, Any],
    *,
    run_at: datetime | None = None,
) -> None:
    """Add a job in the caller's transaction; a key that stands already adds nothing."""
    await enqueue_all(session, kind, {key: arguments}, run_at=run_at)


async def enqueue_all(
    session: AsyncSession,
    kind: str,
    jobs: Mapping[str, Mapping[str, Any]],
    *,
    run_at: datetime | None = None,
) -> None:
    """As `enqueue`, of any number of jobs in one statement: their arguments by their keys."""
    if not jobs:
        return
    at = run_at or session.info["clock"].now()
    await session.execute(
        insert(job_table)
        .values(
            [
                {"id": new_id(), "kind": kind, "key": key, "arguments": dict(given), "run_at": at}
                for key, given in jobs.items()
            ]
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


async def enqueue_days(session: AsyncSession, kind: str, first: date, today: date) -> None:
    """One job for each day from the first not yet planned up to today."""
    latest = await session.scalar(select(func.max(job_table.c.key)).where(job_table.c.kind == kind))
    day = date.fromisoformat(latest.rpartition("@")[2]) + timedelta(days=1) if latest else first
    while day <= today:
        await enqueue(session, kind, f"{kind}@{day}", {"day": day.isoformat()})
        day += timedelta(days=1)


def _day_before_waits() -> Exists:
    earlier = job_table.alias()
    return exists().where(
        earlier.c.kind == job_table.c.kind,
        earlier.c.key < job_table.c.key,
        earlier.c.done_at.is_(None),
    )


def _is_free(real: datetime) -> ColumnElement[bool]:
    """Not leased; what is leased beyond any lease is so by a clock that has been set back since."""
    until = job_table.c.lease_until
    return until.is_(None) | (until < real) | (until > real + LONGEST_RETRY)


class JobRunner:
    """Runs due jobs; several processes may, each job is leased to one of them."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, JobHandler],
        units: Callable[[], Awaitable[Collection[int]]],
        *,
        daily: tuple[str, ...] = (),
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._units = units
        self._daily = daily
        self._planned: date | None = None

    async def run(self, at_once: int = 4) -> None:
        """Run for ever, so many at a time: a job that waits for its answer holds no other up."""
        free = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self.plan_days()
                await free.acquire()
                job = await self._claim()
                if job is not None:
                    task = tasks.create_task(self._run(job))
                    task.add_done_callback(lambda _: free.release())
                    continue
                free.release()
                await asyncio.sleep(IDLE)

    async def plan_days(self) -> None:
        """Make the jobs of each day that has come."""
        today = self._database.clock.today()
        if not self._daily or self._planned == today:
            return
        async with self._database.transaction() as session:
            for kind in self._daily:
                await enqueue_days(session, kind, today, today)
        self._planned = today

    async def run_one(self) -> bool:
        """Run the job that is due longest, before those that failed; False when none is."""
        job = await self._claim()
        if job is None:
            return False
        await self._run(job)
        return True

    async def _run(self, job: Job) -> None:
        try:
            try:
                record = await self._handlers[job.kind](job)
            except Later as later:
                await self._record(job, later.record, run_at=later.at)
            else:
                await self._record(job, record, done_at=datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - logged; the job is tried again later
            log().exception("job_failed", kind=job.kind)
            await self._postpone(job, type(error).__name__)

    async def _record(self, job: Job, record: Record | None, **end: datetime) -> None:
        async with self._database.transaction(
            actor=f"job:{job.id}", units=await self._units()
        ) as session:
            ended = await self._end(session, job, lease_until=None, failure=None, **end)
            if ended and record is not None:
                await record(session)

    async def _claim(self) -> Job | None:
        now = self._database.clock.now()
        real = datetime.now(UTC)
        async with self._database.transaction() as session:
            row = (
                await session.execute(
                    select(job_table)
                    .where(
                        job_table.c.done_at.is_(None),
                        job_table.c.run_at <= now,
                        job_table.c.kind.in_(self._handlers),
                        job_table.c.kind.not_in(self._daily) | ~_day_before_waits(),
                        _is_free(real),
                    )
                    # What failed comes after the rest: a source that is down holds no other up.
                    .order_by(
                        job_table.c.lease_until.nulls_first(), job_table.c.run_at, job_table.c.key
                    )
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
            ).first()
            oldest = await session.scalar(
                select(func.min(job_table.c.run_at)).where(
                    job_table.c.done_at.is_(None), job_table.c.run_at <= now
                )
            )
            metrics.job_oldest_seconds.labels(self._database.source).set(
                (now - oldest).total_seconds() if oldest else 0
            )
            if row is None:
                return None
            await session.execute(
                update(job_table)
                .where(job_table.c.id == row.id)
                .values(lease_until=real + LEASE, attempts=row.attempts + 1)
            )
            return Job(row.id, row.kind, row.key, row.arguments, row.attempts + 1)

    async def _postpone(self, job: Job, failure: str) -> None:
        pause = min(FIRST_RETRY * 2 ** min(job.attempts, 12), LONGEST_RETRY)
        async with self._database.transaction(actor=f"job:{job.id}") as session:
            await self._end(
                session,
                job,
                # By real time: a clock that is driven may stand still.
                lease_until=datetime.now(UTC) + pause,
                failure=failure,
            )

    async def _end(self, session: AsyncSession, job: Job, **values: object) -> bool:
        """Write how this attempt ended; False when its lease ran out and another took the job."""
        ended = await session.execute(
            update(job_table)
            .where(
                job_table.c.id == job.id,
                job_table.c.attempts == job.attempts,
                job_table.c.done_at.is_(None),
            )
            .values(values)
            .returning(job_table.c.id)
        )
        return ended.first() is not None
