"""A file that goes to another town goes whole: no row stays behind (architecture.md, Access)."""

import json
from typing import Any

from tests.services.relief.applications.window import (
    DISTRICT,
    OTHER_TOWN,
    OTHER_VILLAGE,
    VILLAGE,
    Case,
    Window,
    appraised,
    kind_of,
    objected,
    opinion,
)

WALLED = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = 'public' AND c.relrowsecurity"""


async def left_behind(window: Window) -> set[str]:
    """The tables behind the second wall in which something still stands under the old village."""
    found = set()
    for table in await window.relief.rows(WALLED):
        name = table["relname"]
        rows = await window.relief.rows(
            f"SELECT 1 FROM {name} WHERE unit_id = $1 LIMIT 1",  # noqa: S608 - of the catalogue
            int(VILLAGE),
        )
        found |= {name} if rows else set()
    return found


async def award_of(window: Window, case: Case) -> str:
    return str((await window.file(case))["decision"]["award"])


async def change(
    window: Window, award: str, asked: dict[str, Any], *, division: str = DISTRICT
) -> dict[str, Any]:
    answer = await window.relief.http.post(
        f"/v1/relief/awards/{award}/changes",
        json={"reason": "家庭申请", **asked},
        headers=with_review(window, "proposer", division),
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def decided(window: Window, proposed: dict[str, Any]) -> None:
    answer = await window.relief.http.post(
        f"/v1/relief/award-changes/{proposed['id']}/decide",
        json={},
        headers={**with_review(window, "decider"), "If-Match": proposed["etag"]},
    )
    assert answer.status_code == 200, answer.text


def with_review(window: Window, who: str, division: str = DISTRICT) -> dict[str, str]:
    return window.relief.headers(
        *("relief:read", "relief:files", "relief:review", "relief:decide"),
        subject=who,
        divisions=[division],
    )


async def test_of_an_undecided_case_nothing_stays_in_the_old_town(window: Window) -> None:
    case, objection = await objected(window, "appraisal")
    moving = {"division": OTHER_VILLAGE, "reason": "迁居"}
    posted = await window.step(case, "move", moving, who="decider", division=DISTRICT)
    assert (posted.status_code, kind_of(posted)) == (409, "case-state")
    window.later(1)
    finding = f"objections/{objection}/finding"
    await window.done(case, finding, appraised(window, opinion("grant")), who="opiner-2")
    await window.done(case, "move", moving, who="decider", division=DISTRICT)
    assert await left_behind(window) == set()


async def test_57_19_a_case_stays_where_it_is_posted_through_a_new_survey_too(
    window: Window,
) -> None:
    case, _ = await objected(window, "resurvey")
    window.later(1)
    await window.survey(case)
    moving = {"division": OTHER_VILLAGE, "reason": "迁居"}
    posted = await window.step(case, "move", moving, who="decider", division=DISTRICT)
    assert (posted.status_code, kind_of(posted)) == (409, "step-refused")


async def test_of_an_award_nothing_stays_in_the_old_town_and_the_new_one_reads_its_decision(
    window: Window,
) -> None:
    case = await window.granted()
    award, day = await award_of(window, case), window.today().isoformat()
    moving = await change(
        window, award, {"kind": "move", "division": OTHER_VILLAGE, "moved_on": day}
    )
    await decided(window, moving)
    assert await left_behind(window) == set()
    found = await window.file(case, division=OTHER_TOWN)
    assert found["decision"]["award"] == award
    (told,) = await window.relief.rows(
        "SELECT type, convert_from(body, 'UTF8')::jsonb #> '{data,periods,-1}' AS now"
        " FROM chassis.outbox WHERE key = $1 ORDER BY sequence DESC LIMIT 1",
        case.id,
    )
    assert told["type"] == "minzheng.relief.case.moved.v1"
    now = json.loads(told["now"])
    assert (now["unit"], now["state"]) == (int(OTHER_VILLAGE), "granted")


async def test_a_file_that_is_handed_over_is_another_version(window: Window) -> None:
    case = await window.granted()
    award, day, read = await award_of(window, case), window.today().isoformat(), case.view["etag"]
    moving = await change(
        window, award, {"kind": "move", "division": OTHER_VILLAGE, "moved_on": day}
    )
    await decided(window, moving)
    answer = await window.step(
        case, "deliver", {"how": "mail", "on": day}, etag=read, division=OTHER_TOWN
    )
    assert answer.status_code == 412


async def test_57_24_a_result_hangs_no_longer_than_somebody_is_paid(window: Window) -> None:
    case = await window.granted()
    award, day = await award_of(window, case), window.today().isoformat()
    headers = window.headers("reader")
    hanging = await window.relief.http.get("/v1/relief/publicity", headers=headers)
    assert [one["kind"] for one in hanging.json()["items"]] == ["result"]
    leaving = {"kind": "voluntary", "requested_on": day, "document": "退出申请书"}
    proposed = await change(window, award, leaving)
    await decided(window, proposed)
    url = f"/v1/relief/cases/{proposed['id']}"
    read = await window.relief.http.get(url, headers=headers)
    (paper, *_) = (await window.relief.http.get(f"{url}/documents", headers=headers)).json()[
        "items"
    ]
    other = await window.relief.http.post(
        f"{url}/documents/{paper['id']}/delivery",
        json={"how": "mail", "on": day, "received_by": "某人"},
        headers=window.headers("acceptor", DISTRICT, etag=read.json()["etag"]),
    )
    assert (other.status_code, "relief:review" in other.json()["detail"]) == (403, True)
    hanging = await window.relief.http.get("/v1/relief/publicity", headers=headers)
    assert hanging.json()["items"] == []
