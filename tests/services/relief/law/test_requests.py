"""Who may ask, what is refused and how, and that nothing is kept.

architecture.md, Access; 个人信息保护法 art. 6.
"""

import re
from typing import Any

import pytest

from tests.services.relief.law.window import (
    TODAY,
    Json,
    Window,
    applicant,
    child,
    family,
    income,
    member,
    spouse,
    three,
)
from tests.support.services import DISTRICT

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = "2025-07-15"
URL = "/v1/relief/calculator"
HAN = re.compile(r"[\u4e00-\u9fff]")
OTHER_DISTRICT, TOWN = "500109000000", "500112016000"
COUNTED = """SELECT format('SELECT %L, count(*) FROM %I.%I', schemaname || '.' || tablename,
schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""


def good(**changes: Any) -> Json:
    return {**family([applicant(income("pension", "100"))], DAY), **changes}


def person(**changes: Any) -> Json:
    return good(members=[{**applicant(), **changes}])


def money(**changes: Any) -> Json:
    return good(members=[applicant({**income("pension", "100"), **changes})])


async def refused(window: Window, body: object, pointer: str | None = None) -> Json:
    answer = await window.post(body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = dict(answer.json())
    assert problem["type"] == "urn:minzheng:problem:invalid"
    assert HAN.search(problem["title"])
    assert problem["errors"]
    assert all(HAN.search(error["detail"]) for error in problem["errors"])
    if pointer is not None:
        assert pointer in [error["pointer"] for error in problem["errors"]]
    return problem


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (good(area="all"), "/area"),
        (good(area="town"), "/area"),
        (good(area=None), "/area"),
        (good(as_of="2025-13-01"), "/as_of"),
        (good(as_of="2025-7-1"), "/as_of"),
        (good(as_of="1949-09-30"), "/as_of"),
        (good(as_of="9999-12-31"), "/as_of"),
        (good(as_of=20250715), "/as_of"),
        (good(as_of="2025-07-15T00:00:00"), "/as_of"),
        (good(as_of="2017-12-31"), "/as_of"),
        (good(applied_on="2025-02-30"), "/applied_on"),
        (good(division="5001"), "/division"),
        (good(division="５００１１２００００００"), "/division"),
        (good(division=500112000000), "/division"),
        (good(division="500112999000"), "/division"),
        (good(more=1), "/more"),
        (good(members=[]), "/members"),
        (good(members={}), "/members"),
        (good(members=[applicant()] * 51), "/members"),
        (good(members=[None]), "/members/0"),
        (person(more=1), "/members/0/more"),
        (person(name="张三"), "/members/0/name"),
        (person(ref=""), "/members/0/ref"),
        (person(ref="张三"), "/members/0/ref"),
        (person(ref="a" * 41), "/members/0/ref"),
        (person(ref="a b"), "/members/0/ref"),
        (person(relation="uncle"), "/members/0/relation"),
        (person(born="2025-07-16"), "/members/0/born"),
        (person(born="today"), "/members/0/born"),
        (person(born=None), "/members/0/born"),
        (person(education="phd"), "/members/0/education"),
        (person(disability={"kind": "physical", "grade": 0}), "/members/0/disability/grade"),
        (person(disability={"kind": "physical", "grade": 5}), "/members/0/disability/grade"),
        (person(disability={"kind": "physical"}), "/members/0/disability/grade"),
        (person(disability={"kind": "love", "grade": 1}), "/members/0/disability/kind"),
        (person(disability=1), "/members/0/disability"),
        (person(severe_illness="perhaps"), "/members/0/severe_illness"),
        (person(work_capacity="some"), "/members/0/work_capacity"),
        (person(incomes={}), "/members/0/incomes"),
        (person(incomes=[income("pension", "1")] * 201), "/members/0/incomes"),
        (money(kind="gift"), "/members/0/incomes/0/kind"),
        (money(amount="-1"), "/members/0/incomes/0/amount"),
        (money(amount="-0.01"), "/members/0/incomes/0/amount"),
        (money(amount="1.005"), "/members/0/incomes/0/amount"),
        (money(amount="1e30"), "/members/0/incomes/0/amount"),
        (money(amount="1" * 400), "/members/0/incomes/0/amount"),
        (money(amount="NaN"), "/members/0/incomes/0/amount"),
        (money(amount="Infinity"), "/members/0/incomes/0/amount"),
        (money(amount=True), "/members/0/incomes/0/amount"),
        (money(amount="一百"), "/members/0/incomes/0/amount"),
        (money(amount=None), "/members/0/incomes/0/amount"),
        (money(months=0), "/members/0/incomes/0/months"),
        (money(months=61), "/members/0/incomes/0/months"),
        (money(months=1.5), "/members/0/incomes/0/months"),
        (money(first_month="2025-06"), "/members/0/incomes/0/first_month"),
        (money(reason="理" * 501), "/members/0/incomes/0/reason"),
        (money(more=1), "/members/0/incomes/0/more"),
        (good(properties=[{"kind": "gold"}]), "/properties/0/kind"),
        (good(properties=[{"kind": "deposit", "amount": "-1"}]), "/properties/0/amount"),
        (good(properties=[{"kind": "dwelling", "area": "-1"}]), "/properties/0/area"),
        (good(properties=[{"kind": "vehicle", "member": "z"}]), "/properties/0/member"),
        (good(properties=[{"kind": "vehicle", "more": 1}]), "/properties/0/more"),
        (good(properties=[{"kind": "vehicle"}] * 201), "/properties"),
        (good(consumptions=[{"kind": "party"}]), "/consumptions/0/kind"),
        (good(consumptions=[{"kind": "house", "on": "2025-07-16"}]), "/consumptions/0/on"),
        (good(consumptions=[{"kind": "utilities", "share": "-0.1"}]), "/consumptions/0/share"),
        (good(consumptions=[{"kind": "luxury", "amount": "-1"}]), "/consumptions/0/amount"),
        (good(missing=[{"member": "z", "source": "bank"}]), "/missing/0/member"),
        (good(missing=[{"member": "a", "source": "银行"}]), "/missing/0/source"),
        (good(missing=[{"member": "a"}]), "/missing/0/source"),
    ],
)
async def test_a_wrong_field_is_a_chinese_problem_that_points_at_it(
    window: Window, body: Json, pointer: str
) -> None:
    await refused(window, body, pointer)


@pytest.mark.parametrize("missing", ["area", "members"])
async def test_what_must_be_given_is_named(window: Window, missing: str) -> None:
    body = good()
    del body[missing]
    await refused(window, body, f"/{missing}")


@pytest.mark.parametrize("missing", ["ref", "relation", "born"])
async def test_of_a_member_ref_relation_and_birth_must_be_given_and_nothing_else(
    window: Window, missing: str
) -> None:
    bare = {"ref": "a", "relation": "self", "born": "1980-05-01"}
    assert (await window.post(good(members=[bare]))).status_code == 200
    del bare[missing]
    await refused(window, good(members=[bare]), f"/members/0/{missing}")


async def test_no_applicant_two_applicants_and_one_name_for_two_are_refused(
    window: Window,
) -> None:
    await refused(window, good(members=[spouse()]))
    await refused(window, good(members=[applicant(), member("b", "self")]))
    await refused(window, good(members=[applicant(), child(ref="a")]))


@pytest.mark.parametrize("body", [None, [], "text", 1, {}])
async def test_a_body_of_another_shape_is_a_problem(window: Window, body: object) -> None:
    await refused(window, body)


async def test_broken_json_is_a_chinese_problem(window: Window) -> None:
    answer = await window.relief.http.post(
        URL,
        content=b'{"area": ',
        headers={**window.relief.headers("relief:read"), "Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:minzheng:problem:bad-request"
    assert HAN.search(answer.json()["detail"])


@pytest.mark.parametrize("reason", ["身份证 110101199003070011 可查", "电话 13800138000"])
async def test_pipl_art_6_a_reason_is_weighed_and_never_given_back(
    window: Window, reason: str
) -> None:
    answer = await window.post(money(kind="imputed", reason=reason))
    assert "110101199003070011" not in answer.text
    assert "13800138000" not in answer.text


async def test_a_problem_never_echoes_what_was_sent(window: Window) -> None:
    problem = await refused(window, person(relation="欧阳清风500112198001011234"))
    assert "欧阳清风" not in str(problem)
    assert "500112198001011234" not in str(problem)


async def test_an_enormous_but_lawful_income_is_answered(window: Window) -> None:
    answer = await window.answer([applicant(income("pension", "99999999.99"))], DAY)
    assert (answer["outcome"], answer["income"]["total"]) == ("not_entitled", "99999999.99")


async def test_a_family_of_fifty_is_answered(window: Window) -> None:
    members = [applicant(), *(child(ref=f"c{number}") for number in range(49))]
    answer = await window.answer(members, DAY)
    assert (answer["persons"], answer["base"]) == (50, "38500.00")


async def test_without_a_token_it_is_401_and_with_another_scope_403(window: Window) -> None:
    anonymous = await window.relief.http.post(URL, json=good())
    assert anonymous.status_code == 401
    assert anonymous.headers["content-type"] == "application/problem+json"
    assert anonymous.json()["type"] == "urn:minzheng:problem:unauthorized"
    for scope in ("relief:standards", "plan:read", ""):
        answer = await window.post(good(), scope)
        assert answer.status_code == 403, scope
        assert answer.json()["type"] == "urn:minzheng:problem:forbidden"
        assert HAN.search(answer.json()["title"])


async def test_another_districts_clerk_does_not_reckon_with_ours(window: Window) -> None:
    window.relief.at("2025-07-20")
    try:
        then = await window.post(good(), divisions=[OTHER_DISTRICT])
    finally:
        window.relief.at(TODAY)
    now = await window.post(family([applicant()], "2026-07-15"), divisions=[OTHER_DISTRICT])
    for answer in (then, now):
        assert answer.status_code == 404, answer.text
        assert answer.json()["type"] == "urn:minzheng:problem:not-found"
        assert HAN.search(answer.json()["title"])


async def test_a_district_without_standards_says_so(window: Window) -> None:
    body = good(division=OTHER_DISTRICT)
    answer = await window.post(body, divisions=[OTHER_DISTRICT])
    assert answer.status_code == 422, answer.text
    assert any("标准" in error["detail"] for error in answer.json()["errors"])


async def test_a_town_reckons_with_its_districts_standard(window: Window) -> None:
    body = good()
    del body["division"]
    for asked in (body, good(division=TOWN), good(division=DISTRICT)):
        answer = await window.post(asked, divisions=[TOWN])
        assert answer.status_code == 200, answer.text
        assert answer.json()["standard"]["amount"] == "770.00"


async def test_without_a_division_it_is_the_callers_county(window: Window) -> None:
    body = good()
    del body["division"]
    assert (await window.post(body)).json()["standard"]["amount"] == "770.00"


async def test_without_a_day_it_is_the_law_of_today(window: Window) -> None:
    body = family([applicant()], TODAY)
    del body["as_of"]
    answer = (await window.post(body)).json()
    assert (answer["as_of"], answer["payable_from"]) == (TODAY, "2026-12-01")


async def everything(window: Window) -> dict[str, int]:
    queries = [row[0] for row in await window.relief.rows(COUNTED)]
    rows = await window.relief.rows(" UNION ALL ".join(queries))
    return {row[0]: row[1] for row in rows}


async def test_the_calculator_keeps_nothing_whatever_it_answers(window: Window) -> None:
    await window.answer(three("100"), DAY)
    before = await everything(window)
    assert before["public.standard_amount"] > 0
    for body in (
        good(),
        good(members=three("9000")),
        good(missing=[{"member": "a", "source": "bank"}]),
    ):
        assert (await window.post(body)).status_code == 200
    for body in (good(area="x"), good(members=[spouse()])):
        assert (await window.post(body)).status_code == 422
    keyed = await window.relief.http.post(
        URL,
        json=good(),
        headers={**window.relief.headers("relief:read"), "Idempotency-Key": "window-1-0001"},
    )
    assert keyed.status_code == 200
    other = await window.relief.http.post(
        URL,
        json=good(area="rural"),
        headers={**window.relief.headers("relief:read"), "Idempotency-Key": "window-1-0001"},
    )
    assert other.json()["area"] == "rural"
    assert await everything(window) == before


async def test_the_same_question_has_the_same_answer(window: Window) -> None:
    body = good(members=three("2400", severe_illness=True))
    first, second = [(await window.post(body)).json() for _ in range(2)]
    assert first == second


async def test_nothing_of_a_family_is_written_to_the_log(
    window: Window, capfd: pytest.CaptureFixture[str]
) -> None:
    members = [member("qqqzzz", "self", "1971-09-23", income("pension", "731.97"))]
    await window.answer(members, DAY)
    written = "".join(capfd.readouterr())
    assert "/v1/relief/calculator" in written
    assert "731.97" not in written
    assert "1971-09-23" not in written
    assert "qqqzzz" not in written
