"""What is personal stays sealed, masked and behind both walls: architecture.md, Persons, Access."""

import json
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.identity import DocumentKind, pseudonym
from chassis.ids import new_id
from services.relief.households import service
from services.relief.households.schemas import HouseholdIn
from tests.services.relief.households.family import (
    ADDRESS,
    CHILD,
    LUOQI,
    NAMES,
    PHONE,
    READ,
    SELF,
    SHIHE,
    WIFE,
    WRITE,
    Clerk,
    family,
    number,
)
from tests.support.services import Running

TABLES = ("household", "household_member", "household_fact", "supporter", "person_claim")
OFFICIAL = {"of": "staff", "relation": "表弟", "organisation": "石船镇社会事务办公室"}
WHOLE = family(
    SELF | {"near_relative": OFFICIAL},
    WIFE,
    CHILD,
    supporters=[
        {
            "relation": "parent",
            "name": "欧阳长庚",
            "document_number": number("1950-01-02", 5),
        }
    ],
)
SECRETS = (
    *NAMES,
    "欧阳长庚",
    PHONE,
    ADDRESS,
    "梧桐路",
    "有零工收入",
    "表弟",
    "社会事务办公室",
    *(one["document_number"] for one in (SELF, WIFE, CHILD)),
    number("1950-01-02", 5),
)


async def test_no_row_holds_a_name_number_phone_address_or_reason_in_clear(clerk: Clerk) -> None:
    household = await clerk.create(WHOLE)
    async with clerk.transaction() as session:
        row = await clerk.found(session, household)
        await service.fix_area(session, row, area="rural", reason="欧阳清风住在村里")
    stored = ""
    for table in (*TABLES, "chassis.audit_entry", "chassis.outbox"):
        for record in await clerk.relief.rows(f"SELECT t::text AS row FROM {table} t"):  # noqa: S608 - named above
            stored += record["row"]
        columns = await clerk.relief.rows(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = $1 AND data_type = 'bytea'",
            table,
        )
        for column in columns:
            for record in await clerk.relief.rows(
                f"SELECT {column['column_name']} AS sealed FROM {table}"  # noqa: S608 - read above
            ):
                stored += (record["sealed"] or b"").decode("utf-8", "replace")
    assert "欧***" in stored  # the masked name
    assert not [secret for secret in SECRETS if secret in stored]


async def test_a_view_is_masked(clerk: Clerk) -> None:
    household = await clerk.create(WHOLE)
    answer = await clerk.get(household)
    own = answer.json()["members"][0]
    assert own["name"] == "欧***"
    assert own["number"] == f"500112********{SELF['document_number'][-4:]}"
    assert own["phone_known"] is True
    assert own["near_relative_of"] == "staff"
    assert not [secret for secret in SECRETS if secret in answer.text]
    row = await clerk.relief.rows("SELECT person::text FROM household_member")
    assert not [one for one in row if one["person"] in answer.text]


async def test_a_reveal_tells_all_for_a_purpose_and_stands_in_the_audit(clerk: Clerk) -> None:
    household = await clerk.create(WHOLE)
    member = (await clerk.seen(household))["members"][0]["id"]
    purpose = {"purpose": "入户调查前核对身份"}
    answer = await clerk.post(household, f"/members/{member}/reveal", purpose)
    assert answer.json() == {
        "name": NAMES[0],
        "document_kind": "resident_id",
        "number": SELF["document_number"],
        "phone": PHONE,
        "near_relative": OFFICIAL,
    }
    home = await clerk.post(household, "/reveal", purpose)
    assert home.json() == {"address": ADDRESS, "area_reason": None}
    entries = await clerk.relief.rows(
        "SELECT action, actor, purpose FROM chassis.audit_entry"
        " WHERE action LIKE 'read household%' ORDER BY seq"
    )
    assert [one["action"] for one in entries] == [
        "read household_member.near_relative",
        "read household_member.name",
        "read household_member.number",
        "read household_member.phone",
        "read household_fact.note",
    ]
    assert {one["purpose"] for one in entries} == {purpose["purpose"]}
    assert {one["actor"] for one in entries} == {"clerk-1"}


async def test_a_reason_is_revealed_and_audited_too(clerk: Clerk) -> None:
    household = await clerk.create()
    facts = (await clerk.seen(household))["facts"]
    reasoned = next(one for one in facts if one["fact"] == "income" and one["has_reason"])
    path = f"/facts/{reasoned['id']}"
    await clerk.done(household, f"{path}/correction", {"reason": "已无零工"})
    answer = await clerk.post(household, f"{path}/reveal", {"purpose": "信访复核"})
    assert answer.json() == {"reason": "有零工收入，邻里证实", "superseded_reason": "已无零工"}
    entries = await clerk.relief.rows(
        "SELECT subject FROM chassis.audit_entry WHERE action LIKE 'read household_fact%'"
    )
    assert [one["subject"] for one in entries] == [reasoned["id"]] * 2


@pytest.mark.parametrize(
    "purpose",
    [
        *("", "  ", "1", "复核", "1234567", "。。。。"),
        f"入户前核对 {PHONE}",
        f"入户前核对{SELF['document_number']}",
    ],
)
async def test_a_reveal_needs_a_purpose_that_says_something_and_names_nobody(
    clerk: Clerk, purpose: str
) -> None:
    household = await clerk.create()
    member = (await clerk.seen(household))["members"][0]["id"]
    answer = await clerk.post(household, f"/members/{member}/reveal", {"purpose": purpose})
    assert answer.status_code == 422
    assert PHONE not in answer.text


async def test_a_reveal_needs_its_own_scope_and_the_denial_is_audited(relief: Running) -> None:
    clerk = Clerk(relief, scopes=(READ, WRITE))
    household = await clerk.create()
    member = (await clerk.seen(household))["members"][0]["id"]
    for path in (f"/members/{member}/reveal", "/reveal"):
        answer = await clerk.post(household, path, {"purpose": "信访复核"})
        assert answer.status_code == 403
    denied = await relief.rows("SELECT subject FROM chassis.audit_entry WHERE result = 'denied'")
    assert [one["subject"] for one in denied] == ["relief:reveal"] * 2


async def test_reading_needs_relief_read_and_writing_relief_accept(relief: Running) -> None:
    household = await Clerk(relief).create()
    reader, writer = Clerk(relief, scopes=(READ,)), Clerk(relief, scopes=(WRITE,))
    assert (await writer.get(household)).status_code == 403
    assert (await reader.post(household, "/members", {**CHILD})).status_code == 403


async def test_another_towns_clerk_finds_nothing_before_any_version_is_looked_at(
    relief: Running,
) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    household = await own.create(WHOLE)
    view = await own.seen(household)
    member, fact = view["members"][0]["id"], view["facts"][0]["id"]
    supporter = view["supporters"][0]["id"]
    posts: dict[str, dict[str, Any]] = {
        "/members": {**CHILD},
        f"/members/{member}/leave": {"left_on": "2025-03-03", "reason": "death"},
        f"/members/{member}/authorisation": {"truth_committed": True},
        f"/members/{member}/reveal": {"purpose": "信访复核"},
        "/facts": {
            "fact": "disability",
            "member": member,
            "valid_from": "2025-03-03",
            "disability": None,
        },
        f"/facts/{fact}/correction": {"reason": "录入有误"},
        f"/facts/{fact}/reveal": {"purpose": "信访复核"},
        "/reveal": {"purpose": "信访复核"},
        "/supporters": {"relation": "child", "name": "某某", "document_kind": None},
        f"/supporters/{supporter}/consent": {
            "consented_on": "2025-03-03",
            "consent_document": "同意核对书",
        },
    }
    assert (await foreign.get(household)).status_code == 404
    for path, body in posts.items():
        for etag in (None, '"1"'):
            answer = await foreign.post(household, path, body, etag=etag)
            assert answer.status_code == 404, path
            unknown = await own.post(new_id(), path, body, etag=etag)
            assert unknown.json() == answer.json(), path
    assert (await own.get(household)).json() == view


async def test_a_query_that_forgot_its_filter_sees_nothing_foreign(clerk: Clerk) -> None:
    await clerk.create(WHOLE)
    for units, seen in (([int(SHIHE)], True), ([int(LUOQI)], False), ([], False), (None, False)):
        async with clerk.transaction(units=units) as session:
            for table in TABLES[:4]:
                counted = await session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - named above
                assert bool(counted) is seen, table


async def test_with_a_hand_over_the_new_town_has_all_of_it_and_the_old_one_nothing(
    relief: Running,
) -> None:
    old, new = Clerk(relief), Clerk(relief, LUOQI)
    household = await old.create(WHOLE)
    before = await old.seen(household)
    async with old.transaction(units=[*old.units, *new.units]) as session:
        await service.hand_over(session, await old.found(session, household), new.units[0])
    assert (await old.get(household)).status_code == 404
    after = await new.seen(household)
    assert after["division"] == LUOQI
    for key in ("members", "facts", "supporters"):
        assert after[key] == before[key]
    for table in TABLES[:4]:
        found = await relief.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - named above
        assert [one["unit_id"] for one in found] == [int(LUOQI)], table


async def test_the_same_number_is_the_same_pseudonym_whatever_way_it_is_typed(
    clerk: Clerk,
) -> None:
    typed = f" {SELF['document_number'][:6]}-{SELF['document_number'][6:].lower()} "
    await clerk.create(family(SELF | {"document_number": typed}))
    (row,) = await clerk.relief.rows("SELECT person FROM household_member")
    key = clerk.relief.runtime.key_ring.pseudonym_key
    expected = pseudonym(key, DocumentKind.RESIDENT_ID, SELF["document_number"])
    assert row["person"] == expected


async def test_what_the_household_says_of_itself_shows_no_person() -> None:
    shown = repr(HouseholdIn.model_validate(WHOLE))
    assert not [secret for secret in SECRETS if secret in shown]


async def test_nothing_personal_is_in_a_log_line_or_error_body(
    clerk: Clerk, capfd: pytest.CaptureFixture[str]
) -> None:
    household = await clerk.create(WHOLE)
    bad = {**CHILD, "document_number": SELF["document_number"][:-1] + "0", "phone": PHONE}
    answers = [
        await clerk.post(household, "/members", bad),
        await clerk.post(household, "/members", {**SELF}),
        await clerk.post(household, "/members", {**CHILD, NAMES[0]: PHONE}),
        await clerk.post(household, f"/members/{uuid4()}/reveal", {"purpose": PHONE}),
    ]
    assert [answer.status_code for answer in answers] == [422, 409, 422, 422]
    logged = capfd.readouterr()
    told = logged.out + logged.err + json.dumps([one.json() for one in answers])
    assert not [secret for secret in SECRETS if secret in told]
    assert bad["document_number"] not in told


async def test_looking_a_household_up_is_audited(clerk: Clerk) -> None:
    household = await clerk.create()
    await clerk.seen(household)
    rows = await clerk.relief.rows(
        "SELECT actor, subject, purpose FROM chassis.audit_entry"
        " WHERE action = 'relief.household.read'"
    )
    assert [tuple(row) for row in rows] == [("clerk-1", str(household), "查看救助家庭")]
