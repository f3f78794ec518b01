"""Start a check, read and close its report; what its sources answered becomes the household's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casework.models import CaseFile
from chassis import audit
from chassis.conditional import require_version
from chassis.database import now, today
from chassis.ids import new_id
from chassis.jobs import enqueue_all
from chassis.law.calendar import Calendar
from chassis.law.deadlines import deadline
from chassis.law.units import Register
from chassis.places import read_register
from chassis.privacy import Cell
from chassis.problems import Conflict, NotFound, Unprocessable
from chassis.sealing import reveal, reveal_all, seal
from services.relief.checks import household, repository, rules
from services.relief.checks.departments import AnsweredItem, SourceAnswer
from services.relief.checks.models import CheckRow, RequestRow
from services.relief.checks.rules import (
    Answer,
    Difference,
    Failure,
    Finding,
    Item,
    Result,
    Role,
    State,
    Status,
)
from services.relief.checks.schemas import (
    AcceptanceView,
    CheckReport,
    ExchangeList,
    ExchangeView,
    FindingView,
    ItemView,
    LateView,
    LineView,
    MissingView,
)
from services.relief.checks.settings import CheckSettings
from services.relief.entitlement.facts import Silence
from services.relief.households import repository as households
from services.relief.households.models import MemberRow, SupporterRow
from services.relief.households.rules import supporter_checkable
from services.relief.parameters import repository as parameters
from services.relief.parameters.rules import Law
from services.relief.parameters.seed import seed

KIND = "relief.check"
SOURCES = "dibao.check.sources"
START = "dibao.limit.check_start"
CONSENT = "dibao.supporter.consent_required"
GIVE_UP = "dibao.check.give_up_hours"
NAMED_AT_MOST = 10

READING = "查看家庭经济状况核对报告"
CLOSING = "出具家庭经济状况核对报告"
ADOPTING = "按核对结果登记家庭经济状况"

DIFFERENCES: Mapping[Difference, str] = {
    Difference.UNDECLARED: "未申报",
    Difference.MORE: "查得多于申报",
    Difference.LESS: "查得少于申报",
    Difference.NOT_FOUND: "申报而查无",
    Difference.DECEASED: "有殡葬记录",
}

_CALENDAR = Calendar()


class NotAuthorised(Unprocessable):
    slug, title = "check-not-authorised", "未经授权不得核对"


class CheckOpen(Conflict):
    slug, title = "check-open", "核对正在进行"


class CheckClosed(Conflict):
    slug, title = "check-closed", "核对报告已经出具"


class CaseEnded(Conflict):
    """Nothing more is found out for a case that is over."""

    slug, title = "case-ended", "办件已经终结"


class SourcesMissing(Conflict):
    slug, title = "check-sources-missing", "尚有来源没有答复"


class NotAnswered(Conflict):
    slug, title = "check-not-answered", "该项查询没有可登记的内容"


class StillAsked(Conflict):
    slug, title = "check-still-asked", "该项查询正在进行"


class NotMissing(Conflict):
    slug, title = "check-not-missing", "该项查询并未缺失"


async def start(
    session: AsyncSession,
    *,
    case_id: UUID,
    household_id: UUID,
    unit: int,
    members: Sequence[MemberRow],
    supporters: Sequence[SupporterRow] = (),
    requested_on: date | None = None,
) -> CheckRow:
    """Ask every source of the law of today about every one of these; the jobs do the asking.

    Args:
        session: its actor requests the check, in the name of its organisation.
        case_id: for which case.
        household_id: whose.
        unit: responsible for the household.
        members: all of them must have authorised the check.
        supporters: outside the household; from 2026-07-01 only with their consent.
        requested_on: when the town asked for it, if not today.

    Raises:
        NotAuthorised: names who may not be asked about.
        CheckOpen: one of the case is under way.
    """
    if not members:
        raise Unprocessable("没有可以核对的家庭成员")
    if any(one.closed_on is None for one in await repository.of_case(session, case_id)):
        raise CheckOpen("请先出具正在进行的核对报告")
    day, register = today(session), await read_register(session)
    law = await law_of(session, register, unit, day)
    _all_authorised(members, supporters, law, day)
    sources = law.codes(SOURCES)
    number = await session.scalar(select(CaseFile.number).where(CaseFile.id == case_id))
    if number is None:
        raise NotFound("未找到该办件")
    check = CheckRow(
        id=new_id(),
        case_id=case_id,
        case_number=number,
        household_id=household_id,
        unit_id=unit,
        version=1,
        requested_by=session.info["actor"],
        organisation=session.info["organisation"],
        requested_on=requested_on or day,
        due_on=_due_on(law, requested_on or day),
        started_on=day if CheckSettings().departments_url else None,
        legal_basis=sources.source,
    )
    session.add(check)
    await session.flush()
    persons = [*(_member(one) for one in members), *(_supporter(one, law) for one in supporters)]
    requests = [
        _request(session, check, person, source)
        for person in persons
        for source in sorted(sources.value)
    ]
    session.add_all(requests)
    await session.flush()
    await _enqueue(session, requests)
    await audit.record(
        session, action="relief.check.started", subject=str(check.id), purpose=rules.PURPOSE
    )
    return check


async def report(session: AsyncSession, check_id: UUID) -> CheckReport:
    """How a check stands; a closed one reads as it was closed, and beside it what came since.

    Raises:
        NotFound: the session shows none of that id.
    """
    check = await session.get(CheckRow, check_id, populate_existing=True)
    if check is None:
        raise NotFound
    if check.report is not None:
        kept = await _kept(session, check, check.report)
        return kept.model_copy(update={"late": await late_flags(session, check.case_id, check.id)})
    requests = await repository.requests_of(session, [check.id])
    told = await _all_opened(session, check, requests, READING)
    return await _drawn(session, check, requests, told)


async def missing_of(session: AsyncSession, case_id: UUID) -> list[tuple[UUID, str]]:
    """(member, source) that the case's latest check still lacks and nobody has accepted.

    A case without any check lacks nothing here: whether it needs one is the matter's to say.
    """
    checks = await repository.of_case(session, case_id)
    if not checks or checks[-1].closed_on is not None:
        return []
    return [
        (one.member_id, one.source)
        for one in await repository.requests_of(session, [checks[-1].id])
        if rules.missing(one.status, accepted=_accepted(one))
    ]


async def silences_of(session: AsyncSession, case_id: UUID) -> list[Silence]:
    """The answers about members that the case's latest check does without, for a reason."""
    check = await latest(session, case_id)
    if check is None:
        return []
    return [
        Silence(
            str(one.member_id),
            one.source,
            reference=str(one.id),
            answered_late=one.status is Status.LATE,
        )
        for one in await repository.requests_of(session, [check.id])
        if _accepted(one) and one.role is Role.MEMBER and one.status not in rules.ANSWERED
    ]


async def late_flags(
    session: AsyncSession, case_id: UUID, check_id: UUID | None = None
) -> list[LateView]:
    """What was answered only after the report was closed, of all checks of a case or of one."""
    rows = await repository.late(session, case_id)
    if check_id is not None:
        rows = [row for row in rows if row.check_id == check_id]
    return [_late(row, await _opened(session, row, READING)) for row in rows]


async def latest(session: AsyncSession, case_id: UUID) -> CheckRow | None:
    """The check of a case that was started last."""
    checks = await repository.of_case(session, case_id)
    return checks[-1] if checks else None


async def to_change(
    session: AsyncSession, units: Collection[int], check_id: UUID, if_match: str | None
) -> CheckRow:
    """The check, locked after its household, on the version that the caller read."""
    found = await repository.find(session, units, check_id)
    if found is None:
        raise NotFound
    await households.find(session, units, found.household_id, lock=True)
    check = await repository.find(session, units, check_id, lock=True)
    if check is None:
        raise NotFound
    require_version(if_match, check.version)
    if await repository.ended(session, check):
        raise CaseEnded("办件已经终结，其核对不再继续")
    return check


async def retry(session: AsyncSession, check: CheckRow, request_id: UUID) -> RequestRow:
    """Ask a source again that was given up; it is the same request to the source."""
    request = await _of_open(session, check, request_id)
    if request.status not in {Status.FAILED, Status.TIMEOUT}:
        raise Conflict("该项查询正在进行或已有答复")
    request.status, request.failure, request.location = Status.ASKED, "", ""
    request.round += 1
    request.asked_at = now(session)
    request.accepted_reason = request.accepted_by = request.accepted_at = None
    check.version += 1
    await session.flush()
    await _enqueue(session, [request])
    await _note(session, request, "retried")
    return request


async def accept_missing(
    session: AsyncSession, check: CheckRow, request_id: UUID, reason: str
) -> RequestRow:
    """Take a person's responsibility for going on without a source, with the reason.

    Not while the source may still answer in time: it must have failed or been silent for as long as
    the law of the day gives it.
    """
    request = await _of_open(session, check, request_id)
    if request.status not in rules.MISSING:
        raise NotMissing("该来源已有答复")
    law = await law_of(session, await read_register(session), check.unit_id, today(session))
    hours = law.integer(GIVE_UP).value
    if request.status is Status.ASKED and not rules.gives_up(request.asked_at, hours, now(session)):
        raise StillAsked(f"查询提出未满 {hours} 小时，请等待答复，或待查询失败、逾时后再行接受")
    request.accepted_reason = seal(session, reason, _cell("accepted_reason", request.id))
    request.accepted_by, request.accepted_at = session.info["actor"], now(session)
    check.version += 1
    await _note(session, request, "missing_accepted")
    return request


async def acceptance(session: AsyncSession, check: CheckRow, request_id: UUID) -> AcceptanceView:
    """Why and by whom a missing source was accepted."""
    request = await _of(session, check, request_id)
    if request.accepted_reason is None or not request.accepted_by or request.accepted_at is None:
        raise NotFound("没有接受缺失的记载")
    reason = await reveal(
        session,
        request.accepted_reason,
        _cell("accepted_reason", request.id),
        of=str(request.id),
        purpose="查看接受来源缺失的理由",
    )
    return AcceptanceView(
        reason=reason, accepted_by=request.accepted_by, accepted_at=request.accepted_at
    )


async def adopt(session: AsyncSession, check: CheckRow, request_id: UUID) -> RequestRow:
    """Take an answer over as it is: its items become facts, whatever was declared."""
    request = await _of_open(session, check, request_id)
    answer = await _opened(session, request, ADOPTING)
    found = [] if answer is None else _items(request, answer)
    if request.role is not Role.MEMBER or not found:
        raise NotAnswered("只有家庭成员的查得内容可以登记")
    if request.adopted_at is not None:
        raise Conflict("该项查得内容已经登记")
    await household.take_over(session, check.household_id, found)
    request.adopted_at = now(session)
    check.version += 1
    await _note(session, request, "adopted")
    return request


async def close(session: AsyncSession, check: CheckRow) -> CheckRow:
    """Make the report; where a source knows more than was declared, its figures become facts.

    The caller holds the check's lock.

    Raises:
        SourcesMissing: a source has not answered and nobody has accepted that.
        CheckClosed: the report stands already.
    """
    _must_be_open(check)
    requests = await repository.requests_of(session, [check.id])
    _none_missing(requests)
    told = await _all_opened(session, check, requests, CLOSING)
    found = await _findings(session, check, _answers(requests, told))
    await _adopt_more(session, check, requests, told)
    day, result = today(session), Result.DIFFERS if found else Result.AGREES
    drawn = await _drawn(session, check, requests, told)
    final = drawn.model_copy(update={"state": State.CLOSED, "closed_on": day, "result": result})
    check.report = seal(session, final.model_dump_json(), _report_cell(check.id))
    check.closed_on, check.closed_by, check.result = day, session.info["actor"], result
    check.version += 1
    await session.flush()
    await audit.record(
        session, action="relief.check.closed", subject=str(check.id), purpose=rules.PURPOSE
    )
    return check


async def exchanges(session: AsyncSession, check: CheckRow, request_id: UUID) -> ExchangeList:
    """The exchange record of a request: each time that it was sent (domain.md C2); audited."""
    request = await _of(session, check, request_id)
    await _note(session, request, "exchanges_read")
    return ExchangeList(
        items=[
            ExchangeView(
                source=row.source,
                source_title=title(row.source),
                requester=row.requester,
                organisation=row.organisation,
                case_number=row.case_number,
                purpose=row.purpose,
                legal_basis=row.legal_basis,
                authorisation=row.authorisation,
                asked_at=row.asked_at,
                ended_at=row.ended_at,
                outcome=row.outcome,
                digest=row.digest,
            )
            for row in await repository.exchanges_of(session, request.id)
        ]
    )


async def hand_over(session: AsyncSession, case_id: UUID, unit: int) -> None:
    """Make another unit responsible for all checks of a case; the session's units hold both."""
    await session.flush()
    await repository.hand_over(session, case_id, unit)


async def law_of(session: AsyncSession, register: Register, unit: int, day: date) -> Law:
    """The law of the day where the household lives."""
    return await parameters.law(session, day, county=register.county_of(unit, day))


def title(source: str) -> str:
    """The Chinese name of a source."""
    return seed().parameters[SOURCES].options.get(source, source)


def answer_cell(request_id: UUID) -> Cell:
    return _cell("answer", request_id)


def _all_authorised(
    members: Iterable[MemberRow], supporters: Iterable[SupporterRow], law: Law, day: date
) -> None:
    barred = [
        one.name_masked
        for one in members
        if one.check_authorised_on is None or one.check_authorised_on > day
    ]
    if barred:
        raise NotAuthorised(f"下列家庭成员尚未授权核对：{'、'.join(barred)}")
    needed = law.flag(CONSENT)
    barred = [
        one.name_masked
        for one in supporters
        if not supporter_checkable(
            consented_on=one.consented_on, day=day, consent_required=needed.value
        )
    ]
    if barred:
        raise NotAuthorised(f"下列义务人尚未同意核对（{needed.source}）：{'、'.join(barred)}")


def _due_on(law: Law, requested_on: date) -> date | None:
    if not law.holds(START):
        return None
    return deadline(law.term(START).value, requested_on, _CALENDAR).day


def _member(member: MemberRow) -> dict[str, Any]:
    document = member.authorisation or "核对授权书"
    return {
        "role": Role.MEMBER,
        "member_id": member.id,
        "person": member.person,
        "label": member.name_masked,
        "authorisation": f"{document}（{member.check_authorised_on}，{member.id}）",
    }


def _supporter(supporter: SupporterRow, law: Law) -> dict[str, Any]:
    consent = f"{supporter.consent_document}（{supporter.consented_on}，{supporter.id}）"
    return {
        "role": Role.SUPPORTER,
        "member_id": supporter.id,
        "person": supporter.person,
        "label": supporter.name_masked,
        "authorisation": consent if supporter.consented_on else law.flag(CONSENT).source,
    }


def _request(
    session: AsyncSession, check: CheckRow, person: Mapping[str, Any], source: str
) -> RequestRow:
    return RequestRow(
        id=new_id(),
        check_id=check.id,
        unit_id=check.unit_id,
        source=source,
        status=Status.ASKED,
        round=1,
        attempts=0,
        asked_at=now(session),
        location="",
        failure="",
        **person,
    )


async def _enqueue(session: AsyncSession, requests: Iterable[RequestRow]) -> None:
    jobs = {
        f"{KIND}:{one.id}:{one.round}": {"request": str(one.id), "round": one.round}
        for one in requests
    }
    await enqueue_all(session, KIND, jobs)


def _must_be_open(check: CheckRow) -> None:
    if check.closed_on is not None:
        raise CheckClosed("已出具的报告不再改动；如需复查，请重新提请核对")


async def _of_open(session: AsyncSession, check: CheckRow, request_id: UUID) -> RequestRow:
    _must_be_open(check)
    return await _of(session, check, request_id)


async def _of(session: AsyncSession, check: CheckRow, request_id: UUID) -> RequestRow:
    request = await repository.request(session, request_id)
    if request is None or request.check_id != check.id:
        raise NotFound("未找到该项查询")
    return request


def _none_missing(requests: Iterable[RequestRow]) -> None:
    lacking = [
        f"{one.label}·{title(one.source)}"
        for one in requests
        if rules.missing(one.status, accepted=_accepted(one))
    ]
    if lacking:
        named = "、".join(lacking[:NAMED_AT_MOST])
        raise SourcesMissing(
            f"尚有 {len(lacking)} 项没有答复：{named}；请等待、重新查询，或说明理由后接受缺失"
        )


async def _opened(session: AsyncSession, request: RequestRow, purpose: str) -> SourceAnswer | None:
    if request.answer is None:
        return None
    cell = answer_cell(request.id)
    text = await reveal(session, request.answer, cell, of=_of_whom(request), purpose=purpose)
    return SourceAnswer.model_validate_json(text)


async def _all_opened(
    session: AsyncSession, check: CheckRow, requests: Sequence[RequestRow], purpose: str
) -> dict[UUID, SourceAnswer | None]:
    """Every answer of a check by its request; the audit holds one entry for each person.

    Whose answers were read is found by the person, which ones by the check: all it had then.
    """
    told: dict[UUID, SourceAnswer | None] = {one.id: None for one in requests}
    by_person: dict[str, dict[Cell, bytes]] = {}
    for one in requests:
        if one.answer is not None:
            by_person.setdefault(_of_whom(one), {})[answer_cell(one.id)] = one.answer
    for person, sealed in by_person.items():
        what = f"{purpose}（核对 {check.id}，{len(sealed)} 项答复）"
        opened = await reveal_all(session, sealed, of=person, purpose=what)
        told |= {cell.row: SourceAnswer.model_validate_json(text) for cell, text in opened.items()}
    return told


def _of_whom(request: RequestRow) -> str:
    return str(request.person or request.member_id)


async def _kept(session: AsyncSession, check: CheckRow, sealed: bytes) -> CheckReport:
    cell = _report_cell(check.id)
    text = await reveal(session, sealed, cell, of=str(check.household_id), purpose=READING)
    return CheckReport.model_validate_json(text)


async def _drawn(
    session: AsyncSession,
    check: CheckRow,
    requests: Sequence[RequestRow],
    told: Mapping[UUID, SourceAnswer | None],
) -> CheckReport:
    """The report of a check that is not closed, by what is known now."""
    lacking = [one for one in requests if rules.missing(one.status, accepted=_accepted(one))]
    found = await _findings(session, check, _answers(requests, told))
    return CheckReport(
        id=check.id,
        case=check.case_id,
        case_number=check.case_number,
        household=check.household_id,
        state=State.OPEN if lacking else State.COMPLETE,
        requested_on=check.requested_on,
        due_on=check.due_on,
        started_on=check.started_on,
        closed_on=None,
        result=None,
        legal_basis=check.legal_basis,
        lines=[_line(one, told[one.id]) for one in requests],
        missing=[
            MissingView(member=one.member_id, source=one.source, source_title=title(one.source))
            for one in lacking
        ],
        findings=[_finding_view(one) for one in found],
        late=[],
    )


async def _findings(
    session: AsyncSession, check: CheckRow, answers: Sequence[Answer]
) -> list[Finding]:
    declared = await household.declared(session, check.household_id)
    return rules.findings(declared.incomes, declared.properties, answers)


async def _adopt_more(
    session: AsyncSession,
    check: CheckRow,
    requests: Iterable[RequestRow],
    told: Mapping[UUID, SourceAnswer | None],
) -> None:
    """Take over what the sources know beyond what was declared, of those not yet adopted."""
    new = [
        (one, answer)
        for one in requests
        if one.role is Role.MEMBER
        and one.adopted_at is None
        and (answer := told[one.id]) is not None
    ]
    declared = await household.declared(session, check.household_id)
    keys = rules.kinds_to_adopt(
        declared.incomes, declared.properties, [_answer(one, answer) for one, answer in new]
    )
    taken = [
        (one, found)
        for one, answer in new
        for found in _items(one, answer)
        if {(str(one.member_id), found.item.kind), (rules.FAMILY, found.item.kind)} & keys
    ]
    await household.take_over(session, check.household_id, [found for _, found in taken])
    for one, _ in taken:
        one.adopted_at = now(session)


def _answers(
    requests: Iterable[RequestRow], told: Mapping[UUID, SourceAnswer | None]
) -> list[Answer]:
    return [_answer(one, answer) for one in requests if (answer := told[one.id]) is not None]


def _answer(request: RequestRow, answer: SourceAnswer) -> Answer:
    items = tuple(_item(one) for one in answer.items)
    return Answer(str(request.member_id), request.source, answer.data_day, items)


def _items(request: RequestRow, answer: SourceAnswer) -> list[household.Found]:
    """The items of an answer that can be facts of the household."""
    items = _answer(request, answer).items
    return [
        household.Found(request.member_id, answer.data_day, item)
        for item in items
        if rules.adoptable(item)
    ]


def _item(told: AnsweredItem) -> Item:
    return Item(told.kind, told.amount, told.area, told.months or 1, told.on)


def _accepted(request: RequestRow) -> bool:
    return request.accepted_at is not None


def _line(request: RequestRow, answer: SourceAnswer | None) -> LineView:
    return LineView(
        request=request.id,
        member=request.member_id,
        name=request.label,
        role=request.role,
        source=request.source,
        source_title=title(request.source),
        status=request.status,
        note=rules.FAILURE_TITLES[Failure(request.failure)] if request.failure else "",
        attempts=request.attempts,
        data_day=request.data_day,
        answered_at=request.answered_at,
        items=[
            ItemView(
                kind=one.kind,
                amount=one.amount,
                area=one.area,
                months=one.months or 1,
                on=one.on,
            )
            for one in (answer.items if answer else ())
        ],
        accepted=_accepted(request),
        adopted=request.adopted_at is not None,
    )


def _late(request: RequestRow, answer: SourceAnswer | None) -> LateView:
    if answer is None or request.answered_at is None:
        raise LookupError("a late answer is kept")
    return LateView(
        request=request.id,
        member=request.member_id,
        source=request.source,
        source_title=title(request.source),
        answered_at=request.answered_at,
        data_day=answer.data_day,
        items=len(answer.items),
    )


def _finding_view(finding: Finding) -> FindingView:
    return FindingView(
        member=UUID(finding.member) if finding.member else None,
        kind=finding.kind,
        difference=finding.difference,
        title=DIFFERENCES[finding.difference],
        declared=finding.declared,
        found=finding.found,
        sources=list(finding.sources),
    )


async def _note(session: AsyncSession, request: RequestRow, verb: str) -> None:
    await audit.record(session, action=f"relief.check.{verb}", subject=str(request.id))


def _report_cell(check_id: UUID) -> Cell:
    return Cell("economic_check", "report", check_id)


def _cell(column: str, request_id: UUID) -> Cell:
    return Cell("check_request", column, request_id)
