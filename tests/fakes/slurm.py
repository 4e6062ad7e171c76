"""A fake Slurm to test against: a folder of programs that keep their jobs in a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).resolve().parent / "slurm_program.py"
_NAMES = ("sbatch", "scontrol", "scancel", "squeue", "sacct", "sinfo")


class FakeSlurm:
    """Its programs, what they know, and what they are to do next.

    Args:
        folder: where they lie and keep what they know.

    Attributes:
        programs: what belongs first on PATH.
        configuration: what `$SLURM_CONF` has to name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.configuration = folder / "slurm.conf"
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        for name in _NAMES:
            (self.programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{_PROGRAM}" {name} "$@"\n')
            (self.programs / name).chmod(0o755)
        (folder / "state.json").write_text(json.dumps({"next_id": 41, "jobs": []}))
        (folder / "script.json").write_text("{}")
        (folder / "calls.log").touch()

    def next(self, program: str, *behaviours: str) -> None:
        """Let a program do this in its next calls; afterwards it works as it should."""
        path = self._folder / "script.json"
        script = {**json.loads(path.read_text()), program: list(behaviours)}
        path.write_text(json.dumps(script))

    def calls(self, program: str) -> list[str]:
        """The command lines a program was called with."""
        lines = (self._folder / "calls.log").read_text().splitlines()
        return [line for line in lines if line.split(maxsplit=1)[0] == program]

    def forget(self) -> None:
        """Lose every job, as a Slurm whose state or accounting was wiped."""
        self._know([])

    def take_in(self, jobs: list[dict[str, Any]]) -> None:
        """Know of further jobs that nobody has submitted here."""
        self._know([*self.jobs(), *jobs])

    def lose_node(self, slurm_job_id: str) -> None:
        """Let a job end because its node failed."""
        ended = {"ended": {"": ["NODE_FAIL", "0:0"]}}
        self._know([{**job, **(ended if job["id"] == slurm_job_id else {})} for job in self.jobs()])

    def change(self, **known: Any) -> None:
        """Let every job be like this."""
        self._know([{**job, **known} for job in self.jobs()])

    def _know(self, jobs: list[dict[str, Any]]) -> None:
        path = self._folder / "state.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "jobs": jobs}))

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs it has taken."""
        jobs: list[dict[str, Any]] = json.loads((self._folder / "state.json").read_text())["jobs"]
        return jobs
