"""Awards and their changes as they are shown."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from casework import publicity
from casework import repository as cases
from casework.models import CaseFile
from chassis import audit
from chassis.law.dates import add_years
from chassis.paging import Page, decode_cursor, encode_cursor
from chassis.privacy import Cell
from chassis.problems import FieldError, NotFound, Unprocessable
from chassis.sealing import reveal
from contracts.events.relief import AwardState
from services.relief.awards import deaths, measuring, repository, rules
from services.relief.awards.desk import Desk
from services.relief.awards.models import AwardRow, ChangeRow, DeathRow, HearingRow, PeriodRow
from services.relief.awards.rules import MATTER, Period, Recorded
from services.relief.awards.schemas import (
    AwardItem,
    AwardView,
    ChangeList,
    ChangeView,
    CorrectedView,
    DeathView,
    ExtraView,
    FraudView,
    HearingView,
    JobOfferView,
    ListQuery,
    MemberView,
    PeriodView,
    PublishedItem,
    PublishedQuery,
    ReviewView,
    ViewQuery,
)
from services.relief.entitlement import awards as law_of_awards
from services.relief.entitlement.membership import ADULT
from services.relief.households import repository as household_rows
from services.relief.households.service import end_of
from services.relief.parameters.rules import Law

Known = Sequence[tuple[PeriodRow, Recorded]]


async def page(desk: Desk, asked: ListQuery) -> Page[AwardItem]:
    """The awards that the search finds, in the order of their approval."""
    as_of = asked.as_of or desk.day
    found = await repository.listed(
        desk.session,
        repository.Search(
            units=desk.units if asked.division is None else desk.within(asked.division),
            as_of=as_of,
            state=asked.state,
            number=asked.q,
            review_due_by=asked.review_due_by,
            death_open=asked.death_open,
        ),
        after=_after(asked.cursor),
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    known = await repository.recorded(desk.session, [one.id for one in shown])
    died = await repository.deaths_of(desk.session, [one.id for one in shown])
    more = len(found) > asked.limit
    return Page(
        items=[_item(desk, one, known[one.id], died[one.id], as_of) for one in shown],
        next_cursor=encode_cursor(str(shown[-1].id)) if more else None,
    )


async def read(desk: Desk, award: AwardRow, asked: ViewQuery) -> AwardView:
    """As `one`, looked up for itself: the reading is audited."""
    await note_reading(desk, award.id)
    return await one(desk, award, asked)


async def note_reading(desk: Desk, award_id: UUID) -> None:
    await audit.record(
        desk.session, action="relief.award.read", subject=str(award_id), purpose="查看低保待遇"
    )


async def one(desk: Desk, award: AwardRow, asked: ViewQuery) -> AwardView:
    """The award on a day; with `known_on` as its periods were known at the end of that day.

    Raises:
        NotFound: it was not known then.
    """
    session = desk.session
    as_of, before = asked.as_of or desk.day, end_of(asked.known_on)
    known = (await repository.recorded(session, [award.id]))[award.id]
    if before is not None:
        known = [(row, one) for row, one in known if one.known(before)]
    if not known:
        raise NotFound("当时尚无该待遇")
    members = await household_rows.members_of(session, award.household_id)
    current = rules.in_force(rules.timeline((one for _, one in known), before), as_of)
    covered = current.persons if current else ()
    died = (await repository.deaths_of(session, [award.id]))[award.id]
    return AwardView(
        **_item(desk, award, known, died, as_of, before).model_dump(),
        household=award.household_id,
        case=award.case_id,
        periods=[_period(desk, row, one) for row, one in known],
        persons_known=[
            MemberView(
                person=one.person,
                name=one.name_masked,
                born=one.born,
                covered=one.person in covered,
            )
            for one in members
        ],
        deaths=[_death(desk, one) for one in died],
        reviews=[
            ReviewView(
                id=one.id,
                reviewed_on=one.reviewed_on,
                review_class=one.review_class,
                next_due_on=one.next_due_on,
                recorded_at=one.recorded_at,
            )
            for one in await repository.reviews_of(session, award.id)
        ],
        job_offers=[
            JobOfferView(
                id=one.id,
                person=one.person,
                offered_on=one.offered_on,
                accepted=one.accepted,
                excused=one.excused,
                recorded_at=one.recorded_at,
            )
            for one in await repository.job_offers_of(session, award.id)
        ],
        etag=f'"{award.version}"',
    )


async def changes(desk: Desk, award: AwardRow) -> ChangeList:
    """The changes of an award, the latest first; the reading is audited."""
    await note_reading(desk, award.id)
    rows = await repository.changes_of(desk.session, award.id)
    seen = await cases.found(desk.session, desk.units, [row.id for row in rows])
    beside = await _beside(desk, award.id, award.unit_id, list(seen))
    return ChangeList(items=[_change(seen[row.id], row, beside) for row in rows if row.id in seen])


async def change(desk: Desk, case: CaseFile, row: ChangeRow) -> ChangeView:
    return _change(case, row, await _beside(desk, row.award_id, row.unit_id, [row.id]))


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is shown with changes of one award: hearings and documents by change, today's law."""

    hearings: Mapping[UUID, HearingRow]
    documents: Mapping[UUID, list[UUID]]
    law: Law


async def _beside(desk: Desk, award_id: UUID, unit: int, changes_: Collection[UUID]) -> _Beside:
    return _Beside(
        await repository.hearings_of(desk.session, award_id),
        await cases.document_ids(desk.session, changes_),
        await measuring.law_on(desk.session, desk.register, unit, desk.day),
    )


def _change(case: CaseFile, row: ChangeRow, beside: _Beside) -> ChangeView:
    figures, fraud = row.figures, row.figures["fraud"]
    hearing = beside.hearings.get(row.id)
    needed = (
        row.open
        and hearing is None
        and figures["lowers"]
        and not figures["nobody_to_hear"]
        and law_of_awards.hearing_required(law_of_awards.Change.STOP, beside.law)
    )
    return ChangeView(
        id=row.id,
        award=row.award_id,
        number=case.number,
        kind=row.kind,
        kind_title=rules.KIND_TITLES[row.kind],
        state=case.state,
        state_title=MATTER.state(case.state).title,
        proposed_on=row.proposed_on,
        decided_on=row.decided_on,
        effective_from=row.effective_from,
        effect=row.effect,
        before=_decimal(figures["before"]),
        after=_decimal(figures["after"]),
        interim=_decimal(figures["interim"]),
        settles_on=figures["settles_on"] and date.fromisoformat(figures["settles_on"]),
        ends_on=figures["ends_on"] and date.fromisoformat(figures["ends_on"]),
        overpaid=_decimal(figures["overpaid"]),
        fraud=fraud and FraudView(**fraud),
        correction=figures["correction"] and CorrectedView(**figures["correction"]),
        unreported=figures["unreported"],
        hearing=hearing and _hearing(hearing),
        hearing_needed=needed,
        hearing_note=figures["nobody_to_hear"],
        documents=beside.documents[row.id],
        etag=f'"{case.version}"',
    )


async def published(desk: Desk, asked: PublishedQuery) -> Page[PublishedItem]:
    """Who is paid today (57号 art. 24): name, number of members, amount, and nothing else.

    The amount is the family's: an extra would tell of illness or disability. Each name that is
    opened stands in the audit.
    """
    found = await repository.listed(
        desk.session,
        repository.Search(units=desk.within(asked.division), as_of=desk.day, state=AwardState.PAID),
        after=_after(asked.cursor),
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    known = await repository.recorded(desk.session, [one.id for one in shown])
    items = []
    for award in shown:
        period = rules.in_force(rules.timeline(one for _, one in known[award.id]), desk.day)
        if period is not None:
            name = await _published_name(desk, award)
            items.append(
                PublishedItem(applicant=name, members=len(period.persons), amount=period.base)
            )
    more = len(found) > asked.limit
    return Page(items=items, next_cursor=encode_cursor(str(shown[-1].id)) if more else None)


async def _published_name(desk: Desk, award: AwardRow) -> str:
    members = await household_rows.members_of(desk.session, award.household_id)
    members.sort(key=lambda one: (one.left_on is not None, one.person != award.applicant))
    named = members[0]
    name = await reveal(
        desk.session,
        named.name,
        Cell("household_member", "name", named.id),
        of=str(named.person),
        purpose="公布最低生活保障对象（民发〔2021〕57号第二十四条）",
    )
    minor = add_years(named.born, ADULT) > desk.day
    return publicity.surname_only(name) if minor else name


def _item(
    desk: Desk,
    award: AwardRow,
    known: Known,
    died: Sequence[DeathRow],
    as_of: date,
    before: datetime | None = None,
) -> AwardItem:
    work = deaths.unsettled(died)
    timeline = rules.timeline((one for _, one in known), before)
    period = rules.in_force(timeline, as_of)
    shown = period or replace(timeline[0], unit=award.unit_id)
    return AwardItem(
        id=award.id,
        number=award.number,
        label=award.label,
        division=desk.code_of(shown.unit, as_of),
        division_name=desk.name_of(shown.unit, as_of),
        area=shown.area,
        state=period.state if period else None,
        persons=len(shown.persons),
        amount=shown.base,
        extras=shown.extras,
        paid_from=timeline[0].from_,
        review_class=award.review_class,
        review_due_on=award.review_due_on,
        death_open=bool(work),
        death_review_due_on=deaths.due_on(work),
        death_light=deaths.light(work, desk.day),
    )


def _period(desk: Desk, row: PeriodRow, recorded: Recorded) -> PeriodView:
    period: Period = recorded.period
    return PeriodView(
        id=row.id,
        from_=period.from_,
        division=desk.code_of(period.unit, period.from_),
        division_name=desk.name_of(period.unit, period.from_),
        area=period.area,
        state=period.state,
        persons=len(period.persons),
        amount=period.base,
        extras=period.extras,
        covered=list(period.persons),
        lines=[
            ExtraView(
                person=one.person, category=one.category, amount=one.amount, article=one.article
            )
            for one in period.lines
        ],
        case=row.case_id,
        recorded_at=row.recorded_at,
        superseded_at=row.superseded_at,
    )


def _death(desk: Desk, row: DeathRow) -> DeathView:
    return DeathView(
        person=row.person,
        died_on=row.died_on,
        due_on=row.due_on,
        light=deaths.light(deaths.unsettled([row]), desk.day),
        settled_on=row.settled_on,
        settled_by=row.settled_by,
    )


def _hearing(row: HearingRow) -> HearingView:
    return HearingView(
        notified_on=row.notified_on,
        heard_on=row.heard_on,
        method=row.method,
        heard=row.heard,
        guardian=row.guardian_masked,
        recorded_at=row.recorded_at,
    )


def _decimal(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)


def _after(cursor: str | None) -> UUID | None:
    key = decode_cursor(cursor, (str,))
    if key is None:
        return None
    try:
        return UUID(str(key[0]))
    except ValueError:
        raise Unprocessable(
            "分页游标无效", errors=[FieldError("/query/cursor", "不是本接口返回的游标")]
        ) from None
