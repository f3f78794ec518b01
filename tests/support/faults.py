"""What is done to a running house: processes killed and frozen, servers away, full or slow."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from chassis.bus import Message, open_bus
from chassis.ids import new_id
from chassis.relay import HEADERS
from suite import catalogue
from tests.support.house import House, children_of, start
from tests.support.load import PATIENCE

SERVICES = (
    *("serve-gateway", "serve-eldercare", "serve-indicator", "serve-relief", "serve-console"),
    *("work-eldercare", "work-indicator", "work-gateway", "work-relief"),
)


async def pid_of(house: House, name: str) -> int:
    """The process of that name, as soon as there is one."""
    deadline = time.monotonic() + PATIENCE
    while not (pid := house.pid_of(name)):
        assert time.monotonic() < deadline, f"{name} does not come back"
        await asyncio.sleep(0.05)
    return pid


async def kill(house: House, name: str) -> None:
    os.kill(await pid_of(house, name), signal.SIGKILL)


def kill_supervisor(house: House, *options: str) -> None:
    """kill -9 the run itself; who looks after it starts it again on the same data."""
    port = int(house.gateway.rpartition(":")[2])
    os.kill(house.process.pid, signal.SIGKILL)
    house.process.wait()
    house.close()
    house.resume(start(house.data, *options, port=port))


def below(pid: int) -> list[int]:
    return [pid, *children_of(pid)]


@asynccontextmanager
async def frozen(house: House, name: str, *, whole: bool = False) -> AsyncIterator[int]:
    """SIGSTOP a process (with all below it: a server's own) for a while."""
    pid = await pid_of(house, name)
    stopped = below(pid) if whole else [pid]
    for one in stopped:
        _send(one, signal.SIGSTOP)
    try:
        yield pid
    finally:
        for one in reversed(stopped):
            _send(one, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@asynccontextmanager
async def away(house: House, name: str) -> AsyncIterator[None]:
    """A server is gone and refuses connections: whoever would start it again sleeps meanwhile."""
    pid = await pid_of(house, name)
    os.kill(house.process.pid, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        yield
    finally:
        os.kill(house.process.pid, signal.SIGCONT)


@asynccontextmanager
async def refusing(house: House, databases: Iterable[str]) -> AsyncIterator[None]:
    """PostgreSQL lets nobody of these into their databases, and throws out who is in."""
    admin = await asyncpg.connect(house.folder.postgres().admin_dsn())
    names = list(databases)
    try:
        for name in names:
            await admin.execute(f"ALTER ROLE {name}_app NOLOGIN")
            await admin.execute(f"ALTER ROLE {name}_owner NOLOGIN")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY($1)", names
        )
        yield
    finally:
        for name in names:
            await admin.execute(f"ALTER ROLE {name}_app LOGIN")
            await admin.execute(f"ALTER ROLE {name}_owner LOGIN")
        await admin.close()


async def slow(house: House, seconds: float) -> None:
    """The database in short turns: a third of the time it answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        async with frozen(house, "postgres", whole=True):
            await asyncio.sleep(0.4)
        await asyncio.sleep(0.2)


@contextmanager
def small_files(most: int, *roots: int) -> Iterator[None]:
    """No file of these processes and those below may grow beyond `most`: a full disk, at the write.

    What they start meanwhile has no more room either.
    """
    for root in roots:
        for pid in below(root):
            limit(pid, str(most))
    try:
        yield
    finally:
        for root in roots:
            for pid in below(root):
                limit(pid, "unlimited")


def limit(pid: int, most: str) -> None:
    """Set how large files may grow, as the account under which the process runs; if it runs."""
    status = Path(f"/proc/{pid}/status")
    with contextlib.suppress(OSError):
        told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        user, group = (int(told[name].split()[0]) for name in ("Uid", "Gid"))
        subprocess.run(
            ["prlimit", f"--pid={pid}", f"--fsize={most}:"],
            user=user,
            group=group,
            extra_groups=[],
            check=False,
            capture_output=True,
        )


@asynccontextmanager
async def held(house: House, database: str, table: str) -> AsyncIterator[None]:
    """A table that somebody keeps locked."""
    connection = await asyncpg.connect(house.folder.postgres().admin_dsn(database))
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def strange_events(house: House) -> set[str]:
    """Send what a stranger might, and everything of a facility again, backwards; keys to park."""
    topic = "minzheng.eldercare.facility"
    rows = await house.rows(
        "eldercare",
        "SELECT key, body FROM chassis.outbox WHERE topic = $1 ORDER BY seq DESC",
        topic,
    )
    known = json.loads(rows[0]["body"])
    data = known["data"]
    periods = data["periods"] * (900_000 // len(json.dumps(data["periods"])))
    bodies = {
        "poison": b"{" + rows[0]["body"],
        "oversized": json.dumps({**known, "data": {**data, "periods": periods}}).encode(),
        "unknown": json.dumps({**known, "type": f"{topic}.registered.v9"}).encode(),
        "empty": b"",
    }
    strange = {f"{name}-{new_id().hex}": body for name, body in bodies.items()}
    messages = [Message(topic, row["key"], row["body"], HEADERS) for row in rows[:300]]
    messages += [Message(topic, key, body, HEADERS) for key, body in strange.items()]
    async with open_bus(house.endpoints["bus"]).producer() as producer:
        await producer.send(messages, timeout=20)
    return set(strange)


async def forget_strangers(house: House, keys: set[str]) -> None:
    """There is nothing to mend in what a stranger sent."""
    for service in catalogue.NAMES:
        for schema in ("projection", "acting"):
            await house.rows(
                service,
                f"DELETE FROM {schema}.dead_letter WHERE key = ANY($1)",  # noqa: S608 - our own
                list(keys),
            )
