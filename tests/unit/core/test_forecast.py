"""When Slurm would start a job: its words as 22.05.8 printed them, and what they leave unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.errors import SchedulerUnavailable
from project.core.job import Resources
from project.core.slurm.commands import CommandResult
from project.core.slurm.forecast import Forecast, WouldStart, free_slots, from_now_s, test_options
from project.core.slurm.partitions import Partition, ShowPartitions, never_starts

_options = test_options  # pytest would take the name for a test's
del test_options


def test_the_resources_are_asked_for_and_nothing_else() -> None:
    """No script, no file, no job: only the directives, in the cluster's usual partition."""
    asked = _options(Resources(ntasks=4, time_limit_s=600), "batch")
    assert WouldStart(asked).argv() == [
        "sbatch", "--test-only", "--time=0-00:10:00", "--ntasks=4", "--partition=batch", "--no-requeue",
        "--output=/dev/null", "--wrap=true",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("exit_code", "stderr", "forecast"),
    [
        (
            0,
            "sbatch: Job 2 to start at 2026-11-21T09:45:54 using 16 processors on nodes n-[1-2] in partition batch\n",
            Forecast(start="2026-11-21T09:45:54", nodes="n-[1-2]"),
        ),
        (
            1,
            "allocation failure: Requested node configuration is not available\n",
            Forecast(refusal="Requested node configuration is not available"),
        ),
        (
            1,
            "sbatch: error: invalid partition specified: x\nallocation failure: Invalid partition name specified\n",
            Forecast(refusal="Invalid partition name specified"),
        ),
        (255, "sbatch: error: Invalid --time specification\n", Forecast(refusal="Invalid --time specification")),
    ],
)
def test_promises_and_refusals_are_understood(exit_code: int, stderr: str, forecast: Forecast) -> None:
    """Both come on standard error; a refusal is kept in Slurm's words."""
    assert WouldStart([]).parse(CommandResult(exit_code, "", stderr)) == forecast


@pytest.mark.parametrize(
    ("exit_code", "stderr"),
    [
        (1, "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n"),
        (1, "allocation failure: Socket timed out on send/recv operation\n"),
        (None, ""),
        (0, ""),
    ],
)
def test_silence_is_neither_promise_nor_refusal(exit_code: int | None, stderr: str) -> None:
    """A controller that is away says nothing about the job."""
    with pytest.raises(SchedulerUnavailable):
        WouldStart([]).parse(CommandResult(exit_code, "", stderr))


_PARTITIONS = """\
PartitionName=batch Default=YES MaxTime=UNLIMITED MaxNodes=UNLIMITED AllowAccounts=ALL AllowQos=ALL State=UP
PartitionName=debug Default=NO MaxTime=00:10:00 MaxNodes=2 AllowAccounts=ALL DenyAccounts=guests State=UP
PartitionName=long MaxTime=7-00:00:00 State=DOWN TotalNodes=2
PartitionName=mixed MaxTime=1-12:00:00 AllowAccounts=physics,maths AllowQos=normal AllowGroups=grid State=UP
"""


def partitions() -> list[Partition]:
    """Four partitions as scontrol prints them, what does not matter here left out."""
    return ShowPartitions().parse(CommandResult(0, _PARTITIONS, ""))


def test_partitions_and_their_limits_are_read() -> None:
    """A limit that is a word is none; ALL means everybody."""
    assert partitions() == [
        Partition("batch", is_default=True),
        Partition("debug", max_time_s=600, max_nodes=2, denied_accounts=("guests",)),
        Partition("long", state="DOWN", max_time_s=604_800, nodes=2),
        Partition("mixed", max_time_s=129_600, accounts=("physics", "maths"), qos=("normal",), groups=("grid",)),
    ]


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (Resources(partition="debug", time_limit_s=600), ""),
        (
            Resources(partition="debug", time_limit_s=601),
            "its time limit is above 10m 0s of partition debug",
        ),
        (Resources(partition="debug"), ""),
        (
            Resources(partition="debug", nodes=3),
            "it wants more than 2 nodes of partition debug",
        ),
        (
            Resources(partition="debug", ntasks=3, distribution="scattered"),
            "it wants more than 2 nodes of partition debug",
        ),
        (Resources(partition="debug", ntasks=3), ""),
        (
            Resources(partition="debug", account="guests"),
            "account guests may not use partition debug",
        ),
        (
            Resources(partition="mixed", account="art"),
            "account art may not use partition mixed",
        ),
        (Resources(partition="mixed", account="maths"), ""),
        (
            Resources(partition="mixed", qos="long"),
            "QOS long may not be used in partition mixed",
        ),
        (Resources(partition="long", time_limit_s=60), "partition long starts no jobs now"),
        (Resources(time_limit_s=10**9), ""),
        (Resources(partition="debug,batch", time_limit_s=601), ""),
        (Resources(partition="unheard-of", time_limit_s=601), ""),
    ],
)
def test_what_sbatch_would_take_and_never_start_is_told(resources: Resources, words: str) -> None:
    """--test-only promises a start to a job over the partition's limit, which would wait for ever (measured)."""
    assert never_starts(resources, partitions()) == words


def test_a_start_a_year_away_is_none() -> None:
    """Behind a job without a time limit Slurm says: in a year (measured). One that has passed is now."""
    assert [from_now_s(start_s, 1000.0) for start_s in (None, 900.0, 1060.0, 1000.0 + 365 * 86400)] == [
        None,
        0.0,
        60.0,
        None,
    ]


def _node(name: str, state: str, idle: int, memory_mib: int, allocated_mib: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "state": state,
        "partitions": ["batch"],
        "cpus": {"idle": idle},
        "memory_mib": memory_mib,
        "allocated_memory_mib": allocated_mib,
    }


@pytest.mark.parametrize(
    ("resources", "slots"),
    [
        (Resources(), 12),
        (Resources(cpus_per_task=4), 3),
        (Resources(mem_per_cpu_mib=1000), 5),
        (Resources(mem_per_cpu_mib=1000, cpus_per_task=2), 2),
        (Resources(partition="debug"), 0),
    ],
)
def test_free_slots_are_whole_processes_on_nodes_that_take_work(resources: Resources, slots: int) -> None:
    """By cores and by memory not given away; nodes that are down or full of others do not count."""
    nodes = [
        _node("n1", "idle", 8, 4000),
        _node("n2", "mixed", 4, 4000, allocated_mib=3000),
        _node("n3", "down", 8, 4000),
        _node("n4", "drained", 8, 4000),
        {**_node("n5", "idle", 8, 4000), "responding": False},
        {"name": "n6", "state": "idle", "partitions": ["batch"]},  # which tells nothing of itself
    ]
    assert free_slots(resources, nodes) == slots
