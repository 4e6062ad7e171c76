"""Adds parts to a campaign that is on its way or has ended: new tasks, or those that did not end well once more."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from project.core.campaign import failed_indexes
from project.core.errors import UsageError
from project.core.job_file.validate import validate
from project.core.messages import SCHEMA, format_utc
from project.core.placeholders import INDEX
from project.ports import Stage
from project.services.campaign.check import refuse, task_problems
from project.services.campaign.parts import ask_limits, brought_along, part_size, split
from project.services.campaign.whole import parts_of
from project.services.plan import part_jobs, part_specs, spec_of
from project.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from project.core.job import ForEach, JobSpec
    from project.core.slurm.limits import Limits
    from project.ports import Clock, Packer, RecordStore, Registry, View
    from project.services.dispatch import Dispatcher, Submitted
    from project.services.far_side import FarSide
    from project.services.remote import Remote

Job = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """A campaign as it stands.

    Attributes:
        parts: the registry's jobs, in the order of their creation.
        spec: its job file.
        modules: that run after each part's end.
        tasks: all there are, the last attempt of each, in the order of their index.
        failed: indexes of those that have ended, and not well.
        limits: of its cluster's Slurm.
    """

    parts: Sequence[Job]
    spec: JobSpec
    modules: Sequence[Mapping[str, Any]]
    tasks: Sequence[Task]
    failed: Sequence[int]
    limits: Limits

    @property
    def campaign(self) -> str:
        """Its UUID."""
        return str(self.parts[0]["job_uuid"])


@dataclass(frozen=True, kw_only=True)
class Extender:
    """Extends campaigns; every attribute is a port or a service."""

    registry: Registry
    records: RecordStore
    far_side: FarSide
    pack: Packer
    dispatcher: Dispatcher
    view: View
    clock: Clock

    def extend(
        self, job_uuid: str, read: Callable[[ForEach], Sequence[Task]], overrides: Mapping[str, Any]
    ) -> Submitted | None:
        """Add tasks; what is in the campaign already is left out. None if nothing is left then.

        Args:
            job_uuid: of the campaign, or of any of its parts.
            read: given what `for_each` says, returns the tasks to add, numbered from 1.
            overrides: `private_key`, `passphrase` or `username` to use instead of the recorded ones.

        Raises:
            UsageError: the job is no campaign.
            InvalidDocument: the new tasks do not go with it.
        """

        def added(standing: Standing) -> list[Task]:
            assert standing.spec.for_each is not None  # noqa: S101 - of a campaign
            known = {_identity(task) for task in standing.tasks}
            new = [task for task in read(standing.spec.for_each) if _identity(task) not in known]
            numbered = _numbered(new, standing.tasks[-1].index + 1)
            if numbered:
                refuse("the campaign's job file", task_problems(standing.spec, [*standing.tasks, *numbered]))
            return numbered

        return self._add(job_uuid, added, overrides)

    def again(self, job_uuid: str, overrides: Mapping[str, Any]) -> Submitted | None:
        """Run those tasks again that have ended and not well; None if there are none.

        Args and errors: as of `extend`.
        """
        return self._add(
            job_uuid, lambda standing: [task for task in standing.tasks if task.index in standing.failed], overrides
        )

    def _add(
        self, job_uuid: str, choose: Callable[[Standing], list[Task]], overrides: Mapping[str, Any]
    ) -> Submitted | None:
        parts = self._parts(job_uuid)
        remote = self.far_side.connect(parts[0], overrides)
        try:
            standing = self._standing(parts, remote)
            tasks = choose(standing)
            record = self._plan(standing, tasks) if tasks else None
        except BaseException:
            remote.close()
            raise
        return self._send(record, remote)

    def _send(self, record: dict[str, Any] | None, remote: Remote) -> Submitted | None:
        if record is None:
            remote.close()
            return None
        return self.dispatcher.send(record, remote, detach=False)

    def _parts(self, job_uuid: str) -> list[Job]:
        job = self.registry.job(job_uuid)
        if not job.get("campaign"):
            raise UsageError(f"{job_uuid} is no campaign", remedy="Campaigns are job files with `for_each`")
        listed = parts_of(self.registry, str(job["campaign"]["uuid"]))
        return [self.registry.job(str(part["job_uuid"])) for part in listed]

    def _standing(self, parts: Sequence[Job], remote: Remote) -> Standing:
        """Ask the cluster for the campaign's tasks and its Slurm for its limits."""
        self.view.begin("look at the campaign")
        remote.probe(str(parts[0]["job_uuid"]))
        spec = validate(parts[0]["user_input"], source="the campaign's job file")
        events = remote.run("tasks", *(str(part["job_uuid"]) for part in parts))
        told = {event["job_uuid"]: event for event in events if event["event"] == "tasks"}
        tasks = {}
        for part in parts:
            for values in told[part["job_uuid"]]["tasks"].values():
                tasks[int(values[INDEX])] = Task(values)
        standing = Standing(
            parts=parts,
            spec=spec,
            modules=told[parts[0]["job_uuid"]]["modules"],
            tasks=[tasks[index] for index in sorted(tasks)],
            failed=failed_indexes(parts),
            limits=ask_limits(remote, spec),
        )
        self.view.end(f"{len(standing.tasks)} tasks, {len(standing.failed)} of them did not end well")
        return standing

    def _plan(self, standing: Standing, tasks: Sequence[Task]) -> dict[str, Any]:
        """Pack the new parts and put on record what sending them takes."""
        self.view.begin("pack")
        first, each = standing.parts[0], standing.spec.for_each
        assert each is not None  # noqa: S101 - of a campaign
        job_uuid, after = str(uuid.uuid4()), str(standing.parts[-1]["job_uuid"])
        size = part_size(each, standing.limits)
        parts = split(tasks, size, first=job_uuid, campaign=standing.campaign, after=after)
        spec = spec_of({**first, "job_uuid": job_uuid}, self.registry.key, list(standing.modules))
        specs = part_specs(spec, parts, each, standing.limits)
        self.pack(
            self.records.parcel(job_uuid),
            spec=specs[0],
            modules=(),
            directory=None,
            others=brought_along(parts, specs),
        )
        known = ("schema", "user_input", "destination_cluster", "online_job_file", "commit", "tar_file")
        jobs = part_jobs({**{key: first[key] for key in known}, "modules": []}, parts)
        record = {
            **(self.records.load(standing.campaign) or {}),
            "schema": SCHEMA,
            "job_uuid": job_uuid,
            "stage": Stage.CREATED,
            "created_at": format_utc(self.clock.now_s()),
            "input_sha256": "",
            "slurm_job_id": "",
            "cluster": first["destination_cluster"]["name"],
            "job": jobs[0],
            "parts": jobs[1:],
            "job_file": None,
            "repository": None,
        }
        self.records.save(record)
        self.view.end(f"{len(tasks)} tasks")
        return record


def _identity(task: Task) -> tuple[tuple[str, str], ...]:
    """Return what makes a task what it is: all but its number."""
    return tuple(sorted((name, value) for name, value in task.values.items() if name != INDEX))


def _numbered(tasks: Sequence[Task], first: int) -> list[Task]:
    return [replace(task, values={**task.values, INDEX: str(number)}) for number, task in enumerate(tasks, first)]
