"""Parked events over HTTP, for every service: see them, have them tried again in order."""

from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from chassis import audit
from chassis.access import Principal
from chassis.problems import responses
from chassis.requests import CurrentRuntime, require
from chassis.work import consumers_of, consumption


class DeadLetterView(BaseModel):
    """一个被搁置的事件，不含其内容。"""

    consumer: str = Field(description="消费者")
    seq: int = Field(description="搁置的先后")
    topic: str = Field(description="主题")
    key: str = Field(description="事件的键；同一键的后续事件排在其后")
    reason: str = Field(description="原因")
    parked_at: datetime = Field(description="搁置的时间")


class DeadLetterList(BaseModel):
    """最早被搁置的若干事件。"""

    items: list[DeadLetterView] = Field(description="按搁置的先后")
    count: int = Field(description="被搁置的事件总数")


class ReplayResult(BaseModel):
    """重新处理的结果。"""

    applied: int = Field(description="已处理的事件数")
    left: int = Field(description="仍被搁置的事件数")


def dead_letters_router(service: str) -> APIRouter:
    """The routes under `/v1/<service>/dead-letters`, for holders of `<service>:operate`."""
    router = APIRouter(prefix=f"/v1/{service}/dead-letters", tags=["运行维护"])
    operator = Depends(require(f"{service}:operate"))

    @router.get(
        "", summary="被搁置的事件", dependencies=[operator], responses=responses(401, 403, 503)
    )
    async def list_dead_letters(runtime: CurrentRuntime) -> DeadLetterList:
        """未能处理而被搁置的事件；同一对象的后续事件排在其后，其他对象不受影响。"""
        items, count = [], 0
        for consumer in consumers_of(runtime.service):
            one = consumption(runtime, consumer)
            count += await one.count_parked()
            items += [
                DeadLetterView(
                    consumer=consumer.name,
                    seq=letter.seq,
                    topic=letter.topic,
                    key=letter.key,
                    reason=letter.reason,
                    parked_at=letter.parked_at,
                )
                for letter in await one.parked()
            ]
        return DeadLetterList(items=items, count=count)

    @router.post("/replay", summary="重新处理被搁置的事件", responses=responses(401, 403, 503))
    async def replay(runtime: CurrentRuntime, principal: Principal = operator) -> ReplayResult:
        """按先后顺序重新处理；仍不能处理的继续搁置。每个对象各自成败，重复请求无害。"""
        applied = left = 0
        for consumer in consumers_of(runtime.service):
            done, remaining = await consumption(runtime, consumer).replay()
            applied, left = applied + done, left + remaining
        async with runtime.database.transaction(
            actor=principal.subject, organisation=principal.organisation
        ) as session:
            await audit.record(
                session,
                action="dead-letters.replay",
                subject=runtime.service.name,
                result=f"{applied} applied, {left} left",
            )
        return ReplayResult(applied=applied, left=left)

    return router
