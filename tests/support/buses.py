"""The two buses as tests need them: impatient, on servers of their own where those must die."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chassis.bus import Bus, EmbeddedBus, KafkaBus
from suite.postgres import Postgres, create_service_database
from tests.support.servers import running_broker, running_postgres

LEASE = 3.0
PATIENCE = 3.0


def quick_bus(url: str) -> Bus:
    """As `open_bus`, with seconds where production waits for minutes."""
    if url.startswith("kafka://"):
        return KafkaBus(url.removeprefix("kafka://"), patience=PATIENCE)
    return EmbeddedBus(url, lease=LEASE)


def bus_database(server: Postgres, name: str = "bus") -> str:
    """The DSN of an empty database for the embedded bus."""
    made = create_service_database(
        server.admin_dsn(), name, owner_password="owner", app_password="app"
    )
    asyncio.run(made)
    return server.dsn(name, f"{name}_owner", "owner")


@dataclass(frozen=True)
class MortalBus:
    url: str
    kill: Callable[[], None]


@contextlib.contextmanager
def mortal_bus(kind: str, folder: Path) -> Iterator[MortalBus]:
    """A bus on a server of its own, which the test may kill."""
    if kind == "kafka":
        with running_broker(folder) as broker:
            yield MortalBus(f"kafka://{broker.address}", broker.kill)
    else:
        with running_postgres() as server:
            yield MortalBus(bus_database(server), server.stop)
