"""What only several hosts can show: where jobs run, who sees what, real limits."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.far_side import accounted, fetched, job_folder, submit, wait_for_state

if TYPE_CHECKING:
    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("several hosts")]
_RING = Path(__file__).resolve().parents[2] / "examples" / "ring"


def test_mpi_program_is_compiled_there_and_talks_between_hosts(grid: Grid, tmp_path: Path) -> None:
    """The sample MPI program, compiled by `compilation`, sends its number through four hosts and back."""
    shutil.copy(_RING / "ring.c", tmp_path)
    job_uuid = submit(
        grid,
        tmp_path,
        job="ring.c",
        compilation=["mpicc -O2 -o ring ring.c"],
        execution=["srun ./ring > ring.txt"],
        output=["ring.txt"],
        resources={"duration": "5m", "nbr_processes": 4, "memory_per_thread": "100M", "distribution": "scattered"},
    )
    printed = (fetched(grid, job_uuid, tmp_path) / "ring.txt").read_text()
    hosts = re.findall(r"^rank \d on (\S+)$", printed, re.MULTILINE)
    assert sorted(hosts) == [f"{grid.info.name}-{number}" for number in (1, 2, 3, 4)], printed
    assert printed.endswith("sum 6\n")


@pytest.mark.parametrize(
    ("distribution", "processes", "hosts"),
    [({"distribution": "scattered"}, 3, 3), ({"distribution": "distributed", "nbr_of_nodes": 2}, 4, 2)],
)
def test_processes_are_on_as_many_hosts_as_asked(
    grid: Grid, tmp_path: Path, distribution: dict[str, object], processes: int, hosts: int
) -> None:
    """`scattered` and `distributed`: the processes themselves say which hosts they are on."""
    job_uuid = submit(
        grid,
        tmp_path,
        execution=["srun hostname > hosts.txt"],
        output=["hosts.txt"],
        resources={"duration": "5m", "nbr_processes": processes, "memory_per_thread": "50M", **distribution},
    )
    named = (fetched(grid, job_uuid, tmp_path) / "hosts.txt").read_text().split()
    assert (len(named), len(set(named))) == (processes, hosts)
    assert accounted(grid, job_uuid, "NNodes") == [str(hosts)]


@pytest.mark.needs("memory limits")
def test_job_over_its_memory_is_ended_by_the_kernel(grid: Grid, tmp_path: Path) -> None:
    """A job that takes more memory than it asked for ends as OUT_OF_MEMORY, in Slurm's word."""
    hungry = "python3 -c 'held = bytearray(300_000_000); import time; time.sleep(60)'"
    job_uuid = submit(grid, tmp_path, execution=[hungry], resources={"duration": "5m", "memory_per_thread": "60M"})
    job = wait_for_state(grid, job_uuid, "DONE")
    assert (job["outcome"], job["job_status"]["State"]) == ("OUT_OF_MEMORY", ["OUT_OF_MEMORY"])


def test_environment_module_is_loaded(grid: Grid, tmp_path: Path) -> None:
    """`environment_modules` loads a real module before the job's own lines."""
    job_uuid = submit(
        grid,
        tmp_path,
        environment_modules=["greeting"],
        execution=['echo "$GREETING" > out.txt'],
        output=["out.txt"],
    )
    assert (fetched(grid, job_uuid, tmp_path) / "out.txt").read_text() == "hello from a module\n"


def test_a_pretended_gpu_is_given_to_the_job_that_asks_for_one(grid: Grid, tmp_path: Path) -> None:
    """Slurm tells the job which of a node's GPUs is its own, and accounts for it."""
    resources = {"duration": "5m", "memory_per_thread": "50M", "gpus": 1}
    told = 'echo "$SLURM_JOB_GPUS" > gpu.txt'
    job_uuid = submit(grid, tmp_path, execution=[told], output=["gpu.txt"], resources=resources)
    assert (fetched(grid, job_uuid, tmp_path) / "gpu.txt").read_text().strip() in ("0", "1")
    assert "gres/gpu=1" in accounted(grid, job_uuid, "AllocTRES")[0]


def test_two_users_see_nothing_of_each_other(grid: Grid, tmp_path: Path) -> None:
    """Two accounts of one cluster run jobs side by side; neither can read the other's files."""
    ours = submit(grid, tmp_path, execution=["echo mine > secret.txt"], output=["secret.txt"])
    theirs = submit(
        grid, tmp_path, settings={"username": "bob"}, execution=["ls -R /home/ada > seen.txt 2>&1; whoami"],
        output=["seen.txt"],
    )  # fmt: skip
    assert (fetched(grid, ours, tmp_path) / "secret.txt").read_text() == "mine\n"
    assert "Permission denied" in (fetched(grid, theirs, tmp_path) / "seen.txt").read_text()
    folder = str(job_folder(grid, ours))
    assert grid.site.run(["setpriv", "--reuid=bob", "--clear-groups", "ls", folder]).returncode != 0
    assert grid.site.run(["ls", folder], as_user=True).returncode == 0
