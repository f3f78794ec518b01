"""The table of a run, and the file that is kept of it."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.rounds import Row, Spread

RESULTS = Path(__file__).parent / "results"
WIDTH = 170
SAID = (
    "Medians over rounds that alternate between the sides, least–most in brackets; a ratio is the"
    " median of the ratios of neighbouring rounds. Load generator, servers, database and broker"
    " share {cores} cores: trust the ratios, not the magnitudes."
)
VERDICT = {True: "met", False: "MISSED", None: ""}


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(show_lines=False)
    for name in ("bench", "what", "minzheng", "beside", "peer", "ratio", "bar", ""):
        table.add_column(name, justify="right" if name in {"minzheng", "peer", "ratio"} else "left")
    for row in rows:
        table.add_row(
            row.bench,
            row.what,
            f"{_figure(row.ours)} {row.unit}",
            row.beside,
            f"{_figure(row.peer)} {row.unit}" if row.peer else "",
            _figure(row.ratio, digits=2) if row.ratio else "",
            str(row.bar),
            VERDICT[row.met],
        )
    Console(width=WIDTH).print(table)


def explain() -> None:
    """Print how the figures are to be read."""
    Console(width=WIDTH).print(SAID.format(cores=os.cpu_count()))


def keep(rows: Sequence[Row], began: datetime, *, rounds: int, folder: Path = RESULTS) -> Path:
    """Write the run down in a file of its own; nothing in it names the machine."""
    commit = _commit()
    file = folder / f"{began:%Y-%m-%dT%H%M}-{commit}.json"
    content = {
        "at": began.isoformat(timespec="minutes"),
        "commit": commit,
        "cores": os.cpu_count(),
        "rounds": rounds,
        "rows": [_kept(row) for row in rows],
    }
    folder.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return file


def _kept(row: Row) -> dict[str, object]:
    told = {key: value for key, value in asdict(row).items() if value not in (None, "")}
    for name in ("ours", "peer", "ratio"):
        if name in told:
            told[name] = {key: float(f"{value:.4g}") for key, value in told[name].items()}
    told["bar"], told["met"] = str(row.bar), row.met
    return told


def _figure(spread: Spread, *, digits: int = 1) -> str:
    def plain(figure: float) -> str:
        return f"{figure:,.0f}" if figure >= 100 else f"{figure:.{digits}f}"  # noqa: PLR2004 - three digits are enough

    if spread.least == spread.most:
        return plain(spread.median)
    return f"{plain(spread.median)} ({plain(spread.least)}–{plain(spread.most)})"


def _commit() -> str:
    """The commit that is measured, marked where the work tree differs from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"

    def say(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - found on PATH
            [git, *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    changed = "+" if say("status", "--porcelain", "--untracked-files=no") else ""
    return (say("rev-parse", "--short", "HEAD") or "unknown") + changed
