"""Answers of real Slurms, recorded (tests/recorded/record.py): each is read, and what was understood is checked."""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import GridferryError, SchedulerUnavailable, SubmissionRefused, SubmissionUnknown
from project.core.slurm.commands import SACCT_COLUMNS, CommandResult, Sacct, Sbatch, Scancel, Scontrol, Squeue
from project.core.slurm.forecast import Forecast, WouldStart, from_now_s
from project.core.slurm.nodes import JobCounts, NodeUse, Sinfo
from project.core.slurm.partitions import Partition, ShowPartitions
from project.wrapper.clock import parse_local_s
from project.wrapper.follow import observe

if TYPE_CHECKING:
    from collections.abc import Callable

_RECORDED = Path(__file__).resolve().parents[2] / "recorded"
_VERSIONS = sorted(path.name for path in _RECORDED.glob("slurm-*"))


def answer(version: str, name: str) -> CommandResult:
    """A recorded answer; columns of sacct that were not asked for at that time are empty."""
    kept = json.loads((_RECORDED / version / f"{name}.json").read_text())
    asked = next((word[len("--format=") :] for word in kept["command"] if word.startswith("--format=")), "")
    stdout = _with_all_columns(kept["stdout"], asked.split(",")) if name.startswith("sacct") else kept["stdout"]
    return CommandResult(kept["exit_code"], stdout, kept["stderr"])


def _with_all_columns(stdout: str, asked: list[str]) -> str:
    """Give each line the columns of today."""
    rows = (dict(zip(asked, line.split("\x1f"), strict=True)) for line in stdout.splitlines())
    return "".join("\x1f".join(row.get(column, "") for column in SACCT_COLUMNS) + "\n" for row in rows)


def _nodes(result: CommandResult) -> list[tuple[Any, ...]]:
    return [
        (*(node[key] for key in ("name", "state", "partitions", "reason")), parse_local_s(node["since"]) is not None)
        for node in Sinfo().parse(result)
    ]


def _forecast(result: CommandResult) -> str | Forecast:
    """What was understood: the refusal, else the forecast."""
    forecast = WouldStart([]).parse(result)
    return forecast.refusal or forecast


def _start(forecast: Forecast, version: str) -> str:
    """When a job would start, in half hours after the first one that was recorded of that version."""
    first = WouldStart([]).parse(answer(version, "trial-starts-now")).start
    start_s = from_now_s(parse_local_s(forecast.start), parse_local_s(first) or 0.0)
    return "nobody knows" if start_s is None else f"starts after {round(start_s / 1800) / 2:g} h"


#: name: how it is read, and what it must be: a value, or the error with some of its words
_CASES: dict[str, tuple[Callable[[CommandResult], Any], Any]] = {
    "sbatch-accepted": (lambda result: Sbatch("").parse(result) in ("1", "2"), True),
    "sbatch-unknown-partition": (Sbatch("").parse, SubmissionRefused("Invalid partition name specified")),
    "sbatch-invalid-feature": (Sbatch("").parse, SubmissionRefused("Invalid feature specification")),
    "sbatch-array-too-large": (Sbatch("").parse, SubmissionRefused("Invalid job array specification")),
    "sbatch-invalid-array": (Sbatch("").parse, SubmissionRefused("Invalid job array specification")),
    "sbatch-unknown-gres": (Sbatch("").parse, SubmissionRefused("Invalid generic resource (gres) specification")),
    "sbatch-unmatched-quote": (Sbatch("").parse, SubmissionRefused("Unmatched `'`")),
    "sbatch-unknown-option": (Sbatch("").parse, SubmissionRefused("Slurm refused the job")),
    "sbatch-no-shebang": (Sbatch("").parse, SubmissionRefused("Slurm refused the job")),
    "sbatch-no-file": (Sbatch("").parse, SubmissionRefused("Unable to open file nowhere.sbatch")),
    "sbatch-no-controller": (Sbatch("").parse, SubmissionUnknown("Unable to contact slurm controller")),
    "squeue-no-controller": (Squeue("").parse, SchedulerUnavailable("Unable to contact slurm controller")),
    "squeue-unknown": (Squeue("").parse, []),
    "sacct-unknown": (Sacct().parse, []),
    "scancel-unknown": (Scancel([]).parse, None),
    "scontrol-release-unknown": (Scontrol("release", "").parse, SchedulerUnavailable("Invalid job id")),
    "scontrol-release-ended": (Scontrol("release", "").parse, SchedulerUnavailable("Job has already finished")),
    "sacct-by-name": (lambda result: [row["State"] for row in Sacct().parse(result)], ["FAILED"]),
    "sinfo-idle": (_nodes, [("recorded-1", "idle", ["batch", "debug"], "", False)]),
    "sinfo-down": (_nodes, [("recorded-1", "down", ["batch", "debug"], "fan | broken", True)]),
    "sinfo-use": (NodeUse().parse, {"recorded-1": {"allocated_memory_mib": 0, "used_gpus": 0}}),
    "trial-starts-now": (_forecast, "starts after 0 h"),
    "trial-array": (_forecast, "starts after 0 h"),
    "trial-above-the-limit": (_forecast, "starts after 0 h"),  # which is not true: partitions.py knows better
    "trial-waits": (_forecast, "starts after 0.5 h"),
    "trial-behind-endless": (_forecast, "nobody knows"),
    "trial-too-many-nodes": (_forecast, "Requested node configuration is not available"),
    "trial-too-much-memory": (_forecast, "Requested node configuration is not available"),
    "trial-drained": (_forecast, "Requested node configuration is not available"),
    "trial-unknown-partition": (_forecast, "Invalid partition name specified"),
    "trial-invalid-feature": (_forecast, "Invalid feature specification"),
    "trial-unknown-gres": (_forecast, "Invalid generic resource (gres) specification"),
    "trial-invalid-array": (_forecast, "Invalid job array specification"),
    "trial-unknown-reservation": (_forecast, "Requested reservation is invalid"),
    "trial-unknown-option": (_forecast, "unrecognized option '--colour=red'"),
    "trial-no-controller": (_forecast, SchedulerUnavailable("Unable to contact slurm controller")),
    "scontrol-partitions": (
        ShowPartitions().parse,
        [
            Partition("batch", is_default=True, nodes=1, cpus=64, default_time_s=3600),
            Partition("debug", nodes=1, cpus=64, max_time_s=600, default_time_s=60),
        ],
    ),
    "squeue-counts": (lambda result: JobCounts().parse(result)["running_jobs"], 0),
}

#: name: tasks, their states after one look and after three, and the way of the whole job
_LOOKS: dict[str, tuple[int, str, str, str]] = {
    "held": (0, "PENDING", "PENDING", "PENDING"),
    "cancelled-while-held": (0, "CANCELLED", "CANCELLED", "PENDING CANCELLED"),
    "running": (0, "RUNNING", "RUNNING", "PENDING RUNNING"),
    "cancelled-while-running": (0, "CANCELLED", "CANCELLED", "PENDING RUNNING CANCELLED"),
    "failed-just-now": (0, "RUNNING", "FAILED", "PENDING RUNNING FAILED"),
    "failed": (0, "FAILED", "FAILED", "PENDING RUNNING FAILED"),
    "requeued": (0, "PENDING", "PENDING", "PENDING"),
    "node-failed-and-requeued": (0, "PENDING", "PENDING", "PENDING"),
    # of a federation: its own cluster calls it REVOKED, and has no row of it; the sibling that runs it has
    "started-by-a-sibling": (0, "RUNNING", "RUNNING", "PENDING RUNNING"),
    "ended-at-a-sibling": (0, "COMPLETED", "COMPLETED", "PENDING RUNNING COMPLETED"),
    "unknown": (0, "", "", ""),
    "array-held": (8, " ".join(["PENDING"] * 8), " ".join(["PENDING"] * 8), "PENDING"),
    "array-throttled": (
        8,
        "COMPLETED RUNNING RUNNING PENDING PENDING PENDING PENDING PENDING",
        "COMPLETED RUNNING RUNNING PENDING PENDING PENDING PENDING PENDING",
        "PENDING RUNNING",
    ),
    "array-tasks-cancelled": (
        8,
        "COMPLETED RUNNING RUNNING PENDING PENDING PENDING PENDING PENDING",
        "COMPLETED RUNNING RUNNING PENDING CANCELLED CANCELLED PENDING PENDING",
        "PENDING RUNNING",
    ),
    "array-cancelled": (
        8,
        "COMPLETED" + 7 * " CANCELLED",
        "COMPLETED" + 7 * " CANCELLED",
        "PENDING RUNNING CANCELLED",
    ),
    "array-cancelled-one-by-one": (
        3,
        "PENDING PENDING PENDING",
        "CANCELLED CANCELLED CANCELLED",
        "CANCELLED",
    ),
}

_REST_CANCELLED = "COMPLETED CANCELLED CANCELLED CANCELLED PENDING PENDING CANCELLED CANCELLED"
#: What one look already tells, or not yet, with newer versions, and the way then known; in the end all tell the same.
_NEWER = {
    # the accounting has the whole row with the end
    "failed-just-now": ("FAILED", "PENDING RUNNING FAILED"),
    # tasks cancelled earlier are in no row any more, where 22.05 had them in the rest's
    "array-cancelled": (_REST_CANCELLED, "PENDING RUNNING CANCELLED"),
    # the accounting lists tasks and when they were submitted, where older ones list a plain job
    "array-cancelled-one-by-one": ("CANCELLED CANCELLED CANCELLED", "PENDING CANCELLED"),
}
_OTHERWISE = {
    "slurm-24.11": _NEWER,
    "slurm-26.05": {
        **_NEWER,
        # and of those cancelled one by one only the last
        "array-cancelled-one-by-one": ("PENDING PENDING CANCELLED", "PENDING CANCELLED"),
    },
}


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("name", _CASES)
def test_each_answer_is_understood(version: str, name: str) -> None:
    """Ids, refusals, rows and silences, as this Slurm words them."""
    read, expected = _CASES[name]
    if not isinstance(expected, GridferryError):
        understood = read(answer(version, name))
        assert (_start(understood, version) if isinstance(understood, Forecast) else understood) == expected
        return
    with pytest.raises(type(expected)) as caught:
        read(answer(version, name))
    assert expected.message in caught.value.message


_LOOKED_AT = list(itertools.product(_VERSIONS, _LOOKS))


@pytest.mark.parametrize(("version", "name"), _LOOKED_AT)
def test_what_a_job_went_through_is_understood(version: str, name: str) -> None:
    """Queue and accounting put together: the state of each task, and the way of the whole job."""
    number, first_look, last_look, way = _LOOKS[name]
    first_look, way = _OTHERWISE.get(version, {}).get(name, (first_look, way))
    queue = Squeue("").parse(answer(version, f"squeue-{name}"))
    account = Sacct().parse(answer(version, f"sacct-{name}"))
    job, job_name = (queue[0].slurm_job_id, queue[0].name) if queue else ("99999", "nobody")
    expected = observe.task_names(range(1, number + 1))
    known: observe.Tasks = {}
    seen = []
    for _ in range(4):
        known = observe.observe(job_name, job, expected, known, queue, account)
        seen.append(" ".join(known[task]["State"].split()[0] for task in expected if task in known))
    assert seen[0] == first_look
    assert seen[-1] == last_look
    assert " ".join(change.state for change in observe.changes([], known, len(expected))) == way


@pytest.mark.parametrize("version", _VERSIONS)
def test_what_a_sibling_ran_ends_by_its_accounting(version: str) -> None:
    """Whether the queue has forgotten it, or calls it REVOKED, as it does for administrators."""
    queue = Squeue("").parse(answer(version, "squeue-ended-at-a-sibling"))
    account = Sacct().parse(answer(version, "sacct-ended-at-a-sibling"))
    for rows in ([], [row._replace(state="REVOKED") for row in queue]):
        found = observe.observe(queue[0].name, queue[0].slurm_job_id, [""], {}, rows, account)
        assert found[""]["State"] == "COMPLETED"


def _halves(version: str, name: str, read: Callable[[CommandResult], Any]) -> list[Any]:
    """What is made of an answer that breaks off after any byte; what is seen to be half of one is left out."""
    whole = answer(version, name)
    parts = (whole._replace(stdout=whole.stdout[:length]) for length in range(len(whole.stdout)))
    understood = []
    for part in parts:
        with contextlib.suppress(SchedulerUnavailable):
            understood.append(read(part))
    return understood


@pytest.mark.parametrize(("version", "name"), _LOOKED_AT)
def test_half_an_answer_changes_no_state(version: str, name: str) -> None:
    """Cut after any byte, either answer or both: no state that was told changes, but where a job is gone at once.

    That is how half an answer looks, too; a follower then waits for the next one.
    """
    number, _, _, way = _LOOKS[name]
    _, way = _OTHERWISE.get(version, {}).get(name, ("", way))
    queue = Squeue("").parse(answer(version, f"squeue-{name}"))
    account = Sacct().parse(answer(version, f"sacct-{name}"))
    job, job_name = (queue[0].slurm_job_id, queue[0].name) if queue else ("99999", "nobody")
    expected = observe.task_names(range(1, number + 1))
    known: observe.Tasks = {}
    for _ in range(4):
        known = observe.observe(job_name, job, expected, known, queue, account)
    queues = [queue, *_halves(version, f"squeue-{name}", Squeue("").parse)]
    accounts = [account, *_halves(version, f"sacct-{name}", Sacct().parse)]
    listed = observe.listed_by(job_name, job, queue, account)
    for half_queue, half_account in itertools.product(queues, accounts):
        if observe.listed_by(job_name, job, half_queue, half_account) == listed:
            again = observe.observe(job_name, job, expected, known, half_queue, half_account)
            assert observe.changes(way.split(), again, len(expected)) == []


@pytest.mark.parametrize("version", _VERSIONS)
def test_nothing_recorded_is_left_unread(version: str) -> None:
    """Each file belongs to one of the tests above."""
    looked_at = [name for where, name in _LOOKED_AT if where == version]
    read = {*_CASES, *(f"{program}-{name}" for program in ("squeue", "sacct") for name in looked_at)}
    assert {path.stem for path in (_RECORDED / version).glob("*.json")} == read
