"""How jobs end and why they wait, as real Slurm and real programs tell it: parts of `tests.recorded.record`.

Kept in `slurm-<version>/ends/<name>.json` is what the follower learns of a job: sacct's row, what it used, and the end
of its standard error; in `waits/<name>.json` the reason that squeue shows. `tests/unit/core/test_explain_recorded.py`
makes sentences of them.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from project.core.slurm.commands import CommandResult, Sacct, Squeue, UsedResources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.recorded.record import Recorder

_SOURCES = {
    "crash.c": "int main(void) { return *(volatile int *)0; }\n",
    "lib.c": "int gone(void) { return 0; }\n",
    "user.c": "int gone(void);\nint main(void) { return gone(); }\n",
    "plain.c": "int main(void) { return 0; }\n",
    "plain.txt": "hello\n",
    "missing.py": "import numpyy\n",
    "reader.py": "open('nothing.dat')\n",
    "hungry.py": "import time\nheld = bytearray(200_000_000)\ntime.sleep(60)\n",
}
#: `foreign` says that it is for another machine (EM_AARCH64), `newer` that it needs a symbol of a glibc to come.
_BUILD = (
    "gcc crash.c -o crash && gcc -shared -fPIC lib.c -o libgone.so && gcc user.c -L. -lgone -o user && rm libgone.so"
    " && gcc plain.c -o foreign && printf '\\267' | dd of=foreign bs=1 seek=18 conv=notrunc status=none"
    " && gcc plain.c -o newer && sed -i 's/GLIBC_2\\.34/GLIBC_9.99/g' newer"
    " && { grep -q GLIBC_9 newer || sed -i 's/GLIBC_2\\.2\\.5/GLIBC_9.9.9/g' newer; }"
)
#: How a ResumeProgram that cannot bring up a job's nodes tells slurmctld: slurm_requeue(id, JOB_RECONFIG_FAIL). A job
#: that may be requeued is; to another it is BOOT_FAIL. No command of Slurm's does this. 256: RTLD_GLOBAL, for its plugins.
_NOT_BOOTED = (
    "import ctypes, glob, sys; slurm = ctypes.CDLL(glob.glob('/usr/lib/*/slurm*/libslurmfull.so')[0], 256);"
    "getattr(slurm, 'slurm_init', lambda _: 0)(None); slurm.slurm_requeue(int(sys.argv[1]), 1 << 17)"
)


class _End(NamedTuple):
    """A job to be brought to its end: its options, its line, and what an administrator does to it meanwhile."""

    line: str
    options: Sequence[str] = ()
    meanwhile: Sequence[str] = ()


#: Each brings its job to an end; `{id}` is that of the job.
_ENDS: Mapping[str, _End] = {
    "completed": _End("true"),
    "idle-cpus": _End("sleep 12", ["--cpus-per-task=8"]),
    "exit-code": _End("exit 3"),
    "command-not-found": _End("no-such-program"),
    "path-not-found": _End("./gone"),
    "step-not-found": _End("srun no-such-program"),
    "not-executable": _End("./plain.txt"),
    "a-folder": _End("/tmp"),
    "foreign-machine": _End("./foreign"),
    "library": _End("./user"),
    "glibc": _End("./newer"),
    "python-package": _End("python3 missing.py"),
    "no-file": _End("cat nothing.dat"),
    "no-file-in-python": _End("python3 reader.py"),
    "no-space": _End("set -e; echo x > /dev/full"),
    "crash": _End("./crash"),
    "abort": _End("kill -ABRT $$"),
    "illegal-instruction": _End("kill -ILL $$"),
    "killed": _End("kill -9 $$"),
    "no-module-command": _End("set -e; unset -f module; module load GCC/99"),
    "module": _End(". /etc/profile.d/modules.sh; module load GCC/99 || exit"),
    "srun-mpi": _End("srun --mpi=nonsense true"),
    "mpirun": _End("mpirun --allow-run-as-root --host localhost:1 -np 8 true"),
    "step-too-large": _End("srun -n 8 true"),
    "no-folder": _End("true", ["--output=/nowhere/job.out"]),
    "cancelled": _End("sleep 300", meanwhile=["scancel", "{id}"]),
    "timeout": _End("sleep 300", ["--time=1"], ["scontrol", "update", "jobid={id}", "EndTime=now"]),
    "boot": _End("sleep 300", ["--no-requeue"], ["python3", "-c", _NOT_BOOTED, "{id}"]),
    "node": _End(
        "sleep 300", ["--no-requeue"], ["scontrol", "update", "nodename={node}", "state=down", "reason=fan"]
    ),
}


def ends(recorder: Recorder) -> None:
    """Jobs that end in every way one node can bring about."""
    write_sources(recorder)
    recorder.run(["sh", "-c", _BUILD])
    lacking = _lacking(recorder)
    for name, end in _ENDS.items():
        if name not in lacking:
            _bring_about(recorder, name, end)


def _lacking(recorder: Recorder) -> set[str]:
    """Ends not to be had there: MPICH's mpirun has other options, slurm_requeue of 26.05 other arguments."""
    has_open_mpi = recorder.run(["sh", "-c", "mpirun --version | grep -q 'Open MPI'"]).returncode == 0
    return {*([] if has_open_mpi else ["mpirun"]), *(["boot"] if recorder.version >= "26.05" else [])}


def dependency(recorder: Recorder) -> None:
    """A job that is never started, since another did not end well."""
    failed = recorder.submit("failing", "--begin=now+5", line="false")
    orphan = recorder.submit("orphan", f"--dependency=afterok:{failed}", "--kill-on-invalid-dep=yes")
    waited = recorder.run(["squeue", "--noheader", "--format=%r", f"--jobs={orphan}"]).stdout.strip()
    keep_end(recorder, "dependency", orphan, waited=waited)


def write_sources(recorder: Recorder) -> None:
    """Write what the jobs are built of, and run."""
    for name, source in _SOURCES.items():
        recorder.write(name, source)


def memory(recorder: Recorder) -> None:
    """A job that takes more memory than it asked for: the kernel ends it, or Slurm, who looks now and then."""
    write_sources(recorder)
    name = "memory" if recorder.is_sandbox else "out-of-memory"
    keep_end(recorder, name, recorder.submit(name, "--error=job-%j.err", line="python3 hungry.py"))


def _bring_about(recorder: Recorder, name: str, end: _End) -> None:
    slurm_job_id = recorder.submit(name, "--error=job-%j.err", *end.options, line=end.line)
    if not slurm_job_id:
        print(f"# {name} was refused")
        return
    if end.meanwhile:
        recorder.wait_for(slurm_job_id, "RUNNING")
        time.sleep(1)
        recorder.run([word.format(id=slurm_job_id, node=recorder.node) for word in end.meanwhile], as_user=False)
    keep_end(recorder, name, slurm_job_id)
    if name == "node":
        recorder.set_node("resume")


def keep_end(recorder: Recorder, name: str, slurm_job_id: str, limit_s: float = 40.0, waited: str = "") -> None:
    """Keep what is known of a job after its end, or after as long a time of waiting for one.

    That is also why it `waited`, which is the queue's to tell: not every accounting knows.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        state = recorder.run(["sacct", "-Xn", "--format=State", f"--jobs={slurm_job_id}"]).stdout.strip()
        if state and state.split()[0] not in ("PENDING", "RUNNING", "REQUEUED"):
            break
        time.sleep(0.3)
    time.sleep(1)
    row = _told(recorder, slurm_job_id)
    used = UsedResources([]).parse(_answer(recorder, _here(UsedResources([slurm_job_id]).argv())))
    said = recorder.run(["sh", "-c", f"tail -c 2000 job-{slurm_job_id}.err 2>/dev/null"]).stdout
    options = list(_ENDS[name].options) if name in _ENDS else []
    line = _ENDS[name].line if name in _ENDS else ""
    row = {**row, **used.get(slurm_job_id, {})}
    document = {"options": options, "line": line, "waited": waited, "row": row, "stderr": said}
    recorder.store(f"ends/{name}", document)


def _told(recorder: Recorder, slurm_job_id: str) -> Mapping[str, str]:
    """Return the row of the accounting, else what the queue knows of this very cluster's job.

    Asked for a user's jobs, as we do, the squeue of a federation tells of the sibling that runs them.
    """
    account = Sacct().parse(_answer(recorder, _here(Sacct([slurm_job_id]).argv())))
    if account:
        return account[-1]
    argv = [word for word in Squeue("").argv() if not word.startswith(("--user=", "--states="))]
    argv.append(f"--jobs={slurm_job_id}")
    (row,) = Squeue("").parse(_answer(recorder, argv))
    return {"JobID": slurm_job_id, "State": row.state, "Reason": row.reason, "Submit": row.submit, "Start": row.start}


def _here(argv: Sequence[str]) -> list[str]:
    """Return a question to this very cluster, not to its siblings."""
    return [word for word in argv if word != "--federation"]


def _answer(recorder: Recorder, argv: Sequence[str]) -> CommandResult:
    done = recorder.run(argv)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def waits(recorder: Recorder) -> None:
    """Jobs that wait, for every reason one node can give."""
    for name, options in {
        "held-by-the-user": ["--hold"],
        "not-before-a-time": ["--begin=now+1hour"],
        "above-the-partitions-limit": ["--partition=debug", "--time=60"],
    }.items():
        keep_wait(recorder, name, recorder.submit(name, *options), "BeginTime")
    by_admin = recorder.submit("admin", "--begin=now+1hour")
    recorder.run(["scontrol", "hold", by_admin], as_user=False)
    keep_wait(recorder, "held-by-an-administrator", by_admin)
    failed = recorder.submit("failed", line="false")
    recorder.wait_for(failed, "FAILED")
    keep_wait(recorder, "dependency-that-failed", recorder.submit("child", f"--dependency=afterok:{failed}"))
    with running(recorder, "long", "--exclusive", "--time=30") as long:
        keep_wait(recorder, "after-another", recorder.submit("child", f"--dependency=afterok:{long}"))
        keep_wait(recorder, "no-room", recorder.submit("next", "--exclusive", "--time=30"))
    with running(recorder, "array", "--array=1-3%1", "--time=5") as array:
        keep_wait(recorder, "so-many-tasks-at-once", array)
    recorder.run(["scontrol", "update", "partitionname=debug", "state=down"], as_user=False)
    keep_wait(recorder, "partition-down", recorder.submit("down", "--partition=debug"))
    recorder.run(["scontrol", "update", "partitionname=debug", "state=up"], as_user=False)
    reserved = ["reservation=later", "starttime=now+1hour", "duration=60", f"users={recorder.user}", "nodes=ALL"]
    recorder.run(["scontrol", "create", *reserved], as_user=False)
    keep_wait(recorder, "reservation", recorder.submit("reserved", "--reservation=later"))
    recorder.run(["scancel", f"--user={recorder.user}"])
    time.sleep(2)
    recorder.run(["scontrol", "delete", "reservation=later"], as_user=False)
    recorder.set_node("drain", "fan")
    keep_wait(recorder, "node-drained", recorder.submit("drained", f"--nodelist={recorder.node}"))
    recorder.set_node("resume")
    recorder.run(["scancel", f"--user={recorder.user}"])


@contextlib.contextmanager
def running(recorder: Recorder, name: str, *options: str) -> Iterator[str]:
    """Have a job run while a `with` block lasts; its id is given."""
    slurm_job_id = recorder.submit(name, *options, line="sleep 120")
    recorder.wait_for(slurm_job_id, "RUNNING")
    try:
        yield slurm_job_id
    finally:
        recorder.run(["scancel", slurm_job_id])
        recorder.wait_for(slurm_job_id, "CANCELLED")


def keep_wait(recorder: Recorder, name: str, slurm_job_id: str, wanted: str = "") -> None:
    """Keep the reason Slurm has settled on: what it says first is often `None` or `Priority`; or wait for one."""
    reason = ""
    for _ in range(30):
        shown = recorder.run(["squeue", "--noheader", "--states=PENDING", f"--jobs={slurm_job_id}", "--format=%r"])
        said = shown.stdout.strip()
        if said and said == (wanted or reason) and (wanted or said not in ("None", "Priority", "BeginTime")):
            break
        reason = said
        time.sleep(0.5)
    recorder.store(f"waits/{name}", {"reason": reason})
