import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from suite.postgres import Postgres, PostgresError, create_service_database, make_database
from suite.single_run import InUseError
from tests.support.servers import open_folder

# A run of its own: serves until its input ends.
RUN = """
import sys
from pathlib import Path
from suite.postgres import Postgres
server = Postgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def execute(dsn: str, query: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(query)
    finally:
        await connection.close()


def start_run(data: Path) -> tuple[subprocess.Popen[bytes], int]:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert run.stdout is not None
    return run, int(run.stdout.readline())


async def test_a_restart_keeps_port_password_and_data(folder: Path) -> None:
    server = Postgres(folder / "data")
    server.start()
    dsn = server.admin_dsn()
    await execute(dsn, "CREATE TABLE kept AS SELECT 1 AS n")
    server.stop()
    server.start()
    try:
        assert server.admin_dsn() == dsn
        assert await value(dsn, "SELECT n FROM kept") == 1
    finally:
        server.stop()


async def test_what_was_committed_survives_a_killed_server(folder: Path) -> None:
    server = Postgres(folder / "data")
    server.start()
    try:
        dsn = server.admin_dsn()
        await execute(dsn, "CREATE TABLE kept AS SELECT 1 AS n")
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        server.stop()
        server.start()
        assert await value(server.admin_dsn(), "SELECT n FROM kept") == 1
    finally:
        server.stop()


async def test_a_server_left_by_a_killed_run_is_stopped_and_its_data_served(folder: Path) -> None:
    run, left = start_run(folder / "data")
    await execute(Postgres(folder / "data").admin_dsn(), "CREATE TABLE kept AS SELECT 1 AS n")
    run.kill()
    run.communicate()
    os.kill(left, 0)
    server = Postgres(folder / "data")
    server.start()
    try:
        assert server.pid != left
        assert await value(server.admin_dsn(), "SELECT n FROM kept") == 1
    finally:
        server.stop()


def test_a_second_run_on_the_same_data_is_refused(folder: Path) -> None:
    run, _ = start_run(folder / "data")
    with pytest.raises(InUseError, match="in use by another run"):
        Postgres(folder / "data").start()
    run.communicate()
    assert run.returncode == 0


def test_a_stale_pid_file_that_names_a_stranger_does_no_harm(folder: Path) -> None:
    server = Postgres(folder / "data", durable=False)
    server.start()
    noted = folder / "data/cluster/postmaster.pid"
    lines = noted.read_text().splitlines()
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    server.stop()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        noted.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        server.start()
        server.stop()
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it under another account")
async def test_a_folder_closed_to_the_account_is_served_all_the_same() -> None:
    with tempfile.TemporaryDirectory() as closed:  # mode 0700
        server = Postgres(Path(closed) / "data", durable=False)
        server.start()
        try:
            assert await value(server.admin_dsn(), "SELECT 1") == 1
        finally:
            server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it under another account")
def test_a_closed_folder_is_named_where_nothing_lends_passage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with tempfile.TemporaryDirectory() as closed, pytest.raises(PostgresError, match=closed):
        Postgres(Path(closed) / "data").start()


def test_secrets_are_readable_by_their_owner_alone(postgres: Postgres) -> None:
    assert (postgres.data / "password").stat().st_mode & 0o077 == 0
    assert postgres.data.stat().st_mode & 0o077 == 0


async def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn("postgres", "postgres", "wrong"))


async def test_text_is_utf8_in_code_point_order_independent_of_the_machine(
    postgres: Postgres,
) -> None:
    query = (
        "SELECT concat_ws(' ', datlocprovider, datlocale, pg_encoding_to_char(encoding))"
        " FROM pg_database WHERE datname = 'postgres'"
    )
    assert await value(postgres.admin_dsn(), query) == "b C.UTF-8 UTF8"


async def test_the_servers_log_holds_no_value_of_a_failed_statement(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await execute(
            postgres.admin_dsn(),
            "CREATE TEMP TABLE person (name text PRIMARY KEY);"
            "INSERT INTO person VALUES ('Tian-Yi'), ('Tian-Yi')",
        )
    assert "Tian-Yi" not in (postgres.data / "log").read_text()


async def test_a_service_database_is_the_owners_and_closed_to_everybody_else(
    postgres: Postgres,
) -> None:
    admin = postgres.admin_dsn()
    for owner_password in ("first", "it's new"):
        await create_service_database(
            admin, "closed", owner_password=owner_password, app_password="a"
        )
    await create_service_database(admin, "other", owner_password="o", app_password="a")
    owner = postgres.dsn("closed", "closed_owner", "it's new")
    app = postgres.dsn("closed", "closed_app", "a")

    await execute(owner, "CREATE TABLE mine (n int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(app, "SELECT * FROM mine")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await execute(app, "CREATE TABLE theirs (n int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(postgres.dsn("closed", "other_app", "a"))


async def test_the_app_role_waits_for_nothing_longer_than_half_a_minute(
    postgres: Postgres,
) -> None:
    await create_service_database(
        postgres.admin_dsn(), "limited", owner_password="o", app_password="a"
    )
    app = postgres.dsn("limited", "limited_app", "a")
    assert await value(app, "SHOW statement_timeout") == "30s"
    assert await value(app, "SHOW idle_in_transaction_session_timeout") == "30s"
    role = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert await value(app, role) is False


async def test_a_name_that_is_no_identifier_is_refused(postgres: Postgres) -> None:
    with pytest.raises(ValueError, match="not a database name"):
        await create_service_database(
            postgres.admin_dsn(), 'x"; DROP', owner_password="o", app_password="a"
        )


async def test_the_passwords_of_a_services_roles_are_those_of_its_urls(postgres: Postgres) -> None:
    name = "by_urls"
    for password in ("erst@/%", "zweit:?#"):
        owner = postgres.dsn(name, f"{name}_owner", f"{password}o")
        app = postgres.dsn(name, f"{name}_app", password)
        await make_database(name, postgres.admin_dsn(), owner, app)
        assert await value(app, "SELECT current_user") == f"{name}_app"
        assert await value(owner, "SELECT current_user") == f"{name}_owner"


@pytest.mark.parametrize(("database", "role"), [("other", "named_app"), ("named", "postgres")])
async def test_a_url_of_another_database_or_role_is_refused(
    postgres: Postgres, database: str, role: str
) -> None:
    owner = postgres.dsn("named", "named_owner", "x")
    with pytest.raises(ValueError, match="named_app"):
        await make_database("named", postgres.admin_dsn(), owner, postgres.dsn(database, role, "x"))
    found = await value(
        postgres.admin_dsn(), "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'named%'"
    )
    assert found == 0
