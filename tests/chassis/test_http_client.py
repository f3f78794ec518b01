import asyncio
import gzip
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chassis import http_client
from chassis.http_client import (
    HttpClient,
    UnusableAnswer,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chassis.telemetry import continue_trace
from tests.chassis.scripted_server import answer, hang_up, held, running


async def test_an_answer_comes_back_whole_with_what_was_asked() -> None:
    async with running(answer(201, "好".encode(), ETag='"1"')) as server, HttpClient() as client:
        response = await client.request(
            "POST", f"{server.url}/v1/x", params={"day": "2020-12-31"}, json={"a": 1}
        )
    assert (response.status_code, response.text, response.headers["ETag"]) == (201, "好", '"1"')
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/v1/x?day=2020-12-31", b'{"a":1}')


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("failure", [hang_up, answer(502), answer(503), answer(504)])
async def test_what_may_be_repeated_is_repeated(method: str, failure: object) -> None:
    async with running(failure, failure, answer(200)) as server, HttpClient() as client:
        response = await client.request(method, server.url)
    assert response.status_code == 200
    assert [asked.method for asked in server.asked] == [method] * 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_what_may_not_be_repeated_is_asked_once(method: str) -> None:
    async with running(answer(503), answer(200)) as server, HttpClient() as client:
        assert (await client.request(method, server.url)).status_code == 503
    async with running(hang_up, answer(200)) as server, HttpClient() as client:
        with pytest.raises(UpstreamUnavailable):
            await client.request(method, server.url)
    assert len(server.asked) == 1


async def test_a_post_under_an_idempotency_key_is_repeated_with_that_key() -> None:
    async with running(hang_up, answer(503), answer(201)) as server, HttpClient() as client:
        response = await client.request(
            "POST", server.url, headers={"idempotency-key": "k-1"}, content=b"body"
        )
    assert response.status_code == 201
    assert [asked.headers["idempotency-key"] for asked in server.asked] == ["k-1"] * 3
    assert [asked.body for asked in server.asked] == [b"body"] * 3


async def test_repetitions_are_bounded_and_the_last_answer_is_returned() -> None:
    async with running(answer(503, b"busy")) as server, HttpClient(attempts=3) as client:
        response = await client.request("GET", server.url)
    assert (response.status_code, response.text, len(server.asked)) == (503, "busy", 3)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 412, 429, 500, 501])
async def test_other_answers_are_final(status: int) -> None:
    async with running(answer(status), answer(200)) as server, HttpClient() as client:
        assert (await client.request("GET", server.url)).status_code == status


async def test_redirections_are_not_followed_to_places_nobody_chose() -> None:
    async with (
        running(answer(302, Location="http://127.0.0.1:1/")) as server,
        HttpClient() as client,
    ):
        assert (await client.request("GET", server.url)).status_code == 302


@pytest.mark.parametrize(
    "said",
    [
        "0",
        "garbage",
        "-5",
        "1.5",
        "١",
        "",
        "nan",
        format_datetime(datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
async def test_a_short_past_or_senseless_retry_after_does_not_stop_the_repetition(
    said: str,
) -> None:
    said = said.encode().decode("latin-1")
    async with (
        running(answer(503, Retry_After=said), answer(200)) as server,
        HttpClient() as client,
    ):
        assert (await client.request("GET", server.url)).status_code == 200


@pytest.mark.parametrize(
    "said",
    ["6", "3600", "9" * 400, format_datetime(datetime.now(UTC) + timedelta(hours=1))],
    ids=["six seconds", "an hour", "absurd", "a date"],
)
async def test_a_long_retry_after_is_passed_on_instead_of_waited_for(said: str) -> None:
    async with (
        running(answer(503, Retry_After=said), answer(200)) as server,
        HttpClient() as client,
    ):
        response = await client.request("GET", server.url)
    assert (response.status_code, response.headers["Retry-After"]) == (503, said)
    assert len(server.asked) == 1


async def test_retry_after_is_waited_for() -> None:
    async with running(answer(503, Retry_After="1"), answer(200)) as server, HttpClient() as client:
        with pytest.raises(UpstreamTimeout):
            await client.request("GET", server.url, timeout=0.5)
    assert len(server.asked) == 1


async def test_nobody_listening_is_unavailable_and_the_path_is_not_told() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/persons/500112199706010017"
        async with HttpClient() as client:
            with pytest.raises(UpstreamUnavailable) as failure:
                await client.request("GET", url)
    assert "127.0.0.1" in str(failure.value)
    assert "persons" not in str(failure.value)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_silence_ends_in_a_timeout_over_all_repetitions(method: str) -> None:
    end = asyncio.Event()
    async with running(held(end)) as server, HttpClient(timeout=0.2) as client:
        with pytest.raises(UpstreamTimeout):
            await client.request(method, server.url)
        end.set()
    assert len(server.asked) == 1


def test_a_timeout_is_a_kind_of_unavailability() -> None:
    assert issubclass(UpstreamTimeout, UpstreamUnavailable)


async def test_a_broken_answer_is_unavailability() -> None:
    async def nonsense(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async with running(nonsense) as server, HttpClient() as client:
        with pytest.raises(UpstreamUnavailable):
            await client.request("GET", server.url)


async def test_the_trace_is_passed_on_in_place_of_any_other() -> None:
    async with running(answer(200)) as server, HttpClient() as client:
        with continue_trace(None) as traceparent:
            await client.request("GET", server.url, headers={"Traceparent": "00-forged"})
        await client.request("GET", server.url)
    assert server.asked[0].headers["traceparent"] == traceparent
    assert "traceparent" not in server.asked[1].headers


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with running(answer(200)) as server, HttpClient(server.url) as client:
        assert (await client.request("GET", "/here")).status_code == 200
    assert server.asked[0].path == "/here"


async def test_a_packed_answer_is_not_unpacked() -> None:
    """A hundred megabytes in a hundred kilobytes would be taken in before anybody could look."""
    bomb = gzip.compress(b"0" * 10_000_000)
    async with running(answer(200, bomb, Content_Encoding="gzip")) as server, HttpClient() as one:
        with pytest.raises(UnusableAnswer):
            await one.request("GET", server.url)
    assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_an_answer_without_an_end_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "MOST_BYTES", 1_000)
    async with running(answer(200, b"x" * 1_001)) as server, HttpClient() as one:
        with pytest.raises(UnusableAnswer):
            await one.request("GET", server.url)
    async with running(answer(200, b"x" * 1_000)) as server, HttpClient() as one:
        assert len((await one.request("GET", server.url)).content) == 1_000
