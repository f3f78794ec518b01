"""A small service, for what the chassis promises where no real one says it plainly.

A basket has items. The basket alone is an aggregate, under row-level security; that an item's
number stands once in it is checked at the commit. Effects are counted, so that two show.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Table,
    Text,
    UniqueConstraint,
    cast,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.access import Principal
from chassis.bus import Record, TopicPartition
from chassis.consumption import Consumer, Consumption, Handler, Received
from chassis.database import COLUMN_TYPES, Aggregate, Database, metadata
from chassis.idempotency import Idempotent, Route
from chassis.ids import new_id
from chassis.jobs import JobHandler
from chassis.outbox import emit
from chassis.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor
from chassis.problems import Conflict, Forbidden
from chassis.requests import Transaction, require
from chassis.service import Runtime, Service
from contracts import topics
from contracts.events.envelope import CloudEvent
from contracts.events.relief import Area, Standard, StandardCode, StandardPeriod
from contracts.topics import Topic
from tests.support.services import Running

UNIT, TOWN, FOREIGN = 500112000000, 500112016000, 500109000000
EFFECTS = "toy.effects"
DAY = date(2020, 1, 1)


class Base(DeclarativeBase):
    metadata = metadata()
    type_annotation_map = COLUMN_TYPES


class Basket(Aggregate, Base):
    __tablename__ = "basket"

    unit_id: Mapped[int] = mapped_column(BigInteger)


class Item(Base):
    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("basket_id", "number", deferrable=True, initially="DEFERRED"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    basket_id: Mapped[UUID] = mapped_column(ForeignKey("basket.id"))
    number: Mapped[int]


effect = Table(
    "effect",
    Base.metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)


class Refused(Conflict):
    slug, title = "toy-refused", "不可"


class Denied(Forbidden):
    slug, title = "toy-denied", "须由他人办理"


async def add_item(session: AsyncSession, basket_id: UUID, number: int) -> Basket:
    """A change of child rows alone, without a lock of its own: the order is emit's to keep."""
    basket = await session.get_one(Basket, basket_id)
    session.add(Item(id=new_id(), basket_id=basket_id, number=number))
    await session.flush()
    numbers = await session.scalars(select(Item.number).where(Item.basket_id == basket_id))
    await emit(session, basket, "set", state(basket, sorted(numbers)))
    return basket


def state(basket: Basket, numbers: Sequence[int]) -> Standard:
    return Standard(
        id=basket.id,
        unit=basket.unit_id,
        code=StandardCode.DIBAO,
        area=Area.URBAN,
        periods=tuple(
            StandardPeriod(
                from_=DAY + timedelta(days=number), amount=Decimal(number + 1), document="无"
            )
            for number in numbers
        ),
    )


async def count_effect(session: AsyncSession, events: Sequence[Received], consumer: str) -> None:
    for event in events:
        await session.execute(
            insert(effect).values(
                consumer=consumer, key=event.envelope.subject, sequence=event.envelope.sequence
            )
        )


class ItemAdded(BaseModel):
    """加入一件。"""

    model_config = ConfigDict(extra="forbid")

    number: int
    then: str = ""


class BasketView(BaseModel):
    """一只篮子。"""

    id: UUID
    unit: int


router = APIRouter(prefix="/v1/toy/baskets", route_class=Route)
Writer = Annotated[Principal, Depends(require("toy:write"))]
Reader = Annotated[Principal, Depends(require("toy:read"))]


@router.post("/{basket_id}/items", status_code=201, dependencies=[Idempotent])
async def post_item(
    basket_id: UUID, asked: ItemAdded, _: Writer, session: Transaction
) -> BasketView:
    """`then` says how it goes wrong after all has been written."""
    basket = await add_item(session, basket_id, asked.number)
    match asked.then:
        case "refuse":
            raise Refused("不可")
        case "deny":
            raise Denied("不可")
        case "crash":
            raise RuntimeError(f"item {asked.number}")
        case "hang up":
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    return BasketView(id=basket.id, unit=basket.unit_id)


@router.get("")
async def list_baskets(
    _: Reader, session: Transaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[BasketView]:
    """No filter by unit: what it shows is what the second wall lets through."""
    after = decode_cursor(cursor, (str, int))
    statement = select(Basket).order_by(cast(Basket.id, Text)).limit(limit + 1)
    if after is not None:
        statement = statement.where(cast(Basket.id, Text) > after[0], Basket.unit_id >= after[1])
    rows = list(await session.scalars(statement))
    return Page[BasketView](
        items=[BasketView(id=row.id, unit=row.unit_id) for row in rows[:limit]],
        next_cursor=encode_cursor(str(rows[limit - 1].id), 0) if len(rows) > limit else None,
    )


SERVICE = Service(
    name="toy",
    title="玩具",
    description="供测试。",
    routers=(router,),
    metadata=Base.metadata,
    migrations=Path(__file__).parent / "toy_migrations",
    publishes={"minzheng.toy": Basket},
)


def service_with(
    *, consumers: tuple[Consumer, ...] = (), jobs: dict[str, JobHandler] | None = None
) -> Service:
    """The toy with work to do besides its relay."""

    def handlers(_: Runtime) -> dict[str, JobHandler]:
        return jobs or {}

    return Service(
        name="toy",
        title="玩具",
        description="供测试。",
        routers=(router,),
        metadata=Base.metadata,
        migrations=SERVICE.migrations,
        publishes=SERVICE.publishes,
        consumers=consumers,
        jobs=handlers,
    )


async def own_topic(running: Running, patch: pytest.MonkeyPatch, *, partitions: int = 6) -> Topic:
    """A topic of the test's own, where `emit` puts the toy's events: buses are shared."""
    topic = Topic(f"minzheng.toy.{new_id().hex}", Standard, ("set", "corrected"), "玩具")
    patch.setitem(topics.BY_DATA, Standard, topic)
    patch.setitem(topics.BY_TYPE_PREFIX, (topic.name, topic.version), topic)
    await running.bus.ensure_topics({topic.name: partitions})
    return topic


@dataclass
class Toy:
    """The running toy, and what tests do with it."""

    running: Running
    topic: Topic
    _numbers: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)

    @property
    def database(self) -> Database:
        return self.running.runtime.database

    async def basket(self, unit: int = UNIT) -> UUID:
        async with self.database.transaction(actor="clerk-1", units=[unit]) as session:
            basket = Basket(id=new_id(), unit_id=unit)
            session.add(basket)
        return basket.id

    async def add(self, basket: UUID) -> None:
        """One more item, hence one event, in a transaction of its own."""
        async with self.database.transaction(actor="clerk-1", units=[UNIT]) as session:
            await add_item(session, basket, self._numbers())

    async def baskets(self, count: int, *, events: int = 1) -> list[UUID]:
        """Baskets with so many events each, taking turns."""
        made = [await self.basket() for _ in range(count)]
        for _ in range(events):
            for one in made:
                await self.add(one)
        return made

    async def events(self) -> list[CloudEvent]:
        """The outbox, in its order."""
        rows = await self.running.rows("SELECT body FROM chassis.outbox ORDER BY seq")
        return [CloudEvent.read(row["body"]) for row in rows]

    async def pending(self) -> int:
        (row,) = await self.running.rows(
            "SELECT count(*) AS n FROM chassis.outbox WHERE published_at IS NULL"
        )
        return int(row["n"])

    def consumption(self, handler: Handler | None = None, *, name: str = EFFECTS) -> Consumption:
        counted = handler or partial(count_effect, consumer=name)
        return Consumption(
            self.database,
            Consumer(name, (self.topic.name,), counted, projects=False),
            self.running.runtime.places.everywhere,
        )

    async def effects(self, consumer: str = EFFECTS) -> list[tuple[str, int]]:
        """(key, sequence) of each effect, in the order in which they came about."""
        rows = await self.running.rows(
            "SELECT key, sequence FROM effect WHERE consumer = $1 ORDER BY seq", consumer
        )
        return [(row["key"], row["sequence"]) for row in rows]

    async def effects_by_key(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for key, sequence in await self.effects():
            found.setdefault(key, []).append(sequence)
        return found

    async def parked(self) -> list[tuple[str, str]]:
        """(key, reason) of what waits in the dead letters, in order."""
        rows = await self.running.rows(
            "SELECT key, reason FROM acting.dead_letter WHERE replayed_at IS NULL ORDER BY seq"
        )
        return [(row["key"], row["reason"]) for row in rows]

    async def records(self) -> list[Record]:
        """The outbox as one partition would hold it."""
        return [
            record(self.topic.name, offset, event.subject, event.model_dump_json().encode())
            for offset, event in enumerate(await self.events())
        ]

    @property
    def partition(self) -> TopicPartition:
        return TopicPartition(self.topic.name, 0)


def record(topic: str, offset: int, key: str, body: bytes) -> Record:
    return Record(topic, 0, offset, key, body, (), 0)
