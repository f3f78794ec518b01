"""Which text holds on which day, and from which month money is paid; relief.md §1, §2, §14."""

import json
from typing import Any

import pytest

from tests.services.relief.law.window import (
    SEVERE,
    Json,
    Window,
    alone,
    applicant,
    child,
    cited,
    condition,
    income,
    member,
    spouse,
    three,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

IN_FORCE = (
    ("民发〔2019〕62号", "2019-06-18"),
    ("民发〔2021〕57号", "2021-07-01"),
    ("民发〔2022〕83号", "2022-10-20"),
    ("社会救助法", "2026-07-01"),
)
DAYS = (
    "2018-01-01",
    "2021-06-30",
    "2021-07-01",
    "2022-10-19",
    "2022-10-20",
    "2025-12-31",
    "2026-01-01",
    "2026-06-30",
    "2026-07-01",
)


@pytest.mark.parametrize(
    ("day", "first"),
    [
        ("2018-01-31", "2018-01-01"),
        ("2020-12-31", "2020-12-01"),
        ("2021-06-30", "2021-06-01"),
        ("2021-07-01", "2021-08-01"),
        ("2022-10-20", "2022-11-01"),
        ("2025-07-31", "2025-08-01"),
        ("2025-12-31", "2026-01-01"),
        ("2026-06-30", "2026-07-01"),
        ("2026-07-01", "2026-08-01"),
    ],
)
async def test_ordinance_art_22_month_of_approval_then_minfa_2021_57_art_21_the_month_after(
    window: Window, day: str, first: str
) -> None:
    answer = await window.answer([applicant()], day)
    assert answer["payable_from"] == first


@pytest.mark.parametrize("day", ["2021-07-01", "2025-07-15", "2026-07-01"])
async def test_relief_md_14_the_first_month_paid_is_owned_as_open(window: Window, day: str) -> None:
    assert "dibao.payment.start" in unconfirmed(await window.answer([applicant()], day))


async def test_minfa_2021_57_art_21_who_is_taken_in_alone_is_paid_from_the_month_after(
    window: Window,
) -> None:
    answer = await window.answer(three("2400", severe_illness=True, alone=True), "2025-07-15")
    assert answer["payable_from"] == "2025-08-01"


def families() -> list[tuple[str, list[Json], dict[str, Any]]]:
    """Families whose answers touch every rule."""
    unable: dict[str, Any] = {"disability": SEVERE, "work_capacity": "none", "independent": False}
    return [
        ("in", [applicant(income("wage", "300"), severe_illness=True), spouse(), child()], {}),
        ("edge", three("2300", disability=SEVERE, alone=True), {}),
        ("rich", three("9000", disability=SEVERE, alone=True), {}),
        ("hardship", three("2300", special_hardship=True, alone=True), {}),
        ("monk", three("2300", clergy_since="2010-01-01", in_religious_site=True, alone=True), {}),
        ("whole", three("500", alone=True, **unable), {}),
        (
            "apart",
            [
                applicant(born="1985-01-01", alone=True, **unable),
                member("p", "parent", "1960-01-01", income("pension", "1900")),
            ],
            {},
        ),
        (
            "owner",
            three("500", unmarried_soldier=True),
            {
                "properties": [
                    {"kind": "deposit", "amount": "999999"},
                    {"kind": "vehicle"},
                    {"kind": "dwelling", "area": "90"},
                ],
                "consumptions": [
                    {"kind": "study_abroad"},
                    {"kind": "utilities", "share": "0.9"},
                    {"kind": "employing"},
                ],
                "missing": [{"member": "a", "source": "bank"}],
            },
        ),
        (
            "incomes",
            [
                applicant(
                    income("imputed", "10", reason="打零工"),
                    income("basic_pension", "10"),
                    income("unattended_child_allowance", "10"),
                    income("farming", "10"),
                    income("support_received", "10", disregarded=True, reason="兄长供养"),
                    income("tax_paid", "1"),
                )
            ],
            {},
        ),
    ]


def articles(answer: Json) -> str:
    """Every article that an answer rests on."""
    return json.dumps(
        [
            answer["members"],
            answer["income"]["lines"],
            answer["extras"],
            answer["alone"],
            [one["article"] for one in answer["conditions"]],
            [one["source"] for one in answer["law"]],
            answer["notes"],
        ],
        ensure_ascii=False,
    )


@pytest.mark.parametrize("day", DAYS)
async def test_relief_md_1_no_answer_rests_on_a_text_that_is_not_yet_in_force(
    window: Window, day: str
) -> None:
    for name, members, more in families():
        answer = await window.answer(members, day, **more)
        said = articles(answer)
        for text, begins in IN_FORCE:
            assert (text not in said) or day >= begins, (name, text)
        assert all(one["valid_from"] <= day for one in answer["law"]), name


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2021-06-30", "条例"),
        ("2026-06-30", "条例"),
        ("2026-07-01", "社会救助法（2026）第十八条"),
    ],
)
async def test_relief_md_0_1_a_refusal_for_income_cites_the_law_of_its_day(
    window: Window, day: str, text: str
) -> None:
    answer = await window.answer(three("9000"), day)
    assert text in condition(answer, "income_below_standard")["article"]


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2021-07-01", "57号"),
        ("2022-10-20", "83号"),
        ("2026-07-01", "社会救助法（2026）第二十一条"),
    ],
)
async def test_relief_md_1_the_edge_is_cited_from_the_text_of_its_day(
    window: Window, day: str, text: str
) -> None:
    answer = await window.answer(three("2300"), day)
    assert text in condition(answer, "income_below_edge")["article"]


async def test_relief_md_1_law_art_21_is_the_source_of_alone_from_2026_07(window: Window) -> None:
    members = three("2400", severe_illness=True, alone=True)
    before = alone(await window.answer(members, "2026-06-30"))["c"]["article"]
    after = alone(await window.answer(members, "2026-07-01"))["c"]["article"]
    assert "社会救助法" not in before
    assert "社会救助法（2026）第二十一条" in after


@pytest.mark.parametrize("day", DAYS)
async def test_every_condition_line_and_parameter_names_its_text(window: Window, day: str) -> None:
    for name, members, more in families():
        answer = await window.answer(members, day, **more)
        for one in answer["conditions"]:
            assert one["article"], (name, one["code"])
            assert one["fact"], (name, one["code"])
            assert one["threshold"], (name, one["code"])
            if one["passed"] is not True:
                assert one["remedy"], (name, one["code"])
        assert all(one["article"] for one in answer["income"]["lines"]), name
        assert all(one["source"] for one in cited(answer).values()), name
        assert len(cited(answer)) == len(answer["law"]), name
