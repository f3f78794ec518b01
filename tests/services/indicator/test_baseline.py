"""Table 1's column of 2020, from events and reported figures: domain.md E, issue 3."""

from collections.abc import AsyncIterator
from decimal import Decimal
from io import BytesIO

import pytest
import pytest_asyncio
from openpyxl import load_workbook

from contracts.events.eldercare import Facility, FacilityKind, OperatorKind
from contracts.events.relief import Area
from contracts.places import scopes
from services.indicator.app import SERVICE
from services.indicator.ledger.rules import COMPREHENSIVE as COMPREHENSIVE_TOWNS
from services.indicator.ledger.rules import ReportedAt
from services.indicator.plans.expressions import TOWNS as NUMBER_OF_TOWNS
from services.indicator.plans.expressions import Figure
from services.indicator.plans.loader import load_plan
from suite.postgres import Postgres
from tests.services.indicator.house import (
    COMPREHENSIVE,
    House,
    facility,
    period,
    spread,
    standard,
    sums,
)
from tests.support.services import running_service

TOWNS = next(one for one in scopes() if one.code == "YUBEI22").periods[0].units
REPORTED = {
    "welfare.living_subsidy.entitled": "4500",
    "welfare.living_subsidy.paid": "4500",
    "welfare.care_subsidy.entitled": "10800",
    "welfare.care_subsidy.paid": "10800",
    "welfare.lottery.outlets": "411",
    "community.social_workers.reported": "2000",
    "community.donations": "1300.00",
    "community.facility.count": "357",
    "community.facility.with_volunteer_station": "357",
    "marriage.cross_province.enabled": "0",
    "marriage.cross_province.required": "0",
    "welfare.vagrant.needing": "0",
    "welfare.vagrant.returned": "0",
    "funeral.public_burial.facilities": "1",
}
TABLE_1 = {
    "dibao_standard_growth": None,
    "rural_urban_dibao_ratio": "80.00",
    "living_subsidy_coverage": "100.00",
    "care_subsidy_coverage": "100.00",
    "lottery_outlets": "411",
    "community_facility_area": None,
    "social_workers": "2000",
    "charity_donations": "1300.00",
    "volunteer_station_coverage": "100.00",
    "cross_province_marriage": None,
    "child_protection_coverage": None,
    "vagrant_return_rate": None,
    "public_burial_facilities": "1",
    "eldercare_beds": "6700",
    "nursing_bed_share": "30.92",
    "institution_quality_rate": "65.00",
    "government_bed_share": "45.00",
    "comprehensive_coverage": "59.09",
}
RATIOS = {
    "rural_urban_dibao_ratio": ("496", "620"),
    "living_subsidy_coverage": ("4500", "4500"),
    "care_subsidy_coverage": ("10800", "10800"),
    "volunteer_station_coverage": ("357", "357"),
    "cross_province_marriage": ("0", "0"),
    "vagrant_return_rate": ("0", "0"),
    "nursing_bed_share": ("1546", "5000"),
    "institution_quality_rate": ("26", "40"),
    "government_bed_share": ("2250", "5000"),
    "comprehensive_coverage": ("13", "22"),
}


def facilities() -> list[Facility]:
    """40 institutions of 125 beds, 11 centres of 50, 154 stations of 7 and 9 of 8."""
    nursing = spread(1546, 40)
    made = [
        facility(
            period(
                "2018-01-01",
                # The comprehensive ones stand in two towns that have no street centre.
                unit=TOWNS[11 + number % 11],
                operator=OperatorKind.GOVERNMENT if number < 18 else OperatorKind.PRIVATE_NONPROFIT,
                beds=125,
                nursing_beds=nursing[number],
                beds_in_use=125,
                functions=COMPREHENSIVE if number < 2 else (),
            ),
            assessed={"2020-06-01": number < 26},
        )
        for number in range(40)
    ]
    made += [
        facility(
            period(
                "2019-01-01",
                unit=TOWNS[number],
                kind=FacilityKind.TOWN_CENTRE,
                beds=50,
                nursing_beds=0,
                beds_in_use=50,
                functions=COMPREHENSIVE,
            )
        )
        for number in range(11)
    ]
    made += [
        facility(
            period(
                "2019-01-01",
                unit=TOWNS[number % 22],
                kind=FacilityKind.COMMUNITY_STATION,
                beds=7 if number < 154 else 8,
                nursing_beds=0,
                beds_in_use=7 if number < 154 else 8,
            )
        )
        for number in range(163)
    ]
    return made


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with running_service(postgres, SERVICE, tmp_path_factory.mktemp("e")) as running:
        house = House(running)
        running.at("2021-01-05")
        await house.tell(
            *facilities(),
            standard(Area.URBAN, {"2020-01-01": "620"}),
            standard(Area.RURAL, {"2020-01-01": "496"}),
            at="2020-12-20",
        )
        measures = load_plan().measures
        for measure, value in REPORTED.items():
            if measures[measure].reported_at is ReportedAt.DISTRICT:
                await house.report(measure, "2020-12-31", value)
                continue
            for town, part in zip(TOWNS, spread(int(value), len(TOWNS)), strict=True):
                await house.report(measure, "2020-12-31", str(part), division=str(town))
        await house.settle()
        yield house


@pytest.fixture
def district(whole: House) -> House:
    whole.running.at("2021-01-05")
    return whole


async def test_all_eighteen_equal_table_1_of_2020_and_a_dash_is_no_value(district: House) -> None:
    board = await district.board(as_of="2020-12-31")
    assert {code: one["value"] for code, one in board.items()} == TABLE_1
    assert {
        code: (one["numerator"], one["denominator"])
        for code, one in board.items()
        if one["numerator"] is not None
    } == RATIOS
    assert [one["no"] for one in board.values()] == list(range(1, 19))
    assert board["child_protection_coverage"]["denominator"] == "22"


async def test_the_entries_of_each_measure_add_up_to_its_figure(district: House) -> None:
    board = await district.board(as_of="2020-12-31")
    for indicator in load_plan().indicators:
        one = board[indicator.code]
        told = sums(await district.lineage(indicator.code, as_of="2020-12-31", limit=150))
        for part, shown in (
            (indicator.numerator or indicator.value, one["numerator"] or one["value"]),
            (indicator.denominator, one["denominator"]),
        ):
            if not isinstance(part, Figure) or part.measure == NUMBER_OF_TOWNS or shown is None:
                continue
            if part.measure == COMPREHENSIVE_TOWNS:
                assert told[part.measure] == 11 + 2  # one in each town
            # What was reported to be zero (#10, #12) has its reports there too.
            assert told[part.measure] == Decimal(shown), part.measure


async def test_origin_and_age_tell_where_a_figure_comes_from(district: House) -> None:
    board = await district.board(as_of="2021-01-10")
    assert (board["eldercare_beds"]["origin"], board["eldercare_beds"]["age_days"]) == (
        "events",
        None,
    )
    outlets = board["lottery_outlets"]
    assert (outlets["origin"], outlets["reported_on"], outlets["age_days"]) == (
        "reported",
        "2020-12-31",
        10,
    )
    assert board["child_protection_coverage"]["origin"] is None


async def test_what_is_missing_is_named_in_things_and_towns(district: House) -> None:
    board = await district.board(as_of="2020-12-31")
    coverage = board["comprehensive_coverage"]
    gap = next(target["gap"] for target in coverage["targets"] if target["governing"])
    assert (gap["amount"], gap["more"], gap["thing"]) == ("7", True, "个镇街")
    assert len(coverage["missing"]) == 9
    assert {town["division"] for town in coverage["missing"]} <= {f"{town}" for town in TOWNS}
    nursing = board["nursing_bed_share"]["targets"][0]["gap"]
    assert (nursing["amount"], nursing["thing"]) == ("1454", "张护理型床位")
    assert board["eldercare_beds"]["missing"] == []


async def test_conflicting_targets_are_marked_and_table_1_governs(district: House) -> None:
    board = await district.board(as_of="2020-12-31")
    conflicting = {code for code, one in board.items() if one["conflict"]}
    assert conflicting == {
        "community_facility_area",
        "social_workers",
        "charity_donations",
        "child_protection_coverage",
        "nursing_bed_share",
        "institution_quality_rate",
    }
    for one in board.values():
        (governing,) = [target for target in one["targets"] if target["governing"]]
        assert governing["section"] == "表1"
        assert one["status"] == governing["status"]


async def test_the_verdict_counts_the_binding_ones_apart(district: House) -> None:
    answer = (await district.get("/v1/plan/indicators", {"as_of": "2020-12-31"})).json()
    assert answer["verdict"]["binding"] == {
        "done": 2,
        "on_course": 2,
        "behind": 0,
        "not_assessable": 2,
    }
    assert sum(answer["verdict"]["expected"].values()) == 12
    assert (answer["division"], answer["scope"], answer["known_on"]) == (None, "YUBEI22", None)
    assert {(one["scope"], one["scope_name"]) for one in answer["items"]} == {
        ("YUBEI22", "渝北区民政局管辖的22个镇街"),
        ("YUBEI30", "渝北区全域30个镇街"),
    }


async def test_the_matrix_adds_up_to_the_scope(district: House) -> None:
    matrix = (await district.get("/v1/plan/matrix", {"as_of": "2020-12-31"})).json()
    assert len(matrix["rows"]) == 22
    beds = [Decimal(row["cells"]["eldercare_beds"]["value"]) for row in matrix["rows"]]
    assert sum(beds) == 6700
    with_centre = [row["cells"]["comprehensive_coverage"]["numerator"] for row in matrix["rows"]]
    assert with_centre.count("1") == 13
    subsidies = [row["cells"]["living_subsidy_coverage"] for row in matrix["rows"]]
    assert {one["value"] for one in subsidies} == {"100.00"}
    assert sum(int(one["numerator"]) for one in subsidies) == 4500
    assert "lottery_outlets" not in matrix["rows"][0]["cells"]


async def test_the_line_over_the_years_runs_straight_to_the_target(district: House) -> None:
    district.running.at("2023-05-10")
    series = (
        await district.get("/v1/plan/indicators/eldercare_beds/series", {"step": "quarter"})
    ).json()
    assert series["points"][0] == {
        "on": "2020-12-31",
        "value": "6700",
        "numerator": None,
        "denominator": None,
        "status": "on_course",
    }
    assert [point["on"] for point in series["points"]][-3:] == [
        "2022-12-31",
        "2023-03-31",
        "2023-05-10",
    ]
    assert [point["on"] for point in series["path"]] == [f"{y}-12-31" for y in range(2020, 2026)]
    assert (series["path"][0]["value"], series["path"][-1]["value"]) == ("6700", "7000")
    assert series["target"] == {"operator": ">=", "value": "7000"}
    growth = (await district.get("/v1/plan/indicators/dibao_standard_growth/series")).json()
    assert growth["path"] == []


async def test_one_indicator_alone_is_what_the_list_shows(district: House) -> None:
    board = await district.board(as_of="2020-12-31")
    asked = {"as_of": "2020-12-31"}
    answer = await district.get("/v1/plan/indicators/nursing_bed_share", asked)
    assert answer.json() == board["nursing_bed_share"]
    assert (await district.get("/v1/plan/indicators/no_such", asked)).status_code == 404


async def test_the_plan_says_what_it_is(district: House) -> None:
    plan = (await district.get("/v1/plan")).json()
    assert plan["period_from"] == "2021-01-01"
    assert plan["period_to"] == "2025-12-31"
    assert plan["default_as_of"] == plan["today"] == "2021-01-05"
    district.running.at("2026-11-24")
    assert (await district.get("/v1/plan")).json()["default_as_of"] == "2025-12-31"


async def test_the_board_can_be_exported_with_readable_headings(district: House) -> None:
    answer = await district.get("/v1/plan/indicators/export", {"as_of": "2020-12-31"})
    assert answer.status_code == 200
    book = load_workbook(BytesIO(answer.content))
    rows = list(book["规划指标"].iter_rows(values_only=True))
    shown = {row[1]: row for row in rows[1:]}
    assert rows[0][:6] == ("序号", "指标", "单位", "性质", "2020年", "数值")
    assert shown["养老机构护理型床位占比"][5] == 30.92
    assert shown["城乡低保标准年度增速"][4:6] == ("——", "无数据")
    assert len(rows) == 19
    assert {row[rows[0].index("口径")] for row in rows[1:]} == {
        "渝北区民政局管辖的22个镇街",
        "渝北区全域30个镇街",
    }
    assert len(list(book["各项目标"].iter_rows())) > 19
