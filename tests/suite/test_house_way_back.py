"""The whole house rehearses its ways back: one service restored, Kafka and back, a lost broker."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from suite import catalogue
from tests.support import recount
from tests.support.house import House, start, stop
from tests.support.servers import open_folder

pytestmark = [pytest.mark.xdist_group("house"), pytest.mark.soak]

GAPLESS = """SELECT count(*) FROM (SELECT topic, key, array_agg(sequence ORDER BY sequence) AS found
FROM chassis.outbox GROUP BY topic, key) AS told
WHERE found <> ARRAY(SELECT generate_series(1::bigint, cardinality(found)))"""
DAY = date(2025, 12, 31)
PENDING = "SELECT count(*) FROM chassis.outbox WHERE published_at IS NULL"


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


def write(house: House, number: int, day: str) -> None:
    """A facility more, and another amount of 低保 from a day on."""
    facility = {
        "name": f"恢复演练站点{number}",
        "kind": "community_station",
        "division": "500112141000",
        "address": "古路镇",
        "operator": {"name": "社区", "kind": "private_nonprofit"},
        "beds": {"total": 1, "nursing": 0, "in_use": 1},
        "functions": ["day_care"],
        "opened_on": "2025-12-04",
        "document": "测试",
    }
    standard = {
        "code": "dibao",
        "area": "rural",
        "division": "500112000000",
        "amount": f"{700 + number}",
        "valid_from": day,
        "document": "测试",
    }
    for path, body in (
        ("/v1/eldercare/facilities", facility),
        ("/v1/relief/standards", standard),
    ):
        key = {"Idempotency-Key": f"way-back-{number}"}
        answer = house.request("POST", path, json=body, headers=key)
        assert answer.status_code == 201, answer.text


async def settled(house: House) -> None:
    async with asyncio.timeout(120):
        while house.minzheng("doctor").returncode:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.5)


async def counted(house: House) -> None:
    """Figures are those of the services' own tables, and no number is missing or doubled."""
    facts = await house.rows("eldercare", recount.FACTS)
    amounts = await house.rows("relief", recount.AMOUNTS)
    shown = house.indicators(as_of=DAY.isoformat())
    assert Decimal(shown[14]["value"]) == recount.count_facilities(facts, DAY)[14][0]
    parts = (Decimal(shown[2]["numerator"]), Decimal(shown[2]["denominator"]))
    assert parts == recount.count_standards(amounts, DAY)[2]
    for service in catalogue.NAMES:
        assert (await house.rows(service, GAPLESS))[0]["count"] == 0, service


async def test_every_way_back(house: House, folder: Path) -> None:
    data, kept, later = folder / "data", folder / "kept", folder / "later"
    assert house.minzheng("backup", str(kept)).returncode == 0
    assert house.minzheng_on(data, "restore", str(kept)).returncode == 0
    running = start(data)
    try:
        await settled(running)
        assert running.minzheng("backup", str(later)).returncode == 0
        for number in range(3):
            write(running, number, f"2025-12-{number + 1:02}")
        await settled(running)
        refused = running.minzheng("restore", str(later), "--only", "relief")
        assert (refused.returncode, "请先停止" in refused.stderr) == (1, True)
        assert stop(running) == 0

        done = House.minzheng_on(data, "restore", str(later), "--only", "relief")
        assert done.returncode == 0, done.stderr
        running = start(data)
        write(running, 3, "2025-12-09")
        await asyncio.sleep(2)
        assert (await running.rows("relief", PENDING))[0]["count"] > 0
        assert "reconcile relief --mend" in running.minzheng("doctor").stdout.replace("\n", "")
        looked = running.minzheng("reconcile")
        assert looked.returncode == 1
        assert "minzheng.relief.standard" in looked.stdout
        mended = running.minzheng("reconcile", "--mend")
        assert mended.returncode == 0, mended.stdout + mended.stderr
        await settled(running)
        whole = running.minzheng("reconcile")
        assert (whole.returncode, whole.stdout.count("一致")) == (0, 4), whole.stdout
        assert running.minzheng("audit", "verify").returncode == 0
        write(running, 4, "2025-12-10")
        await settled(running)
        await counted(running)
        before = running.indicators()
        assert stop(running) == 0

        for number, options in enumerate((("--kafka",), ("--kafka",), ()), 5):
            running = start(data, *options)
            await settled(running)
            assert running.indicators() == before, options
            assert running.minzheng("rebuild", "indicator").returncode == 0
            assert running.minzheng("reconcile").returncode == 0
            assert running.minzheng("dead-letters").returncode == 0
            write(running, number, f"2025-12-{number + 6:02}")
            await settled(running)
            await counted(running)
            before = running.indicators()
            assert stop(running) == 0
            # The second time the broker's disk is lost.
            shutil.rmtree(data / "kafka", ignore_errors=bool(not options))
    finally:
        if running.process.poll() is None:
            stop(running)
