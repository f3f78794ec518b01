"""Two who write at once: what a step reads holds when it is written, and nobody waits in a circle.

The order of locks: award, household, case, check, claims.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from services.relief.households import repository as households
from services.relief.households import service
from services.relief.households.schemas import IncomeFact
from tests.services.relief.applications.test_handed_over import award_of, change, with_review
from tests.services.relief.applications.window import (
    DISTRICT,
    OTHER_VILLAGE,
    VILLAGE,
    Case,
    Window,
    decision,
)

WAITING = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@asynccontextmanager
async def held(window: Window, query: str, *arguments: object) -> AsyncIterator[None]:
    """Somebody else's transaction holds rows."""
    connection = await asyncpg.connect(window.relief.databases.admin)
    try:
        async with connection.transaction():
            await connection.execute(query, *arguments)
            yield
    finally:
        await connection.close()


async def blocked(window: Window) -> int:
    """How many wait for a lock."""
    return int((await window.relief.rows(WAITING))[0]["count"])


async def waiting(window: Window, asked: Coroutine[Any, Any, Any], count: int) -> asyncio.Task[Any]:
    """The request, once so many wait for a lock (or it has its answer already)."""
    task = asyncio.create_task(asked)
    while not task.done() and await blocked(window) < count:  # noqa: ASYNC110 - in the database
        await asyncio.sleep(0.02)
    return task


async def test_what_becomes_known_while_somebody_decides_is_decided_upon(window: Window) -> None:
    case = await window.awaiting()
    household, member = await of_household(window, case)
    database = window.relief.runtime.database
    async with database.transaction(actor="acceptor", units=[int(VILLAGE)]) as session:
        row = await households.find(session, [int(VILLAGE)], household, lock=True)
        assert row is not None
        wage = IncomeFact(
            fact="income",
            member=member,
            kind="wage",
            amount="5000.00",
            first_month="2025-02-01",
            source="declared",
        )
        await service.record_fact(session, row, wage)
        deciding = await waiting(
            window,
            window.step(case, "decide", decision("grant"), who="decider", division=DISTRICT),
            1,
        )
    answer = await deciding
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:minzheng:problem:contradicts-rules",
    )


async def of_household(window: Window, case: Case) -> tuple[Any, Any]:
    (row,) = await window.relief.rows(
        "SELECT household_id, m.id AS member FROM application a"
        " JOIN household_member m USING (household_id) WHERE a.id = $1",
        case.id,
    )
    return row["household_id"], row["member"]


async def test_a_report_closed_while_the_case_is_moved_waits_and_goes_through(
    window: Window,
) -> None:
    window.other.script("bank", "*", "answer", items=[{"kind": "deposit", "amount": "100.00"}])
    case = await window.accepted()
    await window.done(case, "check", who="checker", division=DISTRICT)
    await window.run_jobs()
    check = (await window.file(case))["check"]["id"]
    url, headers = f"/v1/relief/checks/{check}", window.headers("checker", DISTRICT)
    etag = (await window.relief.http.get(url, headers=headers)).headers["etag"]
    moving = {"division": OTHER_VILLAGE, "reason": "迁居"}
    async with held(window, "SELECT 1 FROM economic_check FOR UPDATE"):
        closing = await waiting(
            window,
            window.relief.http.post(f"{url}/close", headers={**headers, "If-Match": etag}),
            1,
        )
        moved = await waiting(
            window, window.step(case, "move", moving, who="decider", division=DISTRICT), 2
        )
    assert [(await closing).status_code, (await moved).status_code] == [200, 200]


async def test_a_late_answer_waits_for_the_case_before_it_holds_the_check(window: Window) -> None:
    window.other.script("bank", "*", "late", after_seconds=3600)
    case = await window.accepted()
    await window.done(case, "check", who="checker", division=DISTRICT)
    await window.run_jobs()
    check = (await window.file(case))["check"]
    (line,) = [one for one in check["lines"] if one["source"] == "bank"]
    window.later(3)
    await on_check(
        window, check["id"], f"requests/{line['request']}/acceptance", {"reason": "银行系统停用"}
    )
    await window.done(case, "check-closed", who="checker", division=DISTRICT)
    window.other.script("bank", "*", "none")
    window.later(1)
    async with held(window, "SELECT 1 FROM case_file FOR UPDATE"):
        asking = await waiting(window, window.run_jobs(), 1)
        await window.relief.rows("SELECT 1 FROM economic_check FOR UPDATE NOWAIT")
    await asking
    assert "late_answer" in (await window.file(case))["case"]["flags"]


async def on_check(window: Window, check: str, path: str, asked: dict[str, Any] | None) -> None:
    url, headers = f"/v1/relief/checks/{check}", window.headers("checker", DISTRICT)
    etag = (await window.relief.http.get(url, headers=headers)).headers["etag"]
    answer = await window.relief.http.post(
        f"{url}/{path}", json=asked, headers={**headers, "If-Match": etag}
    )
    assert answer.status_code == 200, answer.text


async def test_an_old_change_delivered_while_a_move_is_decided_waits_and_goes_through(
    window: Window,
) -> None:
    case = await window.granted()
    award, day = await award_of(window, case), window.today().isoformat()
    same_town = {"kind": "move", "division": "500112129002", "moved_on": day}
    old = await act(window, await change(window, award, same_town), "decide", {})
    new = await change(window, award, {"kind": "move", "division": OTHER_VILLAGE, "moved_on": day})
    delivery = {"how": "mail", "on": day, "received_by": "某人"}
    async with held(window, "SELECT 1 FROM case_file WHERE id = $1 FOR UPDATE", old["id"]):
        delivering = await waiting(window, act(window, old, "deliver", delivery), 1)
        deciding = await waiting(window, act(window, new, "decide", {}), 2)
    assert (await delivering)["state"] == "closed"
    assert (await deciding)["state"] == "decided"


async def act(
    window: Window, change_: dict[str, Any], action: str, asked: dict[str, Any]
) -> dict[str, Any]:
    answer = await window.relief.http.post(
        f"/v1/relief/award-changes/{change_['id']}/{action}",
        json=asked,
        headers={**with_review(window, "decider"), "If-Match": change_["etag"]},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
