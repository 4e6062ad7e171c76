"""Cancels jobs and looks whether they died: Slurm is asked, then its queue is; what lives on is told and flagged."""

from typing import Callable, Dict, List, NamedTuple, Sequence, Set

from project.core.slurm.commands import QueueRow
from project.core.slurm.ids import format_task_list, of_tasks, parse_task_list
from project.core.slurm.states import parse_state
from project.core.states import GatewayState, is_final
from project.toolbox.tasks import chosen_tasks
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.events import Events
from project.wrapper.job import Job
from project.wrapper.lease import Lease
from project.wrapper.scheduler import Scheduler

#: slurmd gives processes KillWait (30 s unless set otherwise) between asking them to end and ending them.
PATIENCE_S = 75.0
_LOOK_EVERY_S = 0.5
#: A process that is to notice the cancellation gets so long before another is started.
_START_AGAIN_S = 30.0


class Survivor(NamedTuple):
    """What is left of a job in Slurm's queue.

    Attributes:
        tasks: array task ids as Slurm lists them, "" for a plain job.
        state: Slurm's word.
        reason: Slurm's word, too.
    """

    tasks: str
    state: str
    reason: str


class Cancellation:
    """Some jobs that are to be cancelled.

    Args:
        jobs: on this cluster.
        tasks: ids as `--array` has them, of the only job; "" for whole jobs.
        slurm: to ask.
        events: told about each job.
        clock: for waits.
        start: starts one of our commands for a job in the background.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        tasks: str,
        slurm: Scheduler,
        events: Events,
        clock: Clock,
        start: Callable[[str, str], None],
    ) -> None:
        self._jobs = {job.job_uuid: job for job in jobs}
        self._slurm = slurm
        self._events = events
        self._clock = clock
        self._start = start
        self._tasks = {job.job_uuid: chosen_tasks(job, tasks) if tasks else [] for job in jobs}
        self._asked: Set[str] = set()
        self._started_s: Dict[str, float] = {}

    def run(self) -> None:
        """Cancel them; send an event about each once it is known how it went.

        Raises:
            SchedulerUnavailable: Slurm does not answer.
        """
        deadline_s = self._clock.now_s() + PATIENCE_S
        waiting = self._without_ended()
        for job in waiting:
            if not self._tasks[job.job_uuid]:
                files.create(job.paths.cancelled, b"")
        while waiting:
            self._cancel([job for job in waiting if job.job_uuid not in self._asked])
            left = self._survivors(waiting)
            late = self._clock.now_s() >= deadline_s
            for job in list(waiting):
                survivors = left[job.job_uuid]
                if late or not survivors:
                    waiting.remove(job)
                    self._tell(job, survivors)
            if waiting:
                self._clock.sleep(_LOOK_EVERY_S)

    def _without_ended(self) -> List[Job]:
        """Tell of the jobs that had ended before; return the others."""
        active = []
        for job in self._jobs.values():
            state = job.journal.last_state()
            if is_final(state) or parse_state(state).ended:
                self._events.send("cancelled", job_uuid=job.job_uuid, had_ended=state, survivors=[])
            else:
                active.append(job)
        return active

    def _cancel(self, jobs: Sequence[Job]) -> None:
        """Ask Slurm to cancel those it has, by what it shows now; see to it that the others do not get there.

        An id alone does not name a job: a Slurm that lost its state gives ids out again.
        """
        known = [job for job in jobs if _slurm_job_id(job)]
        for job in jobs:
            if job not in known:
                self._wake(job)
        rows = self._slurm.queue() if known else []
        alive = [(_slurm_job_id(job), self._tasks[job.job_uuid]) for job in known if self._alive(job, rows)]
        if alive:
            self._slurm.cancel(*(of_tasks(own, tasks) if tasks else own for own, tasks in alive))
        self._asked.update(job.job_uuid for job in known)

    def _wake(self, job: Job) -> None:
        """Start a process that notices the cancellation, unless one is at work on the job."""
        now_s = self._clock.now_s()
        if Lease(job.paths.lease).is_held() or now_s - self._started_s.get(job.job_uuid, 0.0) < _START_AGAIN_S:
            return
        self._started_s[job.job_uuid] = now_s
        self._start("resume", job.job_uuid)

    def _survivors(self, jobs: Sequence[Job]) -> Dict[str, List[Survivor]]:
        """Return what is left of each job."""
        in_slurm = [job for job in jobs if job.job_uuid in self._asked]
        rows = self._slurm.queue() if in_slurm else []
        left = {job.job_uuid: self._alive(job, rows) for job in in_slurm}
        for job in jobs:
            if job.job_uuid not in left:
                state = job.journal.last_state()
                left[job.job_uuid] = [] if state == GatewayState.ERROR.value else [Survivor("", state, "")]
        return left

    def _alive(self, job: Job, rows: Sequence[QueueRow]) -> List[Survivor]:
        wanted = set(self._tasks[job.job_uuid])
        found = []
        for row in rows:
            own = row.slurm_job_id == _slurm_job_id(job) and row.name == job.job_uuid
            if not own or parse_state(row.state).ended:
                continue
            listed = [] if row.tasks in ("N/A", "") else parse_task_list(row.tasks)
            concerned = [task for task in listed if task in wanted] if wanted else listed
            if concerned or not wanted:
                found.append(Survivor(format_task_list(concerned), row.state, row.reason))
        return found

    def _tell(self, job: Job, survivors: Sequence[Survivor]) -> None:
        """Send how it went; what lives on is journalled, so that lists show it until it has ended."""
        if survivors:
            told = "; ".join(_in_words(survivor) for survivor in survivors)
            body = {"severity": "warning", "stage": "cancel", "detail": "", "flag": f"would not die: {told}"}
            message = f"the job was cancelled, and some of it did not die within {PATIENCE_S:.0f} s: {told}"
            job.journal.append("notice", dict(body, message=message))
        listed = [survivor._asdict() for survivor in survivors]
        self._events.send("cancelled", job_uuid=job.job_uuid, had_ended="", survivors=listed)


def _in_words(survivor: Survivor) -> str:
    tasks = f"tasks {survivor.tasks} " if survivor.tasks else ""
    reason = f" ({survivor.reason})" if survivor.reason not in ("", "None") else ""
    return f"{tasks}{survivor.state or 'being prepared'}{reason}"


def _slurm_job_id(job: Job) -> str:
    return (files.read_text(job.paths.slurm_job_id) or "").strip()
