"""Reported figures (填报): architecture.md, the indicator ledger; issue 3, indicator."""

import asyncio
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from chassis.fields import LONGEST_DOCUMENT
from chassis.ids import new_id
from chassis.outbox import MAX_EVENT_BYTES
from contracts.events.indicator import FigureEntry, FigureSeries
from services.indicator.figures.rules import MOST_DIGITS
from services.indicator.figures.service import MOST_FIGURES
from tests.services.indicator.house import (
    DISTRICT_UNIT,
    LONGXING,
    YUFENGSHAN,
    YUFENGSHAN_VILLAGE,
    House,
)
from tests.support.services import DISTRICT

OUTLETS = "welfare.lottery.outlets"
HOUSEHOLDS = "community.households"
STATIONS = "welfare.protection.stations"
DONATIONS = "community.donations"
GROWTH = "statistics.consumption.urban_growth"
TOWN, OTHER_TOWN = str(YUFENGSHAN), str(LONGXING)
HEADINGS = ["计量项目", "区划代码", "日期", "数值", "文件依据"]


async def correct(
    house: House, figure: dict[str, Any], value: str, *, etag: str | None = None, **claims: object
) -> httpx.Response:
    return await house.post(
        f"/v1/plan/figures/{figure['id']}/correction",
        {"value": value, "document": "更正函", "reason": "漏报一处"},
        "plan:report",
        headers={"If-Match": etag or f'"{figure["version"]}"'},
        **claims,
    )


async def import_rows(
    house: House, rows: Sequence[Sequence[object]], *, headings: Sequence[str] = HEADINGS
) -> httpx.Response:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "填报数"
    sheet.append(list(headings))
    for row in rows:
        sheet.append(list(row))
    content = BytesIO()
    book.save(content)
    return await import_bytes(house, content.getvalue())


async def import_bytes(house: House, content: bytes) -> httpx.Response:
    return await house.running.http.post(
        "/v1/plan/figures/import", content=content, headers=house.running.headers("plan:report")
    )


def told(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["detail"] for error in answer.json()["errors"]]


class TestReporting:
    async def test_a_figure_counts_by_consumption_like_everything_else(self, house: House) -> None:
        house.running.at("2021-01-05")
        figure = await house.report(OUTLETS, "2020-12-31", "411")
        assert await house.value("lottery_outlets", as_of="2020-12-31") is None
        await house.settle()
        assert await house.value("lottery_outlets", as_of="2020-12-31") == "411"
        assert (figure["division"], figure["reported_by"]) == (DISTRICT, "clerk-1")
        (entry,) = await house.lineage("lottery_outlets", as_of="2020-12-31")
        assert entry["subject"] == figure["series_id"]
        assert entry["type"] == "minzheng.indicator.figure.reported.v1"

    async def test_not_known_before_the_first_figure_is_not_zero(self, house: House) -> None:
        house.running.at("2021-01-05")
        await house.report(OUTLETS, "2020-06-30", "0")
        await house.settle()
        assert await house.value("lottery_outlets", as_of="2020-06-29") is None
        assert await house.value("lottery_outlets", as_of="2020-06-30") == "0"

    async def test_a_second_figure_of_the_day_is_a_correction(self, house: House) -> None:
        house.running.at("2021-01-05")
        await house.report(OUTLETS, "2020-12-31", "411")
        problem = await house.report(OUTLETS, "2020-12-31", "412", status=409)
        assert problem["type"].endswith("figure-already-reported")

    async def test_a_correction_supersedes_and_what_was_known_before_stays(
        self, house: House
    ) -> None:
        house.running.at("2021-01-05")
        first = await house.report(OUTLETS, "2020-12-31", "401")
        house.running.at("2021-02-01")
        corrected = await correct(house, first, "411")
        assert corrected.status_code == 201, corrected.text
        await house.settle()
        assert await house.value("lottery_outlets", as_of="2020-12-31") == "411"
        known = {"as_of": "2020-12-31", "known_on": "2021-01-31"}
        assert await house.value("lottery_outlets", **known) == "401"

        listed = (await house.get("/v1/plan/figures")).json()["items"]
        assert [(one["value"], one["superseded_at"] is None) for one in listed] == [
            ("411", True),
            ("401", False),
        ]
        assert listed[0]["note"] == "漏报一处"
        then = (await house.get("/v1/plan/figures", {"known_on": "2021-01-31"})).json()["items"]
        assert [(one["value"], one["superseded_at"]) for one in then] == [("401", None)]
        again = await correct(house, first, "412", etag=corrected.headers["etag"])
        assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (
            409,
            "figure-already-corrected",
        )

    async def test_a_correction_needs_the_version_it_stands_on(self, house: House) -> None:
        house.running.at("2021-01-05")
        first = await house.report(OUTLETS, "2020-12-31", "401")
        second = await house.report(OUTLETS, "2020-06-30", "400")
        assert (await correct(house, first, "411")).status_code == 412  # of before the second
        body = {"value": "411", "document": "更正函", "reason": "漏报"}
        path = f"/v1/plan/figures/{first['id']}/correction"
        assert (await house.post(path, body, "plan:report")).status_code == 428
        shown = await house.get(f"/v1/plan/figures/{first['id']}")
        assert shown.headers["etag"] == f'"{second["version"]}"'
        assert (await correct(house, first, "411", etag=shown.headers["etag"])).status_code == 201

    async def test_two_clerks_at_once_one_wins_the_other_gets_412(self, house: House) -> None:
        house.running.at("2021-01-05")
        first = await house.report(OUTLETS, "2020-12-31", "401")
        answers = await asyncio.gather(*(correct(house, first, f"41{n}") for n in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412]

    async def test_the_same_key_posted_twice_is_one_figure(self, house: House) -> None:
        house.running.at("2021-01-05")
        body = {
            "measure": OUTLETS,
            "division": DISTRICT,
            "on": "2020-12-31",
            "value": "411",
            "document": "甲",
        }
        key = {"Idempotency-Key": "figures-2020"}
        first = await house.post("/v1/plan/figures", body, "plan:report", headers=key)
        again = await house.post("/v1/plan/figures", body, "plan:report", headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert len((await house.get("/v1/plan/figures")).json()["items"]) == 1

    async def test_a_flow_is_the_total_since_1_january(self, house: House) -> None:
        house.running.at("2022-03-01")
        for on, value in (
            ("2021-03-31", "300"),
            ("2021-12-31", "1320.55"),
            ("2022-02-28", "150"),
        ):
            await house.report(DONATIONS, on, value)
        await house.settle()
        expected = {
            "2021-03-30": None,
            "2021-06-30": "300.00",
            "2021-12-31": "1320.55",
            "2022-01-01": None,
            "2022-02-28": "150.00",
        }
        for on, value in expected.items():
            assert await house.value("charity_donations", as_of=on) == value, on
        item = (await house.board(as_of="2022-02-28"))["charity_donations"]
        governing = item["targets"][0]
        # Judged by the last whole year; provisional until the reports are due on 31 March.
        assert (governing["measured_value"], governing["judged_on"]) == ("1320.55", "2021-12-31")
        assert (await house.board(as_of="2021-12-31"))["charity_donations"]["provisional"]
        house.running.at("2022-04-01")
        assert not (await house.board(as_of="2021-12-31"))["charity_donations"]["provisional"]

    async def test_towns_add_up(self, house: House) -> None:
        house.running.at("2021-01-05")
        for division, value in ((TOWN, "1000"), (OTHER_TOWN, "500")):
            await house.report(HOUSEHOLDS, "2020-12-31", value, division=division)
        await house.report("community.facility.area", "2020-12-31", "304.5", division=TOWN)
        await house.settle()
        area = (await house.board(as_of="2020-12-31"))["community_facility_area"]
        assert (area["numerator"], area["denominator"]) == ("304.5", "1500")
        assert area["value"] == "20.30"
        in_town = (await house.board(as_of="2020-12-31", division=TOWN))["community_facility_area"]
        assert (in_town["value"], in_town["denominator"]) == ("30.45", "1000")

    async def test_who_has_not_reported_is_not_zero_and_is_named(self, house: House) -> None:
        house.running.at("2021-01-05")
        for measure in (HOUSEHOLDS, "community.facility.area"):
            await house.report(measure, "2020-12-31", "100", division=TOWN)
        await house.settle()
        partly = (await house.board(as_of="2020-12-31"))["community_facility_area"]
        assert partly["value"] == "100.00"
        assert len(partly["unreported"]) == 21
        other = await house.board(as_of="2020-12-31", division=OTHER_TOWN)
        assert other["community_facility_area"]["value"] is None

    @pytest.mark.parametrize(
        ("measure", "division", "words"),
        [
            (OUTLETS, TOWN, "该项按全区填报，应填规划所属区县的代码"),
            (OUTLETS, str(YUFENGSHAN_VILLAGE), "该项按全区填报，应填规划所属区县的代码"),
            (HOUSEHOLDS, DISTRICT, "该项按镇街填报，应填镇街的代码"),
            (HOUSEHOLDS, str(YUFENGSHAN_VILLAGE), "该项按镇街填报，应填镇街的代码"),
            (STATIONS, DISTRICT, "该项按镇街填报，应填镇街的代码"),
        ],
    )
    async def test_a_measure_is_reported_at_its_own_level_alone(
        self, house: House, measure: str, division: str, words: str
    ) -> None:
        house.running.at("2021-01-05")
        claims = {} if division == DISTRICT else {"divisions": (TOWN,)}
        problem = await house.report(
            measure, "2020-12-31", "1", division=division, status=422, **claims
        )
        assert problem["errors"] == [{"pointer": "/division", "detail": words}]
        rows = [[measure, division, "2020-12-31", 1, "甲"]]
        assert told(await import_rows(house, rows)) == [f"“填报数”第 2 行“区划代码”：{words}"]

    async def test_a_unit_goes_by_its_code_of_the_figures_day(self, house: House) -> None:
        # 双龙湖街道 has another code from 2025-12-05 on; 渝北区 has none since, and keeps its last.
        house.running.at("2026-01-05")
        old, new = "500112002000", "500157007000"
        for on, right, wrong in (("2025-12-04", old, new), ("2025-12-05", new, old)):
            problem = await house.report(HOUSEHOLDS, on, "10", division=wrong, status=422)
            assert [one["pointer"] for one in problem["errors"]] == ["/division"]
            assert (await house.report(HOUSEHOLDS, on, "10", division=right))["division"] == right
        await house.report(OUTLETS, "2025-12-31", "806")
        listed = (await house.get("/v1/plan/figures", {"division": old})).json()["items"]
        assert len(listed) == 2

    async def test_more_than_all_is_kept_and_shown_with_a_warning(self, house: House) -> None:
        house.running.at("2023-01-05")
        for measure, value in (("entitled", "100"), ("paid", "101")):
            await house.report(
                f"welfare.living_subsidy.{measure}", "2022-12-31", value, division=TOWN
            )
        await house.settle()
        board = await house.board(as_of="2022-12-31")
        assert board["living_subsidy_coverage"]["warnings"] == ["分子 101 大于分母 100，请核对"]
        assert board["living_subsidy_coverage"]["status"] == "behind"
        assert board["care_subsidy_coverage"]["warnings"] == []
        export = await house.get("/v1/plan/indicators/export", {"as_of": "2022-12-31"})
        sheet = load_workbook(BytesIO(export.content))["规划指标"]
        heads, *rows = sheet.iter_rows(values_only=True)
        shown = {row[1]: dict(zip(heads, row, strict=True)) for row in rows}
        assert shown["困难残疾人生活补贴覆盖率"]["提示"] == "分子 101 大于分母 100，请核对"

    async def test_square_metres_may_be_more_than_households(self, house: House) -> None:
        house.running.at("2021-01-05")
        for measure, value in ((HOUSEHOLDS, "10"), ("community.facility.area", "300")):
            await house.report(measure, "2020-12-31", value, division=TOWN)
        await house.settle()
        board = await house.board(as_of="2020-12-31")
        assert board["community_facility_area"]["warnings"] == []

    async def test_a_reported_zero_and_a_repeated_figure_stand_in_the_lineage_with_0(
        self, house: House
    ) -> None:
        house.running.at("2022-01-05")
        required = "marriage.cross_province.required"
        zero = await house.report(required, "2020-12-31", "0")
        enabled = await house.report("marriage.cross_province.enabled", "2020-12-31", "0")
        await house.report(OUTLETS, "2020-12-31", "411")
        repeated = await house.report(OUTLETS, "2021-12-31", "411")
        await house.report(STATIONS, "2020-12-31", "0", division=TOWN)
        await house.settle()
        shown = await house.lineage("cross_province_marriage", as_of="2020-12-31", limit=1)
        assert {(one["measure"], one["subject"]) for one in shown} == {
            (required, zero["series_id"]),
            ("marriage.cross_province.enabled", enabled["series_id"]),
        }
        assert {(one["effective_date"], one["amount"]) for one in shown} == {("2020-12-31", "0")}
        assert {one["measure_name"] for one in shown} == {
            "应实施“跨省通办”的婚姻登记处与事项对数",
            "已实施“跨省通办”的婚姻登记处与事项对数",
        }
        outlets = await house.lineage("lottery_outlets", as_of="2021-12-31")
        assert [(one["effective_date"], one["amount"]) for one in outlets] == [
            ("2020-12-31", "411"),
            ("2021-12-31", "0"),
        ]
        assert outlets[1]["subject"] == repeated["series_id"]
        (station,) = await house.lineage("child_protection_coverage", as_of="2020-12-31")
        assert (station["measure"], station["unit"], station["amount"]) == (STATIONS, TOWN, "0")

    async def test_a_zero_that_is_corrected_stays_in_the_lineage_and_the_sum_is_right(
        self, house: House
    ) -> None:
        house.running.at("2021-01-05")
        first = await house.report(OUTLETS, "2020-12-31", "0")
        house.running.at("2021-02-01")
        await correct(house, first, "411")
        await house.settle()
        asked = {"as_of": "2020-12-31"}
        amounts = [one["amount"] for one in await house.lineage("lottery_outlets", **asked)]
        assert amounts == ["0", "411"]
        known = await house.lineage("lottery_outlets", **asked, known_on="2021-01-31")
        assert [one["amount"] for one in known] == ["0"]

    async def test_towns_with_a_station_are_counted_and_a_reported_zero_is_none(
        self, house: House
    ) -> None:
        house.running.at("2021-01-05")
        await house.report(STATIONS, "2020-12-31", "2", division=TOWN)
        await house.report(STATIONS, "2020-12-31", "0", division=OTHER_TOWN)
        await house.settle()
        coverage = (await house.board(as_of="2020-12-31"))["child_protection_coverage"]
        assert (coverage["numerator"], coverage["denominator"]) == ("1", "22")
        assert str(LONGXING) in {town["division"] for town in coverage["missing"]}

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [
            ({"measure": "eldercare.beds"}, "/measure"),
            ({"measure": "no.such"}, "/measure"),
            ({"division": "500112999000"}, "/division"),
            ({"division": "50011"}, "/division"),
            ({"on": "2021-01-06"}, "/on"),
            ({"on": 1609459200}, "/on"),
            ({"on": "1949-09-30"}, "/on"),
            ({"value": "411.5"}, "/value"),
            ({"value": "-1"}, "/value"),
            ({"value": "NaN"}, "/value"),
            ({"value": True}, "/value"),
            ({"value": "1e30"}, "/value"),
            ({"value": "1e3"}, "/value"),
            ({"value": "３"}, "/value"),
            ({"value": "1_0"}, "/value"),
            ({"value": "-0"}, "/value"),
            ({"value": -0.0}, "/value"),
            ({"value": "+1"}, "/value"),
            ({"value": " 1"}, "/value"),
            ({"value": "1000000000"}, "/value"),
            ({"measure": GROWTH, "value": "-100.01"}, "/value"),
            ({"measure": GROWTH, "value": "1000.01"}, "/value"),
            ({"measure": GROWTH, "value": "1.234"}, "/value"),
            ({"measure": GROWTH, "on": "2020-12-30"}, "/on"),
            ({"document": " "}, "/document"),
            ({"document": "a\x00b"}, "/document"),
            ({"document": "文" * 101}, "/document"),
            ({"document": "张三 13800138000 来电"}, "/document"),
            ({"measure": STATIONS, "value": "1"}, "/division"),
            ({"remark": "x"}, "/remark"),
        ],
    )
    async def test_what_cannot_be_is_refused_with_its_place_and_without_echo(
        self, house: House, wrong: dict[str, object], pointer: str
    ) -> None:
        house.running.at("2021-01-05")
        body = {
            "measure": OUTLETS,
            "division": DISTRICT,
            "on": "2020-12-31",
            "value": "411",
            "document": "甲",
        }
        answer = await house.post("/v1/plan/figures", body | wrong, "plan:report")
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert "1e30" not in answer.text
        assert "138" not in answer.text
        assert await house.running.rows("SELECT 1 FROM figure") == []

    async def test_the_growth_of_a_year_holds_in_that_year_alone_and_may_be_negative(
        self, house: House
    ) -> None:
        house.running.at("2022-01-05")
        await house.report(GROWTH, "2020-12-31", "-3.1")
        await house.settle()
        target = (await house.board(as_of="2021-12-31"))["dibao_standard_growth"]["targets"][0]
        assert target["goal"] == "-3.1"
        assert target["reference"] == "不低于上年度城镇居民人均消费支出增速"
        assert target["value"] is None

    async def test_measures_tell_what_can_be_reported(self, house: House) -> None:
        items = (await house.get("/v1/plan/measures")).json()["items"]
        by_code = {one["code"]: one for one in items}
        assert "eldercare.beds" not in by_code
        assert by_code[DONATIONS]["kind"] == "flow"
        assert by_code[STATIONS]["reported_at"] == "town"
        assert by_code[OUTLETS]["indicators"] == ["福利彩票销售网点数"]

    async def test_reporting_needs_its_scope_and_is_audited(self, house: House) -> None:
        refused = await house.post("/v1/plan/figures", {}, "plan:read")
        assert refused.status_code == 403
        house.running.at("2021-01-05")
        figure = await house.report(OUTLETS, "2020-12-31", "411")
        entries = await house.running.rows(
            "SELECT action, actor, result FROM chassis.audit_entry WHERE subject = $1",
            figure["series_id"],
        )
        assert [tuple(entry) for entry in entries] == [
            ("indicator.figure.reported", "clerk-1", "done")
        ]


class TestImport:
    async def test_all_rows_of_a_workbook_count(self, house: House) -> None:
        house.running.at("2021-01-05")
        answer = await import_rows(
            house,
            [
                [OUTLETS, DISTRICT, "2020-12-31", 411, "甲"],
                [],
                ["居民户数（常住户）", int(TOWN), "2020-12-31", "1000", "甲"],
                [HOUSEHOLDS, TOWN, "2020-06-30", 990, "甲"],
            ],
        )
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"figures": 3, "series": 2}
        await house.settle()
        assert await house.value("lottery_outlets", as_of="2020-12-31") == "411"
        events = await house.running.rows("SELECT 1 FROM chassis.outbox")
        assert len(events) == 2  # one for each series

    async def test_every_wrong_cell_is_named_in_chinese_and_nothing_is_saved(
        self, house: House
    ) -> None:
        house.running.at("2021-01-05")
        await house.report(OUTLETS, "2019-12-31", "400")
        answer = await import_rows(
            house,
            [
                [OUTLETS, DISTRICT, "2020-12-31", 411, "甲"],
                ["没有的项目", DISTRICT, "2020-12-31", 1, "甲"],
                [OUTLETS, "500112999000", "2020-12-31", 1, "甲"],
                [OUTLETS, DISTRICT, "2020-13-31", 1, "甲"],
                [OUTLETS, DISTRICT, "2020-12-30", "四百", None],
                [OUTLETS, DISTRICT, "2020-12-31", 412, "甲"],
                [OUTLETS, DISTRICT, "2019-12-31", 412, "甲"],
                [OUTLETS, DISTRICT, "2030-12-31", 412, "甲"],
                [OUTLETS, DISTRICT, "2020-12-29", 412, "500112199001011239"],
                [OUTLETS, DISTRICT, "2020-12-28", "４", "甲"],
                [OUTLETS, DISTRICT, "2020-12-27", "1e3", "甲"],
                [OUTLETS, DISTRICT, "2020-12-26", True, "甲"],
                [GROWTH, DISTRICT, "2020-06-30", "2.40", "甲"],
            ],
        )
        assert sorted(told(answer)) == [
            "“填报数”第 10 行“文件依据”：文件名称或文号中不得含身份证号、电话等个人信息",
            "“填报数”第 11 行“数值”：应为数字，如 411 或 1300.05",
            "“填报数”第 12 行“数值”：应为数字，如 411 或 1300.05",
            "“填报数”第 13 行“数值”：应为数字，如 411 或 1300.05",
            "“填报数”第 14 行“日期”：该项为年度数据，应填所属年份的12月31日",
            "“填报数”第 3 行“计量项目”：格式不符",
            "“填报数”第 4 行“区划代码”：当日没有此区划代码",
            "“填报数”第 5 行“日期”：没有这一天",
            "“填报数”第 6 行“数值”：应为数字，如 411 或 1300.05",
            "“填报数”第 6 行“文件依据”：缺少必填项",
            "“填报数”第 7 行“日期”：与第 2 行重复",
            "“填报数”第 8 行“日期”：该日已有填报数，如需改动请用更正",
            "“填报数”第 9 行“日期”：不能晚于今天",
        ]
        assert len((await house.get("/v1/plan/figures")).json()["items"]) == 1
        assert len(await house.running.rows("SELECT 1 FROM chassis.outbox")) == 1

    async def test_the_template_is_what_the_import_takes(self, house: House) -> None:
        answer = await house.running.http.get(
            "/v1/plan/figures/import/template", headers=house.running.headers("plan:report")
        )
        book = load_workbook(BytesIO(answer.content))
        assert book.sheetnames == ["填报数", "计量项目", "填写说明"]
        book["填报数"].append([OUTLETS, DISTRICT, "2020-12-31", 411, "=HYPERLINK(1)"])
        content = BytesIO()
        book.save(content)
        house.running.at("2021-01-05")
        # A formula has no value here: its cell is as good as empty.
        assert told(await import_bytes(house, content.getvalue())) == [
            "“填报数”第 2 行“文件依据”：缺少必填项"
        ]

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"measure,division\n1,2"])
    async def test_what_is_no_workbook_is_refused(self, house: House, content: bytes) -> None:
        answer = await import_bytes(house, content)
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("unreadable-workbook")

    async def test_a_small_file_that_unpacks_to_much_is_refused_unopened(
        self, house: House
    ) -> None:
        content = BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 * 1024 * 1024))
        assert len(content.getvalue()) < 100_000
        answer = await import_bytes(house, content.getvalue())
        assert answer.json()["detail"].startswith("文件展开后过大")

    async def test_more_than_two_megabytes_are_refused(self, house: House) -> None:
        assert (await import_bytes(house, b"0" * (2 * 1024 * 1024 + 1))).status_code == 413

    async def test_other_headings_and_no_rows_are_refused(self, house: House) -> None:
        other = await import_rows(house, [], headings=["项目", *HEADINGS[1:]])
        assert "表头与模板不符" in other.json()["detail"]
        assert told(await import_rows(house, [])) == ["“填报数”第 2 行“计量项目”：没有可导入的内容"]


class TestTowns:
    async def test_a_town_reports_for_itself_alone(self, house: House) -> None:
        house.running.at("2021-01-05")
        own = {"divisions": (TOWN,)}
        await house.report(HOUSEHOLDS, "2020-12-31", "10", division=TOWN, **own)
        for foreign in (OTHER_TOWN, DISTRICT):
            await house.report(HOUSEHOLDS, "2020-12-31", "10", division=foreign, status=404, **own)

    async def test_a_town_sees_and_corrects_no_figure_of_another(self, house: House) -> None:
        house.running.at("2021-01-05")
        foreign = await house.report(HOUSEHOLDS, "2020-12-31", "10", division=OTHER_TOWN)
        own = {"divisions": (TOWN,)}
        assert (await house.get("/v1/plan/figures", **own)).json()["items"] == []
        path = f"/v1/plan/figures/{foreign['id']}"
        assert (await house.get(path, **own)).status_code == 404
        asked = {"division": OTHER_TOWN}
        assert (await house.get("/v1/plan/figures", asked, **own)).status_code == 404
        assert (await correct(house, foreign, "11", **own)).status_code == 404


LONGEST = {"three bytes": "文" * LONGEST_DOCUMENT, "four bytes": "𠮷" * LONGEST_DOCUMENT}
"""Documents of the most bytes: of common and of rare characters."""


class TestFullSeries:
    """A series as long as may be, with the longest documents, is still one event."""

    @pytest.mark.parametrize("document", LONGEST.values(), ids=LONGEST)
    def test_its_event_stays_below_256_kib(self, house: House, document: str) -> None:
        value = Decimal("-" + "9" * MOST_DIGITS + ".999999")
        entry = FigureEntry(on=date(2020, 12, 31), value=value, document=document)
        series = FigureSeries(
            id=new_id(),
            measure="a" * 98 + ".b",
            unit=DISTRICT_UNIT,
            figures=(entry,) * MOST_FIGURES,
        )
        event = house.event(series, at="2021-01-05", sequence=10**9, verb="corrected")
        assert len(event.model_dump_json().encode()) < MAX_EVENT_BYTES

    async def test_it_is_taken_in_and_corrected_and_one_more_figure_is_a_clear_422(
        self, house: House
    ) -> None:
        house.running.at("2022-01-05")
        days = [date(2020, 1, 1) + timedelta(days=number) for number in range(MOST_FIGURES)]
        rows = [[OUTLETS, DISTRICT, day, 411, LONGEST["four bytes"]] for day in days]
        assert (await import_rows(house, rows)).status_code == 201
        problem = await house.report(OUTLETS, "2021-12-31", "411", status=422)
        assert problem["detail"] == "同一计量项目、同一区划最多 500 个填报数"
        last = (await house.get("/v1/plan/figures", {"on": days[-1]})).json()["items"][0]
        assert (await correct(house, last, "412")).status_code == 201


async def test_figures_come_in_pages_by_day(house: House) -> None:
    house.running.at("2021-01-05")
    for month in range(1, 6):
        await house.report(OUTLETS, f"2020-{month:02}-28", str(month))
    asked: dict[str, object] = {"limit": 2, "measure": OUTLETS}
    values: list[str] = []
    while True:
        page = (await house.get("/v1/plan/figures", asked)).json()
        values += [one["value"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert values == ["5", "4", "3", "2", "1"]
    broken = await house.get("/v1/plan/figures", {"cursor": "WyJhIiwiYiJd"})
    assert broken.status_code == 422
