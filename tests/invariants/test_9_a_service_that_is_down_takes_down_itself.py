"""Invariant 9: without the issuer, the bus or its own database, a service goes on as it can."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from chassis.app import create_app
from chassis.bus import BusError
from services.relief.app import SERVICE
from suite.postgres import Postgres
from tests.support.buses import bus_database
from tests.support.emptied import running_emptied
from tests.support.servers import running_postgres
from tests.support.services import DISTRICT, NO_ISSUER, Databases, Running, running_service

STANDARDS = "/v1/relief/standards"
GOOD = {
    "code": "dibao",
    "area": "urban",
    "division": DISTRICT,
    "amount": "636",
    "valid_from": "2021-09-01",
    "document": "渝民〔2021〕143号",
}


async def post(relief: Running) -> httpx.Response:
    headers = relief.headers("relief:standards")
    return await relief.http.post(STANDARDS, json=GOOD, headers=headers)


async def test_tokens_are_verified_with_the_last_known_keys(relief: Running) -> None:
    assert relief.settings.jwks_url == NO_ISSUER  # nobody listens there
    answer = await relief.http.get(STANDARDS, headers=relief.headers("relief:read"))
    assert answer.status_code == 200


async def test_without_any_key_ever_seen_it_is_not_the_callers_fault(
    relief: Running, tmp_path: Path
) -> None:
    settings = relief.settings.model_copy(update={"state": tmp_path / "empty"})
    app = create_app(SERVICE, settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as http,
    ):
        answer = await http.get(STANDARDS, headers=relief.headers("relief:read"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.fixture(scope="module")
def mortal() -> Iterator[Postgres]:
    """A server that these tests stop."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def mortal_bus_url(mortal: Postgres) -> str:
    return bus_database(mortal)


async def test_writes_go_on_without_the_bus_and_are_published_when_it_is_back(
    postgres: Postgres,
    relief_databases: Databases,
    mortal: Postgres,
    tmp_path: Path,
    mortal_bus_url: str,
) -> None:
    databases = replace(relief_databases, bus=mortal_bus_url)
    async with running_emptied(postgres, SERVICE, tmp_path, databases) as relief:
        mortal.stop()
        assert (await post(relief)).status_code == 201
        with pytest.raises(BusError):
            await relief.relay()
        mortal.start()
        assert await relief.relay() == 1


async def test_with_its_database_away_it_says_503_and_recovers_by_itself(
    mortal: Postgres, tmp_path: Path
) -> None:
    async with running_service(mortal, SERVICE, tmp_path) as relief:
        reader = relief.headers("relief:read")
        assert (await relief.http.get(STANDARDS, headers=reader)).status_code == 200
        mortal.stop()
        for path in (STANDARDS, "/-/ready"):
            away = await relief.http.get(path, headers=reader)
            assert away.status_code == 503
            assert away.headers["content-type"] == "application/problem+json"
            assert int(away.headers["retry-after"]) > 0
        assert (await relief.http.get("/-/health")).status_code == 200
        mortal.start()
        assert (await relief.http.get("/-/ready")).status_code == 200
        assert (await post(relief)).status_code == 201


async def test_a_restart_of_its_database_costs_one_answer_at_most(
    mortal: Postgres, tmp_path: Path
) -> None:
    async with running_service(mortal, SERVICE, tmp_path) as relief:
        reader = relief.headers("relief:read")
        assert (await relief.http.get(STANDARDS, headers=reader)).status_code == 200
        mortal.stop()
        mortal.start()
        stale = await relief.http.get(STANDARDS, headers=reader)
        assert stale.status_code in {200, 503}
        assert (await relief.http.get(STANDARDS, headers=reader)).status_code == 200
