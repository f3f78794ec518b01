"""Where Java is missing, the Kafka tests say so at the end, and fail in CI."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDS_KAFKA = "tests/suite/test_broker.py::TestBroker"


def run_without_java(tmp_path: Path, *, ci: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NEEDS_KAFKA]
    environment = {"PATH": str(tmp_path), "CI": ci}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_one_line_at_the_end_says_that_they_did_not_run(tmp_path: Path) -> None:
    run = run_without_java(tmp_path, ci="")
    assert run.returncode == 0
    notice, result = run.stdout.strip().splitlines()[-2:]
    assert "Kafka tests did not run: Java is not installed" in notice
    assert "skipped" in result


def test_in_ci_it_is_a_failure(tmp_path: Path) -> None:
    run = run_without_java(tmp_path, ci="true")
    assert run.returncode == 1
    assert "Kafka tests did not run: Java is not installed" in run.stdout
