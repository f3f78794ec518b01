"""Facilities through the service's API: registered, changed, corrected, seen as of any day."""

import asyncio

import pytest

from tests.services.eldercare.clerk import (
    LIANGLU,
    LUOQI,
    READ,
    SHIHE,
    Clerk,
    beds,
    changed,
    events,
    home,
    steps,
)
from tests.support.services import Running

COMPANY = {"name": "康养公司", "kind": "private_forprofit"}
EVERYTHING = ["full_care", "day_care", "home_service", "guidance"]


async def test_a_registered_facility_is_answered_whole_with_location_and_etag(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    answer = await clerk.post("", home())
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    seen = answer.json()
    assert answer.headers["location"] == f"/v1/eldercare/facilities/{seen['id']}"
    assert (await clerk.get(f"/{seen['id']}")).json() == seen
    assert (seen["state"], seen["division"], seen["town_name"]) == ("open", SHIHE, "石船镇")
    assert seen["beds"] == {"total": 30, "nursing": 10, "in_use": 30}
    assert seen["functions"] == ["full_care", "day_care"]
    assert seen["as_of"] == "2025-03-03"


async def test_late_40_from_february_gives_the_right_beds_on_every_day_and_as_known_before(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    eldercare.at("2021-01-04")
    facility = await clerk.register()
    eldercare.at("2021-03-01")
    await clerk.change(facility, "beds", "2021-03-01", beds=beds(50))
    eldercare.at("2021-03-16")
    await clerk.change(facility, "operator", "2021-03-15", operator=COMPANY)
    eldercare.at("2021-04-01")
    await clerk.change(facility, "beds", "2021-02-01", beds=beds(40))

    async def seen(as_of: str, **known: str) -> tuple[int, str]:
        found = (await clerk.get(f"/{facility}", as_of=as_of, **known)).json()
        return found["beds"]["total"], found["operator"]["kind"]

    assert await seen("2021-01-31") == (30, "government")
    assert await seen("2021-02-01") == (40, "government")
    assert await seen("2021-02-28") == (40, "government")
    assert await seen("2021-03-01") == (50, "government")
    assert await seen("2021-03-15") == (50, "private_forprofit")
    assert await seen("2021-02-15", known_on="2021-03-31") == (30, "government")
    assert await seen("2021-03-15", known_on="2021-03-15") == (50, "government")
    last = (await events(eldercare))[-1]
    assert steps(last) == [
        ("2021-01-01", 30, "government", True),
        ("2021-02-01", 40, "government", True),
        ("2021-03-01", 50, "government", True),
        ("2021-03-15", 50, "private_forprofit", True),
    ]


async def test_what_was_learnt_in_another_order_publishes_the_same_timeline(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    learnt = [
        changed("beds", "2021-02-01", beds=beds(40)),
        changed("beds", "2021-03-01", beds=beds(50)),
        changed("operator", "2021-03-15", operator=COMPANY),
        changed("functions", "2021-02-01", functions=EVERYTHING),
        changed("place", "2021-03-01", division=LUOQI, address="洛碛镇新街 3 号"),
    ]
    for order in (learnt, learnt[::-1], learnt[2:] + learnt[:2]):
        facility = await clerk.register()
        for body in order:
            assert (await clerk.try_change(facility, body)).status_code == 201
    published = {event["subject"]: event["data"] for event in await events(eldercare)}
    first, *others = [{**data, "id": ""} for data in published.values()]
    assert len(others) == 2
    assert all(other == first for other in others)


async def test_each_write_is_one_event_with_its_verb_its_number_and_no_words(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    await clerk.change(facility, "beds", "2021-03-01", beds=beds(50))
    await clerk.change(facility, "assessment", "2022-05-01", passed=True, score="86.5")
    await clerk.change(facility, "name", "2022-06-01", name="石船镇幸福院")
    wrong = (await clerk.facts(facility, "beds"))[1]["id"]
    replacement = changed("beds", "2021-03-01", beds=beds(45))
    assert (await clerk.correct(facility, wrong, replacement)).status_code == 201
    await clerk.change(facility, "closing", "2026-01-01")
    published = await events(eldercare)
    assert [event["sequence"] for event in published] == [1, 2, 3, 4, 5, 6]
    assert [event["type"].split(".")[-2] for event in published] == [
        "registered",
        "changed",
        "assessed",
        "changed",
        "corrected",
        "closed",
    ]
    assert published[-1]["data"]["assessments"] == [{"assessed_on": "2022-05-01", "passed": True}]
    bodies = await eldercare.rows("SELECT convert_from(body, 'UTF8') AS body FROM chassis.outbox")
    words = ("敬老院", "幸福院", "中心街", "人民政府", "渝北民政")
    assert not any(word in row["body"] for row in bodies for word in words)
    audited = await eldercare.rows("SELECT action FROM chassis.audit_entry ORDER BY seq")
    assert [row["action"].rpartition(".")[2] for row in audited] == [
        event["type"].split(".")[-2] for event in published
    ]


async def test_a_facility_that_closes_is_open_until_the_day_before(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    await clerk.change(facility, "closing", "2025-06-01")

    async def on(day: str) -> tuple[str, str | None, int]:
        seen = (await clerk.get(f"/{facility}", as_of=day)).json()
        summed = (await clerk.get("/summary", as_of=day)).json()
        return seen["state"], seen["closed_on"], summed["beds"]["total"]

    assert await on("2025-05-31") == ("open", None, 30)
    assert await on("2025-06-01") == ("closed", "2025-06-01", 0)
    assert steps((await events(eldercare))[-1])[-1] == ("2025-06-01", 30, "government", False)
    late = changed("beds", "2025-06-01", beds=beds(20))
    refused = await clerk.try_change(facility, late)
    assert refused.status_code == 422
    assert "停办期间" in refused.json()["errors"][0]["detail"]
    await clerk.change(facility, "beds", "2025-05-01", beds=beds(20))
    await clerk.change(facility, "opening", "2026-01-01")
    assert await on("2025-12-31") == ("closed", "2025-06-01", 0)
    assert await on("2026-01-01") == ("open", None, 20)


async def test_an_announced_opening_is_planned_until_its_day(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register(opened_on="2025-09-01")
    seen = (await clerk.get(f"/{facility}")).json()
    assert (seen["state"], seen["opened_on"], seen["beds"]["total"]) == (
        "planned",
        "2025-09-01",
        30,
    )
    assert (await clerk.get("/summary")).json()["facilities"] == 0
    assert (await clerk.get("/summary", as_of="2025-09-01")).json()["facilities"] == 1


async def test_a_correction_keeps_what_was_recorded_and_says_why(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    eldercare.at("2021-01-04")
    facility = await clerk.register(beds=beds(300))
    eldercare.at("2021-02-04")
    wrong = (await clerk.facts(facility, "beds"))[0]["id"]
    replacement = changed("beds", "2021-01-01", beds=beds(30))
    assert (await clerk.correct(facility, wrong, replacement)).status_code == 201
    old, new = await clerk.facts(facility, "beds")
    assert (old["text"], old["superseded_by"]) == (
        "核定床位 300 张，其中护理型 10 张；投入使用 300 张",
        new["id"],
    )
    assert (new["supersedes"], new["reason"]) == (wrong, "录入有误")
    assert [
        one["superseded_by"] for one in await clerk.facts(facility, "beds", known_on="2021-02-03")
    ] == [None]
    before = await clerk.get(f"/{facility}", as_of="2021-01-31", known_on="2021-02-03")
    assert before.json()["beds"]["total"] == 300
    assert (await clerk.get(f"/{facility}", as_of="2021-01-31")).json()["beds"]["total"] == 30
    again = await clerk.correct(facility, wrong, replacement)
    assert again.status_code == 409
    assert again.json()["type"] == "urn:minzheng:problem:fact-already-corrected"


async def test_a_corrected_opening_day_takes_along_what_was_stated_for_it(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    first = (await clerk.facts(facility, "life"))[0]["id"]
    answer = await clerk.correct(facility, first, changed("opening", "2020-07-01"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["opened_on"] == "2020-07-01"
    assert [one[0] for one in steps((await events(eldercare))[-1])] == ["2020-07-01"]
    too_old = (await clerk.facts(facility, "life"))[1]["id"]
    refused = await clerk.correct(facility, too_old, changed("opening", "1996-07-01"))
    assert refused.json()["errors"][0]["detail"] == "当日没有设施所在的区划单位"


async def test_a_withdrawn_registration_is_void_and_can_not_be_changed(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    first = (await clerk.facts(facility, "life"))[0]["id"]
    assert (await clerk.correct(facility, first, None)).json()["state"] == "void"
    assert [one[3] for one in steps((await events(eldercare))[-1])] == [False]
    assert (await clerk.get("/summary")).json()["facilities"] == 0
    refused = await clerk.try_change(facility, changed("closing", "2022-01-01"))
    assert refused.status_code == 409


async def test_a_withdrawn_change_is_as_if_it_had_not_been(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    await clerk.change(facility, "beds", "2021-03-01", beds=beds(50))
    wrong = (await clerk.facts(facility, "beds"))[1]["id"]
    assert (await clerk.correct(facility, wrong, None)).json()["beds"]["total"] == 30
    stated = (await clerk.facts(facility, "name"))[0]["id"]
    assert (await clerk.correct(facility, stated, None)).status_code == 422


async def test_a_correction_is_of_the_same_matter(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    name = (await clerk.facts(facility, "name"))[0]["id"]
    refused = await clerk.correct(facility, name, changed("beds", "2021-01-01", beds=beds(5, 0)))
    assert refused.json()["errors"][0]["pointer"] == "/replacement/change"
    opening = (await clerk.facts(facility, "life"))[0]["id"]
    refused = await clerk.correct(facility, opening, changed("closing", "2021-01-01"))
    assert refused.json()["errors"][0]["pointer"] == "/replacement/change"
    unknown = "00000000-0000-0000-0000-000000000000"
    assert (await clerk.correct(facility, unknown, None)).status_code == 404


async def test_the_same_facility_posted_eight_times_with_one_key_is_one(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    answers = await asyncio.gather(*(clerk.post("", home(), key="window-1-0001") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await eldercare.rows("SELECT 1 FROM facility")) == 1
    assert len(await events(eldercare)) == 1


async def test_two_clerks_changing_one_at_once_one_wins_and_the_others_get_412(
    eldercare: Running,
) -> None:
    facility = await Clerk(eldercare).register()
    answers = await asyncio.gather(
        *(
            Clerk(eldercare).post(
                f"/{facility}/changes",
                changed("beds", f"2021-0{n}-01", beds=beds(30 + n)),
                etag='"1"',
            )
            for n in range(2, 7)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412, 412]
    assert len(await events(eldercare)) == 2


async def test_a_repeated_change_gets_its_first_answer_not_412(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    body = changed("beds", "2021-03-01", beds=beds(50))
    path = f"/{facility}/changes"
    first = await clerk.post(path, body, etag='"1"', key="window-1-0002")
    again = await clerk.post(path, body, etag='"1"', key="window-1-0002")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["etag"]) == (first.content, '"2"')
    assert len(await events(eldercare)) == 2


async def test_a_change_needs_the_version_it_is_made_on(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    body = changed("beds", "2021-03-01", beds=beds(50))
    assert (await clerk.post(f"/{facility}/changes", body)).status_code == 428
    assert (await clerk.post(f"/{facility}/changes", body, etag='"7"')).status_code == 412


async def test_the_list_is_narrowed_and_paged_and_every_page_item_is_as_the_single_view(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    ids = [
        await clerk.register(name="石船镇敬老院"),
        await clerk.register(
            name="两路养老中心", kind="town_centre", division=LIANGLU, functions=EVERYTHING
        ),
        await clerk.register(name="100%养老院", kind="institution", operator=COMPANY),
        await clerk.register(name="洛碛站", kind="community_station", division="500112144200"),
    ]
    await clerk.change(ids[0], "closing", "2024-01-01")

    async def found(**query: object) -> list[str]:
        answer = await clerk.get("", **query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await found() == ids
    assert await found(division="500112000000") == ids
    assert await found(division=SHIHE) == [ids[0], ids[2]]
    assert await found(division=LUOQI) == [ids[3]]
    assert await found(kind="town_centre") == [ids[1]]
    assert await found(operator_kind="private_forprofit") == [ids[2]]
    assert await found(state="closed") == [ids[0]]
    assert await found(state="open", as_of="2023-12-31") == ids
    assert await found(function="guidance") == [ids[1]]
    assert await found(q="养老") == [ids[1], ids[2]]
    assert await found(q="%") == [ids[2]]
    assert await found(q="_") == []
    first = (await clerk.get("", limit=3)).json()
    assert first["items"][1] == (await clerk.get(f"/{ids[1]}")).json()
    rest = (await clerk.get("", limit=3, cursor=first["next_cursor"])).json()
    assert [item["id"] for item in rest["items"]] == ids[3:]
    assert rest["next_cursor"] is None


async def test_the_summary_counts_open_facilities_and_beds_by_kind(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    await clerk.register(kind="institution", beds=beds(125, 40))
    await clerk.register(kind="institution", beds=beds(100, 60))
    await clerk.register(kind="meal_point", beds=beds(0, 0))
    gone = await clerk.register()
    await clerk.change(gone, "closing", "2024-01-01")
    summed = (await clerk.get("/summary")).json()
    by_kind = {item["kind"]: item for item in summed["items"]}
    assert len(by_kind) == 8
    assert by_kind["institution"]["title"] == "养老机构"
    assert by_kind["institution"]["facilities"] == 2
    assert by_kind["institution"]["beds"] == {"total": 225, "nursing": 100, "in_use": 225}
    assert by_kind["rural_home"]["facilities"] == 0
    assert (summed["facilities"], summed["beds"]["total"]) == (3, 225)
    assert (await clerk.get("/summary", as_of="2023-12-31")).json()["facilities"] == 4
    assert (await clerk.get("/summary", division=LIANGLU)).json()["facilities"] == 0


async def test_a_code_is_that_of_the_day_before_and_after_the_change_of_divisions(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    before = (await clerk.get(f"/{facility}", as_of="2025-12-04")).json()
    after = (await clerk.get(f"/{facility}", as_of="2025-12-05")).json()
    assert (before["division"], after["division"]) == (SHIHE, "500157104000")
    listed = await clerk.get("", division="500157104000", as_of="2025-12-31")
    assert [item["id"] for item in listed.json()["items"]] == [facility]
    by_old_code = await clerk.get("", division=SHIHE, as_of="2025-12-31")
    assert [item["id"] for item in by_old_code.json()["items"]] == [facility]
    eldercare.at("2026-03-01")
    late = home(division="500157104000", opened_on="2025-12-05")
    assert (await clerk.post("", late)).status_code == 201


async def test_where_the_new_code_is_not_known_there_is_none_and_nothing_is_guessed(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register(division="500112133000")
    seen = (await clerk.get(f"/{facility}", as_of="2025-12-31")).json()
    assert (seen["division"], seen["division_name"], seen["beds"]["total"]) == (None, "统景镇", 30)


async def test_the_timeline_reads_in_chinese(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    await clerk.change(facility, "assessment", "2022-05-01", passed=False, score="58.50")
    await clerk.change(facility, "closing", "2023-01-01")
    history = (await clerk.get(f"/{facility}/timeline")).json()
    assert [one["text"] for one in history["facts"]] == [
        "开办",
        "名称：石船镇敬老院",
        "类型：敬老院",
        "位于石船镇，地址：石船镇中心街 1 号",
        "运营方：石船镇人民政府（公建公营）",
        "核定床位 30 张，其中护理型 10 张；投入使用 30 张",
        "服务功能：全托、日托",
        "服务质量评估未达标，得分 58.5",
        "停办",
    ]
    assert history["facts"][0]["recorded_by"] == "clerk-1"
    assert [(one["from"], one["open"]) for one in history["periods"]] == [
        ("2021-01-01", True),
        ("2023-01-01", False),
    ]


BAD_REGISTRATIONS = [
    ({"name": "a\u0000b"}, "/name"),
    ({"name": "   "}, "/name"),
    ({"name": "长" * 101}, "/name"),
    ({"kind": "hotel"}, "/kind"),
    ({"beds": {"total": 10**30, "nursing": 0, "in_use": 0}}, "/beds/total"),
    ({"beds": {"total": -1, "nursing": 0, "in_use": 0}}, "/beds/total"),
    ({"beds": {"total": "30", "nursing": 0, "in_use": 0}}, "/beds/total"),
    ({"beds": {"total": True, "nursing": 0, "in_use": 0}}, "/beds/total"),
    ({"beds": {"total": 30, "nursing": 31, "in_use": 0}}, "/beds"),
    ({"beds": {"total": 30, "nursing": 0, "in_use": 31}}, "/beds"),
    ({"functions": ["karaoke"]}, "/functions/0"),
    ({"operator": {"name": "某公司", "kind": "secret"}}, "/operator/kind"),
    ({"opened_on": "0001-01-01"}, "/opened_on"),
    ({"opened_on": "9999-12-31"}, "/opened_on"),
    ({"opened_on": "2027-03-04", "division": "500157104000"}, "/opened_on"),
    ({"opened_on": 1609459200}, "/opened_on"),
    ({"opened_on": "2021-02-30"}, "/opened_on"),
    ({"opened_on": "2021-01-01T00:00:00Z"}, "/opened_on"),
    ({"opened_on": "1997-06-17"}, "/division"),
    ({"division": "500157104000"}, "/division"),
    ({"division": "500112000000"}, "/division"),
    ({"division": "110101001000"}, "/division"),
    ({"division": "５００１１２１４２０００"}, "/division"),
    ({"document": ""}, "/document"),
    ({"document": "文" * 101}, "/document"),
    ({"document": "张三，50011219900101123X"}, "/document"),
    ({"event_seq": 7}, "/event_seq"),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD_REGISTRATIONS)
async def test_a_bad_registration_is_a_chinese_problem_and_saves_nothing(
    eldercare: Running, changes: dict[str, object], pointer: str
) -> None:
    answer = await Clerk(eldercare).post("", home(**changes))
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert "\u4e00" <= problem["errors"][0]["detail"][0] <= "\u9fff"
    for table in ("facility", "facility_fact", "chassis.outbox"):
        assert await eldercare.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608 - named above


@pytest.mark.parametrize(
    "query",
    [
        {"as_of": "0001-01-01"},
        {"known_on": "9999-12-31"},
        {"as_of": "yesterday"},
        {"limit": 0},
        {"limit": 10**12},
        {"cursor": "nonsense"},
        {"cursor": "WyJ4Il0"},
        {"q": "\u0000"},
        {"division": "500112"},
        {"division": "123456789012"},
        {"unknown": "1"},
    ],
)
async def test_a_bad_query_is_422_and_never_a_server_error(
    eldercare: Running, query: dict[str, object]
) -> None:
    answer = await Clerk(eldercare).get("", **query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == f"/query/{next(iter(query))}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (changed("beds", "2020-12-31", beds=beds(5, 0)), ("/valid_from", "早于开办日期")),
        (changed("beds", "2021-01-01", beds=beds(5, 0)), ("/valid_from", "已登记过同一事项")),
        (changed("beds", "2021-02-01"), ("/beds", "缺少必填项")),
        (changed("beds", "2021-02-01", beds={"total": 5, "nursing": 0}), ("/beds/in_use", "缺少")),
        (changed("beds", "2021-02-01", beds=beds(5, 6)), ("/beds", "护理型床位不能多于")),
        (changed("beds", "2021-02-30", beds=beds(5, 0)), ("/valid_from", "")),
        (changed("assessment", "2025-03-04", passed=True), ("/valid_from", "不得晚于今天")),
        (changed("assessment", "2021-05-01", passed="yes"), ("/passed", "数据类型不符")),
        (changed("assessment", "2021-05-01", passed=True, score="NaN"), ("/score", "")),
        (changed("assessment", "2021-05-01", passed=True, score=True), ("/score", "数据类型")),
        (
            changed("place", "2025-03-04", division=LUOQI, address="新街"),
            ("/valid_from", "迁入当日或之后"),
        ),
        (
            changed("place", "2025-03-01", division="500157109000", address="新街"),
            ("/division", "当日没有此区划代码"),
        ),
        (changed("opening", "2021-05-01"), ("/valid_from", "当日已在办")),
        (changed("party", "2021-05-01"), ("/change", "")),
        (changed("closing", "2021-05-01", beds=beds(5, 0)), ("/beds", "不认识的字段")),
    ],
)
async def test_a_bad_change_is_refused_with_its_reason(
    eldercare: Running, body: dict[str, object], told: tuple[str, str]
) -> None:
    clerk = Clerk(eldercare)
    answer = await clerk.try_change(await clerk.register(), body)
    assert answer.status_code == 422, answer.text
    error = answer.json()["errors"][0]
    assert error["pointer"] == told[0]
    assert told[1] in error["detail"]
    assert len(await events(eldercare)) == 1


async def test_without_the_scope_nothing_is_written_and_the_denial_is_audited(
    eldercare: Running,
) -> None:
    answer = await Clerk(eldercare, scopes=(READ,)).post("", home())
    assert answer.status_code == 403
    entries = await eldercare.rows("SELECT subject, result FROM chassis.audit_entry")
    assert [tuple(entry) for entry in entries] == [("eldercare:write", "denied")]


async def test_the_tables_refuse_what_the_rules_would(eldercare: Running) -> None:
    """More nursing beds than beds, a column of another series, a correction without a reason."""
    await Clerk(eldercare).register()
    for wrong in (
        "UPDATE facility_fact SET nursing_beds = beds + 1 WHERE series = 'beds'",
        "UPDATE facility_fact SET name = 'x' WHERE series = 'beds'",
        "UPDATE facility_fact SET address = NULL WHERE series = 'place'",
        "UPDATE facility_fact SET withdrawn = true, open = NULL WHERE series = 'life'",
        "UPDATE facility_fact SET reason = 'x' WHERE series = 'life'",
    ):
        with pytest.raises(Exception, match="violates check constraint"):
            await eldercare.rows(wrong)


async def test_what_is_listed_is_what_the_event_says_on_every_day(eldercare: Running) -> None:
    """The query of the lists and the timeline of the event are two ways to one answer."""
    clerk = Clerk(eldercare)
    facility = await clerk.register()
    await clerk.change(facility, "beds", "2021-03-01", beds=beds(50))
    await clerk.change(facility, "kind", "2021-03-01", kind="complex")
    await clerk.change(facility, "closing", "2022-01-01")
    await clerk.change(facility, "opening", "2022-07-01")
    await clerk.change(facility, "functions", "2023-01-01", functions=EVERYTHING)
    for period in (await events(eldercare))[-1]["data"]["periods"]:
        seen = (await clerk.get("", as_of=period["from"])).json()["items"][0]
        assert seen["beds"]["total"] == period["beds"]
        assert seen["kind"] == period["kind"]
        assert seen["functions"] == period["functions"]
        assert (seen["state"] == "open") == period["open"]
