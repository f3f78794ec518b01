"""Publish editions of the plan's figures: frozen as they were, restated only by another one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.database import now
from chassis.ids import new_id
from chassis.paging import Page, decode_cursor, encode_cursor
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from services.indicator.editions import repository
from services.indicator.editions.models import EditionFigureRow, EditionRow
from services.indicator.editions.schemas import (
    EditionFigure,
    EditionPublish,
    EditionSummary,
    EditionView,
)
from services.indicator.plans import service as plans
from services.indicator.plans.access import Desk, NotYours, View
from services.indicator.plans.schemas import IndicatorItem


class AlreadyPublished(Conflict):
    slug, title = "edition-already-published", "该日期已有发布版"


class AlreadyRestated(Conflict):
    slug, title = "edition-already-restated", "该版本已被更正"


async def publish(desk: Desk, asked: EditionPublish) -> EditionView:
    """Freeze all indicators of the plan's scopes as they are on a day.

    Raises:
        NotYours: the caller does not see the whole scope.
        Unprocessable: the plan has no figures of that day, or not by what was known then.
        AlreadyPublished: there is an edition of that day, which has to be restated.
        AlreadyRestated: the edition that is restated is not the last word any more.
    """
    if not desk.sees_scopes:
        raise NotYours
    _check_days(desk, asked)
    number = await repository.next_number(desk.session, desk.plan.code)
    before = await _restated(desk, asked)
    board = await plans.board(desk, View(asked.as_of, asked.known_on))
    edition = EditionRow(
        id=new_id(),
        plan=desk.plan.code,
        number=number,
        title=asked.title,
        as_of=asked.as_of,
        known_on=asked.known_on,
        frozen_at=now(desk.session),
        frozen_by=desk.session.info["actor"],
        definition_version=desk.plan.version,
        restates=asked.restates,
        reason=asked.reason or "",
    )
    desk.session.add(edition)
    await desk.session.flush()
    desk.session.add_all(_figure(desk, edition.id, item, before) for item in board.items)
    await desk.session.flush()
    await audit.record(
        desk.session,
        action="indicator.edition.publish",
        subject=str(edition.id),
        purpose=asked.reason or "",
    )
    return await one(desk.session, edition.id)


def _check_days(desk: Desk, asked: EditionPublish) -> None:
    day, known = asked.as_of, asked.known_on
    errors = []
    if day > desk.today:
        errors.append(FieldError("/as_of", "不能晚于今天"))
    if day < desk.plan.baseline_on:
        errors.append(FieldError("/as_of", f"不能早于规划基期 {desk.plan.baseline_on}"))
    if not all(desk.scopes[code].members(day) for code in desk.plan.scopes):
        errors.append(FieldError("/as_of", "规划的管辖口径当日不存在"))
    if known is not None and known > desk.today:
        errors.append(FieldError("/known_on", "不能晚于今天"))
    if known is not None and known < day:
        # What was known of a day before it came was a forecast, which is not published.
        errors.append(FieldError("/known_on", "不能早于数据的截止日期"))
    if errors:
        raise Unprocessable("日期有误", errors=errors)


async def _restated(desk: Desk, asked: EditionPublish) -> dict[str, str | None]:
    """What the restated edition said, by indicator."""
    latest = await repository.latest(desk.session, desk.plan.code, asked.as_of)
    if asked.restates is None:
        if latest is not None:
            raise AlreadyPublished("该日期已有发布版，如数据有更正请发更正版并写明理由")
        return {}
    found = await repository.find(desk.session, asked.restates)
    if found is None:
        raise Unprocessable("版本有误", errors=[FieldError("/restates", "没有此版本")])
    edition, _ = found
    if edition.as_of != asked.as_of:
        raise Unprocessable(
            "版本有误", errors=[FieldError("/as_of", "应与所更正版本的截止日期相同")]
        )
    if edition is not latest:
        raise AlreadyRestated("请更正最近的一版")
    return {row.code: row.value for row in await repository.figures_of(desk.session, edition.id)}


def _figure(
    desk: Desk, edition_id: UUID, item: IndicatorItem, before: dict[str, str | None]
) -> EditionFigureRow:
    version = desk.indicator(item.code).version
    shown = EditionFigure(
        **item.model_dump(), definition_version=version, before=before.get(item.code)
    )
    return EditionFigureRow(
        edition_id=edition_id,
        no=item.no,
        code=item.code,
        definition_version=version,
        value=item.value,
        shown=shown.model_dump(mode="json"),
    )


async def one(session: AsyncSession, edition_id: UUID) -> EditionView:
    found = await repository.find(session, edition_id)
    if found is None:
        raise NotFound("未找到该版本")
    return EditionView(
        **_summary(*found).model_dump(),
        figures=[
            EditionFigure.model_validate(row.shown)
            for row in await repository.figures_of(session, edition_id)
        ],
    )


async def page(session: AsyncSession, *, limit: int, cursor: str | None) -> Page[EditionSummary]:
    after = decode_cursor(cursor, (int,))
    below = min(int(after[0]), 2**31 - 1) if after else None
    found = await repository.listed(session, below=below, limit=limit + 1)
    shown = [_summary(*each) for each in found[:limit]]
    more = len(found) > limit
    return Page(items=shown, next_cursor=encode_cursor(shown[-1].number) if more else None)


def _summary(edition: EditionRow, restated_by: UUID | None) -> EditionSummary:
    return EditionSummary(
        id=edition.id,
        number=edition.number,
        title=edition.title,
        as_of=edition.as_of,
        known_on=edition.known_on,
        frozen_at=edition.frozen_at,
        definition_version=edition.definition_version,
        restates=edition.restates,
        restated_by=restated_by,
        reason=edition.reason or None,
    )
