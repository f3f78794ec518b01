"""The whole house, as who starts, watches and stops it: issue "The house stands"."""

import asyncio
import os
import random
import signal
import socket
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from suite.ports import free_port
from suite.settled import until_settled
from tests.support import recount
from tests.support.counter import applied_for_and_refused
from tests.support.house import House, children_of, running_house, start, stop
from tests.support.servers import open_folder

pytestmark = pytest.mark.xdist_group("house")

PROCESSES = [
    *("serve-gateway", "serve-eldercare", "serve-indicator", "serve-relief"),
    *("work-eldercare", "work-indicator", "work-gateway", "work-relief", "postgres"),
]
DAYS = [
    *(date(year, 12, 31) for year in range(2019, 2026)),
    *(date(2020, 1, 1) + timedelta(days=random.Random(20).randrange(2190)) for _ in range(12)),  # noqa: S311 - days to look at
    date(2022, 9, 30),
    date(2022, 10, 1),
    date(2025, 11, 6),
    date(2025, 12, 5),
]


class TestRecount:
    """An independent recount from the services' own tables equals every figure."""

    async def test_every_figure_on_many_days(self, house: House) -> None:
        facts = await house.rows("eldercare", recount.FACTS)
        amounts = await house.rows("relief", recount.AMOUNTS)
        figures = await house.rows("indicator", recount.FIGURES)
        for day in DAYS:
            counted = (
                recount.count_facilities(facts, day)
                | recount.count_standards(amounts, day)
                | recount.count_figures(figures, day)
            )
            shown = house.indicators(as_of=day.isoformat())
            for no, (numerator, denominator) in counted.items():
                one = shown[no]
                if denominator is None and no in {5, 7, 8, 13, 14}:
                    value = None if one["value"] is None else Decimal(one["value"])
                    assert value == numerator, (day, no)
                else:
                    parts = (one["numerator"], one["denominator"])
                    decimals = tuple(None if part is None else Decimal(part) for part in parts)
                    assert decimals == (numerator, denominator), (day, no)


class TestDoctorAndDeadLetters:
    def test_a_healthy_house_is_well(self, house: House) -> None:
        done = house.minzheng("doctor")
        assert "在运行" in done.stdout
        assert "落后 " not in done.stdout
        assert "无应答" not in done.stdout

    def test_nothing_is_parked(self, house: House) -> None:
        done = house.minzheng("dead-letters")
        assert (done.returncode, "没有被搁置的事件" in done.stdout) == (0, True)

    def test_workers_show_what_operations_watches(self, house: House) -> None:
        shown = house.http.get(f"{house.endpoints['metrics-indicator']}/metrics").text
        for metric in ("consumer_lag", "dead_letters", "outbox_pending", "job_oldest_seconds"):
            assert f"\n{metric}{{" in shown, metric

    def test_parked_events_by_api(self, house: House) -> None:
        for service in ("relief", "eldercare", "indicator", "gateway"):
            found = house.get(f"/v1/{service}/dead-letters")
            assert (found["items"], found["count"]) == ([], 0)
        refused = house.request("GET", "/v1/relief/dead-letters", client=1)
        assert refused.status_code == 403


class TestCommands:
    def test_the_demonstration_is_built_once_and_leaves_the_clock_alone(self, house: House) -> None:
        before = house.folder.clock.read_text()
        done = house.minzheng("demo")
        assert (done.returncode, house.folder.clock.read_text()) == (0, before)
        assert before == "real"

    @pytest.mark.parametrize("command", ["demo", "rebuild", "dead-letters"])
    def test_without_a_running_suite_it_says_so(
        self, house: House, tmp_path: Path, command: str
    ) -> None:
        done = house.minzheng_on(tmp_path / "none", command)
        assert done.returncode == 1
        assert "没有运行中的套件" in done.stderr
        assert not (tmp_path / "none").exists()

    def test_a_second_run_on_the_same_data_is_refused(self, house: House) -> None:
        done = house.minzheng("run", "--port", str(free_port()))
        assert done.returncode == 1
        assert "正由另一个" in done.stderr
        assert house.get("/v1/plan")["code"]

    def test_a_client_of_ones_own(self, house: House) -> None:
        made = house.minzheng(
            *("client", "city-platform", "--organisation", "区政务服务中心"),
            *("--scope", "plan:read", "--division", "500157000000"),
        )
        assert made.returncode == 0, made.stderr
        answer = house.http.post(
            f"{house.gateway}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=("city-platform", made.stdout.strip()),
        )
        assert answer.json()["scope"] == "plan:read"
        again = house.minzheng(
            *("client", "city-platform", "--organisation", "x"),
            *("--scope", "plan:read", "--division", "500157000000"),
        )
        assert (again.returncode, again.stdout) == (1, "")


class TestRebuild:
    async def test_in_the_middle_of_live_events_it_comes_out_equal(self, house: House) -> None:
        stopping = asyncio.Event()
        written = 0

        async def write() -> None:
            nonlocal written
            while not stopping.is_set():
                answer = await asyncio.to_thread(
                    house.request,
                    "POST",
                    "/v1/eldercare/facilities",
                    json={
                        "name": f"重建期间登记的站点{written}",
                        "kind": "community_station",
                        "division": "500112141000",
                        "address": "古路镇",
                        "operator": {"name": "社区", "kind": "private_nonprofit"},
                        "beds": {"total": 3, "nursing": 0, "in_use": 3},
                        "functions": ["day_care"],
                        "opened_on": "2025-12-02",
                        "document": "测试",
                    },
                )
                assert answer.status_code == 201, answer.text
                written += 1

        before = Decimal(house.indicators(as_of="2025-12-31")[14]["value"])
        writing = asyncio.create_task(write())
        done = await asyncio.to_thread(house.minzheng, "rebuild", "indicator")
        stopping.set()
        await writing
        assert done.returncode == 0, done.stderr
        assert "与重建前一致" in done.stdout, done.stdout
        await until_settled(house.folder)
        assert written > 3
        after = Decimal(house.indicators(as_of="2025-12-31")[14]["value"])
        assert after == before + 3 * written
        facts = await house.rows("eldercare", recount.FACTS)
        counted = recount.count_facilities(facts, date(2025, 12, 31))[14][0]
        assert counted == after


class TestKilledProcesses:
    async def test_kill_9_of_each_process_loses_and_doubles_nothing(self, house: House) -> None:
        before = Decimal(house.indicators(as_of="2025-12-31")[14]["value"])
        answered = 0
        for number, name in enumerate(PROCESSES):
            while not (pid := house.pid_of(name)):  # noqa: ASYNC110 - it is forked by another process
                await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
            body = {
                "name": f"断电期间登记的站点{number}",
                "kind": "community_station",
                "division": "500112141000",
                "address": "古路镇",
                "operator": {"name": "社区", "kind": "private_nonprofit"},
                "beds": {"total": 2, "nursing": 0, "in_use": 2},
                "functions": ["day_care"],
                "opened_on": "2025-12-03",
                "document": "测试",
            }
            key = {"Idempotency-Key": f"killed-{name}"}
            deadline = time.monotonic() + 60
            while True:
                try:
                    answer = house.request(
                        "POST", "/v1/eldercare/facilities", json=body, headers=key
                    )
                except OSError as error:
                    status: object = type(error).__name__
                except Exception as error:  # noqa: BLE001 - httpx's, while the door is down
                    status = type(error).__name__
                else:
                    status = answer.status_code
                    if status == 201:
                        answered += 1
                        break
                    assert status in {429, 502, 503, 504}, answer.text
                assert time.monotonic() < deadline, status
                await asyncio.sleep(0.2)
        await until_settled(house.folder)
        after = Decimal(house.indicators(as_of="2025-12-31")[14]["value"])
        assert after == before + 2 * answered
        assert answered == len(PROCESSES)
        rows = await house.rows(
            "eldercare",
            "SELECT key, array_agg(sequence ORDER BY sequence) AS found FROM chassis.outbox"
            " GROUP BY key",
        )
        for row in rows:
            assert row["found"] == list(range(1, len(row["found"]) + 1))


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka_libraries")
class TestOnKafka:
    async def test_the_same_district_and_events_readable_by_any_client(self) -> None:
        import json  # noqa: PLC0415 - used here alone

        from aiokafka import AIOKafkaConsumer  # noqa: PLC0415 - as above

        with running_house("--kafka", "--case-towns", "0") as house:
            column = house.indicators(as_of="2020-12-31")
            assert (column[14]["value"], column[15]["value"]) == ("6700", "30.92")
            address = house.endpoints["bus"].removeprefix("kafka://")
            reader = AIOKafkaConsumer(
                "minzheng.eldercare.facility",
                "minzheng.relief.standard",
                bootstrap_servers=address,
                auto_offset_reset="earliest",
            )
            await reader.start()
            try:
                records = await reader.getmany(timeout_ms=5000, max_records=50)
            finally:
                await reader.stop()
            found = [record for batch in records.values() for record in batch]
            assert found
            for record in found:
                event = json.loads(record.value)
                assert dict(record.headers)["content-type"].startswith(
                    b"application/cloudevents+json"
                )
                assert event["specversion"] == "1.0"
                assert event["subject"] == record.key.decode()
                assert event["type"].startswith(record.topic)
                assert event["data"]["id"] == event["subject"]
            await applied_for_and_refused(house, town=0, number=20)


class TestStartingAndStopping:
    """Last of all: it stops and starts the house that the others share."""

    def test_a_second_start_keeps_the_data_and_sigterm_leaves_no_process(
        self, house: House
    ) -> None:
        figures = house.indicators(as_of="2025-12-31")
        awards = house.get("/v1/relief/awards")
        clients = house.clients
        below = _all_below(house.process.pid)
        assert stop(house) == 0
        assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]

        house.resume(start(house.data, "--case-towns", "2"))
        assert house.clients == clients
        assert house.indicators(as_of="2025-12-31") == figures
        assert house.get("/v1/relief/awards") == awards
        below = _all_below(house.process.pid)
        os.kill(house.process.pid, signal.SIGKILL)
        house.process.wait()
        house.close()
        deadline = time.monotonic() + 20
        services = [pid for pid, name in below.items() if name.startswith(("serve", "work"))]
        while any(Path(f"/proc/{pid}").exists() for pid in services):
            assert time.monotonic() < deadline, "processes outlive their killed supervisor"
            time.sleep(0.1)

        house.resume(start(house.data, "--case-towns", "2"))
        assert house.indicators(as_of="2025-12-31") == figures
        assert house.get("/v1/relief/awards") == awards

    def test_a_taken_port_is_told_plainly(self, house: House) -> None:
        with socket.socket() as taken, open_folder() as folder:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = house.minzheng_on(folder / "data", "run", "--port", str(taken.getsockname()[1]))
            assert done.returncode != 0
            assert "端口" in done.stderr
            assert "Traceback" not in done.stderr


def _all_below(pid: int) -> dict[int, str]:
    found = children_of(pid)
    for child in list(found):
        found |= _all_below(child)
    return found
