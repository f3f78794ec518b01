"""`latency`: from the answer to a POST until the indicators have it, beside a bare produce-consume.

Facilities are registered one at a time with pauses at random, as clerks do: the relay and the
consumer are found idle. That the change has arrived is seen in the ledger's own table, asked every
millisecond; at the end the indicator itself has to show all of it.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import quantiles
from typing import Any
from uuid import UUID

import aiokafka
import asyncpg

from bench.load import Connection, request
from bench.rounds import Bar, Row, Side, Spread, alternate, beside
from bench.stage import Stage
from chassis.ids import new_id
from contracts.topics import PARTITIONS

SHORTEST, LONGEST = 0.05, 0.6
TOPIC = "bench.latency"
ARRIVED = "SELECT EXISTS (SELECT FROM projection.subject_state WHERE subject = $1)"
SIZE = 700
PATIENCE = 30.0
BEDS = "SELECT coalesce(sum(amount), 0) FROM projection.entry WHERE measure = 'eldercare.beds'"


def registration() -> dict[str, Any]:
    return {
        "name": "石船镇敬老院",
        "kind": "rural_home",
        "division": "500112142000",
        "address": "石船镇中心街 1 号",
        "operator": {"name": "石船镇人民政府", "kind": "government"},
        "beds": {"total": 30, "nursing": 10, "in_use": 30},
        "functions": ["day_care", "full_care"],
        "opened_on": "2021-01-01",
        "document": "渝北民政〔2021〕1号",
    }


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    asked = 3 if quick else 24
    address = await stage.broker()
    for name in ("eldercare", "indicator"):
        await stage.database(name)
    headers = stage.bearer("eldercare:write", "eldercare:read")
    all_ours: list[float] = []
    all_bare: list[float] = []
    posted: list[int] = []
    chance = random.Random(5)  # noqa: S311 - pauses, no secrets
    with (
        stage.serving("eldercare") as port,
        stage.working("eldercare"),
        stage.working("indicator"),
    ):
        looking = await asyncpg.connect(stage.admin_url("indicator"))
        before = await looking.fetchval(BEDS)
        posting = await Connection.open(port)
        async with _bare(address) as round_trip:

            async def ours(number: int) -> float:
                times = []
                for _ in range(asked):
                    await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                    keyed = headers | {"Idempotency-Key": new_id().hex}
                    made = request("POST", "/v1/eldercare/facilities", keyed, registration())
                    answer = await posting.ask(made, 201)
                    answered = time.perf_counter()
                    await _until_arrived(looking, UUID(json.loads(answer)["id"]))
                    times.append((time.perf_counter() - answered) * 1000)
                posted.append(len(times))
                if number >= 0:
                    all_ours.extend(times)
                return _middle(times)

            async def bare(number: int) -> float:
                times = []
                for _ in range(asked):
                    await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
                    times.append(await round_trip())
                if number >= 0:
                    all_bare.extend(times)
                return _middle(times)

            found = await alternate([Side("minzheng", ours), Side("aiokafka", bare)], rounds)
        beds = await looking.fetchval(BEDS) - before
        if beds != 30 * sum(posted):
            raise RuntimeError(f"{sum(posted)} homes of 30 beds are {beds} beds in the ledger")
        posting.close()
        await looking.close()
    what = "answered POST to changed indicator"
    slowest = Row(
        "latency",
        f"{what}, p99 of {len(all_ours)}",
        "ms",
        _last(all_ours),
        "aiokafka",
        _last(all_bare),
    )
    return [
        beside("latency", f"{what}, p50", "ms", found, "minzheng", "aiokafka", Bar(most=3.0)),
        slowest,
    ]


async def _until_arrived(looking: asyncpg.Connection, facility: UUID) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await looking.fetchval(ARRIVED, facility):  # noqa: ASYNC110 - another process's table
            await asyncio.sleep(0.001)


@asynccontextmanager
async def _bare(address: str) -> AsyncIterator[Any]:
    """A producer and a consumer, both connected and idle; one message's way in milliseconds."""
    admin = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([aiokafka.admin.NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=address, acks="all", enable_idempotence=True
    )
    consumer = aiokafka.AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=address,
        group_id="bench-latency",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )

    async def round_trip() -> float:
        began = time.perf_counter()
        key = new_id().hex.encode()
        coming = asyncio.create_task(consumer.getone())
        await producer.send_and_wait(TOPIC, b"x" * SIZE, key=key)
        async with asyncio.timeout(PATIENCE):
            record = await coming
        if record.key != key:
            raise RuntimeError("another message came")
        return (time.perf_counter() - began) * 1000

    async with producer, consumer:
        yield round_trip


def _middle(times: list[float]) -> float:
    return Spread.of(times).median


def _last(times: list[float]) -> Spread:
    worst = quantiles(times, n=100, method="inclusive")[98]
    return Spread(worst, min(times), max(times))
