"""What a running house leaves lying about: no secret, and of no person more than sealed fields."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from suite.backup import backup
from suite.demo.cases import scenarios
from suite.demo.district import towns
from tests.support.house import House, children_of
from tests.support.marks import LEAST, spelt
from tests.support.servers import open_folder

pytestmark = pytest.mark.xdist_group("house")

CASE_TOWNS = (0, 11)
EXPORTS = ("/v1/eldercare/facilities/export", "/v1/plan/indicators/export")


def secrets_of(house: House) -> dict[str, bytes]:
    """Every secret of an embedded run as it could be written down, by where it is kept."""
    found: dict[str, bytes] = {}
    kept = [*house.data.glob("passwords/*"), *house.data.glob("keys/**/*")]
    for file in (one for one in kept if one.is_file() and one.stat().st_size):
        content, name = file.read_bytes(), str(file.relative_to(house.data))
        if file.suffix == ".json":
            (content,) = re.findall(rb'"d": *"([^"]+)"', content)
        found |= {name: content, f"{name}, in hex": content.hex().encode()}
    for file in (house.folder.clients, house.folder.clerks, house.folder.console_client):
        for number, one in enumerate(re.findall(r'"client_secret": *"([^"]+)"', file.read_text())):
            found[f"{file.name} {number}"] = one.encode()
    return found


def below(pid: int) -> Iterator[int]:
    yield pid
    for child in children_of(pid):
        yield from below(child)


def logs_of(house: House) -> Iterator[Path]:
    errors = house.data.parent / f"{house.data.name}.err"
    logs = (*house.folder.logs.iterdir(), *(house.data / "postgres").glob("log*"), errors)
    yield from (file for file in logs if file.is_file())


def test_no_secret_is_in_the_process_list_or_a_log(house: House) -> None:
    secrets = secrets_of(house)
    assert len(secrets) > 20
    places = [
        Path(f"/proc/{pid}/{part}")
        for pid in below(house.process.pid)
        for part in ("cmdline", "environ")
    ]
    said: dict[str, bytes] = {}
    for place in (*places, *logs_of(house)):
        try:
            said[str(place)] = place.read_bytes()
        except OSError:  # it has ended, or is another account's
            continue
    assert len([one for one in said.values() if one]) > 20
    leaks = {
        (place, name) for place, one in said.items() for name, it in secrets.items() if it in one
    }
    assert leaks == set()


def test_what_keeps_a_secret_is_its_owners_alone(house: House) -> None:
    kept = [*house.data.glob("passwords/*"), *house.data.glob("keys/**/*")]
    kept += [house.folder.clients, house.folder.clerks, house.folder.console_client]
    files = [file for file in kept if file.is_file()]
    assert len(files) > 10
    assert {file.name for file in files if file.stat().st_mode & 0o077} == set()


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of everybody in the demonstration's cases, in all spellings, a line each."""
    today = date(2026, 11, 24)
    cases = [one for town in CASE_TOWNS for one in scenarios(towns()[town], town, today)]
    members = [member for one in cases for member in one.household["members"]]
    told = {one[part] for one in members for part in ("name", "document_number")}
    spellings = {one for one in spelt(told) if len(one) >= LEAST and not {0, 10} & set(one)}
    assert len(spellings) > 500
    file = tmp_path_factory.mktemp("marks") / "marks"
    file.write_bytes(b"\n".join(sorted(spellings)) + b"\n")
    return file


def having(marks: Path, *places: Path) -> list[str]:
    """The files that have one of the marks."""
    found = subprocess.run(
        ["grep", "-r", "-l", "-a", "-F", "-f", marks, *places],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode in {0, 1}, found.stderr
    return found.stdout.splitlines()


def test_no_file_of_a_backup_names_anybody(house: House, marks: Path) -> None:
    """Tables, indexes, statistics and the write-ahead log, as they lie on the disk."""
    with open_folder() as folder:
        kept = folder / "kept"
        made = backup(house.data, kept)
        assert made.bytes > 10_000_000
        assert having(marks, kept) == []
        sample = folder / "sample"
        sample.write_bytes(b"\0..." + marks.read_bytes().splitlines()[0])
        assert having(marks, sample) == [str(sample)]


def test_no_export_and_no_log_names_anybody(house: House, marks: Path, tmp_path: Path) -> None:
    for number, path in enumerate(EXPORTS):
        answer = house.request("GET", path)
        assert answer.status_code == 200, answer.text
        (tmp_path / f"{number}.xlsx").write_bytes(answer.content)
        subprocess.run(
            [sys.executable, "-m", "zipfile", "-e", f"{number}.xlsx", str(number)],
            cwd=tmp_path,
            check=True,
        )
    assert having(marks, tmp_path, *logs_of(house)) == []
