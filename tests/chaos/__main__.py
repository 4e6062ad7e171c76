"""`python -m tests.chaos --seed N --jobs M`: prints the plan, carries it out, exits 1 if anything is wrong."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.plan import Fault, Pause, Step, plan
from tests.chaos.run import Result, carry_out
from tests.chaos.world import running_world

if TYPE_CHECKING:
    from tests.chaos.evidence import Evidence


def say(text: str) -> None:
    """Print a line now."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Return 0 if everything was as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--longest", type=float, default=60.0, help="seconds that a fault lasts at most")
    wanted = parser.parse_args()
    steps = plan(wanted.seed, wanted.jobs, wanted.longest)
    say(f"the plan of seed {wanted.seed} with {wanted.jobs} jobs:")
    for step in steps:
        say(f"  {step}")
    folder = Path(tempfile.mkdtemp(prefix="gfc-", dir="/tmp"))  # short, since sockets lie in it
    with running_world(folder) as world:
        result = carry_out(world, steps, say)
    _summarise(steps, result)
    if result.wrong:
        say(f"seed {wanted.seed} with {wanted.jobs} jobs: {len(result.wrong)} violations; what was there: {folder}")
        return 1
    shutil.rmtree(folder)
    say(f"seed {wanted.seed} with {wanted.jobs} jobs: all is as promised")
    return 0


def _summarise(steps: list[Step], result: Result) -> None:
    faults = Counter(step.name for step in steps if isinstance(step, Fault))
    codes = Counter(call.exit_code for one in result.evidence for call in one.calls)
    surplus = sum(row.slurm_job_id != one.job.get("slurm_job_id") for one in result.evidence for row in one.accounted)
    say(f"{faults.total()} faults: {dict(faults)}")
    say(f"{len([step for step in steps if not isinstance(step, (Fault, Pause))])} submissions and one at the end")
    say(f"calls of the client by exit code: {dict(codes)}; surplus jobs: {surplus}")
    say(f"mails: {sum(one.mails.total() for one in result.evidence)}")
    for wrong in result.wrong:
        say(f"WRONG: {wrong}")
    for one in result.evidence:
        if any(one.job_uuid in wrong for wrong in result.wrong if one.job_uuid):
            _tell(one)


def _tell(one: Evidence) -> None:
    """Print all that is to be known of a submission with which something is wrong."""
    say(f"submission {one.number}, Slurm's rows: {one.accounted}, starts: {one.starts}")
    for call in one.calls:
        say(f"  {' '.join(call.arguments)} -> {call.exit_code}: {call.said[-200:]!r}")
    for event in one.job.get("timeline", []):
        say(f"  {event['at']} {event['kind']} {json.dumps(event['body'])[:200]}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    raise SystemExit(main())
