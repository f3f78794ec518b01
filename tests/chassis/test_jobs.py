"""Work done at a time, or slowly: rows of the business transaction (architecture.md, Casework)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.jobs import (
    FIRST_RETRY,
    LONGEST_RETRY,
    Job,
    JobHandler,
    JobRunner,
    Later,
    Record,
    enqueue,
    enqueue_days,
    job_table,
)
from tests.support.toy import Toy, add_item

JOBS = "SELECT key, attempts, lease_until, done_at, failure, run_at FROM chassis.job ORDER BY key"


class Working:
    """Counts what it was asked to do (`called`), and what came of it (`recorded`)."""

    def __init__(self) -> None:
        self.called: list[Job] = []
        self.recorded: list[str] = []
        self.fails: Callable[[Job], bool] = lambda _: False
        self.began = asyncio.Event()
        self.before_record = asyncio.Event()
        self.before_record.set()

    async def __call__(self, job: Job) -> Record:
        self.called.append(job)
        self.began.set()
        if self.fails(job):
            raise RuntimeError(job.key)
        await self.before_record.wait()

        async def record(_: AsyncSession) -> None:
            self.recorded.append(job.key)

        return record


async def plan(toy: Toy, *keys: str, run_at: datetime | None = None) -> None:
    async with toy.database.transaction(actor="clerk-1") as session:
        for key in keys:
            await enqueue(session, "toy.work", key, {"number": key}, run_at=run_at)


def runner(
    toy: Toy, working: JobHandler, *, daily: bool = False, kind: str = "toy.work"
) -> JobRunner:
    kinds = (kind,) if daily else ()
    return JobRunner(
        toy.database, {kind: working}, toy.running.runtime.places.everywhere, daily=kinds
    )


async def finish(one: JobRunner) -> None:
    while await one.run_one():
        pass


async def test_a_job_is_run_once_with_its_arguments(toy: Toy) -> None:
    await plan(toy, "a")
    working = Working()
    one = runner(toy, working)
    assert await one.run_one()
    assert not await one.run_one()
    assert [(job.key, job.arguments, job.attempts) for job in working.called] == [
        ("a", {"number": "a"}, 1)
    ]
    assert working.recorded == ["a"]
    (row,) = await toy.running.rows(JOBS)
    assert row["done_at"] is not None
    assert row["lease_until"] is None


async def test_a_key_that_stands_adds_nothing(toy: Toy) -> None:
    await plan(toy, "a")
    working = Working()
    await finish(runner(toy, working))
    await plan(toy, "a")
    await finish(runner(toy, working))
    assert working.recorded == ["a"]


async def test_a_job_of_a_transaction_rolled_back_is_none(toy: Toy) -> None:
    with pytest.raises(RuntimeError):
        await plan_and_fail(toy)
    assert await toy.running.rows(JOBS) == []


async def plan_and_fail(toy: Toy) -> None:
    async with toy.database.transaction(actor="clerk-1") as session:
        await enqueue(session, "toy.work", "a", {})
        raise RuntimeError


async def test_a_job_waits_for_its_time_by_the_driven_clock(toy: Toy) -> None:
    toy.running.at("2025-03-03")
    await plan(toy, "a", run_at=datetime(2025, 3, 5, 1, tzinfo=UTC))
    working = Working()
    one = runner(toy, working)
    toy.running.at("2025-03-05", "08:59")
    assert not await one.run_one()
    toy.running.at("2025-03-05", "09:00")
    assert await one.run_one()
    assert working.recorded == ["a"]


async def test_what_is_due_longest_comes_first(toy: Toy) -> None:
    now = toy.database.clock.now()
    for key, hours in (("late", 1), ("early", 3), ("middle", 2)):
        await plan(toy, key, run_at=now - timedelta(hours=hours))
    working = Working()
    await finish(runner(toy, working))
    assert working.recorded == ["early", "middle", "late"]


async def test_many_runners_at_once_run_each_job_once(toy: Toy) -> None:
    keys = [f"{number:02}" for number in range(24)]
    await plan(toy, *keys)
    working = Working()
    async with asyncio.TaskGroup() as runners:
        for _ in range(6):
            runners.create_task(finish(runner(toy, working)))
    assert sorted(working.recorded) == keys


async def test_a_job_that_another_claims_at_this_moment_is_passed_over(toy: Toy) -> None:
    await plan(toy, "a")
    async with toy.database.transaction(actor="other") as session:
        await session.execute(select(job_table).with_for_update())
        async with asyncio.timeout(10):
            assert not await runner(toy, Working()).run_one()
    assert await runner(toy, Working()).run_one()


async def test_a_lease_that_runs_out_lets_another_take_the_job(toy: Toy) -> None:
    await plan(toy, "a")
    frozen, awake = Working(), Working()
    frozen.before_record.clear()
    first = asyncio.create_task(runner(toy, frozen).run_one())
    await frozen.began.wait()
    assert not await runner(toy, awake).run_one()  # leased
    await toy.running.rows("UPDATE chassis.job SET lease_until = now() - interval '1 second'")
    assert await runner(toy, awake).run_one()
    frozen.before_record.set()
    await first
    assert (frozen.recorded, awake.recorded) == ([], ["a"])
    assert [job.attempts for job in awake.called] == [2]


async def test_who_lost_its_lease_and_fails_does_not_put_the_job_off(toy: Toy) -> None:
    await plan(toy, "a")
    awake = Working()
    began, taken = asyncio.Event(), asyncio.Event()

    async def failing(_: Job) -> Record:
        began.set()
        await taken.wait()
        raise RuntimeError

    first = asyncio.create_task(runner(toy, failing).run_one())
    await began.wait()
    await toy.running.rows("UPDATE chassis.job SET lease_until = now() - interval '1 second'")
    await runner(toy, awake).run_one()
    taken.set()
    await first
    (row,) = await toy.running.rows(JOBS)
    assert row["done_at"] is not None
    assert row["failure"] is None


async def wait_over(toy: Toy) -> None:
    """The pause after a failure goes by real time: a driven clock may stand still."""
    await toy.running.rows("UPDATE chassis.job SET lease_until = now() - interval '1 second'")


async def test_a_job_that_fails_is_tried_again_later_and_later(toy: Toy) -> None:
    await plan(toy, "a")
    working = Working()
    working.fails = lambda job: job.attempts < 4
    one = runner(toy, working)
    pauses = []
    for _ in range(3):
        assert await one.run_one()
        (row,) = await toy.running.rows(JOBS)
        assert row["failure"] == "RuntimeError"
        assert row["done_at"] is None
        pauses.append(row["lease_until"] - datetime.now(UTC))
        assert not await one.run_one()
        await wait_over(toy)
    for pause, most in zip(pauses, (2, 4, 8), strict=True):
        assert FIRST_RETRY * most / 2 < pause <= FIRST_RETRY * most
    assert await one.run_one()
    assert working.recorded == ["a"]
    (row,) = await toy.running.rows(JOBS)
    assert row["failure"] is None


async def test_the_pause_between_attempts_has_an_end(toy: Toy) -> None:
    await plan(toy, "a")
    await toy.running.rows("UPDATE chassis.job SET attempts = 5000")
    working = Working()
    working.fails = lambda _: True
    await runner(toy, working).run_one()
    (row,) = await toy.running.rows(JOBS)
    assert row["lease_until"] - datetime.now(UTC) <= LONGEST_RETRY


async def test_a_job_that_fails_holds_nobody_else_up(toy: Toy) -> None:
    await plan(toy, "bad", "good")
    working = Working()
    working.fails = lambda job: job.key == "bad"
    await finish(runner(toy, working))
    assert working.recorded == ["good"]


async def test_what_failed_comes_after_what_was_not_tried_yet(toy: Toy) -> None:
    now = toy.database.clock.now()
    await plan(toy, "bad", run_at=now - timedelta(hours=2))
    working = Working()
    working.fails = lambda job: job.attempts == 1 and job.key == "bad"
    one = runner(toy, working)
    await one.run_one()
    await wait_over(toy)
    await plan(toy, "fresh", run_at=now - timedelta(hours=1))
    await finish(one)
    assert [job.key for job in working.called] == ["bad", "fresh", "bad"]


async def test_one_process_runs_several_at_a_time_so_that_one_that_waits_holds_none_up(
    toy: Toy,
) -> None:
    keys = ["00-hangs", "01-hangs", *(f"{number:02}" for number in range(2, 12))]
    await plan(toy, *keys)
    let_go, recorded = asyncio.Event(), asyncio.Queue[str]()
    hanging = 0

    async def handler(job: Job) -> Record:
        nonlocal hanging
        if job.key.endswith("hangs"):
            hanging += 1
            await let_go.wait()

        async def record(_: AsyncSession) -> None:
            recorded.put_nowait(job.key)

        return record

    forever = asyncio.create_task(runner(toy, handler).run(at_once=3))
    async with asyncio.timeout(30):
        assert sorted([await recorded.get() for _ in keys[2:]]) == sorted(keys[2:])
        assert hanging == 2
        let_go.set()
        assert {await recorded.get(), await recorded.get()} == {"00-hangs", "01-hangs"}
    forever.cancel()
    await asyncio.gather(forever, return_exceptions=True)
    assert recorded.empty()


async def test_no_more_run_at_a_time_than_asked(toy: Toy) -> None:
    await plan(toy, *(f"{number:02}" for number in range(6)))
    under_way, most, finished = 0, 0, asyncio.Queue[str]()

    async def handler(job: Job) -> Record:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1

        async def record(_: AsyncSession) -> None:
            finished.put_nowait(job.key)

        return record

    forever = asyncio.create_task(runner(toy, handler).run(at_once=2))
    async with asyncio.timeout(30):
        for _ in range(6):
            await finished.get()
    forever.cancel()
    await asyncio.gather(forever, return_exceptions=True)
    assert most == 2


async def test_several_at_a_time_keep_the_order_of_days(toy: Toy) -> None:
    async with toy.database.transaction(actor="job:plan") as session:
        await enqueue_days(session, "toy.work", date(2025, 3, 1), date(2025, 3, 3))
    toy.running.at("2025-03-03")
    done = asyncio.Queue[str]()

    async def handler(job: Job) -> Record:
        async def record(_: AsyncSession) -> None:
            done.put_nowait(job.arguments["day"])

        return record

    forever = asyncio.create_task(runner(toy, handler, daily=True).run())
    async with asyncio.timeout(30):
        days = [await done.get() for _ in range(3)]
    forever.cancel()
    await asyncio.gather(forever, return_exceptions=True)
    assert days == ["2025-03-01", "2025-03-02", "2025-03-03"]


async def test_a_handler_may_ask_again_at_a_time_which_is_no_failure(toy: Toy) -> None:
    basket = await toy.basket()
    toy.running.at("2025-03-03")
    await plan(toy, "a")
    told = datetime(2025, 3, 5, 1, tzinfo=UTC)

    async def note(session: AsyncSession) -> None:
        await add_item(session, basket, 1)

    working = Working()

    async def handler(job: Job) -> Record:
        if job.attempts == 1:
            raise Later(told, note)
        return await working(job)

    one = runner(toy, handler)
    assert await one.run_one()
    (row,) = await toy.running.rows(JOBS)
    assert (row["run_at"], row["failure"], row["lease_until"]) == (told, None, None)
    assert row["done_at"] is None
    assert len(await toy.events()) == 1
    toy.running.at("2025-03-05", "08:59")
    assert not await one.run_one()
    toy.running.at("2025-03-05", "09:00")
    assert await one.run_one()
    assert working.recorded == ["a"]


async def test_who_lost_its_lease_does_not_put_the_job_off_to_a_time_either(toy: Toy) -> None:
    await plan(toy, "a")
    awake = Working()
    began, taken = asyncio.Event(), asyncio.Event()

    async def later(_: Job) -> Record:
        began.set()
        await taken.wait()
        raise Later(datetime(2030, 1, 1, tzinfo=UTC))

    first = asyncio.create_task(runner(toy, later).run_one())
    await began.wait()
    await toy.running.rows("UPDATE chassis.job SET lease_until = now() - interval '1 second'")
    await runner(toy, awake).run_one()
    taken.set()
    await first
    (row,) = await toy.running.rows(JOBS)
    assert row["done_at"] is not None


async def test_the_effect_and_the_end_of_a_job_are_one_transaction(toy: Toy) -> None:
    basket = await toy.basket()
    await plan(toy, "a")
    broken = True

    async def handler(_: Job) -> Record:
        async def record(session: AsyncSession) -> None:
            await add_item(session, basket, 1)
            if broken:
                raise RuntimeError

        return record

    one = runner(toy, handler)
    await one.run_one()
    assert await toy.events() == []
    broken = False
    await wait_over(toy)
    await one.run_one()
    (event,) = await toy.events()
    (row,) = await toy.running.rows("SELECT id FROM chassis.job")
    assert event.actor == f"job:{row['id']}"


async def test_a_job_calls_out_with_no_transaction_open(toy: Toy) -> None:
    await plan(toy, "a")
    open_ones: list[int] = []

    async def handler(_: Job) -> Record:
        rows = await toy.running.rows(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'toy' AND state LIKE 'idle in transaction%'"
        )
        open_ones.append(len(rows))

        async def record(_: AsyncSession) -> None:
            return

        return record

    await runner(toy, handler).run_one()
    assert open_ones == [0]


async def test_missed_days_run_in_order_each_once(toy: Toy) -> None:
    working = Working()
    toy.running.at("2025-03-03")
    one = runner(toy, working, daily=True)
    await one.plan_days()
    await finish(one)
    toy.running.at("2025-03-07")
    one = runner(toy, working, daily=True)
    async with asyncio.TaskGroup() as planners:
        for _ in range(3):
            planners.create_task(runner(toy, working, daily=True).plan_days())
    await one.plan_days()
    await one.plan_days()
    await finish(one)
    assert [job.arguments["day"] for job in working.called] == [
        f"2025-03-0{day}" for day in range(3, 8)
    ]


async def test_a_day_that_fails_holds_the_days_after_it(toy: Toy) -> None:
    working = Working()
    working.fails = lambda job: job.arguments["day"] == "2025-03-04" and job.attempts == 1
    toy.running.at("2025-03-05")
    async with toy.database.transaction(actor="job:plan") as session:
        await enqueue_days(session, "toy.work", date(2025, 3, 3), date(2025, 3, 5))
    one = runner(toy, working, daily=True)
    await finish(one)
    assert working.recorded == ["toy.work@2025-03-03"]
    await wait_over(toy)
    await finish(one)
    assert working.recorded == [f"toy.work@2025-03-0{day}" for day in (3, 4, 5)]


async def test_two_processes_do_not_run_two_days_at_once(toy: Toy) -> None:
    async with toy.database.transaction(actor="job:plan") as session:
        await enqueue_days(session, "toy.work", date(2025, 3, 1), date(2025, 3, 2))
    working = Working()
    working.before_record.clear()
    first = asyncio.create_task(runner(toy, working, daily=True).run_one())
    await working.began.wait()
    assert not await runner(toy, working, daily=True).run_one()
    working.before_record.set()
    await first
    await finish(runner(toy, working, daily=True))
    assert working.recorded == ["toy.work@2025-03-01", "toy.work@2025-03-02"]


async def test_jobs_of_a_kind_that_this_process_does_not_know_are_left_alone(toy: Toy) -> None:
    await plan(toy, "a")
    assert not await runner(toy, Working(), kind="toy.other").run_one()
    (row,) = await toy.running.rows(JOBS)
    assert row["attempts"] == 0
