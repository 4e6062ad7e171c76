"""The kinds of jobs: what each is to do, and how it may end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What every job does first: it leaves UUID, Slurm id, task and number of restarts in its own log of starts.
_START = (
    'echo "$SLURM_JOB_NAME ${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}} ${{SLURM_ARRAY_TASK_ID:-job}}'
    ' ${{SLURM_RESTART_COUNT:-0}}" >> {log}'
)
_SMALL = {"duration": "5m", "memory_per_thread": "50M"}
_AFTERWARDS = {"postprocessing": {1: {"module": "after.sh", "execution": "cat", "when": "always"}}}
PLAIN = ("job",)


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        execution: its lines after the one that logs the start; `{n}` is the submission's number.
        keys: further keys of the job file.
        resources: further resources.
        modules: its modules file.
        tasks: the names of its array tasks.
        ends: the outcomes that it may have, ERROR for one that Slurm never took.
        output: its results, by name.
        event: what somebody does to it while it is in the queue: "requeue", "cancel" or "".
    """

    execution: tuple[str, ...]
    keys: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[str, ...] = PLAIN
    ends: tuple[str, ...] = ("COMPLETED",)
    output: Mapping[str, str] = field(default_factory=dict)
    event: str = ""

    def job_file(self, number: int, log: Path) -> dict[str, Any]:
        """Return the job file of a submission."""
        lines = [line.format(n=number, log=log) for line in (_START, *self.execution)]
        wanted = {"output": sorted(self.output)} if self.output else {}
        return {"execution": lines, "resources": {**_SMALL, **self.resources}, **wanted, **self.keys}

    def results(self, number: int) -> dict[str, str]:
        """Return what its results are to hold, by name."""
        return {name: text.format(n=number) for name, text in self.output.items()}


KINDS = {
    "quick": Kind(("echo result {n} > out.txt",), output={"out.txt": "result {n}\n"}),
    "long": Kind(("sleep 6", "echo result {n} > out.txt"), output={"out.txt": "result {n}\n"}),
    "prepared": Kind(
        ("cat compiled > out.txt",),
        keys={"requirements": ["sleep 0.5"], "compilation": ["sleep 1", "echo compiled > compiled"]},
        modules=_AFTERWARDS,
        output={"out.txt": "compiled\n"},
    ),
    "array": Kind(
        ("sleep 1", "echo $SLURM_ARRAY_TASK_ID of {n} > out_$SLURM_ARRAY_TASK_ID.txt"),
        resources={"nbr_jobs_in_array": 3},
        tasks=("1", "2", "3"),
        output={f"out_{task}.txt": f"{task} of {{n}}\n" for task in (1, 2, 3)},
    ),
    "failing": Kind(("echo no >&2; exit 3",), modules=_AFTERWARDS, ends=("FAILED",)),
    "refused": Kind((), resources={"partition": "nowhere"}, ends=("ERROR",)),
    "requeued": Kind(
        ("test ${{SLURM_RESTART_COUNT:-0}} -gt 0 || sleep 15", "echo result {n} > out.txt"),
        resources={"requeue": True},
        output={"out.txt": "result {n}\n"},
        event="requeue",
    ),
    "cancelled": Kind(  # who cancels it may get through only when all faults are over
        ("sleep 36000",), resources={"duration": "10h"}, ends=("CANCELLED",), event="cancel"
    ),
}
