"""What is shown of cases to a caller; the readings of one are audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework import corrections, documents, publicity, repository, todo
from casework.clock import Light, Reading, TimeLimit
from casework.models import CaseArchive, CaseDocument, CaseFile, CaseStep
from casework.repository import Search
from casework.schemas import (
    Action,
    ArchiveView,
    CaseItem,
    CaseQuery,
    CaseView,
    Catalogue,
    ClockView,
    CorrectionView,
    DocumentItem,
    DocumentList,
    DocumentView,
    History,
    MissingView,
    PublicityView,
    StepView,
    TodoList,
    TodoQuery,
)
from casework.service import (
    OPEN,
    barred_text,
    limits_of,
    promised_reading,
    reason_cell,
    step_reading,
    total_reading,
)
from casework.states import Matter, same_hands
from casework.todo import Organ
from chassis import audit
from chassis.access import Principal
from chassis.database import today
from chassis.law.units import Register
from chassis.paging import Page, decode_cursor, encode_cursor
from chassis.problems import FieldError, NotFound, Unprocessable
from chassis.sealing import reveal


@dataclass(frozen=True, slots=True)
class Desk:
    """From where a caller looks: who he is, what he may see, and the matters there are.

    `organs` says by matter what falls to the caller's organ alone.
    """

    principal: Principal
    units: frozenset[int]
    register: Register
    matters: Mapping[str, Matter]
    organs: Mapping[str, Organ] = field(default_factory=dict)

    def within(self, code: str | None, day: date) -> frozenset[int]:
        """The caller's units below a division; a foreign one is not found."""
        if code is None:
            return self.units
        unit = self.register.by_code(code)
        if unit is None:
            raise Unprocessable(
                "区划代码有误", errors=[FieldError("/query/division", "没有此区划代码")]
            )
        if unit not in self.units:
            raise NotFound("未找到该区划，或不在您的管辖范围内")
        return self.units & self.register.covered(unit, day)


async def page(session: AsyncSession, desk: Desk, asked: CaseQuery) -> Page[CaseItem]:
    day = today(session)
    states = [
        (matter.code, state.code)
        for matter in desk.matters.values()
        for state in matter.states
        if asked.matter in {None, matter.code}
        and asked.state in {None, state.code}
        and asked.process in {None, state.process}
    ]
    search = Search(states, asked.light, asked.q, desk.within(asked.division, day))
    cases = await repository.listed(
        session, desk.units, search, day, after=_after(asked.cursor), limit=asked.limit + 1
    )
    more = len(cases) > asked.limit
    items = [_item(desk, one, day) for one in cases[: asked.limit]]
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].id)) if more else None)


async def todo_list(session: AsyncSession, desk: Desk, asked: TodoQuery) -> TodoList:
    """What waits for the caller; the counts are of all processes, the items of those asked for."""
    day = today(session)
    matters = desk.matters.values()
    counts = await repository.todo_counts(
        session, desk.units, todo.tasks(matters, desk.principal.may, organs=desk.organs), day
    )
    cases = await repository.todo(
        session,
        desk.units,
        todo.tasks(matters, desk.principal.may, asked.process, desk.organs),
        day,
        light=asked.light,
        after=_after_due(asked.cursor),
        limit=asked.limit + 1,
    )
    shown, more = cases[: asked.limit], len(cases) > asked.limit
    return TodoList(
        as_of=day,
        processes=todo.by_process(matters, counts),
        items=Page(
            items=[_item(desk, one, day) for one in shown],
            next_cursor=_due_cursor(shown[-1]) if more else None,
        ),
    )


async def one(session: AsyncSession, desk: Desk, case: CaseFile) -> CaseView:
    """One case as the caller sees it."""
    day = today(session)
    matter = desk.matters[case.matter]
    state = matter.state(case.state)
    steps = await repository.steps_of(session, case.id)
    limits = limits_of(case)
    await audit.record(
        session, action="case.read", subject=str(case.id), purpose=f"查看{matter.title}办件"
    )
    return CaseView(
        id=case.id,
        number=case.number,
        matter=matter.code,
        matter_title=matter.title,
        state=state.code,
        state_title=state.title,
        process=state.process,
        division=desk.register.last_code_of(case.unit_id, day),
        division_name=desk.register.name_of(case.unit_id, day),
        label=case.label,
        channel=case.channel,
        opened_on=case.opened_on,
        accepted_on=case.accepted_on,
        decided_on=case.decided_on,
        closed_on=case.closed_on,
        outcome=case.ended,
        parent=case.parent_id,
        subject=case.subject_id,
        clock=_clock(limits.total, total_reading(case, steps, day)),
        promised_clock=_clock(limits.promised, promised_reading(case, steps, day)),
        step_clock=_clock(limits.steps.get(case.state), step_reading(case, steps, day)),
        flags=case.flags,
        prolonged=case.prolonged,
        actions=_actions(desk.principal, matter, case, steps, await _others(session, desk, case)),
        correction=await _correction(session, case),
        etag=f'"{case.version}"',
    )


async def history(session: AsyncSession, desk: Desk, case: CaseFile) -> History:
    """Every step with its reason, which is opened for this reading."""
    matter = desk.matters[case.matter]
    titles = {OPEN: "登记"} | {one.name: one.title for one in matter.transitions}
    await audit.record(session, action="case.history", subject=str(case.id), purpose="查看办理经过")
    return History(
        items=[
            StepView(
                position=step.position,
                name=step.name,
                title=titles.get(step.name, step.name),
                from_=step.source,
                from_title=matter.state(step.source).title if step.source else "",
                to=step.target,
                to_title=matter.state(step.target).title,
                actor=step.actor,
                organisation=step.organisation,
                at=step.at,
                reason=await _reason(session, step),
                clock=step.clock,
            )
            for step in await repository.steps_of(session, case.id)
        ]
    )


async def documents_of(session: AsyncSession, case: CaseFile) -> DocumentList:
    rows = await repository.documents_of(session, case.id)
    return DocumentList(items=[document_item(row) for row in rows])


async def document(session: AsyncSession, row: CaseDocument) -> DocumentView:
    """A document with its snapshot; the reading is audited."""
    snapshot = await documents.read(session, row, "查看决定文书")
    return DocumentView(**document_item(row).model_dump(), snapshot=snapshot)


def archive(kept: CaseArchive) -> ArchiveView:
    return ArchiveView(
        id=kept.id,
        case=kept.case_id,
        archived_on=kept.archived_on,
        retention=kept.retention,
        catalogue=Catalogue.model_validate(kept.catalogue),
        digest=kept.digest,
    )


async def posted(
    session: AsyncSession, desk: Desk, division: str | None, cursor: str | None, limit: int
) -> Page[PublicityView]:
    """What hangs today in a division."""
    day = today(session)
    units = desk.within(division, day)
    rows = await repository.posted(
        session, units, day, matters=desk.matters, after=_after(cursor), limit=limit + 1
    )
    items = [
        PublicityView(
            id=row.id,
            case=case.id,
            matter_title=desk.matters[case.matter].title,
            kind=row.kind,
            division=desk.register.last_code_of(case.unit_id, day),
            division_name=desk.register.name_of(case.unit_id, day),
            posted_on=row.posted_on,
            last_day=row.last_day,
            content=await publicity.content(session, row),
        )
        for row, case in rows[:limit]
    ]
    more = len(rows) > limit
    return Page(items=items, next_cursor=encode_cursor(str(items[-1].id)) if more else None)


def _item(desk: Desk, case: CaseFile, day: date) -> CaseItem:
    matter = desk.matters[case.matter]
    state = matter.state(case.state)
    return CaseItem(
        id=case.id,
        number=case.number,
        matter=matter.code,
        matter_title=matter.title,
        label=case.label,
        state=state.code,
        state_title=state.title,
        process=state.process,
        process_title=state.process,
        division=desk.register.last_code_of(case.unit_id, day),
        division_name=desk.register.name_of(case.unit_id, day),
        light=_light(case, day),
        due=case.due_on,
        days_left=None if case.due_on is None else (case.due_on - day).days,
        opened_on=case.opened_on,
        entered_on=case.entered_on,
        flags=case.flags,
    )


def _light(case: CaseFile, day: date) -> Light:
    """As `repository.light_on`, for a row at hand."""
    if case.due_on is None:
        return Light.NONE
    if case.paused_on(day):
        return Light.PAUSED
    if case.due_on < day:
        return Light.RED
    return Light.AMBER if case.amber_on is not None and case.amber_on <= day else Light.GREEN


def _clock(limit: TimeLimit | None, reading: Reading | None) -> ClockView | None:
    if limit is None or reading is None:
        return None
    return ClockView(
        title=limit.title,
        due=reading.due,
        used=reading.used,
        count=reading.count,
        unit=limit.term.unit,
        light=reading.light,
        provisional=reading.provisional,
        paused=reading.light is Light.PAUSED,
        stopped_on=reading.stopped_on,
        source=limit.term.source,
    )


async def _others(session: AsyncSession, desk: Desk, case: CaseFile) -> dict[str, str]:
    """The steps by which the case goes on that fall to another organ, each with which one."""
    organ, matter = desk.organs.get(case.matter), desk.matters[case.matter]
    if organ is None:
        return {}
    onward = todo.steps_on(matter, matter.state(case.state))
    names = [one.name for one in onward if one.scope == organ.scope]
    if not names or await repository.holds(session, case.id, organ.where):
        return {}
    return dict.fromkeys(names, organ.why)


def _actions(
    principal: Principal,
    matter: Matter,
    case: CaseFile,
    steps: Sequence[CaseStep],
    others: Mapping[str, str],
) -> list[Action]:
    taken = [(step.name, step.actor) for step in steps]
    actions = []
    for step in matter.permitted(case.state):
        if not principal.may(step.scope):
            continue
        earlier = same_hands(step, taken, principal.subject)
        actions.append(
            Action(
                name=step.name,
                title=step.title,
                scope=step.scope,
                needs_reason=step.needs_reason,
                barred=others.get(step.name)
                or (None if earlier is None else barred_text(matter, earlier)),
            )
        )
    return actions


async def _correction(session: AsyncSession, case: CaseFile) -> CorrectionView | None:
    told = await repository.correction_of(session, case.id)
    if told is None:
        return None
    return CorrectionView(
        told_on=told.told_on,
        fulfilled_on=told.fulfilled_on,
        items=[
            MissingView(code=item.code, title=item.title, why=item.why)
            for item in await corrections.items_of(session, told)
        ],
    )


async def _reason(session: AsyncSession, step: CaseStep) -> str:
    if step.reason is None:
        return ""
    return await reveal(
        session, step.reason, reason_cell(step), of=str(step.case_id), purpose="查看办理经过"
    )


def document_item(row: CaseDocument) -> DocumentItem:
    return DocumentItem(
        id=row.id,
        kind=row.kind,
        number=row.number,
        title=row.title,
        digest=row.digest,
        made_at=row.made_at,
        made_by=row.made_by,
        due_delivery_on=row.due_delivery_on,
        delivered_on=row.delivered_on,
        delivered_how=row.delivered_how,
    )


def _after(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, (str,))
    return None if key is None else _uuid(str(key[0]))


def _due_cursor(case: CaseFile) -> str:
    return encode_cursor((case.due_on or repository.NEVER).isoformat(), str(case.id))


def _after_due(cursor: str | None) -> tuple[date, UUID] | None:
    key = decode_cursor(cursor, (str, str))
    if key is None:
        return None
    try:
        return date.fromisoformat(str(key[0])), _uuid(str(key[1]))
    except ValueError:
        raise _bad_cursor() from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _bad_cursor() from None


def _bad_cursor() -> Unprocessable:
    return Unprocessable(
        "分页游标无效", errors=[FieldError("/query/cursor", "不是本接口返回的游标")]
    )
