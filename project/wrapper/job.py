"""One job on this login node: its folder, what was sent along, its journal."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional

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


class Part(NamedTuple):
    """What makes a job a part of a campaign; see docs/decisions on campaigns.

    Attributes:
        campaign: UUID of the campaign's first part, whose working directory all share.
        tasks: how many the part has.
        placeholders: names of the values in its table.
        after: UUID of the part that is submitted before it; "" for none.
        chained: whether it starts only once that one has ended.
        most_queued: how many tasks the user may have in Slurm's queue; None for no limit.
    """

    campaign: str
    tasks: int
    placeholders: List[str]
    after: str = ""
    chained: bool = False
    most_queued: Optional[int] = None


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
    def part(self) -> Optional[Part]:
        """What makes it a part of a campaign, None for other jobs."""
        return Part(**self.sent["campaign"]) if self.sent.get("campaign") else None

    @property
    def home(self) -> JobPaths:
        """Where it is prepared and runs: its own folder, or that of the campaign's first part."""
        return self.paths.beside(self.part.campaign) if self.part else self.paths

    @property
    def is_prepared_elsewhere(self) -> bool:
        """Whether the campaign's first part does what comes before the job script."""
        return self.home != self.paths

    @property
    def user_input(self) -> Dict[str, Any]:
        """The job file as the last module left it."""
        changed = files.read_json(self.home.changed_input)
        return dict(changed if changed is not None else self.sent["user_input"])

    @property
    def spec(self) -> JobSpec:
        """The job file in Slurm's terms; the tasks of a campaign's part are its array."""
        spec = checked(self.user_input)
        return spec.of_part(self.part.tasks) if self.part else spec

    @property
    def cluster(self) -> Dict[str, Any]:
        """The cluster's document."""
        return dict(self.sent["cluster"])

    @property
    def registry(self) -> str:
        """The key of its registry: some users have several."""
        return str(self.sent.get("registry", ""))

    @property
    def workdir(self) -> str:
        """Where the user's commands run."""
        return self.home.work

    def steps(self, stage: str) -> List[ModuleStep]:
        """Modules of one stage, in order."""
        return [step for step in from_documents(self.sent["modules"]) if step.stage == stage]


def open_job(
    cluster_paths: ClusterPaths, job_uuid: str, clock: Clock, listener: Callable[[Document], None] = lambda _: None
) -> Job:
    """Return a job whose parcel has been unpacked.

    Raises:
        JobGone: there is none, or no more.
        Damaged: what describes it was changed.
    """
    paths = cluster_paths.job(job_uuid)
    sent = files.read_json(paths.spec)
    if sent is None:
        raise JobGone(
            f"there is nothing in {paths.directory}", remedy="Somebody or something has removed the job there"
        )
    try:
        from_documents(sent["modules"])
        is_whole = isinstance(sent["user_input"], dict) and isinstance(sent["cluster"], dict)
    except (TypeError, LookupError):
        is_whole = False
    if not is_whole:
        raise files.Damaged(paths.spec)
    return Job(job_uuid, paths, sent, Journal(job_uuid, paths, clock, listener))


def checked(user_input: Dict[str, Any]) -> JobSpec:
    """Return a job file in Slurm's terms.

    Raises:
        InvalidDocument: a module made something invalid of it.
    """
    return validate(user_input, source="the job file after its modules")
