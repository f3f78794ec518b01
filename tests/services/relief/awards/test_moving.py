"""Handing an award over to another town, and correcting what was posted wrongly."""

from typing import Any

import pytest

from tests.services.relief.awards.granting import (
    BOTH,
    OTHER,
    OTHER_VILLAGE,
    VILLAGE,
    Office,
    three,
)


@pytest.fixture
def proposer(bureau: Office) -> Office:
    """A clerk of the bureau, which sees both towns; another one decides."""
    return Office(bureau.relief, BOTH, "bureau-2")


async def moved(bureau: Office, proposer: Office, granted: Any, day: str) -> Any:
    change = await proposer.proposed(granted, "move", division=OTHER_VILLAGE, moved_on=day)
    return await bureau.decided(change)


async def test_a_move_hands_the_award_its_household_and_its_cases_to_the_other_town(
    town: Office, bureau: Office, proposer: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    decided = await moved(bureau, proposer, granted, "2025-10-15")
    assert (decided["effect"], decided["effective_from"]) == ("unchanged", "2025-10-15")
    verb, data = (await bureau.events(granted.id))[-1]
    assert verb == "moved"
    assert [(one["from"], one["unit"], one["amount"]) for one in data["periods"]] == [
        ("2025-09-01", int(VILLAGE), "1110.00"),
        ("2025-10-15", int(OTHER_VILLAGE), "1110.00"),
    ]
    other = Office(town.relief, (OTHER,), "other-1")
    shown = await other.seen(f"/awards/{granted.id}")
    assert shown["division"] == OTHER_VILLAGE
    assert [one["amount"] for one in shown["periods"]] == ["1110.00", "1110.00"]
    assert (await town.get(f"/awards/{granted.id}")).status_code == 404
    assert (await other.get(f"/award-changes/{decided['id']}")).status_code == 200
    assert (await town.get(f"/award-changes/{decided['id']}")).status_code == 404
    for table in ("award", "award_period", "award_change", "household", "household_fact"):
        rows = await town.relief.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - of the list above
        assert [row["unit_id"] for row in rows] == [int(OTHER_VILLAGE)], table
    for table in ("case_file", "case_step", "case_document", "application"):
        rows = await town.relief.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - of the list above
        assert [row["unit_id"] for row in rows] == [int(OTHER_VILLAGE)], table
    assert len((await other.seen("/awards"))["items"]) == 1
    assert (await town.seen("/awards"))["items"] == []


async def test_after_the_move_the_new_town_goes_on_with_it(
    town: Office, bureau: Office, proposer: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    await moved(bureau, proposer, granted, "2025-10-20")
    other = Office(town.relief, (OTHER,), "other-1")
    change = await other.proposed(
        granted, "voluntary", requested_on="2025-10-20", document="退出申请书"
    )
    await bureau.decided(change)
    assert (await other.standing(granted))[-1][:2] == ("2025-11-01", "stopped")


async def test_only_the_bureau_moves_an_award_to_a_place_that_it_sees(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    asked = {"division": OTHER_VILLAGE, "moved_on": "2025-08-11"}
    assert (await town.propose(granted, "move", **asked)).status_code == 404
    for wrong in (
        {"division": VILLAGE},
        {"division": OTHER},
        {"moved_on": "2025-08-12"},
        {"moved_on": "2025-08-10"},
    ):
        answer = await bureau.propose(granted, "move", **{**asked, **wrong})
        assert answer.status_code == 422, wrong


async def correction(office: Office, granted: Any, place: int, **asked: Any) -> Any:
    periods = (await office.seen(f"/awards/{granted.id}"))["periods"]
    standing = [one for one in periods if one["superseded_at"] is None]
    body = {"period": standing[place]["id"], "reason": "登记时误录", **asked}
    return await office.on_award(granted, "corrections", body)


async def test_a_wrong_first_day_is_corrected_and_stays_on_record(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-08-20")
    answer = await correction(bureau, granted, 0, valid_from="2025-10-01")
    assert answer.status_code == 201, answer.text
    assert await town.standing(granted) == [("2025-10-01", "paid", 3, "1110.00", "0.00")]
    verb, data = (await town.events(granted.id))[-1]
    assert (verb, [one["from"] for one in data["periods"]]) == ("corrected", ["2025-10-01"])
    shown = await town.seen(f"/awards/{granted.id}")
    assert [one["superseded_at"] is None for one in shown["periods"]] == [False, True]
    before = await town.seen(f"/awards/{granted.id}", known_on="2025-08-19", as_of="2025-09-01")
    assert (before["state"], before["paid_from"]) == ("paid", "2025-09-01")
    assert (await town.get(f"/awards/{granted.id}", known_on="2025-08-10")).status_code == 404
    (row,) = await town.relief.rows(
        "SELECT superseded_reason FROM award_period WHERE superseded_at IS NOT NULL"
    )
    assert "误录".encode() not in row["superseded_reason"]


async def test_an_amount_is_corrected_by_the_rules_and_never_typed(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    await town.wage(granted, "250.00", "2025-07-01", member=1)
    answer = await correction(bureau, granted, 0, recompute=True, amount="9999.00")
    assert answer.status_code == 422
    answer = await correction(bureau, granted, 0, recompute=True)
    assert answer.json()["amount"] == "910.00"
    assert (await town.events(granted.id))[-1][0] == "corrected"


async def test_a_stop_posted_in_error_is_withdrawn_and_the_award_goes_on(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-10")
    change = await town.proposed(
        granted, "voluntary", requested_on="2025-09-10", document="退出申请书"
    )
    await bureau.decided(change)
    claims = "SELECT 1 FROM person_claim WHERE state = 'awarded'"
    assert await town.relief.rows(claims) == []
    assert (await correction(bureau, granted, 1, withdrawn=True)).status_code == 201
    assert [one[:2] for one in await town.standing(granted)] == [("2025-09-01", "paid")]
    assert len(await town.relief.rows(claims)) == 3


@pytest.mark.parametrize(("day", "status"), [("2026-06-30", 201), ("2026-07-01", 409)])
async def test_law_art_48_nothing_is_lowered_by_a_correction_without_a_hearing(
    town: Office, bureau: Office, day: str, status: int
) -> None:
    granted = await town.grant(*three())
    town.relief.at(day)
    answer = await correction(bureau, granted, 0, valid_from="2025-10-01")
    assert answer.status_code == status, answer.text
    if status == 409:
        assert answer.json()["type"] == "urn:minzheng:problem:hearing-required"


async def test_a_correction_names_a_standing_period_and_leaves_one(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    assert (await correction(bureau, granted, 0, withdrawn=True)).status_code == 422
    assert (await correction(bureau, granted, 0)).status_code == 422
    both = await correction(bureau, granted, 0, withdrawn=True, recompute=True)
    assert both.status_code == 422
    body = {"period": str(granted.id), "withdrawn": True, "reason": "误"}
    assert (await bureau.on_award(granted, "corrections", body)).status_code == 404
    (period,) = (await town.seen(f"/awards/{granted.id}"))["periods"]
    assert (await correction(bureau, granted, 0, valid_from="2025-10-01")).status_code == 201
    again = {"period": period["id"], "valid_from": "2025-11-01", "reason": "误"}
    answer = await bureau.on_award(granted, "corrections", again)
    assert answer.json()["type"] == "urn:minzheng:problem:period-already-corrected"
