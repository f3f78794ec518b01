"""`POST /v1/relief/calculator`: the rules' answer over HTTP, keeping nothing (issue 4)."""

import copy
from typing import Any

import httpx
import pytest

from tests.support.emptied import TABLES
from tests.support.services import DISTRICT, Running

URL = "/v1/relief/calculator"
CHILD = {"relation": "child", "born": "2014-05-01"}
TOWN = "500112129000"
SELF = {"ref": "a", "relation": "self", "born": "1980-05-01"}
FAMILY: dict[str, Any] = {
    "as_of": "2025-07-15",
    "area": "urban",
    "members": [
        {**SELF, "incomes": [{"kind": "wage", "amount": "1500.00"}]},
        {"ref": "b", "relation": "spouse", "born": "1981-05-01"},
        {
            "ref": "c",
            "relation": "child",
            "born": "2014-05-01",
            "education": "compulsory",
            "full_time": True,
            "disability": {"kind": "intellectual", "grade": 3},
        },
    ],
}


@pytest.fixture
async def with_standards(relief: Running) -> Running:
    for area, day, amount in (
        ("urban", "2021-09-01", "636"),
        ("urban", "2025-07-01", "770"),
        ("rural", "2025-07-01", "630"),
    ):
        relief.at(day)
        body = {
            "code": "dibao",
            "area": area,
            "division": DISTRICT,
            "amount": amount,
            "valid_from": day,
            "document": f"渝民规〔{day[:4]}〕6号",
        }
        set_ = await relief.http.post(
            "/v1/relief/standards", json=body, headers=relief.headers("relief:standards")
        )
        assert set_.status_code == 201, set_.text
    return relief


async def ask(relief: Running, body: object, **claims: object) -> httpx.Response:
    return await relief.http.post(URL, json=body, headers=relief.headers("relief:read", **claims))


def changed(**changes: object) -> dict[str, Any]:
    return {**copy.deepcopy(FAMILY), **changes}


def first_member(**changes: object) -> dict[str, Any]:
    body = copy.deepcopy(FAMILY)
    body["members"][0].update(changes)
    return body


async def test_a_family_is_told_its_amount_and_all_that_it_stands_on(
    with_standards: Running,
) -> None:
    answer = await ask(with_standards, FAMILY)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["outcome"], found["family"], found["persons"]) == ("entitled", "dibao", 3)
    assert found["standard"] == {
        "amount": "770.00",
        "document": "渝民规〔2025〕6号",
        "valid_from": "2025-07-01",
    }
    assert found["income"]["total"] == "1200.00"
    assert found["income"]["per_capita"] == "400.00"
    (line,) = found["income"]["lines"]
    assert (line["amount"], line["deducted"], line["counted"]) == ("1500.00", "300.00", True)
    assert (found["base"], found["total"]) == ("1110.00", "1250.00")
    assert {one["category"]: one["amount"] for one in found["extras"]} == {
        "disabled": "40.00",
        "in_school": "100.00",
    }
    assert found["payable_from"] == "2025-08-01"
    assert [one["ref"] for one in found["members"]] == ["a", "b", "c"]
    assert all(one["article"] for one in found["conditions"])
    shown = {one["key"]: one for one in found["law"]}
    assert shown["dibao.edge.multiple"]["value"] == "1.5"
    assert shown["dibao.round"]["confirmed"] is False


async def test_a_refusal_says_figure_threshold_article_and_remedy(with_standards: Running) -> None:
    body = first_member(incomes=[{"kind": "pension", "amount": "9000"}])
    found = (await ask(with_standards, body)).json()
    assert (found["outcome"], found["base"], found["payable_from"]) == ("not_entitled", None, None)
    failed = next(one for one in found["conditions"] if one["passed"] is False)
    assert "9000.00 元" in failed["fact"]
    assert "2310.00 元" in failed["threshold"]
    assert failed["remedy"]
    assert failed["member"] is None


async def test_a_member_alone_and_a_missing_source(with_standards: Running) -> None:
    body = first_member(incomes=[{"kind": "pension", "amount": "2700"}])
    body["members"][2]["alone"] = True
    found = (await ask(with_standards, body)).json()
    assert found["outcome"] == "alone"
    assert found["alone"] == [
        {
            "member": "c",
            "path": "edge_family",
            "amount": "770.00",
            "extras": "140.00",
            "article": found["alone"][0]["article"],
            "asked": True,
        }
    ]
    body["missing"] = [{"member": "a", "source": "bank"}]
    found = (await ask(with_standards, body)).json()
    assert found["outcome"] == "undecided"


async def test_the_area_and_the_day_choose_the_standard(with_standards: Running) -> None:
    async def amount(**changes: object) -> str:
        answer = await ask(with_standards, changed(**changes))
        return str(answer.json()["standard"]["amount"])

    assert await amount(area="rural") == "630.00"
    assert await amount(as_of="2025-06-30") == "636.00"
    with_standards.at("2025-07-20")
    body = changed()
    del body["as_of"]
    assert (await ask(with_standards, body)).json()["as_of"] == "2025-07-20"


async def test_a_town_reads_by_its_countys_standard(with_standards: Running) -> None:
    for division in (None, TOWN, DISTRICT):
        body = changed(division=division)
        answer = await ask(with_standards, body, divisions=[TOWN])
        assert answer.status_code == 200, answer.text
        assert answer.json()["standard"]["amount"] == "770.00"


async def test_nothing_is_kept(with_standards: Running) -> None:
    async def counts() -> dict[str, int]:
        names = (await with_standards.rows(TABLES))[0][0].split(", ")
        return {
            name: len(await with_standards.rows(f"TABLE {name}"))
            for name in names
            if name != "chassis.audit_entry"
        }

    before = await counts()
    headers = with_standards.headers("relief:read") | {"Idempotency-Key": "window-1-0001"}
    for body in (FAMILY, changed(members=[])):
        await with_standards.http.post(URL, json=body, headers=headers)
    assert await counts() == before


async def test_only_with_the_scope_to_read(relief: Running) -> None:
    assert (await relief.http.post(URL, json=FAMILY)).status_code == 401
    other = relief.headers("eldercare:read")
    assert (await relief.http.post(URL, json=FAMILY, headers=other)).status_code == 403


WRONG: list[tuple[dict[str, Any], str]] = [
    (changed(members=[]), "/members"),
    (changed(members=[{**SELF, "relation": "spouse"}]), "/members"),
    (changed(members=[SELF, {**SELF, "ref": "z"}]), "/members"),
    (changed(members=[SELF, {**SELF, "relation": "child"}]), "/members/1/ref"),
    (
        changed(
            members=[SELF, *({**SELF, "ref": f"m{n}", "relation": "child"} for n in range(50))]
        ),
        "/members",
    ),
    (changed(area="all"), "/area"),
    (changed(area="moon"), "/area"),
    (changed(name="张三"), "/name"),
    (changed(applied_on="2025-07-16"), "/applied_on"),
    (changed(as_of="2016-04-30"), "/as_of"),
    (changed(division="500999000000"), "/division"),
    (changed(properties=[{"kind": "deposit", "member": "x"}]), "/properties/0/member"),
    (changed(properties=[{"kind": "deposit", "amount": "-1"}]), "/properties/0/amount"),
    (changed(properties=[{"kind": "deposit", "amount": "1e20"}]), "/properties/0/amount"),
    (changed(properties=[{"kind": "deposit", "amount": "NaN"}]), "/properties/0/amount"),
    (changed(properties=[{"kind": "gold"}]), "/properties/0/kind"),
    (changed(consumptions=[{"kind": "house", "on": "2025-07-16"}]), "/consumptions/0/on"),
    (changed(missing=[{"member": "x", "source": "bank"}]), "/missing/0/member"),
    (changed(missing=[{"member": "a", "source": "Bank 1"}]), "/missing/0/source"),
    (first_member(born="2025-07-16"), "/members/0/born"),
    (first_member(born="2025-02-30"), "/members/0/born"),
    (first_member(ref="张 三"), "/members/0/ref"),
    (first_member(clergy_since="1970-01-01"), "/members/0/clergy_since"),
    (first_member(disability={"kind": "vision", "grade": 5}), "/members/0/disability/grade"),
    (first_member(employed="yes"), "/members/0/employed"),
    (
        first_member(incomes=[{"kind": "wage", "amount": "-0.01"}]),
        "/members/0/incomes/0/amount",
    ),
    (
        first_member(incomes=[{"kind": "wage", "amount": "1.005"}]),
        "/members/0/incomes/0/amount",
    ),
    (
        first_member(incomes=[{"kind": "wage", "amount": "1", "months": 0}]),
        "/members/0/incomes/0/months",
    ),
    (
        first_member(incomes=[{"kind": "wage", "amount": "1", "first_month": "2025-08-01"}]),
        "/members/0/incomes/0/first_month",
    ),
]


async def test_bad_input_is_refused_with_a_pointer_and_never_echoed(
    with_standards: Running,
) -> None:
    for body, pointer in WRONG:
        answer = await ask(with_standards, body)
        assert answer.status_code == 422, (pointer, answer.text)
        assert pointer in {one["pointer"] for one in answer.json()["errors"]}, answer.text
        assert "张" not in answer.text


async def test_another_district_is_not_found(with_standards: Running) -> None:
    answer = await ask(with_standards, changed(division="500109000000"))
    assert answer.status_code == 404


async def test_no_standard_of_the_area_on_the_day(with_standards: Running) -> None:
    answer = await ask(with_standards, changed(area="rural", as_of="2025-06-30"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/as_of"


async def test_what_the_county_has_set_holds_over_the_seed_and_where_there_is_none(
    with_standards: Running,
) -> None:
    for key, value in (
        ("dibao.employment_cost.value", "0.10"),
        ("dibao.deduction.disability", {f"grade_{grade}": "90" for grade in range(1, 5)}),
        ("dibao.support.surplus_multiple", "1"),
        ("dibao.support.share", "0.2"),
    ):
        set_ = await with_standards.http.post(
            "/v1/relief/parameters",
            json={
                "key": key,
                "division": DISTRICT,
                "value": value,
                "valid_from": "2025-07-01",
                "source": "渝北民政〔2025〕1号",
                "confirmed": True,
            },
            headers=with_standards.headers("relief:standards"),
        )
        assert set_.status_code == 201, set_.text
    son = {"member": "a", "supporter": "s", "income": "1770.00", "persons": 1}
    asked = {**first_member(employed_since="2025-01-06"), "supports": [son]}
    income = (await ask(with_standards, asked)).json()["income"]
    assert income["lines"][0]["deducted"] == "150.00"
    (off,), (owed,) = income["deductions"], income["support"]
    of_the_county = ("渝北民政〔2025〕1号", "2025-07-01")
    assert (off["ground"], off["amount"]) == ("残疾", "90.00")
    assert (owed["supporter"], owed["amount"], owed["added"]) == ("s", "200.00", "200.00")
    for one in (off, owed):
        assert (one["article"], one["valid_from"]) == of_the_county
    assert income["total"] == "1460.00"
