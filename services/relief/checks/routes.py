from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.idempotency import Idempotent, Route
from chassis.problems import NotFound, responses
from chassis.requests import Transaction, VisibleUnits, require
from services.relief.checks import repository, service
from services.relief.checks.models import CheckRow
from services.relief.checks.schemas import Acceptance, AcceptanceView, CheckReport, ExchangeList

router = APIRouter(prefix="/v1/relief/checks", tags=["经济状况核对"], route_class=Route)

Reader = Annotated[Principal, Depends(require("relief:files"))]
Checker = Annotated[Principal, Depends(require("relief:check"))]

CHANGES = responses(401, 403, 404, 409, 412, 422, 428, 503)
READS = responses(401, 403, 404, 422, 503)


@router.get("/{check_id}", summary="查看核对报告", responses=READS)
async def get_check(
    check_id: UUID,
    _: Reader,
    session: Transaction,
    units: VisibleUnits,
    response: Response,
) -> CheckReport:
    """逐人逐来源列出答复情况与数据日期；没有答复的如实列出，不视为没有。查阅记入审计。"""
    return await _report(session, await _seen(session, units, check_id), response)


@router.post(
    "/{check_id}/requests/{request_id}/retry",
    summary="重新查询",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def retry(
    check_id: UUID,
    request_id: UUID,
    _: Checker,
    session: Transaction,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> CheckReport:
    """对查询失败或逾时未答复的一项重新查询。"""
    check = await service.to_change(session, units, check_id, if_match)
    await service.retry(session, check, request_id)
    return await _report(session, check, response)


@router.post(
    "/{check_id}/requests/{request_id}/acceptance",
    summary="接受来源缺失",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def accept_missing(
    check_id: UUID,
    request_id: UUID,
    asked: Acceptance,
    _: Checker,
    session: Transaction,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> CheckReport:
    """由经办人说明理由，接受某一来源没有答复；理由加密保存，操作记入审计。"""
    check = await service.to_change(session, units, check_id, if_match)
    await service.accept_missing(session, check, request_id, asked.reason)
    return await _report(session, check, response)


@router.get(
    "/{check_id}/requests/{request_id}/acceptance",
    summary="查看接受缺失的理由",
    responses=READS,
)
async def get_acceptance(
    check_id: UUID, request_id: UUID, _: Reader, session: Transaction, units: VisibleUnits
) -> AcceptanceView:
    """何人因何理由接受该来源缺失；查阅记入审计。"""
    return await service.acceptance(session, await _seen(session, units, check_id), request_id)


@router.get(
    "/{check_id}/requests/{request_id}/exchanges",
    summary="查看交换记录",
    responses=READS,
)
async def get_exchanges(
    check_id: UUID, request_id: UUID, _: Reader, session: Transaction, units: VisibleUnits
) -> ExchangeList:
    """该项查询历次发出的记录：查询单位与人员、办件、目的、依据、授权、时间及答复的摘要。"""
    return await service.exchanges(session, await _seen(session, units, check_id), request_id)


@router.post(
    "/{check_id}/requests/{request_id}/adoption",
    summary="按查得内容登记",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def adopt(
    check_id: UUID,
    request_id: UUID,
    _: Checker,
    session: Transaction,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> CheckReport:
    """把一项查得内容登记为家庭的收入或财产，取代同一成员申报的同类内容；原申报保留备查。"""
    check = await service.to_change(session, units, check_id, if_match)
    await service.adopt(session, check, request_id)
    return await _report(session, check, response)


@router.post(
    "/{check_id}/close",
    summary="出具核对报告",
    dependencies=[Idempotent],
    responses=CHANGES,
)
async def close(
    check_id: UUID,
    _: Checker,
    session: Transaction,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> CheckReport:
    """各来源均已答复或其缺失已被接受后出具报告；查得多于申报的，按查得登记。此后报告不再改动。"""
    check = await service.to_change(session, units, check_id, if_match)
    await service.close(session, check)
    return await _report(session, check, response)


async def _seen(session: Transaction, units: VisibleUnits, check_id: UUID) -> CheckRow:
    check = await repository.find(session, units, check_id)
    if check is None:
        raise NotFound
    return check


async def _report(session: Transaction, check: CheckRow, response: Response) -> CheckReport:
    await session.flush()
    set_etag(response, check.version)
    return await service.report(session, check.id)
