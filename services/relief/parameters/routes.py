from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.fields import Day, DivisionCode
from chassis.idempotency import Idempotent, Route
from chassis.problems import NotFound, responses
from chassis.requests import CurrentRuntime, Transaction, VisibleUnits, require
from contracts.events.relief import Programme
from services.relief.parameters import repository, service
from services.relief.parameters.schemas import (
    AuthorityList,
    AuthoritySet,
    AuthorityView,
    CompetenceView,
    EndingSet,
    ParameterCorrection,
    ParameterKey,
    ParameterList,
    ParameterSet,
    RecordedView,
)

router = APIRouter(prefix="/v1/relief/parameters", tags=["救助参数"], route_class=Route)
authorities = APIRouter(prefix="/v1/relief/authorities", tags=["确认权限"], route_class=Route)

Reader = Annotated[Principal, Depends(require("relief:read"))]
Setter = Annotated[Principal, Depends(require("relief:standards"))]
AsOf = Annotated[Day | None, Query(description="查看哪一天施行的规定，默认今天")]
KnownOn = Annotated[Day | None, Query(description="按当时（该日终了）已登记的内容查看")]
OfDivision = Annotated[
    DivisionCode | None, Query(description="区县的 12 位区划代码，默认为您所在的区县")
]
OfProgramme = Annotated[Programme, Query(description="救助项目：dibao 低保")]


@router.post(
    "",
    status_code=201,
    summary="登记参数",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def set_parameter(
    asked: ParameterSet,
    _: Setter,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
) -> RecordedView:
    """登记一项参数自某日起的数值及依据，由区县登记；同一施行日期以登记的为准，不用随系统提供的。"""
    register = await runtime.places.register()
    row = await service.set_parameter(session, register=register, units=units, asked=asked)
    set_etag(response, row.version)
    response.headers["Location"] = f"{router.prefix}/{row.id}"
    return service.recorded_view(register, row, runtime.clock.today())


@router.get("", summary="列出参数", responses=responses(401, 403, 404, 422, 503))
async def list_parameters(
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    as_of: AsOf = None,
    known_on: KnownOn = None,
    division: OfDivision = None,
    key: Annotated[ParameterKey | None, Query()] = None,
) -> ParameterList:
    """列出区县适用的参数：某日施行的版本、依据、是否核对，以及全部版本。"""
    today = runtime.clock.today()
    day = as_of or today
    register = await runtime.places.register()
    county = service.readable_county(register, units, division, today)
    items = await service.parameters(session, county, as_of=day, known_on=known_on, key=key)
    return ParameterList(as_of=day, division=register.code_of(county, today), items=items)


@router.get("/{row_id}", summary="查看一项登记", responses=responses(401, 403, 404, 422, 503))
async def get_parameter(
    row_id: UUID,
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
) -> RecordedView:
    """查看区县登记的一项参数；更正须带所得的 ETag。"""
    register = await runtime.places.register()
    row = await service.recorded(session, register, units, row_id)
    set_etag(response, row.version)
    return service.recorded_view(register, row, runtime.clock.today())


@router.post(
    "/{row_id}/correction",
    summary="更正已登记的参数",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def correct_parameter(
    row_id: UUID,
    asked: ParameterCorrection,
    _: Setter,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> RecordedView:
    """以新的数值、日期或依据取代登记有误的一项；原登记保留备查。返回新的登记。"""
    register = await runtime.places.register()
    row = await service.correct_parameter(
        session, register=register, units=units, row_id=row_id, if_match=if_match, asked=asked
    )
    set_etag(response, row.version)
    response.headers["Location"] = f"{router.prefix}/{row.id}"
    return service.recorded_view(register, row, runtime.clock.today())


@authorities.post(
    "",
    status_code=201,
    summary="登记确认权限",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 422, 503),
)
async def set_authority(
    asked: AuthoritySet,
    _: Setter,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
) -> AuthorityView:
    """登记某乡镇、街道的救助由哪一级确认，由区县登记；没有登记的由区县民政局确认。"""
    register = await runtime.places.register()
    row = await service.set_authority(session, register=register, units=units, asked=asked)
    set_etag(response, row.version)
    response.headers["Location"] = f"{authorities.prefix}/{row.id}"
    return (await service.authority_views(session, register, [row]))[0]


@authorities.get("", summary="列出确认权限", responses=responses(401, 403, 422, 503))
async def list_authorities(
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    programme: Annotated[Programme | None, Query(description="救助项目：dibao 低保")] = None,
) -> AuthorityList:
    """列出管辖范围内各乡镇、街道登记的确认权限，含已到期的。"""
    register = await runtime.places.register()
    rows = await repository.authority_rows(session, units, programme)
    return AuthorityList(items=await service.authority_views(session, register, rows))


@authorities.get(
    "/in-force", summary="某日由哪一级确认", responses=responses(401, 403, 404, 422, 503)
)
async def authority_in_force(
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    programme: OfProgramme,
    division: Annotated[DivisionCode, Query(description="乡镇、街道的 12 位区划代码")],
    as_of: AsOf = None,
    known_on: KnownOn = None,
) -> CompetenceView:
    """查看某乡镇、街道的救助在某日由哪一级确认、依据何文件，下放不生效的注明原因。"""
    day = as_of or runtime.clock.today()
    register = await runtime.places.register()
    town = service.readable_town(register, units, division, day)
    county = register.county_of(town, day)
    if county is None:
        raise NotFound("未找到该区划所属的区县")
    found = await service.competence(
        session, programme=programme, town=town, day=day, county=county, known_on=known_on
    )
    return CompetenceView(
        programme=programme,
        division=division,
        division_name=register.name_of(town, day),
        as_of=day,
        level=found.level,
        basis=found.basis,
        document=found.document,
        flagged=found.flagged,
    )


@authorities.get(
    "/{authority_id}", summary="查看一项确认权限", responses=responses(401, 403, 404, 422, 503)
)
async def get_authority(
    authority_id: UUID,
    _: Reader,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
) -> AuthorityView:
    """查看一项登记的确认权限；登记其最后一天须带所得的 ETag。"""
    row = await repository.find_authority(session, units, authority_id)
    if row is None:
        raise NotFound
    set_etag(response, row.version)
    register = await runtime.places.register()
    return (await service.authority_views(session, register, [row]))[0]


@authorities.post(
    "/{authority_id}/ending",
    summary="登记确认权限的最后一天",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
)
async def end_authority(
    authority_id: UUID,
    asked: EndingSet,
    _: Setter,
    session: Transaction,
    runtime: CurrentRuntime,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> AuthorityView:
    """登记或更正一项权限的最后一天及依据；此前的登记保留备查。"""
    register = await runtime.places.register()
    row = await service.end_authority(
        session,
        register=register,
        units=units,
        authority_id=authority_id,
        if_match=if_match,
        asked=asked,
    )
    set_etag(response, row.version)
    return (await service.authority_views(session, register, [row]))[0]
