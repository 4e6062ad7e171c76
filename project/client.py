"""Gridferry from Python: `from project import Client`. Documented with examples in docs/python.md.

Everything is done by the same services as on the command line, with the same settings and records. Errors are those
of `project.core.errors`; nobody is ever asked a question.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.adapters.user_input import LoadedFile, apply_settings, load
from project.bootstrap import Gateway, make_gateway
from project.core.campaign import is_first_part
from project.core.outcomes import last_attempts, task_rows
from project.intake import check_request, read_more
from project.services.campaign.whole import parts_of
from project.services.listing import list_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from project.services.retrieve import Retrieved


@dataclass(frozen=True)
class TaskState:
    """A task of an array or a campaign; times and sizes are as sacct writes them, "" for what is not known."""

    number: str
    state: str
    exit_code: str
    elapsed: str
    memory: str
    node: str


@dataclass(frozen=True)
class Job:
    """A job, or a campaign by its first part, as it stood when it was asked for.

    Attributes:
        uuid: ours.
        state: where it stands: one of ours, or Slurm's word.
        outcome: Slurm's end state, None before it has ended.
        cluster: where it runs.
        name: its `job_name`, "" if it has none.
        document: all the registry knows of it (docs/protocol.md); in short where it comes from `Client.jobs`.
    """

    uuid: str
    state: str
    outcome: str | None
    cluster: str
    name: str
    document: Mapping[str, Any] = field(repr=False)
    _gateway: Gateway = field(repr=False, compare=False)

    def refresh(self) -> Job:
        """Return the job as it stands now."""
        return _job(self._gateway, self._gateway.registry.job(self.uuid))

    def wait(self) -> Job:
        """Return the job once nothing is left to do for it, or for any part of the campaign.

        Raises:
            JobFailed: it ended, and not well.
        """
        return _job(self._gateway, self._gateway.waiter().wait(self.uuid))

    def fetch(self, folder: str | Path | None = None) -> Retrieved:
        """Fetch its results into `folder` (`./UUID` unless said); say which came and which were missing.

        Raises:
            NotEnded: it has not ended yet.
            TransferFailed: some did not arrive; trying again fetches the rest.
        """
        return self._gateway.retriever().retrieve(self.uuid, Path(folder or self.uuid), {})

    def tasks(self) -> list[TaskState]:
        """Return its array tasks by number, a campaign's by the campaign's; a plain job is one task, numbered ""."""
        registry = self._gateway.registry
        job = registry.job(self.uuid)
        if is_first_part(job):
            rows = last_attempts([registry.job(str(part["job_uuid"])) for part in parts_of(registry, self.uuid)])
        else:
            rows = task_rows(job)
        return [_task_state(row) for row in rows]

    def extend(self, files: Sequence[str | Path]) -> bool:
        """Add a task for each data file (or line of a table) the campaign does not have; False if it has all.

        Raises:
            UsageError: it is no campaign, or one over a matrix.
        """
        names = [str(file) for file in files]
        return self._gateway.extender().extend(self.uuid, lambda each: read_more(each, names), {}) is not None

    def repeat_failed(self) -> bool:
        """Run those tasks of the campaign again that did not end well; False if there are none."""
        return self._gateway.extender().again(self.uuid, {}) is not None


class Client:
    """Submits jobs and finds them again; settings as for the command line (docs/client.md)."""

    def __init__(self) -> None:
        self._gateway = make_gateway(no_input=True, quiet=True)

    def submit(
        self,
        job: str | Path | Mapping[str, Any],
        *,
        modules: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Job:
        """Submit a job and return once it is in Slurm's queue.

        Args:
            job: path of a job file, or what one says; relative paths in the latter start at the current folder.
            modules: path of a modules file.
            settings: keys to set on top, dotted: `{"resources.duration": "10m"}`.

        Raises:
            InvalidInput: with every problem.
            GridferryError: what else went wrong; nothing is submitted twice.
        """
        loaded = load(Path(job)) if isinstance(job, str | Path) else LoadedFile("the job", deepcopy(job), Path.cwd())
        apply_settings(loaded, [f"{key}={json.dumps(value)}" for key, value in (settings or {}).items()])
        request = check_request(loaded, None if modules is None else Path(modules), self._gateway.settings.clusters)
        submitted = self._gateway.submitter().submit(request, detach=False)
        return self.job(submitted.job_uuid)

    def job(self, uuid: str) -> Job:
        """Return a job by its UUID or the beginning of it.

        Raises:
            UsageError: no job begins so, or several do.
        """
        return _job(self._gateway, self._gateway.registry.job(self._gateway.resolver().find(uuid)))

    def jobs(self, *, limit: int | None = None, **wanted: str) -> Iterator[Job]:
        """Yield jobs, the newest first.

        Args:
            limit: how many; all unless said.
            wanted: `state`, `cluster`, `label`, `ended` ("true" or "false"), `campaign`, and what else `GET /jobs`
                takes (docs/protocol.md).
        """
        for document in list_jobs(self._gateway.registry, wanted, limit).jobs:
            yield _job(self._gateway, document)


def _task_state(row: Mapping[str, Any]) -> TaskState:
    known = (str(row.get(name) or "") for name in ("State", "ExitCode", "Elapsed", "MaxRSS", "NodeList"))
    return TaskState(str(row["JobID"]).partition("_")[2], *known)


def _job(gateway: Gateway, document: Mapping[str, Any]) -> Job:
    return Job(
        uuid=str(document["job_uuid"]),
        state=str(document["state"]),
        outcome=document.get("outcome"),
        cluster=str(document["cluster"]),
        name=str(document.get("job_name") or ""),
        document=document,
        _gateway=gateway,
    )
