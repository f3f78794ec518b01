"""The other departments (其他部门和机构) of a demonstration: one small server that plays them all.

It keeps nothing on disk and logs no number. Where a real exchange platform stands, the setting
`MINZHENG_DEPARTMENTS_URL` of the services names that one.
"""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Path, Response
from pydantic import BaseModel, Field

from chassis import problems
from chassis.app import Health, RequestLog
from chassis.limits import BodyLimit
from chassis.problems import Forbidden, NotFound, Unavailable
from suite.departments.answers import (
    HELD_SECONDS,
    Answer,
    Behaviour,
    Departments,
    Promise,
    Scripted,
)

SourceCode = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$")]


class Query(BaseModel):
    """A query about one person: for what purpose, on which legal basis, by whose authorisation."""

    request_id: UUID
    document_kind: str = Field(min_length=1, max_length=40)
    document_number: str = Field(min_length=1, max_length=40, repr=False)
    purpose: str = Field(min_length=1, max_length=200)
    legal_basis: str = Field(min_length=1, max_length=200)
    authorisation: str = Field(min_length=1, max_length=200)
    requester: str = Field(default="", max_length=200)
    case_number: str = Field(default="", max_length=60)
    as_of: date | None = None


class Accepted(BaseModel):
    """The answer will be found at `location` in so many seconds."""

    location: str
    retry_after: int


def create_departments() -> FastAPI:
    """Queries under `/v1/sources/{source}/queries`, their script under `/-/script`."""
    departments = Departments()
    app = FastAPI(title="其他部门（演示）", docs_url=None, redoc_url=None)
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestLog)

    @app.post("/v1/sources/{source}/queries")
    async def ask(source: SourceCode, asked: Query, response: Response) -> Answer | Accepted:
        await _behave(departments.behaviour(source, asked.document_number))
        as_of = asked.as_of or datetime.now(UTC).date()
        told = departments.ask(source, str(asked.request_id), asked.document_number, as_of)
        return _told(source, asked.request_id, told, response)

    @app.get("/v1/sources/{source}/queries/{request_id}")
    async def ask_again(
        source: SourceCode, request_id: UUID, response: Response
    ) -> Answer | Accepted:
        scripted = departments.behaviour_to(source, str(request_id))
        if scripted is not None:
            await _behave(scripted)
        told = departments.ask_again(source, str(request_id))
        if told is None:
            raise NotFound
        return _told(source, request_id, told, response)

    @app.post("/-/script", status_code=204)
    async def script(scripted: Scripted) -> None:
        departments.script(scripted)

    @app.delete("/-/script", status_code=204)
    async def forget() -> None:
        departments.forget()

    @app.get("/-/ready")
    async def ready() -> Health:
        return Health(status="ready")

    return app


async def _behave(scripted: Scripted) -> None:
    match scripted.behaviour:
        case Behaviour.REFUSE:
            raise Forbidden("该单位不受理此项查询")
        case Behaviour.FAIL:
            raise Unavailable("该单位的系统暂时不可用", retry_after=60)
        case Behaviour.TIMEOUT:
            await asyncio.sleep(scripted.after_seconds or HELD_SECONDS)


def _told(
    source: str, request_id: UUID, told: Answer | Promise, response: Response
) -> Answer | Accepted:
    if isinstance(told, Answer):
        return told
    response.status_code = 202
    response.headers["Retry-After"] = str(told.retry_after)
    return Accepted(
        location=f"/v1/sources/{source}/queries/{request_id}", retry_after=told.retry_after
    )
