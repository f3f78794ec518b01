"""Cursor paging: pages by the last item's key; a cursor is what a client sends, so hostile."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.paging import decode_cursor, encode_cursor
from chassis.problems import Unprocessable
from tests.support.toy import UNIT, Toy

KEYS = (str, int)


def raw(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.tuples(st.text(), st.integers(-(2**63), 2**63 - 1)))
def test_a_cursor_gives_its_key_back(key: tuple[str, int]) -> None:
    assert decode_cursor(encode_cursor(*key), KEYS) == list(key)


def test_no_cursor_is_the_first_page() -> None:
    assert decode_cursor(None, KEYS) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "!!!!",
        "键",
        "\ud800",
        raw("{"),
        raw("[]"),
        raw("null"),
        raw('["a"]'),
        raw('["a", "1"]'),
        raw('["a", 1, 2]'),
        raw('["a", true]'),
        raw('["a", 1.0]'),
        raw('["a", null]'),
        raw('{"0": "a", "1": 1}'),
        raw("[" * 10_000),
        raw(f'["a", {"9" * 5_000}]'),
        raw(b"\xff\xfe"),
        "AAAA====",
        encode_cursor("a", 1) + "\n",
    ],
)
def test_what_is_no_cursor_of_ours_is_a_problem(cursor: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        decode_cursor(cursor, KEYS)
    assert [error.pointer for error in refused.value.errors] == ["/query/cursor"]


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        key = decode_cursor(text, KEYS)
    except Unprocessable:
        return
    assert key is not None
    assert [type(part) for part in key] == [str, int]


async def pages(toy: Toy, limit: int) -> list[list[str]]:
    found, cursor = [], None
    while True:
        answer = await toy.running.http.get(
            "/v1/toy/baskets",
            params={"limit": limit} | ({"cursor": cursor} if cursor else {}),
            headers=toy.running.headers("toy:read"),
        )
        page = answer.json()
        found.append([item["id"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def test_the_pages_hold_each_row_once(toy: Toy) -> None:
    made = [str(await toy.basket()) for _ in range(5)]
    assert await pages(toy, 2) == [made[:2], made[2:4], made[4:]]
    assert await pages(toy, 5) == [made]
    assert await pages(toy, 200) == [made]


async def test_a_row_made_meanwhile_moves_no_other(toy: Toy) -> None:
    made = [str(await toy.basket()) for _ in range(3)]
    headers = toy.running.headers("toy:read")
    first = await toy.running.http.get("/v1/toy/baskets?limit=2", headers=headers)
    await toy.running.rows("DELETE FROM basket WHERE id = $1", made[0])
    later = str(await toy.basket())
    rest = await toy.running.http.get(
        "/v1/toy/baskets",
        params={"cursor": first.json()["next_cursor"]},
        headers=headers,
    )
    assert [item["id"] for item in rest.json()["items"]] == [made[2], later]


async def test_a_forged_cursor_is_no_failure_of_the_service(toy: Toy) -> None:
    headers = toy.running.headers("toy:read")
    for cursor in (
        encode_cursor("not-a-uuid", 0),
        encode_cursor("\0", 0),
        raw(json.dumps(["\ud800", 0])),
        encode_cursor("", 2**63),
        encode_cursor("", 10**300),
        "x" * 501,
    ):
        answer = await toy.running.http.get(
            "/v1/toy/baskets", params={"cursor": cursor}, headers=headers
        )
        assert answer.status_code in {200, 422}
        assert cursor not in answer.text


async def test_a_cursor_opens_no_other_units_rows(toy: Toy) -> None:
    mine = await toy.basket(UNIT)
    cursor = encode_cursor(str(mine), 0)
    answer = await toy.running.http.get(
        "/v1/toy/baskets",
        params={"cursor": cursor},
        headers=toy.running.headers("toy:read", divisions=["500109000000"]),
    )
    assert answer.json()["items"] == []


async def test_a_page_has_an_end(toy: Toy) -> None:
    headers = toy.running.headers("toy:read")
    for limit in ("0", "-1", "201", "all", "9" * 400):
        answer = await toy.running.http.get(f"/v1/toy/baskets?limit={limit}", headers=headers)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/limit"]
