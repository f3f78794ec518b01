"""Parameters of 低保 by source and date: domain.md F, design/law/relief.md §1, §2, §11–§14."""

import asyncio
import contextlib
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.law.calendar import Calendar
from chassis.law.deadlines import Term, TermUnit, deadline
from chassis.law.standards import NotInForceError
from services.relief.parameters import repository, rules
from services.relief.parameters.rules import Kind, ParameterError, Row
from services.relief.parameters.seed import law_on, seed
from tests.support.services import DISTRICT, Running

COUNTY, COUNTY_IN_2026 = int(DISTRICT), "500157000000"
TOTAL, TOWN, SPECIAL = "dibao.limit.total", "dibao.limit.town", "dibao.limit.special"
WORKING = TermUnit.WORKING_DAYS
URL = "/v1/relief/parameters"
BODY = {
    "key": TOWN,
    "division": DISTRICT,
    "value": {"count": 15, "unit": "working_days"},
    "valid_from": "2025-03-01",
    "source": "渝北民政〔2025〕1号",
}


def d(day: str) -> date:
    return date.fromisoformat(day)


@pytest.fixture(autouse=True)
def on_the_day(request: pytest.FixtureRequest) -> None:
    """Where a service runs, it is the day of `BODY`: a county sets nothing for past days."""
    if "relief" in request.fixturenames:
        request.getfixturevalue("relief").at("2025-03-01")


async def set_one(
    relief: Running, changes: dict[str, object] | None = None, *, key: str = "", **claims: object
) -> httpx.Response:
    headers = relief.headers("relief:standards", **claims)
    if key:
        headers["Idempotency-Key"] = key
    return await relief.http.post(URL, json={**BODY, **(changes or {})}, headers=headers)


async def correct(
    relief: Running, row: str, etag: str | None, changes: dict[str, object] | None = None
) -> httpx.Response:
    correction = {
        "value": {"count": 18, "unit": "working_days"},
        "valid_from": "2025-03-01",
        "source": "渝北民政〔2025〕2号",
        "reason": "天数录入有误",
        **(changes or {}),
    }
    headers = relief.headers("relief:standards") | ({"If-Match": etag} if etag else {})
    return await relief.http.post(f"{URL}/{row}/correction", json=correction, headers=headers)


async def seen(relief: Running, key: str = TOWN, **query: str) -> Any:
    answer = await relief.http.get(
        URL, params={"key": key, **query}, headers=relief.headers("relief:read")
    )
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["items"]
    return found


async def law(relief: Running, day: str, known_on: str = "", county: int = COUNTY) -> rules.Law:
    async with relief.runtime.database.transaction(actor="clerk-1") as session:
        return await repository.law(
            session, d(day), d(known_on) if known_on else None, county=county
        )


# --- The seed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "due"), [(TOWN, "2022-11-18"), (TOTAL, "2022-12-02"), (SPECIAL, "2022-12-23")]
)
def test_relief_md_11_13_limits_of_83_article_4_1_accepted_2022_10_21(key: str, due: str) -> None:
    term = law_on(d("2022-10-21")).term(key)
    assert term.source.startswith("民发〔2022〕83号四（一）")
    assert term.confirmed
    assert deadline(term.value, d("2022-10-21"), Calendar()).day == d(due)


@pytest.mark.parametrize(
    ("key", "due"), [(TOWN, "2026-07-29"), (TOTAL, "2026-08-05"), (SPECIAL, "2026-08-26")]
)
def test_relief_md_11_14_limits_accepted_2026_07_01(key: str, due: str) -> None:
    term = law_on(d("2026-07-01")).term(key).value
    assert deadline(term, d("2026-07-01"), Calendar()).day == d(due)


@pytest.mark.parametrize(
    ("day", "total", "town", "special"),
    [
        ("2020-12-31", (30, TermUnit.DAYS), (30, TermUnit.DAYS), None),  # 条例 art. 19
        ("2021-06-30", (30, TermUnit.DAYS), (30, TermUnit.DAYS), None),
        ("2021-07-01", (30, WORKING), (30, WORKING), (45, WORKING)),  # 57号 art. 22
        ("2022-10-19", (30, WORKING), (30, WORKING), (45, WORKING)),
        ("2022-10-20", (30, WORKING), (20, WORKING), (45, WORKING)),  # 83号 4(1)
        ("2023-03-01", (25, WORKING), (20, WORKING), (40, WORKING)),  # 渝民发〔2023〕3号
        ("2026-07-01", (25, WORKING), (20, WORKING), (40, WORKING)),  # 法 sets none
    ],
)
def test_total_limits_by_source_and_date(
    day: str,
    total: tuple[int, TermUnit],
    town: tuple[int, TermUnit],
    special: tuple[int, TermUnit] | None,
) -> None:
    of_day = law_on(d(day))
    assert shape(of_day.term(TOTAL).value) == total
    assert shape(of_day.term(TOWN).value) == town
    assert of_day.holds(SPECIAL) == (special is not None)
    if special is not None:
        assert shape(of_day.term(SPECIAL).value) == special


def shape(term: Term) -> tuple[int, TermUnit]:
    return term.count, term.unit


def test_the_chongqing_limits_of_2023_are_marked_as_not_confirmed() -> None:
    for key in (TOTAL, SPECIAL):
        cited = law_on(d("2023-03-01")).term(key)
        assert (cited.source, cited.confirmed) == ("渝民发〔2023〕3号", False)
        assert "83号" in cited.note


def test_ordinance_article_19_leaves_out_appraisal_and_publicity_57_article_22_does_not() -> None:
    key = "dibao.limit.excludes"
    assert law_on(d("2021-06-30")).codes(key).value == {"publicity", "appraisal"}
    assert law_on(d("2021-07-01")).codes(key).value == frozenset()


@pytest.mark.parametrize(
    ("key", "count", "article"),
    [
        ("dibao.limit.survey_start", 3, "第十五条"),
        ("dibao.limit.check_start", 3, "第十七条"),
        ("dibao.limit.confirm", 10, "第二十条"),
        ("dibao.limit.refusal_notice", 3, "第二十一条"),
    ],
)
def test_limits_of_single_steps_of_57(key: str, count: int, article: str) -> None:
    assert not law_on(d("2021-06-30")).holds(key)
    cited = law_on(d("2021-07-01")).term(key)
    assert shape(cited.value) == (count, WORKING)
    assert cited.source == f"民发〔2021〕57号{article}"


def test_relief_md_12_3_basic_pension_is_still_not_counted_after_2025_but_not_confirmed() -> None:
    key = "dibao.income.not_counted"
    assert "basic_pension" not in law_on(d("2021-06-30")).codes(key).value
    before, after = law_on(d("2025-12-31")).codes(key), law_on(d("2026-01-01")).codes(key)
    assert "basic_pension" in before.value & after.value
    assert (before.confirmed, after.confirmed) == (True, False)
    assert "十四五" in after.note


def test_62_of_2019_unattended_child_allowance_is_not_counted_from_2019() -> None:
    key = "dibao.income.not_counted"
    assert "unattended_child_allowance" not in law_on(d("2019-06-17")).codes(key).value
    assert "unattended_child_allowance" in law_on(d("2020-12-31")).codes(key).value


@pytest.mark.parametrize(
    ("key", "before", "after", "article"),
    [
        ("dibao.hearing.required", False, True, "第四十八条"),
        (rules.MUNICIPAL_ONLY, False, True, "第四十四条"),
        ("dibao.supporter.consent_required", False, True, "第四十一条"),
    ],
)
def test_social_relief_act_changes_on_2026_07_01(
    key: str, before: bool, after: bool, article: str
) -> None:
    assert law_on(d("2026-06-30")).flag(key).value is before
    cited = law_on(d("2026-07-01")).flag(key)
    assert cited.value is after
    assert cited.source == f"社会救助法（2026）{article}"


@pytest.mark.parametrize(
    ("day", "least", "most"), [("2026-06-30", 10_000, 30_000), ("2026-07-01", 0, 20_000)]
)
def test_relief_md_11_18_fraud_fine_of_10000_yuan(day: str, least: int, most: int) -> None:
    times = law_on(d(day)).amounts("dibao.fraud.fine").value
    assert (times["least"] * 10_000, times["most"] * 10_000) == (least, most)


@pytest.mark.parametrize(
    ("key", "ordinance", "measure", "article"),
    [
        ("dibao.payment.start", "same_month", "next_month", "第二十二条"),
        ("dibao.clergy.years", 1, 3, "第十一条"),
        ("dibao.members.students", "any_school", "full_time_bachelor", "第十一条"),
        ("dibao.publicity.again_days", 3, 3, "第十八条"),
    ],
)
def test_relief_md_14_where_ordinance_and_57_differ_both_are_named(
    key: str, ordinance: object, measure: object, article: str
) -> None:
    found = {str(row.valid_from): row for row in seed().rows if row.key == key}
    assert found["2016-05-01"].value == ordinance
    later = found["2021-07-01"]
    assert (later.value, later.confirmed) == (measure, False)
    both = later.source + later.note
    assert "民发〔2021〕57号" in both
    assert "条例" in both
    assert article in both


@pytest.mark.parametrize(
    ("day", "added"),
    [
        ("2020-12-31", {"apart_from_parents"}),
        ("2021-07-01", {"edge_family", "clergy", "special_hardship"}),
        ("2022-10-20", {"unemployed_disabled"}),
    ],
)
def test_paths_to_be_taken_alone_ordinance_11_then_57_article_8_then_83_article_1_1(
    day: str, added: set[str]
) -> None:
    key = "dibao.alone.paths"
    before = {"2021-07-01": "2021-06-30", "2022-10-20": "2022-10-19"}.get(day)
    earlier = law_on(d(before)).codes(key).value if before else frozenset()
    assert law_on(d(day)).codes(key).value - earlier == added


def test_extras_of_2018_and_not_before() -> None:
    assert not law_on(d("2017-12-31")).holds("dibao.extras")
    assert law_on(d("2018-01-01")).amounts("dibao.extras").value == {
        "disabled": 40,
        "severely_disabled": 60,
        "severely_ill": 60,
        "aged_70": 60,
        "preschool": 100,
        "in_school": 100,
    }


DAYS = ("2020-12-31", "2021-07-01", "2022-10-20", "2023-03-01", "2025-07-15", "2026-07-01")


@pytest.mark.parametrize("day", DAYS)
def test_every_parameter_has_a_version_on_the_day_or_says_why_it_has_none(day: str) -> None:
    of_day = law_on(d(day))
    without = {
        key: parameter for key, parameter in seed().parameters.items() if not of_day.holds(key)
    }
    assert all(parameter.absent for parameter in without.values())
    if day >= "2022-10-20":
        assert set(without) == {
            "dibao.limit.promised",
            "dibao.deduction.disability",
            "dibao.deduction.severe_illness",
            "dibao.support.surplus_multiple",
            "dibao.support.share",
            "dibao.edge.property.deposit_multiple",
            "dibao.edge.property.dwellings",
            "dibao.edge.property.dwelling_area_multiple",
            "dibao.edge.property.kinds",
        }


def test_every_row_names_document_and_year_and_what_is_not_confirmed_says_why() -> None:
    named = ("〔20", "（2016年修订）", "（2026）", "社会救助暂行办法", "重庆市", "本系统")
    for row in seed().rows:
        assert any(one in row.source for one in named), row
        assert row.confirmed or row.note, row
        assert seed().parameters[row.key].title


def test_law_refuses_what_is_not_in_force_and_what_is_of_another_kind() -> None:
    of_day = law_on(d("2020-12-31"))
    with pytest.raises(NotInForceError, match=SPECIAL):
        of_day.term(SPECIAL)
    with pytest.raises(NotInForceError):
        of_day.integer("dibao.no_such_key")
    with pytest.raises(TypeError):
        of_day.integer("dibao.hearing.required")
    with pytest.raises(TypeError):
        of_day.flag("dibao.publicity.days")


def test_law_cites_what_was_asked_for_once_in_order() -> None:
    of_day = law_on(d("2025-07-15"))
    of_day.integer("dibao.publicity.days")
    of_day.decimal("dibao.edge.multiple")
    of_day.integer("dibao.publicity.days")
    assert [one.key for one in of_day.cited()] == ["dibao.publicity.days", "dibao.edge.multiple"]


def row(value: int, day: str, **more: Any) -> Row:
    return Row("dibao.publicity.days", value, "文", d(day), **more)


def test_a_version_with_an_end_is_followed_by_none_until_the_next_begins() -> None:
    rows = [
        row(7, "2016-05-01"),
        row(5, "2022-01-01", valid_to=d("2022-06-30")),
        row(7, "2023-01-01"),
    ]
    found = [rules.in_force(rows, d(day)) for day in ("2021-12-31", "2022-06-30", "2023-01-01")]
    assert [one.value for one in found if one] == [7, 5, 7]
    assert rules.in_force(rows, d("2022-07-01")) is None


def test_where_what_a_county_set_has_ended_the_text_of_the_day_holds_again() -> None:
    """Not what the county had set before: that was superseded. A newer text holds in any case."""
    rows = [
        row(7, "2016-05-01"),
        row(9, "2021-07-01"),
        row(10, "2021-08-01", seeded=False),
        row(12, "2022-01-01", seeded=False, valid_to=d("2022-06-30")),
        row(8, "2023-01-01"),
    ]
    days = ("2021-12-31", "2022-06-30", "2022-07-01", "2023-01-01")
    found = [rules.in_force(rows, d(day)) for day in days]
    assert [one and one.value for one in found] == [10, 12, 9, 8]
    assert rules.in_force(rows[2:4], d("2022-07-01")) is None


@given(st.permutations(range(4)), st.dates(d("2015-01-01"), d("2030-01-01")))
def test_the_order_of_rows_does_not_matter(order: list[int], day: date) -> None:
    rows = [
        row(7, "2016-05-01"),
        row(6, "2016-05-01", seeded=False),
        row(5, "2021-07-01", seeded=False, superseded_on=d("2021-08-01")),
        row(4, "2021-07-01", seeded=False, known_from=d("2021-08-01")),
    ]
    found = rules.in_force([rows[place] for place in order], day)
    expected = None if day < d("2016-05-01") else 4 if day >= d("2021-07-01") else 6
    assert (found.value if found else None) == expected


@given(st.sampled_from(sorted(seed().parameters)), st.data())
def test_a_value_is_read_back_as_it_is_written(key: str, data: st.DataObject) -> None:
    parameter = seed().parameters[key]
    versions = [one for one in seed().rows if one.key == key]
    if versions:
        version = data.draw(st.sampled_from(versions))
        again = rules.value_of(
            parameter,
            rules.written(version.value),
            source=version.source,
            valid_from=version.valid_from,
        )
        assert again == version.value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.sampled_from(sorted(seed().parameters)), json_values)
def test_any_json_is_a_value_within_bounds_or_a_parameter_error(key: str, raw: object) -> None:
    parameter = seed().parameters[key]
    value: rules.Value | None = None
    with contextlib.suppress(ParameterError):
        value = rules.value_of(parameter, raw, source="文", valid_from=d("2025-01-01"))
    if value is not None and parameter.kind in (Kind.INTEGER, Kind.DECIMAL):
        assert parameter.least <= Decimal(str(value)) <= parameter.most


# --- Set by the bureau -------------------------------------------------------------------------


async def test_a_parameter_that_is_set_changes_the_law_from_its_day_on(relief: Running) -> None:
    answer = await set_one(relief)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{URL}/{answer.json()['id']}"
    assert (await law(relief, "2025-02-28")).term(TOWN).value.count == 20
    cited = (await law(relief, "2025-03-01")).term(TOWN)
    assert (cited.value.count, cited.source) == (15, "渝北民政〔2025〕1号")
    assert cited.value.source == "渝北民政〔2025〕1号"
    assert (await law(relief, "2025-03-01", county=500157000000)).term(TOWN).value.count == 20


async def test_what_is_set_for_a_day_of_the_seed_takes_its_place(relief: Running) -> None:
    relief.at("2023-03-01")
    assert (
        await set_one(relief, {"key": TOTAL, "valid_from": "2023-03-01", "value": dict(BODY_30)})
    ).status_code == 201
    assert (await law(relief, "2023-03-01")).term(TOTAL).value.count == 30
    assert (await law(relief, "2023-02-28")).term(TOTAL).source.startswith("民发〔2022〕83号")


BODY_30 = {"count": 30, "unit": "working_days"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dibao.publicity.days", 7),
        ("dibao.edge.multiple", "1.5"),
        ("dibao.payment.start", "same_month"),
        ("dibao.extras.cumulative", True),
        ("dibao.limit.promised", {"count": 10, "unit": "working_days"}),
        (
            "dibao.alone.paths",
            ["clergy", "edge_family", "special_hardship", "unemployed_disabled"],
        ),
        ("dibao.limit.excludes", []),
        ("dibao.review.months", {"A": "12", "B": "6", "C_rural": "3", "C_urban": "1"}),
    ],
)
async def test_each_kind_of_value_is_kept_as_it_was_given(
    relief: Running, key: str, value: object
) -> None:
    answer = await set_one(relief, {"key": key, "value": value})
    assert answer.status_code == 201, answer.text
    assert answer.json()["value"] == value
    shown = await seen(relief, key, as_of="2025-03-01")
    assert (shown["in_force"]["value"], shown["in_force"]["seeded"]) == (value, False)


async def test_57_22_nothing_longer_is_promised_than_the_law_gives(relief: Running) -> None:
    """The city gives 25 working days (渝民发〔2023〕3号)."""
    for count, unit, status in (
        *((1, "months", 422), (26, "days", 422), (26, "working_days", 422)),
        (25, "working_days", 201),
    ):
        asked = {"key": "dibao.limit.promised", "value": {"count": count, "unit": unit}}
        assert (await set_one(relief, asked)).status_code == status, asked


async def test_a_list_says_source_year_confirmation_and_why_nothing_is_in_force(
    relief: Running,
) -> None:
    answer = await relief.http.get(URL, headers=relief.headers("relief:read"))
    assert answer.json()["as_of"] == "2025-03-01"
    assert answer.json()["division"] == DISTRICT
    items = {one["key"]: one for one in answer.json()["items"]}
    assert set(items) == set(seed().parameters)
    assert items[TOTAL]["in_force"]["source"] == "渝民发〔2023〕3号"
    assert items[TOTAL]["in_force"]["confirmed"] is False
    assert len(items[TOTAL]["versions"]) == 4
    assert (await seen(relief, SPECIAL, as_of="2020-12-31"))["in_force"] is None
    assert "条例" in items[SPECIAL]["absent"]


async def test_a_correction_keeps_what_stood_before_and_what_was_known(relief: Running) -> None:
    first = await set_one(relief)
    relief.at("2025-03-10")
    corrected = await correct(relief, first.json()["id"], first.headers["etag"])
    assert corrected.status_code == 200, corrected.text
    assert corrected.json()["reason"] == "天数录入有误"
    assert (await law(relief, "2025-03-05")).term(TOWN).value.count == 18
    assert (await law(relief, "2025-03-05", "2025-03-09")).term(TOWN).value.count == 15
    assert (await law(relief, "2025-03-05", "2025-02-28")).term(TOWN).value.count == 20
    now = await seen(relief, as_of="2025-03-05")
    assert now["in_force"]["value"]["count"] == 18
    assert [one["value"]["count"] for one in now["versions"]][-2:] == [15, 18]
    then = await seen(relief, as_of="2025-03-05", known_on="2025-03-09")
    assert then["in_force"]["value"]["count"] == 15
    old = await relief.http.get(
        f"{URL}/{first.json()['id']}", headers=relief.headers("relief:read")
    )
    assert old.json()["superseded_at"] is not None
    again = await correct(relief, first.json()["id"], old.headers["etag"])
    assert again.status_code == 409


async def test_a_correction_may_move_the_day_and_then_the_old_day_is_free(relief: Running) -> None:
    first = await set_one(relief)
    moved = await correct(
        relief, first.json()["id"], first.headers["etag"], {"valid_from": "2025-04-01"}
    )
    assert moved.status_code == 200, moved.text
    assert (await law(relief, "2025-03-31")).term(TOWN).value.count == 20
    assert (await set_one(relief)).status_code == 201
    to_taken = await correct(relief, moved.json()["id"], moved.headers["etag"])
    assert to_taken.status_code == 409
    assert to_taken.json()["type"] == "urn:minzheng:problem:parameter-already-set"


async def test_a_correction_needs_the_version_that_stands(relief: Running) -> None:
    first = await set_one(relief)
    assert (await correct(relief, first.json()["id"], None)).status_code == 428
    assert (await correct(relief, first.json()["id"], '"99"')).status_code == 412
    assert len(await relief.rows("SELECT 1 FROM parameter_row")) == 1


async def test_two_clerks_correcting_at_once_one_wins(relief: Running) -> None:
    first = await set_one(relief)
    answers = await asyncio.gather(
        *(correct(relief, first.json()["id"], first.headers["etag"]) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    standing = await relief.rows("SELECT 1 FROM parameter_row WHERE superseded_at IS NULL")
    assert len(standing) == 1


async def test_two_clerks_setting_the_same_day_at_once_one_wins(relief: Running) -> None:
    answers = await asyncio.gather(
        *(set_one(relief, {"value": {"count": 10 + n, "unit": "working_days"}}) for n in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert len(await relief.rows("SELECT 1 FROM parameter_row")) == 1


async def test_the_same_post_twice_at_once_with_one_key_is_one(relief: Running) -> None:
    answers = await asyncio.gather(*(set_one(relief, key="window-1-0001") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await relief.rows("SELECT 1 FROM parameter_row")) == 1


REVIEWED = {"A": "12", "B": "6", "C_rural": "6", "C_urban": "6"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"key": "dibao.limit.nothing"}, "/key"),
        ({"key": "dibao.limit.town'; --"}, "/key"),
        ({"key": "a" * 100}, "/key"),
        ({"value": {"count": 0, "unit": "working_days"}}, "/value"),
        ({"value": {"count": 366, "unit": "working_days"}}, "/value"),
        ({"value": {"count": 10**40, "unit": "working_days"}}, "/value"),
        ({"value": {"count": True, "unit": "working_days"}}, "/value"),
        ({"value": {"count": 20, "unit": "weeks"}}, "/value"),
        ({"value": {"count": 20, "unit": ["days"]}}, "/value"),
        ({"value": {"count": 20}}, "/value"),
        ({"value": 20}, "/value"),
        ({"value": None}, "/value"),
        ({"key": "dibao.publicity.days", "value": "7"}, "/value"),
        ({"key": "dibao.publicity.days", "value": 7.0}, "/value"),
        ({"key": "dibao.publicity.days", "value": True}, "/value"),
        ({"key": "dibao.publicity.days", "value": 61}, "/value"),
        ({"key": "dibao.publicity.days", "value": -1}, "/value"),
        ({"key": "dibao.edge.multiple", "value": 1.5}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "1.5e0"}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "NaN"}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "１.５"}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "0.99"}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "5.01"}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "1." + "5" * 40}, "/value"),
        ({"key": "dibao.edge.multiple", "value": "1.5.5"}, "/value"),
        ({"key": "dibao.edge.multiple", "value": ""}, "/value"),
        ({"key": "dibao.extras.cumulative", "value": 1}, "/value"),
        ({"key": "dibao.extras.cumulative", "value": "true"}, "/value"),
        ({"key": "dibao.payment.start", "value": "some_day"}, "/value"),
        ({"key": "dibao.payment.start", "value": ["same_month"]}, "/value"),
        ({"key": "dibao.alone.paths", "value": ["everybody"]}, "/value"),
        ({"key": "dibao.alone.paths", "value": ["clergy", "clergy"]}, "/value"),
        ({"key": "dibao.alone.paths", "value": [["clergy"]]}, "/value"),
        ({"key": "dibao.alone.paths", "value": "clergy"}, "/value"),
        ({"key": "dibao.review.months", "value": {"A": "6"}}, "/value"),
        ({"key": "dibao.review.months", "value": {**REVIEWED, "A": "37"}}, "/value"),
        ({"key": "dibao.review.months", "value": {**REVIEWED, "A": "-1"}}, "/value"),
        ({"key": "dibao.review.months", "value": {**REVIEWED, "A": 6}}, "/value"),
        ({"key": TOTAL, "value": {"count": 25, "unit": "days"}}, "/value"),
        ({"valid_from": "9999-12-31"}, "/valid_from"),
        ({"valid_from": "2025-02-30"}, "/valid_from"),
        ({"valid_to": "2025-02-28"}, "/valid_to"),
        ({"division": "500112016000"}, "/division"),
        ({"division": "110101000000"}, "/division"),
        ({"source": "张三，50011219900101123X"}, "/source"),
        ({"source": "文" * 101}, "/source"),
        ({"confirmed": "yes"}, "/confirmed"),
        ({"note": "a\u0000b"}, "/note"),
        ({"more": 1}, "/more"),
    ],
)
async def test_wrong_and_huge_values_are_a_chinese_problem_and_change_nothing(
    relief: Running, changes: dict[str, object], pointer: str
) -> None:
    answer = await set_one(relief, changes)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await relief.rows("SELECT 1 FROM parameter_row") == []


def test_what_the_product_comes_with_keeps_within_the_texts_above_a_county() -> None:
    for row in seed().rows:
        rules.check_bounds(seed().parameters[row.key], row.value, row.valid_from)


@pytest.mark.parametrize(
    ("key", "value", "article"),
    [
        ("dibao.hearing.required", False, "社会救助法（2026）第四十八条"),
        (rules.MUNICIPAL_ONLY, False, "社会救助法（2026）第四十四条"),
        ("dibao.supporter.consent_required", False, "社会救助法（2026）第四十一条"),
        ("dibao.fraud.fine", {"least": "0", "most": "10"}, "社会救助法（2026）第七十三条"),
        ("dibao.job_refusals", 1, "民发〔2021〕57号第三十四条"),
        ("dibao.clergy.years", 1, "民发〔2021〕57号第七条"),
    ],
)
async def test_what_the_act_or_57_says_no_county_says_otherwise(
    relief: Running, key: str, value: object, article: str
) -> None:
    relief.at("2026-07-01")
    asked = {"key": key, "value": value, "valid_from": "2026-07-01", "division": COUNTY_IN_2026}
    answer = await set_one(relief, asked, divisions=[COUNTY_IN_2026])
    assert answer.status_code == 403, answer.text
    assert answer.json()["type"] == "urn:minzheng:problem:set-by-higher-text"
    assert article in answer.json()["detail"]
    assert seed().parameters[key].set_by is rules.SetBy.TEXT
    assert await relief.rows("SELECT 1 FROM parameter_row") == []


def working(count: int) -> dict[str, object]:
    return {"count": count, "unit": "working_days"}


@pytest.mark.parametrize(
    ("key", "within", "beyond", "article"),
    [
        (TOTAL, working(30), working(31), "民发〔2022〕83号四（一）"),
        (TOWN, working(20), working(21), "民发〔2022〕83号四（一）"),
        (SPECIAL, working(45), working(46), "民发〔2022〕83号四（一）"),
        (SPECIAL, working(25), working(24), "不得短于总时限"),
        ("dibao.limit.survey_start", working(3), working(4), "民发〔2021〕57号第十五条"),
        ("dibao.limit.confirm", working(10), working(11), "民发〔2021〕57号第二十条"),
        ("dibao.publicity.days", 7, 6, "民发〔2022〕83号四（二）"),
        ("dibao.edge.multiple", "1.5", "1.49", "民发〔2022〕83号一（四）"),
        ("dibao.grace.months", 6, 7, "民发〔2022〕83号一（三）"),
        ("dibao.death.review_months", 3, 4, "民发〔2022〕83号一（三）"),
        ("dibao.review.months", REVIEWED, {**REVIEWED, "A": "13"}, "57号第三十一条"),
        (
            "dibao.alone.paths",
            ["edge_family", "clergy", "special_hardship", "unemployed_disabled"],
            ["edge_family", "clergy", "special_hardship"],
            "民发〔2022〕83号一（一）（四）",
        ),
    ],
)
async def test_what_83_and_57_leave_to_the_places_is_set_within_them(
    relief: Running, key: str, within: object, beyond: object, article: str
) -> None:
    answer = await set_one(relief, {"key": key, "value": beyond})
    assert answer.status_code == 422, answer.text
    ((pointer, detail),) = [(one["pointer"], one["detail"]) for one in answer.json()["errors"]]
    assert (pointer, article in detail) == ("/value", True), detail
    first = await set_one(relief, {"key": key, "value": within})
    assert first.status_code == 201, first.text
    etag = first.headers["etag"]
    answer = await correct(relief, first.json()["id"], etag, {"value": beyond})
    assert answer.status_code == 422, answer.text


async def test_what_decides_about_rights_is_not_set_for_days_that_are_past(
    relief: Running,
) -> None:
    relief.at("2025-03-02")
    answer = await set_one(relief)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/valid_from"]
    first = await set_one(relief, {"valid_from": "2025-04-01"})
    relief.at("2025-04-10")
    early, recorded_on = {"valid_from": "2025-03-01"}, {"valid_from": "2025-03-02"}
    etag = first.headers["etag"]
    assert (await correct(relief, first.json()["id"], etag, early)).status_code == 422
    assert (await correct(relief, first.json()["id"], etag, recorded_on)).status_code == 200


async def test_how_the_bureau_works_may_be_set_for_days_that_are_past(relief: Running) -> None:
    asked = {"key": "dibao.check.sources", "value": ["bank"], "valid_from": "2020-01-01"}
    assert (await set_one(relief, asked)).status_code == 201
    assert (await seen(relief, "dibao.check.sources"))["set_by"] == "operation"


async def test_a_correction_is_held_against_the_same_bounds(relief: Running) -> None:
    first = await set_one(relief)
    wrong = await correct(relief, first.json()["id"], first.headers["etag"], {"value": 20})
    assert wrong.status_code == 422
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/value"]
    assert (await law(relief, "2025-03-01")).term(TOWN).value.count == 15


async def test_a_value_that_is_not_confirmed_says_so_in_the_law(relief: Running) -> None:
    answer = await set_one(relief, {"confirmed": False, "note": "待核对原文"})
    assert answer.status_code == 201
    cited = (await law(relief, "2025-03-01")).term(TOWN)
    assert (cited.confirmed, cited.note) == (False, "待核对原文")


async def test_another_county_sees_sets_and_corrects_nothing(relief: Running) -> None:
    first = await set_one(relief)
    foreign = relief.headers("relief:read", "relief:standards", divisions=["500109000000"])
    row_url = f"{URL}/{first.json()['id']}"
    assert (await relief.http.get(row_url, headers=foreign)).status_code == 404
    listed = await relief.http.get(URL, params={"division": DISTRICT}, headers=foreign)
    assert listed.status_code == 404
    own = await relief.http.get(URL, params={"key": TOWN}, headers=foreign)
    assert own.json()["items"][0]["in_force"]["value"]["count"] == 20
    assert (await set_one(relief, divisions=["500109000000"])).status_code == 404
    corrected = await relief.http.post(
        f"{row_url}/correction",
        json={**{k: BODY[k] for k in ("value", "valid_from", "source")}, "reason": "更正"},
        headers={**foreign, "If-Match": first.headers["etag"]},
    )
    assert corrected.status_code == 404


async def test_a_town_reads_its_county_s_law_but_does_not_set_it(relief: Running) -> None:
    first = await set_one(relief)
    town = {"divisions": ["500112016000"]}
    answer = await relief.http.get(
        URL, params={"key": TOWN}, headers=relief.headers("relief:read", **town)
    )
    assert answer.json()["items"][0]["in_force"]["value"]["count"] == 15
    refused = await set_one(relief, {"valid_from": "2025-05-01"}, **town)
    assert refused.status_code == 403
    corrected = await relief.http.post(
        f"{URL}/{first.json()['id']}/correction",
        json={**{k: BODY[k] for k in ("value", "valid_from", "source")}, "reason": "更正"},
        headers={**relief.headers("relief:standards", **town), "If-Match": first.headers["etag"]},
    )
    assert corrected.status_code == 403
    assert len(await relief.rows("SELECT 1 FROM parameter_row")) == 1


async def test_without_the_scope_it_is_403_without_a_token_401(relief: Running) -> None:
    headers = relief.headers("relief:read")
    assert (await relief.http.post(URL, json=BODY, headers=headers)).status_code == 403
    assert (await relief.http.get(URL)).status_code == 401
    assert (
        await relief.http.get(URL, headers=relief.headers("relief:standards"))
    ).status_code == 403


async def test_setting_and_correcting_are_audited(relief: Running) -> None:
    first = await set_one(relief)
    second = await correct(relief, first.json()["id"], first.headers["etag"])
    entries = await relief.rows("SELECT action, subject FROM chassis.audit_entry ORDER BY seq")
    assert [tuple(entry) for entry in entries] == [
        ("relief.parameter.set", first.json()["id"]),
        ("relief.parameter.corrected", second.json()["id"]),
    ]


async def test_a_full_parameter_is_told_in_chinese(
    relief: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.relief.parameters.rules.MOST_ROWS", 1)
    assert (await set_one(relief)).status_code == 201
    full = await set_one(relief, {"valid_from": "2025-06-01"})
    assert full.status_code == 422
    assert "最多登记 1 项" in full.json()["detail"]


@pytest.mark.parametrize("name", ["as_of", "known_on", "division", "key"])
async def test_a_wrong_query_is_refused(relief: Running, name: str) -> None:
    answer = await relief.http.get(
        URL, params={name: "2021-1-1x"}, headers=relief.headers("relief:read")
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/query/{name}"]
