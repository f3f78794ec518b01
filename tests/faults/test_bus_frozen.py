"""Relays and producers that stop in the worst moment: issue "Nothing lost", Faults."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from chassis import relay as relay_module
from chassis.relay import relay
from chassis.wake import CHANNEL
from tests.support.bus_readers import ROOT
from tests.support.toy import Toy
from tests.support.toy_fixtures import toy, toy_databases

__all__ = ["toy", "toy_databases"]

STUCK_RELAY = """
import asyncio, os, signal, sys
from chassis import relay
from chassis.bus import open_bus
relay.IDLE_LIMIT = "2s"
publish_once = relay.publish_once
MANY = "SELECT count(*) > 40 FROM chassis.outbox WHERE published_at IS NULL"
async def once(connection, send):
    if await connection.fetchval(MANY):  # asked, but the answer is never taken
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGSTOP)
    return await publish_once(connection, send)
relay.publish_once = once
asyncio.run(relay.relay(sys.argv[1], open_bus(sys.argv[2]), service="toy"))
"""
BACKLOG = """INSERT INTO chassis.outbox (id, topic, key, sequence, type, body, recorded_at)
SELECT gen_random_uuid(), $1, 'big', n, 'big', decode(repeat('ab', 250000), 'hex'), now()
FROM generate_series(1, 60) AS n"""


@contextlib.contextmanager
def stopped(script: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that stops itself."""
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def until_stopped(process: subprocess.Popen[bytes]) -> None:
    found = await asyncio.to_thread(
        os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT
    )
    assert found is not None
    assert found.si_code == os.CLD_STOPPED


async def published(toy: Toy) -> None:
    async with asyncio.timeout(60):
        while await toy.pending():  # noqa: ASYNC110 - the relay is watched from outside
            await asyncio.sleep(0.05)


async def test_a_relay_told_to_stop_as_it_is_woken_stops(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`asyncio.wait_for` of 3.11 forgets the one in favour of the other."""
    made: list[asyncpg.Connection] = []
    connect = asyncpg.connect

    async def noted(*where: Any, **how: Any) -> asyncpg.Connection:
        made.append(await connect(*where, **how))
        return made[-1]

    basket = await toy.basket()
    with monkeypatch.context() as patch:
        patch.setattr(relay_module.asyncpg, "connect", noted)
        task = asyncio.create_task(relay(toy.running.databases.app, toy.running.bus, service="toy"))
        await toy.add(basket)
        await published(toy)
        ours = next(one for one in made if one._listeners.get(CHANNEL))  # noqa: SLF001 - as the relay made it

    loop = asyncio.get_running_loop()
    await ours.add_listener(CHANNEL, lambda *_: loop.call_soon(task.cancel))
    await toy.running.rows(f"NOTIFY {CHANNEL}")
    done, _ = await asyncio.wait({task}, timeout=10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert done


async def test_a_relay_frozen_while_a_backlog_comes_in_loses_its_lock(toy: Toy) -> None:
    """Its session is not idle then, but busy sending what nobody takes."""
    basket = await toy.basket()
    databases = toy.running.databases
    with stopped(STUCK_RELAY, databases.app, databases.bus) as stuck:
        await toy.add(basket)
        await published(toy)
        await toy.running.rows(BACKLOG, toy.topic.name)
        await until_stopped(stuck)
        task = asyncio.create_task(relay(databases.app, toy.running.bus, service="toy"))
        try:
            await published(toy)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
