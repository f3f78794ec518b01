import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.console.answers import Edition, IndicatorList, Matrix, PlanView
from services.console.gateway import Away, Gateway, Refused
from tests.services.console.conftest import answering, write_clients
from tests.services.console.stand_in import stand_in


@pytest.fixture(scope="module")
def stood() -> Iterator[tuple[FastAPI, str]]:
    app = stand_in()
    with answering(app) as url:
        yield app, url


@pytest.fixture
def door(stood: tuple[FastAPI, str]) -> FastAPI:
    stood[0].state.away = False
    stood[0].state.tokens = 0
    return stood[0]


@pytest.fixture
async def gateway(
    stood: tuple[FastAPI, str],
    door: FastAPI,  # noqa: ARG001 - set back first
    tmp_path: Path,
) -> AsyncIterator[Gateway]:
    clients = tmp_path / "clients.json"
    write_clients(clients)
    client = Gateway(stood[1], clients)
    yield client
    await client.close()


async def test_the_first_client_of_the_file_gets_one_token_for_many_questions(
    gateway: Gateway, door: FastAPI
) -> None:
    for _ in range(3):
        assert (await gateway.read(PlanView, "/v1/plan")).name.startswith("渝北区")
    assert door.state.tokens == 1


async def test_a_token_that_is_no_longer_taken_is_replaced_once(
    gateway: Gateway, door: FastAPI
) -> None:
    await gateway.read(PlanView, "/v1/plan")
    door.state.tokens = 7  # the token of before is void
    await gateway.read(PlanView, "/v1/plan")
    assert door.state.tokens == 8


async def test_a_token_is_renewed_before_it_expires(
    gateway: Gateway, door: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("services.console.gateway.time.monotonic", lambda: now)
    await gateway.read(PlanView, "/v1/plan")
    now += 3600 - 59
    await gateway.read(PlanView, "/v1/plan")
    assert door.state.tokens == 2


async def test_empty_parameters_are_not_sent(gateway: Gateway, door: FastAPI) -> None:
    params = {"as_of": "2024-12-31", "known_on": "", "division": None}
    found = await gateway.read(IndicatorList, "/v1/plan/indicators", params)
    assert found.as_of.isoformat() == "2024-12-31"
    assert door.state.seen[-1] == "/v1/plan/indicators?as_of=2024-12-31"


async def test_a_gateway_that_is_away_is_told_in_chinese_and_asked_again(
    gateway: Gateway, door: FastAPI
) -> None:
    door.state.away = True
    with pytest.raises(Away, match="数据服务"):
        await gateway.read(PlanView, "/v1/plan")
    door.state.away = False
    assert await gateway.read(PlanView, "/v1/plan")


async def test_while_there_are_no_clients_the_data_is_being_prepared(
    stood: tuple[FastAPI, str], tmp_path: Path
) -> None:
    client = Gateway(stood[1], tmp_path / "clients.json")
    with pytest.raises(Away, match="数据正在准备"):
        await client.read(PlanView, "/v1/plan")
    (tmp_path / "clients.json").write_text("[]")
    with pytest.raises(Away, match="数据正在准备"):
        await client.read(PlanView, "/v1/plan")
    await client.close()


async def test_credentials_that_are_not_taken_yet_are_asked_with_again(
    stood: tuple[FastAPI, str], tmp_path: Path
) -> None:
    clients = tmp_path / "clients.json"
    clients.write_text(json.dumps([{"client_id": "stranger", "client_secret": "x"}]))
    client = Gateway(stood[1], clients)
    with pytest.raises(Away, match="尚未认可"):
        await client.read(PlanView, "/v1/plan")
    write_clients(clients)
    assert await client.read(PlanView, "/v1/plan")
    await client.close()


async def test_nobody_behind_the_address_is_away_too(tmp_path: Path) -> None:
    write_clients(tmp_path / "clients.json")
    client = Gateway("http://127.0.0.1:9", tmp_path / "clients.json")
    with pytest.raises(Away, match="连接不上"):
        await client.read(PlanView, "/v1/plan")
    await client.close()


async def test_a_problem_keeps_its_chinese_words(gateway: Gateway) -> None:
    with pytest.raises(Refused) as refused:
        await gateway.read(IndicatorList, "/v1/plan/indicators", {"division": "999999999999"})
    assert (refused.value.status, refused.value.title) == (404, "未找到")
    assert "管辖范围" in refused.value.detail


async def test_an_answer_of_another_shape_is_refused(gateway: Gateway) -> None:
    with pytest.raises(Refused, match="无法识别"):
        await gateway.read(Matrix, "/v1/plan")


async def test_the_same_key_publishes_once(gateway: Gateway, door: FastAPI) -> None:
    body = {"title": "2024 年度", "as_of": "2024-12-31"}
    before = len(door.state.editions)
    first = await gateway.create(Edition, "/v1/plan/editions", body, "key-12345678")
    again = await gateway.create(Edition, "/v1/plan/editions", body, "key-12345678")
    assert first.id == again.id
    assert len(door.state.editions) == before + 1
