"""The other process of a service: relay, consumers and jobs together; any failure ends it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumption import Consumer, Received
from chassis.jobs import Job, Record, enqueue
from chassis.places import places_consumer
from chassis.service import Service
from chassis.work import consumers_of, work
from tests.support.toy import EFFECTS, SERVICE, Toy, count_effect, service_with

Handler = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]


@asynccontextmanager
async def working(toy: Toy, service: Service) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work(service, toy.running.settings))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - another task is watched from outside
            await asyncio.sleep(0.05)


def consumer(toy: Toy, handler: Handler | None = None) -> Consumer:
    return Consumer(EFFECTS, (toy.topic.name,), handler or partial(count_effect, consumer=EFFECTS))


async def test_one_process_publishes_consumes_and_does_its_jobs(toy: Toy) -> None:
    done: list[str] = []

    async def handler(job: Job) -> Record:
        async def record(_: AsyncSession) -> None:
            done.append(job.key)

        return record

    service = service_with(consumers=(consumer(toy),), jobs={"toy.work": handler})
    async with working(toy, service) as task:
        (basket,) = await toy.baskets(1, events=2)
        async with toy.database.transaction(actor="clerk-1") as session:
            await enqueue(session, "toy.work", "a", {})

        async def all_done() -> bool:
            return len(await toy.effects()) == 2 and done == ["a"]

        await until(all_done)
        assert not task.done()
    assert await toy.effects() == [(str(basket), 1), (str(basket), 2)]


async def test_two_processes_of_one_service_have_each_effect_once(toy: Toy) -> None:
    service = service_with(consumers=(consumer(toy),))
    async with working(toy, service) as first, working(toy, service) as second:
        baskets = await toy.baskets(6, events=4)

        async def all_done() -> bool:
            return len(await toy.effects()) >= 24

        await until(all_done)
        assert not first.done()
        assert not second.done()
    assert await toy.effects_by_key() == {str(basket): [1, 2, 3, 4] for basket in baskets}


async def test_a_relay_that_dies_ends_the_process(toy: Toy) -> None:
    async with working(toy, SERVICE) as task:

        async def started() -> bool:
            return bool(await relays(toy))

        await until(started)
        (row,) = await relays(toy)
        await toy.running.rows("SELECT pg_terminate_backend($1)", row["pid"])
        with pytest.raises(ExceptionGroup) as ended:
            await asyncio.wait_for(task, 60)
    assert ended.group_contains((asyncpg.PostgresError, asyncpg.InterfaceError))
    assert await relays(toy) == []


async def relays(toy: Toy) -> list[asyncpg.Record]:
    return await toy.running.rows(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'toy-relay'"
        " AND datname = current_database()"
    )


async def test_what_is_done_again_after_an_end_begins_where_it_was_committed(toy: Toy) -> None:
    service = service_with(consumers=(consumer(toy),))
    (basket,) = await toy.baskets(1)

    async def seen(count: int) -> bool:
        return len(await toy.effects()) >= count

    for count in (1, 2, 3):
        async with working(toy, service):
            await until(partial(seen, count))
        await toy.add(basket)
    assert await toy.effects() == [(str(basket), number) for number in (1, 2, 3)]


def test_every_service_keeps_its_own_register_of_units() -> None:
    (own,) = consumers_of(SERVICE)
    assert own == places_consumer("toy")
    assert own.name == "toy.places"
