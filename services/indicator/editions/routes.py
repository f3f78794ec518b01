import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from chassis.access import Principal
from chassis.idempotency import Idempotent, Route
from chassis.paging import Page
from chassis.problems import responses
from chassis.requests import Transaction, require
from chassis.spreadsheet import DOWNLOAD, WorkbookResponse, download
from services.indicator.editions import service, workbook
from services.indicator.editions.schemas import (
    EditionId,
    EditionPublish,
    EditionQuery,
    EditionSummary,
    EditionView,
)
from services.indicator.plans.desk import AtDesk, NoQuery, Reader

router = APIRouter(prefix="/v1/plan/editions", tags=["公布的数据"], route_class=Route)

Publisher = Annotated[Principal, Depends(require("plan:publish"))]


@router.post(
    "",
    status_code=201,
    summary="公布一版数据",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def publish_edition(
    asked: EditionPublish, _: Publisher, desk: AtDesk, response: Response
) -> EditionView:
    """把规划管辖范围内的全部指标按某日的情况定稿公布；公布后不再改动，更正须另出一版并说明理由。"""
    edition = await service.publish(desk, asked)
    response.headers["Location"] = f"{router.prefix}/{edition.id}"
    return edition


@router.get("", summary="已公布的各版数据", responses=responses(401, 403, 422, 503))
async def list_editions(
    asked: Annotated[EditionQuery, Query()], _: Reader, session: Transaction
) -> Page[EditionSummary]:
    """已公布的各版数据，最近的在前；镇街也可查看全区的公布数据。"""
    return await service.page(session, limit=asked.limit, cursor=asked.cursor)


@router.get("/{edition_id}", summary="查看一版数据", responses=responses(401, 403, 404, 422, 503))
async def get_edition(
    edition_id: EditionId, _: Reader, session: Transaction, __: NoQuery
) -> EditionView:
    """一版公布的全部指标；更正版的每项指标附所更正版本中的数值。"""
    return await service.one(session, edition_id)


@router.get(
    "/{edition_id}/export",
    summary="导出一版数据",
    response_class=WorkbookResponse,
    responses=DOWNLOAD | responses(401, 403, 404, 422, 503),
)
async def export_edition(
    edition_id: EditionId, _: Reader, session: Transaction, __: NoQuery
) -> Response:
    """把一版公布的数据导出为 xlsx。"""
    edition = await service.one(session, edition_id)
    content = await asyncio.to_thread(workbook.edition, edition)
    return download(content, f"规划指标-第{edition.number}版.xlsx")
