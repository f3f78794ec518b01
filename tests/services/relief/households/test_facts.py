"""Households on two clocks: architecture.md (Time and law), domain.md B1.2, issue 4."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.relief.entitlement import facts as law
from services.relief.households import rules, service
from tests.services.relief.households.family import (
    ADDRESS,
    CHILD,
    DECLARED,
    NAMES,
    SELF,
    WIFE,
    Clerk,
    family,
    person,
)


def fact(fact: str, member: str | None, day: str, **values: Any) -> dict[str, Any]:
    return {"fact": fact, "member": member, "valid_from": day, **values}


async def refs(clerk: Clerk, household: Any) -> list[str]:
    return [member["id"] for member in (await clerk.seen(household))["members"]]


async def fact_of(clerk: Clerk, household: Any, of: str, **value: Any) -> dict[str, Any]:
    facts = (await clerk.seen(household))["facts"]
    return next(
        one
        for one in facts
        if one["fact"] == of
        and one["superseded_at"] is None
        and value.items() <= one["value"].items()
    )


async def test_what_a_family_declares_is_what_the_rules_are_given(clerk: Clerk) -> None:
    household = await clerk.create()
    a, b, c = await refs(clerk, household)
    found = await clerk.assembled(household, DECLARED)
    by_ref = {member.ref: member for member in found.members}
    assert list(by_ref) == [a, b, c]
    assert by_ref[b].disability == law.Disability(law.DisabilityKind.INTELLECTUAL, 3)
    assert by_ref[c].education is law.Education.COMPULSORY
    assert by_ref[c].full_time
    assert by_ref[a] == law.Member(a, law.Relation.SELF, by_ref[a].born)
    wage, imputed = found.incomes
    assert (wage.member, wage.amount, wage.months) == (a, Decimal("1500.00"), 1)
    assert wage.first_month.isoformat() == "2025-02-01"  # the month before the declaration
    assert imputed.reason  # 83号 1(1): a person gave one; what it says stays sealed
    assert not wage.reason
    (deposit,) = found.properties
    assert (deposit.member, deposit.amount) == (a, Decimal("20000.00"))


async def test_every_field_of_a_declaration_reaches_the_rules(clerk: Clerk) -> None:
    own = person(
        "a",
        "self",
        "1980-05-01",
        NAMES[0],
        severe_illness=True,
        bedridden=True,
        work_capacity="partial",
        employed=True,
        employed_since="2024-05-06",
        independent=False,
        lives_together=False,
        legal_duty=False,
        clergy_since="2020-01-01",
        in_religious_site=True,
        in_prison=True,
        in_compulsory_rehabilitation=True,
        declared_missing=True,
        unmarried_soldier=True,
        special_hardship=True,
        alone=True,
        incomes=[{"kind": "support_received", "amount": "6", "disregarded": True, "months": 12}],
    )
    household = await clerk.create(
        family(
            own,
            properties=[{"kind": "vehicle", "disability_vehicle": True, "essential": True}],
            consumptions=[{"kind": "utilities", "share": "0.4", "on": "2025-01-02"}],
        )
    )
    found = await clerk.assembled(household, DECLARED)
    (member,) = found.members
    flags = [name for name in law.Member.__dataclass_fields__ if getattr(member, name) is True]
    assert flags == [
        "severe_illness",
        "employed",
        "bedridden",
        "lives_in_religious_site",
        "in_prison",
        "in_compulsory_rehabilitation",
        "declared_missing",
        "soldier_unmarried",
        "special_hardship",
    ]
    assert (member.independent, member.lives_together, member.legal_duty) == (False,) * 3
    assert member.work_capacity is law.WorkCapacity.PARTIAL
    assert str(member.employed_since) == "2024-05-06"
    assert member.clergy_since is not None
    assert found.alone == {member.ref}
    assert found.incomes[0].disregarded
    assert found.properties[0].member is None
    assert found.properties[0].disability_vehicle
    assert found.properties[0].essential
    assert found.consumptions[0].share == Decimal("0.4")
    assert str(found.consumptions[0].on) == "2025-01-02"


async def test_a_change_holds_from_its_day_on_and_leaves_the_days_before(clerk: Clerk) -> None:
    household = await clerk.create()
    _, wife, _ = await refs(clerk, household)
    clerk.relief.at("2025-06-10")
    await clerk.done(
        household,
        "/facts",
        fact("disability", wife, "2025-05-01", disability={"kind": "intellectual", "grade": 2}),
    )

    async def grade(day: str, known_on: str | None = None) -> int | None:
        found = await clerk.assembled(household, day, known_on)
        disability = found.members[1].disability
        return disability and disability.grade

    assert await grade("2025-04-30") == 3
    assert await grade("2025-05-01") == 2
    assert await grade("2025-05-01", known_on="2025-06-09") == 3  # was not known then
    assert await grade("2025-05-01", known_on="2025-06-10") == 2


async def test_a_fact_with_an_end_gives_way_to_what_held_before(clerk: Clerk) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    clerk.relief.at("2025-06-10")
    ill = fact("health", own, "2025-03-10", severe_illness=True, bedridden=False)
    await clerk.done(household, "/facts", {**ill, "valid_to": "2025-04-10"})
    found = [
        (await clerk.assembled(household, day)).members[0].severe_illness
        for day in ("2025-03-09", "2025-03-10", "2025-04-10", "2025-04-11")
    ]
    assert found == [False, True, True, False]


async def test_a_correction_supersedes_and_keeps_what_was_recorded(clerk: Clerk) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    wrong = await fact_of(clerk, household, "income", kind="wage")
    clerk.relief.at("2025-03-20")
    right = {
        "fact": "income",
        "member": own,
        "first_month": "2025-02-17",
        "kind": "wage",
        "amount": "1800.00",
        "source": "document",
    }
    path = f"/facts/{wrong['id']}/correction"
    body = {"reason": "工资单为 1800 元", "replacement": right}
    view = await clerk.done(household, path, body)
    kept = next(one for one in view["facts"] if one["id"] == wrong["id"])
    assert kept["value"] == wrong["value"]
    new = next(one for one in view["facts"] if one["id"] == kept["superseded_by"])
    assert (new["valid_from"], new["value"]["amount"]) == ("2025-02-01", "1800.00")
    before = await clerk.assembled(household, DECLARED, known_on="2025-03-19")
    after = await clerk.assembled(household, DECLARED)
    assert [one.amount for one in before.incomes] == [Decimal("1500.00"), Decimal(300)]
    assert sorted(one.amount for one in after.incomes) == [Decimal(300), Decimal("1800.00")]
    then = await clerk.seen(household, known_on="2025-03-19")
    assert wrong in then["facts"]  # as if nothing had happened since
    assert new["id"] not in [one["id"] for one in then["facts"]]
    again = await clerk.post(household, path, body)
    assert (again.status_code, again.json()["type"].rsplit(":", 1)[1]) == (
        409,
        "fact-already-corrected",
    )


async def test_a_withdrawn_fact_holds_no_more_and_stays_on_record(clerk: Clerk) -> None:
    household = await clerk.create()
    wrong = await fact_of(clerk, household, "property")
    view = await clerk.done(
        household, f"/facts/{wrong['id']}/correction", {"reason": "存款系他人代存"}
    )
    kept = next(one for one in view["facts"] if one["id"] == wrong["id"])
    assert kept["superseded_at"] is not None
    assert kept["superseded_by"] is None
    assert (await clerk.assembled(household, DECLARED)).properties == ()


async def test_a_correction_is_of_the_same_matter_and_member(clerk: Clerk) -> None:
    household = await clerk.create()
    own, wife, _ = await refs(clerk, household)
    wrong = await fact_of(clerk, household, "disability")
    for other in (
        fact("health", wife, DECLARED, severe_illness=True, bedridden=False),
        fact("disability", own, DECLARED, disability=None),
    ):
        body = {"reason": "录入有误", "replacement": other}
        answer = await clerk.post(household, f"/facts/{wrong['id']}/correction", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/replacement/fact"


async def test_two_facts_of_one_matter_from_one_day_need_a_correction(clerk: Clerk) -> None:
    household = await clerk.create()
    _, wife, _ = await refs(clerk, household)
    asked = fact("disability", wife, DECLARED, disability=None)
    answer = await clerk.post(household, "/facts", asked)
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:minzheng:problem:fact-already-recorded",
    )


async def test_b1_2_who_dies_is_no_member_from_that_day_on_and_takes_their_income_along(
    clerk: Clerk,
) -> None:
    household = await clerk.create()
    own, wife, child = await refs(clerk, household)
    clerk.relief.at("2025-05-20")
    path = f"/members/{own}/leave"
    view = await clerk.done(household, path, {"left_on": "2025-05-12", "reason": "death"})
    assert [one["present"] for one in view["members"]] == [False, True, True]
    assert (view["members"][0]["left_on"], view["members"][0]["left_reason"]) == (
        "2025-05-12",
        "death",
    )
    before = await clerk.assembled(household, "2025-05-11")
    after = await clerk.assembled(household, "2025-05-12")
    assert [one.ref for one in before.members] == [own, wife, child]
    assert [one.ref for one in after.members] == [wife, child]
    assert {one.member for one in after.incomes} == {wife}
    assert after.properties == ()
    unknown_yet = await clerk.assembled(household, "2025-05-12", known_on="2025-05-19")
    assert len(unknown_yet.members) == 3
    again = await clerk.post(household, path, {"left_on": "2025-05-13", "reason": "moved_out"})
    assert again.status_code == 409


async def test_b1_2_a_child_that_is_born_belongs_from_its_birth(clerk: Clerk) -> None:
    household = await clerk.create()
    clerk.relief.at("2025-04-30")
    baby = {
        "relation": "child",
        "born": "2025-04-20",
        "joined_on": "2025-04-20",
        "join_reason": "birth",
        "name": "欧阳初",
        "document_kind": None,
    }
    view = await clerk.done(household, "/members", baby)
    assert view["members"][3]["number"] is None
    assert len((await clerk.assembled(household, "2025-04-19")).members) == 3
    assert len((await clerk.assembled(household, "2025-04-20")).members) == 4
    twice = await clerk.post(household, "/members", baby)
    assert twice.json()["type"] == "urn:minzheng:problem:already-member"


async def test_who_left_may_come_back_and_was_away_between(clerk: Clerk) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    clerk.relief.at("2025-12-01")
    leave = {"left_on": "2025-04-01", "reason": "prison"}
    await clerk.done(household, f"/members/{own}/leave", leave)
    back = {**SELF, "joined_on": "2025-10-01", "join_reason": "returned", "incomes": []}
    await clerk.done(household, "/members", back)
    found = [
        len((await clerk.assembled(household, day)).members)
        for day in ("2025-03-31", "2025-04-01", "2025-09-30", "2025-10-01")
    ]
    assert found == [3, 2, 2, 3]


async def test_nobody_is_a_member_twice_on_one_day(clerk: Clerk) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    clerk.relief.at("2025-12-01")
    leave = {"left_on": "2025-04-01", "reason": "prison"}
    await clerk.done(household, f"/members/{own}/leave", leave)
    left = await fact_of(clerk, household, "membership", state="out")
    back = {**SELF, "join_reason": "returned", "incomes": []}
    early = await clerk.post(household, "/members", {**back, "joined_on": "2025-03-31"})
    assert early.json()["type"] == "urn:minzheng:problem:already-member"
    await clerk.done(household, "/members", {**back, "joined_on": "2025-04-01"})
    stayed = await clerk.post(household, f"/facts/{left['id']}/correction", {"reason": "并未离开"})
    assert stayed.json()["type"] == "urn:minzheng:problem:already-member"


async def test_a_wrong_day_of_leaving_is_corrected(clerk: Clerk) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    clerk.relief.at("2025-05-20")
    leave = {"left_on": "2025-05-12", "reason": "death"}
    await clerk.done(household, f"/members/{own}/leave", leave)
    wrong = await fact_of(clerk, household, "membership", state="out")
    right = fact(
        "membership",
        own,
        "2025-05-10",
        state="out",
        join_reason=None,
        leave_reason="death",
    )
    path = f"/facts/{wrong['id']}/correction"
    view = await clerk.done(household, path, {"reason": "死亡证明", "replacement": right})
    assert view["members"][0]["left_on"] == "2025-05-10"
    assert len((await clerk.assembled(household, "2025-05-10")).members) == 2
    assert len((await clerk.assembled(household, "2025-05-09")).members) == 3


async def test_a_member_taken_down_by_mistake_never_belonged(clerk: Clerk) -> None:
    household = await clerk.create()
    *_, child = await refs(clerk, household)
    entry = next(
        one
        for one in (await clerk.seen(household))["facts"]
        if (one["fact"], one["member"]) == ("membership", child)
    )
    path = f"/facts/{entry['id']}/correction"
    view = await clerk.done(household, path, {"reason": "非本户人员"})
    assert view["members"][2]["left_reason"] == "error"
    assert len((await clerk.assembled(household, DECLARED)).members) == 2


@pytest.mark.parametrize(("state", "day"), [("in", "2025-03-10"), ("out", "2025-03-02")])
async def test_nobody_enters_twice_or_leaves_before_having_entered(
    clerk: Clerk, state: str, day: str
) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    clerk.relief.at("2025-05-20")
    leave = {"left_on": "2025-05-12", "reason": "death"}
    await clerk.done(household, f"/members/{own}/leave", leave)
    wrong = await fact_of(clerk, household, "membership", state="out")
    right = fact(
        "membership",
        own,
        day,
        state=state,
        join_reason="birth" if state == "in" else None,
        leave_reason="death" if state == "out" else None,
    )
    body = {"reason": "录入有误", "replacement": right}
    answer = await clerk.post(household, f"/facts/{wrong['id']}/correction", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/replacement/valid_from"


async def test_a_birth_date_that_differs_from_the_number_is_a_warning_not_a_refusal(
    clerk: Clerk,
) -> None:
    household = await clerk.create(family(SELF, {**WIFE, "born": "1983-06-02"}, CHILD))
    _, wife, _ = (await clerk.seen(household))["members"]
    assert wife["born"] == "1983-06-02"
    assert wife["warnings"] == ["申报的出生日期与身份证号码不一致，请核对"]
    wrong = next(
        one
        for one in (await clerk.seen(household))["facts"]
        if (one["fact"], one["member"]) == ("person", wife["id"])
    )
    right = fact("person", wife["id"], DECLARED, relation="spouse", born="1982-06-02")
    path = f"/facts/{wrong['id']}/correction"
    view = await clerk.done(household, path, {"reason": "户口簿为准", "replacement": right})
    assert view["members"][1]["warnings"] == []
    assert (await clerk.assembled(household, DECLARED)).members[1].born.isoformat() == "1982-06-02"


async def test_a_member_is_never_without_a_relation_to_the_applicant(clerk: Clerk) -> None:
    household = await clerk.create()
    wrong = await fact_of(clerk, household, "person", relation="spouse")
    clerk.relief.at("2025-03-20")
    later = fact("person", wrong["member"], "2025-03-10", relation="spouse", born="1982-06-02")
    for replacement in (None, later):
        body = {"reason": "录入有误", "replacement": replacement}
        answer = await clerk.post(household, f"/facts/{wrong['id']}/correction", body)
        assert answer.status_code == 422, answer.text


async def test_law_41_a_supporter_outside_is_checked_only_with_consent_from_2026_07_01(
    clerk: Clerk,
) -> None:
    household = await clerk.create()
    clerk.relief.at("2026-07-10")
    son = {"relation": "child", "name": "欧阳远行", "document_kind": None}
    await clerk.done(household, "/supporters", son)

    async def checkable(day: str) -> bool:
        (one,) = (await clerk.seen(household, as_of=day))["supporters"]
        assert one["name"] == "欧***"
        return bool(one["checkable"])

    assert [await checkable(day) for day in ("2026-06-30", "2026-07-01")] == [True, False]
    (one,) = (await clerk.seen(household))["supporters"]
    agreed = {"consented_on": "2026-07-09", "consent_document": "同意核对书"}
    await clerk.done(household, f"/supporters/{one['id']}/consent", agreed)
    assert [await checkable(day) for day in ("2026-07-08", "2026-07-09")] == [False, True]


async def test_57_8_13_what_a_supporter_has_and_a_finding_on_the_edge_are_facts_of_the_household(
    clerk: Clerk,
) -> None:
    household = await clerk.create()
    son = {"relation": "child", "name": "欧阳远行", "document_kind": None}
    (supporter,) = (await clerk.done(household, "/supporters", son))["supporters"]
    (owed, *_) = await refs(clerk, household)
    has = {"supporter": supporter["id"], "income": "4080.00", "persons": 2, "owed": 2}
    await clerk.done(household, "/facts", fact("support", owed, "2025-03-01", **has))
    finding = {"fact": "edge_property", "met": True, "source": "judgement", "reason": "车辆已报废"}
    await clerk.done(household, "/facts", {**finding, "valid_from": "2025-03-02"})
    found = await clerk.assembled(household, DECLARED)
    (support,) = found.supports
    assert (support.member, support.supporter) == (owed, supporter["id"])
    assert (support.income, support.persons, support.owed) == (Decimal(4080), 2, 2)
    assert found.edge_finding is not None
    assert (found.edge_finding.met, found.edge_finding.reason) == (True, rules.REASONED)
    (kept,) = [one for one in (await clerk.seen(household))["facts"] if "met" in one["value"]]
    assert (kept["source"], kept["recorded_by"], kept["has_reason"]) == (
        "judgement",
        "clerk-1",
        True,
    )
    more = {**has, "income": "5000.00"}
    await clerk.done(household, "/facts", fact("support", owed, "2025-03-02", **more))
    assert [one.income for one in (await clerk.assembled(household, DECLARED)).supports] == [5000]
    stranger = fact("support", owed, "2025-03-01", **{**has, "supporter": owed})
    assert (await clerk.post(household, "/facts", stranger)).status_code == 404


async def test_the_area_is_fixed_once_with_its_reason_and_missing_answers_are_named(
    clerk: Clerk,
) -> None:
    household = await clerk.create()
    own, *_ = await refs(clerk, household)
    async with clerk.transaction() as session:
        row = await clerk.found(session, household)
        with pytest.raises(service.AreaOpen):
            await service.assembled(session, household, day=row.declared_on)
        await service.fix_area(session, row, area=law.Area.URBAN, reason="住城镇社区")
        with pytest.raises(service.AreaFixed):
            await service.fix_area(session, row, area=law.Area.RURAL, reason="再议")
        found = await service.assembled(
            session, household, day=row.declared_on, missing=[(UUID(own), "bank")]
        )
    assert found.area is law.Area.URBAN
    assert found.missing_sources == ((own, "bank"),)
    clerk.relief.at("2025-03-10")
    assert (await clerk.seen(household))["area"] == "urban"
    assert (await clerk.seen(household, known_on="2025-03-02"))["area"] is None


async def test_a_household_that_moves_keeps_where_it_lived(clerk: Clerk) -> None:
    household = await clerk.create()
    clerk.relief.at("2025-04-10")
    moved = {"fact": "address", "valid_from": "2025-04-01", "address": "石船镇新街 9 号"}
    view = await clerk.done(household, "/facts", moved)
    assert "新街" not in str(view)
    purpose = {"purpose": "上门送达"}
    now = await clerk.post(household, "/reveal", purpose)
    assert now.json()["address"] == "石船镇新街 9 号"
    old, _ = [one["id"] for one in view["facts"] if one["fact"] == "address"]
    then = await clerk.post(household, f"/facts/{old}/reveal", purpose)
    assert then.json()["reason"] == ADDRESS


async def test_b1_2_who_dies_on_the_day_of_birth_belonged_to_nobodys_reckoning(
    clerk: Clerk,
) -> None:
    household = await clerk.create(family(SELF))
    baby = person("c", "child", DECLARED, NAMES[2], 4, joined_on=DECLARED, join_reason="birth")
    view = await clerk.done(household, "/members", baby)
    path = f"/members/{view['members'][1]['id']}/leave"
    view = await clerk.done(household, path, {"left_on": DECLARED, "reason": "death"})
    told = view["members"][1]
    assert (told["joined_on"], told["left_on"], told["left_reason"]) == (
        DECLARED,
        DECLARED,
        "death",
    )
    assert told["present"] is False
    assert len((await clerk.assembled(household, DECLARED)).members) == 1
    again = await clerk.post(household, path, {"left_on": DECLARED, "reason": "death"})
    assert again.status_code == 409
