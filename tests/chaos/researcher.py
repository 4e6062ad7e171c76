"""A patient researcher: submits a job file, and goes on with it until it is in the queue or was refused."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from project.core.errors import ExitCode
from project.ports import Stage
from tests.chaos.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.plan import Submission
    from tests.chaos.world import World

#: After these the same may work, and nothing was told for good.
TRANSIENT = {
    ExitCode.UNREACHABLE, ExitCode.REGISTRY, ExitCode.SUBMISSION_UNKNOWN, ExitCode.TRANSFER, ExitCode.SCHEDULER,
    ExitCode.STILL_ALIVE,
}  # fmt: skip
_LEAST = {"username": "x", "user_mail": "x@example.org", "destination_cluster": "x"}
_TRIES = 3
_PAUSE_S = 2.0
_CLIENT_LIMIT_S = 600.0
_EVENT_LIMIT_S = 30.0


@dataclass
class Call:
    """One call of the client.

    Attributes:
        arguments: its words.
        exit_code: what it exited with; -9 if it was killed.
        said: on standard error.
        printed: on standard output.
    """

    arguments: list[str]
    exit_code: int
    said: str
    printed: str = ""


@dataclass
class Story:
    """What became of a submission, as its researcher saw it.

    Attributes:
        submission: it.
        job_uuid: of the job, "" before there is one.
        is_settled: whether it is in the queue or was refused.
        calls: of the client.
    """

    submission: Submission
    job_uuid: str = ""
    is_settled: bool = False
    calls: list[Call] = field(default_factory=list)


class Researcher:
    """Takes one submission through.

    Args:
        world: where.
        submission: what.
    """

    def __init__(self, world: World, submission: Submission) -> None:
        self._world = world
        self._submission = submission
        self.story = Story(submission)
        self._folder = world.jobs / f"{submission.number:04d}"
        self._kind = KINDS[submission.kind]
        self._write_files()

    def _write_files(self) -> None:
        (self._folder / "modules").mkdir(parents=True)
        log = self._world.starts / f"{self._submission.number:04d}"
        document = {**_LEAST, **self._kind.job_file(self._submission.number, log)}
        self._job_file.write_text(json.dumps(document))
        (self._folder / "modules" / "after.sh").write_text("# its command line says it all\n")
        (self._folder / "modules.yml").write_text(json.dumps(self._kind.modules))

    @property
    def _job_file(self) -> Path:
        return self._folder / "job.yml"

    def try_for_a_while(self) -> None:
        """Submit; after what may pass, try again a few times."""
        for number in range(_TRIES):
            self.go_on(self._submission.kill_after_s if number == 0 else None)
            if self.story.is_settled:
                break
            time.sleep(_PAUSE_S)
        if self.story.is_settled and self._kind.event:
            _EVENTS[self._kind.event](self)

    def go_on(self, kill_after_s: float | None = None) -> None:
        """Do what a user does who does not know how far it has come."""
        if not self.story.is_settled:
            call = self.call(*self._arguments(), kill_after_s=kill_after_s)
            record = self._record()
            self.story.job_uuid = str(record.get("job_uuid", ""))
            ends = (ExitCode.OK, ExitCode.SUBMISSION_REFUSED)
            self.story.is_settled = call.exit_code in ends or record.get("stage") in (Stage.SUBMITTED, Stage.FAILED)

    def _arguments(self) -> list[str]:
        record = self._record()
        if "job" in record and self._submission.resumes_by == "uuid":
            return ["--resume", str(record["job_uuid"])]
        modules = ["-m", str(self._folder / "modules.yml")] if self._kind.modules else []
        return ["-u", str(self._job_file), *modules, *self._world.grid.job_settings(), "--yes"]

    def _record(self) -> dict[str, Any]:
        """Return what the client has on record of this file, the newest that came so far as to have a plan."""
        own = [record for record in self._world.records() if record["source"] == str(self._job_file)]
        return max(own, key=lambda record: ("job" in record, str(record["created_at"])), default={})

    def call(self, *arguments: str, kill_after_s: float | None = None) -> Call:
        """Run the client to its end, or kill it in the middle; the call is part of the story."""
        process = self._world.start_client(*arguments)
        try:
            printed, said = process.communicate(timeout=kill_after_s or _CLIENT_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, said = process.communicate()
        call = Call(list(arguments), process.returncode, said, printed)
        self.story.calls.append(call)
        return call

    def requeue(self) -> None:
        """Let Slurm start the job again while it runs, as an administrator does."""
        site, job_uuid = self._world.grid.site, self.story.job_uuid
        deadline = time.monotonic() + _EVENT_LIMIT_S
        asked = ["squeue", "--noheader", "--states=RUNNING", f"--name={job_uuid}", "--format=%A"]
        while time.monotonic() < deadline:
            running = site.run(asked).stdout.split()
            if running and site.run(["scontrol", "requeue", running[0]]).returncode == 0:
                self._hasten(running[0])
                return
            time.sleep(0.5)

    def _hasten(self, slurm_job_id: str) -> None:
        """Let it start in a moment; Slurm itself would wait two minutes.

        Not at once: slurmd takes a start in the same second as the requeueing for the start that was called off.
        """
        deadline = time.monotonic() + 2 * _EVENT_LIMIT_S
        asked = ["squeue", "--noheader", f"--jobs={slurm_job_id}", "--format=%T"]
        while time.monotonic() < deadline:
            if self._world.grid.site.run(asked).stdout.split() == ["PENDING"]:
                update = ["scontrol", "update", f"jobid={slurm_job_id}", "starttime=now+3"]
                if self._world.grid.site.run(update).returncode == 0:
                    return
            time.sleep(0.5)

    def cancel(self) -> None:
        """Cancel the job through the client, until that has worked."""
        for _ in range(_TRIES):
            if self.call("cancel", self.story.job_uuid, "--yes").exit_code == ExitCode.OK:
                return
            time.sleep(_PAUSE_S)


_EVENTS = {"requeue": Researcher.requeue, "cancel": Researcher.cancel}
