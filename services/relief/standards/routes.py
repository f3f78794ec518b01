from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.fields import Day
from chassis.idempotency import Idempotent, Route
from chassis.problems import NotFound, responses
from chassis.requests import CurrentRuntime, Transaction, VisibleUnits, require
from contracts.events.relief import StandardCode
from services.relief.standards import repository, service
from services.relief.standards.schemas import (
    StandardCorrection,
    StandardList,
    StandardSet,
    StandardView,
)

router = APIRouter(prefix="/v1/relief/standards", tags=["救助标准"], route_class=Route)

Reader = Annotated[Principal, Depends(require("relief:read"))]
Setter = Annotated[Principal, Depends(require("relief:standards"))]
AsOf = Annotated[Day | None, Query(description="查看哪一天施行的标准，默认今天")]
KnownOn = Annotated[Day | None, Query(description="按当时（该日终了）已登记的内容查看")]


@router.post(
    "",
    status_code=201,
    summary="制定或调整标准",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def set_standard(
    asked: StandardSet,
    _: Setter,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
) -> StandardView:
    """登记一项救助标准自某日起的金额及文号。标准逐项登记，不由其他标准推算。"""
    register = await runtime.places.register()
    series = await service.set_standard(session, register=register, units=units, asked=asked)
    set_etag(response, series.version)
    response.headers["Location"] = f"{router.prefix}/{series.id}"
    return (await service.view(session, register, [series], as_of=asked.valid_from))[0]


@router.post(
    "/{series_id}/amounts/{amount_id}/correction",
    summary="更正已登记的金额",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def correct_standard(
    series_id: UUID,
    amount_id: UUID,
    asked: StandardCorrection,
    _: Setter,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> StandardView:
    """以新的金额、日期或文号取代登记有误的一项；原登记保留备查。"""
    series = await service.correct_standard(
        session,
        units=units,
        series_id=series_id,
        amount_id=amount_id,
        if_match=if_match,
        asked=asked,
    )
    set_etag(response, series.version)
    register = await runtime.places.register()
    return (await service.view(session, register, [series], as_of=asked.valid_from))[0]


@router.get("", summary="查询标准", responses=responses(401, 403, 422, 503))
async def list_standards(
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    code: StandardCode | None = None,
    as_of: AsOf = None,
    known_on: KnownOn = None,
) -> StandardList:
    """列出各项标准：某日施行的金额与历次登记。"""
    day = as_of or runtime.clock.today()
    series = await repository.listed(session, await _with_counties(runtime, units), code)
    items = await service.view(
        session, await runtime.places.register(), series, as_of=day, known_on=known_on
    )
    return StandardList(as_of=day, items=items)


@router.get("/{series_id}", summary="查看一项标准", responses=responses(401, 403, 404, 422, 503))
async def get_standard(
    series_id: UUID,
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
    as_of: AsOf = None,
    known_on: KnownOn = None,
) -> StandardView:
    """查看一项标准的现行金额与全部登记。"""
    series = await repository.find(session, await _with_counties(runtime, units), series_id)
    if series is None:
        raise NotFound
    set_etag(response, series.version)
    day = as_of or runtime.clock.today()
    register = await runtime.places.register()
    return (await service.view(session, register, [series], as_of=day, known_on=known_on))[0]


async def _with_counties(runtime: CurrentRuntime, units: VisibleUnits) -> frozenset[int]:
    """A town reads the standards that hold for it: those of the counties above its units."""
    register = await runtime.places.register()
    return units | register.ever_above(units, runtime.clock.today())
