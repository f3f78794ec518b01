"""Who may do what, what is refused, what is written once: every route of an application."""

import asyncio
import re
from typing import Any

import pytest

from services.relief.applications import rules
from services.relief.applications.routes import router
from tests.services.relief.applications.window import (
    DISTRICT,
    NAMES,
    OTHER_TOWN,
    OTHER_VILLAGE,
    URL,
    VILLAGE,
    Window,
    applicant,
    body,
    decision,
    member,
    opinion,
)

NOBODY = "00000000-0000-4000-8000-000000000000"
DAY = "2025-03-03"
FINDING = {"handled_by": "resurvey", "finding": "属实", "upheld": True}
BODIES: dict[str, Any] = {
    "submit": None,
    "correction-list": {},
    "correction-done": {},
    "accept": {"area": "urban", "area_reason": "社区户籍"},
    "near-relatives": {
        "relatives": [{"member": NOBODY, "of": "staff", "relation": "父", "organisation": "镇"}]
    },
    "applicant": {"member": NOBODY},
    "complaints": {"received_on": DAY, "content": "反映有车"},
    "check": None,
    "check-closed": None,
    "contest": {"reason": "有佐证"},
    "survey": {
        "visited_on": DAY,
        "methods": ["household_visit"],
        "surveyors": ["surveyor-1", "surveyor-2"],
        "household_signature": "refused",
        "refusal": "不愿签字",
        "findings": "属实",
    },
    "survey/sign": None,
    "survey/withdraw": {"reason": "登记有误"},
    "retract": {"reason": "情况有变化"},
    "appraisal": {"held_on": DAY},
    "appraisal-record": {
        "held_on": DAY,
        "participants": 9,
        "outcome": "属实",
        "disputed": False,
    },
    "opinion": opinion("grant"),
    "publicise": {"telephone": "023-67212345"},
    "publicity-closed": None,
    "objections": {"objector": "某人", "content": "有车", "handled_by": "appraisal"},
    f"objections/{NOBODY}/finding": FINDING,
    "forward": None,
    "return": {"reason": "记录不全"},
    "prolong": {"ground": "hard_survey", "reason": "外出"},
    "decide": decision("grant"),
    "deliver": {"how": "mail", "on": DAY},
    "close": None,
    "withdraw": {},
    "terminate": {"ground": "uncooperative", "reason": "拒不配合"},
    "move": {"division": OTHER_VILLAGE, "reason": "迁居"},
}


def routes() -> set[str]:
    paths = {route.path.removeprefix(f"{URL}/{{case_id}}/") for route in router.routes}
    return {re.sub(r"\{objection_id\}", NOBODY, path) for path in paths} - {
        *(URL, f"{URL}/{{case_id}}", "assessment")
    }


def test_every_route_is_tried_below() -> None:
    assert routes() == BODIES.keys()


async def test_another_towns_clerk_finds_nothing_whatever_is_tried(window: Window) -> None:
    case = await window.opened()
    for path, asked in BODIES.items():
        answer = await window.step(case, path, asked, division=OTHER_TOWN)
        assert answer.status_code == 404, path
    for path in ("", "/assessment"):
        answer = await window.relief.http.get(
            f"{URL}/{case.id}{path}", headers=window.headers("clerk", OTHER_TOWN)
        )
        assert answer.status_code == 404, path
    elsewhere = await window.open({**body(), "division": VILLAGE}, division=OTHER_TOWN)
    assert elsewhere.status_code == 404
    assert len(await window.relief.rows("SELECT 1 FROM case_step")) == 2


async def test_without_the_scope_every_step_is_denied(window: Window) -> None:
    case = await window.opened()
    for path, asked in BODIES.items():
        answer = await window.relief.http.post(
            f"{URL}/{case.id}/{path}",
            json=asked,
            headers={
                **window.relief.headers("relief:read", "relief:files"),
                "If-Match": case.view["etag"],
            },
        )
        assert answer.status_code == 403, path
    assert (
        await window.relief.http.post(
            URL, json=body(), headers=window.relief.headers("relief:read", "relief:files")
        )
    ).status_code == 403


async def test_every_step_goes_by_the_version_that_was_read(window: Window) -> None:
    case = await window.opened()
    for path, asked in BODIES.items():
        without = await window.relief.http.post(
            f"{URL}/{case.id}/{path}", json=asked, headers=window.headers("acceptor")
        )
        assert without.status_code == 428, path
        stale = await window.step(case, path, asked, etag='"99"')
        assert stale.status_code == 412, path


async def test_a_step_out_of_turn_is_refused_and_says_what_is_possible(window: Window) -> None:
    case = await window.opened()
    possible = {"correction-list", "accept", "withdraw", "terminate", "move", "applicant"}
    for path in BODIES.keys() - possible - {f"objections/{NOBODY}/finding"}:
        answer = await window.step(case, path, BODIES[path], division=DISTRICT)
        assert answer.status_code == 409, path
        assert "受理" in answer.json()["detail"], path
    assert (await window.file(case))["case"]["state"] == "submitted"


async def test_the_same_application_twice_at_once_is_one(window: Window) -> None:
    answers = await asyncio.gather(*(window.open(who=f"acceptor-{n}") for n in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert len(await window.relief.rows("SELECT 1 FROM case_file")) == 1
    assert len(await window.relief.rows("SELECT 1 FROM household")) == 1


async def test_a_repeated_post_gets_its_first_answer(window: Window) -> None:
    headers = window.headers("acceptor", key="window-1-0001")
    answers = [await window.relief.http.post(URL, json=body(), headers=headers) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_two_who_decide_at_once_one_of_them_does(window: Window) -> None:
    case = await window.awaiting()
    etag = case.view["etag"]
    answers = await asyncio.gather(
        *(
            window.relief.http.post(
                f"{URL}/{case.id}/decide",
                json=decision("grant"),
                headers=window.headers(f"decider-{n}", DISTRICT, etag=etag),
            )
            for n in range(2)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert len(await window.relief.rows("SELECT 1 FROM award")) == 1
    assert (await window.events(case)).count("decided") == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"division": "500112000000"}, "/division"),
        ({"division": "500112129000"}, "/division"),
        ({"division": "500112999999"}, "/division"),
        ({"division": "5001"}, "/division"),
        ({"channel": "fax"}, "/channel"),
        ({"submit": "yes"}, "/submit"),
        ({"materials": ["no_such_paper"]}, "/materials/0"),
        ({"materials": ["DROP TABLE"]}, "/materials/0"),
        ({"more": 1}, "/more"),
        ({"household": {"members": []}}, "/household/members"),
        ({"household": {"members": [member("b", "spouse", "1972-06-02", 4)]}}, "/household"),
    ],
)
async def test_bad_input_is_a_chinese_problem_and_keeps_nothing(
    window: Window, changes: dict[str, Any], pointer: str
) -> None:
    answer = await window.open({**body(), **body(**changes)}, division=DISTRICT)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await window.relief.rows("SELECT 1 FROM case_file") == []
    assert await window.relief.rows("SELECT 1 FROM household") == []


@pytest.mark.parametrize(
    ("path", "changes", "pointer"),
    [
        ("accept", {"area": "all"}, "/area"),
        ("accept", {"area_reason": ""}, "/area_reason"),
        ("accept", {"limit": 90}, "/limit"),
        ("terminate", {"ground": "tired"}, "/ground"),
        ("terminate", {"reason": "  "}, "/reason"),
        ("move", {"division": "500112142000"}, "/division"),
        ("move", {"division": "500112129002"}, "/division"),
        ("survey", {"surveyors": []}, "/surveyors"),
        ("survey", {"methods": ["hearsay"]}, "/methods/0"),
        ("publicise", {"telephone": "找老王"}, "/telephone"),
        ("decide", {"confirmed": None}, "/confirmed"),
        ("complaints", {"received_on": "2025-13-01"}, "/received_on"),
    ],
)
async def test_bad_input_of_a_step_is_told_by_its_place(
    window: Window, path: str, changes: dict[str, Any], pointer: str
) -> None:
    case = await window.opened()
    answer = await window.step(case, path, {**BODIES[path], **changes}, division=DISTRICT)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_days_of_events_do_not_lie_ahead(window: Window) -> None:
    case = await window.checked()
    ahead = await window.visit(case, visited_on="2025-03-04")
    answer = await window.step(case, "survey", ahead, who="surveyor-1")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/visited_on"
    told = {"received_on": "2025-03-04", "content": "反映有车"}
    answer = await window.step(case, "complaints", told)
    assert answer.status_code == 422


async def test_no_name_number_phone_or_address_leaves_the_sealed_columns(window: Window) -> None:
    """architecture.md, invariant 6: not in an event, not in a clear column of ours."""
    case = await window.granted(body(applicant(phone="13800138321")))
    await window.done(
        case, "deliver", {"how": "in_person", "on": "2025-03-11", "received_by": NAMES[0]}
    )
    secrets = [*NAMES, applicant()["document_number"], "13800138321", "梧桐路"]
    tables = await window.relief.rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'chassis')"
    )
    for schema, table in (tuple(row) for row in tables):
        for row in await window.relief.rows(f'SELECT * FROM {schema}."{table}"'):  # noqa: S608 - names of the catalogue
            shown = " ".join(
                one.decode("utf-8", "ignore") if isinstance(one, bytes) else str(one)
                for one in row.values()
            )
            assert not [secret for secret in secrets if secret in shown], table


async def test_reading_a_file_is_audited_with_its_purpose(window: Window) -> None:
    case = await window.surveyed()
    before = len(await window.relief.rows("SELECT 1 FROM chassis.audit_entry"))
    await window.file(case)
    rows = await window.relief.rows(
        "SELECT action, purpose FROM chassis.audit_entry ORDER BY seq OFFSET $1", before
    )
    assert ("case.read", "查看最低生活保障审核确认办件") in [tuple(row) for row in rows]
    assert "read application_survey.findings" in [row["action"] for row in rows]


async def test_a_family_is_shown_masked(window: Window) -> None:
    case = await window.opened(body(applicant(phone="13800138321")))
    headers = window.headers("reader")
    text = (await window.relief.http.get(f"{URL}/{case.id}", headers=headers)).text
    assert not [
        one for one in (*NAMES, applicant()["document_number"], "13800138321") if one in text
    ]
    assert case.view["label"] == "诸***"


async def test_every_step_of_the_table_has_a_route(window: Window) -> None:
    """A step that nobody can take through the API would be a dead row of the table."""
    found = (await window.relief.http.get("/openapi.json")).json()
    assert found["paths"].keys() >= {f"{URL}/{{case_id}}/accept"}
    by_scope = {one.scope for one in rules.DIBAO.transitions} - {rules.SYSTEM}
    assert by_scope == {
        *("relief:accept", "relief:check", "relief:survey", "relief:opine", "relief:decide")
    }


async def test_four_eyes_and_another_organs_power_are_denials_and_audited(window: Window) -> None:
    case = await window.awaiting()
    same = await window.step(case, "decide", decision("grant"), who="opiner", division=DISTRICT)
    town = await window.step(case, "decide", decision("grant"), who="town-head")
    assert [same.status_code, town.status_code] == [403, 403]
    rows = await window.relief.rows(
        "SELECT actor, action, subject, purpose FROM chassis.audit_entry"
        " WHERE result = 'denied' ORDER BY seq"
    )
    action = "POST /v1/relief/applications/{case_id}/decide"
    assert [tuple(row) for row in rows] == [
        ("opiner", action, case.id, "须由他人办理"),
        ("town-head", action, case.id, "本单位当日无权决定"),
    ]
    assert (await window.file(case))["case"]["state"] == "awaiting"


async def test_what_the_rules_say_today_is_read_and_audited(window: Window) -> None:
    case = await window.accepted()
    answer = await window.relief.http.get(
        f"{URL}/{case.id}/assessment", headers=window.headers("reader")
    )
    assert answer.status_code == 200
    rows = await window.relief.rows(
        "SELECT actor, subject FROM chassis.audit_entry WHERE action = 'case.assessment'"
    )
    assert [tuple(row) for row in rows] == [("reader", case.id)]
