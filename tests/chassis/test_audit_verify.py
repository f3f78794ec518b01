"""What a superuser of the database does to entries or to their chain is found and named."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from chassis.audit_chain import BEFORE_ALL, ENTRY, Link, declare_break, linked, stored_text
from chassis.audit_keys import AuditKeys
from chassis.audit_verify import verify
from suite.cli import app
from tests.support.chains import Chain, chain_of
from tests.support.services import Running
from tests.support.toy import Toy

OTHER_KEY = bytes(range(100, 132))


@pytest.fixture
async def chain(toy: Toy, relief: Running) -> Chain:
    """Six sealed and anchored entries: the numbers 1 to 7 without 4, which was rolled back."""
    chain = chain_of(toy.running, relief)
    await chain.write(3)
    assert await chain.skip() == 4
    await chain.write(3)
    await chain.settle()
    await chain.anchor()
    assert await chain.found() == []
    return chain


async def as_superuser(chain: Chain, *statements: str) -> None:
    admin = await asyncpg.connect(chain.running.databases.admin)
    try:
        for statement in statements:
            await admin.execute(statement)
    finally:
        await admin.close()


async def position_of(chain: Chain, seq: int) -> int:
    (row,) = await chain.running.rows("SELECT position FROM chassis.audit_link WHERE seq = $1", seq)
    return int(row["position"])


CHANGES = {
    "at": "at + interval '1 microsecond'",
    "recorded_at": "recorded_at - interval '1 day'",
    "actor": "'clerk-2'",
    "organisation": "organisation || ' '",
    "action": "'toy.listed'",
    "subject": "'basket-2'",
    "purpose": "''",
    "result": "'denied'",
    "cause": "''",
}


async def test_a_changed_entry_is_named_whatever_of_it_was_changed(chain: Chain) -> None:
    assert set(CHANGES) == set(ENTRY) - {"seq"}
    for column, value in CHANGES.items():
        look = f"SELECT {column} AS value FROM chassis.audit_entry WHERE seq = 5"  # noqa: S608 - ours
        change = f"UPDATE chassis.audit_entry SET {column} = {{}} WHERE seq = 5"  # noqa: S608 - ours
        (before,) = await chain.running.rows(look)
        await as_superuser(chain, change.format(value))
        assert await chain.found() == ["被改动：第 5 条"], column
        await chain.running.rows(change.format("$1"), before["value"])
    assert await chain.found() == []


async def test_several_changed_entries_are_named_each(chain: Chain) -> None:
    await as_superuser(
        chain, "UPDATE chassis.audit_entry SET actor = 'clerk-2' WHERE seq IN (1, 2, 6)"
    )
    assert await chain.found() == ["被改动：第 1–2、6 条"]


async def test_a_renumbered_entry_is_named(chain: Chain) -> None:
    await as_superuser(chain, "UPDATE chassis.audit_entry SET seq = DEFAULT WHERE seq = 5")
    assert "被删除：第 5 条" in await chain.found()


async def test_a_removed_entry_is_named(chain: Chain) -> None:
    await as_superuser(chain, "DELETE FROM chassis.audit_entry WHERE seq = 5")
    assert await chain.found() == ["被删除：第 5 条"]


async def test_an_entry_removed_with_its_link_is_named_by_its_neighbours(chain: Chain) -> None:
    position = await position_of(chain, 5)
    await as_superuser(
        chain,
        "DELETE FROM chassis.audit_entry WHERE seq = 5",
        "DELETE FROM chassis.audit_link WHERE seq = 5",
    )
    (found,) = await chain.found()
    assert found.startswith(f"链的第 {position} 至 {position} 环被删除（在第 3 条与第 6 条之间")


async def test_closing_the_gap_of_a_removed_entry_does_not_hide_it(chain: Chain) -> None:
    position = await position_of(chain, 5)
    await as_superuser(
        chain,
        "DELETE FROM chassis.audit_entry WHERE seq = 5",
        "DELETE FROM chassis.audit_link WHERE seq = 5",
        f"UPDATE chassis.audit_link SET position = -position WHERE position > {position}",  # noqa: S608 - a number
        "UPDATE chassis.audit_link SET position = -position - 1 WHERE position < 0",
    )
    assert any("第 6" in found for found in await chain.found())


async def test_a_removed_link_leaves_an_entry_without_a_seal(chain: Chain) -> None:
    await as_superuser(chain, "DELETE FROM chassis.audit_link WHERE seq = 5")
    sealer = chain.sealer()
    for _ in range(4):
        await sealer.look()
    lost, unsealed = await chain.found()
    assert "被删除" in lost
    assert unsealed == "没有封条（封条被删除，或为插入）：第 5 条"


async def test_an_inserted_entry_is_named_and_never_sealed(chain: Chain) -> None:
    columns = ", ".join(name for name in ENTRY if name != "seq")
    await as_superuser(
        chain,
        f"INSERT INTO chassis.audit_entry (seq, {columns}) OVERRIDING SYSTEM VALUE"  # noqa: S608 - ours
        f" SELECT 4, {columns} FROM chassis.audit_entry WHERE seq = 3",
    )
    named = ["被插入（此前的业务早已提交或撤销，封存时没有这些记录）：第 4 条"]
    assert await chain.found() == named
    # A sealer that was running, and one that starts anew, with more to seal.
    await chain.write(2)
    await chain.settle()
    assert 4 not in await chain.sealed()
    assert await chain.found() == named


async def test_entries_whose_contents_changed_places_are_named(chain: Chain) -> None:
    columns = [name for name in ENTRY if name != "seq"]
    swap = (
        f"UPDATE chassis.audit_entry AS one SET ({', '.join(columns)}) ="  # noqa: S608 - our columns
        f" ({', '.join(f'other.{name}' for name in columns)}) FROM chassis.audit_entry AS other"
        " WHERE (one.seq, other.seq) IN ((5, 6), (6, 5))"
    )
    await as_superuser(chain, swap)
    assert await chain.found() == ["次序被调换：第 5–6 条"]


@pytest.mark.parametrize("column", ["seq", "position"])
async def test_links_that_changed_places_are_named(chain: Chain, column: str) -> None:
    pair = [5, 6] if column == "seq" else [await position_of(chain, seq) for seq in (5, 6)]
    change = f"UPDATE chassis.audit_link SET {column} = $1 WHERE {column} = $2"  # noqa: S608 - ours
    for to, of in ((-1, pair[0]), (pair[0], pair[1]), (pair[1], -1)):
        await chain.running.rows(change, to, of)
    found = await chain.found()
    assert found[0] == "次序被调换：第 5–6 条"
    assert all("锚" in other for other in found[1:])


async def test_a_changed_link_does_not_accuse_its_neighbour(chain: Chain) -> None:
    await as_superuser(chain, "UPDATE chassis.audit_link SET mac = 'x' WHERE seq = 5")
    assert await chain.found() == ["封条被改动，所封的记录未变：第 5 条"]


async def test_a_lowered_floor_is_no_way_in(chain: Chain) -> None:
    await as_superuser(chain, "UPDATE chassis.audit_link SET floor = 0")
    assert await chain.found() != []


async def cut(chain: Chain, seq: int) -> None:
    position = await position_of(chain, seq)
    await chain.running.rows("DELETE FROM chassis.audit_link WHERE position >= $1", position)
    await chain.running.rows("DELETE FROM chassis.audit_entry WHERE seq >= $1", seq)


async def test_a_tail_cut_off_is_found_by_the_anchor(chain: Chain) -> None:
    last = (await chain.heads())[-1].data
    await cut(chain, 6)
    (found,) = await chain.found()
    assert found.startswith("链尾被截断")
    assert f"第 {last['position']} 环、第 7 条" in found


async def test_a_chain_removed_whole_is_found_by_the_anchor(chain: Chain) -> None:
    await as_superuser(chain, "DELETE FROM chassis.audit_link", "DELETE FROM chassis.audit_entry")
    (found,) = await chain.found()
    assert found.startswith("链尾被截断：链止于第 0 环")


async def test_a_tail_that_the_sealer_made_anew_after_a_cut_is_found(chain: Chain) -> None:
    """Who holds the database has the sealer, which holds the key, seal what was changed."""
    await as_superuser(
        chain,
        "DELETE FROM chassis.audit_link",
        "UPDATE chassis.audit_entry SET actor = 'clerk-2' WHERE seq = 5",
    )
    await chain.settle()
    await chain.write(20)
    await chain.settle()
    await chain.anchor()
    (found,) = await chain.found()
    assert found.startswith("链与他库的锚不符：自第 1 至 6 环之间起")


async def rewrite(chain: Chain, keys: AuditKeys) -> None:
    """The whole chain anew, over changed entries, as the sealer would have made it."""
    admin = await asyncpg.connect(chain.running.databases.admin)
    try:
        await admin.execute("UPDATE chassis.audit_entry SET actor = 'clerk-2'")
        rows = await admin.fetch("SELECT * FROM chassis.audit_link ORDER BY position")
        entries = {
            row["seq"]: stored_text(row)
            for row in await admin.fetch("SELECT * FROM chassis.audit_entry")
        }
        head = BEFORE_ALL
        for row in rows:
            entry: list[Any] = entries.get(row["seq"], [])
            made = linked(keys, "toy", head, row["position"], row["seq"], row["floor"], entry)
            made = replace(made, sealed_at=row["sealed_at"])
            head = replace(made, mac=made.made(keys, "toy", head.mac, entry))
            await admin.execute(
                "UPDATE chassis.audit_link SET mac = $1, key = $2 WHERE position = $3",
                head.mac,
                head.key,
                head.position,
            )
    finally:
        await admin.close()


async def test_a_chain_rewritten_whole_without_the_key_is_found(chain: Chain) -> None:
    await rewrite(chain, AuditKeys({1: OTHER_KEY}, 1))
    rewritten, anchors = await chain.found()
    assert rewritten == "整条链被重写，没有一环出自审计密钥：第 1–3、5–7 条"
    assert anchors.startswith("链与他库的锚不符：自第 ")


async def test_a_long_chain_rewritten_in_part_without_the_key_is_found(chain: Chain) -> None:
    await chain.write(40)
    await chain.settle()
    await as_superuser(
        chain,
        "UPDATE chassis.audit_entry SET actor = 'clerk-2' WHERE seq > 10",
        "UPDATE chassis.audit_link SET mac = sha256(mac) WHERE seq > 10",
    )
    assert "与封存时不符（被改动、调换，或链被重写）：第 11–47 条" in await chain.found()


async def test_a_key_that_nobody_has_is_named(chain: Chain) -> None:
    await rewrite(chain, AuditKeys({9: OTHER_KEY}, 9))
    found = await chain.found()
    assert found[0].startswith("封存所用的密钥 9 不在手边")
    assert found[0].endswith("：第 1–3、5–7 条")


async def test_a_chain_rewritten_whole_with_an_old_key_is_found(chain: Chain) -> None:
    old = chain.keys
    chain.keys = AuditKeys(dict(old.keys) | {2: OTHER_KEY}, 2)
    await chain.write(2)
    await chain.settle()
    await chain.anchor()
    assert await chain.found() == []
    await rewrite(chain, old)
    (found,) = await chain.found()
    assert found.startswith("链与他库的锚不符：自第 ")


async def test_a_tail_sealed_under_an_old_key_is_named(chain: Chain) -> None:
    both = AuditKeys(dict(chain.keys.keys) | {2: OTHER_KEY}, 2)
    old, chain.keys = chain.keys, both
    await chain.write(1)
    await chain.settle()
    (row,) = await chain.running.rows(
        "SELECT * FROM chassis.audit_link ORDER BY position DESC LIMIT 1"
    )
    head = Link(**row)
    forged = linked(old, "toy", replace(head, key=1), head.position + 1, None, head.floor, [])
    await chain.running.rows(
        "INSERT INTO chassis.audit_link (position, floor, key, sealed_at, mac)"
        " VALUES ($1, $2, $3, $4, $5)",
        *(forged.position, forged.floor, forged.key, forged.sealed_at, forged.mac),
    )
    assert await chain.found() == ["换钥以后又以旧密钥封存"]


async def test_the_chain_of_another_service_is_not_this_ones(chain: Chain) -> None:
    verified = await verify(chain.running.databases.owner, "relief", chain.keys, [])
    assert str(verified.findings[0]).startswith("整条链被重写")


async def test_a_chain_that_others_hear_nothing_of_is_named(chain: Chain) -> None:
    await as_superuser(
        chain, "UPDATE chassis.audit_link SET sealed_at = sealed_at - interval '2 hours'"
    )
    await chain.keeper.rows("DELETE FROM chassis.audit_anchor")
    assert (await chain.found())[-1].startswith("链尾没有锚：自 ")


async def test_entries_that_nobody_seals_are_named_after_an_hour(chain: Chain) -> None:
    await chain.write(2)
    assert await chain.found() == []
    await as_superuser(
        chain,
        "UPDATE chassis.audit_entry SET recorded_at = recorded_at - interval '2 hours'"
        " WHERE seq = 8",
    )
    assert await chain.found() == ["一小时以上没有封存：第 8 条"]


async def test_a_break_after_a_restore_is_declared_by_who_has_the_key(chain: Chain) -> None:
    """A database restored to an hour ago has lost a stretch that others were told of."""
    before = (await chain.heads())[-1].data["position"]
    await cut(chain, 6)
    position = await declare_break(chain.running.runtime.database, chain.keys, before)
    verified = await chain.verified()
    assert verified.findings == []
    (told,) = verified.breaks
    assert told.startswith("恢复后续链：第 ")
    assert f"至 {position - 1} 环缺" in told
    await chain.write(2)
    await chain.settle()
    await chain.anchor()
    assert await chain.found() == []


async def test_a_break_cannot_be_declared_without_the_key(chain: Chain) -> None:
    await cut(chain, 6)
    forger = AuditKeys({1: OTHER_KEY}, 1)
    await declare_break(chain.running.runtime.database, forger, 100)
    (found,) = await chain.found()
    assert "环被删除" in found


Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def minzheng(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on servers of the bureau's own: relief's chain, anchors kept in the toy's."""
    relief, toy = chain.keeper, chain.running
    for name, value in {
        "DATABASE_URL": relief.databases.app,
        "OWNER_DATABASE_URL": relief.databases.owner,
        "MINZHENG_ANCHOR_DATABASE_URLS": toy.databases.app,
        "MINZHENG_KEYS": str(relief.settings.key_folder),
    }.items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments])

    return run


async def test_the_command_says_what_it_found_and_exits_with_it(
    chain: Chain, minzheng: Run
) -> None:
    chain = chain_of(chain.keeper, chain.running)
    await chain.write(3)
    await chain.settle()
    well = await minzheng("verify", "--service", "relief")
    assert (well.exit_code, well.stdout.split("，")[0]) == (0, "relief：完好")
    await as_superuser(chain, "UPDATE chassis.audit_entry SET actor = 'clerk-2' WHERE seq = 2")
    found = await minzheng("verify", "--service", "relief")
    assert found.exit_code == 1
    assert "relief：被改动：第 2 条" in found.stdout


async def test_the_command_goes_on_after_a_restore_and_rotates_the_key(
    chain: Chain, minzheng: Run
) -> None:
    chain = chain_of(chain.keeper, chain.running)
    await chain.write(3)
    await chain.settle()
    await chain.anchor()
    await cut(chain, 3)
    assert (await minzheng("verify", "--service", "relief")).exit_code == 1
    assert (await minzheng("resume", "--service", "relief")).exit_code == 0
    well = await minzheng("verify", "--service", "relief")
    assert well.exit_code == 0
    assert "恢复后续链" in well.stdout
    rotated = await minzheng("rotate-key")
    assert (rotated.exit_code, rotated.stdout[:9]) == (0, "审计链的密钥 2 ")
    assert (await minzheng("verify", "--service", "relief")).exit_code == 0


@pytest.mark.parametrize("missing", ["MINZHENG_ANCHOR_DATABASE_URLS", "MINZHENG_KEYS"])
async def test_without_anchors_or_key_nothing_is_said_to_be_well(
    minzheng: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    missing: str,
) -> None:
    monkeypatch.setenv("MINZHENG_DEPLOYMENT", "true")
    monkeypatch.setenv("MINZHENG_STATE", str(tmp_path / "nothing"))
    monkeypatch.delenv(missing)
    answer = await minzheng("verify", "--service", "relief")
    assert answer.exit_code == 1
    assert "完好" not in answer.stdout
