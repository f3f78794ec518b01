"""Who is counted: 民发〔2021〕57号 art. 7, ordinance of 2016 art. 11.

domain.md B1.2 as relief.md §2 and §14 correct it.
"""

from typing import Any

import pytest

from tests.services.relief.law.window import (
    GROWN,
    PUPIL,
    Window,
    applicant,
    by,
    child,
    counted,
    income,
    member,
    spouse,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDINANCE_ALONE, MINISTRY_TOO = "2021-06-30", "2021-07-01"
ERAS = ("2018-06-01", ORDINANCE_ALONE, MINISTRY_TOO, "2025-07-15", "2026-06-30", "2026-07-01")
APART: dict[str, Any] = {"lives_together": False}
DEPENDENT: dict[str, Any] = {"born": GROWN, "independent": False}


@pytest.mark.parametrize("day", ERAS)
async def test_minfa_2021_57_art_7_1_my_spouse_counts_wherever_he_lives(
    window: Window, day: str
) -> None:
    answer = await window.answer([applicant(), spouse(**APART)], day)
    assert counted(answer) == {"a": True, "s": True}
    assert answer["persons"] == 2


@pytest.mark.parametrize("day", ERAS)
async def test_minfa_2021_57_art_7_2_my_minor_child_counts_wherever_it_lives(
    window: Window, day: str
) -> None:
    answer = await window.answer([applicant(), child(born=PUPIL, **APART)], day)
    assert counted(answer)["c"]


@pytest.mark.parametrize(("day", "minor"), [("2025-07-14", True), ("2025-07-16", False)])
async def test_minfa_2021_57_art_7_2_a_child_on_its_own_counts_until_eighteen(
    window: Window, day: str, minor: bool
) -> None:
    answer = await window.answer([applicant(), child(born="2007-07-15", **APART)], day)
    assert counted(answer)["c"] is minor


@pytest.mark.parametrize("day", ERAS)
async def test_minfa_2021_57_art_7_3_a_grown_child_who_cannot_live_alone_counts(
    window: Window, day: str
) -> None:
    answer = await window.answer([applicant(), child(**DEPENDENT, **APART)], day)
    assert counted(answer)["c"]


@pytest.mark.parametrize("day", ERAS)
@pytest.mark.parametrize("education", ["senior", "vocational", "bachelor"])
async def test_minfa_2021_57_art_7_3_a_full_time_student_up_to_bachelor_counts_though_at_school(
    window: Window, day: str, education: str
) -> None:
    student = child(born="1999-12-01", education=education, full_time=True, **APART)
    assert counted(await window.answer([applicant(), student], day))["c"]


BEYOND = [{"education": "postgraduate", "full_time": True}, {"education": "bachelor"}]


@pytest.mark.parametrize("studies", BEYOND)
async def test_ordinance_art_11_3_any_grown_child_in_school_counts_before_57(
    window: Window, studies: dict[str, Any]
) -> None:
    student = child(born=GROWN, **studies, **APART)
    answer = await window.answer([applicant(), student], ORDINANCE_ALONE)
    assert counted(answer)["c"]
    assert "条例" in by(answer["members"], "ref")["c"]["article"]


@pytest.mark.parametrize("day", [MINISTRY_TOO, "2025-07-15", "2026-07-01"])
@pytest.mark.parametrize("studies", BEYOND)
async def test_relief_md_14_students_whom_57_and_the_ordinance_see_differently_are_owned_as_open(
    window: Window, day: str, studies: dict[str, Any]
) -> None:
    student = child(born=GROWN, **studies, **APART)
    answer = await window.answer([applicant(), student], day)
    assert "dibao.members.students" in unconfirmed(answer)


@pytest.mark.parametrize("day", ERAS)
@pytest.mark.parametrize("relation", ["parent", "grandparent", "grandchild", "sibling"])
@pytest.mark.parametrize(
    ("together", "duty", "expected"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
async def test_minfa_2021_57_art_7_4_others_count_by_duty_and_long_life_together(
    window: Window, day: str, relation: str, together: bool, duty: bool, expected: bool
) -> None:
    other = member("o", relation, "1975-03-01", lives_together=together, legal_duty=duty)
    assert counted(await window.answer([applicant(), other], day))["o"] is expected


@pytest.mark.parametrize("day", ERAS)
async def test_minfa_2021_57_art_7_a_prisoner_is_not_counted_nor_is_what_he_earns(
    window: Window, day: str
) -> None:
    members = [applicant(income("pension", "300")), spouse(income("wage", "9000"), in_prison=True)]
    answer = await window.answer(members, day)
    assert counted(answer) == {"a": True, "s": False}
    assert (answer["persons"], answer["income"]["total"]) == (1, "300.00")
    assert answer["outcome"] == "entitled"


@pytest.mark.parametrize("fact", ["in_compulsory_rehabilitation", "declared_missing"])
@pytest.mark.parametrize(
    ("day", "expected"), [(ORDINANCE_ALONE, True), (MINISTRY_TOO, False), ("2026-07-01", False)]
)
async def test_minfa_2021_57_art_7_compulsory_rehabilitation_and_missing_leave_from_2021_07(
    window: Window, fact: str, day: str, expected: bool
) -> None:
    answer = await window.answer([applicant(), spouse(**{fact: True})], day)
    assert counted(answer)["s"] is expected


@pytest.mark.parametrize(
    ("day", "since", "expected"),
    [
        (ORDINANCE_ALONE, "2020-06-30", False),
        (ORDINANCE_ALONE, "2020-07-01", True),
        (MINISTRY_TOO, "2018-07-01", False),
        (MINISTRY_TOO, "2020-07-02", True),
        ("2025-07-15", "2022-07-15", False),
        ("2025-07-15", "2024-07-16", True),
    ],
)
async def test_clergy_leave_after_one_year_by_ordinance_art_11_and_surely_after_three_by_57_art_7(
    window: Window, day: str, since: str, expected: bool
) -> None:
    monk = child(clergy_since=since, **DEPENDENT)
    assert counted(await window.answer([applicant(), monk], day))["c"] is expected


@pytest.mark.parametrize("day", [MINISTRY_TOO, "2025-07-15", "2026-07-01"])
async def test_relief_md_14_clergy_between_one_and_three_years_is_owned_as_open(
    window: Window, day: str
) -> None:
    since = f"{int(day[:4]) - 2}{day[4:]}"
    answer = await window.answer([applicant(), child(clergy_since=since, **DEPENDENT)], day)
    assert "dibao.clergy.years" in unconfirmed(answer)


async def test_ordinance_art_11_an_unmarried_soldier_is_not_counted(window: Window) -> None:
    soldier = child(unmarried_soldier=True, **DEPENDENT)
    answer = await window.answer([applicant(), soldier], ORDINANCE_ALONE)
    assert counted(answer) == {"a": True, "c": False}


@pytest.mark.parametrize("day", [MINISTRY_TOO, "2025-07-15", "2026-07-01"])
async def test_relief_md_14_the_unmarried_soldier_whom_57_does_not_name_is_owned_as_open(
    window: Window, day: str
) -> None:
    soldier = child(unmarried_soldier=True, **DEPENDENT)
    answer = await window.answer([applicant(), soldier], day)
    assert "dibao.soldier.counted" in unconfirmed(answer)


async def test_minfa_2021_57_art_4_a_family_of_nobody_gets_nothing(window: Window) -> None:
    answer = await window.answer([applicant(in_prison=True)], "2025-07-15")
    assert (answer["persons"], answer["outcome"]) == (0, "not_entitled")
    assert answer["base"] is None
    assert answer["total"] is None
    assert answer["payable_from"] is None


@pytest.mark.parametrize("day", ERAS)
async def test_every_member_is_told_why_he_counts_or_not_and_by_which_article(
    window: Window, day: str
) -> None:
    members = [applicant(), spouse(in_prison=True), child(), member("o", "other", "1975-03-01")]
    answer = await window.answer(members, day)
    assert {one["ref"] for one in answer["members"]} == {"a", "s", "c", "o"}
    text = "条例" if day <= ORDINANCE_ALONE else "民发〔2021〕57号第七条"
    for one in answer["members"]:
        assert one["reason"]
        assert text in one["article"]
