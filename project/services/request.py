"""What the user asks for, once the files have been read and found right."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from project.core.job_file.fields import without_secrets
from project.core.job_file.validate import validate
from project.core.problems import InvalidDocument, Problem
from project.services.campaign.check import refuse, task_problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from project.core.job import JobSpec
    from project.core.job_source import GitSource
    from project.core.module_steps import ModuleStep
    from project.task import Task


@dataclass(frozen=True)
class SubmitRequest:
    """A job to submit.

    Attributes:
        source: the job file's name.
        user_input: what it says, secrets and all.
        spec: the same in Slurm's terms.
        steps: modules to run, all stages.
        module_files: where each module's file is.
        job_path: the file or directory to bring along, or None.
        repository: the Git repository that the job is, or None.
        tasks: of a campaign; none for other jobs.
        resubmission_of: UUID of the job that this one repeats, or "".
    """

    source: str
    user_input: dict[str, Any] = field(repr=False)
    spec: JobSpec = field(repr=False)
    steps: list[ModuleStep]
    module_files: Mapping[str, Path]
    job_path: Path | None
    repository: GitSource | None = None
    tasks: Sequence[Task] = ()
    resubmission_of: str = ""

    @property
    def public_input(self) -> dict[str, Any]:
        """The job file without its secrets, as it may leave this machine."""
        return without_secrets(self.user_input)

    def with_input(self, user_input: dict[str, Any]) -> SubmitRequest:
        """Return the same request with the job file as modules left it; secrets stay those of the file.

        Raises:
            InvalidDocument: a module made something invalid of it.
        """
        secrets = {k: v for k, v in self.user_input.items() if k not in self.public_input}
        merged = {**user_input, **secrets}
        source = f"{self.source} after its staging modules"
        spec = validate(merged, source=source)
        if spec.for_each != self.spec.for_each:
            raise InvalidDocument(
                source, [Problem("for_each", "a module changed this", "Modules may change all but `for_each`")]
            )
        if self.tasks:
            refuse(source, task_problems(spec, self.tasks))
        return replace(self, user_input=merged, spec=spec)

    @property
    def sha256(self) -> str:
        """What two submissions of the same thing have in common."""
        steps = [step._asdict() for step in self.steps]
        tasks = [dict(task.values) for task in self.tasks]
        text = json.dumps([self.public_input, steps, str(self.job_path), tasks], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
