"""The follower's rounds: look at the disk often, ask Slurm seldom, report, and end when no job is left."""

import contextlib
import os
from typing import TYPE_CHECKING, Callable, Dict, Iterator, List, Mapping, Optional

from project.core.errors import InvalidInput, SchedulerUnavailable, TransferFailed
from project.core.layout import ClusterPaths
from project.wrapper import files
from project.wrapper.campaign import is_its_turn
from project.wrapper.clock import Clock
from project.wrapper.follow.delivery import Delivery
from project.wrapper.follow.followed import FollowedJob
from project.wrapper.follow.log import log
from project.wrapper.follow.pace import Haste, look_s, waits_s
from project.wrapper.follow.report import Overtaken, Reporter
from project.wrapper.job import Job, open_job
from project.wrapper.journal import Superseded
from project.wrapper.lease import Lease, LeaseLost
from project.wrapper.scheduler import Scheduler
from project.wrapper.surplus import cancel_surplus, surplus_in

if TYPE_CHECKING:
    from project.core.messages import Document
    from project.core.slurm.commands import QueueRow

STATUS_EVERY_S = 300.0
#: How long a finished job's last reports are tried; the client can still relay the journal afterwards.
GIVE_UP_REPORTING_S = 3 * 86400.0
#: A process started for a job gets so long to take the job's lease before another is started.
_START_AGAIN_S = 30.0
#: When a lease is tried for again on a disk that is full or away.
_DISK_AGAIN_S = 5.0
_NEVER = float("-inf")
#: What damage to a job's files, or a disk that takes nothing more, may end in.
_DAMAGE = (OSError, ValueError, TypeError, LookupError, TransferFailed, InvalidInput)


class Follower:
    """Watches all of the user's active jobs on this cluster.

    Args:
        paths: of this cluster.
        slurm: to ask.
        reporter: to the registry with a key.
        lease: at most one follower works.
        clock: time.
        start: starts the wrapper's sub-command for a job in the background.
    """

    def __init__(
        self,
        paths: ClusterPaths,
        slurm: Scheduler,
        reporter: Callable[[str], Reporter],
        lease: Lease,
        clock: Clock,
        start: Callable[[str, str], None],
    ) -> None:
        self._paths = paths
        self._slurm = slurm
        self._reporter = reporter
        self._deliveries: Dict[str, Delivery] = {}
        self._lease = lease
        self._clock = clock
        self._start = start
        self._jobs: Dict[str, FollowedJob] = {}
        self._started_s: Dict[str, float] = {}
        self._status: Optional[Document] = None
        self._status_s = self._asked_s = _NEVER
        self._haste = Haste.NONE
        self._waits_s = waits_s(0.0, 0.0)
        self._damaged: List[str] = []

    def run(self) -> None:
        """Follow until no job is left or another follower has taken over."""
        while self._has_work() and self._acquire():
            self._lease.keep_alive()
            try:
                while self._has_work():
                    self._try_round()
                    marks = sum(job.marks for job in self._jobs.values())
                    self._clock.sleep(look_s(len(self._jobs), marks, self._youngest_s()))
            except (LeaseLost, Overtaken):
                return
            finally:
                self._lease.release()

    def _has_work(self) -> bool:
        """Whether a job is active; a disk that does not say so is waited for."""
        try:
            return bool(self._active_uuids())
        except OSError:
            return True

    def _acquire(self) -> bool:
        """Take the lease, waiting for a disk that is full or away; whether that worked."""
        while True:
            try:
                return self._lease.acquire_from_the_dead(self._clock.sleep)
            except OSError as error:
                self._tell_trouble(error)
                self._clock.sleep(_DISK_AGAIN_S)

    def _try_round(self) -> None:
        """Do what is due; a disk that is full or away is waited for."""
        try:
            self._lease.check()
            self.round()
        except OSError as error:
            self._tell_trouble(error)
            self._jobs.clear()  # what is remembered may be ahead of what was written

    def _tell_trouble(self, error: OSError) -> None:
        log(self._clock, f"the disk does not do what it should: {error}")

    def round(self) -> None:
        """Do what is due."""
        self._damaged = []
        self._refresh()
        self._ask_slurm()
        self._for_each(self._act)
        self._report()
        self._for_each(self._let_go)
        if self._damaged:
            log(self._clock, f"{len(self._damaged)} jobs could not be looked after, such as {self._damaged[0]}")

    def _for_each(self, work: Callable[[FollowedJob], None]) -> None:
        self._for_each_of(self._jobs, work)

    def _for_each_of(self, jobs: Mapping[str, FollowedJob], work: Callable[[FollowedJob], None]) -> None:
        for job_uuid, job in list(jobs.items()):
            with self._apart(job_uuid):
                work(job)

    @contextlib.contextmanager
    def _apart(self, job_uuid: str) -> Iterator[None]:
        """Keep damage to one job's files from the others; it is read anew in the next round."""
        try:
            yield
        except Superseded:
            self._jobs.pop(job_uuid, None)  # read anew, it knows what another follower has told
        except _DAMAGE as error:
            self._damaged.append(f"{job_uuid}: {error!r}")
            self._jobs.pop(job_uuid, None)  # what is remembered may be ahead of what was written

    def _active_uuids(self) -> List[str]:
        """Return what is marked as active; names with a dot are files on their way to being markers."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self._paths.active) if not name.startswith("."))
        return []

    def _refresh(self) -> None:
        followed, self._jobs = self._jobs, {}
        for job_uuid in self._active_uuids():
            with self._apart(job_uuid):
                try:
                    os.stat(self._paths.job(job_uuid).spec)
                    self._jobs[job_uuid] = followed.get(job_uuid) or self._open(job_uuid)
                except FileNotFoundError:  # somebody has removed it; a disk that does not say is no such thing
                    os.unlink(os.path.join(self._paths.active, job_uuid))

    def _open(self, job_uuid: str) -> FollowedJob:
        return FollowedJob(open_job(self._paths, job_uuid, self._clock), self._clock.elapsed_s())

    # -- Slurm

    def _ask_slurm(self) -> None:
        """One sacct and one squeue for all jobs, when it is time or the disk shows that something happened.

        In this order: what the queue says is then the newer, and wins (see observe.py).
        """
        asked: Dict[str, FollowedJob] = {}

        now = self._clock.elapsed_s()

        def look(job: FollowedJob) -> None:
            if job.slurm_job_id and not job.is_accounted(now):
                self._haste = max(self._haste, Haste.NONE if job.ended_in_slurm else job.haste(now))
                asked[job.job.job_uuid] = job

        self._for_each(look)
        if not asked or now < self._asked_s + self._waits_s[self._haste]:
            return
        self._haste, work_s = Haste.NONE, 0.0
        self._for_each_of(asked, FollowedJob.about_to_ask)
        try:
            account = self._slurm.account([job.slurm_job_id for job in asked.values()])
            queue = self._slurm.queue()
        except SchedulerUnavailable:
            pass  # no answer says nothing about any job
        else:
            began_s = self._clock.elapsed_s()
            self._for_each_of(asked, lambda job: job.take_in(queue, account, now))
            work_s = self._clock.elapsed_s() - began_s
            self._take_use(asked, now)
            self._cancel_surplus(queue, {job_uuid: job.slurm_job_id for job_uuid, job in asked.items()})
        self._take_status(now, at_once=any(job.lost_a_node for job in asked.values()))
        self._asked_s = self._clock.elapsed_s()
        self._waits_s = waits_s(self._youngest_s(), self._slurm.latency_s + work_s)

    def _youngest_s(self) -> float:
        """Return how long ago any job last changed."""
        now = self._clock.elapsed_s()
        return min((now - job.changed_s for job in self._jobs.values()), default=0.0)

    def _take_use(self, asked: Dict[str, FollowedJob], now: float) -> None:
        """Ask once, for jobs whose end the accounting has just told, how much memory and CPU time they used."""
        ended: Dict[str, FollowedJob] = {}
        self._for_each_of(asked, lambda job: ended.update({job.job.job_uuid: job} if job.is_accounted(now) else {}))
        if ended:
            with contextlib.suppress(SchedulerUnavailable):
                used = self._slurm.used([job.slurm_job_id for job in ended.values()])
                self._for_each_of(ended, lambda job: job.take_in_use(used))

    def _cancel_surplus(self, queue: "List[QueueRow]", known: Mapping[str, str]) -> None:
        """Cancel and tell further Slurm jobs of one UUID; a job that was let go has to be heard once more."""
        for job_uuid, slurm_job_id in sorted(surplus_in(queue, self._paths, known)):
            with self._apart(job_uuid), contextlib.suppress(SchedulerUnavailable):  # it is met again
                files.create(os.path.join(self._paths.active, job_uuid), b"")
                cancel_surplus(self._slurm, open_job(self._paths, job_uuid, self._clock).journal, slurm_job_id)

    def _take_status(self, now: float, *, at_once: bool) -> None:
        """Look at the nodes now and then, and when a job has lost one: whoever hears of that looks for the reason."""
        if at_once or now - self._status_s >= STATUS_EVERY_S:
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
        elif not job.slurm_job_id and is_its_turn(job.job):
            self._start_for(job, "resume")

    def _start_for(self, job: FollowedJob, command: str) -> None:
        """Start a process for a job unless one is at work on it or was started a moment ago."""
        now, job_uuid = self._clock.elapsed_s(), job.job.job_uuid
        if Lease(job.job.paths.lease).is_held() or now - self._started_s.get(job_uuid, _NEVER) < _START_AGAIN_S:
            return
        self._started_s[job_uuid] = now
        self._start(command, job_uuid)

    # -- reports

    def _report(self) -> None:
        theirs: Dict[str, List[Job]] = {}
        for job in self._jobs.values():
            theirs.setdefault(job.job.registry, []).append(job.job)
        for registry, jobs in theirs.items():
            if registry not in self._deliveries:
                self._deliveries[registry] = Delivery(self._reporter(registry), self._lease, self._clock)
            self._deliveries[registry].deliver(jobs, self._status)

    def _let_go(self, job: FollowedJob) -> None:
        """Forget a job that is done and told, or that nobody would hear about for days."""
        now = self._clock.elapsed_s()
        is_told = job.finished and (job.is_accounted(now) or not job.ended_in_slurm)
        if is_told or (job.is_final and now - job.changed_s > GIVE_UP_REPORTING_S):
            os.unlink(os.path.join(self._paths.active, job.job.job_uuid))
