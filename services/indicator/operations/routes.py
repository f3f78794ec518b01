from typing import Annotated

from fastapi import APIRouter, Depends

from chassis import audit
from chassis.access import Principal
from chassis.idempotency import Idempotent, Route
from chassis.problems import responses
from chassis.requests import CurrentRuntime, require
from chassis.work import consumers_of, consumption
from services.indicator.operations.schemas import DeadLetterList, DeadLetterView, ReplayResult
from services.indicator.plans.access import Desk, NotYours
from services.indicator.plans.desk import AtDesk

router = APIRouter(prefix="/v1/indicator/dead-letters", tags=["运行维护"], route_class=Route)

Operator = Annotated[Principal, Depends(require("plan:operate"))]


async def whole_desk(desk: AtDesk) -> Desk:
    """Parked events are of any unit: only who sees the whole scope may look at them."""
    if not desk.sees_scopes:
        raise NotYours
    return desk


Whole = Annotated[Desk, Depends(whole_desk)]


@router.get("", summary="被搁置的事件", responses=responses(401, 403, 404, 503))
async def list_dead_letters(_: Operator, __: Whole, runtime: CurrentRuntime) -> DeadLetterList:
    """未能处理而被搁置的事件；同一对象的后续事件排在其后，其他对象不受影响。"""
    return DeadLetterList(
        items=[
            DeadLetterView(
                consumer=consumer.name,
                seq=letter.seq,
                topic=letter.topic,
                key=letter.key,
                reason=letter.reason,
                parked_at=letter.parked_at,
            )
            for consumer in consumers_of(runtime.service)
            for letter in await consumption(runtime, consumer).parked()
        ]
    )


@router.post(
    "/replay",
    summary="重新处理被搁置的事件",
    dependencies=[Idempotent],
    responses=responses(401, 403, 404, 422, 503),
)
async def replay(_: Operator, desk: Whole, runtime: CurrentRuntime) -> ReplayResult:
    """按先后顺序重新处理；仍不能处理的继续搁置。"""
    applied = left = 0
    for consumer in consumers_of(runtime.service):
        done, remaining = await consumption(runtime, consumer).replay()
        applied, left = applied + done, left + remaining
    await audit.record(
        desk.session,
        action="indicator.dead-letters.replay",
        subject="indicator",
        result=f"{applied} applied, {left} left",
    )
    return ReplayResult(applied=applied, left=left)
