"""Real servers for tests, each in a folder that an unprivileged account can reach."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from suite.broker import Broker
from suite.postgres import Postgres


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder of our own: `tmp_path` is closed to the account that PostgreSQL runs under."""
    folder = Path(tempfile.mkdtemp(prefix="minzheng-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    with open_folder() as folder:
        server = Postgres(folder / "postgres", durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def running_broker(data: Path) -> Iterator[Broker]:
    server = Broker(data)
    server.start()
    try:
        yield server
    finally:
        server.stop()
