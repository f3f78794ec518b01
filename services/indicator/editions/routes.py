import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from chassis.access import Principal
from chassis.idempotency import Idempotent, Route
from chassis.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from chassis.problems import responses
from chassis.requests import Transaction, require
from chassis.spreadsheet import BINARY, WorkbookResponse, download
from services.indicator.editions import service, workbook
from services.indicator.editions.schemas import EditionPublish, EditionSummary, EditionView
from services.indicator.plans.desk import AtDesk, Reader

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
    _: Reader, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[EditionSummary]:
    """已公布的各版数据，最近的在前；镇街也可查看全区的公布数据。"""
    return await service.page(session, limit=limit, cursor=cursor)


@router.get("/{edition_id}", summary="查看一版数据", responses=responses(401, 403, 404, 422, 503))
async def get_edition(edition_id: UUID, _: Reader, session: Transaction) -> EditionView:
    """一版公布的全部指标；更正版的每项指标附所更正版本中的数值。"""
    return await service.one(session, edition_id)


@router.get(
    "/{edition_id}/export",
    summary="导出一版数据",
    response_class=WorkbookResponse,
    responses={
        200: {"content": BINARY, "description": "xlsx 工作簿"},
        **responses(401, 403, 404, 422, 503),
    },
)
async def export_edition(edition_id: UUID, _: Reader, session: Transaction) -> Response:
    """把一版公布的数据导出为 xlsx。"""
    edition = await service.one(session, edition_id)
    content = await asyncio.to_thread(workbook.edition, edition)
    return download(content, f"规划指标-第{edition.number}版.xlsx")
