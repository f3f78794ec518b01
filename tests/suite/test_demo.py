"""The demonstration district: domain.md E, Table 1 of the plan (表1), and its years to 2026."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.house import House

pytestmark = pytest.mark.xdist_group("house")

YEAR_ENDS = [f"{year}-12-31" for year in range(2020, 2026)]
TOWN = 1
YUELAI, LONGXI = "500112015000", "500112011000"


def table_1() -> dict[int, str | None]:
    """The 2020 column of 表1 as printed; “——” is no value."""
    file = Path(__file__).parent / "table1_indicators.csv"
    with file.open(encoding="utf-8") as lines:
        return {
            int(row["no"]): None if row["value_2020"] == "——" else row["value_2020"]
            for row in csv.DictReader(lines)
        }


class TestTheEndOf2020:
    def test_every_value_equals_the_column_of_table_1(self, house: House) -> None:
        found = house.indicators(as_of="2020-12-31")
        assert sorted(found) == list(range(1, 19))
        for no, printed in table_1().items():
            value = found[no]["value"]
            assert (value is None) == (printed is None), no
            if printed is not None:
                assert Decimal(value) == Decimal(printed), no

    @pytest.mark.parametrize(
        ("no", "numerator", "denominator"),
        [
            (2, 496, 620),
            (3, 4_500, 4_500),
            (4, 10_800, 10_800),
            (9, 357, 357),
            (10, 0, 0),
            (12, 0, 0),
            (15, 1_546, 5_000),
            (16, 26, 40),
            (17, 2_250, 5_000),
            (18, 13, 22),
        ],
    )
    def test_by_these_numbers(
        self, house: House, no: int, numerator: int, denominator: int
    ) -> None:
        one = house.indicators(as_of="2020-12-31")[no]
        assert Decimal(one["numerator"]) == numerator
        assert Decimal(one["denominator"]) == denominator

    def test_14_the_beds_are_those_of_domain_md_e(self, house: House) -> None:
        assert 40 * 125 + 11 * 50 + 154 * 7 + 9 * 8 == 6_700
        assert Decimal(house.indicators(as_of="2020-12-31")[14]["value"]) == 6_700

    def test_the_day_before_the_first_standard_there_is_none(self, house: House) -> None:
        assert house.indicators(as_of="2019-12-31")[2]["value"] is None


class TestThePlanYears:
    def test_2_ratio_of_the_standards_and_the_missed_target(self, house: House) -> None:
        found = [house.indicators(as_of=day)[2]["value"] for day in YEAR_ENDS]
        assert found == ["80.00", "80.97", "81.03", "81.63", "81.33", "81.82"]
        assert house.indicators(as_of="2025-12-31")[2]["status"] == "behind"

    def test_1_growth_is_the_lower_of_urban_and_rural(self, house: House) -> None:
        found = [house.indicators(as_of=day)[1]["value"] for day in YEAR_ENDS]
        assert found == [None, "2.58", "12.74", "2.51", "1.67", "2.67"]

    def test_some_targets_are_met_and_2_is_missed(self, house: House) -> None:
        found = house.indicators(as_of="2025-12-31")
        done = {no for no, one in found.items() if one["status"] == "done"}
        assert {5, 7, 8, 14, 15, 16, 17, 18} <= done
        assert found[2]["status"] == "behind"

    def test_13_is_reached_only_after_its_day(self, house: House) -> None:
        assert house.indicators(as_of="2025-12-31")[13]["status"] == "behind"
        late = house.indicators(as_of="2026-01-20")[13]
        assert (late["value"], late["status"]) == ("3", "done")

    def test_8_was_restated_and_both_editions_stand(self, house: House) -> None:
        editions = {one["title"]: one for one in house.get("/v1/plan/editions")["items"]}
        first, second = editions["2022年度"], editions["2022年度（更正）"]
        assert second["restates"] == first["id"]

        def donated(edition: str) -> str:
            figures = house.get(f"/v1/plan/editions/{edition}")["figures"]
            return str(next(one["value"] for one in figures if one["no"] == 8))

        assert (donated(first["id"]), donated(second["id"])) == ("1428.75", "1396.15")
        as_known = house.indicators(as_of="2022-12-31", known_on="2023-05-21")[8]["value"]
        assert as_known == "1428.75"
        assert house.indicators(as_of="2022-12-31")[8]["value"] == "1396.15"

    def test_17_a_change_of_operator_learnt_late_corrects_the_days_since(
        self, house: House
    ) -> None:
        day = {"as_of": "2023-06-30"}
        before = house.indicators(**day, known_on="2023-09-11")[17]["numerator"]
        after = house.indicators(**day)[17]["numerator"]
        assert Decimal(before) - Decimal(after) == 125


class TestTheChangeOfDivisions:
    """design/law/funeral-place-marriage.md §3.2: 25 towns to 500157, five to 500109."""

    def test_the_figures_of_the_plan_period_are_the_same_after_it(self, house: House) -> None:
        """The edition of 2025 was frozen after the change, that of 2024 before it."""
        for title, day in (("2024年度", "2024-12-31"), ("2025年度", "2025-12-31")):
            listed = {one["title"]: one["id"] for one in house.get("/v1/plan/editions")["items"]}
            frozen = house.get(f"/v1/plan/editions/{listed[title]}")["figures"]
            now = house.indicators(as_of=day)
            assert {one["no"]: one["value"] for one in frozen} == {
                no: one["value"] for no, one in now.items()
            }

    def test_the_five_towns_still_count_on_the_last_day_of_the_plan(self, house: House) -> None:
        before = house.get("/v1/plan/matrix", as_of="2025-11-05")["rows"]
        after = house.get("/v1/plan/matrix", as_of="2025-12-31")["rows"]
        assert len(before) == len(after) == 22
        beds = {row["name"]: row["cells"]["eldercare_beds"]["value"] for row in before}
        assert {row["name"]: row["cells"]["eldercare_beds"]["value"] for row in after} == beds

    def test_codes_are_those_of_the_day_and_unknown_ones_are_null(self, house: House) -> None:
        rows = house.get("/v1/plan/matrix", as_of="2025-12-31")["rows"]
        codes = {row["name"]: row["division"] for row in rows}
        assert codes["悦来街道"] == "500157026000"
        assert codes["兴隆镇"] is None
        earlier = house.get("/v1/plan/matrix", as_of="2025-11-05")["rows"]
        assert {row["name"]: row["division"] for row in earlier}["兴隆镇"] == "500112138000"


class TestATownsToken:
    def test_sees_its_own_unit_by_default(self, house: House) -> None:
        answer = house.get("/v1/plan/indicators", client=TOWN, as_of="2024-12-31")
        assert answer["division"] == YUELAI
        own = {one["no"]: one["value"] for one in answer["items"]}
        asked = house.indicators(as_of="2024-12-31", division=YUELAI)
        assert own == {no: one["value"] for no, one in asked.items()}

    def test_sees_nothing_of_another_town(self, house: House) -> None:
        for path in ("/v1/plan/indicators", "/v1/plan/indicators/eldercare_beds/lineage"):
            foreign = house.request(
                "GET", path, client=TOWN, params={"as_of": "2024-12-31", "division": LONGXI}
            )
            assert foreign.status_code == 404
        rows = house.get("/v1/plan/matrix", client=TOWN, as_of="2024-12-31")["rows"]
        assert [row["name"] for row in rows] == ["悦来街道"]
        facilities = house.get("/v1/eldercare/facilities", client=TOWN, limit="200")["items"]
        assert facilities
        assert {one["town_name"] for one in facilities} == {"悦来街道"}

    def test_reads_the_published_editions_of_the_district(self, house: House) -> None:
        editions = house.get("/v1/plan/editions", client=TOWN)["items"]
        assert len(editions) == 7


class TestLineage:
    @pytest.mark.parametrize("no", [14, 15, 16, 17, 18])
    def test_the_entries_add_up_to_the_figure(self, house: House, no: int) -> None:
        one = house.indicators(as_of="2024-12-31")[no]
        sums: dict[str, Decimal] = {}
        keys: dict[str, Decimal] = {}
        cursor: str | None = None
        while True:
            query = {
                "as_of": "2024-12-31",
                "limit": "200",
                **({"cursor": cursor} if cursor else {}),
            }
            page = house.get(f"/v1/plan/indicators/{one['code']}/lineage", **query)
            for item in page["items"]:
                amount = Decimal(item["amount"])
                sums[item["measure"]] = sums.get(item["measure"], Decimal(0)) + amount
                keys[item["key"]] = keys.get(item["key"], Decimal(0)) + amount
            cursor = page["next_cursor"]
            if cursor is None:
                break
        figures = {
            Decimal(one[part]) for part in ("numerator", "denominator", "value") if one[part]
        }
        if no == 18:
            assert sum(count > 0 for count in keys.values()) or sums
        else:
            assert set(sums.values()) <= figures
