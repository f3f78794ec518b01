from typing import Annotated

from fastapi import APIRouter, Query

from chassis.idempotency import Route
from chassis.paging import Page
from chassis.problems import responses
from services.indicator.beside import service
from services.indicator.beside.schemas import (
    BesideCode,
    BesideLineageQuery,
    BesideList,
    BesideMatrix,
    BesideMatrixQuery,
    BesideQuery,
)
from services.indicator.plans.desk import AtDesk, Reader
from services.indicator.plans.schemas import LineageItem

router = APIRouter(prefix="/v1/plan/beside", tags=["业务数据"], route_class=Route)


@router.get("", summary="业务数据", responses=responses(401, 403, 404, 422, 503))
async def list_beside(
    asked: Annotated[BesideQuery, Query()], _: Reader, desk: AtDesk
) -> BesideList:
    """与规划指标并列的业务数据：合计及其中城市、农村；没有目标和状态。

    不指明日期的为今天。镇街用户不指明区划时，看到的是本镇街。
    """
    return await service.board(desk, asked)


@router.get("/matrix", summary="各镇街的业务数据", responses=responses(401, 403, 422, 503))
async def get_beside_matrix(
    asked: Annotated[BesideMatrixQuery, Query()], _: Reader, desk: AtDesk
) -> BesideMatrix:
    """管辖范围内各镇街的业务数据；镇街用户只看到本镇街。"""
    return await service.matrix(desk, asked)


@router.get(
    "/{code}/lineage",
    summary="一项业务数据的来源",
    responses=responses(401, 403, 404, 422, 503),
)
async def get_beside_lineage(
    code: BesideCode, asked: Annotated[BesideLineageQuery, Query()], _: Reader, desk: AtDesk
) -> Page[LineageItem]:
    """构成该数的每一笔记录及其来源事件，按生效日期排列，各笔之和即该数；不含个人信息。"""
    return await service.lineage(desk, code, asked)
