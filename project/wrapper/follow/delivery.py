"""Brings what jobs have to tell to the registry: when, how much at a time, and past what it will not take."""

from typing import Dict, Iterator, List, Optional, Sequence

from project.core.errors import RegistryError
from project.core.messages import MAX_ENTRIES, Document, first_batch
from project.wrapper.clock import Clock
from project.wrapper.follow.log import log
from project.wrapper.follow.pace import backoff_s
from project.wrapper.follow.report import Answer, BatchRefused, Overtaken, Reporter
from project.wrapper.job import Job
from project.wrapper.lease import Lease

#: Requests of one round: after an outage much has gathered, and a round has other things to do, too.
_MOST_REQUESTS = 20
#: When a job whose entries were refused, or whose disk cannot note an acknowledgement, is heard again.
_HEARD_AGAIN_S = 60.0
#: An epoch that no follower ever reaches; whoever tells of it is not to be believed.
_NO_EPOCH = 10**9


class Delivery:
    """The way of journals to the registry, however that behaves.

    Args:
        reporter: sends.
        lease: the follower's; a higher epoch that the registry tells of is compared with what our disk knows.
        clock: time.
    """

    def __init__(self, reporter: Reporter, lease: Lease, clock: Clock) -> None:
        self._reporter = reporter
        self._lease = lease
        self._clock = clock
        self._due_s = float("-inf")
        self._failures = 0
        self._told: Optional[Document] = None
        self._set_aside_until_s: Dict[str, float] = {}

    def deliver(self, jobs: Sequence[Job], status: Optional[Document]) -> None:
        """Send what the registry has not heard yet, unless it is to be left alone.

        Raises:
            LeaseLost, Overtaken: another follower works.
        """
        now = self._clock.elapsed_s()
        if now < self._due_s:
            return
        try:
            self._send_all(jobs, None if status is self._told else status)
        except RegistryError as error:
            self._failures += 1
            self._due_s = now + max(backoff_s(self._failures), error.retry_after_s)
            log(self._clock, error.message)
        else:
            self._failures, self._told = 0, status

    def _send_all(self, jobs: Sequence[Job], status: Optional[Document]) -> None:
        """Send batch after batch, smaller ones after failures: a slow line may not carry a large one in time."""
        for _ in range(_MOST_REQUESTS):
            entries = (entry for job in jobs for entry in self._unsent(job))
            batch = first_batch(entries, max(1, MAX_ENTRIES >> self._failures))
            if not (batch or status):
                return
            by_uuid = {job.job_uuid: job for job in jobs}
            if not self._send(by_uuid, batch, status):
                return  # the registry knows what it has been sent; more of the same would not change that
            status = None

    def _unsent(self, job: Job) -> Iterator[Document]:
        """Yield what is to be sent of a job, nothing while it is set aside."""
        if self._clock.elapsed_s() < self._set_aside_until_s.get(job.job_uuid, float("-inf")):
            return
        try:
            yield from job.journal.unsent()
        except (OSError, ValueError) as error:  # of this job's files; the others are not held up by them
            self._set_aside(job.job_uuid, str(error))

    def _send(self, jobs: Dict[str, Job], batch: List[Document], status: Optional[Document]) -> bool:
        """Send a batch, in parts if the registry refuses it as a whole; whether more is known now than before."""
        try:
            return self._take_in(jobs, self._exchange(batch, status))
        except BatchRefused as error:
            if status is not None:
                log(self._clock, f"tried again without the cluster's status: {error.message}")
                return self._send(jobs, batch, None)
            if len(batch) == 1:
                self._set_aside(batch[0]["job_uuid"], error.message)
                return True
            half = len(batch) // 2
            parts = [self._send(jobs, part, None) for part in (batch[:half], batch[half:])]
            return any(parts)

    def _exchange(self, batch: List[Document], status: Optional[Document]) -> Answer:
        """Send a batch. The registry may know a higher epoch though our disk knows none: then we go above it.

        That is so where somebody removed our folder, or an administrator moved it: epochs began anew.
        """
        try:
            return self._reporter.send(self._lease.epoch, batch, status)
        except Overtaken as overtaken:
            if not self._lease.epoch <= overtaken.epoch < _NO_EPOCH:
                raise
            self._lease.climb(overtaken.epoch)
            log(self._clock, f"{overtaken}; nobody else works here: going on as epoch {self._lease.epoch}")
            return self._reporter.send(self._lease.epoch, batch, status)

    def _take_in(self, jobs: Dict[str, Job], answer: Answer) -> bool:
        """Note what the registry has and what it refused; whether either is news."""
        news = False
        for job_uuid, seq in answer.acknowledged.items():
            if job_uuid in jobs:
                news |= self._acknowledge(jobs[job_uuid], seq)
        for job_uuid, why in answer.refused.items():
            self._set_aside(job_uuid, why)
        return news or bool(jobs.keys() & answer.refused.keys())

    def _acknowledge(self, job: Job, seq: int) -> bool:
        try:
            return job.journal.acknowledge(seq)
        except OSError as error:
            self._set_aside(job.job_uuid, str(error))
            return False

    def _set_aside(self, job_uuid: str, why: str) -> None:
        """Leave a job out for a while, so that it does not hold up the others."""
        self._set_aside_until_s[job_uuid] = self._clock.elapsed_s() + _HEARD_AGAIN_S
        log(self._clock, f"{job_uuid} waits: {why}")
