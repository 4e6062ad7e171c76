"""Slurm's commands: the lines they are, and what is understood of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import GridferryError, SchedulerUnavailable, SubmissionRefused, SubmissionUnknown
from project.core.slurm.commands import (
    SACCT_COLUMNS,
    CommandResult,
    QueueRow,
    Sacct,
    Sbatch,
    Scancel,
    Scontrol,
    Squeue,
    UsedResources,
)
from project.core.slurm.nodes import JobCounts, NodeClass, NodeUse, Sinfo, cluster_status, count_gpus, node_classes
from project.core.slurm.refusals import is_refusal

if TYPE_CHECKING:
    from collections.abc import Callable


_SACCT = "sacct --allocations --noheader --parsable2 --delimiter=\x1f --endtime=now+2days"


def answer(stdout: str = "", stderr: str = "", exit_code: int | None = 0) -> CommandResult:
    """What a command did."""
    return CommandResult(exit_code, stdout, stderr)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (Sbatch("/j/job.sbatch"), "sbatch --parsable --hold /j/job.sbatch"),
        (Sbatch("/j/w.sbatch", held=False), "sbatch --parsable /j/w.sbatch"),
        (Scontrol("release", "41"), "scontrol release 41"),
        (Scancel(["41", "42_[1-3]"]), "scancel 41 42_[1-3]"),
        (Squeue("jdoe"), "squeue --noheader --states=all --user=jdoe --format=%F|%K|%T|%r|%S|%V|%j"),
        (Sacct(["1", "2"]), f"{_SACCT} --format={','.join(SACCT_COLUMNS)} --jobs=1,2"),
    ],
)  # fmt: skip
def test_command_lines(command: Any, line: str) -> None:
    """One word per argument; nothing here passes through a shell."""
    assert " ".join(command.argv()) == line


@pytest.mark.parametrize(
    ("ids", "everywhere"), [(["41", "67108863"], False), (["41", "67108865"], True), (["damaged"], False)]
)
def test_a_job_of_a_federation_is_asked_about_everywhere(ids: list[str], everywhere: bool) -> None:
    """Its id is above all others; a sibling that runs it has its only row. Nobody else pays for the question."""
    for command in (Sacct(ids), UsedResources(ids)):
        assert ("--federation" in command.argv()) == everywhere


def test_a_job_is_looked_for_by_its_name() -> None:
    """Both the queue and the accounting can be asked by name; the accounting needs to know from when on."""
    assert "--name=uuid" in Squeue("jdoe", "uuid").argv()
    assert Sacct(name="uuid", since="2026-11-18T10:00:00").argv()[-2:] == [
        "--name=uuid",
        "--starttime=2026-11-18T10:00:00",
    ]


@pytest.mark.parametrize(
    ("stdout", "stderr", "exit_code"),
    [
        ("41\n", "", 0),
        ("41;nic5\n", "", 0),
        ("Welcome to nic5!\n41\n", "", 0),
        ("41\n", "sbatch: warning: --mem-per-cpu is ignored", 0),
        ("41\n", "sbatch: error: something after the fact", 1),
        ("41\n", "", None),
    ],
)
def test_an_id_is_an_answer_whatever_comes_with_it(stdout: str, stderr: str, exit_code: int | None) -> None:
    """A banner, a warning, an exit code or a time-out beside an id do not make the job go away."""
    assert Sbatch("s").parse(answer(stdout, stderr, exit_code)) == "41"


@pytest.mark.parametrize(
    ("stderr", "exit_code"),
    [
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", 1),
        ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", 1),
        ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", 1),
        ("", 0),
        ("", 1),
        ("sbatch: error: Invalid partition name specified", None),
        ("sbatch: error: Invalid partition name specified", 0),
    ],
)
def test_without_an_id_or_a_clear_no_the_outcome_is_unknown(stderr: str, exit_code: int | None) -> None:
    """Whatever is no refusal may have been taken; so may what was refused only in passing."""
    with pytest.raises(SubmissionUnknown):
        Sbatch("s").parse(answer("", stderr, exit_code))


def test_a_refusal_is_told_in_slurms_words() -> None:
    """What sbatch puts before each message is left out; all of it stays in the detail."""
    said = (
        "sbatch: error: invalid partition specified: x\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified\n"
    )
    with pytest.raises(SubmissionRefused) as caught:
        Sbatch("s").parse(answer("", said, 1))
    assert caught.value.message == "Slurm refused the job: Invalid partition name specified"
    assert caught.value.detail == said


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("sbatch: error: Batch job submission failed: Invalid partition name specified", True),
        ("sbatch: error: Invalid account or account/partition combination specified", True),
        ("sbatch: error: Invalid --distribution specification", True),
        ("sbatch: error: Memory specification can not be satisfied", True),
        ("sbatch: unrecognized option '--gpu'", True),
        ("sbatch: error: This does not look like a batch script.", True),
        ("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)", True),
        ("sbatch: fatal: job.sbatch: line 3: Unmatched `'` in [--chdir=/home/o'j]", True),
        ("sbatch: command not found", True),
        ("Batch job submission failed: Socket timed out on send/recv operation", False),
        ("sbatch: error: Unable to contact slurm controller", False),
        ("sbatch: error: Zero Bytes were transmitted or received", False),
        ("", False),
    ],
)  # fmt: skip
def test_refusals_are_known_by_their_words(said: str, refused: bool) -> None:
    """Only what would be refused again is a refusal."""
    assert is_refusal(said) is refused


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Invalid account or account/partition combination specified", "resources.account"),
        ("Invalid qos specification", "resources.qos"),
        ("Requested reservation is invalid", "resources.reservation"),
        ("Invalid partition name specified", "resources.partition"),
        ("Invalid generic resource (gres) specification", "resources.gpus"),
        ("Invalid feature specification", "resources.constraint"),
        ("Invalid job array specification", "resources.nbr_jobs_in_array"),
        ("Memory specification can not be satisfied", "resources.memory_per_thread"),
        ("Job violates accounting/QOS policy (job submit limit)", "jobs of yours have ended"),
        ("Unspecified error", "what it names in the job file"),
    ],
)
def test_a_refusal_names_the_key_to_correct(said: str, key: str) -> None:
    """Slurm's words name its own things; the remedy names the line of the job file."""
    with pytest.raises(SubmissionRefused) as caught:
        Sbatch("s").parse(answer("", f"sbatch: error: Batch job submission failed: {said}\n", 1))
    assert key in caught.value.remedy


_QUERIES = (Scontrol("release", "1"), Scancel(["1"]), Squeue("u"), Sacct(["1"]), Sinfo(), NodeUse(), JobCounts())


@pytest.mark.parametrize("parse", [query.parse for query in _QUERIES])
@pytest.mark.parametrize("result", [answer("", "Unable to contact slurm controller", 1), answer("", "", None)])
def test_no_answer_is_no_observation(parse: Callable[[CommandResult], Any], result: CommandResult) -> None:
    """A query that fails or hangs says nothing about any job."""
    with pytest.raises(SchedulerUnavailable) as caught:
        parse(result)
    assert isinstance(caught.value, GridferryError)
    assert caught.value.transient


def test_rows_of_the_queue() -> None:
    """A job, a running task and the pending rest of an array; the name may hold the separator."""
    printed = (
        "41|N/A|RUNNING|None|2026-11-20T10:00:00|2026-11-20T09:59:00|uuid\n"
        "42|7|COMPLETING|None|2026-11-20T10:00:00|2026-11-20T09:59:00|u|u\n"
        "42|8-10%2|PENDING|JobArrayTaskLimit|N/A|2026-11-20T09:59:00|uuid\n"
        "\nslurm_load_jobs: some noise\n"
    )
    rows = Squeue("jdoe").parse(answer(printed))
    assert [(row.slurm_job_id, row.tasks, row.state, row.name) for row in rows] == [
        ("41", "N/A", "RUNNING", "uuid"),
        ("42", "7", "COMPLETING", "u|u"),
        ("42", "8-10%2", "PENDING", "uuid"),
    ]
    assert rows[2] == QueueRow("42", "8-10%2", "PENDING", "JobArrayTaskLimit", "N/A", "2026-11-20T09:59:00", "uuid")


def test_rows_of_the_accounting() -> None:
    """Each row by its column's name; what has another number of columns is noise."""
    cells = ["41", *(f"{column.lower()}\u2028\x85" for column in SACCT_COLUMNS[1:])]
    rows = Sacct(["1"]).parse(answer("\x1f".join(cells) + "\nsacct: noise\n"))
    assert rows == [dict(zip(SACCT_COLUMNS, cells, strict=True))]


def test_jobs_named_in_an_unknown_way_are_no_answer() -> None:
    """What such a row is about nobody knows, so that nothing may be concluded from the others either."""
    row = "\x1f".join(["4\u00b2", *SACCT_COLUMNS[1:]]) + "\n"
    with pytest.raises(SchedulerUnavailable, match="cannot be read"):
        Sacct(["4"]).parse(answer(row))


_SINFO = """\
node1|batch*|mixed|3/61/0/64|0.52|262144|100000|gpu:a100:2|Unknown|none
node1|debug|mixed|3/61/0/64|0.52|262144|100000|gpu:a100:2|Unknown|none
node2|batch*|down*|0/0/64/64|N/A|262144|N/A|(null)|2026-11-20T09:56:48|Not responding | since noon
node3|batch*|idle~|0/64/0/64|0.00|262144|1|(null)|Unknown|none
"""


def test_nodes_of_the_cluster() -> None:
    """One document a node with all its partitions, numbers as numbers, the flags of its state read off."""
    nodes = Sinfo().parse(answer(_SINFO))
    assert [(node["name"], node["partitions"], node["state"], node["responding"]) for node in nodes] == [
        ("node1", ["batch", "debug"], "mixed", True),
        ("node2", ["batch"], "down", False),
        ("node3", ["batch"], "idle", True),
    ]
    assert nodes[0]["cpus"] == {"allocated": 3, "idle": 61, "other": 0, "total": 64}
    assert (nodes[0]["load"], nodes[0]["memory_mib"], nodes[0]["gres"], nodes[0]["reason"]) == (
        0.52,
        262144,
        "gpu:a100:2",
        "",
    )
    assert (nodes[1]["load"], nodes[1]["free_memory_mib"], nodes[1]["gres"]) == (0, 0, "")
    assert nodes[1]["reason"] == "Not responding | since noon"
    assert [node["since"] for node in nodes] == ["", "2026-11-20T09:56:48", ""]


def test_the_status_sums_up_the_nodes() -> None:
    """A node in two partitions counts once; pending and running jobs are counted task by task."""
    counts = JobCounts().parse(answer("PD\nPD\nR\nCG\n"))
    status = cluster_status(Sinfo().parse(answer(_SINFO)), counts, "2026-11-20T10:00:00.000000Z")
    assert (status["pending_jobs"], status["running_jobs"]) == (2, 1)
    assert status["cluster"] == {"nodes": 3, "cpus": {"allocated": 3, "idle": 125, "other": 64, "total": 192}}
    assert status["taken_at"] == "2026-11-20T10:00:00.000000Z"


def test_what_jobs_have_of_each_node() -> None:
    """Memory and GPUs by node, joined to the nodes of the status; a node nobody told of has neither."""
    use = NodeUse().parse(
        answer("node1  2048  gpu:a100:1(IDX:0),gpu:v100:2(IDX:1-2)\nnode2  0  gpu:0\nnode2  0  gpu:0\n")
    )
    assert use["node1"] == {"allocated_memory_mib": 2048, "used_gpus": 3}
    counts = JobCounts().parse(answer(""))
    nodes = cluster_status(Sinfo().parse(answer(_SINFO)), counts, "2026-11-20T10:00:00.000000Z", use)["nodes"]
    assert [(node.get("used_gpus"), node["gpus"]) for node in nodes] == [(3, 2), (0, 0), (None, 0)]


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [("", 0), ("gpu:4", 4), ("gpu:a100:4(S:0-1),gpu:v100:2,lustre:9", 6), ("gpu", 0), ("(null)", 0)],
)
def test_gpus_are_counted(gres: str, gpus: int) -> None:
    """Typed or not, with the sockets they hang on or not; other resources are none."""
    assert count_gpus(gres) == gpus


def test_the_last_line_is_what_matters() -> None:
    """Of what a command said, its last complaint is told; of a silent one, that it was silent."""
    assert answer("out", "first\nlast\n").tail == "last"
    assert answer("out\n").tail == "out"
    assert answer().tail == "no answer"


@pytest.mark.parametrize("command", [Squeue("x"), Sacct(name="x")])
def test_an_answer_without_its_last_newline_is_half_an_answer(command: Any) -> None:
    """Slurm ends every line; what breaks off in one says nothing about any job."""
    with pytest.raises(SchedulerUnavailable, match="half an answer"):
        command.parse(CommandResult(0, "41|N/A|RUNNING", ""))
    assert command.parse(CommandResult(0, "", "")) == []


def test_what_a_job_used_is_that_of_its_hungriest_step_and_all_its_cpu_time() -> None:
    """Memory of the step that took most, CPU time of the whole task; what sacct does not know is left out."""
    said = (
        "41_1||01:02.500\n41_1.batch|1024K|00:02.500\n41_1.0|204800.50K|01:00.000\n"
        "41_2||00:00:00\n42||1-02:03:04\n42.batch|0|1-02:03:04\nnonsense\n"
    )
    used = UsedResources(["41", "42"]).parse(CommandResult(0, said, ""))
    assert used == {
        "41_1": {"TotalCPU": "01:02.500", "MaxRSS": "204800K"},
        "41_2": {"TotalCPU": "00:00:00"},
        "42": {"TotalCPU": "1-02:03:04"},
    }


def test_nodes_that_are_alike_are_one_kind() -> None:
    """By CPUs, memory, generic resources and partitions; the most frequent kind comes first."""
    nodes = [*Sinfo().parse(CommandResult(0, _SINFO, "")), {"name": "bare"}]
    status = [{**node, "partitions": ["batch"]} if node["name"] in ("node2", "node3") else node for node in nodes]
    assert node_classes(status) == [
        NodeClass(2, 64, 262144, "", ("batch",)),
        NodeClass(1, 64, 262144, "gpu:a100:2", ("batch", "debug")),
        NodeClass(1, 0, 0, "", ()),
    ]
