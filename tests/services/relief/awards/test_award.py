"""What an approved award pays, tells and publishes: 57号 arts. 21, 24, 27; domain.md B1.6, B1.7."""

from decimal import Decimal

import pytest

from services.relief.awards.service import NotGranted
from services.relief.households.service import AlreadyAwarded
from tests.services.relief.awards.granting import (
    BOTH,
    NAME,
    OTHER,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    WIFE_NAME,
    Office,
    man,
    pupil,
    three,
    wife,
)
from tests.services.relief.households.family import person
from tests.support.services import Running

OFFER = {"offered_on": "2025-08-11", "job": "环卫工", "accepted": True}


async def test_57_art_21_the_first_month_paid_is_the_one_after_the_decision(town: Office) -> None:
    """B1.6: 770 × 3 − (1500 − 300 of employment cost) = 1110."""
    granted = await town.grant(*three())
    assert await town.standing(granted) == [("2025-09-01", "paid", 3, "1110.00", "0.00")]
    shown = await town.seen(f"/awards/{granted.id}")
    assert (shown["state"], shown["paid_from"]) == (None, "2025-09-01")
    assert shown["division"] == VILLAGE
    assert NAME not in str(shown)


async def test_the_event_holds_the_whole_timeline_and_no_person(town: Office) -> None:
    granted = await town.grant(*three())
    ((verb, data),) = await town.events(granted.id)
    assert verb == "approved"
    assert data["programme"] == "dibao"
    assert data["periods"] == [
        {
            "from": "2025-09-01",
            "unit": int(VILLAGE),
            "area": "urban",
            "state": "paid",
            "persons": 3,
            "amount": "1110.00",
            "extras": "0.00",
        }
    ]
    assert not any(str(one) in str(data) for one in granted.persons)


async def test_57_art_27_extras_are_paid_to_the_person_in_a_line_of_their_own(
    town: Office,
) -> None:
    """relief.md §11 vector 9: a pupil 100; grade 1 is severely disabled and disabled."""
    ill = wife(work_capacity="none", disability={"kind": "physical", "grade": 1})
    granted = await town.grant(man(), ill, pupil())
    (period,) = (await town.seen(f"/awards/{granted.id}"))["periods"]
    by_person: dict[str, Decimal] = {}
    for line in period["lines"]:
        total = by_person.get(line["person"], Decimal()) + Decimal(line["amount"])
        by_person[line["person"]] = total
    assert by_person[str(granted.persons[2])] == 100
    assert by_person[str(granted.persons[1])] >= 60
    assert str(granted.persons[0]) not in by_person
    assert Decimal(period["extras"]) == sum(by_person.values())
    assert period["amount"] == "1110.00"
    assert (await town.events(granted.id))[0][1]["periods"][0]["extras"] == period["extras"]


async def test_a_person_is_covered_by_one_award_only(town: Office) -> None:
    await town.grant(man(None))
    with pytest.raises(AlreadyAwarded):
        await town.grant(man(None), village=OTHER_VILLAGE)
    assert len(await town.relief.rows("SELECT 1 FROM award")) == 1


async def test_57_art_28_what_the_rules_refuse_is_never_awarded(town: Office) -> None:
    with pytest.raises(NotGranted):
        await town.grant(man("5000.00"))
    assert await town.relief.rows("SELECT 1 FROM award") == []


async def test_a_single_severely_disabled_member_is_covered_alone(town: Office) -> None:
    """57号 art. 8; relief.md §11: income 2,400 of 770 × 3 is over, the disabled one is 单人户."""
    ill = wife(work_capacity="none", disability={"kind": "physical", "grade": 1}, alone=True)
    granted = await town.grant(man("2785.00"), ill, pupil())
    ((_, state, persons, amount, _),) = await town.standing(granted)
    assert (state, persons, amount) == ("paid", 1, "770.00")
    (period,) = (await town.seen(f"/awards/{granted.id}"))["periods"]
    assert period["covered"] == [str(granted.persons[1])]


async def test_another_town_finds_none_of_it(town: Office) -> None:
    granted = await town.grant(*three())
    foreign = Office(town.relief, (OTHER,), "other-1")
    change = await town.proposed(granted, "voluntary", requested_on="2025-08-11", document="申请书")
    for path in (
        f"/awards/{granted.id}",
        f"/awards/{granted.id}/changes",
        f"/award-changes/{change['id']}",
    ):
        assert (await foreign.get(path)).status_code == 404
    again = await foreign.propose(
        granted, "voluntary", requested_on="2025-08-11", document="申请书"
    )
    assert again.status_code == 404
    for action, body in (
        ("reviews", {"reviewed_on": "2025-08-11", "note": "入户"}),
        ("job-offers", OFFER | {"person": str(granted.persons[0])}),
    ):
        answer = await foreign.post(f"/awards/{granted.id}/{action}", body, etag='"1"')
        assert answer.status_code == 404, answer.text
    for action, body in (
        ("decide", {}),
        ("withdraw", {"reason": "误"}),
        ("deliver", {"how": "mail", "on": "2025-08-11", "received_by": "某"}),
        (
            "hearing",
            {
                "notified_on": "2025-08-11",
                "heard_on": "2025-08-11",
                "method": "absent",
                "statement": "无",
            },
        ),
    ):
        answer = await foreign.post(f"/award-changes/{change['id']}/{action}", body, etag='"1"')
        assert answer.status_code == 404, answer.text
    assert (await foreign.seen("/awards"))["items"] == []
    assert (await foreign.get("/awards", division=TOWN)).status_code == 404
    assert (await foreign.get("/awards/published", division=TOWN)).status_code == 404


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("relief:decide", "post", "changes"),
        ("relief:review", "get", ""),
        ("relief:decide", "post", "reviews"),
    ],
)
async def test_without_the_scope_it_is_403(
    town: Office, scope: str, method: str, path: str
) -> None:
    granted = await town.grant(*three())
    without = Office(town.relief, (TOWN,), "town-2", (scope,))
    answer = await town.relief.http.request(
        method,
        f"/v1/relief/awards/{granted.id}/{path}".rstrip("/"),
        json={"kind": "voluntary", "reason": "x", "requested_on": "2025-08-11", "document": "y"}
        if path == "changes"
        else {"reviewed_on": "2025-08-11", "note": "入户"},
        headers=without.headers('"1"'),
    )
    assert answer.status_code == 403


async def test_the_list_is_narrowed_by_place_state_day_and_number(town: Office) -> None:
    first = await town.grant(*three())
    other_man = person("a", "self", "1970-01-01", "司徒静", 7)
    second = await town.grant(other_man, village=OTHER_VILLAGE)
    bureau = Office(town.relief, BOTH, "bureau-1")
    found = await bureau.seen("/awards", as_of="2025-09-01")
    assert [one["id"] for one in found["items"]] == [str(first.id), str(second.id)]
    assert [one["state"] for one in found["items"]] == ["paid", "paid"]
    number = found["items"][0]["number"]
    for query in (
        {"division": TOWN},
        {"division": VILLAGE},
        {"q": number},
    ):
        only = await bureau.seen("/awards", **query)
        assert [one["id"] for one in only["items"]] == [str(first.id)], query
    assert (await bureau.seen("/awards", state="paid"))["items"] == []
    assert len((await bureau.seen("/awards", state="paid", as_of="2025-09-01"))["items"]) == 2
    assert (await bureau.seen("/awards", state="stopped", as_of="2025-09-01"))["items"] == []
    page = await bureau.seen("/awards", limit="1")
    assert [one["id"] for one in page["items"]] == [str(first.id)]
    rest = await bureau.seen("/awards", limit="1", cursor=page["next_cursor"])
    assert [one["id"] for one in rest["items"]] == [str(second.id)]
    assert rest["next_cursor"] is None


BAD_QUERIES = [
    {"as_of": "2025-9-1"},
    {"state": "running"},
    {"cursor": "x"},
    {"cursor": "WyJ4Il0"},
    {"limit": "0"},
    {"division": "5001"},
    {"division": "999999999999"},
    {"name": "欧阳"},
    {"q": ""},
]


async def test_a_bad_query_is_refused(town: Office) -> None:
    for query in BAD_QUERIES:
        answer = await town.get("/awards", **query)
        assert answer.status_code == 422, (query, answer.text)
        assert answer.json()["errors"], query


async def test_57_art_24_name_number_and_amount_are_published_and_nothing_else(
    town: Office, relief: Running
) -> None:
    ill = wife(work_capacity="none", disability={"kind": "physical", "grade": 1})
    await town.grant(man(), ill, pupil())
    orphan = person("a", "self", "2010-01-01", "诸葛小明", 8)
    await town.grant(orphan)
    assert (await town.seen("/awards/published", division=VILLAGE))["items"] == []
    relief.at("2025-09-02")
    shown = await town.seen("/awards/published", division=VILLAGE)
    assert shown["items"] == [
        {"applicant": NAME, "members": 3, "amount": "1110.00"},
        {"applicant": "诸葛某某", "members": 1, "amount": "770.00"},
    ]
    assert WIFE_NAME not in str(shown)
    audit = await relief.rows(
        "SELECT purpose FROM chassis.audit_entry WHERE action = 'read household_member.name'"
    )
    assert any("公布最低生活保障对象" in row["purpose"] for row in audit)


async def test_ordinance_art_26_the_review_falls_due_by_the_class_of_the_household(
    town: Office, relief: Running
) -> None:
    """B1.7; parameter dibao.review.months: C (able, without work) half a year, A a year."""
    ill = person("a", "self", "1970-01-01", "司徒静", 7, severe_illness=True)
    first = await town.grant(man(None), wife(work_capacity="none"))
    second = await town.grant(ill)
    shown = {one["id"]: one for one in (await town.seen("/awards"))["items"]}
    assert shown[str(first.id)]["review_class"] == "C"
    assert shown[str(first.id)]["review_due_on"] == "2026-02-11"
    assert shown[str(second.id)]["review_class"] == "A"
    assert shown[str(second.id)]["review_due_on"] == "2026-08-11"
    relief.at("2026-02-01")
    due = (await town.seen("/awards", review_due_by="2026-02-28"))["items"]
    assert [one["id"] for one in due] == [str(first.id)]
    answer = await town.on_award(
        first, "reviews", {"reviewed_on": "2026-01-30", "note": "入户核查，无变化"}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["next_due_on"] == "2026-07-30"
    assert answer.json()["warnings"] == []
    assert (await town.seen("/awards", review_due_by="2026-02-28"))["items"] == []
    assert len((await town.seen(f"/awards/{first.id}"))["reviews"]) == 1
    assert len(await town.events(first.id)) == 1


async def test_57_art_31_a_review_says_no_change_only_where_the_rules_give_none(
    town: Office, bureau: Office, relief: Running
) -> None:
    granted = await town.grant(*three())
    relief.at("2025-10-20")
    await town.wage(granted, "1000.00", "2025-09-01")
    seen = {"reviewed_on": "2025-10-20", "note": "电话"}
    answer = await town.on_award(granted, "reviews", seen)
    assert answer.status_code == 409, answer.text
    assert answer.json()["type"] == "urn:minzheng:problem:review-contradicts"
    assert answer.json()["detail"] == (
        "按今日的事实与规定应发 1510.00 元（3 人），现定 1110.00 元（3 人），请提出变动"
    )
    await bureau.decided(await town.proposed(granted, "increase"))
    answer = await town.on_award(granted, "reviews", seen)
    assert (answer.status_code, answer.json().get("warnings")) == (201, [])


async def test_57_art_31_a_review_does_not_pass_over_that_nothing_is_due_any_more(
    town: Office, relief: Running
) -> None:
    granted = await town.grant(*three())
    relief.at("2025-10-20")
    await town.wage(granted, "9000.00", "2025-09-01")
    answer = await town.on_award(granted, "reviews", {"reviewed_on": "2025-10-20", "note": "入户"})
    assert (answer.status_code, "不再符合条件" in answer.text) == (409, True)
    shown = await town.seen(f"/awards/{granted.id}")
    assert (shown["reviews"], shown["review_due_on"]) == ([], "2026-02-11")


async def test_a_review_is_of_a_day_between_the_decision_and_today(town: Office) -> None:
    granted = await town.grant(*three())
    for day in ("2025-08-10", "2025-08-12", "not"):
        answer = await town.on_award(granted, "reviews", {"reviewed_on": day, "note": "入户"})
        assert answer.status_code == 422, (day, answer.text)


async def test_a_change_of_an_award_needs_the_version_that_was_read(town: Office) -> None:
    granted = await town.grant(*three())
    body = {"reviewed_on": "2025-08-11", "note": "入户"}
    path = f"/awards/{granted.id}/reviews"
    assert (await town.post(path, body)).status_code == 428
    assert (await town.post(path, body, etag='"7"')).status_code == 412
    assert (await town.post(path, body, etag='"1"')).status_code == 201


async def test_looking_an_award_or_its_changes_up_is_audited(town: Office) -> None:
    granted = await town.grant()
    change = await town.proposed(
        granted, "voluntary", requested_on="2025-08-11", document="退出申请书"
    )
    for path in (f"/awards/{granted.id}", f"/awards/{granted.id}/changes"):
        await town.seen(path)
    await town.seen(f"/award-changes/{change['id']}")
    rows = await town.relief.rows(
        "SELECT actor, subject FROM chassis.audit_entry WHERE action = 'relief.award.read'"
    )
    assert [tuple(row) for row in rows] == [("town-1", str(granted.id))] * 3
