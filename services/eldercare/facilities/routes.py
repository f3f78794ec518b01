import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.database import today
from chassis.fields import Day
from chassis.idempotency import Idempotent, Route
from chassis.paging import Page
from chassis.problems import responses
from chassis.requests import CurrentRuntime, Transaction, VisibleUnits, require
from chassis.spreadsheet import BINARY, DOWNLOAD, WorkbookResponse, download
from services.eldercare.facilities import importing, service, views, workbook
from services.eldercare.facilities.schemas import (
    FacilityChange,
    FacilityRegister,
    FacilitySummary,
    FacilityTimeline,
    FacilityView,
    FactCorrection,
    ImportResult,
    PageQuery,
    SearchQuery,
    ViewQuery,
)
from services.eldercare.facilities.service import Territory

router = APIRouter(prefix="/v1/eldercare/facilities", tags=["养老服务设施"], route_class=Route)

Reader = Annotated[Principal, Depends(require("eldercare:read"))]
Writer = Annotated[Principal, Depends(require("eldercare:write"))]


async def territory_of(runtime: CurrentRuntime, units: VisibleUnits) -> Territory:
    return Territory(await runtime.places.register(), units)


VisibleTerritory = Annotated[Territory, Depends(territory_of)]


@router.post(
    "",
    status_code=201,
    summary="登记设施",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def register_facility(
    asked: FacilityRegister,
    _: Writer,
    session: Transaction,
    territory: VisibleTerritory,
    response: Response,
) -> FacilityView:
    """登记一处设施及其开办之日的情况。以后的变化逐项登记，各自注明自哪一天起、依据什么文件。"""
    facility = await service.register(session, territory, asked)
    response.headers["Location"] = f"{router.prefix}/{facility.id}"
    return await _answer(session, territory, facility.id, response)


@router.get("", summary="查询设施", responses=responses(401, 403, 404, 422, 503))
async def list_facilities(
    asked: Annotated[PageQuery, Query()],
    _: Reader,
    session: Transaction,
    territory: VisibleTerritory,
) -> Page[FacilityView]:
    """列出管辖范围内的设施在某日的情况，按登记先后。"""
    return await views.page(session, territory, asked)


@router.get("/summary", summary="按类型汇总", responses=responses(401, 403, 404, 422, 503))
async def summarise_facilities(
    asked: Annotated[SearchQuery, Query()],
    _: Reader,
    session: Transaction,
    territory: VisibleTerritory,
) -> FacilitySummary:
    """管辖范围内某日在办设施的数量与床位，按类型汇总。"""
    return await views.summary(session, territory, asked)


@router.get(
    "/export",
    summary="导出设施",
    response_class=WorkbookResponse,
    responses=DOWNLOAD | responses(401, 403, 404, 422, 503),
)
async def export_facilities(
    asked: Annotated[SearchQuery, Query()],
    _: Reader,
    session: Transaction,
    territory: VisibleTerritory,
) -> Response:
    """把管辖范围内的设施在某日的情况导出为 xlsx。"""
    as_of = asked.as_of or today(session)
    found = await views.everything(session, territory, asked)
    content = await asyncio.to_thread(workbook.export, found, as_of, asked.known_on)
    return download(content, f"养老服务设施-{as_of}.xlsx")


@router.get(
    "/import/template",
    summary="下载补录模板",
    response_class=WorkbookResponse,
    responses=DOWNLOAD | responses(401, 403, 503),
)
async def import_template(_: Writer) -> Response:
    """历史情况补录的空白工作簿，附各列的填写说明。"""
    return download(await asyncio.to_thread(workbook.template), "养老服务设施补录模板.xlsx")


@router.post(
    "/import",
    status_code=201,
    summary="补录历史情况",
    dependencies=[Idempotent],
    responses=responses(401, 403, 409, 413, 422, 503),
    openapi_extra={"requestBody": {"required": True, "content": BINARY}},
)
async def import_history(
    request: Request, _: Writer, session: Transaction, territory: VisibleTerritory
) -> ImportResult:
    """按模板补录设施及其历次变化；请求体即工作簿本身。有一处错误即全部不保存，并逐行说明。"""
    return await importing.import_history(session, territory, await request.body())


@router.get("/{facility_id}", summary="查看设施", responses=responses(401, 403, 404, 422, 503))
async def get_facility(
    facility_id: UUID,
    asked: Annotated[ViewQuery, Query()],
    _: Reader,
    session: Transaction,
    territory: VisibleTerritory,
    response: Response,
) -> FacilityView:
    """查看一处设施在某日的情况。"""
    found, version = await views.one(session, territory, facility_id, asked)
    set_etag(response, version)
    return found


@router.get(
    "/{facility_id}/timeline",
    summary="查看设施的历史",
    responses=responses(401, 403, 404, 422, 503),
)
async def get_timeline(
    facility_id: UUID,
    _: Reader,
    session: Transaction,
    territory: VisibleTerritory,
    known_on: Annotated[Day | None, Query(description="按该日终了时已登记的内容，默认现在")] = None,
) -> FacilityTimeline:
    """设施各段时间的情况，以及包括已被更正者在内的全部登记。"""
    return await views.timeline(session, territory, facility_id, known_on)


@router.post(
    "/{facility_id}/changes",
    status_code=201,
    summary="登记变化",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def change_facility(
    facility_id: UUID,
    asked: FacilityChange,
    _: Writer,
    session: Transaction,
    territory: VisibleTerritory,
    response: Response,
    if_match: IfMatch = None,
) -> FacilityView:
    """登记自某日起的床位、运营方、服务功能、类型、名称、地址，停办、恢复运营或质量评估。

    迟到的情况照其实际日期登记，以后日期已登记的内容不受影响。
    """
    await service.change(
        session, territory, facility_id=facility_id, if_match=if_match, asked=asked
    )
    return await _answer(session, territory, facility_id, response)


@router.post(
    "/{facility_id}/facts/{fact_id}/corrections",
    status_code=201,
    summary="更正登记",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def correct_fact(
    facility_id: UUID,
    fact_id: UUID,
    asked: FactCorrection,
    _: Writer,
    session: Transaction,
    territory: VisibleTerritory,
    response: Response,
    if_match: IfMatch = None,
) -> FacilityView:
    """以新的内容取代有误的一项登记，或予以撤销，并说明理由；原登记保留备查。"""
    await service.correct(
        session,
        territory,
        facility_id=facility_id,
        fact_id=fact_id,
        if_match=if_match,
        asked=asked,
    )
    return await _answer(session, territory, facility_id, response)


async def _answer(
    session: Transaction, territory: Territory, facility_id: UUID, response: Response
) -> FacilityView:
    view, version = await views.one(session, territory, facility_id, ViewQuery())
    set_etag(response, version)
    return view
