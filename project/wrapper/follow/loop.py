"""The follower's rounds: look at the disk often, ask Slurm seldom, report, and end when no job is left."""

import contextlib
import os
from typing import TYPE_CHECKING, Callable, Dict, List, Optional

from project.core.errors import RegistryError, SchedulerUnavailable
from project.core.layout import ClusterPaths
from project.core.printable import one_line
from project.wrapper.clock import Clock
from project.wrapper.follow.followed import FollowedJob
from project.wrapper.follow.pace import backoff_s, interval_s
from project.wrapper.follow.report import Overtaken, Reporter, acknowledge, first_batch
from project.wrapper.job import open_job
from project.wrapper.lease import Lease, LeaseLost
from project.wrapper.slurm import Slurm

if TYPE_CHECKING:
    from project.core.messages import Document

STATUS_EVERY_S = 300.0
#: How long a finished job's last reports are tried; the client can still relay the journal afterwards.
GIVE_UP_REPORTING_S = 3 * 86400.0
#: A process started for a job gets so long to take the job's lease before another is started.
_START_AGAIN_S = 30.0
#: When what the registry refused of a job is sent again.
_REFUSED_AGAIN_S = 60.0
_LONGEST_LOG_CHARS = 1000


class Follower:
    """Watches all of the user's active jobs on this cluster.

    Args:
        paths: of this cluster.
        slurm: to ask.
        reporter: to the registry.
        lease: at most one follower works.
        clock: time.
        start: starts the wrapper's sub-command for a job in the background.
    """

    def __init__(
        self,
        paths: ClusterPaths,
        slurm: Slurm,
        reporter: Reporter,
        lease: Lease,
        clock: Clock,
        start: Callable[[str, str], None],
    ) -> None:
        self._paths = paths
        self._slurm = slurm
        self._reporter = reporter
        self._lease = lease
        self._clock = clock
        self._start = start
        self._jobs: Dict[str, FollowedJob] = {}
        self._started_s: Dict[str, float] = {}
        self._status: Optional[Document] = None
        self._status_s = float("-inf")
        self._query_s = 0.0
        self._report_s = 0.0
        self._failures = 0
        self._refused_until_s: Dict[str, float] = {}

    def run(self) -> None:
        """Follow until no job is left or another follower has taken over."""
        while self._active_uuids() and self._lease.acquire_from_the_dead(self._clock.sleep):
            self._lease.keep_alive()
            try:
                while self._active_uuids():
                    self._lease.check()
                    self._try_round()
                    self._clock.sleep(min(10.0, max(0.5, len(self._jobs) / 100)))
            except (LeaseLost, Overtaken):
                return
            finally:
                self._lease.release()

    def _try_round(self) -> None:
        """Do what is due; a disk that is full or away is waited for."""
        try:
            self.round()
        except OSError as error:
            self._log(f"the disk does not do what it should: {error}")
            self._jobs.clear()  # what is remembered may be ahead of what was written

    def round(self) -> None:
        """Do what is due."""
        jobs = self._refresh()
        self._ask_slurm(jobs)
        for job in jobs:
            self._act(job)
        self._report(jobs)
        for job in jobs:
            self._let_go(job)

    def _log(self, text: str) -> None:
        """Write a line to the follower's log, which is what it prints; a registry's words stay on their line."""
        print(self._clock.now_utc(), one_line(text, _LONGEST_LOG_CHARS), flush=True)  # noqa: T201

    def _active_uuids(self) -> List[str]:
        """Return what is marked as active; names with a dot are files on their way to being markers."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self._paths.active) if not name.startswith("."))
        return []

    def _refresh(self) -> List[FollowedJob]:
        followed, self._jobs = self._jobs, {}
        for job_uuid in self._active_uuids():
            if os.path.exists(self._paths.job(job_uuid).spec):
                self._jobs[job_uuid] = followed.get(job_uuid) or self._open(job_uuid)
            else:  # somebody has removed it
                os.unlink(os.path.join(self._paths.active, job_uuid))
        return list(self._jobs.values())

    def _open(self, job_uuid: str) -> FollowedJob:
        return FollowedJob(open_job(self._paths, job_uuid, self._clock), self._clock.now_s())

    # -- Slurm

    def _ask_slurm(self, jobs: List[FollowedJob]) -> None:
        """One squeue and one sacct for all jobs, when it is time or the disk shows that something happened."""
        asked = [job for job in jobs if job.slurm_job_id and not job.ended_in_slurm]
        marks = [job.has_new_marks() for job in asked]
        now = self._clock.now_s()
        if not asked or (now < self._query_s and not any(marks)):
            return
        try:
            queue = self._slurm.queue()
            account = self._slurm.account([job.slurm_job_id for job in asked])
            for job in asked:
                job.take_in(queue, account, now)
                for surplus in job.surplus_ids(queue):
                    self._cancel_surplus(job, surplus)
            self._take_memory([job for job in asked if job.ended_in_slurm])
        except SchedulerUnavailable:
            pass  # no answer says nothing about any job
        self._take_status(now)
        youngest = min(self._clock.now_s() - job.changed_s for job in asked)
        self._query_s = self._clock.now_s() + interval_s(youngest, self._slurm.latency_s)

    def _take_memory(self, ended: List[FollowedJob]) -> None:
        """Ask once, for jobs that have just ended, how much memory they used."""
        if ended:
            peaks = self._slurm.peak_memory([job.slurm_job_id for job in ended])
            for job in ended:
                job.take_in_memory(peaks)

    def _cancel_surplus(self, job: FollowedJob, slurm_job_id: str) -> None:
        self._slurm.cancel(slurm_job_id)
        job.note("warning", "submission", f"Slurm held a second job {slurm_job_id} for this one; it was cancelled")

    def _take_status(self, now: float) -> None:
        if now - self._status_s >= STATUS_EVERY_S:
            with contextlib.suppress(SchedulerUnavailable):
                self._status = self._slurm.status(self._clock.now_utc())
                self._status_s = now

    # -- what follows from a state

    def _act(self, job: FollowedJob) -> None:
        if job.is_final:
            return
        if job.ended_in_slurm:
            if job.wants_postprocessing():
                self._start_for(job, "postprocess")
            else:
                job.finish()
        elif not job.slurm_job_id:
            self._start_for(job, "resume")

    def _start_for(self, job: FollowedJob, command: str) -> None:
        """Start a process for a job unless one is at work on it or was started a moment ago."""
        now, job_uuid = self._clock.now_s(), job.job.job_uuid
        if Lease(job.job.paths.lease).is_held() or now - self._started_s.get(job_uuid, 0.0) < _START_AGAIN_S:
            return
        self._started_s[job_uuid] = now
        self._start(command, job_uuid)

    # -- reports

    def _report(self, jobs: List[FollowedJob]) -> None:
        now = self._clock.now_s()
        heard = [job for job in jobs if now >= self._refused_until_s.get(job.job.job_uuid, 0.0)]
        entries = first_batch(entry for job in heard for entry in job.job.journal.unsent())
        if now < self._report_s or not (entries or self._status):
            return
        try:
            answer = self._reporter.send(self._lease.epoch, entries, self._status)
        except RegistryError as error:
            self._failures += 1
            self._report_s = now + backoff_s(self._failures)
            self._log(error.message)
            return
        self._failures, self._status = 0, None
        acknowledge([job.job for job in jobs], answer)
        for job_uuid, why in answer.refused.items():  # one that is refused does not hold up the others
            self._refused_until_s[job_uuid] = now + _REFUSED_AGAIN_S
            self._log(f"{job_uuid} {why}")

    def _let_go(self, job: FollowedJob) -> None:
        """Forget a job that is done and told, or that nobody would hear about for days."""
        waited = self._clock.now_s() - job.changed_s
        if job.finished or (job.is_final and waited > GIVE_UP_REPORTING_S):
            os.unlink(os.path.join(self._paths.active, job.job.job_uuid))
