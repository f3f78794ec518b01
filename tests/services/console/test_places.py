"""The villages that are offered: by the tree and the codes of the day (decision 0005)."""

from datetime import date

from services.console.places import districts, towns_of, villages_around

BEFORE, AFTER = date(2025, 1, 1), date(2026, 11, 24)
IN_XINGLONG, IN_SHUANGLONGHU = "500112138001", "500112002001"


def test_of_ones_own_district_the_streets_first() -> None:
    before = villages_around(IN_SHUANGLONGHU, BEFORE)
    assert next(iter(before)) == "双龙湖街道"
    assert before["玉峰山镇"]["500112129001"] == "玉峰山社区"
    assert "兴隆镇" in before


def test_after_the_change_by_the_last_known_codes_of_the_district_of_today() -> None:
    after = villages_around(IN_XINGLONG, AFTER)
    assert set(after) == {"统景镇", "大湾镇", "兴隆镇", "茨竹镇", "大盛镇"}
    assert after["兴隆镇"][IN_XINGLONG] == "兴隆社区"
    assert "兴隆镇" not in villages_around(IN_SHUANGLONGHU, AFTER)
    assert towns_of(IN_SHUANGLONGHU, AFTER)["500157007000"] == "双龙湖街道"


def test_without_a_place_there_is_nothing_to_choose() -> None:
    assert villages_around(None, AFTER) == {}
    assert villages_around("500112999001", AFTER) == {}


def test_the_districts_of_the_day() -> None:
    assert list(districts(BEFORE).values()) == ["渝北区"]
    assert list(districts(AFTER).values()) == ["两江新区", "北碚区"]
