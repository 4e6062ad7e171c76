"""Why a job is where it is: what Slurm 22.05.8 and programs under it printed, and the sentence made of it."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.explain.causes import CAUSES, find_cause
from project.core.explain.facts import Cluster, Facts, gather
from project.core.explain.verdict import Verdict, explain
from project.core.job import JobSpec, Resources
from project.core.slurm.nodes import expand_nodes
from project.core.slurm.states import SLURM_STATES

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_SCRIPT = "/var/spool/slurmd/job00018/slurm_script"

#: exit code, end of standard error, the cause it must be, and words that must be told
_PRINTED = [
    ("127:0", f"{_SCRIPT}: line 6: no-such-program: command not found", "no program", "no-such-program"),
    ("127:0", f"{_SCRIPT}: line 6: ./gone: No such file or directory", "no program", "./gone"),
    ("127:0", "", "no program", "named a program, which"),
    ("126:0", f"{_SCRIPT}: line 7: ./plain.txt: Permission denied", "not executable", "./plain.txt"),
    ("126:0", "", "not executable", "could not run a program"),
    (
        "127:0",
        "./a: error while loading shared libraries: libgone.so: cannot open shared object file: No such file",
        "library",
        "libgone.so",
    ),
    (
        "1:0",
        "Traceback (most recent call last):\nModuleNotFoundError: No module named 'numpyy'",
        "Python package",
        "numpyy",
    ),
    (
        "126:0",
        f"{_SCRIPT}: line 10: ./arm: cannot execute binary file: Exec format error",
        "architecture",
        "another kind of machine",
    ),
    ("1:0", f"{_SCRIPT}: line 11: echo: write error: No space left on device", "quota", "no space is left"),
    ("11:0", f"{_SCRIPT}: line 5: 12095 Segmentation fault      (core dumped) ./crash", "crash", "crashed"),
    ("0:11", "", "crash", "crashed"),
    ("0:6", "", "abort", "gave up"),
    ("0:9", "", "killed", "killed from outside"),
    ("3:0", "", "exit code", "exit code 3"),
    ("1:0", "FileNotFoundError: [Errno 2] No such file or directory: 'nothing.dat'", "no file", "nothing.dat"),
    ("1:0", "cat: nothing.dat: No such file or directory", "no file", "nothing.dat"),
    (
        "2:0",
        "slurmstepd-n2: error: execve(): no-such-program: No such file or directory\nsrun: error: n2: task 0: Exited",
        "no program",
        "no-such-program",
    ),
    ("1:0", "ERROR: Unable to locate a modulefile for 'OpenMPI/4'", "module", "OpenMPI/4"),
    (
        "1:0",
        "srun: error: Unable to create step for job 32: More processors requested than permitted",
        "step",
        "More processors requested than permitted",
    ),
    (
        "0:9",
        "slurmstepd-n2: error: StepId=16.batch exceeded memory limit (106774528 > 20971520), being killed",
        "memory",
        "ran out of memory",
    ),
    ("0:53", "", "no folder", "do not see it"),
    ("1:0", "-bash: module: command not found", "module command", "no `module` command"),
    ("1:0", 'Lmod: The following module(s) are unknown: "GCC/99"', "module", "GCC/99"),
    ("1:0", "./a: /lib64/libc.so.6: version `GLIBC_2.34' not found (required by ./a)", "libc", "GLIBC_2.34"),
    ("1:0", "There are not enough slots available in the system to satisfy the 8 slots", "mpi", "MPI"),
    ("0:4", "", "illegal instruction", "instruction"),
    ("1:0", "cp: error writing 'x': Disk quota exceeded", "quota", "quota"),
    ("255:0", "FATAL:   Unable to handle docker://alpine uri", "container", "container"),
]


@pytest.mark.parametrize(("exit_code", "detail", "cause", "words"), _PRINTED)
def test_what_programs_print_is_understood(exit_code: str, detail: str, cause: str, words: str) -> None:
    """The right cause with the name that matters, and a remedy without a gap."""
    verdict = explain(Facts(state="FAILED", exit_code=exit_code, detail=detail), _UUID)
    assert verdict.cause == cause
    assert words in verdict.sentence
    assert verdict.remedy
    assert "{" not in verdict.sentence + verdict.remedy


@pytest.mark.parametrize("word", [word for word, state in SLURM_STATES.items() if state.ended])
def test_every_end_state_is_explained(word: str) -> None:
    """With nothing else known there is still a sentence, and a remedy unless all is well."""
    verdict = explain(Facts(state=word, exit_code="1:0"), _UUID)
    assert verdict.sentence.startswith("The job ")
    assert bool(verdict.remedy) == (word != "COMPLETED")
    assert "{" not in verdict.sentence + verdict.remedy


def test_memory_is_told_with_what_it_had_and_half_as_much_again() -> None:
    """Used, asked for, which of the tasks, and the exact words that resubmit it."""
    facts = Facts(
        state="OUT_OF_MEMORY", alike=[7], total=15,
        used_mib=3994, memory_mib=4096, mem_per_cpu_mib=4096,
    )  # fmt: skip
    assert explain(facts, _UUID) == Verdict(
        "Task 7 of 15 ran out of memory: it used 3.9 GiB of 4.0 GiB.",
        "Resubmit with `--set resources.memory_per_thread=6G --failed-tasks`",
        "memory",
        "7",
    )


def test_a_killed_job_that_had_used_its_memory_up_wanted_more() -> None:
    """Killed by signal 9 at nine tenths of its memory is memory; at a tenth it is not."""
    facts = Facts(state="FAILED", exit_code="0:9", used_mib=95, memory_mib=100)
    assert explain(facts, _UUID).cause == "memory"
    assert explain(facts._replace(used_mib=10), _UUID).cause == "killed"


@pytest.mark.parametrize(
    ("cpus", "cpu_s", "elapsed_s", "said", "remedy"),
    [
        (8, 900, 1000, ", with 0.9 of 8 CPUs at work", "if it asks for fewer CPUs"),
        (8, 3900, 1000, ", with 3.9 of 8 CPUs at work", "if it asks for fewer CPUs"),
        (8, 4100, 1000, "", ""),
        (1, 20, 1000, ", with 0.0 of 1 CPU at work", ""),
        (8, 0, 5, "", ""),
        (8, None, 1000, "", ""),
    ],
)
def test_idle_cpus_are_worth_a_sentence(cpus: int, cpu_s: int | None, elapsed_s: int, said: str, remedy: str) -> None:
    """Fewer than half of them at work, in a job long enough to tell; with one there is nothing less to ask for."""
    verdict = explain(Facts(state="COMPLETED", cpus=cpus, cpu_s=cpu_s, elapsed_s=elapsed_s), _UUID)
    assert verdict.sentence == f"The job ended well{said}."
    assert (remedy in verdict.remedy, bool(remedy)) == (True, bool(verdict.remedy))


def test_what_needs_a_look_is_said_with_the_rest() -> None:
    """A job that would not die, or runs past its limit."""
    verdict = explain(Facts(state="RUNNING", flag="past its time limit: runs for 2h 0m of 1h 0m"), _UUID)
    assert verdict.sentence == "The job is RUNNING. Look at it: past its time limit: runs for 2h 0m of 1h 0m."
    assert "administrators" in verdict.remedy


def test_a_time_limit_is_doubled() -> None:
    """Told with what it was, and with the exact words that resubmit it."""
    verdict = explain(Facts(state="TIMEOUT", time_limit_s=5400), _UUID)
    assert "at its time limit of 1h 30m" in verdict.sentence
    assert verdict.remedy == "Resubmit with `--set resources.duration=3h`"


def test_a_lost_node_is_named_with_slurms_reason() -> None:
    """What the cluster says of it now, not just that it was lost."""
    facts = Facts(state="NODE_FAIL", nodes="n1", sick_nodes=["n1 is down (fan broken)"])
    assert "lost its node: n1 is down (fan broken)" in explain(facts, _UUID).sentence


def test_an_error_of_our_own_tells_its_stage() -> None:
    """ERROR is told with stage and reason."""
    facts = Facts(state="ERROR", stage="compilation", reason="`make` of compilation ended with exit code 2. See")
    assert "compilation: `make` of compilation ended with exit code 2" in explain(facts, _UUID).sentence


@pytest.mark.parametrize(
    ("reason", "is_hopeless"),
    [("PartitionTimeLimit", True), ("QOSMinMemory", True), ("Resources", False), ("Priority", False)],
)
def test_waits_that_never_end_are_told_apart(reason: str, is_hopeless: bool) -> None:
    """And said so in the sentence."""
    verdict = explain(Facts(state="PENDING", reason=reason), _UUID)
    assert ("will not start as it stands" in verdict.sentence) == is_hopeless


def test_an_unknown_reason_is_told_as_it_is() -> None:
    """A newer Slurm's word is kept."""
    assert "Slurm says QuantumFlux" in explain(Facts(state="PENDING", reason="QuantumFlux"), _UUID).sentence


def test_a_good_end_tells_what_was_used() -> None:
    """And that less time would do, where that is so."""
    facts = Facts(state="COMPLETED", used_mib=100, memory_mib=1024, elapsed_s=60, time_limit_s=3600)
    verdict = explain(facts, _UUID)
    assert verdict.sentence == "The job ended well, with 100.0 MiB of 1.0 GiB of memory and 1m 0s of 1h 0m."
    assert "less time" in verdict.remedy
    assert not explain(facts._replace(elapsed_s=3000), _UUID).remedy


def _document(**more: Any) -> dict[str, Any]:
    columns = {
        "JobID": ["41_1", "41_2"], "State": ["COMPLETED", "FAILED"], "ExitCode": ["0:0", "1:0"],
        "Elapsed": ["00:01:00", "00:02:03"], "NNodes": ["1", "1"], "NodeList": ["n01", "n02"], "NCPUS": ["2", "2"],
        "AllocTRES": ["cpu=2,mem=400M", "cpu=2,mem=400M"], "MaxRSS": ["1024K", "204800K"],
    }  # fmt: skip
    told = {"state": "FAILED", "reason": "", "detail": "cat: x: No such file or directory"}
    timeline = [{"kind": "state", "body": told}, {"kind": "state", "body": {"state": "DONE"}}]
    return {"state": "DONE", "outcome": "FAILED", "job_status": columns, "timeline": timeline, **more}


def test_facts_are_those_of_the_worst_task() -> None:
    """With what it had and used, and how the nodes it ran on are now."""
    spec = JobSpec("j", "j@x", ["c"], ["x"], resources=Resources(time_limit_s=600, mem_per_cpu_mib=200))
    nodes = [{"name": "n01", "state": "down", "reason": "x"}, {"name": "n02", "state": "drained", "reason": "fan"}]
    facts = gather(_document(), spec, Cluster(nodes, "3m 2s ago"))
    assert facts.state == "FAILED"
    assert (facts.elapsed_s, facts.time_limit_s, facts.used_mib, facts.memory_mib) == (123, 600, 200, 400)
    assert facts.sick_nodes == ["n02 is drained (fan, as of 3m 2s ago)"]
    verdict = explain(facts, _UUID)
    assert verdict.cause == "no file"
    assert verdict.sentence.endswith(" did not find the file x. Now n02 is drained (fan, as of 3m 2s ago).")


def test_a_job_of_which_nothing_is_known_yet_has_facts_too() -> None:
    """Before its submission there are neither tasks nor events."""
    spec = JobSpec("j", "j@x", ["c"], ["x"])
    facts = gather({"state": "CREATED", "outcome": None, "job_status": {}, "timeline": []}, spec, Cluster())
    assert explain(facts, _UUID).sentence == "The job is CREATED."


@pytest.mark.parametrize(
    ("node_list", "names"),
    [
        ("", []),
        ("n1", ["n1"]),
        ("n[1-3,7],login", ["n1", "n2", "n3", "n7", "login"]),
        ("c[008-010]-ib", ["c008-ib", "c009-ib", "c010-ib"]),
    ],
)
def test_node_lists_are_written_out(node_list: str, names: list[str]) -> None:
    """As Slurm packs them: ranges, leading zeros, several lists."""
    assert expand_nodes(node_list) == names


def test_every_row_of_the_table_is_reached() -> None:
    """No cause stands behind another that always comes first."""
    printed = [Facts(state="FAILED", exit_code=code, detail=detail) for code, detail, _, _ in _PRINTED]
    ended = [Facts(state=word, exit_code="1:0") for word, state in SLURM_STATES.items() if state.ended]
    killed = Facts(state="FAILED", exit_code="0:9", used_mib=95, memory_mib=100)
    others = [Facts(state="CANCELLED", reason="DependencyNeverSatisfied"), Facts(state="ERROR", stage="script")]
    found = [find_cause(facts) for facts in [*printed, *ended, *others, killed]]
    reached = [each.cause for each in found if each is not None]
    assert [cause for cause in CAUSES if cause not in reached] == []
