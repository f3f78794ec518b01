"""The other process of a service: relay, sealer, consumers, jobs.

Any failure ends it, but for a bus that is away.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.audit_anchors import anchors_consumer
from chassis.audit_chain import Sealer
from chassis.audit_keys import open_audit_keys
from chassis.bus import BusError, open_bus
from chassis.consumption import Consumer, Consumption
from chassis.idempotency import forget_old_keys
from chassis.jobs import Job, JobHandler, JobRunner, Record
from chassis.places import places_consumer
from chassis.relay import relay
from chassis.service import Runtime, Service, running
from chassis.settings import Settings
from chassis.telemetry import log, metrics
from contracts.events.audit import AuditHead
from contracts.topics import BY_DATA

FORGET_KEYS = "forget-idempotency-keys"
FIRST_PAUSE, LONGEST_PAUSE, STEADY_AFTER = 0.2, 10.0, 30.0


def consumers_of(service: Service) -> tuple[Consumer, ...]:
    """The service's own consumers, its register of units, and the anchors of others it keeps."""
    keeps = service.name in BY_DATA[AuditHead].subscribers
    anchors = (anchors_consumer(service.name),) if keeps else ()
    return (places_consumer(service.name), *anchors, *service.consumers)


def consumption(runtime: Runtime, consumer: Consumer, *, schema: str = "") -> Consumption:
    return Consumption(runtime.database, consumer, runtime.places.everywhere, schema)


async def _forget_keys(_: Job) -> Record:
    async def record(session: AsyncSession) -> None:
        await forget_old_keys(session)

    return record


def job_runner(runtime: Runtime) -> JobRunner:
    """The service's own jobs, and the daily one that every service has."""
    handlers: Mapping[str, JobHandler] = {
        FORGET_KEYS: _forget_keys,
        **runtime.service.jobs(runtime),
    }
    return JobRunner(
        runtime.database,
        handlers,
        runtime.places.everywhere,
        daily=(FORGET_KEYS, *runtime.service.daily),
    )


async def _whenever_there(run: Callable[[], Awaitable[None]]) -> None:
    """What needs the bus begins anew while that is away; the jobs beside it go on."""
    pause = FIRST_PAUSE
    while True:
        began = time.monotonic()
        try:
            await run()
        except BusError:
            log().warning("bus_away")
        pause = FIRST_PAUSE if time.monotonic() - began > STEADY_AFTER else pause
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def work(service: Service, settings: Settings) -> None:
    """Run for ever; crash-only, so that whatever starts it again begins from what is committed.

    The bus alone is waited for: a day without it is no day without deadlines and payments.
    """
    async with running(service, settings) as runtime, asyncio.TaskGroup() as tasks:
        if settings.metrics_port:
            metrics.show(settings.metrics_host, settings.metrics_port)
        bus = open_bus(settings.bus)
        # Every service tells where its audit ends: each has a relay.
        relaying = partial(relay, settings.database_url, bus, service=service.name)
        tasks.create_task(_whenever_there(relaying))
        tasks.create_task(Sealer(runtime.database, open_audit_keys(settings)).run())
        for consumer in consumers_of(service):
            reading = consumption(runtime, consumer)
            tasks.create_task(_whenever_there(partial(reading.run, bus)))
        tasks.create_task(job_runner(runtime).run())
