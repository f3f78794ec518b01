import os
import stat
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from chassis import private_file
from chassis.clock import ClockRefused, DrivenClock, RealClock, drive, open_clock

NEW_YEARS_EVE = datetime(2020, 12, 31, 15, 59, 59, tzinfo=UTC)


def test_a_day_begins_at_midnight_in_shanghai_not_in_utc(tmp_path: Path) -> None:
    clock = DrivenClock(tmp_path / "clock")
    drive(tmp_path / "clock", NEW_YEARS_EVE)
    assert clock.today() == date(2020, 12, 31)
    drive(tmp_path / "clock", NEW_YEARS_EVE + timedelta(seconds=1))
    assert clock.today() == date(2021, 1, 1)


def test_a_driven_clock_stands_until_it_is_driven_on(tmp_path: Path) -> None:
    clock = DrivenClock(tmp_path / "clock")
    drive(tmp_path / "clock", NEW_YEARS_EVE)
    assert [clock.now(), clock.now()] == [NEW_YEARS_EVE, NEW_YEARS_EVE]
    assert clock.now().tzinfo is UTC


def test_every_change_is_seen_at_once_however_fast_they_follow(tmp_path: Path) -> None:
    clock = DrivenClock(tmp_path / "clock")
    for second in range(200):
        instant = NEW_YEARS_EVE + timedelta(seconds=second)
        drive(tmp_path / "clock", instant)
        assert clock.now() == instant


def test_the_files_own_time_only_moves_forward_by_which_readers_know_it_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "clock"
    drive(path, NEW_YEARS_EVE)
    later = path.stat().st_mtime_ns + 10**12
    os.utime(path, ns=(later, later))
    drive(path, NEW_YEARS_EVE)
    assert path.stat().st_mtime_ns > later


def test_all_readers_of_one_file_move_together_and_other_offsets_become_utc(
    tmp_path: Path,
) -> None:
    clocks = [DrivenClock(tmp_path / "clock") for _ in range(3)]
    shanghai = timezone(timedelta(hours=8))
    drive(tmp_path / "clock", datetime(2021, 1, 1, tzinfo=shanghai))
    assert {clock.now() for clock in clocks} == {datetime(2020, 12, 31, 16, tzinfo=UTC)}


@pytest.mark.parametrize("handed_back", [True, False])
def test_real_time_runs_when_handed_back_and_before_anybody_drives(
    tmp_path: Path, handed_back: bool
) -> None:
    clock = DrivenClock(tmp_path / "clock")
    if handed_back:
        drive(tmp_path / "clock", NEW_YEARS_EVE)
        assert clock.now() == NEW_YEARS_EVE
        drive(tmp_path / "clock", None)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)


def test_an_instant_without_offset_is_no_instant(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="offset"):
        drive(tmp_path / "clock", datetime(2021, 1, 1))  # noqa: DTZ001 - the point of the test
    (tmp_path / "clock").write_text("2021-01-01T00:00:00")
    with pytest.raises(ValueError, match="offset"):
        DrivenClock(tmp_path / "clock").now()


def test_a_damaged_file_is_an_error_not_real_time(tmp_path: Path) -> None:
    private_file.replace(tmp_path / "clock", b"yesterday")
    clock = DrivenClock(tmp_path / "clock")
    for _ in range(2):
        with pytest.raises(ValueError, match="yesterday"):
            clock.now()


def test_the_clock_file_is_private(tmp_path: Path) -> None:
    drive(tmp_path / "clock", NEW_YEARS_EVE)
    assert stat.S_IMODE((tmp_path / "clock").stat().st_mode) == 0o600


def test_a_deployment_refuses_a_driven_clock(tmp_path: Path) -> None:
    with pytest.raises(ClockRefused):
        open_clock(str(tmp_path / "clock"), deployment=True)
    assert isinstance(open_clock(str(tmp_path / "clock"), deployment=False), DrivenClock)


@pytest.mark.parametrize("setting", [None, ""])
@pytest.mark.parametrize("deployment", [True, False])
def test_without_a_setting_the_clock_is_real(setting: str | None, deployment: bool) -> None:
    clock = open_clock(setting, deployment=deployment)
    assert isinstance(clock, RealClock)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
