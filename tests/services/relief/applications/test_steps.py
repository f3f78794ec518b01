"""Single steps of an application and their guards, by article, through the API."""

from typing import Any

import pytest

from tests.services.relief.applications.window import (
    DISTRICT,
    NAMES,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TOWN,
    Case,
    Window,
    applicant,
    appraised,
    body,
    decision,
    kind_of,
    member,
    objected,
    opinion,
)

CHILD = member("c", "child", "2015-07-03", 5, check_authorised=False, truth_committed=False)
BUREAU = {"division": DISTRICT}


async def test_57_9_10_what_lacks_is_told_once_and_then_it_is_accepted(window: Window) -> None:
    case = await window.opened(body(applicant(), CHILD))
    child = (await window.file(case))["household"]["members"][1]["id"]
    missing = (await window.file(case))["missing_items"]
    assert {(one["code"], one["member"]) for one in missing} == {
        ("truth_commitment", child),
        ("check_authorisation", child),
    }
    accept = {"area": "urban", "area_reason": "户籍在社区"}
    early = await window.step(case, "accept", accept)
    assert (early.status_code, kind_of(early)) == (409, "incomplete")
    shared = await window.step(case, "correction-list", {"materials": ["household_register"]})
    assert (shared.status_code, kind_of(shared)) == (422, "not-demandable")
    assert shared.json()["errors"][0]["pointer"] == "/materials/0"
    await window.done(case, "correction-list", {"materials": ["illness_certificate"]})
    assert case.state == "correcting"
    assert len(case.view["correction"]["items"]) == 3
    assert "监护人" in await window.page(case, "correction_list")
    signed = [{"member": child, "truth_committed": True, "check_authorised": True}]
    await window.done(
        case, "correction-done", {"materials": ["illness_certificate"], "undertakings": signed}
    )
    again = await window.step(case, "correction-list", {"materials": ["support_agreement"]})
    assert (again.status_code, kind_of(again)) == (409, "already-told")
    await window.done(case, "accept", accept)
    assert case.view["correction"]["fulfilled_on"] == "2025-03-03"
    assert "受理通知书" in await window.page(case, "acceptance")


async def test_57_10_what_is_complete_is_accepted_and_not_sent_back(window: Window) -> None:
    case = await window.opened()
    answer = await window.step(case, "correction-list", {})
    assert (answer.status_code, kind_of(answer)) == (409, "incomplete")


async def test_57_6_an_entrusted_application_lacks_the_letter(window: Window) -> None:
    bare = await window.opened(body(applicant(sequence=9), materials=[]))
    assert [one["code"] for one in (await window.file(bare))["missing_items"]] == [
        "application_form"
    ]
    online = await window.opened(body(applicant(sequence=10), channel="online", materials=[]))
    assert (await window.file(online))["missing_items"] == []
    case = await window.opened(body(channel="committee"))
    assert [one["code"] for one in (await window.file(case))["missing_items"]] == ["entrustment"]
    other = await window.opened(
        body(applicant(sequence=7), entrusted=True, materials=["application_form", "entrustment"])
    )
    assert (await window.file(other))["missing_items"] == []


async def test_a_draft_is_saved_handed_in_and_takes_the_applicants_one_place(
    window: Window,
) -> None:
    case = await window.opened(body(submit=False))
    assert case.state == "draft"
    second = await window.open()
    assert (second.status_code, kind_of(second)) == (409, "already-applied")
    window.later(2)
    await window.done(case, "submit")
    assert (await window.file(case))["applied_on"] == "2025-03-05"


async def test_a_draft_that_nobody_hands_in_lapses_and_its_applicant_can_apply(
    window: Window,
) -> None:
    case = await window.opened(body(submit=False))
    window.later(30)
    await window.day_begins()
    await window.file(case)
    assert case.state == "draft"
    window.later(1)
    await window.day_begins()
    file = await window.file(case)
    assert (case.state, case.view["outcome"], file["decision"]) == ("withdrawn", "withdrawn", None)
    last = (await window.history(case))[-1]
    assert (last["title"], "30天内没有办理" in last["reason"]) == ("草稿逾期未提交", True)
    assert last["actor"].startswith("job:")
    await window.opened()


async def test_a_draft_does_not_lapse_while_its_household_is_worked_on(window: Window) -> None:
    case = await window.opened(body(submit=False))
    window.later(30)
    household = (await window.file(case))["household"]
    wage = {"fact": "income", "kind": "wage", "amount": "10.00", "first_month": "2025-02-01"}
    told = await window.relief.http.post(
        f"/v1/relief/households/{household['id']}/facts",
        json={**wage, "member": household["members"][0]["id"], "source": "declared"},
        headers=window.headers("acceptor", etag='"1"'),
    )
    assert told.status_code == 201, told.text
    window.later(30)
    await window.day_begins()
    await window.file(case)
    assert case.state == "draft"
    window.later(1)
    await window.day_begins()
    await window.file(case)
    assert case.state == "withdrawn"


async def test_57_15_20_22_acceptance_fixes_area_and_limits(window: Window) -> None:
    case = await window.accepted(area="rural")
    clock, step = case.view["clock"], case.view["step_clock"]
    assert (clock["count"], clock["unit"], clock["due"]) == (25, "working_days", "2025-04-08")
    assert (step["count"], step["due"]) == (3, "2025-03-06")
    assert (await window.file(case))["household"]["area"] == "rural"


async def test_83_4_1_a_town_that_decides_has_twenty_working_days(window: Window) -> None:
    await window.delegate("2022-01-01")
    case = await window.accepted()
    assert case.view["clock"]["count"] == 20
    assert case.view["clock"]["due"] == "2025-03-31"


async def test_57_4_an_application_of_people_registered_elsewhere_is_not_taken(
    window: Window,
) -> None:
    case = await window.opened(body(applicant(domicile=OTHER_VILLAGE)))
    answer = await window.step(case, "accept", {"area": "urban", "area_reason": "在城镇居住"})
    assert (answer.status_code, kind_of(answer)) == (409, "wrong-place")
    assert "第四条" in answer.json()["detail"]


async def test_57_18_what_the_check_finds_against_them_is_told_and_can_be_contested(
    window: Window,
) -> None:
    deposit = {"kind": "deposit", "amount": "90000.00"}
    number = applicant()["document_number"]
    window.other.script("bank", number, "answer", items=[deposit])
    case = await window.checked()
    assert case.state == "disqualified"
    page = await window.page(case, "disqualification")
    assert "90000.00" in page
    assert "复查" in page
    granting = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (granting.status_code, kind_of(granting)) == (409, "contradicts-rules")
    window.other.script("bank", number, "none")
    await window.done(case, "contest", {"reason": "存单系代人保管，附证明"})
    assert case.state == "checking"
    await window.check(case)
    assert case.state == "disqualified"  # a fact that was taken over stays until it is corrected
    await window.done(case, "opinion", opinion("refuse"), who="opiner")
    straight = await window.step(case, "forward", who="opiner")
    assert (straight.status_code, kind_of(straight)) == (409, "step-refused")
    await window.sent_on(case)
    assert case.state == "awaiting"


async def test_what_is_missing_is_not_zero(window: Window) -> None:
    """A source that does not answer: the report waits, and nothing is decided over it."""
    window.other.script("bank", "*", "refuse")
    case = await window.accepted()
    await window.done(case, "check", who="checker", **BUREAU)
    await window.run_jobs()
    closing = await window.step(case, "check-closed", who="checker", **BUREAU)
    assert (closing.status_code, kind_of(closing)) == (409, "check-sources-missing")
    url = f"/v1/relief/applications/{case.id}/assessment"
    answer = await window.relief.http.get(url, headers=window.headers("reader"))
    assert answer.json()["outcome"] is None
    assert answer.json()["assessment"]["outcome"] == "undecided"


async def test_57_15_a_household_is_surveyed_while_a_source_is_down(window: Window) -> None:
    """Its signed survey stands when the check is closed, until the case is sent back."""
    case = await window.accepted()
    await window.done(case, "survey", await window.visit(case), who="surveyor-1")
    assert (case.state, case.view["step_clock"]) == ("accepted", None)  # the survey has begun
    window.other.script("bank", "*", "late", after_seconds=0.05)
    await window.done(case, "check", who="checker", **BUREAU)
    await window.run_jobs()
    await window.done(case, "survey/sign", who="surveyor-2")
    early = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (case.state, early.status_code, kind_of(early)) == ("checking", 409, "case-state")
    await accept_missing(window, case)
    await window.done(case, "check-closed", who="checker", **BUREAU)
    assert case.state == "surveyed"
    needless = await window.step(case, "appraisal", {"held_on": "2025-03-06"}, who="opiner")
    assert (needless.status_code, kind_of(needless)) == (409, "step-refused")
    await window.done(case, "opinion", opinion("grant"), who="opiner")


async def test_57_16_a_survey_that_is_half_signed_when_the_check_is_closed_is_signed_after_it(
    window: Window,
) -> None:
    case = await window.accepted()
    await window.done(case, "check", who="checker", **BUREAU)
    await window.done(case, "survey", await window.visit(case), who="surveyor-1")
    await window.check(case)
    assert case.state == "checked"
    await window.done(case, "survey/sign", who="surveyor-2")
    assert case.state == "surveyed"


async def test_57_16_a_survey_counts_when_both_have_signed_with_their_own_login(
    window: Window,
) -> None:
    case = await window.checked()
    visit = await window.visit(case)
    alone = await window.step(
        case, "survey", {**visit, "surveyors": ["surveyor-1"]}, who="surveyor-1"
    )
    assert alone.status_code == 422
    assert alone.json()["errors"][0]["pointer"] == "/surveyors"
    absent = await window.step(case, "survey", visit, who="surveyor-3")
    assert absent.status_code == 422
    await window.done(case, "survey", visit, who="surveyor-1")
    assert case.state == "surveying"
    early = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (early.status_code, kind_of(early)) == (409, "case-state")
    twice = await window.step(case, "survey/sign", who="surveyor-1")
    assert twice.status_code == 409
    stranger = await window.step(case, "survey/sign", who="surveyor-3")
    assert stranger.status_code == 403
    await window.done(case, "survey/sign", who="surveyor-2")
    assert case.state == "surveyed"
    (survey,) = (await window.file(case))["surveys"]
    assert all(one["signed_at"] for one in survey["signatures"])


async def test_57_16_a_refused_signature_is_recorded_with_its_circumstances(
    window: Window,
) -> None:
    case = await window.checked()
    refused = {"household_signature": "refused", "signed_by": None}
    bare = await window.step(case, "survey", await window.visit(case, **refused), who="surveyor-1")
    assert bare.status_code == 422
    await window.survey(case, **refused, refusal="在场成员称不识字，不愿签字")
    (survey,) = (await window.file(case))["surveys"]
    assert survey["refusal"] == "在场成员称不识字，不愿签字"


async def test_57_19_an_opinion_hangs_seven_days_with_public_fields_alone(window: Window) -> None:
    case = await window.publicised(
        body(applicant(severe_illness=True), member("b", "child", "2015-07-03", 5))
    )
    (posted,) = (await window.file(case))["publicities"]
    assert (posted["posted_on"], posted["last_day"]) == ("2025-03-03", "2025-03-10")
    assert posted["fields"].keys() == {
        *("applicant_name", "members", "amount", "address_village", "result", "programme"),
        "telephone",
    }
    assert posted["fields"]["applicant_name"] == NAMES[0]
    assert posted["fields"]["members"] == 2
    for day in (0, 7):
        window.later(day)
        early = await window.step(case, "publicity-closed", who="opiner")
        assert (early.status_code, kind_of(early)) == (409, "publicity-running")
    window.later(1)
    await window.done(case, "publicity-closed", who="opiner")
    assert case.state == "awaiting"


async def test_a_minor_who_applies_is_not_named_in_public(window: Window) -> None:
    orphan = member("a", "self", "2012-05-01", 3)
    case = await window.publicised(body(orphan))
    (posted,) = (await window.file(case))["publicities"]
    assert posted["fields"]["applicant_name"] == "诸葛某某"
    page = await window.page(case, "publicity")
    assert NAMES[0] not in page


async def test_57_19_of_a_refusal_the_village_reads_neither_reason_nor_the_childs_name(
    window: Window,
) -> None:
    wage = [{"kind": "wage", "amount": "3000.00"}]
    rich = member("a", "self", "2012-05-01", 3, incomes=wage, severe_illness=True)
    case = await window.refused(body(rich))
    (posted,) = (await window.file(case))["publicities"]
    assert posted["fields"] == {
        "applicant_name": "诸葛某某",
        "members": 1,
        "address_village": "玉峰山社区",
        "result": "拟不予确认",
        "programme": "最低生活保障",
        "telephone": "023-67212345",
    }
    page = await window.page(case, "publicity")
    assert "月保障金额" not in page
    assert NAMES[0] not in page


async def test_57_19_a_county_may_have_refusals_not_posted(window: Window) -> None:
    await window.set_parameter("dibao.publicity.refusals", False)
    case = await window.checked(body(applicant("3000.00")))
    await window.done(case, "opinion", opinion("refuse"), who="opiner")
    hung = await window.step(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
    assert (hung.status_code, kind_of(hung)) == (409, "step-refused")
    await window.done(case, "forward", who="opiner")
    assert case.state == "awaiting"


async def test_57_19_a_positive_opinion_is_not_forwarded_past_publicity(window: Window) -> None:
    case = await window.opined()
    answer = await window.step(case, "forward", who="opiner")
    assert (answer.status_code, kind_of(answer)) == (409, "step-refused")


async def test_57_19_an_objection_is_appraised_and_the_opinion_given_and_posted_again(
    window: Window,
) -> None:
    case, objection = await objected(window, "appraisal")
    assert "objection" in case.view["flags"]
    window.later(1)
    path = f"objections/{objection}/finding"
    bare = await window.step(case, path, appraised(window), who="opiner-2")
    assert bare.status_code == 422
    await window.done(case, path, appraised(window, opinion("grant")), who="opiner-2")
    assert case.state == "opined"
    (answered,) = (await window.file(case))["objections"]
    assert answered["appraisal"]["participants"] == 9
    straight = await window.step(case, "forward", who="opiner")
    assert straight.status_code == 409
    await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
    again = (await window.file(case))["publicities"][-1]
    assert (again["kind"], again["posted_on"], again["last_day"]) == (
        *("again", "2025-03-06"),
        "2025-03-09",
    )
    window.later(4)
    await window.done(case, "publicity-closed", who="opiner")
    assert [one["after_objection"] for one in (await window.file(case))["opinions"]] == [
        *(False, True)
    ]


async def test_57_19_or_the_household_is_surveyed_anew(window: Window) -> None:
    case, objection = await objected(window, "resurvey")
    finding = {
        "handled_by": "resurvey",
        "finding": "汇款属实，已登记",
        "upheld": True,
        "opinion": opinion("grant"),
    }
    path = f"objections/{objection}/finding"
    early = await window.step(case, path, finding, who="opiner-2")
    assert early.status_code == 409
    await window.survey(case)
    same_day = await window.step(case, path, finding, who="opiner-2")
    assert (same_day.status_code, kind_of(same_day)) == (409, "step-refused")
    window.later(1)
    await window.survey(case)
    assert case.state == "surveyed"
    own = await window.step(case, path, finding, who="opiner")
    assert (own.status_code, kind_of(own)) == (403, "four-eyes")
    plain = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert plain.status_code == 409  # the objection is still open
    await window.done(case, path, finding, who="opiner-2")
    assert case.state == "opined"
    assert (await window.file(case))["surveys"][-1]["resurvey"] is True


async def test_of_two_objections_the_last_answer_brings_the_new_opinion(window: Window) -> None:
    case, first = await objected(window, "appraisal")
    await window.done(
        case,
        "objections",
        {"objector": "令狐远", "content": "其有车", "handled_by": "appraisal"},
        who="opiner",
    )
    window.later(1)
    finding = appraised(window)
    await window.done(case, f"objections/{first}/finding", finding, who="opiner-2")
    assert case.state == "objected"
    twice = await window.step(case, f"objections/{first}/finding", finding, who="opiner-2")
    assert (twice.status_code, kind_of(twice)) == (409, "objection-answered")
    second = (await window.file(case))["objections"][1]["id"]
    await window.done(
        case,
        f"objections/{second}/finding",
        {**finding, "opinion": opinion("grant")},
        who="opiner-2",
    )
    assert case.state == "opined"


@pytest.mark.parametrize(
    ("record", "pointer"),
    [
        ({"held_on": "2025-03-05"}, "/appraisal/held_on"),
        ({"held_on": "2025-03-07"}, "/appraisal/held_on"),
        ({"participants": 2}, "/appraisal/participants"),
        (None, "/appraisal"),
    ],
)
async def test_57_19_an_appraisal_is_held_by_several_after_the_objection_and_on_record(
    window: Window, record: dict[str, Any] | None, pointer: str
) -> None:
    case, objection = await objected(window, "appraisal")
    window.later(1)
    asked = appraised(window, opinion("grant"), **(record or {}))
    if record is None:
        del asked["appraisal"]
    answer = await window.step(case, f"objections/{objection}/finding", asked, who="opiner-2")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_57_20_the_bureau_returns_a_case_and_the_town_opines_anew(window: Window) -> None:
    case = await window.awaiting()
    bare = await window.step(case, "return", {"reason": " "}, who="decider", **BUREAU)
    assert bare.status_code == 422
    await window.done(case, "return", {"reason": "邻里访问记录不全"}, who="decider", **BUREAU)
    assert case.state == "checked"
    early = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (early.status_code, kind_of(early)) == (409, "case-state")
    await window.survey(case)
    await window.done(case, "opinion", opinion("grant"), who="opiner")
    await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
    assert case.state == "publicised"
    papers = [one for one in await window.documents(case) if one["kind"] == "publicity"]
    assert len({one["number"] for one in papers}) == 2  # each paper has a number of its own (文号)


@pytest.mark.parametrize("ground", ["near_relative", "complaint"])
async def test_57_11_20_near_relatives_and_complaints_need_the_bureaus_own_survey(
    window: Window, ground: str
) -> None:
    case = await window.awaiting()
    person = (await window.file(case))["household"]["members"][0]["id"]
    if ground == "near_relative":
        relative = {"member": person, "of": "staff", "relation": "兄弟", "organisation": "镇社事办"}
        await window.done(case, "near-relatives", {"relatives": [relative]})
    else:
        told = {"received_on": window.today().isoformat(), "content": "反映其有出租房"}
        await window.done(case, "complaints", told)
    assert ground in case.view["flags"]
    grant = decision("grant")
    early = await window.step(case, "decide", grant, who="decider", **BUREAU)
    assert (early.status_code, kind_of(early)) == (409, "step-refused")
    visit = await window.visit(case, surveyors=["bureau-1", "bureau-2"])
    town = await window.step(case, "survey", visit, who="bureau-1", division=TOWN)
    assert town.status_code == 403
    await window.done(case, "survey", visit, who="bureau-1", **BUREAU)
    half = await window.step(case, "decide", grant, who="decider", **BUREAU)
    assert half.status_code == 409
    await window.done(case, "survey/sign", who="bureau-2", **BUREAU)
    inspector = await window.step(case, "decide", grant, who="bureau-2", **BUREAU)
    assert (inspector.status_code, kind_of(inspector)) == (403, "four-eyes")
    await window.done(case, "decide", grant, who="decider", **BUREAU)
    assert case.state == "granted"


async def test_57_11_a_near_relative_named_in_the_application_is_flagged_at_acceptance(
    window: Window,
) -> None:
    relative = {"of": "village_committee", "relation": "父亲", "organisation": "玉峰山社区居委会"}
    case = await window.accepted(body(applicant(near_relative=relative)))
    assert case.view["flags"] == ["near_relative"]


async def test_83_4_1_the_limit_is_prolonged_once_on_a_ground(window: Window) -> None:
    case = await window.accepted(body(applicant(residence=OTHER_VILLAGE)))
    assert case.view["flags"] == ["separate_residence"]
    groundless = await window.step(
        case, "prolong", {"ground": "objection", "reason": "x"}, who="decider", **BUREAU
    )
    assert groundless.status_code == 422
    asked = {"ground": "separate_residence", "reason": "经常居住地在石船镇，须委托调查"}
    await window.done(case, "prolong", asked, who="decider", **BUREAU)
    assert (case.view["clock"]["count"], case.view["prolonged"]) == (40, "separate_residence")
    assert case.view["clock"]["due"] == "2025-04-28"
    again = await window.step(case, "prolong", asked, who="decider", **BUREAU)
    assert again.status_code == 409


async def test_57_22_whoever_decides_prolongs_and_not_when_the_limit_has_run_out(
    window: Window,
) -> None:
    case = await window.accepted()
    asked = {"ground": "hard_survey", "reason": "成员分散务工"}
    town = await window.step(case, "prolong", asked, who="decider", division=TOWN)
    assert (town.status_code, kind_of(town)) == (403, "not-competent")
    window.later(60)
    missed = await window.step(case, "prolong", asked, who="decider", **BUREAU)
    assert (missed.status_code, kind_of(missed)) == (409, "step-refused")
    assert "届满" in missed.json()["detail"]


@pytest.mark.parametrize("who", ["acceptor", "surveyor-1", "surveyor-2", "opiner"])
async def test_57_2_who_had_a_hand_in_it_does_not_decide(window: Window, who: str) -> None:
    case = await window.awaiting()
    answer = await window.step(case, "decide", decision("grant"), who=who, **BUREAU)
    assert (answer.status_code, kind_of(answer)) == (403, "four-eyes")
    assert (await window.relief.rows("SELECT 1 FROM award")) == []


async def test_the_decision_is_what_the_rules_say_and_what_contradicts_it_is_named(
    window: Window,
) -> None:
    case = await window.awaiting()
    answer = await window.step(case, "decide", decision("refuse"), who="decider", **BUREAU)
    assert (answer.status_code, kind_of(answer)) == (409, "contradicts-rules")
    person = (await window.file(case))["household"]["members"][0]["id"]
    url = f"/v1/relief/households/{(await window.file(case))['household']['id']}"
    read = await window.relief.http.get(url, headers=window.headers("acceptor"))
    won = {
        "fact": "property",
        "member": person,
        "kind": "deposit",
        "amount": "50000.00",
        "area": None,
        "essential": False,
        "disability_vehicle": False,
        "judged": None,
        "valid_from": "2025-03-05",
        "source": "document",
    }
    recorded = await window.relief.http.post(
        f"{url}/facts", json=won, headers=window.headers("acceptor", etag=read.headers["etag"])
    )
    assert recorded.status_code == 201, recorded.text
    now_rich = await window.step(case, "decide", decision("grant"), who="decider", **BUREAU)
    assert (now_rich.status_code, kind_of(now_rich)) == (409, "contradicts-rules")
    assert any("第十四条" in one["detail"] for one in now_rich.json()["errors"])
    refused = await window.step(case, "decide", decision("refuse"), who="decider", **BUREAU)
    assert (refused.status_code, kind_of(refused)) == (409, "opinion-outdated")


async def test_pipl_24_a_person_confirms_every_decision(window: Window) -> None:
    case = await window.awaiting()
    unconfirmed = {"outcome": "grant", "confirmed": False}
    answer = await window.step(case, "decide", unconfirmed, who="decider", **BUREAU)
    assert answer.status_code == 422


async def test_57_2_the_organ_with_the_power_on_the_day_decides(window: Window) -> None:
    case = await window.awaiting()
    town = await window.step(case, "decide", decision("grant"), who="decider", division=TOWN)
    assert (town.status_code, kind_of(town)) == (403, "not-competent")
    assert await window.waiting(division=TOWN) == {}
    assert await window.waiting(**BUREAU) == {"审核确认": 1}
    await window.delegate("2025-01-01")
    assert await window.waiting(division=TOWN) == {"审核确认": 1}
    assert await window.waiting(**BUREAU) == {}
    barred = await window.barred(case, "grant", **BUREAU)
    assert barred == "今日由乡镇人民政府、街道办事处审核确认"
    assert await window.barred(case, "grant", division=TOWN) is None
    bureau = await window.step(case, "decide", decision("grant"), who="decider", **BUREAU)
    assert (bureau.status_code, kind_of(bureau)) == (403, "not-competent")
    await window.done(case, "decide", decision("grant"), who="decider", division=TOWN)
    decided = (await window.file(case))["decision"]
    assert (decided["level"], decided["authority"]["document"]) == (
        *("town", "渝北民政〔2021〕12号"),
    )
    assert case.view["clock"]["count"] == 20  # 83号 4(1): of the organ that decides
    assert (await window.history(case))[-2]["title"] == "审核确认机关变更"


async def test_57_24_who_was_confirmed_is_posted_with_name_number_and_amount(
    window: Window,
) -> None:
    case = await window.granted()
    posted = (await window.file(case))["publicities"][-1]
    assert posted["kind"] == "result"
    assert "telephone" not in posted["fields"]
    assert posted["fields"]["amount"] == "510.00"


async def test_pipl_28_what_is_posted_does_not_tell_of_illness_or_disability(
    window: Window,
) -> None:
    """The extra of the severely ill stands in the notice to the family, not in the village."""
    ill = member("b", "spouse", "1972-06-02", 4, severe_illness=True)
    case = await window.granted(body(applicant(), ill))
    file = await window.file(case)
    assert file["decision"]["assessment"]["total"] == "1320.00"
    assert {one["fields"]["amount"] for one in file["publicities"]} == {"1260.00"}
    assert "1320.00" in await window.page(case, "confirmation")
    assert "1320.00" not in await window.page(case, "publicity")


async def test_57_8_83_1_4_a_severely_ill_member_of_an_edge_family_is_taken_in_alone(
    window: Window,
) -> None:
    earner = applicant("2600.00")
    ill = member("b", "spouse", "1972-06-02", 4, severe_illness=True, alone=True)
    case = await window.granted(body(earner, ill))
    decided = (await window.file(case))["decision"]
    assert decided["assessment"]["outcome"] == "alone"
    page = await window.page(case, "confirmation")
    name = ill["name"]
    assert f"将{name}参照单人户" in page
    assert "保障1人" in page
    posted = {one["fields"]["applicant_name"] for one in (await window.file(case))["publicities"]}
    assert posted == {name}


async def test_57_29_a_household_that_does_not_cooperate(window: Window) -> None:
    case = await window.accepted(body(applicant(), member("b", "spouse", "1972-06-02", 4)))
    dead = await window.step(case, "terminate", {"ground": "deceased", "reason": "已故"})
    assert dead.status_code == 422
    await window.done(
        case, "terminate", {"ground": "uncooperative", "reason": "三次上门拒不配合，均有记录"}
    )
    assert (case.state, case.view["outcome"]) == ("terminated", "terminated")
    assert case.view["decided_on"] is None
    page = await window.page(case, "termination")
    assert "拒不配合" in page
    assert "行政复议" in page
    assert (await window.open()).status_code == 201  # the place of the applicant is free again


async def test_the_applicant_takes_it_back_before_the_decision(window: Window) -> None:
    case = await window.publicised()
    await window.done(case, "withdraw", {})
    assert (case.state, case.view["outcome"]) == ("withdrawn", "withdrawn")
    assert "撤回申请回执" in await window.page(case, "withdrawal")
    hanging = await window.relief.http.get("/v1/relief/publicity", headers=window.headers("reader"))
    assert hanging.json()["items"] == []
    assert (await window.open()).status_code == 201


async def test_a_case_moves_to_another_town_by_the_bureau_and_the_old_one_sees_it_no_more(
    window: Window,
) -> None:
    case = await window.surveyed()
    asked = {"division": OTHER_VILLAGE, "reason": "全家迁居石船镇"}
    town = await window.step(case, "move", asked, who="decider")
    assert town.status_code == 404
    await window.done(case, "move", asked, who="decider", **BUREAU)
    old = await window.relief.http.get(
        f"/v1/relief/applications/{case.id}", headers=window.headers("reader")
    )
    assert old.status_code == 404
    file = await window.file(case, division=OTHER_TOWN)
    assert file["surveys"]
    assert file["check"]["state"] == "closed"
    assert file["household"]["members"]
    await window.done(case, "opinion", opinion("grant"), who="opiner-2", division=OTHER_TOWN)


async def test_an_answer_that_comes_after_the_report_flags_the_case(window: Window) -> None:
    case = await window.accepted()
    window.other.script("bank", "*", "late", after_seconds=0.05)
    await window.done(case, "check", who="checker", **BUREAU)
    await window.run_jobs()
    await accept_missing(window, case)
    await window.done(case, "check-closed", who="checker", **BUREAU)
    window.later(1)
    await window.run_jobs()
    file = await window.file(case)
    assert "late_answer" in file["case"]["flags"]
    assert file["check"]["late"]


async def test_57_17_before_the_check_nothing_is_known_and_the_assessment_says_so(
    window: Window,
) -> None:
    case = await window.accepted()
    url = f"/v1/relief/applications/{case.id}/assessment"
    answer = await window.relief.http.get(url, headers=window.headers("reader"))
    told = answer.json()
    assert told["outcome"] is None
    (sources,) = [
        one for one in told["assessment"]["conditions"] if one["code"] == "sources_complete"
    ]
    assert sources["passed"] is None
    assert "申请人的银行存款信息" in sources["fact"]


async def test_57_17_nothing_is_decided_while_a_late_answer_lies_unread(window: Window) -> None:
    """The account told of after the report stands in no fact; after a new check it does."""
    case = await window.accepted()
    rich = [{"kind": "deposit", "amount": "90000.00"}]
    window.other.script("bank", "*", "late", items=rich, after_seconds=0.05)
    await window.done(case, "check", who="checker", **BUREAU)
    await window.run_jobs()
    await accept_missing(window, case)
    await window.done(case, "check-closed", who="checker", **BUREAU)
    window.later(1)
    await window.run_jobs()
    await window.survey(case)
    await window.done(case, "opinion", opinion("grant"), who="opiner")
    await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
    window.later(8)
    await window.done(case, "publicity-closed", who="opiner")
    early = await window.step(case, "decide", decision("grant"), who="decider", **BUREAU)
    assert (early.status_code, kind_of(early)) == (409, "step-refused")
    assert "银行存款" in early.json()["detail"]
    await window.done(case, "return", {"reason": "核对后又查得存款"}, who="decider", **BUREAU)
    window.other.script("bank", "*", "answer", items=rich)
    await window.check(case)
    assert case.state == "disqualified"
    await window.done(case, "opinion", opinion("refuse"), who="opiner")
    await window.sent_on(case)
    await window.done(case, "decide", decision("refuse"), who="decider", **BUREAU)


async def accept_missing(window: Window, case: Case) -> None:
    """After the three days that a source is given."""
    window.later(3)
    check = (await window.file(case))["check"]
    for line in check["lines"]:
        if line["status"] == "asked":
            read = await window.relief.http.get(
                f"/v1/relief/checks/{check['id']}", headers=window.headers("checker", DISTRICT)
            )
            await window.relief.http.post(
                f"/v1/relief/checks/{check['id']}/requests/{line['request']}/acceptance",
                json={"reason": "银行系统检修"},
                headers=window.headers("checker", DISTRICT, etag=read.headers["etag"]),
            )


async def test_who_applies_or_is_paid_elsewhere_is_shown_without_the_other_file(
    window: Window,
) -> None:
    spouse = member("b", "spouse", "1972-06-02", 4)
    first = await window.opened(body(applicant(), spouse))
    other = body(applicant(sequence=7), {**spouse, "relation": "sibling"})
    answer = await window.open({**other, "division": OTHER_VILLAGE}, division=OTHER_TOWN)
    assert answer.status_code == 201, answer.text
    (seen,) = (await window.file(first))["conflicts"]
    assert (seen["state"], seen["file"]) == ("open", None)
    (whole,) = (await window.file(first, division=DISTRICT))["conflicts"]
    assert whole["file"] == answer.json()["id"]


async def test_57_17_a_member_who_came_after_the_check_is_checked_before_the_opinion(
    window: Window,
) -> None:
    case = await window.surveyed()
    url = f"/v1/relief/households/{(await window.file(case))['household']['id']}"
    read = await window.relief.http.get(url, headers=window.headers("acceptor"))
    joined = await window.relief.http.post(
        f"{url}/members",
        json=member("b", "spouse", "1972-06-02", 4),
        headers=window.headers("acceptor", etag=read.headers["etag"]),
    )
    assert joined.status_code == 201, joined.text
    early = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (early.status_code, kind_of(early)) == (409, "contradicts-rules")
    await window.check(case)
    await window.survey(case)
    await window.done(case, "opinion", opinion("grant"), who="opiner")


async def test_supporters_outside_the_household_are_asked_about_too_before_2026_07_01(
    window: Window,
) -> None:
    son = {
        "relation": "child",
        "name": "诸葛远",
        "document_number": member("x", "child", "1995-02-02", 9)["document_number"],
    }
    case = await window.accepted(body(household={"supporters": [son]}))
    await window.done(case, "check", who="checker", **BUREAU)
    assert "supporter" in {one["role"] for one in (await window.file(case))["check"]["lines"]}


async def test_a_notice_whose_delivery_is_recorded_already_goes_on_to_the_archive(
    window: Window,
) -> None:
    case = await window.granted()
    (notice,) = [one for one in await window.documents(case) if one["kind"] == "confirmation"]
    day = window.today().isoformat()
    answer = await window.relief.http.post(
        f"/v1/relief/cases/{case.id}/documents/{notice['id']}/delivery",
        json={"how": "mail", "on": day, "received_by": "某人"},
        headers=window.headers("acceptor", etag=case.view["etag"]),
    )
    assert answer.status_code == 200, answer.text
    delivery = {"how": "in_person", "on": day}
    await window.done(case, "deliver", delivery, etag=answer.headers["etag"])
    await window.done(case, "close")
    kept = [one for one in await window.documents(case) if one["kind"] == "confirmation"]
    assert [one["delivered_how"] for one in kept] == ["mail"]
