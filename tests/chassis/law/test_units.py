from datetime import date

import pytest

from chassis.law.units import Register, RegisterError, Scope
from contracts.events.placename import PlaceUnit, UnitLevel, UnitPeriod
from contracts.places import ScopeData, place_units, scopes

REGISTER = Register(place_units())
SCOPES = {data.code: Scope.of(data) for data in scopes()}
YUBEI, LIANGJIANG, BEIBEI = 500112000000, 500157000000, 500109000000
XINGLONG, RENHE, SHUANGFENGQIAO = 500112138000, 500112009000, 500112017000
BEFORE, LEGAL, CODE, AFTER = (
    date(2025, 11, 5),
    date(2025, 11, 6),
    date(2025, 12, 5),
    date(2026, 1, 1),
)
DAY = date(2020, 1, 1)


def period(
    from_: date,
    code: str | None,
    parent: int | None = None,
    level: UnitLevel = UnitLevel.TOWN,
    name: str = "甲镇",
    *,
    exists: bool = True,
) -> UnitPeriod:
    return UnitPeriod(from_=from_, code=code, name=name, level=level, parent=parent, exists=exists)


def unit(id_: int, *periods: UnitPeriod, successors: tuple[int, ...] = ()) -> PlaceUnit:
    return PlaceUnit(id=id_, periods=periods, successors=successors)


def county(id_: int) -> PlaceUnit:
    return unit(id_, period(DAY, str(id_), level=UnitLevel.COUNTY, name="甲区"))


class TestTheChangeOf2025:
    def test_xinglong_moves_to_beibei_and_its_new_code_is_unknown(self) -> None:
        assert REGISTER.code_of(XINGLONG, BEFORE) == "500112138000"
        assert REGISTER.parent(XINGLONG, BEFORE) == YUBEI
        assert REGISTER.code_of(XINGLONG, AFTER) is None
        assert REGISTER.parent(XINGLONG, AFTER) == BEIBEI

    def test_renhe_moves_to_liangjiang_under_its_new_code(self) -> None:
        assert REGISTER.code_of(RENHE, BEFORE) == "500112009000"
        assert REGISTER.code_of(RENHE, AFTER) == "500157001000"
        assert REGISTER.parent(RENHE, AFTER) == LIANGJIANG

    def test_the_parent_moves_on_the_legal_day_and_the_code_with_the_notice(self) -> None:
        assert REGISTER.parent(RENHE, LEGAL) == LIANGJIANG
        assert REGISTER.code_of(RENHE, LEGAL) == "500112009000"
        assert REGISTER.code_of(RENHE, date(2025, 12, 4)) == "500112009000"
        assert REGISTER.code_of(RENHE, CODE) == "500157001000"

    def test_30_become_25_and_5(self) -> None:
        def below(county: int, day: date) -> frozenset[int]:
            return REGISTER.below(county, day) & set(REGISTER.towns(day))

        assert len(REGISTER.towns(BEFORE)) == len(REGISTER.towns(AFTER)) == 30
        assert len(below(YUBEI, BEFORE)) == 30
        assert len(below(LIANGJIANG, AFTER)) == 25
        assert len(below(BEIBEI, AFTER)) == 5
        assert not below(BEIBEI, BEFORE)

    def test_the_old_county_is_no_more_but_what_stood_below_it_is_known(self) -> None:
        assert REGISTER.below(YUBEI, AFTER) == frozenset()
        assert REGISTER.ever_below(YUBEI) == REGISTER.below(YUBEI, BEFORE)
        assert len(REGISTER.ever_below(YUBEI)) == 1 + 30 + 184 + 173
        assert REGISTER.name_of(YUBEI, AFTER) == "渝北区"
        assert REGISTER.successors(YUBEI) == (LIANGJIANG, BEIBEI)
        assert REGISTER.successors(RENHE) == ()

    def test_a_code_names_a_unit_only_on_the_days_it_is_valid(self) -> None:
        assert REGISTER.by_code("500112009000", BEFORE) == RENHE
        assert REGISTER.by_code("500112009000", AFTER) is None
        assert REGISTER.by_code("500157001000", AFTER) == RENHE
        assert REGISTER.by_code("500157001000", BEFORE) is None
        assert REGISTER.by_code("500112000000", date(2025, 12, 4)) == YUBEI

    def test_a_unit_whose_code_is_not_known_goes_by_its_last_one(self) -> None:
        assert REGISTER.by_code("500112138000", AFTER) == REGISTER.by_code("500112138000", BEFORE)
        assert REGISTER.by_code("500112000000", AFTER) == YUBEI  # abolished: its archive
        assert REGISTER.by_code("500112009000", AFTER) is None  # 人和街道 has a new one

    def test_of_an_abolished_county_all_that_it_ever_held_is_covered(self) -> None:
        assert REGISTER.covered(YUBEI, AFTER) == REGISTER.ever_below(YUBEI)
        assert REGISTER.covered(YUBEI, BEFORE) == REGISTER.below(YUBEI, BEFORE)

    def test_without_a_day_void_codes_are_found_too_for_none_is_used_again(self) -> None:
        assert REGISTER.by_code("500112009000") == RENHE
        assert REGISTER.by_code("500157001000") == RENHE
        assert REGISTER.by_code("500112138000") == XINGLONG
        assert REGISTER.by_code("500199000000") is None

    def test_a_village_goes_with_its_town(self) -> None:
        village = next(iter(REGISTER.below(XINGLONG, BEFORE) - {XINGLONG}))
        assert REGISTER.county_of(village, BEFORE) == YUBEI
        assert REGISTER.county_of(village, AFTER) == BEIBEI
        assert REGISTER.town_of(village, BEFORE) == REGISTER.town_of(village, AFTER) == XINGLONG
        assert REGISTER.code_of(village, AFTER) is None

    def test_a_void_code_is_not_used_again(self) -> None:
        again = unit(500109120000, period(date(2026, 3, 1), "500112138000", BEIBEI))
        with pytest.raises(RegisterError, match="500112138000"):
            Register([*place_units(), again])


class TestRegister:
    def test_a_town_that_is_renamed_keeps_its_code(self) -> None:
        town = unit(
            500112100000,
            period(DAY, "500112100000", YUBEI),
            period(date(2026, 3, 1), "500112100000", YUBEI, name="乙镇"),
        )
        register = Register([county(YUBEI), town])
        assert register.name_of(town.id, date(2026, 2, 28)) == "甲镇"
        assert register.name_of(town.id, date(2026, 3, 1)) == "乙镇"
        assert register.by_code("500112100000", date(2026, 3, 1)) == town.id

    def test_a_unit_does_not_get_a_void_code_of_its_own_back(self) -> None:
        town = unit(
            500112100000,
            period(DAY, "500112100000", YUBEI),
            period(date(2021, 1, 1), "500157100000", LIANGJIANG),
            period(date(2022, 1, 1), "500112100000", YUBEI),
        )
        with pytest.raises(RegisterError, match="500112100000"):
            Register([town])

    def test_a_merged_town_is_gone_from_its_last_day_on(self) -> None:
        merged = unit(
            500112100000,
            period(DAY, "500112100000", YUBEI),
            period(date(2021, 1, 1), None, YUBEI, exists=False),
            successors=(500112101000,),
        )
        heir = unit(500112101000, period(DAY, "500112101000", YUBEI, name="乙镇"))
        register = Register([county(YUBEI), merged, heir])
        assert register.towns(date(2020, 12, 31)) == (merged.id, heir.id)
        assert register.towns(date(2021, 1, 1)) == (heir.id,)
        assert register.town_of(merged.id, date(2021, 1, 1)) is None
        assert register.below(merged.id, date(2021, 1, 1)) == frozenset()
        assert register.ever_below(YUBEI) == {YUBEI, merged.id, heir.id}

    def test_a_village_that_moves_was_ever_below_both_towns(self) -> None:
        old, new = 500112100000, 500112101000
        village = unit(
            500112100200,
            period(DAY, "500112100200", old, UnitLevel.VILLAGE, "甲村"),
            period(date(2021, 1, 1), None, new, UnitLevel.VILLAGE, "甲村"),
        )
        towns = [unit(id_, period(DAY, str(id_), YUBEI)) for id_ in (old, new)]
        register = Register([county(YUBEI), *towns, village])
        assert register.town_of(village.id, date(2020, 12, 31)) == old
        assert register.town_of(village.id, date(2021, 1, 1)) == new
        assert village.id in register.ever_below(old) & register.ever_below(new)
        assert village.id not in register.below(old, date(2021, 1, 1))

    def test_town_and_county_of_each_level(self) -> None:
        village = SHUANGFENGQIAO + 200
        assert REGISTER.town_of(village, BEFORE) == SHUANGFENGQIAO
        assert REGISTER.town_of(SHUANGFENGQIAO, BEFORE) == SHUANGFENGQIAO
        assert REGISTER.town_of(YUBEI, BEFORE) is None
        assert REGISTER.county_of(YUBEI, BEFORE) == YUBEI
        assert REGISTER.parent(YUBEI, BEFORE) is None
        assert REGISTER.level_of(village, BEFORE) is UnitLevel.VILLAGE
        assert REGISTER.level_of(SHUANGFENGQIAO, BEFORE) is UnitLevel.STREET
        assert REGISTER.level_of(YUBEI, BEFORE) is UnitLevel.COUNTY

    def test_nothing_is_known_of_a_stranger_or_before_the_first_day(self) -> None:
        stranger = 510000000000
        assert REGISTER.code_of(stranger, BEFORE) is None
        assert REGISTER.name_of(stranger, BEFORE) is None
        assert REGISTER.level_of(stranger, BEFORE) is None
        assert REGISTER.parent(stranger, BEFORE) is None
        assert REGISTER.town_of(stranger, BEFORE) is None
        assert REGISTER.below(stranger, BEFORE) == frozenset()
        assert REGISTER.ever_below(stranger) == frozenset()
        assert REGISTER.successors(stranger) == ()
        assert REGISTER.towns(date(1997, 6, 17)) == ()
        assert REGISTER.code_of(RENHE, date(1997, 6, 17)) is None

    def test_a_child_may_come_before_its_parent_for_units_are_single_events(self) -> None:
        register = Register([unit(500112100000, period(DAY, "500112100000", YUBEI))])
        assert register.towns(DAY) == (500112100000,)
        assert register.parent(500112100000, DAY) == YUBEI
        assert register.county_of(500112100000, DAY) is None

    def test_days_between_two_changes_share_one_tree(self) -> None:
        assert REGISTER.on(date(2020, 1, 1)) is REGISTER.on(date(2025, 11, 5))
        assert REGISTER.on(date(2025, 11, 5)) is not REGISTER.on(date(2025, 11, 6))

    def test_ids_are_of_all_units_of_all_days(self) -> None:
        assert REGISTER.ids == {unit.id for unit in place_units()}

    def test_children_are_listed_by_id(self) -> None:
        children = REGISTER.on(BEFORE).children(YUBEI)
        assert list(children) == sorted(children)
        assert len(children) == 30


class TestContradictions:
    def test_one_id_twice(self) -> None:
        with pytest.raises(RegisterError, match="区划单位重复"):
            Register([county(YUBEI), county(YUBEI)])

    def test_one_code_of_two_units(self) -> None:
        with pytest.raises(RegisterError, match="不得重复使用"):
            Register([county(YUBEI), unit(500112100000, period(DAY, "500112000000", YUBEI))])

    def test_periods_out_of_order(self) -> None:
        twice = period(DAY, "500112100000", YUBEI)
        with pytest.raises(RegisterError, match="先后"):
            Register([unit(500112100000, twice, twice)])

    def test_a_town_below_a_town(self) -> None:
        towns = [
            unit(500112100000, period(DAY, "500112100000", 500112101000)),
            unit(500112101000, period(DAY, "500112101000", YUBEI)),
        ]
        with pytest.raises(RegisterError, match="上级单位"):
            Register(towns)

    def test_a_town_that_becomes_a_village(self) -> None:
        later = period(date(2021, 1, 1), None, YUBEI, UnitLevel.VILLAGE)
        with pytest.raises(RegisterError, match="层级"):
            Register([unit(500112100000, period(DAY, "500112100000", YUBEI), later)])

    def test_a_town_that_becomes_a_street_is_none(self) -> None:
        later = period(date(2021, 1, 1), "500112100000", YUBEI, UnitLevel.STREET, "甲街道")
        register = Register([unit(500112100000, period(DAY, "500112100000", YUBEI), later)])
        assert register.towns(date(2021, 1, 1)) == (500112100000,)


class TestScope:
    @pytest.mark.parametrize(("code", "size"), [("YUBEI22", 22), ("YUBEI30", 30)])
    def test_the_old_organs_serve_until_the_new_ones_open(self, code: str, size: int) -> None:
        scope = SCOPES[code]
        assert len(scope.members(date(2020, 12, 31))) == size
        assert len(scope.members(date(2026, 1, 24))) == size
        assert scope.members(date(2026, 1, 25)) == frozenset()
        assert scope.members(date(2015, 12, 31)) == frozenset()

    def test_the_22_are_below_the_county_and_without_the_streets_of_liangjiang(self) -> None:
        members = SCOPES["YUBEI22"].members(BEFORE)
        assert members < SCOPES["YUBEI30"].members(BEFORE)
        assert members < REGISTER.below(YUBEI, BEFORE)
        assert RENHE not in members
        assert SHUANGFENGQIAO in members

    def test_an_open_period_has_no_end(self) -> None:
        data = ScopeData.model_validate(
            {
                "code": "X",
                "name": "甲",
                "periods": [
                    {"from": "2020-01-01", "to": "2020-12-31", "units": [RENHE]},
                    {"from": "2022-01-01", "to": None, "units": [XINGLONG]},
                ],
            }
        )
        scope = Scope.of(data)
        assert scope.members(date(2020, 12, 31)) == {RENHE}
        assert scope.members(date(2021, 6, 1)) == frozenset()
        assert scope.members(date(2099, 1, 1)) == {XINGLONG}
