"""Plain CRUD: FastAPI and SQLAlchemy's ORM as their documentation has it, and no guarantee.

With `GUARDED=1` also an outbox table and idempotency keys, as people add them: a row each in the
same session, the key looked up first.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import uuid6
from fastapi import Depends, FastAPI, Header, Request, Response
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.peers.forms import ApplicationIn, ApplicationView
from bench.peers.tables import (
    Application,
    Crud,
    Household,
    IdempotencyKey,
    Income,
    Member,
    Outbox,
    Property,
)

GUARDED = os.environ.get("GUARDED") == "1"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = create_async_engine(
        os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"),
        pool_size=int(os.environ["POOL_SIZE"]),
        max_overflow=0,
    )
    async with engine.begin() as connection:
        await connection.run_sync(Crud.metadata.create_all)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session_of)]


@app.get("/ready")
async def ready() -> None:
    return None


@app.post("/v1/relief/applications", status_code=201, response_model=ApplicationView)
async def open_application(
    asked: ApplicationIn,
    session: Session,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Application | Response:
    if GUARDED and idempotency_key is not None:
        kept = await session.get(IdempotencyKey, idempotency_key)
        if kept is not None:
            return Response(kept.answer, kept.status, media_type="application/json")
    application = _application(asked)
    session.add(application)
    if GUARDED:
        await session.flush()
        await _guard(session, application, idempotency_key)
    await session.commit()
    return application


def _application(asked: ApplicationIn) -> Application:
    home = asked.household
    return Application(
        id=uuid6.uuid7(),
        division=asked.division,
        channel=asked.channel,
        state="submitted",
        opened_at=datetime.now(UTC),
        version=1,
        materials=asked.materials,
        household=Household(
            id=uuid6.uuid7(),
            address=home.address,
            members=[
                Member(
                    id=uuid6.uuid7(),
                    **one.model_dump(exclude={"ref", "incomes"}),
                    incomes=[Income(id=uuid6.uuid7(), **each.model_dump()) for each in one.incomes],
                )
                for one in home.members
            ],
            properties=[
                Property(id=uuid6.uuid7(), kind=one.kind, amount=one.amount)
                for one in home.properties
            ],
        ),
    )


async def _guard(session: AsyncSession, application: Application, key: str | None) -> None:
    view = ApplicationView.model_validate(application)
    await session.execute(
        insert(Outbox)
        .inline()
        .values(
            id=uuid6.uuid7(),
            topic="case",
            key=str(application.id),
            body=view.model_dump(mode="json"),
            recorded_at=application.opened_at,
        )
    )
    if key is not None:
        session.add(IdempotencyKey(key=key, status=201, answer=view.model_dump_json().encode()))
