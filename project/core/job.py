"""A job in Slurm's terms: what is left of the user's keys once they have been translated."""

from types import MappingProxyType
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence

#: What stands for a cluster's name where Gridferry is to choose.
AUTO = "auto"
#: Kinds of job that clusters are made for: several processes, one, several threads.
JOB_KINDS = ("mpi", "serial", "smp")


class ArraySpec(NamedTuple):
    """A job array.

    Attributes:
        task_ids: every array task id, ascending.
        expression: the same as `--array` wants it (`1-15`), without the throttle.
        at_once: how many may run at the same time, or None.
    """

    task_ids: List[int]
    expression: str
    at_once: Optional[int] = None


class Resources(NamedTuple):
    """What is asked of Slurm; None means: leave it to the cluster's default."""

    array: Optional[ArraySpec] = None
    time_limit_s: Optional[int] = None
    ntasks: Optional[int] = None
    cpus_per_task: Optional[int] = None
    mem_per_cpu_mib: Optional[int] = None
    distribution: Optional[str] = None
    nodes: Optional[int] = None
    ntasks_per_node: Optional[int] = None
    account: Optional[str] = None
    qos: Optional[str] = None
    partition: Optional[str] = None
    reservation: Optional[str] = None
    gpus: Optional[str] = None
    constraint: Optional[str] = None
    exclusive: bool = False
    requeue: bool = False


class ForEach(NamedTuple):
    """What a campaign has one task for each of; exactly one of `files`, `csv` and `matrix` is given."""

    files: Sequence[str] = ()
    csv: Optional[str] = None
    bring: Sequence[str] = ()
    matrix: Mapping[str, Sequence[str]] = MappingProxyType({})
    at_once: Optional[int] = None
    tasks_per_array: Optional[int] = None


class JobSpec(NamedTuple):
    """A whole job file, validated."""

    username: str
    user_mail: str
    destination_clusters: Sequence[str]
    execution: Sequence[str]
    private_key: Optional[str] = None
    passphrase: Optional[str] = None
    job: Optional[str] = None
    job_name: Optional[str] = None
    requirements: Sequence[str] = ()
    compilation: Sequence[str] = ()
    output: Sequence[str] = ()
    environment_modules: Sequence[str] = ()
    container: Optional[str] = None
    dependencies: Sequence[str] = ()
    notify: Sequence[str] = ()
    asked_kinds: Sequence[str] = ()
    resources: Resources = Resources()
    for_each: Optional[ForEach] = None
    kwargs: Mapping[str, Any] = MappingProxyType({})

    @property
    def expected_tasks(self) -> int:
        """How many array tasks this job has (1 for a plain job)."""
        return len(self.resources.array.task_ids) if self.resources.array else 1

    def of_part(self, tasks: int) -> "JobSpec":
        """Return the job as a part of a campaign with so many tasks."""
        at_once = self.for_each.at_once if self.for_each else None
        array = ArraySpec(list(range(1, tasks + 1)), f"1-{tasks}", at_once)
        return self._replace(resources=self.resources._replace(array=array))

    @property
    def is_open(self) -> bool:
        """Whether there is a cluster to choose."""
        return list(self.destination_clusters) == [AUTO] or len(self.destination_clusters) > 1

    @property
    def preferred_jobs(self) -> Sequence[str]:
        """Kinds of job one of which a cluster must prefer: as asked, else what the resources make of the job."""
        if self.asked_kinds:
            return self.asked_kinds
        asked = self.resources
        if (asked.ntasks or 1) > 1 or (asked.nodes or 1) > 1:
            return ("mpi",)
        return ("smp",) if (asked.cpus_per_task or 1) > 1 else ("serial",)
