"""The other side: what the suite's small server answers, and what our client makes of answers."""

from datetime import date
from uuid import UUID, uuid4

import httpx
import pytest

from chassis.http_client import HttpClient
from services.relief.checks import departments
from services.relief.checks.departments import Answered, NoAnswer, Promised, Query, Refused
from services.relief.checks.rules import Failure
from suite.departments.answers import Departments, Promise, Scripted
from tests.chassis.scripted_server import Answer, answer, hang_up, running
from tests.services.relief.households.family import number
from tests.support.departments import OtherSide

REQUEST = UUID("0199d5a0-0000-7000-8000-000000000001")
DAY = date(2025, 3, 3)
QUERY = Query(
    request_id=REQUEST,
    source="bank",
    document_kind="resident_id",
    document_number=number("1980-05-01"),
    purpose="核对",
    legal_basis="民发〔2021〕57号第十七条",
    authorisation="授权书",
    requester="渝北区民政局",
    case_number="DB1",
    as_of=DAY,
)
HERE = f"/v1/sources/bank/queries/{REQUEST}"


async def asked(*script: Answer, location: str = "") -> tuple[departments.Outcome, list[str]]:
    """What the client makes of a server's answers, and what it sent: method and path."""
    async with running(*script) as server, HttpClient(server.url, timeout=5) as client:
        outcome = await departments.ask(client, QUERY, location)
    return outcome, [f"{one.method} {one.path}" for one in server.asked]


async def test_an_answer_is_read_and_its_digest_kept() -> None:
    item = b'{"kind":"deposit","amount":"1.00","owner":"x"}'
    body = b'{"status":"found","data_day":"2025-03-01","items":[%s]}' % item
    outcome, sent = await asked(answer(200, body))
    assert isinstance(outcome, Answered)
    assert outcome.answer.model_dump(mode="json", exclude_none=True) == {
        "status": "found",
        "data_day": "2025-03-01",
        "items": [{"kind": "deposit", "amount": "1.00"}],  # what else was said is not kept
    }
    assert len(outcome.digest) == 64
    assert sent == ["POST /v1/sources/bank/queries"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b'{"status":"maybe","data_day":"2025-03-01"}',
        b'{"status":"found","data_day":"0001-01-01"}',
        b'{"status":"found","data_day":"2025-03-01","items":[{"kind":"DROP TABLE"}]}',
        b'{"status":"found","data_day":"2025-03-01","items":[{"kind":"wage","amount":"-1"}]}',
        b'{"status":"found","data_day":"2025-03-01","items":[{"kind":"wage","amount":"NaN"}]}',
        b'{"status":"found","data_day":"2025-03-01","items":['
        + b",".join([b'{"kind":"wage"}'] * 201)
        + b"]}",
    ],
)
async def test_an_answer_that_says_nothing_understandable_is_none_but_not_zero(body: bytes) -> None:
    assert (await asked(answer(200, body)))[0] == Refused(Failure.UNREADABLE)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 409, 422])
async def test_who_refuses_is_not_asked_on_and_nobody_is_followed_elsewhere(status: int) -> None:
    outcome, sent = await asked(answer(status, Location="http://127.0.0.1:9/"))
    assert outcome == Refused(Failure.REFUSED)
    assert len(sent) == 1


@pytest.mark.parametrize("status", [408, 429, 500])
async def test_who_is_out_of_order_is_asked_again_later(status: int) -> None:
    with pytest.raises(NoAnswer) as silence:
        await asked(answer(status))
    assert silence.value.failure is Failure.OUT_OF_ORDER


async def test_a_connection_that_breaks_is_no_answer() -> None:
    with pytest.raises(NoAnswer) as silence:
        await asked(hang_up)
    assert silence.value.failure is Failure.UNREACHABLE


def promise(location: str, seconds: int) -> Answer:
    return answer(202, f'{{"location":"{location}","retry_after":{seconds}}}'.encode())


async def test_a_promise_is_kept_where_this_query_stands_and_nowhere_else() -> None:
    assert (await asked(promise(HERE, 60)))[0] == Promised(HERE, 60)
    assert (await asked(promise(HERE, -5)))[0] == Promised(HERE, 1)
    assert (await asked(promise(HERE, 10**9)))[0] == Promised(HERE, 86_400)
    for elsewhere in ("http://127.0.0.1:9/x", "//evil/x", f"/v1/sources/bank/queries/{uuid4()}"):
        assert (await asked(promise(elsewhere, 1)))[0] == Refused(Failure.UNREADABLE)


async def test_a_forgotten_promise_is_asked_for_anew() -> None:
    none = answer(200, b'{"status":"none","data_day":"2025-03-01"}')
    outcome, sent = await asked(answer(404), none, location=HERE)
    assert isinstance(outcome, Answered)
    assert sent == [f"GET {HERE}", "POST /v1/sources/bank/queries"]


def test_a_query_does_not_show_the_number() -> None:
    assert QUERY.document_number not in repr(QUERY)


def test_the_server_answers_by_the_number_alone_and_makes_up_no_wealth() -> None:
    one, other = Departments(), Departments()
    known = 0
    for sequence in range(200):
        person = number("1980-05-01", sequence)
        for source in ("bank", "tax", "vehicles", "household_register"):
            assert one.behaviour(source, person) == other.behaviour(source, person.lower())
            items = one.behaviour(source, person).items
            assert all((item.amount or 0) < 3000 for item in items)
            assert not items or source in {"bank", "household_register"}
            known += bool(items)
    assert known > 200


def script(server: Departments, person: str, behaviour: str, **more: object) -> None:
    body = {"source": "bank", "number": person, "behaviour": behaviour, **more}
    server.script(Scripted.model_validate(body))


def test_the_server_gives_a_request_its_first_answer_again_and_keeps_no_number() -> None:
    server, person = Departments(), number("1980-05-01")
    script(server, person, "none")
    first = server.ask("bank", "r1", person, DAY)
    script(server, person, "answer", items=[{"kind": "deposit", "amount": "5"}])
    assert server.ask("bank", "r1", person, date(2025, 4, 1)) == first
    assert server.ask("bank", "r2", person, DAY) != first
    assert person not in repr(server)


def test_the_server_answers_late_by_its_own_clock() -> None:
    server, person = Departments(), number("1980-05-01")
    script(server, person, "late", after_seconds=100)
    told = server.ask("bank", "r1", person, DAY)
    assert isinstance(told, Promise)
    assert 90 < told.retry_after <= 100
    script(server, person, "late", after_seconds=0)
    assert not isinstance(server.ask_again("bank", "r1"), Promise | None)
    assert server.ask_again("bank", "unknown") is None


def test_the_server_tells_nobody_a_number_back(departments: OtherSide) -> None:
    person = number("1980-05-01")
    body = {"request_id": "no id", "document_number": person, "document_kind": ["x"]}
    refused = httpx.post(f"{departments.url}/v1/sources/bank/queries", json=body)
    assert refused.status_code == 422
    assert person not in refused.text
    assert httpx.post(f"{departments.url}/v1/sources/{person}/queries").status_code == 422
    assert httpx.get(f"{departments.url}/-/ready").json() == {"status": "ready"}
