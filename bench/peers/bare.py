"""The limit: FastAPI and asyncpg, one transaction of two inserts (application, event), no more."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import uuid6
from fastapi import FastAPI, Request

from bench.peers.forms import ApplicationIn, ApplicationView

TABLES = """
CREATE TABLE IF NOT EXISTS bare_application (
  id uuid PRIMARY KEY, division text NOT NULL, channel text NOT NULL, state text NOT NULL,
  opened_at timestamptz NOT NULL, version int NOT NULL, body text NOT NULL
);
CREATE TABLE IF NOT EXISTS bare_event (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL UNIQUE,
  topic text NOT NULL, key text NOT NULL, body text NOT NULL, recorded_at timestamptz NOT NULL
)
"""
APPLY = "INSERT INTO bare_application VALUES ($1, $2, $3, $4, $5, $6, $7)"
TELL = "INSERT INTO bare_event (id, topic, key, body, recorded_at) VALUES ($1, $2, $3, $4, $5)"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    size = int(os.environ["POOL_SIZE"])
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=size, max_size=size
    ) as pool:
        await pool.execute(TABLES)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> None:
    return None


@app.post("/v1/relief/applications", status_code=201)
async def open_application(asked: ApplicationIn, request: Request) -> ApplicationView:
    view = ApplicationView(
        id=uuid6.uuid7(),
        division=asked.division,
        channel=asked.channel,
        state="submitted",
        opened_at=datetime.now(UTC),
        version=1,
    )
    pool: asyncpg.Pool = request.app.state.pool
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            APPLY,
            view.id,
            view.division,
            view.channel,
            view.state,
            view.opened_at,
            view.version,
            asked.model_dump_json(),
        )
        await connection.execute(
            TELL, uuid6.uuid7(), "case", str(view.id), view.model_dump_json(), view.opened_at
        )
    return view
