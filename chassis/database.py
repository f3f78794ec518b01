"""One database per service: the transaction per request or message, and its walls.

The app role owns nothing; row-level security shows only rows of the units set here after BEGIN.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Enum, FetchedValue, Insert, MetaData, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Mapped, mapped_column

from chassis.clock import SHANGHAI, Clock
from chassis.privacy import KeyRing
from chassis.wake import Waker

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""An instant, kept in UTC."""

COLUMN_TYPES: dict[Any, Any] = {
    StrEnum: Enum(
        StrEnum,
        native_enum=False,
        length=40,
        create_constraint=False,
        values_callable=lambda kind: [one.value for one in kind],
    )
}
"""For each service's `type_annotation_map`: an enum is kept as its published value, as text."""

ADD_UNITS = text(
    """
SELECT added, set_config('app.units', CAST(before || added AS text), true)
FROM (SELECT COALESCE(NULLIF(current_setting('app.units', true), ''), '{}')::bigint[] AS before)
  AS setting
CROSS JOIN LATERAL (
  SELECT ARRAY(SELECT unnest(CAST(:units AS bigint[])) EXCEPT SELECT unnest(before)) AS added
) AS further
"""
)
SET_WALLS = text(
    "SELECT set_config('app.units', :units, true), set_config('search_path', :path, true)"
)
SEARCH_PATH = "public,projection,chassis"
PROJECTION = "projection"
ACTING = "acting"
"""Inbox, offsets and dead letters of consumers that act: no rebuild ever touches them."""


def async_url(url: str) -> str:
    """`postgresql://…` with the driver that we use."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def metadata() -> MetaData:
    return MetaData(naming_convention=NAMING)


class Aggregate:
    """Mix-in of rows that publish events and can be changed by several people at once."""

    id: Mapped[UUID] = mapped_column(PG_UUID(as_uuid=True), primary_key=True)
    event_seq: Mapped[int] = mapped_column(default=0, server_onupdate=FetchedValue())
    """An UPDATE may reckon it (`event_seq + 1`): it comes back with each."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__: ClassVar[Mapping[str, Any]] = {"eager_defaults": True}


class Database:
    """Engine and transactions of one service.

    Nobody but `transaction` commits. `units` are the stable ids whose rows may be seen; with
    None no row under row-level security is.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        source: str,
        pool_size: int = 8,
        key_ring: KeyRing | None = None,
    ) -> None:
        self.clock = clock
        self.source = source
        self._key_ring = key_ring
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            hide_parameters=True,
            connect_args={
                "timeout": 5,
                "command_timeout": 60,
                "server_settings": {"search_path": SEARCH_PATH, "application_name": source},
            },
        )
        self._session = async_sessionmaker(self.engine, expire_on_commit=False)
        self._waker = Waker(self.engine)

    @asynccontextmanager
    async def transaction(
        self,
        *,
        actor: str = "",
        organisation: str = "",
        units: Collection[int] | None = None,
        cause: str | None = None,
        schema: str = PROJECTION,
    ) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back when anything is raised.

        `actor` is an opaque staff id, `event:<id>` or `job:<id>`; what emits or is audited has one.
        """
        async with self._session() as session, session.begin():
            session.info.update(
                actor=actor,
                organisation=organisation,
                cause=cause,
                clock=self.clock,
                source=self.source,
                key_ring=self._key_ring,
                at_end={},
            )
            await session.execute(
                SET_WALLS,
                {
                    "units": "" if units is None else "{%s}" % ",".join(map(str, units)),  # noqa: UP031 - braces of the array literal
                    "path": _search_path(schema),
                },
            )
            yield session
            await write_gathered(session)
        if session.info.get("emitted"):
            self._waker.wake()

    async def ping(self) -> None:
        """Raise when the database does not answer."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._waker.close()
        await self.engine.dispose()


def write_at_end(session: AsyncSession, statement: Insert, row: Mapping[str, Any]) -> None:
    """Insert a row as the last thing before the commit, all rows of a statement in one go.

    For what nobody reads within the transaction. Where it cannot be written, nothing is committed.
    """
    session.info["at_end"].setdefault(statement, []).append(row)


async def write_gathered(session: AsyncSession) -> None:
    """Insert what was left for the end; the transaction does so itself."""
    gathered = session.info["at_end"]
    while gathered:
        await session.execute(*gathered.popitem())


def now(session: AsyncSession) -> datetime:
    """The moment by the clock that the transaction goes by, in UTC."""
    moment_: datetime = session.info["clock"].now()
    return moment_.astimezone(UTC)


def today(session: AsyncSession) -> date:
    """The day in Asia/Shanghai by that clock: one for the whole transaction, past midnight too."""
    info = session.info
    if "today" not in info:
        info["today"] = info["clock"].today()
    day: date = info["today"]
    return day


def day_of(instant: datetime) -> date:
    """The day in Asia/Shanghai on which something was recorded."""
    return instant.astimezone(SHANGHAI).date()


def end_of(day: date) -> datetime:
    """The first instant after a day in Asia/Shanghai: what came before it was known that day."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


def _search_path(schema: str) -> str:
    if schema == ACTING:
        return SEARCH_PATH.replace(PROJECTION, f"{ACTING},{PROJECTION}")
    return SEARCH_PATH.replace(PROJECTION, schema)


async def add_units(session: AsyncSession, units: Collection[int]) -> frozenset[int]:
    """Take further units into the transaction's; which of them were not among these before.

    For consumers only: what comes on the topics is trusted, though the register may be behind it.
    """
    added = await session.scalar(ADD_UNITS, {"units": list(units)})
    return frozenset(added or ())


def unit_policy(table: str, column: str) -> list[str]:
    """The second wall: DDL that shows and takes rows of the units set for the transaction only.

    The subquery has the setting parsed once a query, not once a row.
    """
    units = "(SELECT NULLIF(current_setting('app.units', true), '')::bigint[])"
    seen = f"{column} = ANY({units}::bigint[])"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY units ON {table} USING ({seen}) WITH CHECK ({seen})",
    ]
