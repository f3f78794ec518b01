import asyncio
import json
import logging
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from chassis.telemetry import (
    Metrics,
    configure_logging,
    continue_trace,
    current_traceparent,
    log,
    masked,
    next_span,
)

ID_NUMBER = "500112199706010017"
PHONE = "13812345678"
SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
W3C = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    before = structlog.get_config()
    configure_logging(service="relief", process="serve")
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    line: dict[str, object] = json.loads(out)
    return line


# --- log lines ---


def test_a_line_is_one_json_object_with_who_when_and_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log().info("relay_started", topic="minzheng.relief.standard", count=3)
    line = only_line(capsys)
    assert datetime.fromisoformat(str(line.pop("time"))).tzinfo == UTC
    assert line == {
        "event": "relay_started",
        "level": "info",
        "service": "relief",
        "process": "serve",
        "topic": "minzheng.relief.standard",
        "count": 3,
    }


def test_a_key_that_is_not_on_the_list_does_not_come_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.contextvars.bind_contextvars(address="渝北区双凤桥街道")
    log().info("applied", name="张三", id_number=ID_NUMBER, body={"name": "张三"}, kind="dibao")
    line = only_line(capsys)
    assert set(line) == {"time", "level", "event", "service", "process", "kind"}


@pytest.mark.parametrize("value", [ID_NUMBER, PHONE, int(ID_NUMBER), int(PHONE), [PHONE]])
def test_a_number_of_a_person_under_an_allowed_key_is_masked(
    capsys: pytest.CaptureFixture[str], value: object
) -> None:
    log().info("rejected", reason=value)
    out = capsys.readouterr().out
    assert ID_NUMBER not in out
    assert PHONE not in out
    assert "*" in out


@pytest.mark.parametrize(
    "value", [{"name": "张三"}, [{"name": "张三"}], "张三".encode(), ValueError("张三")]
)
def test_only_plain_values_come_out(capsys: pytest.CaptureFixture[str], value: object) -> None:
    log().info("rejected", reason=value)
    assert "张三" not in capsys.readouterr().out


def test_plain_values_come_out_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    row = UUID("12345678-1234-7234-8234-138123456789")
    log().info("x", aggregate=row, day=date(2020, 12, 31), count=Decimal("6.50"), unit=500112005000)
    line = only_line(capsys)
    assert line["aggregate"] == str(row)
    assert (line["day"], line["count"], line["unit"]) == ("2020-12-31", "6.50", 500112005000)


def test_a_line_cannot_be_forged_or_endless(capsys: pytest.CaptureFixture[str]) -> None:
    log().info("x", reason='a\n{"event":"forged"}' + "y" * 10_000)
    assert len(str(only_line(capsys)["reason"])) == 1_000


def test_a_failure_is_told_by_types_and_places_and_not_by_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        try:
            raise KeyError("张三")  # noqa: TRY301 - the failure is what is told
        except KeyError as cause:
            raise ValueError("Key (name)=(张三) already exists") from cause
    except ValueError:
        log().exception("job_failed", kind="daily")
    line = only_line(capsys)
    assert "张三" not in json.dumps(line, ensure_ascii=False)
    assert (line["level"], line["error"]) == ("error", "builtins.ValueError")
    assert line["causes"] == ["builtins.KeyError"]
    assert "test_telemetry.py" in str(line["frames"])


def test_what_libraries_say_comes_out_in_the_same_form_without_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logging.getLogger("asyncio").error("Task failed\nfuture: %r", "张三")
    line = only_line(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("Task failed", "asyncio", "error")


def test_a_preformatted_library_message_keeps_its_first_line_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        raise ValueError("张三")  # noqa: TRY301 - as above
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed\nfuture: ValueError('张三')")
    assert "张三" not in capsys.readouterr().out


def test_hosts_of_the_brokers_library_come_out(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiokafka.conn").error("Unable to connect to %s:%s", "broker", 9092)
    assert only_line(capsys)["event"] == "Unable to connect to broker:9092"


def test_chatter_of_libraries_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"号码{ID_NUMBER}。", "号码500112********0017。"),
        ("11010519491231002X", "110105********002X"),
        ("500112 19970601 0017", "500112**********0017"),
        ("５００１１２１９９７０６０１００１７", "５００１１２********００１７"),
        ("110105491231002", "110105*****1002"),
        (ID_NUMBER + ID_NUMBER, "500112" + "*" * 26 + "0017"),
        ("6222021234567890123", "622202*********0123"),
        (f"tel{PHONE}x", "tel138****5678x"),
        ("138-1234-5678", "138******5678"),
        (f"+86{PHONE}", "+86*******5678"),
    ],
)
def test_numbers_of_persons_are_starred(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "500112005000",  # a division
        "113812345678",  # twelve digits are no telephone
        "2020-12-31T15:59:59+00:00",
        "12345678-1234-7234-8234-138123456789",
        "event:12345678-1234-7234-8234-138123456789",
        SENT,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-13812345678abcde-01",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        "/v1/eldercare/facilities/{facility_id}",
    ],
)
def test_ids_codes_times_and_digests_stay(text: str) -> None:
    assert masked(text) == text


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_surrounding_text_lets_an_id_number_through(before: str, after: str) -> None:
    assert ID_NUMBER not in masked(f"{before}{ID_NUMBER}{after}")


# --- trace context ---


def test_a_received_trace_goes_on_under_a_span_of_our_own() -> None:
    with continue_trace(SENT) as traceparent:
        assert current_traceparent() == traceparent
        assert W3C.fullmatch(traceparent)
        assert traceparent[:36] == SENT[:36]
        assert traceparent[36:52] != SENT[36:52]
    assert current_traceparent() is None


@pytest.mark.parametrize(
    "received",
    [
        None,
        "",
        "garbage",
        SENT.upper(),
        SENT + "-more",
        SENT + "\n",
        "ff" + SENT[2:],
        "00-" + "0" * 32 + SENT[35:],
        SENT[:36] + "0" * 16 + "-01",
        f"00-{ID_NUMBER}-{PHONE}-01",
    ],
)
def test_what_is_no_traceparent_begins_a_new_trace(received: str | None) -> None:
    made = next_span(received)
    assert W3C.fullmatch(made)
    assert SENT[3:35] not in made


def test_of_a_later_version_the_known_part_is_read() -> None:
    assert next_span("01" + SENT[2:] + "-more")[:35] == SENT[:35]


@given(st.text(max_size=80))
def test_any_header_gives_a_valid_traceparent(received: str) -> None:
    assert W3C.fullmatch(next_span(received))


async def test_tasks_side_by_side_keep_their_traces_apart() -> None:
    async def work() -> bool:
        with continue_trace(None) as mine:
            await asyncio.sleep(0)
            return current_traceparent() == mine

    assert all(await asyncio.gather(*(work() for _ in range(20))))


def test_the_trace_stands_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    with continue_trace(SENT) as traceparent:
        log().info("answered")
    assert only_line(capsys)["traceparent"] == traceparent


# --- metrics ---


def test_the_five_gauges_of_the_house_are_exposed_by_name() -> None:
    metrics = Metrics()
    metrics.outbox_pending.labels("relief").set(3)
    metrics.outbox_oldest_seconds.labels("relief").set(1.5)
    metrics.dead_letters.labels("indicator").set(2)
    metrics.consumer_lag.labels("indicator", "minzheng.relief.standard", "0").set(7)
    metrics.job_oldest_seconds.labels("relief").set(60)
    body, content_type = metrics.exposition()
    lines = body.decode().splitlines()
    assert content_type.startswith("text/plain")
    assert 'outbox_pending{service="relief"} 3.0' in lines
    assert 'outbox_oldest_seconds{service="relief"} 1.5' in lines
    assert 'dead_letters{consumer="indicator"} 2.0' in lines
    lag = 'consumer_lag{consumer="indicator",partition="0",topic="minzheng.relief.standard"} 7.0'
    assert lag in lines
    assert 'job_oldest_seconds{service="relief"} 60.0' in lines


def test_a_process_says_since_when_it_lives_and_how_full_its_disk_is(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.watch_disk(tmp_path / "not" / "there yet")
    value = {
        line.split()[0]: float(line.split()[1])
        for line in metrics.exposition()[0].decode().splitlines()
        if not line.startswith("#")
    }
    assert 0 < value["disk_free_bytes"] < value["disk_size_bytes"]
    assert value["disk_size_bytes"] == shutil.disk_usage(tmp_path).total
    if sys.platform == "linux":
        assert value["process_start_time_seconds"] > 0
        assert value["process_resident_memory_bytes"] > 0


def test_requests_are_counted_by_template_method_and_status() -> None:
    metrics = Metrics()
    metrics.request("GET", "/v1/facilities/{id}", 200, 0.02)
    metrics.request("GET", "/v1/facilities/{id}", 200, 0.03)
    body = metrics.exposition()[0].decode()
    assert 'http_requests_total{method="GET",route="/v1/facilities/{id}",status="200"} 2.0' in body
    assert 'http_request_seconds_count{method="GET",route="/v1/facilities/{id}"} 2.0' in body


def test_strangers_cannot_multiply_the_series() -> None:
    metrics = Metrics()
    for number in range(100):
        metrics.request(f"HACK{number}", None, 404, 0.001)
    body = metrics.exposition()[0].decode()
    assert 'http_requests_total{method="other",route="unmatched",status="404"} 100.0' in body
    assert "HACK" not in body
