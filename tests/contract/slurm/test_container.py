"""The user's lines in a container, where that is Apptainer's to run; Slurm's own way is tried by the e2e tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.errors import StageFailed, SubmissionRefused
from tests.contract.slurm.test_pipeline import Login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project.wrapper.job import Job
    from tests.contract.slurm.cluster import Cluster
    from tests.fakes.slurm import FakeSlurm

_APPTAINER = Path(__file__).resolve().parents[2] / "fakes" / "apptainer.sh"
_LINES = ['echo "in $APPTAINER_CONTAINER" > out.txt', "echo 'it'\"'\"'s me' >> out.txt", "pwd >> out.txt"]


@pytest.fixture
def login(fake_cluster: Cluster, fake: FakeSlurm) -> Iterator[Login]:
    """A login node with the fake Slurm, whose `srun` runs a command where it stands."""
    srun = Path(fake.programs, "srun")
    srun.write_text('#!/bin/sh\nexec "$@"\n')
    srun.chmod(0o755)
    descriptor = os.open(os.devnull, os.O_WRONLY)
    yield Login(fake_cluster, descriptor)
    os.close(descriptor)


@pytest.fixture
def apptainer(fake: FakeSlurm) -> None:
    """Apptainer is installed."""
    path = Path(fake.programs, "apptainer")
    path.write_text(_APPTAINER.read_text())
    path.chmod(0o755)


def _job(login: Login, container: Path) -> Job:
    return login.job(container=str(container), execution=_LINES)


def _printed(job: Job) -> list[str]:
    return Path(job.paths.work, "out.txt").read_text().splitlines()


@pytest.mark.usefixtures("apptainer")
def test_an_image_is_run_by_apptainer(login: Login, tmp_path: Path) -> None:
    """All lines run in it as one script, in the job's working directory, their quotes as they were."""
    image = tmp_path / "the solver.sif"
    image.touch()
    job = _job(login, image)
    login.run(job)
    assert _printed(job) == [f"in {image}", "it's me", job.paths.work]


@pytest.mark.usefixtures("apptainer")
def test_a_bundle_is_run_by_apptainer_where_slurm_runs_none(login: Login, tmp_path: Path) -> None:
    """Its root file system is the image."""
    (tmp_path / "bundle" / "rootfs").mkdir(parents=True)
    (tmp_path / "bundle" / "config.json").write_text("{}")
    job = _job(login, tmp_path / "bundle")
    login.run(job)
    assert _printed(job)[0] == f"in {tmp_path}/bundle/rootfs"


@pytest.mark.parametrize("kind", ["image", "bundle"])
def test_a_cluster_that_has_neither_says_so(login: Login, tmp_path: Path, kind: str) -> None:
    """Before anything is submitted, with what is missing."""
    container = tmp_path / "container"
    container.mkdir()
    if kind == "bundle":
        (container / "config.json").write_text("{}")
    with pytest.raises(SubmissionRefused, match=r"this cluster has neither .*Apptainer") as refused:
        login.run(_job(login, container))
    assert "Choose another cluster" in refused.value.remedy


@pytest.mark.usefixtures("apptainer")
def test_a_container_that_is_not_there_is_named(login: Login, tmp_path: Path) -> None:
    """With its whole path."""
    with pytest.raises(StageFailed, match=f"there is no container {tmp_path}/nowhere"):
        login.run(_job(login, tmp_path / "nowhere"))
