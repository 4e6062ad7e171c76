"""A cluster as the wrapper sees it, with a fake Slurm or a real one behind it, and jobs on it."""

from __future__ import annotations

import os
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.job_file.validate import validate
from project.core.messages import state_body
from project.core.slurm.login_once import LOGIN_ONCE
from project.core.slurm.script import Placement, render
from project.core.states import GatewayState
from project.wrapper import files
from project.wrapper.job import SUBMISSION, Job, open_job
from project.wrapper.lease import Lease
from project.wrapper.submission import Submission
from tests.contract.processes import poll

if TYPE_CHECKING:
    from project.core.layout import ClusterPaths
    from project.wrapper.clock import Clock
    from project.wrapper.slurm import Slurm
    from tests.fakes.slurm import FakeSlurm

_LEAST = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x"}
_SMALL = {"duration": "5m", "memory_per_thread": "50M"}


@dataclass
class Cluster:
    """A cluster.

    Attributes:
        paths: of Gridferry on it.
        slurm: what is tested, or what stands behind it.
        clock: the real one where Slurm is real.
        fake: the fake Slurm's knobs, None where Slurm is real.
    """

    paths: ClusterPaths
    slurm: Slurm
    clock: Clock
    fake: FakeSlurm | None

    def job(
        self, *execution: str, modules: list[dict[str, Any]] | None = None, registry: str = "", **resources: Any
    ) -> ClusterJob:
        """Make a job's folder as it is after the pipeline's last step before the submission."""
        job_uuid = str(uuid.uuid4())
        paths = self.paths.job(job_uuid)
        for folder in (self.paths.active, paths.work, paths.modules, paths.journal, paths.marks, paths.steps):
            files.make_folder(folder)
        user_input = {**_LEAST, "execution": list(execution), "resources": {**_SMALL, **resources}}
        sent = {"user_input": user_input, "cluster": {"name": "x", "follow": "daemon"}, "modules": modules or []}
        files.replace_json(paths.spec, {**sent, "registry": registry})
        spec = validate(user_input, source="job.yml")
        text = render(spec, job_uuid=job_uuid, paths=paths, workdir=paths.work, placement=Placement())
        files.replace(paths.login, LOGIN_ONCE.encode())
        files.replace(paths.script, text.encode())
        files.create(os.path.join(self.paths.active, job_uuid), b"")  # noqa: PTH118 - the far side's paths are text
        return ClusterJob(self, open_job(self.paths, job_uuid, self.clock))

    @property
    def active(self) -> list[str]:
        """The UUIDs of the jobs that the follower still has work with."""
        return sorted(path.name for path in Path(self.paths.active).iterdir())

    @staticmethod
    def command(*argv: str) -> str:
        """Run one of Slurm's commands by hand; return what it prints."""
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@dataclass
class ClusterJob:
    """A job that is ready to be submitted."""

    cluster: Cluster
    job: Job

    def submission(self) -> Submission:
        """Return its submission, as a process that holds the job's lease makes one."""
        lease = Lease(self.job.paths.lease)
        assert lease.acquire()
        self.lease = lease
        return Submission(
            self.job.job_uuid, self.job.paths, self.cluster.slurm, self.job.journal, lease, self.cluster.clock
        )

    def submit(self) -> str:
        """Submit it, holding its lease meanwhile."""
        submission = self.submission()
        try:
            return submission.submit()
        finally:
            self.lease.release()

    def into_the_queue(self) -> str:
        """Submit it and tell so, as the pipeline does; the follower takes it from here."""
        slurm_job_id = self.submit()
        self.tell_submitted()
        return slurm_job_id

    def tell_submitted(self) -> None:
        """Journal SUBMITTED and note the step as done."""
        self.job.journal.append("state", state_body(GatewayState.SUBMITTED.value))
        files.create(f"{self.job.paths.steps}/{SUBMISSION}", b"")

    def submit_by_hand(self) -> str:
        """Submit its script, held, as a wrapper does that dies before it has written the id down."""
        if files.read_text(self.job.paths.intent) is None:
            files.replace_json(self.job.paths.intent, {"schema": 1, "at_s": self.cluster.clock.now_s()})
        return self.cluster.command("sbatch", "--parsable", "--hold", self.job.paths.script)

    @property
    def id_on_disk(self) -> str | None:
        """The one Slurm job id that was written down."""
        return files.read_text(self.job.paths.slurm_job_id)

    def in_slurm(self) -> dict[str, str]:
        """The state of every Slurm job with its name, by id."""
        rows = self.cluster.slurm.queue(self.job.job_uuid)
        return {row.slurm_job_id: f"{row.state} {row.reason}" for row in rows}

    def runs(self) -> int:
        """How often its first line ran: it writes a line into runs.txt."""
        path = Path(self.job.paths.work) / "runs.txt"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def wait_until_it_ran(self) -> None:
        """Wait for the end that the job script notes."""
        marks = Path(self.job.paths.marks)
        poll(lambda: list(marks.glob("end.*")), "the job's end", 60)

    def states(self) -> list[str]:
        """The states in its journal, as they lie on disk."""
        entries = open_job(self.cluster.paths, self.job.job_uuid, self.cluster.clock).journal.entries()
        return [entry["body"]["state"] for entry in entries if entry["kind"] == "state"]

    def notices(self) -> list[str]:
        """What its journal notes besides states."""
        return [entry["body"]["message"] for entry in self.job.journal.entries() if entry["kind"] == "notice"]
