from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from suite.broker import Broker, BrokerError, fetch_libraries, java_missing
from suite.postgres import Postgres
from tests.support import kafka_report
from tests.support.buses import bus_database
from tests.support.servers import running_broker, running_postgres

settings.register_profile("shared-machine", deadline=None)  # no test judges by the time it took
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the session, without durability; make databases of your own in it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_libraries() -> Path:
    """For a test that starts a broker of its own."""
    if reason := java_missing():
        kafka_report.not_run(reason)
    try:
        return fetch_libraries()
    except BrokerError as error:
        kafka_report.not_run(str(error))


@pytest.fixture(scope="session")
def kafka(
    kafka_libraries: Path,  # noqa: ARG001 - asked for first, to skip where there are none
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Broker]:
    """One broker for the session; name topics and groups of your own in it."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def embedded_bus_url(postgres: Postgres) -> str:
    return bus_database(postgres)


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def bus_kind(request: pytest.FixtureRequest) -> str:
    """For what the bus promises: the test runs on both."""
    return str(request.param)


@pytest.fixture
def bus_url(bus_kind: str, request: pytest.FixtureRequest) -> str:
    """The address of a bus, as `open_bus` takes it; name topics and groups of your own in it."""
    if bus_kind == "kafka":
        broker: Broker = request.getfixturevalue("kafka")
        return f"kafka://{broker.address}"
    return str(request.getfixturevalue("embedded_bus_url"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are numbered: a file made for a test is another in each process of one run."""
    return "bytes" if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` the tests that need the broker share one worker, hence one broker."""
    for item in items:
        if item.get_closest_marker("kafka") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("kafka"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    yield
    # Last of all, below the summary of skips in which it would go unseen.
    if said := kafka_report.notice(terminalreporter):
        terminalreporter.write_sep("!", said, yellow=True)
