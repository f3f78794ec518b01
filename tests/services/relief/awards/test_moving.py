"""Handing an award over to another town, and correcting what was posted wrongly."""

from typing import Any

import pytest

from tests.services.relief.awards.granting import (
    BOTH,
    OTHER,
    OTHER_VILLAGE,
    TOWN,
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
    await town.wage(granted, "250.00", "2025-07-01", member=1)
    earlier = await town.proposed(granted, "reduce")
    await bureau.decided(earlier)
    town.relief.at("2025-10-20")
    decided = await moved(bureau, proposer, granted, "2025-10-15")
    assert (decided["effect"], decided["effective_from"]) == ("unchanged", "2025-10-15")
    verb, data = (await bureau.events(granted.id))[-1]
    assert verb == "moved"
    assert [(one["from"], one["unit"], one["amount"]) for one in data["periods"]] == [
        ("2025-09-01", int(VILLAGE), "910.00"),
        ("2025-10-15", int(OTHER_VILLAGE), "910.00"),
    ]
    other = Office(town.relief, (OTHER,), "other-1")
    shown = await other.seen(f"/awards/{granted.id}")
    assert shown["division"] == OTHER_VILLAGE
    standing = [one for one in shown["periods"] if one["superseded_at"] is None]
    assert [one["amount"] for one in standing] == ["910.00", "910.00"]
    assert (await town.get(f"/awards/{granted.id}")).status_code == 404
    assert (await other.get(f"/award-changes/{decided['id']}")).status_code == 200
    assert (await town.get(f"/award-changes/{decided['id']}")).status_code == 404
    for table in ("award", "award_period", "award_change", "household", "household_fact"):
        rows = await town.relief.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - of the list above
        assert [row["unit_id"] for row in rows] == [int(OTHER_VILLAGE)], table
    for table in ("case_file", "case_step", "case_document", "application"):
        rows = await town.relief.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - of the list above
        assert [row["unit_id"] for row in rows] == [int(OTHER_VILLAGE)], table
    await told_as_a_step(town, other, earlier["id"])
    assert len((await other.seen("/awards"))["items"]) == 1
    assert (await town.seen("/awards"))["items"] == []


async def told_as_a_step(town: Office, other: Office, case: str) -> None:
    """Ordinance art. 31: whoever now keeps a file has it by a step that everybody is told of."""
    verb, data = (await town.events(case))[-1]
    assert verb == "moved"
    assert data["periods"][-1]["unit"] == int(OTHER_VILLAGE)
    assert data["periods"][-1]["state"] == data["periods"][-2]["state"]
    step = (await other.seen(f"/cases/{case}/history"))["items"][-1]
    assert (step["name"], step["title"], step["from"]) == ("hand_over", "随待遇移交", step["to"])
    assert all(
        one["name"] != "hand_over" for one in (await other.seen(f"/cases/{case}"))["actions"]
    )


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
    """Propose that a standing period be put right."""
    periods = (await office.seen(f"/awards/{granted.id}"))["periods"]
    standing = [one for one in periods if one["superseded_at"] is None]
    return await office.propose(granted, "correction", period=standing[place]["id"], **asked)


async def corrected(
    town: Office, bureau: Office, granted: Any, place: int = 0, **asked: Any
) -> Any:
    answer = await correction(town, granted, place, **asked)
    assert answer.status_code == 201, answer.text
    return await bureau.decided(answer.json())


async def test_a_wrong_first_day_is_corrected_and_stays_on_record(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-20")
    decided = await corrected(town, bureau, granted, valid_from="2025-10-01")
    assert decided["correction"] == {"was_from": "2025-09-01", "becomes_from": "2025-10-01"}
    assert (decided["effect"], decided["overpaid"]) == ("lowered", "1110.00")
    assert await town.standing(granted) == [("2025-10-01", "paid", 3, "1110.00", "0.00")]
    verb, data = (await town.events(granted.id))[-1]
    assert (verb, [one["from"] for one in data["periods"]]) == ("corrected", ["2025-10-01"])
    shown = await town.seen(f"/awards/{granted.id}")
    assert [one["superseded_at"] is None for one in shown["periods"]] == [False, True]
    assert shown["periods"][1]["case"] == decided["id"]
    before = await town.seen(f"/awards/{granted.id}", known_on="2025-09-19", as_of="2025-09-01")
    assert (before["state"], before["paid_from"]) == ("paid", "2025-09-01")
    assert (await town.get(f"/awards/{granted.id}", known_on="2025-08-10")).status_code == 404
    documents = (await town.seen(f"/cases/{decided['id']}/documents"))["items"]
    assert documents[-1]["title"] == "最低生活保障登记更正决定书"
    page = await town.get(f"/cases/{decided['id']}/documents/{documents[-1]['id']}/page")
    assert "原登记自 2025年9月1日 起的一段，更正为自 2025年10月1日 起" in page.text
    assert "行政复议" in page.text


async def test_an_amount_is_corrected_by_the_rules_and_never_typed(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    await town.wage(granted, "250.00", "2025-07-01", member=1)
    answer = await correction(town, granted, 0, recompute=True, amount="9999.00")
    assert answer.status_code == 422
    assert (await corrected(town, bureau, granted, recompute=True))["after"] == "910.00"
    assert [one[3] for one in await town.standing(granted)] == ["910.00"]
    assert (await town.events(granted.id))[-1][0] == "corrected"
    again = await correction(town, granted, 0, recompute=True)
    assert again.json()["type"] == "urn:minzheng:problem:contradicts-rules"


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
    town.relief.at("2025-10-10")
    decided = await corrected(town, bureau, granted, 1, withdrawn=True)
    assert decided["correction"] == {"was_from": "2025-10-01", "becomes_from": None}
    assert decided["effect"] == "raised"
    assert [one[:2] for one in await town.standing(granted)] == [("2025-09-01", "paid")]
    assert len(await town.relief.rows(claims)) == 3


async def test_57_2_only_whoever_has_the_power_to_decide_corrects(town: Office) -> None:
    granted = await town.grant(*three())
    await town.wage(granted, "250.00", "2025-07-01", member=1)
    change = (await correction(town, granted, 0, recompute=True)).json()
    other = Office(town.relief, (TOWN,), "town-2")
    answer = await other.on_change(change, "decide", {})
    assert answer.status_code == 403, answer.text
    assert answer.json()["type"] == "urn:minzheng:problem:not-competent"


async def test_four_eyes_nobody_corrects_an_award_alone(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    before = await town.standing(granted)
    await town.wage(granted, "250.00", "2025-07-01", member=1)
    answer = await correction(bureau, granted, 0, recompute=True)
    assert answer.status_code == 201, answer.text
    assert await town.standing(granted) == before
    alone = await bureau.on_change(answer.json(), "decide", {})
    assert (alone.status_code, alone.json()["type"]) == (403, "urn:minzheng:problem:four-eyes")
    gone = await bureau.on_award(granted, "corrections", {"period": str(granted.id)})
    assert gone.status_code == 404
    assert await town.standing(granted) == before


async def test_57_art_21_a_correction_reaches_neither_before_the_first_month_nor_far_ahead(
    town: Office,
) -> None:
    """Decided on 2025-08-11, payable from 2025-09; on 2025-09-20 next month is October."""
    granted = await town.grant(*three())
    town.relief.at("2025-09-20")
    for day in ("1950-01-01", "2025-08-31", "2025-11-01", "2099-01-01"):
        answer = await correction(town, granted, 0, valid_from=day)
        assert answer.status_code == 422, (day, answer.text)
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/valid_from"]


async def test_a_corrected_period_keeps_its_place_among_the_others(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-10")
    asked = {"requested_on": "2025-09-10", "document": "退出申请书"}
    await bureau.decided(await town.proposed(granted, "voluntary", **asked))
    assert (await correction(town, granted, 0, valid_from="2025-10-01")).status_code == 422
    assert (await correction(town, granted, 1, valid_from="2025-09-01")).status_code == 422


@pytest.mark.parametrize(("day", "status"), [("2026-06-30", 200), ("2026-07-01", 409)])
async def test_law_art_48_nothing_is_lowered_by_a_correction_without_a_hearing(
    town: Office, bureau: Office, day: str, status: int
) -> None:
    granted = await town.grant(*three())
    town.relief.at(day)
    change = (await correction(town, granted, 0, valid_from="2025-10-01")).json()
    answer = await bureau.on_change(change, "decide", {})
    assert answer.status_code == status, answer.text
    if status == 409:
        assert answer.json()["type"] == "urn:minzheng:problem:hearing-required"
        await town.heard(granted, change, day)
        assert (await bureau.decided(change))["effect"] == "lowered"


async def test_law_art_48_the_law_of_today_not_of_the_wrong_decision_asks_for_the_hearing(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-07-01")
    await town.wage(granted, "250.00", "2025-07-01", member=1)
    change = (await correction(town, granted, 0, recompute=True)).json()
    answer = await bureau.on_change(change, "decide", {})
    assert answer.json()["type"] == "urn:minzheng:problem:hearing-required", answer.text


async def test_a_correction_names_a_standing_period_and_leaves_one(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-20")
    assert (await correction(town, granted, 0, withdrawn=True)).status_code == 422
    assert (await correction(town, granted, 0)).status_code == 422
    both = await correction(town, granted, 0, withdrawn=True, recompute=True)
    assert both.status_code == 422
    unknown = await town.propose(granted, "correction", period=str(granted.id), withdrawn=True)
    assert [one["pointer"] for one in unknown.json()["errors"]] == ["/period"]
    (period,) = (await town.seen(f"/awards/{granted.id}"))["periods"]
    await corrected(town, bureau, granted, valid_from="2025-10-01")
    again = {"period": period["id"], "valid_from": "2025-10-01"}
    answer = await town.propose(granted, "correction", **again)
    assert answer.json()["type"] == "urn:minzheng:problem:period-already-corrected"
