"""The house under load while everything in it fails in turn: issue "Nothing lost", Faults.

`make soak` runs them all, on the embedded bus and on Kafka; `make test` two of them on the house
that its tests share. MINZHENG_FAULTS_SEED repeats the order of a run, which prints it.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.clock import drive
from tests.support import faults
from tests.support.counter import counter_of
from tests.support.faults import away, frozen, kill, pid_of
from tests.support.house import House, running_house
from tests.support.load import Load, fresh_households, load_on
from tests.support.verified import verify

SEED = int(os.environ.get("MINZHENG_FAULTS_SEED", time.time_ns() % 100_000))
ROUNDS = int(os.environ.get("MINZHENG_FAULTS_ROUNDS", "2"))
OPTIONS = "--case-towns", "0"
MINUTE, LONGER_THAN_EVERY_TIMEOUT = 60, 100
BUS, DATABASE = "bus", "postgres"
FAMILIES: dict[Path, Iterator[tuple[int, int]]] = {}
"""Of each house, those that have not been to a window."""


def is_kafka(load: Load) -> bool:
    return load.house.endpoints["bus"].startswith("kafka://")


def bus_server(load: Load) -> str:
    return "java" if is_kafka(load) else DATABASE


def victims(load: Load) -> list[str]:
    return [*faults.SERVICES, *sorted({bus_server(load), DATABASE})]


async def killed_in_turn(load: Load, rounds: int = ROUNDS) -> None:
    order = random.Random(SEED)  # noqa: S311 - the order of kills
    names = victims(load)
    for _ in range(rounds):
        for name in order.sample(names, len(names)):
            await kill(load.house, name)
            await asyncio.sleep(order.uniform(0.1, 1.5))
        await load.answered(4)


async def killed_supervisor(load: Load) -> None:
    kafka = ("--kafka",) if is_kafka(load) else ()
    await asyncio.to_thread(faults.kill_supervisor, load.house, *OPTIONS, *kafka)


async def bus_away(load: Load, seconds: float) -> None:
    """On one machine the embedded bus goes with its database server."""
    async with away(load.house, bus_server(load)):
        await asyncio.sleep(seconds)


async def bus_silent(load: Load) -> None:
    """It takes connections and says nothing."""
    async with frozen(load.house, bus_server(load), whole=True):
        await asyncio.sleep(40)


async def database_restarted(load: Load) -> None:
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        os.kill(await pid_of(load.house, DATABASE), how)  # smart, fast, immediate
        await asyncio.sleep(3)
        if how is signal.SIGTERM:  # which waits for everybody to leave
            os.kill(await pid_of(load.house, DATABASE), signal.SIGINT)
            await asyncio.sleep(5)


async def database_refusing(load: Load) -> None:
    async with faults.refusing(load.house, ["relief", "eldercare"]):
        await asyncio.sleep(20)


async def database_slow(load: Load) -> None:
    await faults.slow(load.house, 30)


async def database_locked(load: Load) -> None:
    async with faults.held(load.house, "eldercare", "chassis.outbox"):
        await asyncio.sleep(40)


async def log_disk_full(load: Load) -> None:
    """Nothing more can be written, by the server nor by what starts it again; then there is room.

    The server's log is what runs out first: it ends, and recovers when it may write.
    """
    run = load.house.process.pid
    server = await pid_of(load.house, bus_server(load))
    with faults.small_files(64 * 1024, run, server):
        await asyncio.sleep(25)


async def frozen_in_turn(load: Load) -> None:
    """Relays, consumers, job workers and sealers, until another has their locks, and back."""
    for name in ("work-relief", "work-eldercare", "work-indicator", "work-gateway"):
        async with frozen(load.house, name):
            await asyncio.sleep(20)
        await asyncio.sleep(2)


async def frozen_doors(load: Load) -> None:
    for name in ("serve-relief", "serve-eldercare", "serve-gateway"):
        async with frozen(load.house, name):
            await asyncio.sleep(12)
        await asyncio.sleep(2)


async def clock_jumps(load: Load) -> None:
    """A year on, back, half a day back: not to before what has been written by then."""
    now = datetime.fromisoformat(load.house.folder.clock.read_text()).astimezone(UTC)
    for days in (365, 0, -0.5, 1):
        drive(load.house.folder.clock, now + timedelta(days=days))
        await asyncio.sleep(4)
    drive(load.house.folder.clock, now)


FAULTS: dict[str, Callable[[Load], Awaitable[None]]] = {
    "killed in turn": killed_in_turn,
    "the supervisor killed": killed_supervisor,
    "the bus away for a minute": lambda load: bus_away(load, MINUTE),
    "the bus away longer than every timeout": lambda load: bus_away(
        load, LONGER_THAN_EVERY_TIMEOUT
    ),
    "the bus silent": bus_silent,
    "the database restarted": database_restarted,
    "the database refuses": database_refusing,
    "the database slow": database_slow,
    "a table locked": database_locked,
    "the disk full": log_disk_full,
    "workers frozen": frozen_in_turn,
    "doors frozen": frozen_doors,
    "the clock jumps": clock_jumps,
}


@pytest.fixture(scope="module", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def own_house(request: pytest.FixtureRequest) -> Iterator[House]:
    """A house to be broken, one for each bus."""
    if request.param == "kafka":
        request.getfixturevalue("kafka_libraries")
    with running_house(*OPTIONS, *(("--kafka",) if request.param == "kafka" else ())) as house:
        yield house


@pytest.fixture
async def load(own_house: House) -> AsyncIterator[Load]:
    families = FAMILIES.setdefault(own_house.data, fresh_households())
    async with counter_of(own_house) as counter, load_on(own_house, counter, families) as one:
        await one.prepare(3)
        yield one


async def under_load(load: Load, fault: Callable[[Load], Awaitable[None]]) -> None:
    async with load.running():
        await load.answered(5)
        await fault(load)
        await load.answered(8)
    print(  # noqa: T201 - shown with what fails, and by -s
        f"seed {SEED}: {load.count_answered()} of {len(load.writes)} writes answered at once,"
        f" {load.reads} reads, {load.turned_away} turned away"
    )


@pytest.mark.soak
@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_fails_nothing_is_lost_doubled_or_wrong(load: Load, name: str) -> None:
    await under_load(load, FAULTS[name])
    await verify(load)


@pytest.mark.soak
async def test_what_strangers_send_is_set_aside_and_repeats_change_nothing(load: Load) -> None:
    strangers: set[str] = set()

    async def send(load: Load) -> None:
        strangers.update(await faults.strange_events(load.house))

    await under_load(load, send)
    try:
        await verify(load, strangers=strangers)
    finally:
        await faults.forget_strangers(load.house, strangers)
