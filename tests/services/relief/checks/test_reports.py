"""The report: findings, retry, acceptance, closing, late answers (57号 art. 18; domain.md C2)."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.relief.checks import service
from services.relief.households import repository as households
from tests.services.relief.checks.checking import NUMBER, Checking
from tests.services.relief.households.family import LUOQI, SELF, WIFE, Clerk, family

REASON = {"reason": "税务系统停机，已查验工资流水"}
DEPOSIT = [{"kind": "deposit", "amount": "25000.00"}]


async def with_silent_tax(checking: Checking) -> UUID:
    """A check in which all have answered but the tax office, which refuses."""
    checking.other.script("tax", NUMBER, "refuse")
    check = await checking.start()
    await checking.run()
    return check


async def facts(checking: Checking, check: UUID, kind: str) -> list[Any]:
    """The standing facts of a kind: (value's kind, amount, source)."""
    household = UUID((await checking.report(check))["household"])
    async with checking.clerk.transaction() as session:
        rows = await households.facts_of(session, household)
    return [
        (fact.value["kind"], fact.value["amount"], fact.source.value, fact.source_day)
        for fact in rows
        if fact.kind.value == kind and fact.superseded_at is None
    ]


async def test_art_18_what_was_declared_and_what_was_found(checking: Checking) -> None:
    checking.other.script("bank", NUMBER, "answer", items=DEPOSIT)
    checking.other.script("vehicles", NUMBER, "answer", items=[{"kind": "vehicle"}])
    check = await checking.start()
    await checking.run()
    found = {one["kind"]: one for one in (await checking.report(check))["findings"]}
    assert (found["deposit"]["declared"], found["deposit"]["found"]) == ("20000.00", "25000.00")
    assert found["deposit"]["title"] == "查得多于申报"
    assert found["vehicle"]["difference"] == "undeclared"
    assert found["wage"]["difference"] == "not_found"


async def test_a_report_is_closed_only_when_no_source_is_missing(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    refused = await checking.post(check, "/close")
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:minzheng:problem:check-sources-missing"
    assert "税务" in refused.json()["detail"]
    accepted = await checking.on_line(check, "tax", "acceptance", REASON)
    assert accepted.status_code == 200, accepted.text
    assert (accepted.json()["state"], accepted.json()["missing"]) == ("complete", [])
    report = await checking.closed(check)
    assert (report["state"], report["closed_on"]) == ("closed", "2025-03-03")
    (line,) = [one for one in report["lines"] if one["source"] == "tax"]
    assert (line["status"], line["accepted"]) == ("failed", True)  # still missing, not zero


async def test_a_missing_source_is_accepted_by_a_person_with_a_reason_sealed_and_audited(
    checking: Checking,
) -> None:
    check = await with_silent_tax(checking)
    line = await checking.line(check, "tax")
    for wrong in ({}, {"reason": ""}, {"reason": "  "}, {"reason": "x", "more": 1}):
        assert (await checking.on_line(check, "tax", "acceptance", wrong)).status_code == 422
    assert (await checking.on_line(check, "tax", "acceptance", REASON)).status_code == 200
    (row,) = await checking.relief.rows(
        "SELECT * FROM check_request WHERE accepted_reason IS NOT NULL"
    )
    assert REASON["reason"].encode() not in row["accepted_reason"]
    assert row["accepted_by"] == "clerk-1"
    read = await checking.get(check, f"/requests/{line['request']}/acceptance")
    assert (read.json()["reason"], read.json()["accepted_by"]) == (REASON["reason"], "clerk-1")
    actions = await checking.relief.rows(
        "SELECT action, actor FROM chassis.audit_entry WHERE subject = $1 ORDER BY seq",
        line["request"],
    )
    assert ("relief.check.missing_accepted", "clerk-1") in [tuple(row) for row in actions]
    assert ("read check_request.accepted_reason", "clerk-1") in [tuple(row) for row in actions]
    bank = await checking.line(check, "bank")
    assert (await checking.get(check, f"/requests/{bank['request']}/acceptance")).status_code == 404
    answered = await checking.on_line(check, "bank", "acceptance", REASON)
    assert answered.json()["type"] == "urn:minzheng:problem:check-not-missing"


async def test_a_clerk_may_ask_again_what_was_given_up(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    assert (await checking.on_line(check, "tax", "acceptance", REASON)).status_code == 200
    checking.other.script("tax", NUMBER, "none")
    retried = await checking.on_line(check, "tax", "retry")
    assert retried.status_code == 200, retried.text
    line = await checking.line(check, "tax")
    assert (line["status"], line["note"], line["accepted"]) == ("asked", "", False)
    assert (await checking.on_line(check, "tax", "retry")).status_code == 409
    await checking.run()
    line = await checking.line(check, "tax")
    assert (line["status"], line["attempts"]) == ("none", 2)
    first, second = checking.other.queries("tax")
    assert first["request_id"] == second["request_id"]
    assert (await checking.on_line(check, "tax", "retry")).status_code == 409


async def test_two_clerks_who_ask_again_at_once_ask_once(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    line = await checking.line(check, "tax")
    etag = (await checking.get(check)).headers["etag"]
    answers = await asyncio.gather(
        *(checking.post(check, f"/requests/{line['request']}/retry", etag=etag) for _ in range(3))
    )
    assert sorted(one.status_code for one in answers) == [200, 412, 412]
    jobs = await checking.relief.rows("SELECT 1 FROM chassis.job WHERE done_at IS NULL")
    assert len(jobs) == 1


async def test_the_figure_of_the_source_takes_the_place_of_the_declared_one_at_the_close(
    checking: Checking,
) -> None:
    checking.other.script("bank", NUMBER, "answer", items=DEPOSIT, data_day="2025-02-28")
    wage = [{"kind": "wage", "amount": "1800.00", "on": "2025-02-01"}]
    checking.other.script("tax", NUMBER, "answer", items=wage)
    check = await checking.start()
    await checking.run()
    report = await checking.closed(check)
    assert report["result"] == "differs"
    (deposit,) = await facts(checking, check, "property")
    assert deposit[:3] == ("deposit", "25000.00", "checked")
    assert deposit[3].isoformat() == "2025-02-28"
    (income,) = await facts(checking, check, "income")
    assert income[:3] == ("wage", "1800.00", "checked")
    assert {one["source"] for one in report["lines"] if one["adopted"]} == {"bank", "tax"}
    assert (await checking.report(check))["findings"] == report["findings"]  # as it was closed


async def test_what_was_declared_beyond_the_sources_knowledge_stands(checking: Checking) -> None:
    little = [{"kind": "deposit", "amount": "100.00"}]
    checking.other.script("bank", NUMBER, "answer", items=little)
    check = await checking.start()
    await checking.run()
    report = await checking.closed(check)
    assert [one["difference"] for one in report["findings"]] == ["less", "not_found"]
    assert [one[:3] for one in await facts(checking, check, "property")] == [
        ("deposit", "20000.00", "declared")
    ]
    assert [one[2] for one in await facts(checking, check, "income")] == ["declared"]


async def test_a_clerk_may_take_an_answer_over_as_it_is(checking: Checking) -> None:
    little = [{"kind": "deposit", "amount": "100.00"}, {"kind": "registered"}]
    checking.other.script("bank", NUMBER, "answer", items=little)
    check = await checking.start()
    await checking.run()
    adopted = await checking.on_line(check, "bank", "adoption")
    assert adopted.status_code == 200, adopted.text
    assert [one[:3] for one in await facts(checking, check, "property")] == [
        ("deposit", "100.00", "checked")
    ]
    assert (await checking.on_line(check, "bank", "adoption")).status_code == 409
    assert (await checking.on_line(check, "tax", "adoption")).status_code == 409
    found = {one["kind"]: one["difference"] for one in adopted.json()["findings"]}
    assert found["deposit"] == "less"  # the report still says what had been declared
    await checking.closed(check)
    assert len(await facts(checking, check, "property")) == 1


async def test_agreement_is_a_result_too(checking: Checking) -> None:
    same = [{"kind": "deposit", "amount": "20000.00"}]
    checking.other.script("bank", NUMBER, "answer", items=same)
    checking.other.script("tax", NUMBER, "answer", items=[{"kind": "wage", "amount": "1500.00"}])
    check = await checking.start()
    await checking.run()
    report = await checking.closed(check)
    assert (report["result"], report["findings"]) == ("agrees", [])


async def test_a_disability_vehicle_stays_one_when_the_register_knows_only_the_vehicle(
    checking: Checking,
) -> None:
    checking.other.script("vehicles", NUMBER, "answer", items=[{"kind": "vehicle"}])
    owned = [{"kind": "vehicle", "member": "a", "disability_vehicle": True}]
    check = await checking.start(family(SELF, properties=owned))
    await checking.run()
    await checking.closed(check)
    household = UUID((await checking.report(check))["household"])
    async with checking.clerk.transaction() as session:
        rows = await households.facts_of(session, household)
    (vehicle,) = [
        fact for fact in rows if fact.kind.value == "property" and fact.superseded_at is None
    ]
    assert vehicle.value["disability_vehicle"] is True
    assert vehicle.source.value == "checked"


async def closed_without_tax(checking: Checking) -> tuple[UUID, Any]:
    """A closed report; the tax office has promised its answer in half an hour."""
    checking.other.script("tax", NUMBER, "late", after_seconds=1800)
    check = await checking.start()
    await checking.run()
    checking.relief.at("2025-03-06")
    assert (await checking.on_line(check, "tax", "acceptance", REASON)).status_code == 200
    return check, await checking.closed(check)


async def test_what_arrives_after_the_close_is_late_and_flags_the_case_but_not_the_report(
    checking: Checking,
) -> None:
    check, before = await closed_without_tax(checking)
    etag = (await checking.get(check)).headers["etag"]
    wage = [{"kind": "wage", "amount": "9000.00"}]
    checking.other.script("tax", NUMBER, "answer", items=wage)
    checking.relief.at("2025-03-10")
    await checking.run()
    after = await checking.report(check)
    assert [(one["source"], one["items"]) for one in after["late"]] == [("tax", 1)]
    assert {**after, "late": []} == before
    assert (await checking.get(check)).headers["etag"] == etag
    assert checking.late == [UUID(before["case"])]
    async with checking.clerk.transaction() as session:
        (flag,) = await service.late_flags(session, UUID(before["case"]))
    assert (flag.source, flag.items, flag.data_day.isoformat()) == ("tax", 1, "2025-03-03")
    (row,) = await checking.relief.rows("SELECT * FROM check_request WHERE source = 'tax'")
    assert row["status"] == "late"
    assert [one[2] for one in await facts(checking, check, "income")] == ["declared"]


async def test_a_closed_report_is_not_changed_by_anybody(checking: Checking) -> None:
    check, report = await closed_without_tax(checking)
    line = await checking.line(check, "tax")
    for action, body in (("retry", None), ("acceptance", REASON), ("adoption", None)):
        answer = await checking.post(check, f"/requests/{line['request']}/{action}", body)
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:minzheng:problem:check-closed"
    assert (await checking.post(check, "/close")).status_code == 409
    assert await checking.report(check) == report


async def test_two_clerks_closing_at_once_close_once(checking: Checking) -> None:
    checking.other.script("bank", NUMBER, "answer", items=DEPOSIT)
    check = await checking.start()
    await checking.run()
    etag = (await checking.get(check)).headers["etag"]
    answers = await asyncio.gather(*(checking.post(check, "/close", etag=etag) for _ in range(3)))
    assert sorted(one.status_code for one in answers) == [200, 412, 412]
    assert len(await facts(checking, check, "property")) == 1


async def test_a_change_asks_for_the_version_that_was_read(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    assert (await checking.post(check, "/close", etag="")).status_code in {412, 428}
    assert (await checking.post(check, "/close", etag='"1"')).status_code == 412


async def test_the_same_post_twice_with_one_key_is_one(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    line = await checking.line(check, "tax")
    headers = {
        **checking.clerk.headers((await checking.get(check)).headers["etag"]),
        "Idempotency-Key": "window-1-0001",
    }
    path = f"/v1/relief/checks/{check}/requests/{line['request']}/retry"
    answers = [await checking.relief.http.post(path, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await checking.relief.rows("SELECT 1 FROM chassis.job WHERE done_at IS NULL")) == 1


PATHS = ("/close", "/requests/{}/retry", "/requests/{}/acceptance", "/requests/{}/adoption")


async def test_another_towns_clerk_finds_nothing(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    line, etag = await checking.line(check, "tax"), (await checking.get(check)).headers["etag"]
    other = Clerk(checking.relief, LUOQI, scopes=("relief:read", "relief:files", "relief:check"))
    for path in ("", f"/requests/{line['request']}/exchanges"):
        url = f"/v1/relief/checks/{check}{path}"
        answer = await checking.relief.http.get(url, headers=other.headers())
        assert answer.status_code == 404
    for path in PATHS:
        url = f"/v1/relief/checks/{check}{path.format(line['request'])}"
        answer = await checking.relief.http.post(url, json=REASON, headers=other.headers(etag))
        assert answer.status_code == 404, path
    async with other.transaction() as session:  # the second wall
        assert await service.latest(session, UUID((await checking.report(check))["case"])) is None


async def test_a_line_of_another_check_is_not_found_under_this_one(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    foreign = await checking.line(check, "tax")
    other = await checking.start(family(WIFE | {"relation": "self"}, properties=[]))
    answer = await checking.post(other, f"/requests/{foreign['request']}/acceptance", REASON)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_only_read_changes_nothing(checking: Checking, path: str) -> None:
    check = await with_silent_tax(checking)
    line = await checking.line(check, "tax")
    checking.clerk.scopes = ("relief:read", "relief:files", "relief:accept")
    answer = await checking.post(check, path.format(line["request"]), REASON)
    assert answer.status_code == 403
    denied = await checking.relief.rows("SELECT 1 FROM chassis.audit_entry WHERE result = 'denied'")
    assert len(denied) == 1


async def test_57_17_a_silence_is_accepted_only_after_the_source_was_given_its_time(
    checking: Checking,
) -> None:
    checking.other.script("bank", NUMBER, "late", after_seconds=30_000_000)
    check = await checking.start()
    await checking.run()
    early = await checking.on_line(check, "bank", "acceptance", REASON)
    assert early.status_code == 409
    assert early.json()["type"] == "urn:minzheng:problem:check-still-asked"
    checking.relief.at("2025-03-05")
    assert (await checking.on_line(check, "bank", "acceptance", REASON)).status_code == 409
    checking.relief.at("2025-03-07")
    accepted = await checking.on_line(check, "bank", "acceptance", REASON)
    assert accepted.status_code == 200, accepted.text


async def test_57_17_an_accepted_silence_stays_named_after_the_report(checking: Checking) -> None:
    check = await with_silent_tax(checking)
    line = await checking.line(check, "tax")
    assert (await checking.on_line(check, "tax", "acceptance", REASON)).status_code == 200
    case = UUID((await checking.closed(check))["case"])
    async with checking.clerk.transaction() as session:
        (silence,) = await service.silences_of(session, case)
    assert (silence.member, silence.source, silence.reference) == (
        line["member"],
        "tax",
        line["request"],
    )
    assert not silence.answered_late
