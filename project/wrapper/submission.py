"""Submits a job exactly once: hold, write the id down, release that id; after any doubt, look before trying again.

Promised: the user's commands begin under exactly one Slurm job. A surplus job is held, so it never runs them; it is
cancelled and told. See docs/decisions/0001-exactly-once.md.
"""

import contextlib
import time
from typing import Any, Callable, List, Set

from project.core.errors import GridferryError, SchedulerUnavailable, SubmissionRefused, SubmissionUnknown
from project.core.layout import JobPaths
from project.core.slurm.commands import QueueRow, refusal
from project.core.slurm.ids import parse_id
from project.core.slurm.refusals import is_silence
from project.core.slurm.states import PENDING
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.journal import Journal
from project.wrapper.lease import Lease
from project.wrapper.scheduler import Scheduler
from project.wrapper.surplus import cancel_surplus

#: Accounting shows a job by name up to 5.1 s after its submission (measured); after that silence means absence.
SETTLE_S = 8.0
#: Waits between attempts; slurmctld may be away for minutes while it is restarted.
RETRY_WAITS_S = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0, 60.0, 60.0)
_TWO_DAYS_S = 2 * 86400
#: So often in a row the same words are Slurm's answer.
_ENOUGH = 3
_HELD = ("JobHeldUser", "JobHeldAdmin")


class Submission:
    """One job's way into Slurm; may be started again after any crash.

    Args:
        job_uuid: also Slurm's job name.
        paths: of the job.
        slurm: to ask.
        journal: where surplus jobs are told.
        lease: checked before every sbatch.
        clock: for waits.
    """

    def __init__(
        self, job_uuid: str, paths: JobPaths, slurm: Scheduler, journal: Journal, lease: Lease, clock: Clock
    ) -> None:
        self._job_uuid = job_uuid
        self._paths = paths
        self._slurm = slurm
        self._journal = journal
        self._lease = lease
        self._clock = clock

    def submit(self) -> str:
        """Return the job's one Slurm job id, released.

        Raises:
            SubmissionRefused: Slurm refused the job for good; there is none.
            LeaseLost: another process goes on with this job.
            SubmissionUnknown: it could not be found out; calling again goes on from there.
        """
        known = (files.read_text(self._paths.slurm_job_id) or "").strip()
        own = known or self._obtain()
        self._release(own, look_first=bool(known))
        return own

    def _obtain(self) -> str:
        """Return the id of a Slurm job of ours; one is submitted only where there is none.

        After any doubt queue and accounting are asked, right before each new try. What Slurm says again and again
        while it answers them is its answer, even in words we do not know.
        """
        in_doubt, said = files.read_json(self._paths.intent) is not None, [""]
        error: GridferryError = SubmissionUnknown("")
        for wait_s in (0.0, *RETRY_WAITS_S, None):
            if in_doubt:
                found = self._search(max(SETTLE_S, wait_s or 0.0))
                if found:
                    return self._adopt(found)
            if wait_s is None or isinstance(error, SubmissionRefused):
                raise error
            try:
                return self._adopt([self._submit()])
            except (SubmissionRefused, SubmissionUnknown) as caught:
                if not (in_doubt or isinstance(caught, SubmissionUnknown)):
                    raise
                in_doubt, error = True, caught
                said.append(caught.detail)
                if said[-_ENOUGH:] == [caught.detail] * _ENOUGH and not is_silence(caught.detail):
                    error = refusal(caught.detail)
        raise AssertionError("unreachable: the last wait is None")

    def _submit(self) -> str:
        self._lease.check()
        self._write_intent()
        return self._slurm.submit(self._paths.script)

    def _write_intent(self) -> None:
        """Put on record that from now on there may be a Slurm job; the first time counts."""
        if files.read_json(self._paths.intent) is None:
            files.replace_json(self._paths.intent, {"schema": 1, "at_s": self._clock.now_s()})

    def _search(self, settle_s: float) -> List[str]:
        """Return the ids of all Slurm jobs with our name, lowest first; that there is none is said by two looks."""
        found = self._search_once()
        if not found:
            self._clock.sleep(settle_s)
            found = self._search_once()
        return found

    def _search_once(self) -> List[str]:
        ids: Set[str] = {row.slurm_job_id for row in self._answered(self._named_rows)}
        ids.update(parse_id(row["JobID"]).slurm_job_id for row in self._answered(self._named_accounts))
        return sorted(ids, key=int)

    def _named_rows(self) -> List[QueueRow]:
        return self._slurm.queue(self._job_uuid)

    def _named_accounts(self) -> List[Any]:
        intent = files.read_json(self._paths.intent)
        since_s = float(intent["at_s"]) - _TWO_DAYS_S
        return self._slurm.account_by_name(
            self._job_uuid, time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since_s))
        )

    def _answered(self, query: Callable[[], List[Any]]) -> List[Any]:
        """Ask until there is an answer.

        Raises:
            SubmissionUnknown: there was none for as long as we wait.
        """
        for wait_s in RETRY_WAITS_S:
            try:
                return query()
            except SchedulerUnavailable:
                self._clock.sleep(wait_s)
        raise SubmissionUnknown(
            "Slurm does not say whether it took the job",
            remedy="Resume later: the job is looked for before anything is submitted again",
        )

    def _adopt(self, found: List[str]) -> str:
        """Write down the first id as the job's own; whatever stands there already wins. Cancel the rest."""
        files.create(self._paths.slurm_job_id, found[0].encode())
        own = (files.read_text(self._paths.slurm_job_id) or "").strip()
        for surplus in found:
            if surplus != own:
                with contextlib.suppress(SchedulerUnavailable):  # it stays held, and the follower cancels it
                    cancel_surplus(self._slurm, self._journal, surplus)
        return own

    def _release(self, slurm_job_id: str, *, look_first: bool) -> None:
        """Release the job once; a user may hold it again later, and then it stays held.

        Args:
            slurm_job_id: of the job.
            look_first: whether it was written down a while ago; a Slurm that lost its state gives ids out again.
        """
        if files.read_text(self._paths.released) is not None:
            return
        for wait_s in (0.5, *RETRY_WAITS_S):
            try:
                if not look_first or self._is_held(slurm_job_id):
                    self._slurm.release(slurm_job_id)
                break
            except SchedulerUnavailable:
                look_first = True  # it may have been done all the same
                self._clock.sleep(wait_s)
        else:
            raise SubmissionUnknown(
                f"Slurm job {slurm_job_id} is held and could not be released", remedy="Resume later"
            )
        files.create(self._paths.released, slurm_job_id.encode())

    def _is_held(self, slurm_job_id: str) -> bool:
        """Whether the queue shows this very job as held; one that was cancelled while it was keeps the word.

        Raises:
            SchedulerUnavailable: it does not answer.
        """
        rows = [row for row in self._named_rows() if row.slurm_job_id == slurm_job_id]
        return any(row.state == PENDING and row.reason in _HELD for row in rows)
