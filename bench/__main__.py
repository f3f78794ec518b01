"""`python -m bench [NAME …] [--quick] [--rounds N]`: measure, print the table, keep the run."""

import argparse
import asyncio
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import uvloop

from bench import gateway, ingest, intake, latency, query, relay, report, start
from bench.rounds import Row
from bench.stage import Stage, opened
from chassis.telemetry import configure_logging

Bench = Callable[..., Awaitable[list[Row]]]

BENCHES: dict[str, Bench] = {
    "intake": intake.run,
    "relay": relay.run,
    "ingest": ingest.run,
    "latency": latency.run,
    "query": query.run,
    "gateway": gateway.run,
    "start": start.run,
}
LOADS = frozenset({"intake", "query", "gateway"})
"""Where this process is the load alone: it may be as quick as it can. Else its loop is the one that
the house's work runs on."""
ROUNDS = 5


def main() -> int:
    asked = _arguments()
    configure_logging(service="bench", process="bench", level=40)
    signal.signal(signal.SIGTERM, _ended)  # servers are stopped, whoever ends this
    began = datetime.now(UTC)
    rows: list[Row] = []
    failed = []
    names = asked.names or list(BENCHES)
    with opened() as stage:
        for name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            try:
                found = _played(
                    name, stage, rounds=1 if asked.quick else asked.rounds, quick=asked.quick
                )
            except Exception:  # noqa: BLE001 - what the other benches found is not lost with one
                traceback.print_exc()
                failed.append(name)
            else:
                report.show(found)
                rows += found
                if not asked.quick:  # after each: a run that is cut short is kept so far
                    file = report.keep(rows, began, rounds=asked.rounds)
    if len(names) > 1:
        report.show(rows)
    report.explain()
    if rows and not asked.quick:
        print(f"kept in bench/results/{file.name}")
    return 1 if failed else 0


def _ended(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _played(name: str, stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    async def play() -> list[Row]:
        return await BENCHES[name](stage, rounds=rounds, quick=quick)

    return uvloop.run(play()) if name in LOADS else asyncio.run(play())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs; not kept")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
