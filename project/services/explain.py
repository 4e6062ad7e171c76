"""Says why jobs, arrays and campaigns are where they are, in as few questions to the registry as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.campaign import is_first_part
from project.core.explain.facts import gather, rows_of
from project.core.explain.tasks import Part, explain_tasks, parts_to_explain, whole_array
from project.core.explain.verdict import Verdict, explain
from project.core.job_file.validate import validate
from project.services.campaign.whole import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from project.core.explain.facts import Cluster
    from project.core.job import JobSpec
    from project.ports import Registry

Job = dict[str, Any]


def explain_job(registry: Registry, job_uuid: str, cluster_of: Callable[[str], Cluster]) -> list[Verdict]:
    """Return what there is to say of a job; of an array or a campaign one verdict for each kind of trouble.

    Args:
        registry: to ask: once for a job; of a campaign also once for the list of its parts, and for each part with
            trouble.
        job_uuid: the job, or a campaign's first part, which stands for all of it.
        cluster_of: what is known of a cluster, by its name.
    """
    job = registry.job(job_uuid)
    spec = validate(job["user_input"], source="the job file as the registry has it")
    cluster = cluster_of(str(job["destination_cluster"]["name"]))
    if is_first_part(job):
        return _campaign(registry, job, spec, cluster)
    if len(rows_of(job)) > 1:
        part = whole_array(job)
        return explain_tasks([part], [{**job, "campaign": {"indexes": part.task_list}}], spec, cluster, job_uuid)
    return [explain(gather(job, spec, cluster), job_uuid)]


def _campaign(registry: Registry, first: Job, spec: JobSpec, cluster: Cluster) -> list[Verdict]:
    listed = parts_of(registry, str(first["job_uuid"]))
    known = {str(first["job_uuid"]): first}
    parts = [
        Part(known.get(job_uuid) or registry.job(job_uuid), numbers)
        for job_uuid, numbers in parts_to_explain(listed).items()
    ]
    return explain_tasks(parts, listed, spec, cluster, str(first["job_uuid"]))
