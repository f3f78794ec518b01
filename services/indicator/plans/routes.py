import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response

from chassis.idempotency import Route
from chassis.paging import Page
from chassis.problems import responses
from chassis.spreadsheet import DOWNLOAD, WorkbookResponse, download
from services.indicator.plans import service, workbook
from services.indicator.plans.access import view
from services.indicator.plans.desk import AtDesk, NoQuery, Reader
from services.indicator.plans.schemas import (
    IndicatorCode,
    IndicatorItem,
    IndicatorList,
    IndicatorSeries,
    LineageItem,
    LineageQuery,
    Matrix,
    MatrixQuery,
    PlanView,
    SeriesQuery,
    ViewQuery,
)

router = APIRouter(prefix="/v1/plan", tags=["规划指标"], route_class=Route)


@router.get("", summary="规划概况", responses=responses(401, 403, 422, 503))
async def get_plan(_: Reader, desk: AtDesk, __: NoQuery) -> PlanView:
    """规划的名称、期间、管辖口径与指标定义的版本。"""
    return service.plan(desk)


@router.get("/indicators", summary="全部指标", responses=responses(401, 403, 404, 422, 503))
async def list_indicators(
    asked: Annotated[ViewQuery, Query()], _: Reader, desk: AtDesk
) -> IndicatorList:
    """任一日期、任一区划、按任一日期已知内容的全部指标，附各项目标的状态与差距。

    没有数据的指标，数值为空，状态为无法评判。镇街用户不指明区划时，看到的是本镇街。
    """
    return await service.board(desk, view(desk, asked.as_of, asked.known_on, asked.division))


@router.get(
    "/indicators/export",
    summary="导出全部指标",
    response_class=WorkbookResponse,
    responses=DOWNLOAD | responses(401, 403, 404, 422, 503),
)
async def export_indicators(
    asked: Annotated[ViewQuery, Query()], _: Reader, desk: AtDesk
) -> Response:
    """把全部指标及各项目标导出为 xlsx。"""
    seen = view(desk, asked.as_of, asked.known_on, asked.division)
    shown = await service.board(desk, seen)
    place = desk.scopes[desk.plan.scope].name
    if seen.unit is not None:
        place = desk.register.name_of(seen.unit, seen.as_of) or ""
    content = await asyncio.to_thread(workbook.board, shown, place)
    return download(content, f"规划指标-{seen.as_of}.xlsx")


@router.get(
    "/indicators/{code}", summary="查看一项指标", responses=responses(401, 403, 404, 422, 503)
)
async def get_indicator(
    code: IndicatorCode, asked: Annotated[ViewQuery, Query()], _: Reader, desk: AtDesk
) -> IndicatorItem:
    """一项指标在某日的情况。"""
    seen = view(desk, asked.as_of, asked.known_on, asked.division)
    return await service.item(desk, seen, code)


@router.get(
    "/indicators/{code}/series",
    summary="一项指标的历年数值",
    responses=responses(401, 403, 404, 422, 503),
)
async def get_series(
    code: IndicatorCode, asked: Annotated[SeriesQuery, Query()], _: Reader, desk: AtDesk
) -> IndicatorSeries:
    """各年末（或各季度末）及最后一天的数值，附自基数至目标的直线。"""
    return await service.series(desk, code, asked)


@router.get(
    "/indicators/{code}/lineage",
    summary="一项指标的数据来源",
    responses=responses(401, 403, 404, 422, 503),
)
async def get_lineage(
    code: IndicatorCode, asked: Annotated[LineageQuery, Query()], _: Reader, desk: AtDesk
) -> Page[LineageItem]:
    """构成分子、分母（或数值）的每一笔记录及其来源事件，按生效日期排列。

    时点数、时期数各笔之和即该计量项目的数值；个数为合计大于零的镇街数或人数。
    填报数未使数值变动的（如填报为零），列为 0。
    """
    return await service.lineage(desk, code, asked)


@router.get("/matrix", summary="各镇街的指标", responses=responses(401, 403, 422, 503))
async def get_matrix(asked: Annotated[MatrixQuery, Query()], _: Reader, desk: AtDesk) -> Matrix:
    """管辖范围内各镇街的各项指标；镇街用户只看到本镇街。"""
    return await service.matrix(desk, asked)
