"""What a Slurm that preempts and enforces limits tells: the part `limits` of `tests.recorded.record`.

It needs lines of its own in slurm.conf, and so a cluster of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.recorded.ends import keep_end, keep_wait, running

if TYPE_CHECKING:
    from tests.recorded.record import Recorder

LINES = (
    "PreemptType=preempt/partition_prio",
    "PreemptMode=CANCEL",
    "PartitionName=urgent Nodes=ALL PriorityTier=10 MaxTime=UNLIMITED DefaultTime=01:00:00 State=UP",
    "AccountingStorageEnforce=associations,limits,qos",
    "Licenses=matlab:1",
)
#: name of the wait: what sacctmgr modifies (the user's association or its QOS), what is set there, options of the job
_LIMITS = {
    "running-jobs-of-the-user": ("user", "MaxJobs=1", ()),
    "cpus-of-the-account": ("user", "GrpTRES=cpu=1", ()),
    "size-of-a-job": ("user", "MaxTRESPerJob=cpu=1", ("--ntasks=2",)),
    "time-of-a-job": ("user", "MaxWall=2", ("--time=5",)),
    "running-jobs-in-a-qos": ("qos", "MaxJobsPerUser=1", ()),
    "cpus-in-a-qos": ("qos", "MaxTRESPerUser=cpu=1", ()),
    "least-in-a-qos": ("qos", "MinTRESPerJob=cpu=4", ("--ntasks=1",)),
    "all-of-a-qos": ("qos", "GrpJobs=1", ()),
}


def limits(recorder: Recorder) -> None:
    """Jobs that make room, or wait because of limits and licences."""
    weak = recorder.submit("preempted", "--exclusive", "--error=job-%j.err", line="sleep 120")
    recorder.wait_for(weak, "RUNNING")
    with running(recorder, "strong", "--exclusive", "--partition=urgent"):
        keep_end(recorder, "preempted", weak)
    with running(recorder, "licensed", "--licenses=matlab"):
        keep_wait(recorder, "licences", recorder.submit("next", "--licenses=matlab"))
    for name, (kind, limit, options) in _LIMITS.items():
        _limit(recorder, kind, limit)
        with running(recorder, "one", "--ntasks=4" if kind == "qos" and "Min" in limit else "--ntasks=1", "--time=1"):
            keep_wait(recorder, name, recorder.submit("another", *options))
        recorder.run(["scancel", f"--user={recorder.user}", "--state=PENDING", "--name=another"])
        _limit(recorder, kind, "=".join([*limit.split("=")[:-1], "-1"]))


def _limit(recorder: Recorder, kind: str, limit: str) -> None:
    which = "normal" if kind == "qos" else recorder.user
    recorder.run(["sacctmgr", "--immediate", "modify", kind, which, "set", limit], as_user=False)
    time.sleep(2)
