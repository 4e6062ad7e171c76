"""The one table of causes: what must be seen for each, what it means, and what helps. The first that fits is told.

tests/unit/core/test_explain.py has what real clusters printed in most of these cases; the rest are words of the
programs' own sources (OpenMPI, glibc, Lmod, Apptainer).
"""

import re
from typing import Callable, Dict, NamedTuple, Optional

from project.core.explain.facts import Facts

#: Of the memory it had, from which share on a killed job is taken to have wanted more.
_NEARLY_ALL = 0.85


def _always(_: Facts) -> bool:
    return True


def _used_it_up(facts: Facts) -> bool:
    return bool(facts.used_mib and facts.memory_mib and facts.used_mib >= _NEARLY_ALL * facts.memory_mib)


class Cause(NamedTuple):
    """One cause.

    Attributes:
        name: of it.
        text: what happened, as the rest of a sentence that begins with the job; `{words}` are facts.
        remedy: what helps.
        state: what the state must be, as a regular expression.
        exit_code: the same for `code:signal`.
        said: what must stand in standard error; its named groups are facts, too.
        names: what may stand there besides, for the facts it names.
        holds: what must be true besides.
    """

    name: str
    text: str
    remedy: str
    state: str = "FAILED|NODE_FAIL|CANCELLED|ERROR"
    exit_code: str = ".*"
    said: str = ""
    names: str = ""
    holds: Callable[[Facts], bool] = _always


_MEMORY = (
    "ran out of memory{memory_use}",
    "Resubmit with `--set resources.memory_per_thread={more_memory}{failed_only}`",
)
_NO_PROGRAM = ("named {name}, which is not there", "Load it in environment_modules, or write its path")
_MODULES = "Name the right one in environment_modules; `module avail` on the login node lists them"

CAUSES = (
    Cause("memory", *_MEMORY, state="OUT_OF_MEMORY"),
    Cause("memory", *_MEMORY, said=r"oom[-_ ]kill|[Oo]ut [Oo]f [Mm]emory|xceeded .*memory limit|MemoryError"),
    Cause("memory", *_MEMORY, exit_code=r"\d+:9|137:0", holds=_used_it_up),
    Cause(
        "time limit",
        "was ended at its time limit{time_limit}{idle}",
        "Resubmit with `--set resources.duration={more_time}{failed_only}`",
        state="TIMEOUT",
    ),
    Cause("deadline", "could not end before its deadline", "{again}, with a later one", state="DEADLINE"),
    Cause(
        "node",
        "lost its node{sick_nodes}",
        "{again}; with `--set resources.requeue=true` Slurm itself starts it again next time",
        state="NODE_FAIL|BOOT_FAIL|RECONFIG_FAIL",
    ),
    Cause(
        "preempted",
        "had to make room for a job with a higher priority",
        "{again}; with `--set resources.requeue=true` Slurm itself starts it again next time",
        state="PREEMPTED",
    ),
    Cause(
        "dependency",
        "never started, since a job it depends on did not end well",
        "Resubmit that one, then this one",
        state="CANCELLED",
        holds=lambda facts: "Dependency" in facts.reason,
    ),
    Cause("cancelled", "was cancelled", "{again} if that was not meant", state="CANCELLED"),
    Cause("revoked", "was started by a sibling cluster instead", "Look for it there", state="REVOKED"),
    Cause(
        "container",
        "could not start its container",
        "Check `container`: the bundle needs rootfs/ and config.json, for the architecture of the nodes",
        said=r"container .*(?:fail|error)|runc|apptainer: |FATAL: +(?:While|Unable)",
    ),
    Cause(
        "module",
        "asked for the environment module {name}, which is not there",
        _MODULES,
        said=r"Unable to locate a modulefile for '(?P<name>[^']+)'|module\(s\) are unknown: \"(?P<name2>[^\"]+)\"",
    ),
    Cause(
        "module command",
        "asked for environment modules, and there is no `module` command",
        "Leave environment_modules out, or ask the administrators how software is loaded there",
        said=r"module: (?:command )?not found",
    ),
    Cause(
        "Python package",
        "needs the Python package {name}, which is not there",
        "Install it in requirements (`python3 -m venv`, `pip install`), or load it in environment_modules",
        said=r"ModuleNotFoundError: No module named '(?P<name>[^']+)'",
    ),
    Cause(
        "library",
        "needs the library {name}, which is not there",
        "Load what it was built with in environment_modules, or build it there in compilation",
        said=r"error while loading shared libraries: (?P<name>[^:\s]+)|(?P<name2>lib\S+): cannot open shared object",
    ),
    Cause(
        "libc",
        "was built for a newer system than the nodes have ({name})",
        "Build it on the cluster, in compilation",
        said=r"version `(?P<name>GLIBC\w*_[\d.]+)' not found",
    ),
    Cause(
        "architecture",
        "holds a program for another kind of machine",
        "Build it on the cluster, in compilation",
        said=r"[Ee]xec format error|cannot execute binary file",
    ),
    Cause(
        "illegal instruction",
        "used an instruction its node does not know",
        "Build it for the nodes, without -march=native; or name newer ones in resources.constraint",
        exit_code=r"\d+:4|132:0",
    ),
    Cause(
        "quota",
        "could not write: no space is left, or your quota is used up",
        "Remove what is not needed there (`clean` removes fetched jobs), then resubmit",
        said=r"No space left on device|Disk quota exceeded",
    ),
    Cause(
        "mpi",
        "could not start its processes over MPI",
        "Start it by `srun`, with the MPI it was built with in environment_modules, and ask for as many processes",
        said=r"not enough slots available|allocated .* already filled|nvalid MPI type|PMI2?_Init|PMIX? ERROR|MPI_Init"
        r"|ORTE|task launch for",
    ),
    Cause(
        "step",
        "started more processes than it has: {name}",
        "Ask for as many in resources.nbr_processes as srun starts",
        said=r"Unable to create step for job \d+: (?P<name>[^\n]+)",
    ),
    Cause(
        "not executable",
        "could not run {name}: it is no program, or not executable",
        "Check its path, and add `chmod +x` to requirements",
        exit_code="126:0",
        names=r"(?P<name>[^\s:]+): (?:Permission denied|Is a directory)",
    ),
    Cause(
        "no program", *_NO_PROGRAM, said=r"(?P<name>[^\s:]+): not found|execve\(\): (?P<name2>[^\s:]+): No such file"
    ),
    Cause(
        "no program",
        *_NO_PROGRAM,
        exit_code="127:0",
        names=r"(?P<name>[^\s:]+): (?:command not found|No such file)",
    ),
    Cause(
        "no file",
        "did not find the file {name}",
        "Bring it with `job`, or write where it is on the cluster",
        said=r"No such file or directory: '(?P<name>[^']+)'|(?P<name2>[^\s:]+): No such file or directory",
    ),
    Cause(
        "no folder",
        "could not use its folder: the nodes do not see it, or it is gone",
        "Ask the registry's administrator for a `job_root` that compute nodes see",
        exit_code="0:53",
    ),
    Cause("crash", "crashed: it used memory that is not its own", "Try it on small data", said=r"Segmentation fault"),
    Cause("crash", "crashed: it used memory that is not its own", "Try it on small data", exit_code=r"\d+:11|139:0"),
    Cause("abort", "gave up by itself (abort)", "See what it printed", exit_code=r"\d+:6|134:0"),
    Cause("killed", "was killed from outside", "Resubmit it, or ask the administrators", exit_code=r"\d+:9|137:0"),
    Cause("stage", "went no further than {stage}: {reason}", "Mend that, then resubmit it", state="ERROR"),
    Cause(
        "exit code",
        "ended by itself with exit code {code}",
        "See what it printed: `logs {uuid} --err{task}`",
        state="FAILED",
    ),
)


def find_cause(facts: Facts) -> Optional["Finding"]:
    """Return the first cause that fits an end, None if none does."""
    for cause in CAUSES:
        seen = _seen(cause, facts)
        if seen is not None:
            return Finding(cause, seen)
    return None


class Finding(NamedTuple):
    """A cause that fits, and the words its pattern found."""

    cause: Cause
    words: Dict[str, str]


def _seen(cause: Cause, facts: Facts) -> Optional[Dict[str, str]]:
    if re.fullmatch(cause.state, facts.state) is None or not cause.holds(facts):
        return None
    if re.fullmatch(cause.exit_code, facts.exit_code) is None:
        return None
    found = re.search(cause.said, facts.detail)
    if found is None:
        return None
    named = re.search(cause.names, facts.detail) if cause.names else None
    groups = {**found.groupdict(), **(named.groupdict() if named else {})}
    return {name.rstrip("2"): word for name, word in groups.items() if word}
