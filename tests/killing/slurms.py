"""What stands behind a login node: a fake Slurm of its own, or a real one that it shares with others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Protocol

from tests.contract.processes import poll
from tests.fakes.slurm import FakeSlurm

if TYPE_CHECKING:
    from pathlib import Path

#: How many times faster the clock runs where Slurm is a fake: waits are for what a real one takes its time with.
_QUICK = 20.0
_UNCLEAR = """#!/bin/sh
# The first time: do it {times} times, and lose the answer.
if mkdir "{folder}/{program}.done" 2>/dev/null; then
    for _ in {counted}; do "{real}" "$@" >/dev/null; done
    echo "{program}: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
    exit 1
fi
exec "{real}" "$@"
"""


class SlurmSide(Protocol):
    """A Slurm as a scenario needs it.

    Attributes:
        environment: of the login.
        speed: of the wrapper's clock.
    """

    environment: dict[str, str]
    speed: float

    def lose_answers(self) -> None:
        """Let the next sbatch be done twice and the next scontrol once, and lose their answers."""

    def ends(self, job_uuid: str) -> dict[str, str]:
        """Return the state of every job of this name, by id, once all have ended."""


class FakeSide:
    """A fake Slurm in a folder."""

    def __init__(self, folder: Path) -> None:
        self._fake = FakeSlurm(folder)
        path = f"{self._fake.programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "SLURM_CONF": str(self._fake.configuration)}
        self.speed = _QUICK

    def lose_answers(self) -> None:
        """See SlurmSide."""
        self._fake.next("sbatch", "doubled")
        self._fake.next("scontrol", "lost")

    def ends(self, job_uuid: str) -> dict[str, str]:
        """See SlurmSide."""
        named = [job for job in self._fake.jobs() if job["name"] == job_uuid]
        return {job["id"]: json.dumps([word for word, _ in job["ended"].values()]).strip('[]"') for job in named}


class RealSide:
    """A real Slurm, reached through programs that lose answers when told to."""

    def __init__(self, folder: Path, slurm_conf: Path) -> None:
        self._folder = folder / "bin"
        self._folder.mkdir(parents=True)
        path = f"{self._folder}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "SLURM_CONF": str(slurm_conf)}
        self.speed = 1.0

    def lose_answers(self) -> None:
        """See SlurmSide."""
        for program, counted in (("sbatch", "1 2"), ("scontrol", "1")):
            real = shutil.which(program)
            times = len(counted.split())
            text = _UNCLEAR.format(folder=self._folder, program=program, real=real, times=times, counted=counted)
            (self._folder / program).write_text(text)
            (self._folder / program).chmod(0o755)

    def ends(self, job_uuid: str) -> dict[str, str]:
        """See SlurmSide."""
        return poll(lambda: self._all_ended(job_uuid), f"all Slurm jobs of {job_uuid} have ended", 120)

    def _all_ended(self, job_uuid: str) -> dict[str, str]:
        argv = ["squeue", "--noheader", "--states=all", f"--name={job_uuid}", "--format=%F|%T"]
        printed = subprocess.run(argv, env=self.environment, capture_output=True, text=True, check=True, timeout=60)
        states = dict(line.split("|") for line in printed.stdout.split())
        return {} if {"PENDING", "RUNNING", "COMPLETING"} & set(states.values()) else states
