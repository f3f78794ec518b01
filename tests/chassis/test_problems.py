"""Problems (RFC 9457): a stable type, Chinese words, whatever the client sends."""

import json
from typing import Any

import httpx

from tests.support.services import DISTRICT, Running
from tests.support.toy import Toy

STANDARDS = "/v1/relief/standards"
JSON = {"Content-Type": "application/json"}
GOOD: dict[str, Any] = {
    "code": "dibao",
    "area": "urban",
    "division": DISTRICT,
    "amount": "636",
    "valid_from": "2021-09-01",
    "document": "渝民〔2021〕143号",
}


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that an answer is: its type, title and status stand in each."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["type"] == f"urn:minzheng:problem:{slug}"
    assert told["status"] == status
    assert any("\u4e00" <= character <= "\u9fff" for character in told["title"])
    return told


async def post(relief: Running, content: bytes, **headers: str) -> httpx.Response:
    return await relief.http.post(
        STANDARDS,
        content=content,
        headers={**JSON, **relief.headers("relief:standards"), **headers},
    )


async def test_what_is_no_json_is_400(relief: Running) -> None:
    for content in (
        b"{",
        b"{'code': 1}",
        b'{"code": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"amount": ' + b"9" * 5_000 + b"}",
        b"\x00",
    ):
        problem(await post(relief, content), 400, "bad-request")


async def test_json_of_another_shape_is_422(relief: Running) -> None:
    for content in (b"", b"null", b"[]", b"1", b'"x"', b"true"):
        problem(await post(relief, content), 422, "invalid")


async def test_another_content_type_is_422(relief: Running) -> None:
    answer = await post(relief, json.dumps(GOOD).encode(), **{"Content-Type": "text/plain"})
    problem(answer, 422, "invalid")


async def test_a_text_that_cannot_be_kept_is_422_at_its_place(relief: Running) -> None:
    documents: list[object] = ["a\0b", "\ud800", "\x1b[31m", "x" * 101, "", 7, None, [], {}, True]
    for document in documents:
        content = json.dumps({**GOOD, "document": document}).encode()
        told = problem(await post(relief, content), 422, "invalid")
        assert [error["pointer"] for error in told["errors"]] == ["/document"]
    assert await relief.rows("SELECT 1 FROM standard_amount") == []


async def test_a_number_that_is_no_amount_is_422(relief: Running) -> None:
    zero = json.dumps({**GOOD, "amount": 0}).encode()
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1e-999", b"-0"):
        content = zero.replace(b'"amount": 0', b'"amount": ' + number)
        told = problem(await post(relief, content), 422, "invalid")
        assert [error["pointer"] for error in told["errors"]] == ["/amount"]


async def test_every_wrong_value_is_named_up_to_fifty(relief: Running) -> None:
    told = problem(await post(relief, b"{}"), 422, "invalid")
    assert {error["pointer"] for error in told["errors"]} == {f"/{field}" for field in GOOD}
    many = {**GOOD, **{f"more_{number}": 1 for number in range(200)}}
    told = problem(await post(relief, json.dumps(many).encode()), 422, "invalid")
    assert len(told["errors"]) == 50


async def test_an_unknown_field_is_named_only_if_it_looks_like_a_name(relief: Running) -> None:
    keys = ["amonut", "500112199003070013", "张三", "a/b~c", "id_13900001234", "", "x" * 41]
    sent = {**GOOD, **dict.fromkeys(keys, 1)}
    told = problem(await post(relief, json.dumps(sent).encode()), 422, "invalid")
    pointers = [error["pointer"] for error in told["errors"]]
    assert pointers == ["/amonut", *["/…"] * (len(keys) - 1)]


async def test_a_body_above_the_limit_is_413_whether_or_not_it_says_so(relief: Running) -> None:
    headers = {**JSON, **relief.headers("relief:standards")}

    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    for content in (b" " * 2_200_000, chunks()):
        answer = await relief.http.post(STANDARDS, content=content, headers=headers)
        problem(answer, 413, "too-large")
    small = b" " * 2_000_000 + json.dumps(GOOD).encode()
    assert (await post(relief, small)).status_code == 201


async def test_no_such_route_is_404(relief: Running) -> None:
    headers = relief.headers("relief:read")
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        for path in ("/v1/nothing", "/", STANDARDS + "/", "/v1//relief/standards"):
            problem(await relief.http.request(method, path, headers=headers), 404, "not-found")


async def test_no_such_method_is_405_and_says_which_there_are(relief: Running) -> None:
    headers = relief.headers("relief:read")
    for method in ("DELETE", "PATCH", "TRACE", "BREW"):
        answer = await relief.http.request(method, STANDARDS, headers=headers)
        problem(answer, 405, "http-405")
        assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST"}


async def test_no_valid_token_is_401_and_says_how(relief: Running) -> None:
    long = "Bearer " + "x" * 9_000
    for sent in ("", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "bearer a.b.c", long):
        for headers in ({"Authorization": sent}, {}):
            answer = await relief.http.get(STANDARDS, headers=headers)
            problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_who_calls_is_asked_before_what_is_sent(relief: Running) -> None:
    """Nobody learns from a 422 what a route takes, who may not use it."""
    nobody = await relief.http.post(STANDARDS, json={})
    problem(nobody, 401, "unauthorized")
    reader = await relief.http.post(STANDARDS, json={}, headers=relief.headers("relief:read"))
    problem(reader, 403, "forbidden")


async def test_a_number_out_of_the_databases_range_is_422(toy: Toy) -> None:
    basket = await toy.basket()
    for number in (2**31, 2**63, -(2**63) - 1):
        answer = await toy.running.http.post(
            f"/v1/toy/baskets/{basket}/items",
            json={"number": number},
            headers=toy.running.headers("toy:write"),
        )
        problem(answer, 422, "invalid")


async def test_a_connection_lost_in_the_middle_is_503_with_retry_after(toy: Toy) -> None:
    basket = await toy.basket()
    answer = await toy.running.http.post(
        f"/v1/toy/baskets/{basket}/items",
        json={"number": 1, "then": "hang up"},
        headers=toy.running.headers("toy:write"),
    )
    problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_too_many_connections_at_the_database_are_503_with_retry_after(toy: Toy) -> None:
    name = toy.running.databases.app.rpartition("/")[2]
    await toy.database.close()
    await toy.running.rows(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    try:
        answer = await toy.running.http.get(
            "/v1/toy/baskets", headers=toy.running.headers("toy:read")
        )
    finally:
        await toy.running.rows(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
