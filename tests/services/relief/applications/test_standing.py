"""What is decided is what was opined and posted, of those who still apply (57号 art. 4, 16, 19)."""

from typing import Any

from tests.services.relief.applications.window import (
    DISTRICT,
    Case,
    Window,
    applicant,
    body,
    decision,
    kind_of,
    member,
    opinion,
)

BUREAU = {"division": DISTRICT}
PHONE = {"telephone": "023-67212345"}
SPOUSE = member("b", "spouse", "1972-06-02", 4)
CHILD = member("c", "child", "2015-07-03", 5)


async def household(window: Window, case: Case, path: str, asked: dict[str, Any]) -> None:
    """A change of the household's records by the town's window."""
    url = f"/v1/relief/households/{(await window.file(case))['household']['id']}"
    read = await window.relief.http.get(url, headers=window.headers("acceptor"))
    headers = window.headers("acceptor", etag=read.headers["etag"])
    answer = await window.relief.http.post(f"{url}/{path}", json=asked, headers=headers)
    assert answer.is_success, answer.text


async def members(window: Window, case: Case) -> list[str]:
    return [one["id"] for one in (await window.file(case))["household"]["members"]]


async def earns(window: Window, case: Case, amount: str) -> None:
    (first, *_) = await members(window, case)
    wage = {"fact": "income", "member": first, "kind": "wage", "amount": amount}
    await household(window, case, "facts", {**wage, "first_month": "2025-02-01"})


async def dies(window: Window, case: Case) -> None:
    (first, *_) = await members(window, case)
    left = {"left_on": window.today().isoformat(), "reason": "death"}
    await household(window, case, f"members/{first}/leave", left)


async def test_57_19_what_is_granted_is_what_was_posted(window: Window) -> None:
    """A wage told after the posting: still entitled, but to less than what hung there."""
    case = await window.publicised()
    window.later(8)
    await earns(window, case, "100.00")
    closing = await window.step(case, "publicity-closed", who="opiner")
    assert (closing.status_code, kind_of(closing)) == (409, "opinion-outdated")
    bare = await window.step(case, "retract", {"reason": " "}, who="opiner")
    assert bare.status_code == 422
    await window.done(case, "retract", {"reason": "工资有变化"}, who="opiner")
    assert case.state == "surveyed"
    (posted,) = (await window.file(case))["publicities"]
    assert (posted["closed_on"], posted["outcome"]) == ("2025-03-11", "retracted")
    await window.done(case, "opinion", opinion("grant"), who="opiner")
    await window.done(case, "publicise", PHONE, who="opiner")
    again = (await window.file(case))["publicities"][-1]
    assert (again["kind"], again["last_day"]) == ("opinion", "2025-03-18")
    assert again["fields"]["amount"] != posted["fields"]["amount"]
    window.later(8)
    await window.done(case, "publicity-closed", who="opiner")
    await window.done(case, "decide", decision("grant"), who="decider", **BUREAU)


async def test_57_19_a_fact_told_to_the_decider_goes_back_to_the_town(window: Window) -> None:
    case = await window.awaiting()
    await earns(window, case, "100.00")
    answer = await window.step(case, "decide", decision("grant"), who="decider", **BUREAU)
    assert (answer.status_code, kind_of(answer)) == (409, "opinion-outdated")
    await window.done(case, "return", {"reason": "收入有变化"}, who="decider", **BUREAU)
    assert (await window.relief.rows("SELECT 1 FROM award")) == []


async def test_57_19_an_opinion_that_was_overtaken_is_neither_posted_nor_sent_on(
    window: Window,
) -> None:
    case = await window.opined()
    await earns(window, case, "100.00")
    answer = await window.step(case, "publicise", PHONE, who="opiner")
    assert (answer.status_code, kind_of(answer)) == (409, "opinion-outdated")


async def test_57_18_a_retracted_refusal_is_no_way_around_the_survey(window: Window) -> None:
    number = applicant()["document_number"]
    window.other.script("bank", number, "answer", items=[{"kind": "deposit", "amount": "90000.00"}])
    case = await window.checked()
    assert case.state == "disqualified"
    await window.done(case, "opinion", opinion("refuse"), who="opiner")
    await window.done(case, "retract", {"reason": "存款系误报"}, who="opiner")
    assert case.state == "disqualified"  # nobody has surveyed: it may be contested as before
    facts = (await window.file(case))["household"]["facts"]
    (deposit,) = [one for one in facts if one["fact"] == "property"]
    await household(window, case, f"facts/{deposit['id']}/correction", {"reason": "非本人存款"})
    answer = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (answer.status_code, kind_of(answer)) == (409, "contradicts-rules")
    await window.survey(case)
    await window.done(case, "opinion", opinion("grant"), who="opiner")


async def test_57_4_when_the_applicant_dies_another_member_applies(window: Window) -> None:
    case = await window.publicised(body(applicant(), SPOUSE, CHILD))
    dead, spouse, child = await members(window, case)
    early = await window.step(case, "applicant", {"member": spouse})
    assert (early.status_code, kind_of(early)) == (409, "step-refused")
    await dies(window, case)
    window.later(8)
    closing = await window.step(case, "publicity-closed", who="opiner")
    assert (closing.status_code, kind_of(closing)) == (409, "applicant-left")
    for who in (dead, child):
        refused = await window.step(case, "applicant", {"member": who})
        assert refused.json()["errors"][0]["pointer"] == "/member"
    await window.done(case, "applicant", {"member": spouse})
    assert case.view["label"].endswith("等2人")
    file = await window.file(case)
    assert (file["applicant"], file["applicant_left"]) == (spouse, False)
    await window.done(case, "retract", {"reason": "申请人死亡"}, who="opiner")
    await window.done(case, "opinion", opinion("grant"), who="opiner")
    await window.done(case, "publicise", PHONE, who="opiner")
    window.later(8)
    await window.done(case, "publicity-closed", who="opiner")
    await window.done(case, "decide", decision("grant"), who="decider", **BUREAU)
    papers = [one for one in await window.documents(case) if one["kind"] == "confirmation"]
    assert papers[0]["snapshot"]["addressee"] == SPOUSE["name"]
    posted = (await window.file(case))["publicities"]
    assert {one["fields"]["applicant_name"] for one in posted[1:]} == {SPOUSE["name"]}
    (award,) = await window.relief.rows(
        "SELECT 1 FROM award a JOIN household_member m ON m.person = a.applicant WHERE m.id = $1",
        spouse,
    )
    assert award


async def test_57_4_who_took_over_cannot_apply_a_second_time(window: Window) -> None:
    case = await window.accepted(body(applicant(), SPOUSE))
    _, spouse = await members(window, case)
    await dies(window, case)
    await window.done(case, "applicant", {"member": spouse})
    second = await window.open(body({**SPOUSE, "ref": "a", "relation": "self"}))
    assert (second.status_code, kind_of(second)) == (409, "already-applied")


async def test_57_29_the_notice_of_a_single_applicants_death_goes_to_the_next_of_kin(
    window: Window,
) -> None:
    case = await window.accepted()
    await dies(window, case)
    await window.done(case, "terminate", {"ground": "deceased", "reason": "户内已无其他成员"})
    (notice,) = [one for one in await window.documents(case) if one["kind"] == "termination"]
    assert notice["snapshot"]["addressee"] == f"{applicant()['name']}的近亲属"


async def test_57_16_a_record_that_nobody_else_signs_is_withdrawn_and_made_anew(
    window: Window,
) -> None:
    case = await window.checked()
    visit = await window.visit(case, surveyors=["surveyor-1", "surveyor-typo"])
    await window.done(case, "survey", visit, who="surveyor-1")
    reason = {"reason": "调查人员填写有误"}
    other = await window.step(case, "survey/withdraw", reason, who="surveyor-2")
    assert other.status_code == 403
    await window.done(case, "survey/withdraw", reason, who="surveyor-1")
    for path, asked in (("survey/withdraw", reason), ("survey/sign", None)):
        twice = await window.step(case, path, asked, who="surveyor-1")
        assert (twice.status_code, kind_of(twice)) == (409, "step-refused")
    await window.survey(case)
    assert case.state == "surveyed"
    withdrawn = [one["withdrawn_on"] for one in (await window.file(case))["surveys"]]
    assert withdrawn == ["2025-03-03", None]


async def test_57_13_a_household_of_which_nobody_is_counted_is_refused_for_it(
    window: Window,
) -> None:
    case = await window.checked(body(applicant("", in_prison=True)))
    assert case.state == "disqualified"
    await window.done(case, "opinion", opinion("refuse"), who="opiner")
    await window.sent_on(case)
    await window.done(case, "decide", decision("refuse"), who="decider", **BUREAU)
    (paper,) = [one for one in await window.documents(case) if one["kind"] == "refusal"]
    (reason,) = paper["snapshot"]["reasons"]
    assert reason["code"] == "household_has_members"
    assert "第七条" in reason["article"]


async def archive(window: Window, case: Case) -> Any:
    url = f"/v1/relief/cases/{case.id}/archive"
    return await window.relief.http.get(url, headers=window.headers("reader"))


async def test_archive_a_closed_case_has_a_numbered_catalogue(window: Window) -> None:
    case = await window.granted()
    await window.done(case, "deliver", {"how": "mail", "on": window.today().isoformat()})
    assert (await archive(window, case)).status_code == 404
    await window.done(case, "close")
    kept = (await archive(window, case)).json()
    assert (kept["archived_on"], kept["retention"]) == ("2025-03-11", "long_term")
    listed = kept["catalogue"]["documents"]
    papers = await window.documents(case)
    assert [(one["position"], one["number"], one["digest"]) for one in listed] == [
        (place, one["number"], one["digest"]) for place, one in enumerate(papers, 1)
    ]
    assert [one["kind"] for one in kept["catalogue"]["publicities"]] == ["opinion", "result"]
    assert kept["catalogue"]["steps"] == 13


async def test_archive_a_withdrawn_case_is_put_away_too(window: Window) -> None:
    case = await window.accepted()
    await window.done(case, "withdraw", {})
    kept = (await archive(window, case)).json()
    assert [one["title"] for one in kept["catalogue"]["documents"]] == [
        "受理通知书",
        "撤回申请回执",
    ]
