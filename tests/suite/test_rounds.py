"""The short form of tests/faults/test_rounds.py, on the house that these tests share."""

import asyncio
import os
import random
import time

import pytest

from tests.support.counter import counter_of
from tests.support.faults import SERVICES, frozen, kill
from tests.support.house import House
from tests.support.load import fresh_households, load_on
from tests.support.verified import verify

pytestmark = pytest.mark.xdist_group("house")

SEED = int(os.environ.get("MINZHENG_FAULTS_SEED", time.time_ns() % 100_000))


async def test_under_load_kills_and_a_frozen_worker_lose_and_double_nothing(house: House) -> None:
    order = random.Random(SEED)  # noqa: S311 - the order of kills
    print(f"seed {SEED}")  # noqa: T201 - shown when it fails
    async with (
        counter_of(house) as counter,
        load_on(house, counter, fresh_households()) as load,
    ):
        await load.prepare(1)
        async with load.running():
            await load.answered(3)
            for name in order.sample([*order.sample(SERVICES, 3), "postgres"], 4):
                await kill(house, name)
                await asyncio.sleep(0.5)
            async with frozen(house, "work-eldercare"):
                await load.answered(3)
            await load.answered(3)
        await verify(load)
