"""The Kafka tests cannot be left out unseen: one line at the end, and a failure in CI."""

import os
from typing import NoReturn

import pytest

NOTICE = "Kafka tests did not run:"


def not_run(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{NOTICE} {reason}", pytrace=False)
    pytest.skip(f"{NOTICE} {reason}")


def notice(reporter: pytest.TerminalReporter) -> str | None:
    """What to say at the end, read from the reports, so that it works over pytest-xdist too."""
    for report in reporter.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if NOTICE in text:
            return str(text[text.index(NOTICE) :])
    return None
