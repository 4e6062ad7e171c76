"""What is there in the end: all that the promises can be held against."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.chaos.researcher import Call, Story
    from tests.chaos.world import World

_COLUMNS = "JobID,JobName,State,Start"


class Start(NamedTuple):
    """A line of a job's own log of starts."""

    job_uuid: str
    slurm_job_id: str
    task: str
    restart: str


class Accounted(NamedTuple):
    """A row of Slurm's accounting."""

    job_id: str
    name: str
    state: str
    start: str

    @property
    def slurm_job_id(self) -> str:
        """The id without the array task."""
        return self.job_id.partition("_")[0]


@dataclass
class Evidence:
    """What became of one submission.

    Attributes:
        number: of the submission.
        kind: of the job.
        job_uuid: of the job.
        is_settled: whether the client has told that it is in the queue or was refused.
        calls: of the client.
        starts: the job's own log.
        accounted: rows of the accounting with its name.
        job: the registry's document.
        journal: the entries on the cluster.
        is_active: whether the cluster still has work with it.
        mails: how often each Message-ID about it arrived.
        results: what was fetched, by name.
    """

    number: int
    kind: str
    job_uuid: str
    is_settled: bool
    calls: list[Call]
    starts: list[Start]
    accounted: list[Accounted]
    job: dict[str, Any]
    journal: list[dict[str, Any]]
    is_active: bool
    mails: Counter[str] = field(default_factory=Counter)
    results: dict[str, str] = field(default_factory=dict)


def gather(world: World, stories: list[Story]) -> list[Evidence]:
    """Return the evidence on every submission; the world is whole again and nothing happens any more."""
    ids = [str(world.registry_job(story.job_uuid).get("slurm_job_id") or "") for story in stories]
    rows = accounted(world) | accounted(world, *filter(None, ids))
    mails = Counter(str(mail["Message-ID"]) for mail in world.grid.mails())
    return [_of_one(world, story, rows, mails) for story in stories]


def _of_one(world: World, story: Story, rows: set[Accounted], mails: Counter[str]) -> Evidence:
    job_uuid, paths = story.job_uuid, world.far_paths
    log, results = world.starts / f"{story.submission.number:04d}", world.results / job_uuid
    return Evidence(
        number=story.submission.number,
        kind=story.submission.kind,
        job_uuid=job_uuid,
        is_settled=story.is_settled,
        calls=story.calls,
        starts=[Start(*line.split()) for line in log.read_text().splitlines()] if log.exists() else [],
        accounted=sorted(row for row in rows if row.name == job_uuid),
        job=world.registry_job(job_uuid),
        journal=[json.loads(path.read_text()) for path in sorted(Path(paths.job(job_uuid).journal).glob("0*.json"))],
        is_active=world.is_active(job_uuid),
        mails=Counter({name: count for name, count in mails.items() if name.startswith(f"<{job_uuid}.")}),
        results=_texts(results) if results.is_dir() else {},
    )


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def accounted(world: World, *slurm_job_ids: str) -> set[Accounted]:
    """Return the rows of Slurm's accounting: of these jobs, else of all that ever could have started."""
    which = f"--jobs={','.join(slurm_job_ids)}" if slurm_job_ids else "--starttime=now-1days"
    asked = ["sacct", "-X", "-n", "-P", which, f"--format={_COLUMNS}"]
    done = world.grid.site.run(asked)
    assert done.returncode == 0, done.stderr
    return {Accounted(*line.split("|")) for line in done.stdout.splitlines()}
