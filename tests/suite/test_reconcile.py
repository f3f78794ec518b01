"""One service came back from a backup while the others went on; logs that lost or forged events."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from chassis.bus import open_bus
from chassis.ids import new_id
from chassis.lost_log import LogLostError
from chassis.outbox import HOLDS
from chassis.relay import relay
from chassis.work import consumption
from contracts.events.envelope import CloudEvent
from contracts.topics import TOPICS
from services.eldercare.app import SERVICE as ELDERCARE
from services.indicator.app import SERVICE as INDICATOR
from services.indicator.ledger.fingerprint import fingerprint
from suite.backup import BackupError
from suite.broker import Broker
from suite.cli import app
from suite.postgres import Postgres
from suite.reconcile import Found, compare, know_strays, mend
from suite.republish import republish
from suite.restore_one import copy_database
from suite.topic_copy import NotMendedError
from tests.support.buses import bus_database
from tests.support.emptied import running_emptied
from tests.support.services import Databases, fresh_databases, looked_at
from tests.support.two import OUTBOX, TOPIC, Two

SERVICES = (ELDERCARE, INDICATOR)


@pytest.fixture(scope="module")
def databases(postgres: Postgres) -> list[Databases]:
    return [asyncio.run(fresh_databases(postgres, service)) for service in SERVICES]


@pytest.fixture(scope="module")
def backup(postgres: Postgres) -> Databases:
    """Where the owner's database is put away."""
    return asyncio.run(fresh_databases(postgres, ELDERCARE))


@pytest.fixture
async def two(
    postgres: Postgres, databases: list[Databases], backup: Databases, tmp_path: Path
) -> AsyncIterator[Two]:
    one, other = databases
    async with (
        running_emptied(postgres, ELDERCARE, tmp_path / "owner", one) as owner,
        running_emptied(postgres, INDICATOR, tmp_path / "reader", other) as reader,
    ):
        yield Two(owner, reader, backup, tmp_path)


async def found(two: Two, *, reach: tuple[str, ...] = ()) -> Found:
    one = await compare(two.part)
    await know_strays([one], [two.part] if "owner" in reach else [])
    return one


class TestRestored:
    """The owner's database of an hour ago, and topics and readers of now."""

    async def test_the_archive_is_whole_and_readers_agree_with_what_stands_again(
        self, two: Two
    ) -> None:
        kept = await two.register(10)
        await two.publish()
        await two.put_away()
        await two.beds(kept, 15)
        lost = await two.register(5)
        await two.beds(kept, 20, "2025-03-02")
        await two.publish()
        assert await two.counted() == 25
        before = {row["key"]: row["body"] for row in await two.owner.rows(OUTBOX, TOPIC)}
        await two.put_back()
        assert await two.owner.rows(HOLDS)
        differs = await found(two)
        assert len(differs.mendable) == 2
        assert f"{kept}，序号 2、3" in "".join(differs.mendable)
        (gone,) = differs.gone
        assert (gone.key, gone.verbs, gone.sequence) == (str(lost), ("registered",), 1)
        mended = await mend(two.part)
        assert (mended.taken_back, mended.told_anew, mended.gone) == (3, 2, 1)
        assert await two.archive() == {
            str(kept): [(1, "registered"), (2, "changed"), (3, "changed"), (4, "restored")],
            str(lost): [(1, "registered"), (2, "voided")],
        }
        assert not await two.owner.rows(HOLDS)
        again = [row["body"] for row in await two.owner.rows(OUTBOX, TOPIC)]
        assert set(before.values()) <= set(again), "taken back, but not as it was published"
        await two.publish()
        assert await two.counted() == 10
        assert (await found(two)).is_whole
        await two.beds(kept, 30)
        assert (await two.archive())[str(kept)][-1] == (5, "changed")
        await two.publish()
        assert await two.counted() == 30

    async def test_what_was_written_before_the_mend_comes_behind_the_lost_hours(
        self, two: Two
    ) -> None:
        kept = await two.register(10)
        await two.publish()
        await two.put_away()
        await two.beds(kept, 15)
        await two.publish()
        await two.put_back()
        await two.beds(kept, 12, "2025-03-02")
        mended = await mend(two.part)
        assert (mended.taken_back, mended.told_anew) == (1, 0)
        rows = await two.owner.rows(OUTBOX, TOPIC)
        assert [row["sequence"] for row in rows] == [1, 2, 3]
        assert [CloudEvent.read(row["body"]).sequence for row in rows] == [1, 2, 3]
        await two.publish()
        assert await two.counted() == 12
        await two.beds(kept, 13, "2025-03-03")
        assert (await two.archive())[str(kept)][-1][0] == 4
        assert (await found(two)).is_whole

    async def test_nothing_is_published_until_it_is_mended(self, two: Two) -> None:
        await two.register(1)
        await two.put_away()
        await two.put_back()
        publishing = asyncio.create_task(
            relay(two.owner.databases.app, two.owner.bus, service=ELDERCARE.name)
        )
        try:
            await two.register(2)
            await asyncio.sleep(1.5)
            assert await two.waits() == 2
            await mend(two.part)
            async with asyncio.timeout(60):
                while await two.waits():  # noqa: ASYNC110 - the relay is watched from outside
                    await asyncio.sleep(0.05)
            # And a relay at work lets go for the next one.
            await mend(two.part)
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)
        assert (await found(two)).is_whole

    async def test_a_reader_that_came_back_reads_again_what_it_forgot(
        self, two: Two, postgres: Postgres
    ) -> None:
        """Invariant 4: by its own offsets; nothing needs a mend."""
        aside = await fresh_databases(postgres, INDICATOR)
        kept = await two.register(10)
        await two.publish()
        await copy_database(two.reader.databases.admin, aside.admin, two.folder / "table")
        await two.beds(kept, 15)
        await two.publish()
        await copy_database(aside.admin, two.reader.databases.admin, two.folder / "table")
        assert await two.counted() == 10
        assert (await compare(two.reading)).is_whole
        await two.read()
        assert await two.counted() == 15

    async def test_a_database_of_another_revision_is_refused_and_left_as_it_is(
        self, two: Two
    ) -> None:
        await two.register(10)
        await two.put_away()
        await two.register(5)
        version = "UPDATE chassis.alembic_version_chassis SET version_num = {}"
        await looked_at(two.backup.admin, version.format("version_num || 'x'"))
        try:
            with pytest.raises(BackupError, match="不是同一版本"):
                await two.put_back()
        finally:
            await looked_at(two.backup.admin, version.format("rtrim(version_num, 'x')"))
        assert len(await two.archive()) == 2
        assert not await two.owner.rows(HOLDS)


class TestNamed:
    async def test_what_a_topic_lacks_is_published_again_in_order(self, two: Two) -> None:
        facility = await two.register(10)
        await two.publish()
        await two.beds(facility, 11)
        await two.beds(facility, 12, "2025-03-02")
        await two.owner.rows("UPDATE chassis.outbox SET published_at = now()")
        assert f"{facility}，序号 2、3" in (await found(two)).mendable[0]
        assert (await mend(two.part)).again == 2
        await two.publish()
        assert await two.counted() == 12
        assert (await found(two)).is_whole

    async def test_the_same_event_with_another_body_is_named_and_left(self, two: Two) -> None:
        await two.register(10)
        await two.publish()
        told = await two.last()
        await two.forge(told | {"actor": "somebody-else"})
        for look in range(2):
            differs = await found(two)
            (word,) = differs.named
            assert told["id"] in word
            assert "内容不同" in word
            assert not differs.mendable
            if not look:
                await mend(two.part)

    async def test_two_events_under_one_number_are_named_and_the_truth_is_told_behind(
        self, two: Two
    ) -> None:
        await two.register(10)
        await two.publish()
        told = await two.last()
        await two.forge(told | {"id": str(uuid4())})
        assert "同一序号有不同的事件" in "".join((await found(two)).named)
        assert (await mend(two.part)).told_anew == 1
        differs = await found(two)
        assert "同一序号有不同的事件" in "".join(differs.named)
        assert not differs.mendable

    async def test_a_strangers_record_is_named(self, two: Two) -> None:
        await two.register(10)
        await two.publish()
        await two.forge({"subject": "nonsense"})
        assert f"主题 {TOPIC} 上有 1 条不是本服务发布或无法读的记录" in (await found(two)).named

    async def test_an_inbox_that_knows_what_nobody_told_or_lacks_what_it_passed(
        self, two: Two
    ) -> None:
        await two.register(10)
        await two.publish()
        stray = uuid4()
        await two.reader.rows("INSERT INTO projection.inbox VALUES ('indicator.ledger', $1)", stray)
        (event,) = await two.reader.rows(
            "DELETE FROM projection.inbox WHERE event_id <> $1 RETURNING event_id", stray
        )
        one = await compare(two.reading)
        await know_strays([one], [two.part, two.reading])
        passed, strange = one.named
        assert "indicator.ledger 已越过而未处理" in passed
        assert "序号 1" in passed
        assert str(stray) in strange
        await two.owner.rows("UPDATE chassis.outbox SET id = $1", stray)
        two.owner.bus = open_bus(two.owner.settings.bus)
        one = await compare(two.reading)
        await know_strays([one], [two.part])
        assert not any(str(stray) in word for word in one.named), "an outbox within reach knows it"
        assert event


async def forget_topics(broker: Broker) -> None:
    """Others may have published on this broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    try:
        names = {topic.name for topic in TOPICS} & set(await admin.list_topics())
        await admin.delete_topics([*names])
        while names & set(await admin.list_topics()):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


class TestByTheEnvironment:
    """On servers each command has one service's variables."""

    async def test_reconcile_and_republish(self, two: Two) -> None:
        kept = await two.register(10)
        await two.publish()
        await two.put_away()
        await two.beds(kept, 15)
        await two.publish()
        await two.put_back()
        code, said = await self.minzheng(two, "reconcile", "eldercare")
        assert (code, f"{kept}，序号 2" in said) == (1, True), said
        code, said = await self.minzheng(two, "republish", "eldercare")
        assert (code, "reconcile eldercare --mend" in said) == (1, True), said
        code, said = await self.minzheng(two, "reconcile", "eldercare", "--mend")
        assert (code, "取回 1 条" in said) == (0, True), said
        await two.publish()
        code, said = await self.minzheng(two, "republish", "eldercare")
        assert (code, "0 条事件" in said) == (0, True), said
        code, said = await self.minzheng(two, "reconcile")
        assert (code, "请指明一个服务" in said) == (1, True), said

    @staticmethod
    async def minzheng(two: Two, *command: str) -> tuple[int, str]:
        told = {
            "OWNER_DATABASE_URL": two.owner.databases.owner,
            "MINZHENG_BUS_URL": two.owner.databases.bus,
        }
        done = await asyncio.to_thread(CliRunner(env=told).invoke, app, command)
        return done.exit_code, done.output


class TestLostLog:
    """The topics are empty again: all disks of the brokers are gone, or it is another bus."""

    @pytest.fixture
    async def fresh(self, bus_kind: str, request: pytest.FixtureRequest, postgres: Postgres) -> str:
        if bus_kind == "kafka":
            broker: Broker = request.getfixturevalue("kafka")
            await forget_topics(broker)
            return f"kafka://{broker.address}"
        return await asyncio.to_thread(bus_database, postgres, f"bus_{new_id().hex[-12:]}")

    async def test_nobody_goes_on_until_it_is_republished_and_then_all_is_as_before(
        self, two: Two, fresh: str
    ) -> None:
        first, second = await two.register(10), await two.register(5)
        await two.beds(first, 12)
        await two.publish()
        # As after a crash between send and mark: the old log has each twice, the new one will not.
        await two.owner.rows("UPDATE chassis.outbox SET published_at = NULL")
        await two.publish()
        before = await self._ledger(two)
        two.owner.bus = open_bus(fresh)
        await two.owner.bus.ensure_topics({topic.name: topic.partitions for topic in TOPICS})
        with pytest.raises(LogLostError, match="republish"):
            async with asyncio.timeout(20):  # who goes on as if nothing were missing waits for ever
                await relay(two.owner.databases.app, two.owner.bus, service=ELDERCARE.name)
        (ledger,) = INDICATOR.consumers
        with pytest.raises(LogLostError, match="republish"):
            async with asyncio.timeout(20):  # who goes on as if nothing were missing waits for ever
                await consumption(two.reader.runtime, ledger).run(two.owner.bus)
        assert "末尾之后" in "".join((await compare(two.reading)).named)
        ids = [row["body"] for row in await two.owner.rows(OUTBOX, TOPIC)]
        assert await republish([two.part], [two.part, two.reading]) == {"eldercare": 3}
        assert await republish([two.part], [two.part, two.reading]) == {"eldercare": 0}
        assert (await compare(two.reading)).is_whole, "readers were not set back"
        await two.publish()
        assert await self._ledger(two) == before
        assert [row["body"] for row in await two.owner.rows(OUTBOX, TOPIC)] == ids
        assert (await found(two)).is_whole
        assert (await compare(two.reading)).is_whole
        await two.beds(second, 6)
        await two.beds(second, 7, "2025-03-02")
        await two.publish()
        assert await two.counted() == 19
        assert (await compare(two.reading)).is_whole, "an event was passed over"

    async def test_a_restored_database_is_reconciled_first(self, two: Two) -> None:
        await two.register(10)
        await two.put_away()
        await two.put_back()
        with pytest.raises(NotMendedError, match="reconcile eldercare --mend"):
            await republish([two.part], [two.part, two.reading])

    async def test_what_only_the_topic_knows_is_reconciled_first(self, two: Two) -> None:
        await two.register(10)
        await two.publish()
        await two.owner.rows("DELETE FROM chassis.outbox")
        with pytest.raises(NotMendedError, match="reconcile eldercare --mend"):
            await republish([two.part], [two.part, two.reading])

    @staticmethod
    async def _ledger(two: Two) -> str:
        runtime = two.reader.runtime
        units = await runtime.places.everywhere()
        async with runtime.database.transaction(units=units) as session:
            return await fingerprint(session)
