"""What an application declares is of its own day; what the number contradicts: 57号 10, 13."""

from typing import Any

import pytest

from tests.services.relief.applications.window import Case, Window, applicant, body

ACCEPT = {"area": "urban", "area_reason": "户籍在社区"}


def kind_of(answer: Any) -> str:
    return str(answer.json()["type"]).removeprefix("urn:minzheng:problem:")


def earning(**income: Any) -> dict[str, Any]:
    """An applicant with a wage that is too high, however it is dated."""
    wage = {"kind": "wage", "amount": "60000.00", "months": 12} | income
    return {**applicant(), "incomes": [wage]}


async def assessed(window: Window, case: Case) -> dict[str, Any]:
    url = f"/v1/relief/applications/{case.id}/assessment"
    answer = await window.relief.http.get(url, headers=window.headers("reader"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["assessment"]
    return found


@pytest.mark.parametrize("day", ["2015-01-01", "2025-03-02"])
async def test_57_9_the_day_of_the_declaration_is_the_day_of_the_application(
    window: Window, day: str
) -> None:
    answer = await window.open(body(household={"declared_on": day}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/household/declared_on"
    assert (await window.open(body(household={"declared_on": "2025-03-03"}))).status_code == 201


async def test_57_13_a_draft_is_declared_anew_on_the_day_it_is_handed_in(window: Window) -> None:
    """Left lying for two years, the income would lie before the twelve months that count."""
    window.relief.at("2023-03-03")
    case = await window.opened(body(earning(), submit=False))
    window.relief.at("2025-03-10")
    await window.done(case, "submit")
    file = await window.file(case)
    assert file["household"]["declared_on"] == "2025-03-10"
    (wage,) = [
        one
        for one in file["household"]["facts"]
        if one["fact"] == "income" and one["superseded_at"] is None
    ]
    assert wage["valid_from"] == "2024-03-01"
    await window.done(case, "accept", ACCEPT)
    (line,) = (await assessed(window, case))["income"]["lines"]
    assert (line["amount"], line["counted"]) == ("5000.00", True)


@pytest.mark.parametrize("month", ["2019-01-01", "2025-03-01"])
async def test_57_13_an_income_of_which_no_month_counts_is_not_handed_in(
    window: Window, month: str
) -> None:
    """Of years ago, or of the month of the application itself."""
    answer = await window.open(body(earning(first_month=month, months=1)))
    assert (answer.status_code, kind_of(answer)) == (422, "income-outside-window")
    assert month[:7] in answer.json()["detail"]


async def test_57_13_a_draft_that_was_overtaken_says_which_income_it_is(window: Window) -> None:
    case = await window.opened(body(earning(first_month="2024-03-01"), submit=False))
    window.relief.at("2027-03-08")
    answer = await window.step(case, "submit")
    assert (answer.status_code, kind_of(answer)) == (422, "income-outside-window")
    assert "2024-03" in answer.json()["detail"]


async def test_57_10_a_birthday_that_the_number_contradicts_is_settled_before_acceptance(
    window: Window,
) -> None:
    case = await window.opened(body({**applicant(), "born": "1955-05-01"}))
    file = await window.file(case)
    (item,) = [one for one in file["missing_items"] if one["code"] == "birthday"]
    early = await window.step(case, "accept", ACCEPT)
    assert (early.status_code, kind_of(early)) == (409, "incomplete")
    household = file["household"]
    (fact,) = [one for one in household["facts"] if one["fact"] == "person"]
    person = {
        "fact": "person",
        "member": item["member"],
        "valid_from": fact["valid_from"],
        "relation": "self",
        "born": "1955-05-01",
        "source": "judgement",
    }
    for reason, left in ((None, 1), ("出生医学证明与户籍底册记载为 1955 年", 0)):
        url = f"/v1/relief/households/{household['id']}"
        read = await window.relief.http.get(url, headers=window.headers("acceptor"))
        held = [one for one in read.json()["facts"] if one["fact"] == "person"]
        (now,) = [one for one in held if one["superseded_at"] is None]
        answer = await window.relief.http.post(
            f"{url}/facts/{now['id']}/correction",
            json={"reason": "核实出生日期", "replacement": person | {"reason": reason}},
            headers=window.headers("acceptor", etag=read.headers["etag"]),
        )
        assert answer.status_code == 201, answer.text
        missing = (await window.file(case))["missing_items"]
        assert len([one for one in missing if one["code"] == "birthday"]) == left
    await window.done(case, "accept", ACCEPT)
