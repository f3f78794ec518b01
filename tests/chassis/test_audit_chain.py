"""The chain of audit entries: sealed in order, none lost and none twice, whatever commits late.

What a superuser of the database does to it is found by `verify` (test_audit_verify.py).
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from chassis import audit
from chassis.audit_anchors import ForeignHeadError, anchors_consumer, keep_heads, read_anchors
from chassis.audit_chain import SEALER_LOCK, Horizon, Sealer
from chassis.audit_keys import AuditKeys, open_audit_keys, rotate
from chassis.consumption import Received
from chassis.privacy import KeysMissing
from chassis.work import consumers_of, work
from contracts.events.audit import AuditHead
from contracts.events.envelope import CloudEvent
from contracts.topics import BY_DATA
from suite import catalogue
from tests.support.chains import Chain, chain_of
from tests.support.services import Running
from tests.support.toy import SERVICE, Toy

LINKS = "SELECT position, seq, floor, key FROM chassis.audit_link ORDER BY position"


@pytest.fixture
def chain(toy: Toy, relief: Running) -> Chain:
    return chain_of(toy.running, relief)


async def test_each_entry_is_sealed_behind_the_one_before_it(chain: Chain) -> None:
    seqs = await chain.write(5)
    await chain.settle()
    links = await chain.running.rows(LINKS)
    assert [row["position"] for row in links] == list(range(1, len(links) + 1))
    assert [row["seq"] for row in links if row["seq"]] == seqs
    assert await chain.found() == []


async def test_more_than_one_batch_is_sealed_in_order(chain: Chain) -> None:
    sealer = chain.sealer(batch=3)
    seqs = await chain.write(8)
    assert [await sealer.look() for _ in range(4)] == [3, 3, 2, 0]
    assert await chain.sealed() == seqs
    assert await chain.found() == []


async def test_an_entry_that_commits_late_is_sealed_late(chain: Chain) -> None:
    async with chain.open_entry() as late:
        seqs = await chain.write(3)
        sealer = chain.sealer()
        for _ in range(6):
            await sealer.look()
        assert await chain.sealed() == seqs
        assert (await chain.floor()) < late
        assert await chain.found() == []
    assert (await chain.verified()).waiting == 1
    await chain.settle(sealer)
    assert await chain.sealed() == [*seqs, late]
    assert await chain.found() == []


async def test_what_came_late_is_found_below_a_full_batch(chain: Chain) -> None:
    sealer = chain.sealer(batch=2)
    async with chain.open_entry() as late:
        seqs = await chain.write(5)
        await sealer.look()
    await chain.settle(sealer)
    assert sorted(await chain.sealed()) == [late, *seqs]
    assert await chain.found() == []


async def test_more_late_entries_than_a_batch_holds_are_all_sealed(chain: Chain) -> None:
    sealer = chain.sealer(batch=2)
    async with AsyncExitStack() as late:
        seqs = [await late.enter_async_context(chain.open_entry()) for _ in range(5)]
        seqs += await chain.write(1)
        for _ in range(3):  # sealed, noted, and the ids of then read
            await sealer.look()
    await sealer.look()
    assert await chain.found() == []
    await chain.settle()
    assert sorted(await chain.sealed()) == seqs
    assert await chain.found() == []


async def test_what_commits_late_while_there_is_always_more_is_sealed(chain: Chain) -> None:
    sealer = chain.sealer(batch=2)
    async with chain.open_entry() as late:
        seqs = await chain.write(12)
        for _ in range(3):  # as above, each behind the batch before it
            assert await sealer.look() == 2
    await sealer.look()
    assert await chain.floor() < late
    await chain.settle(sealer)
    assert sorted(await chain.sealed()) == [late, *seqs]


async def test_numbers_of_transactions_undone_hold_nothing_up(chain: Chain) -> None:
    await chain.write(1)
    await chain.skip()
    seqs = await chain.write(1)
    await chain.settle()
    assert await chain.floor() == seqs[-1]
    assert await chain.found() == []


async def test_a_healthy_chain_is_well_while_many_write_and_commit_late(chain: Chain) -> None:
    """Two sealers take turns; whoever looks, at whatever moment, finds nothing wrong."""
    chance = random.Random(5)  # noqa: S311 - an order of commits, no secret
    written: list[int] = []

    async def writer() -> None:
        for _ in range(15):
            async with chain.open_entry(undone=chance.random() < 0.2) as seq:
                await asyncio.sleep(chance.random() * 0.05)
            written.append(seq)

    async def looking(sealer: Sealer) -> None:
        while True:
            await sealer.look()
            await asyncio.sleep(0.005)

    sealers = [asyncio.create_task(looking(chain.sealer(batch=7))) for _ in range(2)]
    writers = asyncio.gather(*(writer() for _ in range(4)))
    while not writers.done():
        assert await chain.found() == []
    await writers
    for task in sealers:
        task.cancel()
    await asyncio.gather(*sealers, return_exceptions=True)
    await chain.settle()
    stored = await chain.running.rows("SELECT seq FROM chassis.audit_entry ORDER BY seq")
    assert sorted(await chain.sealed()) == [row["seq"] for row in stored]
    links = await chain.running.rows(LINKS)
    assert [row["position"] for row in links] == list(range(1, len(links) + 1))
    assert await chain.found() == []


async def test_only_one_seals_at_a_time(chain: Chain) -> None:
    seqs = await chain.write(2)
    other = await asyncpg.connect(chain.running.databases.app)
    try:
        await other.execute("SELECT pg_advisory_lock($1)", SEALER_LOCK)
        assert await chain.sealer().look() == 0
        assert await chain.sealed() == []
    finally:
        await other.close()
    await chain.settle()
    assert await chain.sealed() == seqs


def test_the_floor_waits_for_who_runs_and_for_who_has_no_transaction_id_yet() -> None:
    horizon = Horizon(settle=1.0)
    horizon.look(40, oldest=100, next_=110, at=0.0)  # noted
    horizon.look(50, oldest=110, next_=111, at=0.5)  # too early: somebody may be without an id
    horizon.look(50, oldest=111, next_=120, at=1.0)  # whoever drew a number below 40 is below 120
    horizon.look(50, oldest=119, next_=130, at=2.0)
    assert horizon.reached == 0
    horizon.look(60, oldest=120, next_=131, at=2.1)
    assert horizon.reached == 40


async def test_the_app_can_neither_change_the_chain_nor_read_what_is_sealed(chain: Chain) -> None:
    await chain.write(2)
    await chain.settle()
    await chain.anchor()
    app = await asyncpg.connect(chain.running.databases.app)
    try:
        assert await app.fetch("SELECT * FROM chassis.audit_waiting(0, 10)") == []
        for forbidden in (
            "UPDATE chassis.audit_link SET mac = ''",
            "DELETE FROM chassis.audit_link",
            "TRUNCATE chassis.audit_link",
            "UPDATE chassis.audit_anchor SET mac = ''",
            "DELETE FROM chassis.audit_anchor",
            "DELETE FROM chassis.audit_chain",
            "UPDATE chassis.audit_chain SET id = gen_random_uuid()",
            "SELECT * FROM chassis.audit_entry",
            "DROP FUNCTION chassis.audit_waiting(bigint, integer)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(forbidden)
    finally:
        await app.close()


async def test_the_head_is_told_when_it_has_grown_and_the_time_has_come(chain: Chain) -> None:
    hourly = chain.sealer(anchor_every=timedelta(hours=1))
    await chain.write(1)
    await hourly.look()
    await chain.write(1)
    await hourly.look()
    assert [event.data["position"] for event in await chain.heads()] == [1]
    await chain.settle()
    heads = await chain.heads()
    links = await chain.running.rows("SELECT * FROM chassis.audit_link ORDER BY position")
    assert [event.sequence for event in heads] == list(range(1, len(heads) + 1))
    assert heads[-1].data["mac"] == links[-1]["mac"].hex()
    assert heads[-1].data["position"] == links[-1]["position"]
    await chain.sealer().look()
    assert len(await chain.heads()) == len(heads)


async def test_a_clock_that_was_set_back_is_not_waited_for(chain: Chain) -> None:
    await chain.write(1)
    await chain.settle()
    told = len(await chain.heads())
    await chain.running.rows(
        "UPDATE chassis.audit_chain SET anchored_at = now() + interval '1 day'"
    )
    await chain.write(1)
    await chain.sealer(anchor_every=timedelta(hours=1)).look()
    assert len(await chain.heads()) == told + 1


async def test_others_keep_it_as_an_anchor(chain: Chain) -> None:
    await chain.write(1)
    await chain.settle()
    heads = await chain.heads()
    await chain.anchor()
    kept = await read_anchors(chain.keeper.databases.app, "toy")
    assert [(one.position, one.mac) for one in kept] == [
        (event.data["position"], event.data["mac"]) for event in heads
    ]
    await chain.anchor()
    assert await read_anchors(chain.keeper.databases.app, "toy") == kept


async def test_nobody_keeps_what_another_tells_of_a_chain_nor_its_own(toy: Toy) -> None:
    head = AuditHead.model_validate_json(HEAD)
    told = {"service": "relief", "toy": "toy"}
    for source, service in told.items():
        envelope = CloudEvent.model_validate(ENVELOPE | {"source": f"urn:minzheng:{source}"})
        event = Received(
            BY_DATA[AuditHead].name, envelope, head.model_copy(update={"service": service})
        )
        async with toy.database.transaction(actor="event:1") as session:
            if source == service:
                await keep_heads(session, [event])
            else:
                with pytest.raises(ForeignHeadError):
                    await keep_heads(session, [event])
    assert await read_anchors(toy.running.databases.app, "toy") == []


def test_every_chain_is_kept_by_another_service() -> None:
    keepers = {
        name
        for name in catalogue.NAMES
        if anchors_consumer(name) in consumers_of(catalogue.load(name))
    }
    assert keepers == set(BY_DATA[AuditHead].subscribers)
    assert len(keepers) > 1


async def test_a_new_key_seals_what_comes_and_the_old_one_verifies_what_was(
    chain: Chain, tmp_path: Path
) -> None:
    folder = tmp_path / "keys" / "audit"
    old = open_audit_keys(chain.running.settings)
    before = await chain.write(2)
    await chain.settle()
    assert rotate(folder) == 2
    chain.keys = open_audit_keys(chain.running.settings)
    after = await chain.write(2)
    await chain.settle()
    keys = {row["seq"]: row["key"] for row in await chain.running.rows(LINKS)}
    assert [keys[seq] for seq in (*before, *after)] == [1, 1, 2, 2]
    assert await chain.found() == []
    # A process that does not know the new key starts anew instead of falling back.
    await chain.write(1)
    with pytest.raises(KeysMissing):
        await Sealer(chain.running.runtime.database, old, settle=0).look()


async def test_whoever_still_seals_under_the_old_key_does_not_fall_back(chain: Chain) -> None:
    """By settings a new key is first added behind the current one everywhere."""
    both = dict(chain.keys.keys) | {2: bytes(range(32))}
    chain.keys = AuditKeys(both, current=2)
    await chain.write(1)
    await chain.settle()
    chain.keys = AuditKeys(both, current=1)
    (seq,) = await chain.write(1)
    await chain.settle()
    keys = {row["seq"]: row["key"] for row in await chain.running.rows(LINKS)}
    assert keys[seq] == 2
    assert await chain.found() == []


def test_keys_come_from_settings_or_a_folder_and_a_deployment_makes_none(toy: Toy) -> None:
    settings = toy.running.settings
    made = open_audit_keys(settings)
    assert open_audit_keys(settings) == made
    assert "keys={" not in repr(made)
    told = settings.model_copy(update={"audit_keys": f"2:{'ab' * 32},1:{'cd' * 32}"})
    assert open_audit_keys(told).current == 2
    empty = settings.model_copy(update={"keys": settings.state / "none", "deployment": True})
    with pytest.raises(KeysMissing):
        open_audit_keys(empty)
    (settings.key_folder / "audit" / "chain-1.key").unlink()
    with pytest.raises(KeysMissing):  # never made anew in a lost one's place
        open_audit_keys(settings)


@pytest.mark.parametrize("text", ["1:ab", f"0:{'ab' * 32}", f"1:{'ab' * 32},1:{'cd' * 32}", "x"])
def test_keys_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        AuditKeys.from_settings(text)


@asynccontextmanager
async def working(toy: Toy) -> AsyncIterator[None]:
    task = asyncio.create_task(work(SERVICE, toy.running.settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_work_process_seals_and_tells_others(toy: Toy, chain: Chain) -> None:
    async with toy.database.transaction(actor="clerk-1") as session:
        await audit.record(session, action="toy.read", subject="basket-1")
    published = "SELECT 1 FROM chassis.outbox WHERE published_at IS NOT NULL"
    async with asyncio.timeout(60), working(toy):
        while not await toy.running.rows(published):  # noqa: ASYNC110 - another task's, from outside
            await asyncio.sleep(0.05)
    assert await chain.sealed() == [1]
    assert await chain.found() == []


ENVELOPE = {
    "id": "01939f3c-5a00-7050-8000-000000000050",
    "type": "minzheng.audit.head.anchored.v1",
    "subject": "01939f3c-5a00-7aaa-8aaa-000000000009",
    "time": "2025-03-03T02:00:00Z",
    "sequence": 1,
    "actor": "job:1",
    "data": {},
}
HEAD = """{"id": "01939f3c-5a00-7aaa-8aaa-000000000009", "service": "toy", "position": 1, "seq": 1,
"key": 1, "mac": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
"sealed_at": "2025-03-03T02:00:00Z"}"""
