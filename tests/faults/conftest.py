from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI

from chassis.limits import Rates
from services.gateway.app import opened as gateway_opened
from services.gateway.settings import GatewaySettings
from suite import catalogue
from suite.postgres import Postgres
from tests.faults.worlds import World, world_of
from tests.support.departments import OtherSide, running_departments
from tests.support.emptied import running_emptied
from tests.support.services import Databases, Running, fresh_databases

Opened = Callable[[str], AbstractAsyncContextManager[Running]]


def app_of(running: Running) -> FastAPI:
    """The app under test."""
    transport: Any = running.http._transport  # noqa: SLF001 - what the client of the test goes to
    app: FastAPI = transport.app
    return app


@asynccontextmanager
async def running_whole(
    postgres: Postgres, name: str, folder: Path, databases: dict[str, Databases]
) -> AsyncIterator[Running]:
    """A service over ASGI, on its emptied database, with no limit on how often it is asked."""
    service = catalogue.load(name)
    if name not in databases:
        databases[name] = await fresh_databases(postgres, service)
    async with running_emptied(postgres, service, folder, databases[name]) as running:
        state = app_of(running).state
        unlimited = Rates(0, burst=1)
        state.runtime = replace(running.runtime, callers=unlimited, lookups=unlimited)
        if name != "gateway":
            yield running
            return
        settings = GatewaySettings.model_validate(running.settings.model_dump(by_alias=True))
        async with gateway_opened(settings) as gateway:
            state.gateway = gateway
            yield running


@pytest.fixture(scope="session")
def emptied_databases() -> dict[str, Databases]:
    """One database per service, made when the first asks for it, emptied for each test."""
    return {}


@pytest.fixture
def opened(postgres: Postgres, tmp_path: Path, emptied_databases: dict[str, Databases]) -> Opened:
    """A service by its name."""
    return lambda name: running_whole(postgres, name, tmp_path / name, emptied_databases)


@pytest.fixture(scope="session")
def departments() -> Iterator[OtherSide]:
    """Sources that know nobody."""
    with running_departments() as other, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINZHENG_DEPARTMENTS_URL", other.url)
        patch.setenv("MINZHENG_DEPARTMENTS_TIMEOUT", "5")
        other.script("*", "*", "none")
        yield other


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=catalogue.NAMES)
async def world(
    request: pytest.FixtureRequest,
    postgres: Postgres,
    departments: OtherSide,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    """A service with what belongs to one town; its tests go on with what others have left."""
    folder = tmp_path_factory.mktemp(request.param)
    async with running_whole(postgres, request.param, folder, {}) as running:
        yield await world_of(running, departments)
