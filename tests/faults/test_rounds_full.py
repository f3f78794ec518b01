"""A disk that is full, a database that refuses, a clock set back: issue "Nothing lost", Faults."""

import asyncio
import errno
import io
import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumption import is_transient
from chassis.jobs import Job, JobRunner, Record, enqueue
from chassis.telemetry import log
from chassis.work import work
from services.relief.app import SERVICE as RELIEF
from suite import supervisor as supervisor_module
from suite.postgres import Postgres, PostgresError
from suite.supervisor import Supervisor
from tests.support.emptied import running_emptied
from tests.support.faults import small_files
from tests.support.servers import open_folder, running_postgres
from tests.support.services import DISTRICT, Running, fresh_databases
from tests.support.toy import SERVICE, Toy, own_topic, service_with

STANDARDS = "/v1/relief/standards"
MOST = 16 * 1024 * 1024
"""As large as a segment of the server's log, which goes on then; a table cannot grow."""
FILLED = """INSERT INTO chassis.outbox
  (id, topic, key, sequence, type, body, recorded_at, published_at)
SELECT gen_random_uuid(), 'full', 'full', n, 'full', decode(repeat('ab', 1800), 'hex'), now(), now()
FROM generate_series(1, 9500) AS n"""
FILLED_EFFECTS = """INSERT INTO effect (consumer, key, sequence)
SELECT 'full', repeat('x', 1900), n FROM generate_series(1, 9500) AS n"""

LITTLE_MORE = """INSERT INTO effect (consumer, key, sequence)
SELECT 'full', 'x', n FROM generate_series(1, 5000) AS n"""


@pytest.fixture(scope="module")
def mortal() -> Iterator[Postgres]:
    """A server that these tests break."""
    with running_postgres() as server:
        yield server


@pytest.fixture
async def relief(mortal: Postgres, tmp_path: Path) -> AsyncIterator[Running]:
    databases = await fresh_databases(mortal, RELIEF)
    async with running_emptied(mortal, RELIEF, tmp_path, databases) as running:
        yield running


@pytest.fixture
async def toy(
    mortal: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Toy]:
    databases = await fresh_databases(mortal, SERVICE)
    async with running_emptied(mortal, SERVICE, tmp_path, databases) as running:
        yield Toy(running, await own_topic(running, monkeypatch))


async def post(relief: Running, day: int = 0) -> httpx.Response:
    asked = {
        "code": "dibao",
        "area": "urban",
        "division": DISTRICT,
        "amount": "636",
        "valid_from": (date(2021, 1, 1) + timedelta(days=day)).isoformat(),
        "document": "渝民〔2021〕143号",
    }
    return await relief.http.post(STANDARDS, json=asked, headers=relief.headers("relief:standards"))


async def test_what_finds_no_room_is_told_to_come_again_and_leaves_nothing(
    relief: Running, mortal: Postgres
) -> None:
    await relief.rows(FILLED)
    taken: list[int] = []
    with small_files(MOST, mortal.pid or 0):
        for day in range(60):
            answer = await post(relief, day)
            if answer.status_code != 201:
                break
            taken.append(day)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert (await post(relief, day)).status_code == 201
    rows = await relief.rows("SELECT 1 FROM chassis.outbox WHERE topic <> 'full'")
    amounts = await relief.rows("SELECT 1 FROM standard_amount")
    assert len(rows) == len(amounts) == len(taken) + 1


class Full(io.BytesIO):
    """A disk without room; one of the machine's own would complain once more at its end."""

    def write(self, _: object, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def fill_up(toy: Toy) -> None:
    """Until the last free page is used."""
    while True:
        await toy.running.rows(LITTLE_MORE)


async def test_a_consumer_without_room_waits_and_parks_nothing(toy: Toy, mortal: Postgres) -> None:
    baskets = await toy.baskets(2, events=80)
    records = await toy.records()
    await toy.running.rows(FILLED_EFFECTS)
    one = toy.consumption()
    # As the loop of a consumer does, which would try them again later.
    with small_files(MOST, mortal.pid or 0):
        with pytest.raises(asyncpg.PostgresError):
            await fill_up(toy)
        with pytest.raises(DBAPIError) as refused:
            await one.take(toy.partition, records)
    assert is_transient(refused.value)
    assert await toy.parked() == []
    await one.take(toy.partition, records)
    effects = await toy.effects_by_key()
    assert {str(basket): list(range(1, 81)) for basket in baskets}.items() <= effects.items()


async def test_a_database_that_lets_nobody_in_is_waited_for(
    relief: Running, mortal: Postgres
) -> None:
    role = f"{RELIEF.name}_template_app"
    admin = await asyncpg.connect(mortal.admin_dsn())
    try:
        await admin.execute(f"ALTER ROLE {role} NOLOGIN")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role
        )
        for _ in range(3):  # one of the pool that has yet to learn, too
            answer = await post(relief)
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
    finally:
        await admin.execute(f"ALTER ROLE {role} LOGIN")
        await admin.close()
    assert (await post(relief)).status_code == 201


def test_a_log_line_that_finds_no_room_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = io.TextIOWrapper(Full(), write_through=True)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", nowhere)
        log().info("relay_started", service="toy")
    with pytest.raises(OSError, match="No space left"):
        nowhere.write("the next line")


async def test_without_its_bus_a_process_does_its_jobs(toy: Toy) -> None:
    """What needs the bus tries again beside them, until it is there."""
    done: list[str] = []

    async def handler(job: Job) -> Record:
        await asyncio.sleep(1)  # another's answer takes its time

        async def record(_: AsyncSession) -> None:
            done.append(job.key)

        return record

    async with toy.database.transaction(actor="clerk-1") as session:
        await enqueue(session, "toy.work", "a", {})
    gone = toy.running.settings.model_copy(update={"bus_url": "postgresql://x@127.0.0.1:9/bus"})
    task = asyncio.create_task(work(service_with(jobs={"toy.work": handler}), gone))
    try:
        async with asyncio.timeout(60):
            while not done and not task.done():  # noqa: ASYNC110 - another task is watched
                await asyncio.sleep(0.05)
        assert done == ["a"]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_lease_by_a_clock_that_was_set_back_is_none(toy: Toy) -> None:
    async def handler(_: Job) -> Record:
        async def record(_: AsyncSession) -> None:
            return

        return record

    async with toy.database.transaction(actor="clerk-1") as session:
        await enqueue(session, "toy.work", "a", {})
    await toy.running.rows("UPDATE chassis.job SET lease_until = now() + $1", timedelta(days=1))
    everywhere = toy.running.runtime.places.everywhere
    assert await JobRunner(toy.database, {"toy.work": handler}, everywhere).run_one()


def test_what_is_watched_may_fail_and_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot be started while the disk is full takes no service with it."""
    monkeypatch.setattr(supervisor_module, "LONGEST_PAUSE", 0.0)
    looks: list[int] = []

    def watch() -> None:
        looks.append(1)
        raise PostgresError

    one = Supervisor(watch=watch)
    one.tend()
    one.tend()
    assert len(looks) == 2


def test_a_server_that_does_not_come_up_can_be_seen_to_have_ended() -> None:
    with open_folder() as folder:
        server = Postgres(folder / "postgres", durable=False)
        server.start()
        server.stop()
        settings = folder / "postgres/cluster/postgresql.auto.conf"
        before = settings.read_text()
        settings.write_text(f"{before}\nno_such_setting = 1\n")
        with pytest.raises(PostgresError):
            server.start()
        assert server.process is not None
        assert server.process.poll() is not None
        settings.write_text(before)
        server.stop()
        server.start()
        server.stop()
