"""What operations watches is true also where a process cannot go on."""

import asyncio

import pytest

from chassis.bus import BusError, open_bus
from chassis.relay import relay
from chassis.telemetry import metrics
from tests.support.toy import EFFECTS, Toy

NO_BROKER = "kafka://127.0.0.1:9"


def shown() -> str:
    return metrics.exposition()[0].decode()


async def test_a_relay_that_finds_no_broker_has_told_what_waits(toy: Toy) -> None:
    for gauge in (metrics.relay_held, metrics.outbox_pending, metrics.outbox_oldest_seconds):
        gauge.labels("toy").set(0)
    await toy.baskets(1, events=3)
    with pytest.raises(BusError):
        await relay(toy.running.settings.database_url, open_bus(NO_BROKER), service="toy")
    assert 'outbox_pending{service="toy"} 3.0' in shown()
    assert 'outbox_oldest_seconds{service="toy"} 0.0' not in shown()
    assert 'relay_held{service="toy"} 1.0' in shown()


async def test_the_lag_of_a_partition_that_another_reads_is_not_told(toy: Toy) -> None:
    given_up = f'consumer_lag{{consumer="{EFFECTS}",partition="99",topic="{toy.topic.name}"}}'
    read = f'consumer_lag{{consumer="{EFFECTS}",partition="0",topic="{toy.topic.name}"}}'
    metrics.consumer_lag.labels(EFFECTS, toy.topic.name, "99").set(7)
    assert given_up in shown()
    consuming = asyncio.create_task(toy.consumption().run(toy.running.bus))
    try:
        async with asyncio.timeout(60):
            while read not in shown():  # noqa: ASYNC110 - another task is watched from outside
                await asyncio.sleep(0.05)
    finally:
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
    assert given_up not in shown()
