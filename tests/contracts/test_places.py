from collections import Counter
from datetime import date

import pytest
from pydantic import ValidationError

from contracts.events.placename import PlaceUnit, UnitLevel, UnitPeriod
from contracts.places import ScopeData, place_units, scopes

UNITS = {unit.id: unit for unit in place_units()}
TOWN_LEVELS = {UnitLevel.STREET, UnitLevel.TOWN}
YUBEI, LIANGJIANG, BEIBEI = 500112000000, 500157000000, 500109000000
EIGHT_RUN_BY_LIANGJIANG = {
    "鸳鸯街道",
    "翠云街道",
    "人和街道",
    "天宫殿街道",
    "大竹林街道",
    "礼嘉街道",
    "金山街道",
    "康美街道",
}
FIVE_TO_BEIBEI = {"统景镇", "大湾镇", "兴隆镇", "茨竹镇", "大盛镇"}
# law/funeral-place-marriage.md 3.2
CODES_OF_500157 = {
    500112002: "500157007",
    500112004: "500157018",
    500112007: "500157027",
    500112008: "500157030",
    500112009: "500157001",
    500112010: "500157009",
    500112011: "500157013",
    500112012: "500157011",
    500112013: "500157012",
    500112014: "500157003",
    500112015: "500157026",
    500112016: "500157021",
    500112017: "500157006",
    500112018: "500157010",
    500112019: "500157016",
    500112020: "500157023",
    500112021: "500157022",
    500112022: "500157029",
    500112023: "500157015",
    500112129: "500157103",
    500112131: "500157102",
    500112139: "500157100",
    500112141: "500157105",
    500112142: "500157104",
    500112144: "500157109",
}


def on(unit: PlaceUnit, day: date) -> UnitPeriod:
    return [period for period in unit.periods if period.from_ <= day][-1]


def named(name: str) -> PlaceUnit:
    (unit,) = (unit for unit in UNITS.values() if unit.periods[0].name == name)
    return unit


def with_level(*levels: UnitLevel) -> list[PlaceUnit]:
    return [unit for unit in UNITS.values() if unit.periods[0].level in levels]


def test_there_are_19_streets_and_11_towns() -> None:
    assert len(with_level(UnitLevel.STREET)) == 19
    assert len(with_level(UnitLevel.TOWN)) == 11


def test_there_are_184_communities_and_173_villages_all_in_the_22() -> None:
    communities = with_level(UnitLevel.COMMUNITY)
    villages = with_level(UnitLevel.VILLAGE)
    assert (len(communities), len(villages)) == (184, 173)
    (yubei22, _) = scopes()
    parents = {period.parent for unit in communities + villages for period in unit.periods}
    assert parents == set(yubei22.periods[0].units)


def test_villages_are_in_every_town_and_in_a_few_streets() -> None:
    parents = {unit.periods[0].parent for unit in with_level(UnitLevel.VILLAGE)}
    levels = Counter(UNITS[parent].periods[0].level for parent in parents if parent)
    assert levels[UnitLevel.TOWN] == 11
    assert levels[UnitLevel.STREET] == 4


@pytest.mark.parametrize(
    ("name", "town"),
    [
        ("长堰村", "统景镇"),
        ("和平社区", "龙兴镇"),
        ("龙胆村", "龙兴镇"),
        ("洞口村", "龙兴镇"),
        ("沙湾村", "洛碛镇"),
        ("老君山村", "洛碛镇"),
        ("举人坝社区", "木耳镇"),
        ("天竺路社区", "龙山街道"),
        ("睦邻路社区", "仙桃街道"),
        ("花石社区", "仙桃街道"),
    ],
)
def test_the_villages_that_table_2_names_are_in_their_towns(name: str, town: str) -> None:
    assert named(name).periods[0].parent == named(town).id


def test_no_code_is_borne_by_two_units_ever() -> None:
    bearers = {(period.code, unit.id) for unit in UNITS.values() for period in unit.periods}
    codes = Counter(code for code, _ in bearers if code)
    assert max(codes.values()) == 1


def test_a_name_is_unique_in_the_county_as_the_rules_of_2022_ask_of_seats_of_villages() -> None:
    names = Counter(unit.periods[0].name for unit in UNITS.values())
    assert max(names.values()) == 1


def test_a_unit_id_is_the_code_of_its_first_entry() -> None:
    for unit in UNITS.values():
        first = next(period.code for period in unit.periods if period.code)
        assert first == str(unit.id)


def test_communities_count_from_001_and_villages_from_200() -> None:
    for unit in with_level(UnitLevel.COMMUNITY, UnitLevel.VILLAGE):
        is_village = unit.periods[0].level is UnitLevel.VILLAGE
        assert unit.id // 1000 * 1000 == unit.periods[0].parent
        assert (unit.id % 1000 >= 200) == is_village


def test_25_towns_get_the_published_codes_of_500157_from_5_december_2025() -> None:
    for old, new in CODES_OF_500157.items():
        unit = UNITS[old * 1000]
        assert on(unit, date(2025, 12, 4)).code == f"{old}000"
        assert on(unit, date(2025, 12, 5)).code == f"{new}000"
        assert on(unit, date(2025, 11, 5)).parent == YUBEI
        assert on(unit, date(2025, 11, 6)).parent == LIANGJIANG


def test_five_towns_go_to_beibei_and_their_new_codes_are_not_guessed() -> None:
    moved = [unit for unit in with_level(*TOWN_LEVELS) if unit.periods[-1].parent == BEIBEI]
    assert {unit.periods[0].name for unit in moved} == FIVE_TO_BEIBEI
    for unit in moved:
        assert on(unit, date(2025, 11, 5)).parent == YUBEI
        assert on(unit, date(2025, 11, 6)).parent == BEIBEI
        assert on(unit, date(2025, 12, 4)).code == str(unit.id)
        assert on(unit, date(2025, 12, 5)).code is None


def test_villages_stay_in_their_towns_and_have_no_known_code_after_the_change() -> None:
    for unit in with_level(UnitLevel.COMMUNITY, UnitLevel.VILLAGE):
        assert len({period.parent for period in unit.periods}) == 1
        assert on(unit, date(2025, 12, 4)).code == str(unit.id)
        assert on(unit, date(2025, 12, 5)).code is None


def test_yubei_ends_with_two_successors_when_liangjiang_begins() -> None:
    yubei, liangjiang = UNITS[YUBEI], UNITS[LIANGJIANG]
    assert on(yubei, date(2025, 11, 5)).exists
    assert not on(yubei, date(2025, 11, 6)).exists
    assert on(yubei, date(2025, 12, 4)).code == "500112000000"
    assert on(yubei, date(2025, 12, 5)).code is None
    assert yubei.successors == (LIANGJIANG, BEIBEI)
    assert liangjiang.periods[0].from_ == date(2025, 11, 6)
    assert on(liangjiang, date(2025, 12, 4)).code is None
    assert on(liangjiang, date(2025, 12, 5)).code == "500157000000"


def test_only_the_abolished_county_has_ended() -> None:
    ended = {unit.id for unit in UNITS.values() if not unit.periods[-1].exists}
    assert ended == {YUBEI}


def test_the_scopes_are_the_22_and_all_30_until_the_new_organs_open() -> None:
    by_code = {scope.code: scope for scope in scopes()}
    assert set(by_code) == {"YUBEI22", "YUBEI30"}
    all_towns = {unit.id for unit in with_level(*TOWN_LEVELS)}
    (period22,) = by_code["YUBEI22"].periods
    (period30,) = by_code["YUBEI30"].periods
    assert set(period30.units) == all_towns
    assert len(period30.units) == 30
    missing = all_towns - set(period22.units)
    assert {UNITS[unit].periods[0].name for unit in missing} == EIGHT_RUN_BY_LIANGJIANG
    assert len(period22.units) == 22
    assert period22.to == period30.to == date(2026, 1, 24)
    assert period22.from_ <= date(2020, 12, 31)


def test_periods_of_a_scope_must_not_overlap() -> None:
    period = {"from": "2021-01-01", "to": "2021-12-31", "units": [500112002000]}
    with pytest.raises(ValidationError, match="must not overlap"):
        ScopeData.model_validate({"code": "X", "name": "甲", "periods": [period, period]})
