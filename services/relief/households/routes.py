from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.access import Principal
from chassis.conditional import IfMatch, set_etag
from chassis.database import today
from chassis.fields import Day
from chassis.idempotency import Idempotent, Route
from chassis.law.units import Register
from chassis.problems import FieldError, NotFound, Unprocessable, responses
from chassis.requests import CurrentRuntime, LookUp, Transaction, VisibleUnits, require
from services.relief.entitlement.facts import FactSource
from services.relief.households import repository, service, views
from services.relief.households.models import HouseholdRow
from services.relief.households.schemas import (
    AuthorisationIn,
    ConsentIn,
    FactCorrection,
    FactIn,
    HouseholdView,
    LeaveIn,
    MemberIn,
    NearRelative,
    Origin,
    PersonCheck,
    PersonCheckView,
    RevealedFact,
    RevealedHousehold,
    RevealedMember,
    RevealIn,
    SupporterIn,
)

router = APIRouter(prefix="/v1/relief", tags=["救助家庭"], route_class=Route)

Reader = Annotated[Principal, Depends(require("relief:files"))]
Clerk = Annotated[Principal, Depends(require("relief:accept"))]
Revealer = Annotated[Principal, Depends(require("relief:reveal"))]

CHANGE = responses(401, 403, 404, 409, 412, 422, 428, 503)


async def register_of(runtime: CurrentRuntime) -> Register:
    return await runtime.places.register()


Places = Annotated[Register, Depends(register_of)]


@router.get(
    "/households/{household_id}",
    summary="查看家庭",
    responses=responses(401, 403, 404, 422, 503),
)
async def get_household(
    household_id: UUID,
    _: Reader,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    as_of: Annotated[Day | None, Query(description="哪一天的情况，默认今天")] = None,
    known_on: Annotated[Day | None, Query(description="按该日终了时已登记的内容，默认现在")] = None,
) -> HouseholdView:
    """一个家庭在某日的成员与情况，按当时已知的内容；姓名、证件号码均已遮蔽。查看留痕。"""
    found, version = await views.read(
        session, register, units, household_id, as_of=as_of, known_on=known_on
    )
    set_etag(response, version)
    return found


@router.post(
    "/households/{household_id}/members",
    status_code=201,
    summary="登记新成员",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def add_member(
    household_id: UUID,
    asked: MemberIn,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """登记因出生、结婚、迁入等成为家庭成员的人及其申报的情况。"""
    household = await service.to_change(session, units, household_id, if_match)
    await service.add_member(session, household, asked)
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/members/{member_id}/leave",
    status_code=201,
    summary="登记成员离开",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def leave(
    household_id: UUID,
    member_id: UUID,
    asked: LeaveIn,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """登记成员因死亡、迁出等自某日起不再是家庭成员；此前的记载保留。"""
    household = await service.to_change(session, units, household_id, if_match)
    await service.member_leaves(
        session, household, member_id, left_on=asked.left_on, reason=asked.reason
    )
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/members/{member_id}/authorisation",
    status_code=201,
    summary="登记承诺与授权",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def authorise(
    household_id: UUID,
    member_id: UUID,
    asked: AuthorisationIn,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """登记成员当日所签的真实性承诺与核对授权。"""
    household = await service.to_change(session, units, household_id, if_match)
    await service.authorise(session, household, member_id, asked)
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/facts",
    status_code=201,
    summary="登记一项情况",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def record_fact(
    household_id: UUID,
    asked: FactIn,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """登记自某日起的一项情况、收入、财产或消费；以前的记载不受影响。"""
    household = await service.to_change(session, units, household_id, if_match)
    _refuse_as_checked(asked, "/source")
    await service.record_fact(session, household, asked)
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/facts/{fact_id}/correction",
    status_code=201,
    summary="更正一项记载",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def correct_fact(
    household_id: UUID,
    fact_id: UUID,
    asked: FactCorrection,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """以新的内容取代有误的一项记载，或予以撤销，并说明理由；原记载保留备查。"""
    household = await service.to_change(session, units, household_id, if_match)
    _refuse_as_checked(asked.replacement, "/replacement/source")
    await service.correct_fact(session, household, fact_id, asked)
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/supporters",
    status_code=201,
    summary="登记外部义务人",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def add_supporter(
    household_id: UUID,
    asked: SupporterIn,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """登记家庭以外的法定赡养、抚养、扶养义务人。"""
    household = await service.to_change(session, units, household_id, if_match)
    await service.add_supporter(session, household, asked)
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/supporters/{supporter_id}/consent",
    status_code=201,
    summary="登记义务人同意核对",
    dependencies=[Idempotent],
    responses=CHANGE,
)
async def consent(
    household_id: UUID,
    supporter_id: UUID,
    asked: ConsentIn,
    _: Clerk,
    session: Transaction,
    register: Places,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> HouseholdView:
    """登记外部义务人书面同意核对其经济状况（社会救助法第四十一条）。"""
    household = await service.to_change(session, units, household_id, if_match)
    await service.consent(session, household, supporter_id, asked)
    return await _answer(session, register, units, household, response)


@router.post(
    "/households/{household_id}/reveal",
    summary="查阅家庭住址",
    dependencies=[LookUp],
    responses=responses(401, 403, 404, 422, 429, 503),
)
async def reveal_household(
    household_id: UUID, asked: RevealIn, _: Revealer, session: Transaction, units: VisibleUnits
) -> RevealedHousehold:
    """查阅未遮蔽的住址与确定城乡类别的理由；须说明目的，查阅记入审计。"""
    household = await _seen(session, units, household_id)
    return RevealedHousehold(
        address=await service.revealed_address(session, household, purpose=asked.purpose),
        area_reason=await service.revealed_area_reason(session, household, purpose=asked.purpose),
    )


@router.post(
    "/households/{household_id}/members/{member_id}/reveal",
    summary="查阅成员的姓名与证件",
    dependencies=[LookUp],
    responses=responses(401, 403, 404, 422, 429, 503),
)
async def reveal_member(
    household_id: UUID,
    member_id: UUID,
    asked: RevealIn,
    _: Revealer,
    session: Transaction,
    units: VisibleUnits,
) -> RevealedMember:
    """查阅未遮蔽的姓名、证件号码、电话与近亲属备案；须说明目的，查阅记入审计。"""
    household = await _seen(session, units, household_id)
    member = await service.member_of(session, household, member_id)
    found = await service.revealed(session, member, purpose=asked.purpose)
    relative = found.near_relative
    return RevealedMember(
        name=found.name,
        document_kind=found.document_kind,
        number=found.number,
        phone=found.phone,
        near_relative=None if relative is None else NearRelative.model_validate(relative),
    )


@router.post(
    "/households/{household_id}/facts/{fact_id}/reveal",
    summary="查阅记载的理由",
    dependencies=[LookUp],
    responses=responses(401, 403, 404, 422, 429, 503),
)
async def reveal_fact(
    household_id: UUID,
    fact_id: UUID,
    asked: RevealIn,
    _: Revealer,
    session: Transaction,
    units: VisibleUnits,
) -> RevealedFact:
    """查阅一项记载的理由或说明；须说明目的，查阅记入审计。"""
    household = await _seen(session, units, household_id)
    reason, superseded_reason = await service.revealed_reasons(
        session, household, fact_id, purpose=asked.purpose
    )
    return RevealedFact(reason=reason, superseded_reason=superseded_reason)


@router.post(
    "/persons/check",
    summary="新增人员校验",
    dependencies=[LookUp],
    responses=responses(401, 403, 422, 429, 503),
)
async def check_person(
    asked: PersonCheck, _: Clerk, session: Transaction, register: Places, units: VisibleUnits
) -> PersonCheckView:
    """校验某人是否已在申请或在保；其他镇街的，只说明有与状态。查询记入审计。"""
    found = await service.claims_of(session, units, asked.document_kind, asked.document_number)
    return views.person_check(register, today(session), found)


def _refuse_as_checked(asked: Origin | None, pointer: str) -> None:
    """What a source has answered is written by the check itself, never by hand."""
    if asked is not None and asked.source is FactSource.CHECKED:
        raise Unprocessable(
            "来源有误", errors=[FieldError(pointer, "核对结果由核对写入，不能手工登记")]
        )


async def _seen(session: AsyncSession, units: VisibleUnits, household_id: UUID) -> HouseholdRow:
    household = await repository.find(session, units, household_id)
    if household is None:
        raise NotFound
    return household


async def _answer(
    session: AsyncSession,
    register: Register,
    units: VisibleUnits,
    household: HouseholdRow,
    response: Response,
) -> HouseholdView:
    view, version = await views.one(session, register, units, household.id)
    set_etag(response, version)
    return view
