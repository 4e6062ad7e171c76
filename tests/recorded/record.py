"""Records what Slurm's commands print: usage `python -m tests.recorded.record FOLDER [PART...]`.

FOLDER is for what is started; parts are the names of PARTS, all that can be had unless said. Starts a real Slurm, the
machine's own in a sandbox, or that of the Debian generation which GRIDFERRY_TEST_GRID names, in containers; brings it
into one state after the other, and keeps each answer beside this file in `slurm-<version>/<name>.json` as {command,
stdout, stderr, exit_code}; `tests/contract/slurm/test_recorded.py` reads them all. Commit the new folder.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from demo.docker.engine import find_engine
from demo.docker.site import DockerSite
from demo.site import SandboxSite
from project.core.slurm.commands import ENVIRONMENT, Sacct, Sbatch, Scancel, Scontrol, Squeue
from project.core.slurm.forecast import WouldStart
from project.core.slurm.nodes import JobCounts, NodeUse, Sinfo
from project.core.slurm.partitions import ShowPartitions
from project.sandbox import api
from tests.recorded.ends import dependency, ends, memory, waits
from tests.recorded.hosts import CLOUD_LINES, cloud, federation, lost
from tests.recorded.limits import LINES, limits

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from demo.site import Login, Site

_HERE = Path(__file__).resolve().parent
_SANDBOX = "sandbox"


class Recorder:
    """Runs Slurm's commands on a cluster of one node and keeps what they answer.

    Args:
        site: where the cluster is.
        cluster: how it is reached; told as `recorded` in what is kept.
        folder: where the jobs run; told as `/home/jdoe` in what is kept.
    """

    def __init__(self, site: Site, cluster: Login, folder: str) -> None:
        self._site = site
        self.cluster = cluster
        self._folder = folder
        self.user = cluster.ssh_user
        self.node = f"{cluster.name}-1"
        version = self.run(["sinfo", "--version"]).stdout.split()[-1]
        self.version = ".".join(version.split(".")[:2])
        self._target = _HERE / f"slurm-{self.version}"
        self._target.mkdir(exist_ok=True)

    @property
    def is_sandbox(self) -> bool:
        """Whether it is on this very machine, without the containers' limits."""
        return isinstance(self._site, SandboxSite)

    @property
    def containers(self) -> DockerSite:
        """The containers the cluster is in."""
        assert isinstance(self._site, DockerSite)
        return self._site

    def run(self, argv: Sequence[str], *, as_user: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command, in the jobs' folder."""
        environment = [f"{name}={value}" for name, value in {**ENVIRONMENT, **variables}.items()]
        return self._site.run(["env", f"--chdir={self._folder}", *environment, *argv], as_user=as_user)

    def keep(self, name: str, argv: Sequence[str], **variables: str) -> None:
        """Run a command and keep its answer under a name."""
        done = self.run(argv, **variables)
        kept = {"command": list(argv), "stdout": done.stdout, "stderr": done.stderr, "exit_code": done.returncode}
        self.store(name, kept)

    def store(self, name: str, document: Mapping[str, Any]) -> None:
        """Keep a document under a name, without what is of this machine alone."""
        text = json.dumps(document, indent=1, ensure_ascii=False)
        text = re.sub(r"[^\s\"]*/job\d+/slurm_script", "/var/spool/slurmd/job00018/slurm_script", text)
        private = {self._folder: "/home/jdoe", f"user={self.user}": "user=jdoe", self.cluster.name: "recorded"}
        for word, public in private.items():
            text = text.replace(word, public)
        path = self._target / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(re.sub(r"127\.0\.0\.1|localhost", "login1", text) + "\n")
        print(name)

    def write(self, name: str, text: str) -> str:
        """Write a file; return its path."""
        path = f"{self._folder}/{name}"
        self.run(["sh", "-c", 'printf %s "$1" > "$2"', "sh", text, path])
        return path

    def script(self, *directives: str, line: str = "true", first: str = "#!/bin/bash") -> str:
        """Write a job script; return its path."""
        own = ["--job-name=job", "--output=/dev/null", "--time=5", "--mem-per-cpu=50M", *directives]
        return self.write("job.sbatch", "\n".join([first, *(f"#SBATCH {option}" for option in own), line, ""]))

    def away(self) -> str:
        """Return the path of a configuration in which slurmctld is where nobody listens."""
        conf = self.run(["sh", "-c", "grep -v ^SlurmctldPort= ${SLURM_CONF:-/etc/slurm/slurm.conf}"]).stdout
        return self.write("away.conf", conf + "SlurmctldPort=9\n")

    def set_node(self, state: str, reason: str = "") -> None:
        """Have the administrator set the node's state."""
        why = [f"reason={reason}"] if reason else []
        self.run(["scontrol", "update", f"nodename={self.node}", f"state={state}", *why], as_user=False)

    def submit(self, name: str, *options: str, line: str = "true") -> str:
        """Submit a job of this name; return its id."""
        argv = ["sbatch", "--parsable", *options, self.script(f"--job-name={name}", line=line)]
        return self.run(argv).stdout.strip().partition(";")[0]  # a federation's has the cluster's name, too

    def wait_for(self, slurm_job_id: str, word: str, limit_s: float = 60.0) -> None:
        """Wait until the accounting shows a word for a job."""
        self.wait_until(word, ["sacct", "-Xn", "--format=State", f"--jobs={slurm_job_id}"], limit_s)

    def wait_until(self, word: str, argv: Sequence[str], limit_s: float = 60.0) -> None:
        """Wait until a command prints a word."""
        deadline = time.monotonic() + limit_s
        while word not in self.run(argv).stdout:
            if time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(argv)} did not tell {word}")
            time.sleep(0.2)

    def settle(self) -> None:
        """Wait until the accounting has been told of what is pending and what has begun, which is every five seconds."""
        time.sleep(6)

    def both(self, name: str, slurm_job_id: str, job_name: str) -> None:
        """Keep what queue and accounting say about a job."""
        self.keep(f"squeue-{name}", Squeue(self.user, job_name).argv())
        self.keep(f"sacct-{name}", Sacct([slurm_job_id]).argv())


def refusals(recorder: Recorder) -> None:
    """What sbatch says no to, and one yes."""
    for name, script in {
        "accepted": ("--hold",),
        "unknown-partition": ("--partition=nowhere",),
        "invalid-feature": ("--constraint=nonsense",),
        "array-too-large": ("--array=1-999999",),
        "invalid-array": ("--array=5-1",),
        "unknown-gres": ("--gres=unicorn:1",),
        "unmatched-quote": ("--chdir=/home/o'neill",),
        "unknown-option": ("--colour=red",),
    }.items():
        recorder.keep(f"sbatch-{name}", Sbatch(recorder.script(*script)).argv())
    recorder.keep("sbatch-no-shebang", Sbatch(recorder.script(first="echo")).argv())
    recorder.keep("sbatch-no-file", Sbatch("nowhere.sbatch").argv())


def plain_jobs(recorder: Recorder) -> None:
    """Jobs that are held, run, end, and are cancelled."""
    held = recorder.submit("held", "--hold")
    recorder.both("held", held, "held")
    recorder.run(["scancel", held])
    time.sleep(1)
    recorder.both("cancelled-while-held", held, "held")
    running = recorder.submit("running", line="sleep 60")
    recorder.wait_for(running, "RUNNING")
    recorder.both("running", running, "running")
    recorder.run(["scancel", running])
    recorder.wait_for(running, "CANCELLED")
    recorder.both("cancelled-while-running", running, "running")
    failed = recorder.submit("failed", line="exit 3")
    recorder.wait_for(failed, "FAILED")
    recorder.both("failed-just-now", failed, "failed")
    recorder.settle()
    recorder.both("failed", failed, "failed")
    recorder.keep("sacct-by-name", Sacct(name="failed", since="2020-01-01T00:00:00").argv())
    requeued = recorder.submit("requeued", "--requeue", line="sleep 60")
    recorder.wait_for(requeued, "RUNNING")
    recorder.run(["scontrol", "requeue", requeued])
    time.sleep(1)
    recorder.both("requeued", requeued, "requeued")
    recorder.run(["scancel", requeued])
    recorder.keep("scontrol-release-ended", Scontrol("release", failed).argv())


def requeued(recorder: Recorder) -> None:
    """A job that is to run again since its node went down."""
    lost = recorder.submit("lost", "--requeue", line="sleep 60")
    recorder.wait_for(lost, "RUNNING")
    recorder.set_node("down", "lost")
    recorder.both("node-failed-and-requeued", lost, "lost")
    recorder.set_node("resume")
    recorder.run(["scancel", lost])
    recorder.settle()


def arrays(recorder: Recorder) -> None:
    """Arrays that wait, run by twos, and lose tasks."""
    array = recorder.submit("array", "--array=1-8%2", "--hold", line="sleep $((SLURM_ARRAY_TASK_ID > 1 ? 60 : 0))")
    recorder.both("array-held", array, "array")
    recorder.run(["scontrol", "release", array])
    recorder.wait_for(array, "COMPLETED")
    recorder.wait_for(array, "RUNNING")
    recorder.settle()
    recorder.both("array-throttled", array, "array")
    recorder.run(["scancel", f"{array}_[5-6]"])
    time.sleep(1)
    recorder.both("array-tasks-cancelled", array, "array")
    recorder.run(["scancel", array])
    recorder.wait_for(array, "CANCELLED")
    time.sleep(1)
    recorder.both("array-cancelled", array, "array")
    one_by_one = recorder.submit("one-by-one", "--array=1-3", "--hold")
    for task in (1, 2, 3):
        recorder.run(["scancel", f"{one_by_one}_{task}"])
    recorder.settle()
    recorder.both("array-cancelled-one-by-one", one_by_one, "one-by-one")


def strangers(recorder: Recorder) -> None:
    """Ids and names nobody knows, and a controller that is not there."""
    recorder.both("unknown", "99999", "nobody")
    recorder.keep("scontrol-release-unknown", Scontrol("release", "99999").argv())
    recorder.keep("scancel-unknown", Scancel(["99999"]).argv())
    away = recorder.away()
    for command in (Squeue(recorder.user), Sbatch(recorder.script())):
        recorder.keep(f"{command.argv()[0]}-no-controller", command.argv(), SLURM_CONF=away)


def nodes(recorder: Recorder) -> None:
    """A node that is well, and one that is down with a reason."""
    recorder.keep("sinfo-idle", Sinfo().argv())
    recorder.set_node("down", "fan | broken")
    recorder.keep("sinfo-down", Sinfo().argv())
    recorder.keep("sinfo-use", NodeUse().argv())
    recorder.submit("waiting")
    recorder.keep("squeue-counts", JobCounts().argv())


def trials(recorder: Recorder) -> None:
    """What `sbatch --test-only` says of scripts that would start, would wait, and would not be taken."""

    def keep(name: str, *options: str, **variables: str) -> None:
        recorder.keep(f"trial-{name}", WouldStart(["--time=5", "--mem-per-cpu=50M", *options]).argv(), **variables)

    keep("starts-now")
    keep("array", "--array=1-20")
    keep("above-the-limit", "--partition=debug", "--time=60")
    keep("too-many-nodes", "--nodes=3")
    keep("too-much-memory", "--mem-per-cpu=100G", "--cpus-per-task=64")
    keep("unknown-partition", "--partition=nowhere")
    keep("invalid-feature", "--constraint=nonsense")
    keep("unknown-gres", "--gres=unicorn:1")
    keep("invalid-array", "--array=5-1")
    keep("unknown-reservation", "--reservation=nothing")
    keep("unknown-option", "--colour=red")
    keep("no-controller", SLURM_CONF=recorder.away())
    long = recorder.submit("long", "--exclusive", "--time=30", line="sleep 60")
    recorder.wait_for(long, "RUNNING")
    keep("waits", "--exclusive")
    recorder.run(["scancel", long])
    endless = recorder.submit("endless", "--exclusive", "--time=UNLIMITED", line="sleep 60")
    recorder.wait_for(endless, "RUNNING")
    keep("behind-endless", "--exclusive")
    recorder.run(["scancel", endless])
    recorder.wait_for(endless, "CANCELLED")
    recorder.set_node("drain", "fan")
    keep("drained")
    recorder.set_node("resume")
    recorder.keep("scontrol-partitions", ShowPartitions().argv())


class Part(NamedTuple):
    """What can be recorded by itself.

    Attributes:
        record: brings it about and keeps it.
        lines: what the cluster's slurm.conf must say besides; it has a cluster of its own then.
        is_for_containers: whether a sandbox cannot show it.
    """

    record: Callable[[Recorder], None]
    lines: Sequence[str] = ()
    is_for_containers: bool = False


PARTS = {
    "refusals": Part(refusals),
    "plain_jobs": Part(plain_jobs),
    "requeued": Part(requeued),
    "arrays": Part(arrays),
    "strangers": Part(strangers),
    "trials": Part(trials),
    "waits": Part(waits),
    "ends": Part(ends),
    "dependency": Part(dependency),
    "memory": Part(memory),
    "lost": Part(lost, is_for_containers=True),
    "nodes": Part(nodes),  # it leaves the node down
    "limits": Part(limits, LINES),
    "cloud": Part(cloud, CLOUD_LINES, is_for_containers=True),
    "federation": Part(federation, ("DebugFlags=Federation",), is_for_containers=True),
}


@contextlib.contextmanager
def _recorder(folder: Path, suite: str, lines: Sequence[str]) -> Iterator[Recorder]:
    """Have a cluster of one node; it is removed afterwards."""
    site: Site
    if suite == _SANDBOX:
        site = SandboxSite(folder / "sandbox", api.SandboxOptions(name="recorded", nodes=1, slurm_lines=lines))
    else:
        name = f"recorded-{suite}"
        site = DockerSite(find_engine(), folder / "ssh", suite, name, nodes=1, node_timeout_s=15, slurm_lines=lines)
    try:
        cluster = site.up(lambda step, _: print(f"# {step}"))[0]
        yield Recorder(site, cluster, str(cluster.job_root))
    finally:
        site.down()


def main(folder: Path, names: Sequence[str]) -> None:
    """Record, on as many clusters, one after the other, as the parts want."""
    suite = os.environ.get("GRIDFERRY_TEST_GRID", _SANDBOX)
    possible = [name for name, part in PARTS.items() if suite != _SANDBOX or not part.is_for_containers]
    for lines, group in itertools.groupby(names or possible, key=lambda name: PARTS[name].lines):
        with _recorder(folder, suite, lines) as recorder:
            for name in group:
                PARTS[name].record(recorder)


if __name__ == "__main__":
    if len(sys.argv) < 2:  # noqa: PLR2004 - the program and the folder
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
