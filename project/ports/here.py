"""What there is on this machine: records of submissions, modules, parcels, Git."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from project.core.job_source import GitSource
    from project.core.module_steps import ModuleStep


class Stage(enum.StrEnum):
    """How far a submission has come, as its record says."""

    CREATED = "created"  #: nothing has been sent yet
    LAUNCHED = "launched"  #: the cluster has it all, and may be at work
    HANDED_OVER = "handed over"  #: the cluster is at work and needs nobody from here on
    SUBMITTED = "submitted"  #: in Slurm's queue
    FAILED = "failed"  #: it went no further, and never will


class RecordStore(Protocol):
    """This machine's record of submissions."""

    def save(self, record: dict[str, Any]) -> None:
        """Write a record, safely on disk when this returns."""

    def load(self, job_uuid: str) -> dict[str, Any] | None:
        """Return a job's record, None if it was not submitted from here."""

    def newest_on(self, cluster: str) -> dict[str, Any] | None:
        """Return the record of the newest submission that came as far as a login there, None if none did."""

    def beginning(self, prefix: str) -> list[str]:
        """Return the UUIDs on record that begin so."""

    def parcel(self, job_uuid: str) -> Path:
        """Where a job's parcel is kept until the job is in Slurm's queue."""

    def forget_parcel(self, job_uuid: str) -> None:
        """Remove a parcel that is not needed any more."""


class StagingModules(Protocol):
    """Runs modules on this machine."""

    def run(
        self,
        steps: Sequence[ModuleStep],
        files: Mapping[str, Path],
        user_input: dict[str, Any],
        *,
        on_start: Callable[[ModuleStep], None],
        on_result: Callable[[ModuleStep, dict[str, Any]], None],
        on_said: Callable[[str], None],
        environment: Mapping[str, str],
        history: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Run steps in order; return the user input as the last one left it. Raises ModuleFailed.

        Args:
            steps: of one stage.
            files: where each module's file is.
            user_input: what the first step gets.
            on_start: called before each step.
            on_result: called with what each step printed.
            on_said: called with each of the last lines of a step's standard error.
            environment: added to what modules see.
            history: the user's past jobs, for modules that learn from them.
        """


class Packer(Protocol):
    """Writes parcels."""

    def __call__(
        self,
        target: Path,
        *,
        spec: Mapping[str, Any],
        modules: Iterable[Path],
        directory: Path | None,
        others: Mapping[str, Path | bytes],
    ) -> None:
        """Write a parcel; `others` by their names in it. Raises UsageError when something cannot be packed."""


class Repositories(Protocol):
    """Git, with the user's own credentials."""

    def resolve(self, source: GitSource) -> str:
        """Return the commit a branch, tag or commit stands for now. Raises UsageError."""

    def pack(self, url: str, commit: str, target: Path) -> None:
        """Clone a repository at a commit, submodules included, and pack it. Raises UsageError."""
