import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from chassis import private_file


def test_a_created_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "one.key"
    assert private_file.create(path, b"secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_create_leaves_what_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "one.key"
    private_file.create(path, b"first")
    assert not private_file.create(path, b"second")
    assert path.read_bytes() == b"first"
    assert [child.name for child in tmp_path.iterdir()] == ["one.key"]


def test_of_many_makers_one_wins_and_all_read_the_same(tmp_path: Path) -> None:
    path, numbers = tmp_path / "one.key", count()
    with ThreadPoolExecutor(8) as pool:
        read = list(
            pool.map(
                lambda _: private_file.read_or_create(path, lambda: b"%d" % next(numbers)),
                range(64),
            )
        )
    assert set(read) == {path.read_bytes()}


def test_replace_changes_the_whole_file_and_keeps_it_private(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old and longer")
    path.chmod(0o644)
    private_file.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_replace_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (path / "child").mkdir(parents=True)
    with pytest.raises(OSError, match=r"."):
        private_file.replace(path, b"new")
    assert [child.name for child in tmp_path.iterdir()] == ["folder"]
