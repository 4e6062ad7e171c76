"""Which processes a sandbox may end: real processes, looked at through /proc."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from project.sandbox import processes, stopping
from project.sandbox.layout import Layout
from project.sandbox.machine import this_machine
from project.sandbox.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox, and /proc, are Linux's")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A sandbox's folder with a log in it; nothing runs."""
    layout = Layout.at(tmp_path)
    layout.logs.mkdir()
    layout.log("slurmctld").write_text("a line\n")
    return layout


@contextlib.contextmanager
def running(*argv: str, **environment: str) -> Iterator[int]:
    """A program in just this environment; its pid."""
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def owned(layout: Layout) -> set[int]:
    """The pids that belong to the sandbox."""
    return {process.pid for process in processes.belonging_to(layout)}


def test_the_mark_proves(layout: Layout) -> None:
    """What our daemons and logins start carries the mark."""
    with running("sleep", "60", GRIDFERRY_SANDBOX=str(layout.folder)) as pid:
        assert owned(layout) == {pid}


def test_what_starts_others_while_it_is_stopped_ends_with_them(layout: Layout) -> None:
    """A loop that catches SIGTERM goes on starting programs until it is killed: none of them stays."""
    loop = "trap : TERM; while true; do sleep 60; done"
    with running("bash", "-c", loop, GRIDFERRY_SANDBOX=str(layout.folder), PATH=os.environ["PATH"]):
        while not owned(layout):
            time.sleep(0.01)
        stopping.stop(layout, this_machine(), silent)
        assert owned(layout) == set()


def test_a_mark_of_another_folder_proves_nothing(layout: Layout) -> None:
    """A folder whose path merely begins the same is another sandbox."""
    with running("sleep", "60", GRIDFERRY_SANDBOX=f"{layout.folder}2"):
        assert owned(layout) == set()


def test_a_job_on_a_compute_node_is_proven(layout: Layout) -> None:
    """Slurmstepd gives each job these two variables, whatever the user exports."""
    with running("sleep", "60", SLURMD_NODENAME="sandbox-1", SLURM_CONF=str(layout.slurm_conf)) as pid:
        assert owned(layout) == {pid}


def test_a_users_shell_with_slurm_conf_is_not_ours(layout: Layout) -> None:
    """Somebody who exported SLURM_CONF to use the sandbox keeps the shell."""
    with running("sleep", "60", SLURM_CONF=str(layout.slurm_conf)):
        assert owned(layout) == set()


def test_a_reader_of_a_log_is_not_ours(layout: Layout) -> None:
    """`tail -f` on a log has the folder in its arguments and its open files, and is left alone."""
    with running("tail", "-f", str(layout.log("slurmctld"))):
        assert owned(layout) == set()


def test_a_daemon_is_proven_by_its_open_files(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A slurmstepd, whose environment says nothing, is known by its name and the log it writes."""
    program = tmp_path_factory.mktemp("bin") / "slurmstepd"
    shutil.copy(shutil.which("sleep") or "", program)
    with layout.log("slurmd-sandbox-1").open("w") as log:
        process = subprocess.Popen([program, "60"], env={}, stderr=log)
    with process:
        assert owned(layout) == {process.pid}
        process.kill()


def test_children_are_proven_by_their_parents(layout: Layout) -> None:
    """A child that wiped its environment still belongs."""
    script = "env -i sleep 60 & echo $!; wait"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], env={"GRIDFERRY_SANDBOX": str(layout.folder)}, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        found = processes.belonging_to(layout)
        assert {process.pid for process in found} == {parent.pid, child}
        processes.end(found, patience_s=5)
    assert owned(layout) == set()


def test_a_zombie_has_ended(layout: Layout) -> None:
    """A process nobody waits for is not one that needs stopping."""
    process = subprocess.Popen(["true"], env={"GRIDFERRY_SANDBOX": str(layout.folder)})
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert owned(layout) == set()
    process.wait()


def test_a_process_that_ignores_being_asked_is_killed(layout: Layout) -> None:
    """Patience has an end."""
    script = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], env={"GRIDFERRY_SANDBOX": str(layout.folder)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        at = time.monotonic()
        processes.end([p for p in processes.belonging_to(layout) if p.pid == process.pid], patience_s=0.3)
        assert 0.3 <= time.monotonic() - at < 5
    assert process.returncode == -9


def test_the_caller_and_its_ancestors_are_never_owned(layout: Layout) -> None:
    """Stopping a sandbox from a shell inside it does not end the one who stops it."""
    looker = (
        "import pathlib, sys; from project.sandbox import layout, processes;"
        "print([p.pid for p in processes.belonging_to(layout.Layout(pathlib.Path(sys.argv[1])))])"
    )
    environment = {"GRIDFERRY_SANDBOX": str(layout.folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    script = '"$0" -c "$1" "$2"; true'
    said = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable, looker, str(layout.folder)],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said == "[]\n"
