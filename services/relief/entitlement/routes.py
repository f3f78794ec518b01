from typing import Annotated

from fastapi import APIRouter, Depends

from chassis.access import Principal
from chassis.problems import responses
from chassis.requests import CurrentRuntime, Transaction, VisibleUnits, require
from services.relief.entitlement import service
from services.relief.entitlement.schemas import CalculatorIn, CalculatorOut

router = APIRouter(prefix="/v1/relief/calculator", tags=["低保测算"])

Reader = Annotated[Principal, Depends(require("relief:read"))]


@router.post("", summary="测算低保资格", responses=responses(401, 403, 404, 422, 503))
async def calculate(
    asked: CalculatorIn,
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
) -> CalculatorOut:
    """按某日的规定和标准测算家庭能否纳入低保、金额多少，不能纳入的逐项说明原因。

    只测算，不保存任何内容，也不是审核决定；请勿填写姓名、证件号码。
    """
    register = await runtime.places.register()
    return await service.calculate(session, register=register, units=units, asked=asked)
