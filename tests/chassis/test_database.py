"""The transaction and its walls (architecture.md, Access)."""

import asyncpg
import pytest
from sqlalchemy import Executable, delete, func, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.clock import RealClock
from chassis.database import Database, today
from chassis.ids import new_id
from tests.support.services import Running
from tests.support.toy import FOREIGN, TOWN, UNIT, Basket, Toy, add_item

OWNED = """
SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = $1
UNION ALL SELECT n.nspname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
    WHERE r.rolname = $1
UNION ALL SELECT d.datname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
    WHERE r.rolname = $1
UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
    WHERE r.rolname = $1
UNION ALL SELECT role.rolname FROM pg_auth_members m JOIN pg_roles role ON role.oid = m.roleid
    JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = $1"""

FORBIDDEN = (
    "ALTER TABLE basket DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE basket NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY units ON basket",
    "CREATE POLICY mine ON basket USING (true)",
    "ALTER TABLE basket OWNER TO toy_template_app",
    "SET ROLE toy_template_owner",
    "SET SESSION AUTHORIZATION postgres",
    "CREATE TABLE public.mine (id int)",
    "CREATE TABLE chassis.mine (id int)",
    "CREATE TABLE projection.mine (id int)",
    "CREATE SCHEMA mine",
    "DROP TABLE item",
    "TRUNCATE basket",
    "ALTER ROLE toy_template_app BYPASSRLS",
    "CREATE ROLE mine",
    "UPDATE chassis.audit_entry SET actor = 'x'",
    "DELETE FROM chassis.audit_entry",
    "TRUNCATE chassis.audit_entry",
    "SELECT * FROM chassis.audit_entry",
    "DELETE FROM chassis.outbox",
    "UPDATE chassis.outbox SET body = ''",
    "UPDATE chassis.outbox SET sequence = 7",
    "UPDATE chassis.idempotency_key SET status = 200",
    "COPY basket TO PROGRAM 'cat'",
    "SELECT pg_read_file('postgresql.conf')",
)


async def seen(toy: Toy, units: list[int] | None) -> list[int]:
    """The units of the baskets that a query without any filter shows."""
    async with toy.database.transaction(actor="clerk-1", units=units) as session:
        return sorted(await session.scalars(select(Basket.unit_id)))


async def test_a_query_without_a_filter_shows_nothing_foreign(toy: Toy) -> None:
    for unit in (UNIT, TOWN, FOREIGN):
        await toy.basket(unit)
    assert await seen(toy, [UNIT]) == [UNIT]
    assert await seen(toy, [TOWN, UNIT]) == [UNIT, TOWN]
    assert await seen(toy, [500112]) == []  # no prefix of a code stands for what is below it
    assert await seen(toy, [UNIT, TOWN, FOREIGN]) == [FOREIGN, UNIT, TOWN]


@pytest.mark.parametrize("units", [None, []])
async def test_with_no_units_set_no_row_is_seen_on_a_reused_connection(
    toy: Toy, units: list[int] | None
) -> None:
    await toy.basket(UNIT)
    for _ in range(20):  # every connection of the pool has had units before
        assert await seen(toy, [UNIT]) == [UNIT]
    assert await seen(toy, units) == []


async def test_a_connection_that_nobody_set_units_on_sees_nothing(toy: Toy) -> None:
    await toy.basket(UNIT)
    connection = await asyncpg.connect(toy.running.databases.app)
    try:
        assert await connection.fetchval("SELECT count(*) FROM basket") == 0
        await connection.execute("SELECT set_config('app.units', '', false)")
        assert await connection.fetchval("SELECT count(*) FROM basket") == 0
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("SET row_security = off; SELECT * FROM basket")
    finally:
        await connection.close()


async def test_counts_groups_and_joins_stay_behind_the_wall(toy: Toy) -> None:
    foreign = await toy.basket(FOREIGN)
    async with toy.database.transaction(actor="clerk-1", units=[FOREIGN]) as session:
        await add_item(session, foreign, 1)
    async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
        assert await session.scalar(select(func.count()).select_from(Basket)) == 0
        groups = select(Basket.unit_id, func.count()).group_by(Basket.unit_id)
        assert (await session.execute(groups)).all() == []
        assert await session.get(Basket, foreign) is None


async def test_a_row_of_a_foreign_unit_cannot_be_written(toy: Toy) -> None:
    mine = await toy.basket(UNIT)
    foreign = await toy.basket(FOREIGN)
    with pytest.raises(DBAPIError, match="row-level security"):
        await insert_as(toy, UNIT, into=FOREIGN)
    hand_over = update(Basket).where(Basket.id == mine).values(unit_id=FOREIGN)
    with pytest.raises(DBAPIError, match="row-level security"):
        await rows_of(toy, hand_over.returning(Basket.id))
    theirs = Basket.id == foreign
    change = update(Basket).where(theirs).values(version=9).returning(Basket.id)
    assert await rows_of(toy, change) == []
    assert await rows_of(toy, delete(Basket).where(theirs).returning(Basket.id)) == []
    assert await seen(toy, [UNIT, FOREIGN]) == [FOREIGN, UNIT]


async def insert_as(toy: Toy, unit: int, *, into: int) -> None:
    async with toy.database.transaction(actor="clerk-1", units=[unit]) as session:
        session.add(Basket(id=new_id(), unit_id=into))


async def rows_of(toy: Toy, statement: Executable) -> list[object]:
    async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
        return list(await session.scalars(statement))


async def test_a_list_over_http_shows_the_units_of_the_token_alone(toy: Toy) -> None:
    mine = await toy.basket(UNIT)
    below = await toy.basket(TOWN)
    foreign = await toy.basket(FOREIGN)
    for divisions, expected in (
        (["500112000000"], {mine, below}),
        (["500112016000"], {below}),
        (["500109000000"], {foreign}),
        ([], set()),
        (["999999999999"], set()),
    ):
        headers = toy.running.headers("toy:read", divisions=divisions)
        answer = await toy.running.http.get("/v1/toy/baskets", headers=headers)
        assert {item["id"] for item in answer.json()["items"]} == {str(one) for one in expected}


async def test_the_app_role_owns_nothing_and_is_member_of_nothing(
    toy: Toy, relief: Running
) -> None:
    for running, role in ((toy.running, "toy_template_app"), (relief, "relief_template_app")):
        assert await running.rows(OWNED, role) == []
        (limits,) = await running.rows(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
            " FROM pg_roles WHERE rolname = $1",
            role,
        )
        assert not any(limits)


async def test_the_app_role_can_undo_no_wall_and_no_record(toy: Toy) -> None:
    await toy.baskets(1)
    connection = await asyncpg.connect(toy.running.databases.app)
    try:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(statement)
            assert refused.value.sqlstate in {"42501", "0LP01"}, statement
    finally:
        await connection.close()


async def test_the_owner_is_behind_the_wall_too(toy: Toy) -> None:
    await toy.basket(UNIT)
    owner = await asyncpg.connect(toy.running.databases.owner)
    try:
        assert await owner.fetchval("SELECT count(*) FROM basket") == 0
    finally:
        await owner.close()


async def test_an_error_does_not_show_the_parameters(toy: Toy) -> None:
    fails = select(literal("欧阳测试")).where(text("1 / 0 = 1"))
    with pytest.raises(DBAPIError, match="division by zero") as refused:
        await rows_of(toy, fails)
    assert "欧阳测试" not in str(refused.value)


async def test_a_pool_that_is_used_up_is_an_error_in_bounded_time(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(toy.running.databases.app, RealClock(), source="toy", pool_size=1)
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.1)
    try:
        async with database.transaction(actor="clerk-1"):
            with pytest.raises(PoolTimeoutError):
                await database.ping()
        await database.ping()
    finally:
        await database.close()


async def test_a_transaction_has_one_day_though_midnight_passes(toy: Toy) -> None:
    toy.running.at("2025-03-03", "23:59")
    async with toy.database.transaction() as session:
        days = [today(session)]
        toy.running.at("2025-03-04", "00:01")
        days.append(today(session))
    async with toy.database.transaction() as session:
        days.append(today(session))
    assert [day.isoformat() for day in days] == ["2025-03-03", "2025-03-03", "2025-03-04"]
