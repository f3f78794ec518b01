"""The benches run: tiny, and nothing is said of the time."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import report
from bench.rounds import Bar, Row, Side, Spread, alternate, beside


def test_a_bench_runs_from_its_command_to_its_table() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "query", "--quick"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [line for line in done.stdout.splitlines() if "18 indicators" in line]
    assert len(rows) == 4, done.stdout
    assert all("SQL by hand" in line or "at 1,000" in line for line in rows)


async def test_rounds_alternate_and_the_warming_one_does_not_count() -> None:
    played: list[tuple[str, int]] = []

    def side(name: str, figure: float) -> Side:
        async def play(number: int) -> float:
            played.append((name, number))
            return figure * (number + 1)

        return Side(name, play)

    found = await alternate([side("a", 3.0), side("b", 2.0)], 2)
    assert played == [("a", -1), ("b", -1), ("a", 0), ("b", 0), ("b", 1), ("a", 1)]
    row = beside("x", "y", "/s", found, "a", "b", Bar(least=1.4))
    assert row.ratio == Spread(1.5, 1.5, 1.5)
    assert row.met is True


@pytest.mark.parametrize(
    ("bar", "met"), [(Bar(least=0.6), False), (Bar(most=0.6), True), (Bar(), None)]
)
def test_a_bar_is_a_least_or_a_most(bar: Bar, met: bool | None) -> None:
    assert bar.met(0.5) is met


def test_what_is_kept_of_a_run_names_no_machine(tmp_path: Path) -> None:
    row = Row("start", "warm", "s", Spread(9.0, 8.0, 10.0), bar=Bar(most=15))
    file = report.keep([row], datetime.now(UTC), rounds=5, folder=tmp_path)
    kept = json.loads(file.read_text())
    assert set(kept) == {"at", "commit", "cores", "rounds", "rows"}
    assert kept["rows"] == [
        {
            "bench": "start",
            "what": "warm",
            "unit": "s",
            "ours": {"median": 9.0, "least": 8.0, "most": 10.0},
            "bar": "<= 15",
            "met": True,
        }
    ]
