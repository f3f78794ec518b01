"""The sums of the 18 indicators by hand: FastAPI, asyncpg, the house's own SQL, rows to JSON.

What the house puts on top is what it is measured by: the token, the walls, the figures with their
targets and verdicts. Here every sum is simply given out.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
from fastapi import FastAPI, Request
from pydantic import BaseModel

from chassis.law.units import Register
from contracts.places import place_units
from services.indicator.ledger.repository import SUMS_NOW
from services.indicator.plans.loader import load_plan
from services.indicator.plans.rules import reading_requirements
from services.indicator.plans.values import spans

NAMED = re.compile(r"(?<!:):(\w+)")
MARKS = """SELECT marker, min(effective) FROM (
  SELECT marker, effective FROM register_mark GROUP BY marker, effective HAVING sum(amount) > 0
) AS days GROUP BY marker"""
LAST_DAYS = """SELECT measure, max(day) FROM movement
WHERE measure = ANY($1) AND day <= $2 AND amount > 0 AND unit_id = ANY($3) GROUP BY measure"""


class Sum(BaseModel):
    measure: str
    until: str
    amount: Decimal


class Sums(BaseModel):
    sums: list[Sum]
    registers: dict[str, str]
    reported: dict[str, str]


class Asked:
    """What the SQL is given: worked out once, where the house does so for each request."""

    def __init__(self) -> None:
        plan, register = load_plan(), Register(place_units())
        self.day = min(datetime.now(UTC).date(), plan.ends_on)
        needs = {need for one in plan.indicators for need in reading_requirements(one, self.day)}
        self.spans = list(spans(plan.measures, needs))
        self.units = list(register.ever_below(plan.district, self.day))
        self.markers = [one.marker for one in plan.measures.values() if one.topic is None]
        told = {
            "measures": "{%s}" % ",".join(f'"{one.measure}"' for one in self.spans),  # noqa: UP031 - braces
            "wholes": "{%s}" % ",".join(str(one.whole) for one in self.spans),  # noqa: UP031 - braces
            "untils": "{%s}" % ",".join(str(one.until) for one in self.spans),  # noqa: UP031 - braces
            "units": "{%s}" % ",".join(map(str, self.units)),  # noqa: UP031 - braces
        }
        names = list(dict.fromkeys(NAMED.findall(SUMS_NOW.text)))
        self.sql = NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", SUMS_NOW.text)
        self.values = [told[name] for name in names]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    size = int(os.environ["POOL_SIZE"])
    async with asyncpg.create_pool(
        os.environ["LEDGER_URL"],
        min_size=size,
        max_size=size,
        server_settings={"search_path": "projection"},
    ) as pool:
        app.state.pool, app.state.asked = pool, Asked()
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> None:
    return None


@app.get("/v1/plan/indicators")
async def indicators(request: Request) -> Sums:
    pool: asyncpg.Pool = request.app.state.pool
    asked: Asked = request.app.state.asked
    async with pool.acquire() as connection:
        rows = await connection.fetch(asked.sql, *asked.values)
        marks = await connection.fetch(MARKS)
        days = await connection.fetch(LAST_DAYS, asked.markers, asked.day, asked.units)
    totals: dict[int, Decimal] = {}
    for row in rows:
        totals[row["no"]] = totals.get(row["no"], Decimal(0)) + row["amount"]
    return Sums(
        sums=[
            Sum(
                measure=asked.spans[no - 1].measure,
                until=str(asked.spans[no - 1].until),
                amount=amount,
            )
            for no, amount in totals.items()
        ],
        registers={row[0]: str(row[1]) for row in marks},
        reported={row[0]: str(row[1]) for row in days},
    )
