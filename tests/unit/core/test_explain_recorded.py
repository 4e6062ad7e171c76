"""Jobs that were brought to their end, or made to wait, on a real Slurm: what is told of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from project.core.explain.facts import Cluster, gather
from project.core.explain.verdict import Verdict, explain
from project.core.job import JobSpec, Resources
from project.core.slurm.states import parse_state
from project.core.slurm.waiting import waiting

_RECORDED = sorted(Path(__file__).parents[2].glob("recorded/slurm-*/*/*.json"))
_UUID = "3f2b1c0e-0000-4000-8000-000000000000"

#: name of the recorded end: the cause, and words of the sentence or the remedy
_ENDS = {
    "a-folder": ("not executable", "could not run /tmp"),
    "abort": ("abort", "gave up by itself"),
    "boot": ("node", "lost its node"),
    "cancelled": ("cancelled", "was cancelled"),
    "command-not-found": ("no program", "named no-such-program, which is not there"),
    "completed": ("", "ended well"),
    "crash": ("crash", "memory that is not its own"),
    "deadline": ("deadline", "could not end before its deadline"),
    "dependency": ("dependency", "a job it depends on did not end well"),
    "exit-code": ("exit code", "exit code 3"),
    "foreign-machine": ("architecture", "another kind of machine"),
    "glibc": ("libc", "newer system than the nodes have (GLIBC_9.9"),
    "idle-cpus": ("", "0.0 of 8 CPUs at work"),
    "illegal-instruction": ("illegal instruction", "an instruction its node does not know"),
    "killed": ("killed", "killed from outside"),
    "library": ("library", "needs the library libgone.so"),
    "memory": ("memory", "it used 50.0 MiB of 50.0 MiB"),
    "module": ("module", "environment module GCC/99, which is not there"),
    "mpirun": ("mpi", "could not start its processes over MPI"),
    "no-file": ("no file", "did not find the file nothing.dat"),
    "no-file-in-python": ("no file", "did not find the file nothing.dat"),
    "no-folder": ("no folder", "the nodes do not see it"),
    "no-module-command": ("module command", "there is no `module` command"),
    "no-space": ("quota", "no space is left"),
    "node": ("node", "lost its node"),
    "node-lost": ("node", "lost its node"),
    "node-not-booted": ("node", "lost its node"),
    "not-executable": ("not executable", "could not run ./plain.txt"),
    "out-of-memory": ("memory", "ran out of memory"),
    "path-not-found": ("no program", "named ./gone, which is not there"),
    "preempted": ("preempted", "had to make room for a job with a higher priority"),
    "python-package": ("Python package", "needs the Python package numpyy"),
    "revoked": ("revoked", "was started by a sibling cluster"),
    "srun-mpi": ("mpi", "could not start its processes over MPI"),
    "step-not-found": ("no program", "named no-such-program, which is not there"),
    "step-too-large": ("step", "More processors requested than permitted"),
    "timeout": ("time limit", "at its time limit of 1m 0s"),
}
#: Ends that one generation tells otherwise: newer ones have 0:53 for a folder that is not there.
_OTHER_ENDS = {("slurm-20.11", "no-folder"): ("exit code", "exit code 1")}
#: name of the recorded wait: the reason Slurm gave, whether it passes by itself
_WAITS = {
    "above-the-partitions-limit": ("PartitionTimeLimit", False),
    "account-not-allowed": (
        "Job's account not permitted to use this partition (batch allows root not sandbox)",
        False,
    ),
    "after-another": ("Dependency", True),
    "all-cpus-of-a-qos": ("QOSGrpCpuLimit", True),
    "all-memory-of-a-qos": ("QOSGrpMemLimit", True),
    "all-nodes-drained": (
        "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
        True,
    ),
    "all-of-a-qos": ("QOSGrpJobsLimit", True),
    "budget-of-a-qos": ("QOSGrpCPUMinutesLimit", True),
    "budget-of-the-account": ("AssocGrpCPUMinutesLimit", True),
    "cpus-in-a-qos": ("QOSMaxCpuPerUserLimit", True),
    "cpus-of-a-job-in-a-qos": ("QOSMaxCpuPerJobLimit", False),
    "cpus-of-a-node": ("AssocMaxCpuPerNode", False),
    "cpus-of-a-node-in-a-qos": ("QOSMaxCpuPerNode", False),
    "cpus-of-an-account-in-a-qos": ("MaxCpuPerAccount", True),
    "cpus-of-the-account": ("AssocGrpCpuLimit", True),
    "dependency-that-failed": ("DependencyNeverSatisfied", False),
    "feature-gone": ("BadConstraints", False),
    "gpus-of-a-job": ("AssocMaxGRESPerJob", False),
    "gpus-of-the-account": ("AssocGrpGRES", True),
    "held-by-an-administrator": ("JobHeldAdmin", False),
    "held-by-the-user": ("JobHeldUser", True),
    "least-gpus-in-a-qos": ("QOSMinGRES", False),
    "least-in-a-qos": ("QOSMinCpuNotSatisfied", False),
    "least-memory-in-a-qos": ("QOSMinMemory", False),
    "licences": ("Licenses", True),
    "licences-of-a-job": ("AssocMaxLicensePerJob", False),
    "licences-of-the-account": ("AssocGrpLicense", True),
    "memory-in-a-qos": ("QOSMaxMemoryPerUser", True),
    "memory-of-a-job": ("AssocMaxMemPerJob", False),
    "memory-of-a-node": ("AssocMaxMemPerNode", False),
    "memory-of-the-account": ("AssocGrpMemLimit", True),
    "memory-of-the-partition": ("MaxMemPerLimit", False),
    "minutes-of-a-job": ("AssocMaxCpuMinutesPerJobLimit", False),
    "minutes-of-a-job-in-a-qos": ("QOSMaxCpuMinutesPerJobLimit", False),
    "no-room": ("Resources", True),
    "node-drained": ("ReqNodeNotAvail, UnavailableNodes:recorded-1", True),
    "nodes-of-a-job": ("AssocMaxNodePerJobLimit", False),
    "nodes-of-the-account": ("AssocGrpNodeLimit", True),
    "nodes-of-the-partition": ("PartitionNodeLimit", False),
    "not-before-a-time": ("BeginTime", True),
    "others-first": ("Priority", True),
    "partition-down": ("PartitionDown", False),
    "partition-inactive": ("PartitionInactive", False),
    "qos-not-allowed": ("Job's QOS not permitted to use this partition (batch allows other not normal)", False),
    "reservation": ("Reservation", True),
    "run-minutes-of-a-qos": ("QOSGrpCPURunMinutesLimit", True),
    "run-minutes-of-the-account": ("AssocGrpCPURunMinutesLimit", True),
    "running-jobs-in-a-qos": ("QOSMaxJobsPerUserLimit", True),
    "running-jobs-of-an-account-in-a-qos": ("MaxJobsPerAccount", True),
    "running-jobs-of-the-account": ("AssocGrpJobsLimit", True),
    "running-jobs-of-the-user": ("AssocMaxJobsLimit", True),
    "shares-of-the-account": ("AssocGrpBilling", True),
    "size-of-a-job": ("AssocMaxCpuPerJobLimit", False),
    "so-many-tasks-at-once": ("JobArrayTaskLimit", True),
    "time-of-a-job": ("AssocMaxWallDurationPerJobLimit", False),
    "time-of-a-job-in-a-qos": ("QOSMaxWallDurationPerJobLimit", False),
    "time-of-the-partition": ("PartitionTimeLimit", False),
    "wall-time-of-a-qos": ("QOSGrpWallLimit", True),
    "wall-time-of-the-account": ("AssocGrpWallLimit", True),
}
#: Waits that newer generations give another reason for.
_RESERVED = ("ReqNodeNotAvail, May be reserved for other job", True)
_OTHER_WAITS = {("slurm-24.11", "node-drained"): _RESERVED, ("slurm-26.05", "node-drained"): _RESERVED}


def _of(kind: str) -> list[Path]:
    return [path for path in _RECORDED if path.parent.name == kind]


def _explained(path: Path) -> Verdict:
    """Explain a recorded end as a job that the registry tells of."""
    recorded: dict[str, Any] = json.loads(path.read_text())
    row = recorded["row"]
    word = parse_state(row["State"]).word
    told = (
        {"state": "PENDING", "reason": recorded.get("waited", "")},
        {"state": word, "detail": recorded["stderr"]},
        {"state": "DONE"},
    )
    timeline = [{"kind": "state", "body": body} for body in told]
    columns = {name: [cell] for name, cell in row.items()}
    spec = JobSpec("jdoe", "j@example.org", ["c"], ["x"], resources=Resources(time_limit_s=60, mem_per_cpu_mib=50))
    job = {"state": "DONE", "outcome": word, "job_status": columns, "timeline": timeline}
    return explain(gather(job, spec, Cluster()), _UUID)


@pytest.mark.parametrize("path", _of("ends"), ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_every_recorded_end_is_told_in_a_sentence(path: Path) -> None:
    """With the right cause, what it names, and a remedy wherever something went wrong."""
    cause, words = _OTHER_ENDS.get((path.parents[1].name, path.stem), _ENDS[path.stem])
    verdict = _explained(path)
    assert (verdict.cause, words in verdict.sentence) == (cause, True), verdict
    assert verdict.remedy or path.stem == "completed"
    assert "{" not in verdict.sentence + verdict.remedy


@pytest.mark.parametrize("path", _of("waits"), ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_every_recorded_wait_is_told_in_a_sentence(path: Path) -> None:
    """Why it waits, what can be done, and whether waiting is enough."""
    reason, passes = _OTHER_WAITS.get((path.parents[1].name, path.stem), _WAITS[path.stem])
    assert json.loads(path.read_text())["reason"] == reason
    wait = waiting(reason)
    assert (wait.is_hopeless, "Slurm says" in wait.text) == (not passes, False)
    assert wait.remedy


def test_everything_expected_was_recorded() -> None:
    """A record that is lost, or a row without one, is seen."""
    assert {path.stem for path in _of("ends")} == set(_ENDS)
    assert {path.stem for path in _of("waits")} == set(_WAITS)
