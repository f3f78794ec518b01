"""The other process of a service: its relay, its consumers, its jobs. Any failure ends it."""

import asyncio

from chassis.bus import open_bus
from chassis.consumption import Consumer, Consumption
from chassis.jobs import JobRunner
from chassis.places import places_consumer
from chassis.relay import relay
from chassis.service import Runtime, Service, running
from chassis.settings import Settings


def consumers_of(service: Service) -> tuple[Consumer, ...]:
    """The service's own consumers and the one that keeps its register of units."""
    return (places_consumer(service.name), *service.consumers)


def consumption(runtime: Runtime, consumer: Consumer, *, schema: str = "") -> Consumption:
    return Consumption(runtime.database, consumer, runtime.places.everywhere, schema)


async def work(service: Service, settings: Settings) -> None:
    """Run for ever; crash-only, so that whatever starts it again begins from what is committed."""
    async with running(service, settings) as runtime, asyncio.TaskGroup() as tasks:
        bus = open_bus(settings.bus)
        if service.publishes:
            tasks.create_task(relay(settings.database_url, bus, service=service.name))
        for consumer in consumers_of(runtime.service):
            tasks.create_task(consumption(runtime, consumer).run(bus))
        runner = JobRunner(
            runtime.database,
            service.jobs(runtime),
            runtime.places.everywhere,
            daily=service.daily,
        )
        tasks.create_task(runner.run())
