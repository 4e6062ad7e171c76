"""Packs a job for its cluster, and writes down all that sending it takes, now or after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.cluster import description
from project.core.messages import SCHEMA
from project.core.module_steps import to_documents
from project.services.campaign.parts import Part, brought_along, part_size, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from project.core.job import ForEach
    from project.core.slurm.limits import Limits
    from project.ports import Packer, RecordStore, Repositories, View
    from project.services.request import SubmitRequest
    from project.services.select_cluster import Cluster


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Plans submissions; every attribute is a port."""

    records: RecordStore
    pack: Packer
    repositories: Repositories
    registry_key: str
    view: View

    def plan(
        self,
        job_uuid: str,
        request: SubmitRequest,
        cluster: Cluster,
        results: list[dict[str, Any]],
        limits: Limits | None,
    ) -> dict[str, Any]:
        """Pack the parcel and return what the record must hold to send it.

        Args:
            job_uuid: of the job; of a campaign, that of its first part.
            request: what to submit.
            cluster: where to.
            results: of the staging modules.
            limits: of the cluster's Slurm, asked for campaigns only.

        Raises:
            UsageError: something cannot be packed.
        """
        self.view.begin("pack")
        directory, single = _directory_or_file(request.job_path)
        far_steps = [step for step in request.steps if step.stage != "staging"]
        repository = self._resolve(request)
        job = {
            "schema": SCHEMA,
            "job_uuid": job_uuid,
            "user_input": request.public_input,
            "destination_cluster": description(cluster),
            "modules": results,
            "online_job_file": repository is not None,
            "commit": repository and repository["commit"],
            "tar_file": None if directory is None else "parcel.tar.gz",
        }
        spec = spec_of(job, self.registry_key, to_documents(far_steps), repository)
        parts = _parts(job_uuid, request, limits)
        specs = part_specs(spec, parts, request.spec.for_each, limits)
        jobs = part_jobs(job, parts)
        files = {request.module_files[step.module] for step in far_steps}
        others = brought_along(parts, specs) if parts else {}
        self.pack(self.records.parcel(job_uuid), spec=specs[0], modules=files, directory=directory, others=others)
        self.view.end(f"{len(request.tasks)} tasks in {_counted(len(parts), 'array')}" if parts else "")
        return {
            "job": jobs[0],
            "parts": jobs[1:],
            "cluster": cluster["name"],
            "job_file": single and str(single),
            "job_file_as": single and version_of(single),
            "repository": repository,
        }

    def _resolve(self, request: SubmitRequest) -> dict[str, str] | None:
        """Pin a repository to the commit it stands for now, so that what runs is on record."""
        repository = request.repository
        if repository is None:
            return None
        commit = self.repositories.resolve(repository)
        self.view.note(f"{repository.url} {repository.ref or 'HEAD'} is commit {commit}")
        return {"url": repository.url, "ref": repository.ref, "commit": commit}


def _directory_or_file(path: Path | None) -> tuple[Path | None, Path | None]:
    """Return a job's path as the directory it is, or as the single file."""
    return (path, None) if path is not None and path.is_dir() else (None, path)


def _parts(job_uuid: str, request: SubmitRequest, limits: Limits | None) -> list[Part]:
    each = request.spec.for_each
    if each is None or limits is None:
        return []
    return split(request.tasks, part_size(each, limits), first=job_uuid, campaign=job_uuid)


def spec_of(
    job: Mapping[str, Any],
    registry_key: str,
    modules: Sequence[Mapping[str, Any]],
    source: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the wrapper gets of a job that the registry knows: what spec.json holds."""
    return {
        "schema": SCHEMA,
        "job_uuid": job["job_uuid"],
        "user_input": job["user_input"],
        "cluster": job["destination_cluster"],
        "registry": registry_key,
        "modules": modules,
        "source": source,
    }


def part_specs(
    spec: dict[str, Any], parts: Sequence[Part], each: ForEach | None, limits: Limits | None
) -> list[dict[str, Any]]:
    """Return what the wrapper gets of each part, of a plain job the spec alone; only the first brings a source."""
    if each is None or limits is None:
        return [spec]
    own = [{"job_uuid": part.job_uuid, "campaign": part.on_cluster(each, limits)} for part in parts]
    return [{**spec, **own[0]}, *({**spec, **later, "source": None} for later in own[1:])]


def part_jobs(job: dict[str, Any], parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return what the registry gets of each part, of a plain job the one document."""
    if not parts:
        return [job]
    return [{**job, "job_uuid": part.job_uuid, "campaign": part.in_registry()} for part in parts]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def version_of(file: Path) -> list[int]:
    """Return what tells a file from what it is after something has written to it: size and time of change."""
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
