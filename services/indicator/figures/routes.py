import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.idempotency import Idempotent, Route
from chassis.paging import Page
from chassis.problems import responses
from chassis.requests import require
from chassis.spreadsheet import BINARY, DOWNLOAD, WorkbookResponse, download
from services.indicator.figures import importing, service
from services.indicator.figures.schemas import (
    FigureCorrection,
    FigureId,
    FigureQuery,
    FigureReport,
    FigureView,
    ImportResult,
    MeasureList,
)
from services.indicator.plans.desk import AtDesk, NoQuery, Reader

router = APIRouter(prefix="/v1/plan", tags=["填报"], route_class=Route)

Reporter = Annotated[Principal, Depends(require("plan:report"))]


@router.get("/measures", summary="填报的计量项目", responses=responses(401, 403, 422, 503))
async def list_measures(_: Reader, desk: AtDesk, __: NoQuery) -> MeasureList:
    """由填报形成的计量项目：单位、种类、填报的层级。由业务事件形成的不在其中。"""
    return service.measures(desk)


@router.post(
    "/figures",
    status_code=201,
    summary="填报",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def report_figure(
    asked: FigureReport, _: Reporter, desk: AtDesk, response: Response
) -> FigureView:
    """填报一个数：哪个计量项目、哪个区划、哪一天、依据什么文件。同一天已有的须用更正。"""
    figure = await service.report(desk, asked)
    response.headers["Location"] = f"{router.prefix}/figures/{figure.id}"
    set_etag(response, figure.version)
    return figure


@router.get("/figures", summary="查询填报数", responses=responses(401, 403, 404, 422, 503))
async def list_figures(
    asked: Annotated[FigureQuery, Query()], _: Reader, desk: AtDesk
) -> Page[FigureView]:
    """管辖范围内的填报数，包括已被更正的，最近的日期在前。"""
    return await service.page(desk, asked)


@router.get(
    "/figures/import/template",
    summary="下载填报模板",
    response_class=WorkbookResponse,
    responses=DOWNLOAD | responses(401, 403, 422, 503),
)
async def import_template(_: Reporter, desk: AtDesk, __: NoQuery) -> Response:
    """填报的空白工作簿，附计量项目与填写说明。"""
    return download(await asyncio.to_thread(importing.template, desk), "规划指标填报模板.xlsx")


@router.post(
    "/figures/import",
    status_code=201,
    summary="批量填报",
    dependencies=[Idempotent],
    responses=responses(401, 403, 409, 413, 422, 503),
    openapi_extra={"requestBody": {"required": True, "content": BINARY}},
)
async def import_figures(request: Request, _: Reporter, desk: AtDesk) -> ImportResult:
    """按模板批量填报；请求体即工作簿本身。有一处错误即全部不保存，并逐行说明。"""
    return await importing.import_figures(desk, await request.body())


@router.get(
    "/figures/{figure_id}", summary="查看填报数", responses=responses(401, 403, 404, 422, 503)
)
async def get_figure(
    figure_id: FigureId, _: Reader, desk: AtDesk, __: NoQuery, response: Response
) -> FigureView:
    """查看一个填报数；ETag 为其所在数列的版本，更正时填入 If-Match。"""
    figure = await service.one(desk, figure_id)
    set_etag(response, figure.version)
    return figure


@router.post(
    "/figures/{figure_id}/correction",
    status_code=201,
    summary="更正填报数",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def correct_figure(
    figure_id: FigureId,
    asked: FigureCorrection,
    _: Reporter,
    desk: AtDesk,
    response: Response,
    if_match: IfMatch = None,
) -> FigureView:
    """以新的数取代有误的数，并说明理由；原数保留备查。"""
    figure = await service.correct(desk, figure_id, if_match, asked)
    response.headers["Location"] = f"{router.prefix}/figures/{figure.id}"
    set_etag(response, figure.version)
    return figure
