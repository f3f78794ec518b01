"""The jobs that ask the sources: a call outside any transaction, its answer with the job's end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.database import now, today
from chassis.http_client import HttpClient
from chassis.ids import new_id
from chassis.jobs import Job, JobHandler, Later, Record
from chassis.sealing import seal
from chassis.service import Runtime
from services.relief.checks import departments, household, repository, rules, service
from services.relief.checks.departments import (
    Answered,
    NoAnswer,
    Promised,
    Query,
    Refused,
    SourceAnswer,
)
from services.relief.checks.household import Document
from services.relief.checks.models import CheckRow, ExchangeRow, RequestRow
from services.relief.checks.rules import Failure, Status
from services.relief.checks.settings import CheckSettings

LOOK_AGAIN = timedelta(minutes=10)
"""After which it is looked anew whether the other side is connected."""

OnLate = Callable[[AsyncSession, UUID], Awaitable[None]]
"""Told, in the transaction that records it, the case that an answer came too late for."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One attempt of one round; without an exchange nothing is sent."""

    request: UUID
    round: int
    exchange: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A query about to be sent; `last` when its source is given up unless it answers now."""

    turn: _Turn
    query: Query
    location: str
    last: bool


async def _tell_nobody(_: AsyncSession, __: UUID) -> None:
    return


class CheckJobs:
    """Asks one source about one person a job, until it answers or is given up.

    What ended in between is asked again: the source knows the request by its id, so that it is
    one query to it, and here only the first recorded answer counts.
    """

    def __init__(self, runtime: Runtime, on_late: OnLate = _tell_nobody) -> None:
        self._runtime = runtime
        self._on_late = on_late
        self._clients: dict[tuple[str, float], HttpClient] = {}

    @property
    def handlers(self) -> Mapping[str, JobHandler]:
        return {service.KIND: self._ask}

    async def close(self) -> None:
        """Close the connections; a process that ends need not."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def _ask(self, job: Job) -> Record:
        settings = CheckSettings()
        turn = _Turn(UUID(job.arguments["request"]), int(job.arguments["round"]))
        if not settings.departments_url:
            if await self._over(job, turn):
                return partial(_end, turn, Failure.CASE_ENDED, Status.FAILED)
            raise Later(
                self._runtime.clock.now() + LOOK_AGAIN,
                partial(_put_off, turn, Failure.NOT_CONNECTED, ""),
            )
        begun = await self._begin(job, turn)
        if isinstance(begun, Failure):
            return partial(_end, turn, begun, Status.FAILED)
        try:
            outcome = await departments.ask(self._client(settings), begun.query, begun.location)
        except NoAnswer as silence:
            if begun.last:
                return partial(_end, begun.turn, silence.failure, rules.given_up(silence.failure))
            async with self._transaction(job) as session:
                await _put_off(begun.turn, silence.failure, begun.location, session)
            raise
        match outcome:
            case Answered(answer, digest):
                return partial(self._answered, begun.turn, answer, digest)
            case Promised() if begun.last:
                return partial(_end, begun.turn, Failure.PROMISED, Status.TIMEOUT)
            case Promised(location, seconds):
                raise Later(
                    self._runtime.clock.now() + timedelta(seconds=seconds),
                    partial(_put_off, begun.turn, Failure.PROMISED, location),
                )
            case Refused(failure):
                return partial(_end, begun.turn, failure, Status.FAILED)

    async def _over(self, job: Job, turn: _Turn) -> bool:
        """Whether nobody waits for an answer any more."""
        async with self._transaction(job) as session:
            found = await _asked(session, turn)
            return found is None or await repository.ended(session, found[0])

    async def _begin(self, job: Job, turn: _Turn) -> _Begun | Failure:
        """Open the number and keep that it is sent; or why nobody is to be asked about."""
        register = await self._runtime.places.register()
        async with self._transaction(job) as session:
            found = await _asked(session, turn)
            if found is None or await repository.ended(session, found[0]):
                return Failure.CASE_ENDED
            check, request = found
            document = await household.document_of(session, request, purpose=rules.PURPOSE)
            if document is None:
                return Failure.NO_DOCUMENT
            request.attempts += 1
            check.started_on = check.started_on or today(session)
            exchange = _exchange(session, check, request)
            session.add(exchange)
            await audit.record(
                session,
                action="relief.check.queried",
                subject=str(request.id),
                purpose=f"{rules.PURPOSE}；依据：{check.legal_basis}；授权：{request.authorisation}",
            )
            law = await service.law_of(session, register, check.unit_id, today(session))
            return _Begun(
                turn=replace(turn, exchange=exchange.id),
                query=_query(session, check, request, document),
                location=request.location,
                last=rules.gives_up(
                    request.asked_at, law.integer(service.GIVE_UP).value, now(session)
                ),
            )

    async def _answered(
        self, turn: _Turn, answer: SourceAnswer, digest: str, session: AsyncSession
    ) -> None:
        status = Status.RETURNED if answer.items else Status.NONE
        # Before the check, as everywhere: a late answer is a step of the case.
        await repository.lock_case(session, turn.request)
        await _end_exchange(session, turn, status.value, digest)
        found = await _asked(session, turn)
        if found is None:
            return
        check, request = found
        request.status = status if check.closed_on is None else Status.LATE
        request.answer = seal(session, answer.model_dump_json(), service.answer_cell(request.id))
        request.answered_at, request.data_day = now(session), answer.data_day
        request.failure = request.location = ""
        await _note(session, check, request)
        if check.closed_on is not None:
            await self._on_late(session, check.case_id)

    @asynccontextmanager
    async def _transaction(self, job: Job) -> AsyncIterator[AsyncSession]:
        async with self._runtime.database.transaction(
            actor=f"job:{job.id}", units=await self._runtime.places.everywhere()
        ) as session:
            yield session

    def _client(self, settings: CheckSettings) -> HttpClient:
        key = (settings.departments_url, settings.departments_timeout)
        if key not in self._clients:
            self._clients[key] = HttpClient(key[0], timeout=key[1])
        return self._clients[key]


async def _put_off(turn: _Turn, failure: Failure, location: str, session: AsyncSession) -> None:
    """Keep why there is no answer yet."""
    await _end_exchange(session, turn, failure.value)
    found = await _asked(session, turn)
    if found is not None:
        found[1].failure, found[1].location = failure.value, location


async def _end(turn: _Turn, failure: Failure, status: Status, session: AsyncSession) -> None:
    """Keep that there will be no answer in this round."""
    await _end_exchange(session, turn, failure.value)
    found = await _asked(session, turn)
    if found is None:
        return
    check, request = found
    request.status, request.failure, request.location = status, failure.value, ""
    await _note(session, check, request)


async def _asked(session: AsyncSession, turn: _Turn) -> tuple[CheckRow, RequestRow] | None:
    """The request, with its check locked, while this round still waits for an answer."""
    request = await repository.request(session, turn.request)
    check = None if request is None else await repository.lock(session, request.check_id)
    # Read anew behind the lock: whoever held it may have ended the round.
    request = await repository.request(session, turn.request)
    if check is None or request is None:
        return None
    if request.status is not Status.ASKED or request.round != turn.round:
        return None
    return check, request


async def _note(session: AsyncSession, check: CheckRow, request: RequestRow) -> None:
    if check.closed_on is None:
        check.version += 1
    await audit.record(
        session,
        action="relief.check.answered",
        subject=str(request.id),
        purpose=rules.PURPOSE,
        result=request.status.value,
    )


def _query(
    session: AsyncSession, check: CheckRow, request: RequestRow, document: Document
) -> Query:
    return Query(
        request_id=request.id,
        source=request.source,
        document_kind=document.kind,
        document_number=document.number,
        purpose=rules.PURPOSE,
        legal_basis=check.legal_basis,
        authorisation=request.authorisation,
        requester=check.organisation,
        case_number=check.case_number,
        as_of=today(session),
    )


def _exchange(session: AsyncSession, check: CheckRow, request: RequestRow) -> ExchangeRow:
    return ExchangeRow(
        id=new_id(),
        request_id=request.id,
        unit_id=check.unit_id,
        source=request.source,
        person=request.person,
        case_number=check.case_number,
        requester=check.requested_by,
        organisation=check.organisation,
        purpose=rules.PURPOSE,
        legal_basis=check.legal_basis,
        authorisation=request.authorisation,
        asked_at=now(session),
        outcome="",
        digest="",
    )


async def _end_exchange(session: AsyncSession, turn: _Turn, outcome: str, digest: str = "") -> None:
    if turn.exchange is None:
        return
    exchange = await session.get_one(ExchangeRow, turn.exchange)
    exchange.ended_at, exchange.outcome, exchange.digest = now(session), outcome, digest
