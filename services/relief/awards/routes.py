from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from casework.models import CaseFile
from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.idempotency import Idempotent, Route
from chassis.paging import Page
from chassis.problems import responses
from chassis.requests import CurrentRuntime, Transaction, VisibleUnits, require
from services.relief.awards import changes, reviews, service, views
from services.relief.awards.desk import Desk
from services.relief.awards.schemas import (
    AwardItem,
    AwardView,
    ChangeIn,
    ChangeList,
    ChangeView,
    DecisionIn,
    DeliveryIn,
    HearingIn,
    JobOfferIn,
    JobOfferView,
    ListQuery,
    PublishedItem,
    PublishedQuery,
    ReviewIn,
    ReviewView,
    ViewQuery,
    WithdrawalIn,
)

router = APIRouter(prefix="/v1/relief", tags=["低保待遇"], route_class=Route)

Reader = Annotated[Principal, Depends(require("relief:files"))]
Reviewer = Annotated[Principal, Depends(require("relief:review"))]
Decider = Annotated[Principal, Depends(require("relief:decide"))]

CHANGES = responses(401, 403, 404, 409, 412, 422, 428, 503)


async def desk_of(session: Transaction, runtime: CurrentRuntime, units: VisibleUnits) -> Desk:
    return Desk(session, await runtime.places.register(), units)


CurrentDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/awards", summary="查询待遇", responses=responses(401, 403, 404, 422, 503))
async def list_awards(
    asked: Annotated[ListQuery, Query()], _: Reader, desk: CurrentDesk
) -> Page[AwardItem]:
    """列出各户某日的待遇；以 review_due_by 取应核查的，以 death_open 取有成员死亡待办的。"""
    return await views.page(desk, asked)


@router.get(
    "/awards/published", summary="公布低保对象", responses=responses(401, 403, 404, 422, 503)
)
async def list_published(
    asked: Annotated[PublishedQuery, Query()], _: Reader, desk: CurrentDesk
) -> Page[PublishedItem]:
    """某镇街或村居今日在保家庭的申请人姓名、成员数量、保障金额；不含其他信息。"""
    return await views.published(desk, asked)


@router.get("/awards/{award_id}", summary="查看待遇", responses=responses(401, 403, 404, 422, 503))
async def get_award(
    award_id: UUID,
    asked: Annotated[ViewQuery, Query()],
    _: Reader,
    desk: CurrentDesk,
    response: Response,
) -> AwardView:
    """一户待遇的各段、人员、分类重点救助、核查与就业介绍。查看留痕。"""
    award = await desk.award(award_id)
    set_etag(response, award.version)
    return await views.read(desk, award, asked)


@router.get(
    "/awards/{award_id}/changes", summary="查看变动", responses=responses(401, 403, 404, 422, 503)
)
async def list_changes(award_id: UUID, _: Reader, desk: CurrentDesk) -> ChangeList:
    """一户待遇的历次变动，最近的在前。查看留痕。"""
    return await views.changes(desk, await desk.award(award_id))


@router.post(
    "/awards/{award_id}/changes",
    status_code=201,
    summary="提出变动",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def propose_change(
    award_id: UUID, asked: ChangeIn, _: Reviewer, desk: CurrentDesk, response: Response
) -> ChangeView:
    """提出增发、减发、停发、渐退、死亡、迁移、自愿退出等变动，或者更正登记有误的一段。

    金额由系统按家庭的事实和当日的规定、标准测算；减少或停止救助的，同时制作听取意见告知书。
    """
    case = await changes.propose(desk, award_id, asked)
    response.headers["Location"] = f"{router.prefix}/award-changes/{case.id}"
    return await _shown(desk, case, response)


@router.get(
    "/award-changes/{change_id}",
    summary="查看一次变动",
    responses=responses(401, 403, 404, 422, 503),
)
async def get_change(
    change_id: UUID, _: Reader, desk: CurrentDesk, response: Response
) -> ChangeView:
    """一次变动的金额、生效日、听取意见与文书。查看留痕。"""
    case, row = await desk.change(change_id)
    await views.note_reading(desk, row.award_id)
    return await _shown(desk, case, response)


@router.post(
    "/award-changes/{change_id}/hearing",
    summary="记录听取意见",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def hear(
    change_id: UUID,
    asked: HearingIn,
    _: Reviewer,
    desk: CurrentDesk,
    response: Response,
    if_match: IfMatch = None,
) -> ChangeView:
    """记录何时告知、何时以何种方式听取了何人的意见（社会救助法第四十八条）。

    逾期未提出的，期满后才可记录；未成年人须写明监护人。
    """
    return await _shown(desk, await changes.hear(desk, change_id, if_match, asked), response)


@router.post(
    "/award-changes/{change_id}/decide",
    summary="决定变动",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def decide(
    change_id: UUID,
    asked: DecisionIn,
    _: Decider,
    desk: CurrentDesk,
    response: Response,
    if_match: IfMatch = None,
) -> ChangeView:
    """按决定之日的事实、规定与标准作出决定，制作决定书；提出人不得决定。

    2026年7月1日起，减发、停发未听取意见的不能决定。
    """
    return await _shown(desk, await changes.decide(desk, change_id, if_match, asked), response)


@router.post(
    "/award-changes/{change_id}/deliver",
    summary="送达决定",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def deliver(
    change_id: UUID,
    asked: DeliveryIn,
    _: Reviewer,
    desk: CurrentDesk,
    response: Response,
    if_match: IfMatch = None,
) -> ChangeView:
    """登记决定书的送达，变动随之办结。"""
    return await _shown(desk, await changes.deliver(desk, change_id, if_match, asked), response)


@router.post(
    "/award-changes/{change_id}/withdraw",
    summary="撤销变动",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def withdraw(
    change_id: UUID,
    asked: WithdrawalIn,
    _: Reviewer,
    desk: CurrentDesk,
    response: Response,
    if_match: IfMatch = None,
) -> ChangeView:
    """撤销尚未决定的变动，并说明理由。"""
    return await _shown(desk, await changes.withdraw(desk, change_id, if_match, asked), response)


@router.post(
    "/awards/{award_id}/reviews",
    status_code=201,
    summary="登记定期核查",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def review(
    award_id: UUID,
    asked: ReviewIn,
    _: Reviewer,
    desk: CurrentDesk,
    response: Response,
    if_match: IfMatch = None,
) -> ReviewView:
    """登记一次未见变动的定期核查，并排定下次核查日；按规定应当变动的不能登记，须提出变动。"""
    award, row, warnings = await reviews.review(desk, award_id, if_match, asked)
    set_etag(response, award.version)
    return ReviewView(
        id=row.id,
        reviewed_on=row.reviewed_on,
        review_class=row.review_class,
        next_due_on=row.next_due_on,
        recorded_at=row.recorded_at,
        warnings=warnings,
    )


@router.post(
    "/awards/{award_id}/job-offers",
    status_code=201,
    summary="登记就业介绍",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def record_job_offer(
    award_id: UUID,
    asked: JobOfferIn,
    _: Reviewer,
    desk: CurrentDesk,
    response: Response,
    if_match: IfMatch = None,
) -> JobOfferView:
    """登记向某成员介绍的工作、是否接受、拒绝有无正当理由（民发〔2021〕57号第三十四条）。"""
    award, row = await service.record_job_offer(desk, award_id, if_match, asked)
    set_etag(response, award.version)
    return JobOfferView(
        id=row.id,
        person=row.person,
        offered_on=row.offered_on,
        accepted=row.accepted,
        excused=row.excused,
        recorded_at=row.recorded_at,
    )


async def _shown(desk: Desk, case: CaseFile, response: Response) -> ChangeView:
    found, row = await desk.change(case.id)
    set_etag(response, found.version)
    return await views.change(desk, found, row)
