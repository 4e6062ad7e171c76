"""What a Slurm that preempts and enforces limits tells: the part `limits` of `tests.recorded.record`.

It needs lines of its own in slurm.conf, and so a cluster of its own.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from tests.recorded.ends import keep_end, keep_wait, running

if TYPE_CHECKING:
    from tests.recorded.record import Recorder

LINES = (
    "PreemptType=preempt/partition_prio",
    "PreemptMode=CANCEL",
    "PartitionName=urgent Nodes=ALL PriorityTier=10 MaxTime=UNLIMITED DefaultTime=01:00:00 State=UP",
    "AccountingStorageEnforce=associations,limits,qos,safe",
    "Licenses=matlab:1",
    "AccountingStorageTRES=gres/gpu,license/matlab",
)
#: name of the wait: what sacctmgr modifies (the user's association or its QOS), what is set there, options of the job
_LIMITS = {
    "running-jobs-of-the-user": ("user", "MaxJobs=1", ()),
    "running-jobs-of-the-account": ("user", "GrpJobs=1", ()),
    "cpus-of-the-account": ("user", "GrpTRES=cpu=1", ("--ntasks=2",)),
    "memory-of-the-account": ("user", "GrpTRES=mem=60", ("--ntasks=2",)),
    "nodes-of-the-account": ("user", "GrpTRES=node=0", ()),
    "gpus-of-the-account": ("user", "GrpTRES=gres/gpu=0", ("--gres=gpu:1",)),
    "licences-of-the-account": ("user", "GrpTRES=license/matlab=0", ("--licenses=matlab",)),
    "shares-of-the-account": ("user", "GrpTRES=billing=1", ("--ntasks=2",)),
    "budget-of-the-account": ("user", "GrpTRESMins=cpu=1", ("--time=5",)),
    "run-minutes-of-the-account": ("user", "GrpTRESRunMins=cpu=2", ("--time=5",)),
    "wall-time-of-the-account": ("user", "GrpWall=1", ("--time=5",)),
    "size-of-a-job": ("user", "MaxTRESPerJob=cpu=1", ("--ntasks=2",)),
    "memory-of-a-job": ("user", "MaxTRESPerJob=mem=60", ("--ntasks=2",)),
    "nodes-of-a-job": ("user", "MaxTRESPerJob=node=0", ()),
    "gpus-of-a-job": ("user", "MaxTRESPerJob=gres/gpu=0", ("--gres=gpu:1",)),
    "licences-of-a-job": ("user", "MaxTRESPerJob=license/matlab=0", ("--licenses=matlab",)),
    "cpus-of-a-node": ("user", "MaxTRESPerNode=cpu=1", ("--ntasks=2",)),
    "memory-of-a-node": ("user", "MaxTRESPerNode=mem=60", ("--ntasks=2",)),
    "minutes-of-a-job": ("user", "MaxTRESMinsPerJob=cpu=2", ("--time=5",)),
    "time-of-a-job": ("user", "MaxWall=2", ("--time=5",)),
    "running-jobs-in-a-qos": ("qos", "MaxJobsPerUser=1", ()),
    "running-jobs-of-an-account-in-a-qos": ("qos", "MaxJobsPerAccount=1", ()),
    "cpus-in-a-qos": ("qos", "MaxTRESPerUser=cpu=1", ("--ntasks=2",)),
    "memory-in-a-qos": ("qos", "MaxTRESPerUser=mem=60", ("--ntasks=2",)),
    "cpus-of-an-account-in-a-qos": ("qos", "MaxTRESPerAccount=cpu=1", ("--ntasks=2",)),
    "cpus-of-a-job-in-a-qos": ("qos", "MaxTRESPerJob=cpu=1", ("--ntasks=2",)),
    "minutes-of-a-job-in-a-qos": ("qos", "MaxTRESMinsPerJob=cpu=2", ("--time=5",)),
    "cpus-of-a-node-in-a-qos": ("qos", "MaxTRESPerNode=cpu=1", ("--ntasks=2",)),
    "time-of-a-job-in-a-qos": ("qos", "MaxWall=2", ("--time=5",)),
    "least-in-a-qos": ("qos", "MinTRESPerJob=cpu=4", ("--ntasks=1",)),
    "least-memory-in-a-qos": ("qos", "MinTRESPerJob=mem=100", ()),
    "least-gpus-in-a-qos": ("qos", "MinTRESPerJob=gres/gpu=1", ()),
    "all-of-a-qos": ("qos", "GrpJobs=1", ()),
    "all-cpus-of-a-qos": ("qos", "GrpTRES=cpu=1", ("--ntasks=2",)),
    "all-memory-of-a-qos": ("qos", "GrpTRES=mem=60", ("--ntasks=2",)),
    "budget-of-a-qos": ("qos", "GrpTRESMins=cpu=1", ("--time=5",)),
    "run-minutes-of-a-qos": ("qos", "GrpTRESRunMins=cpu=2", ("--time=5",)),
    "wall-time-of-a-qos": ("qos", "GrpWall=1", ("--time=5",)),
}
#: name of the wait: what is changed of the partition under a job that waits, and how it was before, options of the job
_PARTITION = {
    "account-not-allowed": ("AllowAccounts=root", "AllowAccounts=ALL", ()),
    "qos-not-allowed": ("AllowQos=other", "AllowQos=ALL", ()),
    "partition-inactive": ("State=INACTIVE", "State=UP", ()),
    "nodes-of-the-partition": ("MaxNodes=0", "MaxNodes=UNLIMITED", ()),
    "time-of-the-partition": ("MaxTime=2", "MaxTime=UNLIMITED", ("--time=30",)),
    "memory-of-the-partition": ("MaxMemPerNode=10", "MaxMemPerNode=0", ()),
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
        meanwhile = running(recorder, "one", "--time=1") if "Jobs" in limit else contextlib.nullcontext()
        with meanwhile:
            keep_wait(recorder, name, recorder.submit("another", *options))
        recorder.run(["scancel", f"--user={recorder.user}", "--state=PENDING", "--name=another"])
        _limit(recorder, kind, "=".join([*limit.split("=")[:-1], "-1"]))
    under_their_hands(recorder)


def under_their_hands(recorder: Recorder) -> None:
    """Jobs that were taken, and wait since their partition or node has changed, or others come first."""
    for name, (change, back, options) in _PARTITION.items():
        waiting = recorder.submit("another", "--begin=now+3", "--partition=batch", *options)
        recorder.run(["scontrol", "update", "partitionname=batch", change], as_user=False)
        time.sleep(3)
        keep_wait(recorder, name, waiting)
        recorder.run(["scontrol", "update", "partitionname=batch", back], as_user=False)
        recorder.run(["scancel", f"--user={recorder.user}"])
    recorder.set_node("drain", "fan")
    keep_wait(recorder, "all-nodes-drained", recorder.submit("drained"))
    recorder.set_node("resume")
    recorder.run(["scancel", f"--user={recorder.user}"])
    with running(recorder, "long", "--exclusive", "--time=30"):
        first = recorder.submit("first", "--exclusive", "--nice=0")
        keep_wait(recorder, "others-first", recorder.submit("second", "--exclusive", "--nice=100"), "Priority")
        recorder.run(["scancel", first])
        keep_end(recorder, "deadline", recorder.submit("late", "--exclusive", "--time=1", "--deadline=now+70seconds"))
    recorder.run(["scancel", f"--user={recorder.user}"])
    recorder.run(["scontrol", "update", f"nodename={recorder.node}", "availablefeatures=gold", "activefeatures=gold"],
                 as_user=False)  # fmt: skip
    waiting = recorder.submit("golden", "--begin=now+3", "--constraint=gold")
    recorder.run(["scontrol", "update", f"nodename={recorder.node}", "availablefeatures=", "activefeatures="],
                 as_user=False)  # fmt: skip
    time.sleep(3)
    keep_wait(recorder, "feature-gone", waiting)
    recorder.run(["scancel", f"--user={recorder.user}"])


def _limit(recorder: Recorder, kind: str, limit: str) -> None:
    which = "normal" if kind == "qos" else recorder.user
    recorder.run(["sacctmgr", "--immediate", "modify", kind, which, "set", limit], as_user=False)
    time.sleep(2)
