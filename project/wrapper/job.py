"""One job on this login node: its folder, what was sent along, its journal."""

from typing import Any, Callable, Dict, List, NamedTuple

from project.core.errors import TransferFailed
from project.core.job import JobSpec
from project.core.job_file.validate import validate
from project.core.layout import ClusterPaths, JobPaths
from project.core.messages import Document
from project.core.module_steps import ModuleStep, from_documents
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.journal import Journal

#: The pipeline's step that ends with a job in Slurm's queue, told and released; from then on it is followed.
SUBMISSION = "submission"


class JobGone(TransferFailed):
    """Nothing of a job is left on this cluster."""


class Job(NamedTuple):
    """A job as the client sent it.

    Attributes:
        job_uuid: ours.
        paths: its folder.
        sent: what spec.json holds.
        journal: its journal.
    """

    job_uuid: str
    paths: JobPaths
    sent: Dict[str, Any]
    journal: Journal

    @property
    def user_input(self) -> Dict[str, Any]:
        """The job file as the last module left it."""
        changed = files.read_json(self.paths.changed_input)
        return dict(changed if changed is not None else self.sent["user_input"])

    @property
    def spec(self) -> JobSpec:
        """The job file in Slurm's terms."""
        return checked(self.user_input)

    @property
    def cluster(self) -> Dict[str, Any]:
        """The cluster's document."""
        return dict(self.sent["cluster"])

    @property
    def workdir(self) -> str:
        """Where the user's commands run."""
        return self.paths.work

    def steps(self, stage: str) -> List[ModuleStep]:
        """Modules of one stage, in order."""
        return [step for step in from_documents(self.sent["modules"]) if step.stage == stage]


def open_job(
    cluster_paths: ClusterPaths, job_uuid: str, clock: Clock, listener: Callable[[Document], None] = lambda _: None
) -> Job:
    """Return a job whose parcel has been unpacked.

    Raises:
        JobGone: there is none, or no more.
    """
    paths = cluster_paths.job(job_uuid)
    sent = files.read_json(paths.spec)
    if sent is None:
        raise JobGone(
            f"there is nothing in {paths.directory}", remedy="Somebody or something has removed the job there"
        )
    return Job(job_uuid, paths, sent, Journal(job_uuid, paths, clock, listener))


def checked(user_input: Dict[str, Any]) -> JobSpec:
    """Return a job file in Slurm's terms.

    Raises:
        InvalidDocument: a module made something invalid of it.
    """
    return validate(user_input, source="the job file after its modules")
