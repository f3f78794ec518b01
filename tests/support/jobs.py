"""The jobs of a service, driven by a test: those that are due, once each."""

from chassis.jobs import JobRunner
from tests.support.services import Running

DUE = """SELECT count(*) FROM chassis.job WHERE done_at IS NULL AND run_at <= $1
AND (lease_until IS NULL OR lease_until < now())"""


async def run_due(running: Running, runner: JobRunner) -> int:
    """Run at most as many jobs as are due now, and say how many were.

    What fails pauses by real time, and what paused comes after all that never failed: on a slow
    machine its pause may be over before the rest has run, and a loop until nothing is due would run
    it again.
    """
    ((due,),) = await running.rows(DUE, running.runtime.clock.now())
    return sum([await runner.run_one() for _ in range(due)])
