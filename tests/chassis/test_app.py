"""The app factory: operations, the log line of a request, what a request costs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from chassis import places
from chassis.telemetry import configure_logging
from chassis.wake import NOTIFY
from tests.support.services import DISTRICT, Running

STANDARDS = "/v1/relief/standards"
SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GOOD = {
    "code": "dibao",
    "area": "urban",
    "division": DISTRICT,
    "amount": "636",
    "valid_from": "2021-09-01",
    "document": "渝民〔2021〕143号",
}
STATEMENTS_OF_A_POST, STATEMENTS_OF_A_KEY, STATEMENTS_OF_A_LIST = 11, 3, 3
"""Round trips besides BEGIN and COMMIT. A change that needs more says why, here."""


@pytest.fixture(autouse=True)
def _logging_as_in_a_process() -> None:
    configure_logging(service="relief", process="serve")


def app_of(relief: Running) -> Any:
    transport: Any = relief.http._transport  # noqa: SLF001 - the app under test
    return transport.app


def request_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(said) for said in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == "request"]


@contextmanager
def counted(relief: Running) -> Iterator[list[str]]:
    """The statements that the app sends meanwhile, but for the relay's wake-up beside them."""
    engine = app_of(relief).state.runtime.database.engine.sync_engine
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement != str(NOTIFY):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_health_says_only_that_the_process_runs(relief: Running) -> None:
    answer = await relief.http.get("/-/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_asks_the_database(relief: Running) -> None:
    with counted(relief) as sent:
        assert (await relief.http.get("/-/ready")).json() == {"status": "ready"}
    assert sent == ["SELECT 1"]


async def test_metrics_count_requests_under_their_route(relief: Running) -> None:
    await relief.http.get(f"{STANDARDS}/01939f3c-5a00-7001-8000-000000000001")
    text = (await relief.http.get("/-/metrics")).text
    assert 'route="/v1/relief/standards/{series_id}",status="401"' in text
    assert "01939f3c" not in text


async def test_a_request_is_one_line_with_its_route_and_trace(
    relief: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = {**relief.headers("relief:read"), "traceparent": SENT}
    await relief.http.get(f"{STANDARDS}?code=dibao", headers=headers)
    (line,) = request_lines(capsys)
    assert (line["method"], line["route"], line["status"]) == ("GET", STANDARDS, 200)
    assert line["traceparent"].split("-")[1] == SENT.split("-")[1]
    assert line["duration_ms"] > 0


async def test_the_callers_trace_goes_into_the_event(relief: Running) -> None:
    headers = {**relief.headers("relief:standards"), "traceparent": SENT}
    assert (await relief.http.post(STANDARDS, json=GOOD, headers=headers)).status_code == 201
    (row,) = await relief.rows("SELECT body FROM chassis.outbox")
    assert json.loads(row["body"])["traceparent"].split("-")[1] == SENT.split("-")[1]


async def test_health_is_asked_often_and_leaves_no_line(
    relief: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    await relief.http.get("/-/health")
    assert request_lines(capsys) == []


async def test_operations_are_no_part_of_the_published_interface(relief: Running) -> None:
    paths = app_of(relief).openapi()["paths"]
    assert STANDARDS in paths
    assert not [path for path in paths if path.startswith("/-")]


async def test_what_a_request_costs_in_statements(
    relief: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "LOOK_AGAIN_AFTER", 600)
    setter, reader = relief.headers("relief:standards"), relief.headers("relief:read")
    await relief.http.get(STANDARDS, headers=reader)  # the register of units is read once
    with counted(relief) as post:
        answer = await relief.http.post(STANDARDS, json=GOOD, headers=setter)
        assert answer.status_code == 201
    with counted(relief) as keyed:
        again = {**GOOD, "valid_from": "2022-09-01"}
        headers = {**setter, "Idempotency-Key": "window-0001"}
        answer = await relief.http.post(STANDARDS, json=again, headers=headers)
        assert answer.status_code == 201
    with counted(relief) as listed:
        assert (await relief.http.get(STANDARDS, headers=reader)).status_code == 200
    assert len(post) <= STATEMENTS_OF_A_POST, "\n".join(post)
    assert len(keyed) <= STATEMENTS_OF_A_POST + STATEMENTS_OF_A_KEY, "\n".join(keyed)
    assert len(listed) <= STATEMENTS_OF_A_LIST, "\n".join(listed)
