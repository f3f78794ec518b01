"""Field keys rotate while clerks go on: all opens at every moment, and the old key can go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import httpx
from sqlalchemy import text

from chassis.privacy import Sealed, rotate
from chassis.resealing import reseal, sealed_columns
from chassis.service import running
from services.relief.app import SERVICE
from tests.services.relief.households.family import ADDRESS, Clerk, family, person
from tests.services.relief.households.test_privacy import WHOLE
from tests.support.services import borrowed_app

OTHER = family(person("a", "self", "1971-02-03", "诸葛清风", 7))
PURPOSE = {"purpose": "信访复核"}
MEMBER = person(
    *("n", "child", "2009-05-06", "诸葛明月", 9), joined_on="2025-03-02", join_reason="adoption"
)


async def key_ids(clerk: Clerk) -> set[int]:
    """Under which keys the fields of the household room are sealed."""
    found: set[int] = set()
    for one in sealed_columns(SERVICE):
        name = one.column.name
        if one.table.name.startswith("household"):
            rows = await clerk.relief.rows(
                f"SELECT {name} AS sealed FROM {one.table.name} WHERE {name} IS NOT NULL"  # noqa: S608 - our own tables
            )
            found |= {Sealed(row["sealed"]).key_id for row in rows if len(row["sealed"]) > 32}
    return found


async def revealed(clerk: Clerk, household: UUID) -> object:
    answer = await clerk.post(household, "/reveal", PURPOSE)
    assert answer.status_code == 200
    return answer.json()["address"]


async def added(clerk: Clerk, household: UUID) -> object:
    """A member is added, once for one key: whoever asks it again is answered what was kept."""
    answer = await clerk.relief.http.post(
        f"/v1/relief/households/{household}/members",
        json=MEMBER,
        headers={**clerk.headers('"1"'), "Idempotency-Key": "before-the-rotation"},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@asynccontextmanager
async def started_anew(clerk: Clerk) -> AsyncIterator[Clerk]:
    """The clerk at a process of the service that was started just now."""
    async with running(SERVICE, clerk.relief.settings) as runtime:
        with borrowed_app(SERVICE, runtime) as app:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
                yield Clerk(replace(clerk.relief, http=http, runtime=runtime))


async def test_field_keys_rotate_while_clerks_write_and_read(clerk: Clerk) -> None:
    household = await clerk.create(WHOLE)
    folder = clerk.relief.settings.key_folder / "persons"
    gone = await added(clerk, household)
    assert await key_ids(clerk) == {1}
    assert rotate(folder) == 2
    resealed = asyncio.Event()

    async def go_on() -> int:
        """At a process that was not started anew: it seals under the old key, and opens both."""
        read = 0
        while not resealed.is_set() or read < 3:
            assert await revealed(clerk, household) == ADDRESS
            read += 1
        return read

    going_on = asyncio.create_task(go_on())
    async with started_anew(clerk) as anew:
        assert await reseal(anew.relief.runtime) > 0
        assert await key_ids(clerk) == {2}
        resealed.set()
        assert await going_on >= 3
        # What the old process goes on to seal is found by doing it again.
        other = await clerk.create(OTHER)
        assert await key_ids(clerk) == {1, 2}
        assert await reseal(anew.relief.runtime) > 0
        assert await reseal(anew.relief.runtime) == 0
        assert await key_ids(clerk) == {2}
    (folder / "field-1.key").unlink()
    async with started_anew(clerk) as anew:
        assert await added(anew, household) == gone
        assert await revealed(anew, household) == ADDRESS
        assert await revealed(anew, other) == ADDRESS


async def test_a_row_that_somebody_holds_is_resealed_when_it_is_free(clerk: Clerk) -> None:
    household = await clerk.create(WHOLE)
    rotate(clerk.relief.settings.key_folder / "persons")
    async with started_anew(clerk) as anew:
        async with clerk.transaction() as session:
            await session.execute(
                text("SELECT 1 FROM household_member WHERE household_id = :id LIMIT 1 FOR UPDATE"),
                {"id": household},
            )
            resealing = asyncio.create_task(reseal(anew.relief.runtime))
            async with asyncio.timeout(60):
                while await key_ids(clerk) != {1, 2}:  # noqa: ASYNC110 - another task's, from outside
                    await asyncio.sleep(0.05)
            assert not resealing.done()
        assert await resealing > 0
    assert await key_ids(clerk) == {2}
