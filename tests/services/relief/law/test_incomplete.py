"""Missing is not zero: 民发〔2021〕57号 art. 17, 18; domain.md B1.4, B1.5 step 5."""

import pytest

from tests.services.relief.law.window import (
    SEVERE,
    Window,
    alone,
    applicant,
    condition,
    income,
    spouse,
    three,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = "2025-07-15"
SOURCES = ("bank", "tax", "social_insurance", "real_estate", "vehicle", "market", "securities")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("day", ["2020-06-01", DAY, "2026-07-01"])
async def test_minfa_2021_57_art_17_nobody_is_in_while_a_source_is_silent(
    window: Window, source: str, day: str
) -> None:
    answer = await window.answer(three("0"), day, missing=[{"member": "s", "source": source}])
    assert (answer["outcome"], answer["family"]) == ("undecided", "undecided")
    assert answer["base"] is None
    assert answer["total"] is None
    assert answer["payable_from"] is None
    open_one = condition(answer, "sources_complete")
    assert open_one["passed"] is None
    assert open_one["remedy"]


async def test_minfa_2021_57_art_17_an_edge_family_waits_for_its_sources_too(
    window: Window,
) -> None:
    answer = await window.answer(three("2400"), DAY, missing=[{"member": "a", "source": "bank"}])
    assert answer["outcome"] == "undecided"


async def test_minfa_2021_57_art_17_nobody_is_taken_in_alone_while_his_source_is_silent(
    window: Window,
) -> None:
    members = three("9000", disability=SEVERE, alone=True)
    assert "c" in alone(await window.answer(members, DAY))
    answer = await window.answer(members, DAY, missing=[{"member": "c", "source": "bank"}])
    assert answer["outcome"] == "undecided"
    assert answer["total"] is None


async def test_minfa_2021_57_art_12_a_silent_source_about_who_is_not_counted_does_not_matter(
    window: Window,
) -> None:
    members = [applicant(), spouse(in_prison=True)]
    answer = await window.answer(members, DAY, missing=[{"member": "s", "source": "bank"}])
    assert answer["outcome"] == "entitled"


@pytest.mark.parametrize("source", SOURCES)
async def test_domain_md_b1_4_a_silent_source_never_improves_an_answer(
    window: Window, source: str
) -> None:
    rich = [applicant(income("pension", "9000"))]
    missing = [{"member": "a", "source": source}]
    answer = await window.answer(rich, DAY, missing=missing)
    assert answer["outcome"] in {"not_entitled", "undecided"}
    car = await window.answer([applicant()], DAY, missing=missing, properties=[{"kind": "vehicle"}])
    assert car["outcome"] in {"not_entitled", "undecided"}


async def test_with_every_source_back_nothing_is_open(window: Window) -> None:
    answer = await window.answer(three("0"), DAY, missing=[])
    assert all(one["passed"] is True for one in answer["conditions"])
    assert condition(answer, "sources_complete")["passed"] is True
