"""Law by date: 2021 (standards rise on 2021-09-01) and 2026 (社会救助法 from 2026-07-01)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.services.relief.applications.window import (
    DISTRICT,
    TOWN,
    VILLAGE,
    Case,
    Window,
    applicant,
    body,
    decision,
    kind_of,
    member,
    opinion,
)

LIANGJIANG = "500157000000"
TOWN_2026 = "500157103000"
"""玉峰山镇 under the code that it has since 2025-12-05."""


async def decided_on(window: Window, day: str, wage: str = "636.00") -> Case:
    """Accepted on 2021-07-20, everything done by August, decided on a day."""
    window.relief.at("2021-07-20")
    case = await window.checked(body(applicant(wage, employed=False)))
    if case.state == "checked":
        await window.survey(case)
        await window.done(case, "opinion", opinion("grant"), who="opiner")
        await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
        window.relief.at("2021-07-30")
        await window.done(case, "publicity-closed", who="opiner")
    window.relief.at(day)
    return case


@pytest.mark.parametrize(
    ("day", "standard", "base", "payable"),
    [
        ("2021-08-31", "620.00", "420.00", "2021-09-01"),
        ("2021-09-01", "636.00", "436.00", "2021-10-01"),
    ],
)
async def test_the_standard_of_the_day_of_decision_decides(
    window: Window, day: str, standard: str, base: str, payable: str
) -> None:
    case = await decided_on(window, day, "250.00")
    await window.done(case, "decide", decision("grant"), who="decider", division=DISTRICT)
    assessed = (await window.file(case))["decision"]["assessment"]
    assert assessed["standard"]["amount"] == standard
    assert assessed["base"] == base
    assert assessed["payable_from"] == payable
    noted = f"初审测算每月420.00元，现为每月{base}元"
    assert (noted in await window.page(case, "confirmation")) == (base != "420.00")
    assert any(noted in note for note in assessed["notes"]) == (base != "420.00")


async def test_who_was_above_the_old_standard_is_below_the_new_one(window: Window) -> None:
    """630 a head after employment cost: not below 620, but below 636."""
    window.relief.at("2021-08-20")
    case = await window.checked(body(applicant("787.50")))
    assert case.state == "disqualified"
    await window.done(case, "opinion", opinion("refuse"), who="opiner")
    await window.sent_on(case)
    window.relief.at("2021-09-01")
    stale = await window.step(case, "decide", decision("refuse"), who="decider", division=DISTRICT)
    assert stale.status_code == 409
    assert stale.json()["type"] == "urn:minzheng:problem:contradicts-rules"
    unposted = await window.step(
        case, "decide", decision("grant"), who="decider", division=DISTRICT
    )
    assert unposted.json()["type"] == "urn:minzheng:problem:opinion-outdated"
    back = {"reason": "按新标准符合条件，须公示"}
    await window.done(case, "return", back, who="decider", division=DISTRICT)
    await window.survey(case)
    await window.done(case, "opinion", opinion("grant"), who="opiner")
    await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
    window.later(8)
    await window.done(case, "publicity-closed", who="opiner")
    await window.done(case, "decide", decision("grant"), who="decider", division=DISTRICT)
    assessed = (await window.file(case))["decision"]["assessment"]
    assert Decimal(assessed["base"]) == 6


@pytest.mark.parametrize("recorded_on", ["2021-06-08", "2021-06-09", "2021-06-20"])
async def test_ordinance_19_an_appraisal_that_is_recorded_late_keeps_the_clock_no_longer(
    window: Window, recorded_on: str
) -> None:
    window.relief.at("2021-06-03")
    case = await window.surveyed()
    assert case.view["clock"]["due"] == "2021-07-05"
    await window.done(case, "appraisal", {"held_on": "2021-06-08"}, who="opiner")
    window.relief.at(recorded_on)
    held = {"held_on": "2021-06-08", "participants": 9, "outcome": "属实", "disputed": False}
    await window.done(case, "appraisal-record", held, who="opiner")
    assert case.view["clock"]["due"] == "2021-07-07"  # 4 to 7 June left out


async def test_ordinance_18_19_the_community_appraises_and_its_days_and_publicity_do_not_count(
    window: Window,
) -> None:
    window.relief.at("2021-06-28")
    case = await window.accepted()
    assert (case.view["clock"]["due"], case.view["clock"]["unit"]) == ("2021-07-28", "days")
    page = await window.page(case, "acceptance")
    assert "条例(2016)第十七条" in page
    assert "57号" not in page
    await window.check(case)
    await window.survey(case)
    early = await window.step(case, "opinion", opinion("grant"), who="opiner")
    assert (early.status_code, "群众评议" in early.json()["detail"]) == (409, True)
    held = {"held_on": "2021-06-30", "participants": 9, "outcome": "属实", "disputed": False}
    unasked = await window.step(case, "appraisal-record", held, who="opiner")
    assert (unasked.status_code, kind_of(unasked)) == (409, "step-refused")
    await window.done(case, "appraisal", {"held_on": "2021-06-30"}, who="opiner")
    assert case.view["clock"]["light"] == "paused"
    window.relief.at("2021-06-30")
    await window.done(case, "appraisal-record", held, who="opiner")
    (kept,) = (await window.file(case))["appraisals"]
    assert (kept["participants"], kept["disputed"]) == (9, False)
    await window.done(case, "opinion", opinion("grant"), who="opiner")
    await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner")
    window.later(3)
    await window.file(case)
    assert case.view["clock"]["light"] == "paused"
    window.later(15)
    await window.file(case)
    assert case.view["clock"]["light"] == "green"  # its seven days are over, though it still hangs
    await window.done(case, "publicity-closed", who="opiner")
    # The seven days of the publicity do not count, nor the one between calling and appraising.
    assert case.view["clock"]["due"] == "2021-08-05"
    late = await window.step(
        case,
        "prolong",
        {"ground": "hard_survey", "reason": "外出务工"},
        who="decider",
        division=DISTRICT,
    )
    assert late.status_code == 409  # the law of the day of acceptance knows no longer limit


@pytest.mark.parametrize(
    ("town", "prolonged", "due"),
    [(True, False, "2022-11-18"), (False, False, "2022-12-02"), (False, True, "2022-12-23")],
)
async def test_relief_md_11_13_limits_of_an_acceptance_on_2022_10_21(
    window: Window, town: bool, prolonged: bool, due: str
) -> None:
    window.relief.at("2022-10-21")
    if town:
        await window.delegate("2022-01-01")
    case = await window.accepted()
    if prolonged:
        asked = {"ground": "hard_survey", "reason": "成员分散务工"}
        await window.done(case, "prolong", asked, who="decider", division=DISTRICT)
    assert case.view["clock"]["due"] == due


async def test_57_publicity_is_counted_since_2021_07(window: Window) -> None:
    window.relief.at("2021-07-01")
    case = await window.publicised()
    assert case.view["clock"]["due"] == "2021-08-12"
    window.later(8)
    await window.done(case, "publicity-closed", who="opiner")
    assert case.view["clock"]["due"] == "2021-08-12"
    assert case.view["clock"]["light"] == "green"


@pytest.fixture
async def in_2026(window: Window) -> Window:
    """The same village after its town came to another district and took a new code."""
    window.relief.at("2026-06-15")
    await window.set_standards(LIANGJIANG, (("2025-12-05", "770", "630"),))
    return window


async def until_awaiting(window: Window) -> Case:
    """Accepted in June 2026 under the old law; at the decider's on the last of June."""
    case = await window.opened()
    claims = {"division": TOWN_2026}
    await window.done(case, "accept", {"area": "urban", "area_reason": "社区户籍"}, **claims)
    await window.done(case, "check", who="checker", division=LIANGJIANG)
    await window.run_jobs()
    await window.done(case, "check-closed", who="checker", division=LIANGJIANG)
    visit = await window.visit(case)
    await window.done(case, "survey", visit, who="surveyor-1", **claims)
    await window.done(case, "survey/sign", who="surveyor-2", **claims)
    await window.done(case, "opinion", opinion("grant"), who="opiner", **claims)
    await window.done(case, "publicise", {"telephone": "023-67212345"}, who="opiner", **claims)
    window.relief.at("2026-06-30")
    await window.done(case, "publicity-closed", who="opiner", **claims)
    return case


@pytest.mark.parametrize(
    ("day", "cited", "absent"),
    [
        ("2026-06-30", "社会救助暂行办法", "社会救助法》"),
        ("2026-07-01", "社会救助法》", "暂行办法"),
    ],
)
async def test_a_decision_cites_the_law_of_its_day_in_the_middle_of_an_open_case(
    in_2026: Window, day: str, cited: str, absent: str
) -> None:
    case = await until_awaiting(in_2026)
    in_2026.relief.at(day)
    await in_2026.done(case, "decide", decision("grant"), who="decider", division=LIANGJIANG)
    page = await in_2026.page(case, "confirmation")
    assert cited in page
    assert absent not in page
    assert "两江新区人民政府" in page
    assert case.view["clock"]["due"] == "2026-07-21"  # of the day of acceptance, as before


async def test_law_44_a_bureaus_own_delegation_does_not_hold_from_2026_07_01(
    in_2026: Window,
) -> None:
    await in_2026.delegate("2026-01-01", division=TOWN_2026, by=LIANGJIANG)
    case = await until_awaiting(in_2026)
    in_2026.relief.at("2026-07-01")
    answer = await in_2026.step(
        case, "decide", decision("grant"), who="decider", division=TOWN_2026
    )
    assert answer.status_code == 403
    assert "第44条" in answer.json()["detail"]
    await in_2026.file(case, division=LIANGJIANG)
    assert case.view["clock"]["count"] == 20
    await in_2026.day_begins()
    await in_2026.file(case, division=LIANGJIANG)
    assert (case.view["clock"]["count"], case.view["clock"]["unit"]) == (25, "working_days")
    told = (await in_2026.history(case, division=LIANGJIANG))[-1]
    assert told["title"] == "审核确认机关变更"
    assert told["reason"] == (
        "现由区县民政部门审核确认（缺少市级政府规定（社会救助法第44条）），办理期限为25个工作日"
    )
    assert case.view["actions"]
    assert "reassign" not in [one["name"] for one in case.view["actions"]]
    await in_2026.done(case, "decide", decision("grant"), who="decider", division=LIANGJIANG)
    assert (await in_2026.file(case))["decision"]["authority"]["flagged"]


async def test_law_44_a_rule_of_the_city_lets_the_town_decide(in_2026: Window) -> None:
    await in_2026.delegate("2026-01-01", basis="municipal", division=TOWN_2026, by=LIANGJIANG)
    case = await until_awaiting(in_2026)
    in_2026.relief.at("2026-07-01")
    await in_2026.done(case, "decide", decision("grant"), who="decider", division=TOWN_2026)
    assert "玉峰山镇" in (await in_2026.page(case, "acceptance"))
    page = await in_2026.page(case, "confirmation")
    assert "审核确认权限依据：渝北民政〔2021〕12号" in page
    assert "委托" not in page


async def test_a_town_that_comes_to_another_district_in_the_middle_of_a_case(
    window: Window,
) -> None:
    window.relief.at("2025-10-27")
    case = await window.awaiting()
    window.relief.at("2025-12-08")
    await window.set_standards(LIANGJIANG, (("2025-12-05", "770", "630"),))
    gone = await window.step(case, "decide", decision("grant"), who="decider", division=DISTRICT)
    assert (gone.status_code, gone.json()["type"].rpartition(":")[2]) == (403, "not-competent")
    await window.done(case, "decide", decision("grant"), who="decider", division=LIANGJIANG)
    found = await window.file(case, division=TOWN)
    assert (found["case"]["division"], found["case"]["division_name"]) == (VILLAGE, "玉峰山社区")
    award = await window.relief.http.get(
        f"/v1/relief/awards/{found['decision']['award']}", headers=window.headers("reader")
    )
    assert award.json()["division"] == VILLAGE  # its code of the day is not known (decision 0005)
    (notice,) = [one for one in await window.documents(case) if one["kind"] == "confirmation"]
    assert "向两江新区人民政府申请行政复议" in notice["snapshot"]["remedies"][0]
    await window.done(case, "deliver", {"how": "mail", "on": "2025-12-08"}, division=TOWN_2026)


@pytest.mark.parametrize("consented", [True, False])
async def test_law_41_a_supporter_outside_is_asked_about_with_consent_alone(
    in_2026: Window, *, consented: bool
) -> None:
    in_2026.relief.at("2026-07-02")
    son: dict[str, Any] = {
        "relation": "child",
        "name": "诸葛远",
        "document_number": member("x", "child", "1995-02-02", 9)["document_number"],
    }
    if consented:
        son |= {"consented_on": "2026-07-01", "consent_document": "核对同意书 2026 版"}
    case = await in_2026.opened(body(household={"supporters": [son]}))
    accept = {"area": "urban", "area_reason": "社区户籍"}
    await in_2026.done(case, "accept", accept, division=TOWN_2026)
    await in_2026.done(case, "check", who="checker", division=LIANGJIANG)
    roles = {one["role"] for one in (await in_2026.file(case))["check"]["lines"]}
    assert ("supporter" in roles) is consented
