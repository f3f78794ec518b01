"""A backup while the suite works, and the way back from it: issue "Nothing lost"."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from suite import catalogue
from suite.backup import MANIFEST, BackupError, backup, restore
from tests.support import recount
from tests.support.house import House, start, stop
from tests.support.servers import open_folder

pytestmark = pytest.mark.xdist_group("house")

GAPLESS = """SELECT count(*) FROM (SELECT topic, key, array_agg(sequence ORDER BY sequence) AS found
FROM chassis.outbox GROUP BY topic, key) AS told
WHERE found <> ARRAY(SELECT generate_series(1::bigint, cardinality(found)))"""
DAY = date(2025, 12, 31)


async def register(house: House, number: int) -> None:
    answer = await asyncio.to_thread(
        house.request,
        "POST",
        "/v1/eldercare/facilities",
        json={
            "name": f"备份期间登记的站点{number}",
            "kind": "community_station",
            "division": "500112141000",
            "address": "古路镇",
            "operator": {"name": "社区", "kind": "private_nonprofit"},
            "beds": {"total": 1, "nursing": 0, "in_use": 1},
            "functions": ["day_care"],
            "opened_on": "2025-12-04",
            "document": "测试",
        },
        headers={"Idempotency-Key": f"backup-{number}"},
    )
    assert answer.status_code == 201, answer.text


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, house: House) -> Path:
    goal = tmp_path_factory.mktemp("kept") / "kept"
    backup(house.data, goal)
    return goal


async def test_what_was_answered_before_it_is_there_when_it_comes_back(
    house: House, elsewhere: Path
) -> None:
    stopping, written = asyncio.Event(), 0

    async def write() -> None:
        nonlocal written
        while not stopping.is_set():
            await register(house, written)
            written += 1

    writing = asyncio.create_task(write())
    while written < 3:  # noqa: ASYNC110 - of another task
        await asyncio.sleep(0.05)
    answered = written
    done = await asyncio.to_thread(house.minzheng, "backup", str(elsewhere / "kept"))
    assert done.returncode == 0, done.stderr
    after = written
    stopping.set()
    await writing
    assert after > answered, "nothing was written meanwhile"

    data = elsewhere / "data"
    back = await asyncio.to_thread(house.minzheng_on, data, "restore", str(elsewhere / "kept"))
    assert back.returncode == 0, back.stderr
    restored = start(data, "--case-towns", "2")
    try:
        names = await restored.rows(
            "eldercare",
            "SELECT count(DISTINCT name) FROM facility_fact WHERE name LIKE '备份期间登记的站点%'",
        )
        assert answered <= names[0]["count"] <= after + 1
        for service in catalogue.NAMES:
            assert (await restored.rows(service, GAPLESS))[0]["count"] == 0, service
        assert restored.minzheng("doctor").returncode == 0
        # Whatever of it was still on its way arrives: the figure is the one of the tables.
        facts = await restored.rows("eldercare", recount.FACTS)
        counted = recount.count_facilities(facts, DAY)[14][0]
        assert Decimal(restored.indicators(as_of=DAY.isoformat())[14]["value"]) == counted
        assert restored.get("/v1/relief/awards") == house.get("/v1/relief/awards")
        await register(restored, 1_000_000)
    finally:
        assert stop(restored) == 0


def test_a_backup_takes_nobodys_place_and_needs_a_running_suite(
    house: House, elsewhere: Path
) -> None:
    (elsewhere / "kept").mkdir()
    refused = house.minzheng("backup", str(elsewhere / "kept"))
    assert (refused.returncode, "已存在" in refused.stderr) == (1, True)
    assert not any((elsewhere / "kept").iterdir())
    nobody = house.minzheng_on(elsewhere / "none", "backup", str(elsewhere / "kept2"))
    assert (nobody.returncode, "没有运行中的套件" in nobody.stderr) == (1, True)
    assert not (elsewhere / "kept2").exists()


def test_on_kafka_it_says_that_this_is_not_the_way(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "endpoints.json").write_text('{"bus": "kafka://127.0.0.1:9092"}')
    with pytest.raises(BackupError, match="Kafka"):
        backup(tmp_path / "data", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


class TestRefused:
    """Nothing is restored from what is not whole, or over what is there."""

    @pytest.fixture
    def copy(self, kept: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(kept, tmp_path / "copy"))

    def test_over_a_data_folder_in_use(self, kept: Path, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "clock").write_text("real")
        with pytest.raises(BackupError, match="不是空的"):
            restore(kept, tmp_path / "data")
        assert [one.name for one in (tmp_path / "data").iterdir()] == ["clock"]

    def test_without_its_manifest(self, copy: Path, tmp_path: Path) -> None:
        (copy / MANIFEST).unlink()
        with pytest.raises(BackupError, match="不是完整的备份"):
            restore(copy, tmp_path / "data")

    def test_with_another_byte_in_a_file(self, copy: Path, tmp_path: Path) -> None:
        control = copy / "postgres/cluster/global/pg_control"
        control.write_bytes(control.read_bytes()[:-1] + b"x")
        with pytest.raises(BackupError, match="pg_control"):
            restore(copy, tmp_path / "data")
        assert not (tmp_path / "data").exists()

    def test_without_a_file(self, copy: Path, tmp_path: Path) -> None:
        (copy / "clients.json").unlink()
        with pytest.raises(BackupError, match=r"clients\.json"):
            restore(copy, tmp_path / "data")
        assert not (tmp_path / "data").exists()

    def test_it_is_open_to_its_owner_alone(self, kept: Path) -> None:
        assert kept.stat().st_mode & 0o077 == 0
