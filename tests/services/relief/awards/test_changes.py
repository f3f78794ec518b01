"""Changes of an award: 法 46–48; 57号 30–34; 83号 1(3), 5(5); 条例 28, 29; relief.md §11."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from chassis.identity import mask_name
from chassis.jobs import JobHandler, JobRunner
from services.relief.awards import deaths, endings
from services.relief.entitlement.facts import WorkCapacity
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.households.schemas import MemberIn
from tests.services.relief.awards.granting import (
    BOTH,
    NAME,
    NEW_DISTRICT,
    OTHER,
    REASON,
    TOWN,
    VILLAGE,
    Office,
    man,
    three,
    wife,
)
from tests.services.relief.households.family import person
from tests.support.jobs import run_due
from tests.support.services import DISTRICT, Running

REQUEST = {"requested_on": "2025-08-11", "document": "退出申请书"}
DELIVERY = {"how": "in_person", "on": "2025-08-11", "received_by": "欧阳清风"}


async def granted_long_ago(town: Office) -> Any:
    """An award of 1110 paid since 2025-04, with the income of its application."""
    town.relief.at("2025-03-10")
    granted = await town.grant(*three())
    town.relief.at("2025-08-11")
    return granted


async def test_57_art_31_less_income_is_paid_more_from_the_next_month(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    await town.wage(granted, "1000.00", "2025-07-01")
    await town.fact(
        granted,
        fact="income",
        member=str(granted.members[0]),
        kind="wage",
        amount="0",
        first_month="2025-08-01",
    )
    town.relief.at("2025-09-10")
    change = await town.proposed(granted, "increase", happened_on="2025-08-20")
    assert (change["before"], change["after"]) == ("1110.00", "2310.00")
    assert (change["effect"], change["effective_from"]) == ("raised", "2025-10-01")
    assert (change["hearing_needed"], change["unreported"]) == (False, False)
    decided = await bureau.decided(change)
    assert (decided["state"], decided["decided_on"]) == ("decided", "2025-09-10")
    assert await town.standing(granted) == [
        ("2025-09-01", "paid", 3, "1110.00", "0.00"),
        ("2025-10-01", "paid", 3, "2310.00", "0.00"),
    ]
    verbs = await town.events(granted.id)
    assert [verb for verb, _ in verbs] == ["approved", "changed"]
    assert [one["from"] for one in verbs[-1][1]["periods"]] == ["2025-09-01", "2025-10-01"]


async def test_57_art_32_a_reduction_says_why_in_writing_and_how_to_object(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-10")
    await town.wage(granted, "2000.00", "2025-08-01")
    change = await town.proposed(granted, "reduce")
    assert (change["before"], change["after"]) == ("1110.00", "695.00")
    decided = await bureau.decided(change)
    assert decided["effect"] == "lowered"
    assert [verb for verb, _ in await town.events(granted.id)] == ["approved", "reduced"]
    documents = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    titles = [one["title"] for one in documents]
    assert titles == ["听取意见告知书", "最低生活保障金减发决定书"]
    page = await town.get(f"/cases/{change['id']}/documents/{documents[1]['id']}/page")
    for words in (
        f"{NAME}：",
        "自 2025年10月1日 起，减发你户最低生活保障金，每月合计 695.00 元。",
        REASON,
        "770.00",
        "家庭月收入 1615.00 元",
        "来源：核对",
        "民发〔2021〕57号第三十一条、第三十二条",
        "行政复议",
        "行政诉讼",
    ):
        assert words in page.text, words


async def test_no_person_stands_in_any_event_of_a_change(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    change = await town.proposed(granted, "voluntary", **REQUEST)
    await bureau.decided(change)
    rows = await town.relief.rows("SELECT convert_from(body, 'UTF8') AS body FROM chassis.outbox")
    assert rows
    for row in rows:
        assert not any(word in row["body"] for word in (NAME, "欧阳", REASON, "退出申请书"))
        assert not any(str(one) in row["body"] for one in granted.persons)


async def test_the_case_of_a_change_tells_its_steps(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    change = await town.proposed(granted, "voluntary", **REQUEST)
    await bureau.decided(change)
    assert (await town.on_change(change, "deliver", DELIVERY)).json()["state"] == "closed"
    events = await town.events(change["id"])
    assert [verb for verb, _ in events] == ["opened", "decided", "delivered", "closed"]
    data = events[-1][1]
    assert (data["matter"], data["outcome"]) == ("dibao_change", "granted")
    assert data["parent"] == (await town.seen(f"/awards/{granted.id}"))["case"]
    listed = await town.seen(f"/awards/{granted.id}/changes")
    assert [one["id"] for one in listed["items"]] == [change["id"]]
    kept = await town.seen(f"/cases/{change['id']}/archive")
    assert [one["number"].rpartition("-")[2] for one in kept["catalogue"]["documents"]] == ["2"]


@pytest.mark.parametrize(
    ("kind", "wage"),
    [
        ("increase", "1500.00"),
        ("increase", "2000.00"),
        ("reduce", "1500.00"),
        ("reduce", "1000.00"),
        ("reduce", "9000.00"),
        ("stop", "1500.00"),
        ("standard_changed", "1500.00"),
        ("members_changed", "1500.00"),
        ("members_changed", "9000.00"),
    ],
)
async def test_a_change_that_the_rules_contradict_is_refused(
    town: Office, kind: str, wage: str
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-10")
    await town.wage(granted, wage, "2025-08-01")
    answer = await town.propose(granted, kind)
    assert answer.status_code == 409, answer.text
    assert answer.json()["type"].endswith("contradicts-rules")
    assert await town.relief.rows("SELECT 1 FROM award_change") == []


async def test_what_was_established_holds_until_something_newer_is_recorded(
    town: Office,
) -> None:
    """57号 art. 31: a year on, the wage of the application has not become nothing."""
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    answer = await town.propose(granted, "increase")
    assert "应发 1110.00 元" in answer.json()["detail"]


async def test_the_rules_of_the_day_of_decision_decide_not_those_of_the_proposal(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-10")
    await town.wage(granted, "2000.00", "2025-08-01")
    change = await town.proposed(granted, "reduce")
    town.relief.at("2025-10-10")
    await town.wage(granted, "1000.00", "2025-09-01")
    answer = await bureau.on_change(change, "decide", {})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (
        409,
        "contradicts-rules",
    )


async def test_law_art_48_vector_17_a_stop_without_a_hearing_on_either_side_of_2026_07_01(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-06-29")
    await town.wage(granted, "9000.00", "2026-05-01")
    change = await town.proposed(granted, "stop")
    town.relief.at("2026-07-01")
    refused = await bureau.on_change(change, "decide", {})
    assert refused.status_code == 409, refused.text
    assert refused.json()["type"] == "urn:minzheng:problem:hearing-required"
    assert (await town.seen(f"/award-changes/{change['id']}"))["hearing_needed"] is True
    town.relief.at("2026-06-30")
    decided = await bureau.decided(change)
    assert (decided["effect"], decided["effective_from"]) == ("stopped", "2026-07-01")


async def test_law_art_48_heard_before_and_told_after(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    await town.wage(granted, "9000.00", "2026-06-01")
    change = await town.proposed(granted, "stop")
    assert change["hearing_needed"] is True
    (notice,) = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    page = await town.get(f"/cases/{change['id']}/documents/{notice['id']}/page")
    assert "根据《社会救助法》第四十八条，作出决定前听取你户意见" in page.text
    town.relief.at("2026-07-08")
    heard = await town.heard(granted, change, "2026-07-08")
    assert (heard["state"], heard["hearing_needed"]) == ("heard", False)
    assert heard["hearing"]["heard"] == mask_name(NAME)
    assert NAME not in str(heard)
    (row,) = await town.relief.rows("SELECT statement, heard FROM award_hearing")
    assert "请求少减".encode() not in row["statement"]
    decided = await bureau.decided(change)
    assert (decided["state"], decided["effective_from"]) == ("decided", "2026-08-01")
    documents = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    page = await town.get(f"/cases/{change['id']}/documents/{documents[-1]['id']}/page")
    assert "家中确有困难，请求少减" in page.text
    assert "社会救助法第四十七条" in page.text
    assert [verb for verb, _ in await town.events(granted.id)] == ["approved", "stopped"]


async def test_law_art_48_the_household_has_its_time_to_answer_or_waives_it(
    town: Office, bureau: Office
) -> None:
    """Five working days, which no law sets; nobody is silent before they are over."""
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    await town.wage(granted, "2000.00", "2026-06-01")
    first = await town.proposed(granted, "reduce")
    assert "自收到本告知书之日起 5个工作日内" in await page_of(town, first)
    clock = (await town.seen(f"/cases/{first['id']}"))["step_clock"]
    assert (clock["due"], clock["light"], clock["source"]) == (
        "2026-07-13",
        "green",
        "本系统运行约定",
    )
    (todo,) = (await town.seen("/todo", process="听取意见"))["items"]["items"]
    assert (todo["id"], todo["due"]) == (first["id"], "2026-07-13")
    asked = {"notified_on": "2026-07-06", "heard_on": "2026-07-06", "statement": "没有意见"}
    waived = asked | {"method": "waived", "person": str(granted.persons[2])}
    answer = await town.on_change(first, "hearing", waived)
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/guardian"]
    answer = await town.on_change(first, "hearing", waived | {"guardian": NAME})
    assert answer.json()["hearing"]["guardian"] == mask_name(NAME)
    await bureau.decided(first)
    await town.wage(granted, "9000.00", "2026-06-01", member=1)
    second = await town.proposed(granted, "stop")
    absent = asked | {"method": "absent"}
    for day, status in (("2026-07-13", 422), ("2026-07-14", 200)):
        town.relief.at(day)
        answer = await town.on_change(second, "hearing", absent | {"heard_on": day})
        assert answer.status_code == status, answer.text
    assert (await bureau.decided(second))["effect"] == "stopped"


async def test_law_art_48_also_a_reduction_but_no_increase_is_heard(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    await town.wage(granted, "2000.00", "2026-06-01")
    change = await town.proposed(granted, "reduce")
    answer = await bureau.on_change(change, "decide", {})
    assert answer.json()["type"].endswith("hearing-required")
    await town.on_change(change, "withdraw", {"reason": "重新核查"})
    town.relief.at("2026-08-03")
    await town.wage(granted, "1000.00", "2026-07-01")
    raised = await town.proposed(granted, "increase")
    answer = await town.on_change(
        raised,
        "hearing",
        {
            "notified_on": "2026-08-02",
            "heard_on": "2026-08-03",
            "method": "absent",
            "statement": "无",
        },
    )
    assert answer.json()["type"].endswith("hearing-needless")
    assert (await bureau.decided(raised))["effect"] == "raised"


async def test_law_art_48_nothing_worse_is_decided_than_was_told(
    town: Office, bureau: Office
) -> None:
    """Heard on a small cut, the household was not heard on a larger one."""
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    await town.wage(granted, "1800.00", "2026-06-01")
    change = await town.proposed(granted, "reduce")
    await town.heard(granted, change, "2026-07-06")
    await town.wage(granted, "500.00", "2026-06-01", member=1)
    answer = await bureau.on_change(change, "decide", {})
    assert answer.json()["type"].endswith("hearing-required"), answer.text
    assert "更为不利" in answer.json()["detail"]


async def test_law_art_48_the_decision_says_what_became_of_the_opinion(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    await town.wage(granted, "9000.00", "2026-06-01")
    change = await town.proposed(granted, "stop")
    await town.heard(granted, change, "2026-07-06")
    answer = await bureau.on_change(change, "decide", {"reason": "收入已核实，不予采纳"})
    assert answer.status_code == 200, answer.text
    text = await page_of(town, change)
    assert "对意见的处理：收入已核实，不予采纳" in text
    assert "《社会救助法》第七十六条" in text


async def page_of(town: Office, change: Any, place: int = -1) -> str:
    documents = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    page = await town.get(f"/cases/{change['id']}/documents/{documents[place]['id']}/page")
    return page.text


@pytest.mark.parametrize("day", ["2021-06-30", "2021-07-01"])
async def test_a_decision_of_a_change_cites_no_text_before_its_day(
    town: Office, bureau: Office, day: str
) -> None:
    await town.standard(DISTRICT, "2020-01-01", "620", "496")
    town.relief.at("2020-03-02")
    granted = await town.grant(*three())
    town.relief.at(day)
    await town.fact(
        granted,
        fact="income",
        member=str(granted.members[0]),
        kind="wage",
        amount="300.00",
        first_month="2021-05-01",
    )
    change = await town.proposed(granted, "increase")
    await bureau.decided(change)
    text = await page_of(town, change)
    assert "条例(2016)第二十八条" in text
    assert ("57号" in text) == (day == "2021-07-01")
    assert "社会救助法》" not in text


async def test_57_art_34_offers_bind_only_who_can_work(town: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-02-20")
    for day in ("2025-10-01", "2025-10-20", "2025-11-05"):
        await offered(town, granted, day, accepted=False, excused=False)
    await town.fact(
        granted,
        fact="work",
        member=str(granted.members[0]),
        work_capacity="none",
        employed=False,
        valid_from="2025-11-01",
    )
    answer = await town.propose(granted, "job_refusals", person=str(granted.persons[0]))
    assert answer.json()["type"].endswith("contradicts-rules"), answer.text
    assert "有就业能力" in answer.json()["detail"]


async def test_law_art_48_who_asks_to_leave_has_been_heard(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    change = await town.proposed(
        granted, "voluntary", requested_on="2026-07-05", document="退出申请书"
    )
    assert (change["hearing_needed"], change["hearing_note"]) == (
        False,
        "家庭书面申请退出，申请即其意见",
    )
    assert (await bureau.decided(change))["effect"] == "stopped"
    assert (await town.standing(granted))[-1][:3] == ("2026-08-01", "stopped", 0)


async def test_57_art_32_a_request_to_leave_is_of_the_award_and_fresh(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-21")
    # Before the award, 31 days before, and ahead.
    for day in ("2025-08-10", "2025-09-20", "2025-10-22"):
        answer = await town.propose(granted, "voluntary", requested_on=day, document="退出申请书")
        assert answer.status_code == 422, answer.text
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/requested_on"]
    first = await town.proposed(granted, "voluntary", requested_on="2025-10-21", document="申请书")
    await town.on_change(first, "withdraw", {"reason": "改期"})
    last = await town.proposed(granted, "voluntary", requested_on="2025-09-21", document="申请书")
    town.relief.at("2025-11-20")
    assert (await bureau.decided(last))["effect"] == "stopped"


WRONG_HEARINGS: list[dict[str, Any]] = [
    {"heard_on": "2026-07-05"},
    {"notified_on": "2026-07-05", "heard_on": "2026-07-05"},
    {"heard_on": "2026-07-07"},
    {"person": None},
    {"method": "absent"},
    {"method": "absent", "person": None},
    {"person": "01890a5d-ac96-774b-bcce-b302099a8057"},
    {"statement": " "},
    {"method": "rumour"},
]


async def test_a_hearing_is_of_a_member_after_the_proposal_and_says_something(
    town: Office,
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-07-06")
    await town.wage(granted, "9000.00", "2026-06-01")
    change = await town.proposed(granted, "stop")
    right = {
        "notified_on": "2026-07-06",
        "heard_on": "2026-07-06",
        "method": "phone",
        "person": str(granted.persons[0]),
        "statement": "没有意见",
    }
    for wrong in WRONG_HEARINGS:
        answer = await town.on_change(change, "hearing", right | wrong)
        assert answer.status_code == 422, (wrong, answer.text)
        assert "没有意见" not in answer.text


async def test_four_eyes_whoever_proposed_does_not_decide(town: Office) -> None:
    granted = await town.grant(*three())
    bureau = Office(town.relief, BOTH, "town-1")
    change = await town.proposed(granted, "voluntary", **REQUEST)
    answer = await bureau.on_change(change, "decide", {})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "four-eyes")


async def test_two_deciders_at_once_decide_once(town: Office) -> None:
    granted = await town.grant(*three())
    change = await town.proposed(granted, "voluntary", **REQUEST)
    deciders = [Office(town.relief, BOTH, name) for name in ("bureau-1", "bureau-2")]
    answers = await asyncio.gather(
        *(
            one.post(f"/award-changes/{change['id']}/decide", {}, etag=change["etag"])
            for one in deciders
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 412]
    assert [verb for verb, _ in await town.events(granted.id)] == ["approved", "stopped"]
    assert len(await town.standing(granted)) == 1


async def test_two_proposals_at_once_open_one(town: Office) -> None:
    granted = await town.grant(*three())
    answers = await asyncio.gather(
        *(town.propose(granted, "voluntary", **REQUEST) for _ in range(2))
    )
    assert sorted(one.status_code for one in answers) == [201, 409]
    refused = next(one for one in answers if one.status_code == 409)
    assert refused.json()["type"] == "urn:minzheng:problem:change-open"


async def test_the_organ_with_authority_decides_law_art_44_vector_19(
    town: Office, bureau: Office
) -> None:
    """57号 art. 2: the bureau, or the town it passed power to; not enough from 2026-07-01."""
    granted = await town.grant(*three())
    change = await town.proposed(granted, "voluntary", **REQUEST)
    other = Office(town.relief, (TOWN,), "town-2")
    answer = await other.on_change(change, "decide", {})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "not-competent")
    await passed_down(town.relief, "bureau", "2025-08-11")
    answer = await bureau.on_change(change, "decide", {})
    assert answer.json()["type"].endswith("not-competent")
    town.relief.at("2026-07-01")
    answer = await other.on_change(change, "decide", {})
    assert "社会救助法第44条" in answer.json()["detail"]
    town.relief.at("2025-08-12")
    assert (await other.decided(change))["state"] == "decided"


async def passed_down(relief: Running, basis: str, valid_from: str) -> None:
    answer = await relief.http.post(
        "/v1/relief/authorities",
        json={
            "programme": "dibao",
            "division": TOWN,
            "level": "town",
            "valid_from": valid_from,
            "basis": basis,
            "document": "渝北民政〔2025〕9号",
        },
        headers=relief.headers("relief:standards", divisions=[DISTRICT, NEW_DISTRICT]),
    )
    assert answer.status_code == 201, answer.text


async def test_a_proposal_is_withdrawn_with_its_reason_and_then_not_decided(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    change = await town.proposed(granted, "voluntary", **REQUEST)
    assert (await town.on_change(change, "withdraw", {"reason": ""})).status_code == 422
    withdrawn = await town.on_change(change, "withdraw", {"reason": "家庭收回申请"})
    assert withdrawn.json()["state"] == "withdrawn"
    answer = await bureau.on_change(change, "decide", {})
    assert answer.json()["type"].endswith("case-state")
    assert (await town.events(change["id"]))[-1][1]["outcome"] == "withdrawn"
    assert (await town.propose(granted, "voluntary", **REQUEST)).status_code == 201


async def test_what_stopped_is_applied_for_anew_57_art_28(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    await bureau.decided(await town.proposed(granted, "voluntary", **REQUEST))
    answer = await town.propose(granted, "increase")
    assert answer.json()["type"] == "urn:minzheng:problem:award-stopped"
    await town.grant(*three())
    assert len(await town.relief.rows("SELECT 1 FROM award")) == 2


async def employed(town: Office, granted: Any, wage: str, month: str) -> None:
    await town.fact(
        granted,
        fact="work",
        member=str(granted.members[0]),
        work_capacity="full",
        employed=True,
        valid_from=month,
    )
    await town.wage(granted, wage, month)


async def test_83_art_1_3_grace_keeps_the_amount_for_six_months_and_ends_by_itself(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    await employed(town, granted, "3500.00", "2025-09-01")
    change = await town.proposed(
        granted, "grace", person=str(granted.persons[0]), employed_on="2025-09-01"
    )
    decided = await bureau.decided(change)
    assert (decided["effect"], decided["ends_on"]) == ("grace", "2026-05-01")
    assert await town.standing(granted) == [
        ("2025-09-01", "paid", 3, "1110.00", "0.00"),
        ("2025-11-01", "grace", 3, "1110.00", "0.00"),
        ("2026-05-01", "stopped", 0, "0.00", "0.00"),
    ]
    verb, data = (await town.events(granted.id))[-1]
    assert (verb, [one["state"] for one in data["periods"]]) == (
        "changed",
        ["paid", "grace", "stopped"],
    )
    documents = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    assert documents[-1]["title"] == "最低生活保障渐退告知书"
    page = await town.get(f"/cases/{change['id']}/documents/{documents[-1]['id']}/page")
    assert "自 2026年5月1日 起停发" in page.text
    in_grace = await town.seen("/awards", state="grace", as_of="2026-04-30")
    assert len(in_grace["items"]) == 1
    assert len((await town.seen("/awards", state="stopped", as_of="2026-05-01"))["items"]) == 1


async def test_83_art_1_3_six_months_are_the_most_fewer_may_be_granted(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    await employed(town, granted, "3500.00", "2025-09-01")
    asked = {"person": str(granted.persons[0]), "employed_on": "2025-09-01", "months": 2}
    decided = await bureau.decided(await town.proposed(granted, "grace", **asked))
    assert decided["ends_on"] == "2026-01-01"


async def test_grace_is_only_for_a_rise_by_employment_57_art_33(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    asked = {"person": str(granted.persons[0]), "employed_on": "2025-09-01"}
    answer = await town.propose(granted, "grace", **asked)
    assert answer.json()["type"].endswith("facts-missing")
    await employed(town, granted, "1500.00", "2025-09-01")
    answer = await town.propose(granted, "grace", **asked)
    assert answer.json()["type"].endswith("contradicts-rules")
    await town.wage(granted, "2000.00", "2025-09-01")
    await town.fact(
        granted,
        fact="property",
        kind="deposit",
        amount="90000.00",
        valid_from="2025-10-01",
        source="checked",
    )
    answer = await town.propose(granted, "grace", **asked)
    assert answer.json()["type"].endswith("contradicts-rules")
    stop = await bureau.decided(await town.proposed(granted, "stop"))
    assert stop["effect"] == "stopped"


async def test_57_art_33_grace_is_for_work_taken_up_while_the_award_is_paid(
    town: Office,
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    await employed(town, granted, "3500.00", "2025-09-01")
    person_ = str(granted.persons[0])
    for day in ("2025-01-02", "2025-08-11", "2025-10-14"):
        answer = await town.propose(granted, "grace", person=person_, employed_on=day)
        assert answer.status_code == 422, (day, answer.text)
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/employed_on"]


async def test_57_art_33_grace_needs_an_income_of_the_work_taken_up(town: Office) -> None:
    """The wage that was there before, reckoned on, is not the one that the work brings."""
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    await employed(town, granted, "3500.00", "2025-08-01")
    asked = {"person": str(granted.persons[0]), "employed_on": "2025-09-01"}
    answer = await town.propose(granted, "grace", **asked)
    assert answer.json()["type"].endswith("facts-missing"), answer.text
    await town.wage(granted, "3500.00", "2025-09-01")
    assert (await town.propose(granted, "grace", **asked)).status_code == 201


async def test_grace_is_granted_once_in_24_months(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    await employed(town, granted, "3500.00", "2025-09-01")
    asked = {"person": str(granted.persons[0]), "employed_on": "2025-09-01"}
    await bureau.decided(await town.proposed(granted, "grace", **asked))
    town.relief.at("2025-12-10")
    await town.wage(granted, "1000.00", "2025-11-01")
    again = await bureau.decided(await town.proposed(granted, "members_changed"))
    assert again["effect"] == "raised"
    assert [one[:2] for one in await town.standing(granted)] == [
        ("2025-09-01", "paid"),
        ("2025-11-01", "grace"),
        ("2026-01-01", "paid"),
    ]
    await town.wage(granted, "3500.00", "2025-12-01")
    for day, refused in (("2027-09-13", True), ("2027-10-13", False)):
        town.relief.at(day)
        answer = await town.propose(granted, "grace", **asked)
        assert (answer.status_code == 409) == refused, answer.text


async def test_after_grace_its_persons_can_be_taken_in_anew(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-13")
    await employed(town, granted, "3500.00", "2025-09-01")
    asked = {"person": str(granted.persons[0]), "employed_on": "2025-09-01"}
    await bureau.decided(await town.proposed(granted, "grace", **asked))
    assert await run_jobs(town.relief) == 0
    town.relief.at("2026-04-02")
    assert await claimed(town.relief) == 3
    assert await run_jobs(town.relief) == 1
    assert await claimed(town.relief) == 0


async def run_jobs(relief: Running, jobs: Mapping[str, JobHandler] | None = None) -> int:
    """Run what is due; how many."""
    runtime = relief.runtime
    runner = JobRunner(runtime.database, jobs or endings.jobs(runtime), runtime.places.everywhere)
    return await run_due(relief, runner)


async def claimed(relief: Running) -> int:
    return len(await relief.rows("SELECT 1 FROM person_claim WHERE state = 'awarded'"))


async def work_after_deaths(town: Office, **query: str) -> list[tuple[Any, ...]]:
    found = await town.seen("/awards", **query)
    return [
        (one["death_open"], one["death_review_due_on"], one["death_light"])
        for one in found["items"]
    ]


async def test_83_art_1_3_a_death_is_work_from_the_day_it_is_known_until_it_is_decided(
    town: Office, bureau: Office
) -> None:
    """Told late: the part of the dead ends with the month, the rest changes by the decision."""
    granted = await granted_long_ago(town)
    await town.leaves(granted, 2, "2025-05-15", "death")
    assert await run_jobs(town.relief, deaths.jobs(town.relief.runtime)) == 1
    work = [(True, "2025-08-15", "amber")]
    assert await work_after_deaths(town, review_due_by="2025-08-15") == work
    assert await work_after_deaths(town, review_due_by="2025-08-14") == []
    assert await work_after_deaths(town, death_open="true") == work
    assert await work_after_deaths(Office(town.relief, (OTHER,), "other-1")) == []
    visit = {"reviewed_on": "2025-08-11", "note": "入户"}
    refused = await town.on_award(granted, "reviews", visit)
    assert (refused.status_code, "已死亡" in refused.text) == (409, True)
    dead = {"person": str(granted.persons[2]), "died_on": "2025-05-15"}
    change = await town.proposed(granted, "death", **dead)
    decided = await bureau.decided(change)
    assert (decided["effect"], decided["effective_from"]) == ("lowered", "2025-06-01")
    assert (decided["after"], decided["interim"], decided["settles_on"]) == (
        "340.00",
        "700.00",
        "2025-09-01",
    )
    assert await town.standing(granted) == [
        ("2025-04-01", "paid", 3, "1050.00", "0.00"),
        ("2025-06-01", "paid", 2, "700.00", "0.00"),
        ("2025-09-01", "paid", 2, "340.00", "0.00"),
    ]
    assert decided["overpaid"] == "1050.00"
    text = await page_of(town, change)
    assert "自 2025年6月1日 起停发去世成员本人的部分，至 2025年9月1日 前每月合计 700.00 元" in text
    assert "自 2025年9月1日 起，减发你户最低生活保障金，每月合计 340.00 元" in text
    assert await work_after_deaths(town, death_open="true") == []
    shown = await town.seen(f"/awards/{granted.id}")
    assert [(one["settled_on"], one["settled_by"]) for one in shown["deaths"]] == [
        ("2025-08-11", change["id"])
    ]
    assert shown["review_due_on"] == "2026-02-11"
    assert await claimed(town.relief) == 2


async def test_83_art_1_3_a_death_that_was_recorded_wrongly_is_no_work_any_more(
    town: Office,
) -> None:
    granted = await granted_long_ago(town)
    await town.leaves(granted, 2, "2025-05-15", "death")
    for day in ("2025-05-16", "2025-05-15", None):
        await town.death_corrected(granted, 2, day)
        await run_jobs(town.relief, deaths.jobs(town.relief.runtime))
        work = await town.seen(f"/awards/{granted.id}")
        still = [one["died_on"] for one in work["deaths"] if one["settled_on"] is None]
        assert (still, work["death_open"]) == ([day] if day else [], bool(day))


async def test_83_art_1_3_the_others_get_what_the_law_of_the_day_of_decision_gives(
    town: Office, bureau: Office
) -> None:
    """2021-09-01: 620 becomes 636 for decisions from then on; before them nothing is raised."""
    await town.standard(DISTRICT, "2020-01-01", "620", "496")
    town.relief.at("2021-07-05")
    granted = await town.grant(*three())
    town.relief.at("2021-08-31")
    await town.leaves(granted, 2, "2021-07-20", "death")
    dead = {"person": str(granted.persons[2]), "died_on": "2021-07-20"}
    change = await town.proposed(granted, "death", **dead)
    told = (change["before"], change["interim"], change["after"], change["settles_on"])
    assert told == ("660.00", "440.00", "40.00", "2021-09-01")
    town.relief.at("2021-09-01")
    await bureau.decided(change)
    assert await town.standing(granted) == [
        ("2021-08-01", "paid", 2, "440.00", "0.00"),
        ("2021-10-01", "paid", 2, "72.00", "0.00"),
    ]
    assert "636" in await page_of(town, change)


async def test_the_death_of_the_only_member_leaves_nobody_to_hear(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(man(None))
    town.relief.at("2026-07-20")
    dead = {"person": str(granted.persons[0]), "died_on": "2026-07-10"}
    answer = await town.propose(granted, "death", **dead)
    assert answer.json()["type"].endswith("facts-missing")
    await town.leaves(granted, 0, "2026-07-10", "death")
    change = await town.proposed(granted, "death", **dead)
    assert change["hearing_note"] == "家庭已无成员，无人可听取意见"
    decided = await bureau.decided(change)
    assert (decided["effect"], decided["effective_from"]) == ("stopped", "2026-08-01")
    assert decided["overpaid"] == "0.00"
    assert await claimed(town.relief) == 0
    assert f"{NAME}的近亲属" in await page_of(town, change)


async def test_83_art_1_3_where_the_last_member_outlived_another_each_is_paid_to_the_own_death(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(man(), wife(work_capacity=WorkCapacity.NONE.value))
    town.relief.at("2025-11-20")
    await town.leaves(granted, 1, "2025-09-10", "death")
    await town.leaves(granted, 0, "2025-10-10", "death")
    await run_jobs(town.relief, deaths.jobs(town.relief.runtime))
    dead = {"person": str(granted.persons[1]), "died_on": "2025-09-10"}
    decided = await bureau.decided(await town.proposed(granted, "death", **dead))
    assert (decided["effect"], decided["interim"], decided["settles_on"]) == (
        "stopped",
        "170.00",
        "2025-11-01",
    )
    assert await town.standing(granted) == [
        ("2025-09-01", "paid", 2, "340.00", "0.00"),
        ("2025-10-01", "paid", 1, "170.00", "0.00"),
        ("2025-11-01", "stopped", 0, "0.00", "0.00"),
    ]
    assert decided["overpaid"] == "510.00"
    shown = await town.seen(f"/awards/{granted.id}")
    assert [one["settled_by"] for one in shown["deaths"]] == [decided["id"], None]
    assert not shown["death_open"]
    assert "重新测算" not in await page_of(town, decided)


async def test_83_art_1_3_a_death_is_no_work_any_more_once_nothing_is_paid_after_it(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    await town.leaves(granted, 1, "2025-10-10", "death")
    await run_jobs(town.relief, deaths.jobs(town.relief.runtime))
    assert await work_after_deaths(town) == [(True, "2026-01-10", "green")]
    leaving = {"requested_on": "2025-10-20", "document": "退出申请书"}
    await bureau.decided(await town.proposed(granted, "voluntary", **leaving))
    assert await work_after_deaths(town) == [(False, None, "none")]
    periods = (await town.seen(f"/awards/{granted.id}"))["periods"]
    (stop,) = (one["id"] for one in periods if one["state"] == "stopped")
    await bureau.decided(await town.proposed(granted, "correction", period=stop, withdrawn=True))
    assert await work_after_deaths(town) == [(True, "2026-01-10", "green")]


async def test_83_art_1_3_no_review_passes_over_what_was_paid_for_the_dead_before_a_stop(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    leaving = {"requested_on": "2025-10-20", "document": "退出申请书"}
    await bureau.decided(await town.proposed(granted, "voluntary", **leaving))
    town.relief.at("2025-12-10")
    await town.leaves(granted, 1, "2025-09-10", "death")
    await run_jobs(town.relief, deaths.jobs(town.relief.runtime))
    passed = await town.on_award(granted, "reviews", {"reviewed_on": "2025-12-10", "note": "入户"})
    assert (passed.status_code, "已死亡" in passed.text) == (409, True)
    dead = {"person": str(granted.persons[1]), "died_on": "2025-09-10"}
    decided = await bureau.decided(await town.proposed(granted, "death", **dead))
    assert decided["overpaid"] == "370.00"
    assert await work_after_deaths(town) == [(False, None, "none")]


async def test_83_art_1_3_of_somebody_taken_down_anew_the_last_death_is_followed(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    await town.leaves(granted, 1, "2025-09-10", "death")
    again = MemberIn.model_validate(
        wife(work_capacity=WorkCapacity.NONE.value, joined_on="2025-09-11")
    )
    async with town.transaction() as session:
        row = await household_rows.find(session, [int(VILLAGE)], granted.household)
        assert row is not None
        granted.members.append((await households.add_member(session, row, again)).id)
    await town.leaves(granted, 3, "2025-10-10", "death")
    assert await run_jobs(town.relief, deaths.jobs(town.relief.runtime)) == 3
    dead = {"person": str(granted.persons[1]), "died_on": "2025-10-10"}
    await bureau.decided(await town.proposed(granted, "death", **dead))
    assert await work_after_deaths(town) == [(False, None, "none")]


async def test_57_art_34_vector_20_three_refusals_in_a_row_cut_only_the_own_part(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2026-02-20")
    offers = [
        ("2025-10-01", False, False),
        ("2025-10-20", False, False),
        ("2025-11-05", True, False),
        ("2025-11-20", False, False),
    ]
    for day, accepted, excused in offers:
        await offered(town, granted, day, accepted=accepted, excused=excused)
    refuser = {"person": str(granted.persons[0])}
    answer = await town.propose(granted, "job_refusals", **refuser)
    assert answer.json()["type"].endswith("contradicts-rules")
    await offered(town, granted, "2025-12-05", accepted=False, excused=False)
    await offered(town, granted, "2025-12-06", accepted=False, excused=True)
    answer = await town.propose(granted, "job_refusals", **refuser)
    assert answer.json()["type"].endswith("contradicts-rules")
    for day in ("2026-01-05", "2026-01-15", "2026-02-05"):
        await offered(town, granted, day, accepted=False, excused=False)
    decided = await bureau.decided(await town.proposed(granted, "job_refusals", **refuser))
    assert decided["effect"] == "lowered"
    assert (await town.standing(granted))[-1] == ("2026-03-01", "paid", 2, "740.00", "0.00")
    shown = await town.seen(f"/awards/{granted.id}")
    assert len(shown["job_offers"]) == 9
    town.relief.at("2026-03-10")
    await town.wage(granted, "1000.00", "2026-02-01")
    raised = await town.proposed(granted, "increase")
    assert (raised["before"], raised["after"]) == ("740.00", "1007.00")


async def test_57_art_34_one_job_told_three_times_is_one_offer(town: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    await offered(town, granted, "2025-10-01", accepted=False, excused=False)
    offer = {
        "person": str(granted.persons[0]),
        "offered_on": "2025-10-01",
        "job": " 环卫 工",
        "accepted": False,
    }
    for _ in range(2):
        answer = await town.on_award(granted, "job-offers", offer)
        assert answer.status_code == 409, answer.text
        assert answer.json()["type"] == "urn:minzheng:problem:job-offer-recorded"
        assert "环卫" not in answer.text
    refuser = {"person": str(granted.persons[0])}
    answer = await town.propose(granted, "job_refusals", **refuser)
    assert answer.json()["type"].endswith("contradicts-rules")
    for other in ({"job": "保安"}, {"offered_on": "2025-10-02"}):
        answer = await town.on_award(granted, "job-offers", {**offer, **other})
        assert answer.status_code == 201, answer.text
    assert (await town.propose(granted, "job_refusals", **refuser)).status_code == 201


async def test_57_art_34_a_review_leaves_the_part_that_was_lost_by_refusals(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-28")
    for day in ("2025-10-01", "2025-10-11", "2025-10-21"):
        await offered(town, granted, day, accepted=False, excused=False)
    refuser = {"person": str(granted.persons[0])}
    await bureau.decided(await town.proposed(granted, "job_refusals", **refuser))
    answer = await town.on_award(granted, "reviews", {"reviewed_on": "2025-10-28", "note": "入户"})
    assert answer.status_code == 201, answer.text


async def offered(town: Office, granted: Any, day: str, *, accepted: bool, excused: bool) -> None:
    answer = await town.on_award(
        granted,
        "job-offers",
        {
            "person": str(granted.persons[0]),
            "offered_on": day,
            "job": "环卫工",
            "accepted": accepted,
            "excused": excused,
            "note": "住院" if excused else None,
        },
    )
    assert answer.status_code == 201, answer.text


async def test_ordinance_art_29_who_does_not_cooperate_is_stopped_with_reasons(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    change = await town.proposed(granted, "not_cooperating", asked_on="2025-08-01")
    assert change["hearing_needed"] is False
    decided = await bureau.decided(change)
    assert decided["effect"] == "stopped"
    documents = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    page = await town.get(f"/cases/{change['id']}/documents/{documents[-1]['id']}/page")
    assert "条例(2016)第二十九条第（三）项" in page.text


async def test_members_that_come_and_go_change_the_award(town: Office, bureau: Office) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-09-10")
    await town.leaves(granted, 2, "2025-09-01", "adoption")
    decided = await bureau.decided(await town.proposed(granted, "members_changed"))
    assert (decided["effect"], decided["after"]) == ("lowered", "340.00")
    assert await claimed(town.relief) == 2


async def test_a_new_standard_raises_the_award_by_a_decision(town: Office, bureau: Office) -> None:
    granted = await granted_long_ago(town)
    change = await town.proposed(granted, "standard_changed")
    assert (change["before"], change["after"]) == ("1050.00", "1110.00")
    await bureau.decided(change)
    assert await town.standing(granted) == [
        ("2025-04-01", "paid", 3, "1050.00", "0.00"),
        ("2025-09-01", "paid", 3, "1110.00", "0.00"),
    ]


@pytest.mark.parametrize(
    ("day", "least", "most"),
    [("2026-06-30", 1, 3), ("2026-07-01", 0, 2)],
)
async def test_vector_18_fraud_is_recovered_and_fined_by_the_law_of_the_day(
    town: Office, bureau: Office, day: str, least: int, most: int
) -> None:
    """办法 68, 条例 36: one to three times if it is serious; 法 73: up to twice what was paid."""
    granted = await town.grant(man("520.00", employed=True))
    ((_, _, _, amount, _),) = await town.standing(granted)
    town.relief.at(day)
    change = await town.proposed(granted, "stop", fraud={"since": "2025-09-15"})
    if day == "2026-06-30":
        assert (change["fraud"]["fine_least"], change["fraud"]["fine_most"]) == (None, None)
        assert "未认定情节严重，不处罚款" in await page_of(town, change)
        await town.on_change(change, "withdraw", {"reason": "情节严重"})
        fraud = {"since": "2025-09-15", "serious": True}
        change = await town.proposed(granted, "stop", fraud=fraud)
    months = 10 if day == "2026-06-30" else 11
    recovery = Decimal(amount) * months
    told = change["fraud"]
    assert Decimal(told["recovery"]) == recovery
    assert (Decimal(told["fine_least"]), Decimal(told["fine_most"])) == (
        recovery * least,
        recovery * most,
    )
    await town.heard(granted, change, day)
    decided = await bureau.decided(change)
    assert decided["effect"] == "stopped"
    documents = (await town.seen(f"/cases/{change['id']}/documents"))["items"]
    page = await town.get(f"/cases/{change['id']}/documents/{documents[-1]['id']}/page")
    assert "退回与处罚" in page.text
    upper = f"{recovery * most:.2f} 元"
    fined = f"{recovery * least:.2f} 元至 {upper}" if least else f"可以处 {upper}以下"
    assert fined in page.text
    assert change["fraud"]["recovery"] in page.text


async def test_law_art_73_there_is_no_fraud_on_an_award_before_there_is_an_award(
    town: Office,
) -> None:
    granted = await town.grant(*three())
    town.relief.at("2025-10-20")
    for since in ("1990-01-01", "2025-08-10"):
        answer = await town.propose(granted, "stop", fraud={"since": since})
        assert answer.status_code == 422, (since, answer.text)
        assert [one["pointer"] for one in answer.json()["errors"]] == ["/fraud/since"]
    assert (await town.propose(granted, "stop", fraud={"since": "2025-08-11"})).status_code == 201


async def test_83_art_5_5_a_change_kept_back_for_more_than_three_months_is_admonished(
    town: Office,
) -> None:
    granted = await granted_long_ago(town)
    for happened, late in (("2025-05-11", False), ("2025-05-10", True)):
        change = await town.proposed(granted, "standard_changed", happened_on=happened)
        assert change["unreported"] is late
        await town.on_change(change, "withdraw", {"reason": "更正日期"})


BAD_PROPOSALS: list[Any] = [
    {"kind": "gift", "reason": "x"},
    {"kind": "increase"},
    {"kind": "increase", "reason": "x", "amount": "999.00"},
    {"kind": "increase", "reason": "x", "happened_on": "2025-08-12"},
    {"kind": "death", "reason": "x", "person": "nobody", "died_on": "2025-08-01"},
    {
        "kind": "death",
        "reason": "x",
        "person": "01890a5d-ac96-774b-bcce-b302099a8057",
        "died_on": "2025-08-01",
    },
    {"kind": "voluntary", "reason": "x", "requested_on": "2025-08-12", "document": "书"},
    {"kind": "voluntary", "reason": "x", "requested_on": "2025-08-11"},
    {
        "kind": "voluntary",
        "reason": "x",
        "requested_on": "2025-08-11",
        "document": "13800138000",
    },
    {"kind": "move", "reason": "x", "division": "999999999999", "moved_on": "2025-08-10"},
    {"kind": "stop", "reason": "x", "fraud": {"since": "2025-08-12"}},
    {"kind": "not_cooperating", "reason": "x", "asked_on": "2025-08-12"},
    {
        "kind": "job_refusals",
        "reason": "x",
        "person": "01890a5d-ac96-774b-bcce-b302099a8057",
    },
    [],
]


async def test_a_bad_proposal_is_refused(town: Office) -> None:
    granted = await town.grant(*three())
    for body in BAD_PROPOSALS:
        answer = await town.post(f"/awards/{granted.id}/changes", body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["errors"], body


async def test_a_decision_is_delivered_once_and_not_before_it_is_made(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(*three())
    change = await town.proposed(granted, "voluntary", **REQUEST)
    answer = await town.on_change(change, "deliver", DELIVERY)
    assert answer.json()["type"].endswith("case-state")
    await bureau.decided(change)
    early = await town.on_change(change, "deliver", {**DELIVERY, "on": "2025-08-10"})
    assert early.status_code == 422
    assert (await town.on_change(change, "deliver", DELIVERY)).status_code == 200
    answer = await town.on_change(change, "deliver", DELIVERY)
    assert answer.json()["type"].endswith("case-state")


async def test_a_single_persons_award_ends_when_the_own_part_is_all(
    town: Office, bureau: Office
) -> None:
    granted = await town.grant(person("a", "self", "1990-01-01", "司徒静", 7))
    town.relief.at("2025-10-20")
    for day in ("2025-09-05", "2025-09-15", "2025-10-05"):
        await offered(town, granted, day, accepted=False, excused=False)
    change = await town.proposed(granted, "job_refusals", person=str(granted.persons[0]))
    assert (await bureau.decided(change))["effect"] == "stopped"
