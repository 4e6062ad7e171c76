"""One job as the follower sees it; everything it must remember is in the job's journal."""

import os
from typing import Any, Dict, FrozenSet, List, Mapping, Sequence, Set, Tuple

from project.core import messages
from project.core.messages import Document
from project.core.slurm.commands import AccountRow, QueueRow
from project.core.slurm.exit_codes import full_exit_code
from project.core.slurm.reasons import obstacle
from project.core.slurm.states import FAILED, PENDING, Phase, is_end_state, is_fault_of_nodes, parse_state
from project.core.states import GatewayState, is_final, is_success, rank
from project.core.units import format_duration, parse_slurm_time_s
from project.wrapper import files
from project.wrapper.follow import observe
from project.wrapper.follow.last_words import last_words
from project.wrapper.follow.pace import Haste
from project.wrapper.job import SUBMISSION, Job

#: A row is some 300 bytes long.
_ROWS_IN_ENTRY = 1000
#: Longer than the accounting has ever been seen to lag behind the queue.
LOST_AFTER_S = 15 * 60.0
#: How long a good end that the queue has told waits for what the accounting has to add: it takes up to 5 s.
_REST_WITHIN_S = 15.0
#: How long after the last task's end mark Slurm is asked at short intervals whether it knows of the end, too.
_END_AWAITED_S = 15.0
#: Slurm looks once a minute for jobs whose time is over, and gives them some more to end (KillWait, slurm.conf(5)).
OVERDUE_S = 5 * 60.0
_OVERDUE = "time limit"
#: Bytes and lines of what one task of several wrote last.
_SHORT = (1000, 8)


class FollowedJob:
    """A job on its way; makes journal entries of what Slurm says about it.

    Attributes:
        job: what it is.
        changed_s: when something last changed, by `Clock.elapsed_s`.
        lost_a_node: whether the last look at it was the one that showed so.
        marks: how many starts and ends of tasks its script has noted.
    """

    def __init__(self, job: Job, now_s: float) -> None:
        self.job = job
        self.changed_s = now_s
        self.lost_a_node = False
        self._listed_s = now_s
        self._listed_by = (False, False)
        self._slurm_job_id = ""
        self._last_seq = 0
        self._tasks: observe.Tasks = {}
        self._noted: Dict[Tuple[str, str], str] = {}
        self.marks = 0
        self._marks_s = now_s
        self._told: Set[str] = set()
        self._expected: FrozenSet[str] = frozenset()
        self._learn()

    @property
    def slurm_job_id(self) -> str:
        """Its Slurm job id, "" before its submission is done and told."""
        if not self._slurm_job_id and files.read_text(os.path.join(self.job.paths.steps, SUBMISSION)) is not None:
            self._slurm_job_id = (files.read_text(self.job.paths.slurm_job_id) or "").strip()
        return self._slurm_job_id

    @property
    def state(self) -> str:
        """Its state as the journal has it."""
        return self.job.journal.last_state()

    @property
    def ended_in_slurm(self) -> bool:
        """Whether Slurm has nothing left to tell."""
        return any(is_end_state(state) for state in self.job.journal.states())

    def is_accounted(self, now_s: float) -> bool:
        """Whether Slurm has nothing left to add to what the tasks took, or has had long enough."""
        waited_s = now_s - self.changed_s
        return self.ended_in_slurm and not (observe.lacks_accounting(self._tasks) and waited_s < _REST_WITHIN_S)

    @property
    def is_final(self) -> bool:
        """Whether Gridferry has nothing left to do for it."""
        return is_final(self.state)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do or to tell."""
        return self.is_final and not self.job.journal.has_unsent()

    def haste(self, now_s: float) -> Haste:
        """How soon Slurm is to be asked by what the job script has noted: a look at one folder, no query."""
        try:
            marks = len(os.listdir(self.job.paths.marks))
        except FileNotFoundError:
            marks = 0
        before, self.marks = self.marks, marks
        is_new = marks != before
        if is_new:
            self._marks_s = now_s
        if marks >= 2 * len(self._task_names()) and now_s - self._marks_s < _END_AWAITED_S:
            return Haste.TURN  # until Slurm knows, too
        if is_new:
            return Haste.SOME if before else Haste.TURN
        return Haste.NONE

    def about_to_ask(self) -> None:
        """Learn what was told, by whomever: what Slurm answers now follows from that, and from nothing later."""
        self._learn()

    def _learn(self) -> None:
        """Take in what the journal tells of the tasks since we last looked, or told something ourselves."""
        for entry in self.job.journal.read(self._last_seq):
            if entry["kind"] == "tasks":
                for row in _rows(entry):
                    self._tasks[row["task"]] = observe.lean({**self._tasks.get(row["task"], {}), **row})
            elif entry["kind"] == "notice" and entry["body"].get("stage") == _OVERDUE:
                self._told.add(_OVERDUE)
            self._last_seq = entry["seq"]

    def take_in(self, queue: Sequence[QueueRow], account: Sequence[AccountRow], now_s: float) -> None:
        """Journal what has changed according to answers of squeue and sacct.

        Raises:
            Superseded: another follower has told of this job since we asked; it is to be looked at afresh.
        """
        listed = observe.listed_by(self.job.job_uuid, self.slurm_job_id, queue, account)
        vanished = any(was and not still for was, still in zip(self._listed_by, listed))
        self._listed_by = listed
        if vanished:
            return  # half an answer looks like this; that it is the whole one is said by the next
        before, expected = self._tasks, self._task_names()
        may_requeue = self.job.spec.resources.requeue
        tasks = observe.observe(
            self.job.job_uuid, self.slurm_job_id, expected, before, queue, account, may_requeue=may_requeue
        )
        self._tasks = {task: self._with_full_exit_code(task, row) for task, row in tasks.items()}
        rows = observe.changed_rows(before, self._tasks)
        steps = observe.changes(self._slurm_states(), self._tasks, len(expected))
        self.lost_a_node = any(is_fault_of_nodes(step.state) for step in steps)
        if rows and steps:
            self.changed_s = now_s
        self._tell_tasks(rows)
        for step in steps:
            self._tell("state", self._state_body(step))
        self._tell_if_lost(queue, account, now_s)
        self._tell_if_overdue(account)
        self._tell_obstacles()

    def _with_full_exit_code(self, task: str, row: observe.TaskRow) -> observe.TaskRow:
        """Return a task's row with the exit code its script noted, where the accounting has told a part of it."""
        told = row.get("ExitCode", "")
        if parse_state(row["State"]).word != FAILED or not told.endswith(":0"):
            return row
        if (task, told) not in self._noted:
            noted = files.read_text(self.job.paths.end_mark(task))
            if noted is None:
                return row
            self._noted[(task, told)] = full_exit_code(told, noted)
        return dict(row, ExitCode=self._noted[(task, told)])

    def _tell(self, kind: str, body: Mapping[str, Any]) -> None:
        self.job.journal.append_next(self._last_seq, kind, body)
        self._last_seq += 1

    def _tell_if_lost(self, queue: Sequence[QueueRow], account: Sequence[AccountRow], now_s: float) -> None:
        """Tell of a job that Slurm no longer lists, once that is no lag any more: nobody shall wait for ever."""
        if self.ended_in_slurm or any(row.name == self.job.job_uuid for row in queue):
            self._listed_s = now_s
        elif now_s - self._listed_s > LOST_AFTER_S:
            rows = observe.rows_of(self.job.job_uuid, self.slurm_job_id, account)
            lost = f"Slurm's queue does not list job {self.slurm_job_id} any more"
            if rows:
                word = parse_state(rows[-1]["State"]).word
                remedy = "Ask the cluster's administrators"
                self.note("error", "queue", f"{lost}, and its accounting says {word}. {remedy}")
            else:
                reason = f"{lost}, nor does its accounting; the job script noted {self.marks} starts and ends"
                self._tell("state", messages.state_body(GatewayState.ERROR.value, stage="queue", reason=reason))

    def _tell_if_overdue(self, account: Sequence[AccountRow]) -> None:
        """Flag a job that runs on although its time is long over: Slurm cannot end it, or was told otherwise."""
        rows = observe.rows_of(self.job.job_uuid, self.slurm_job_id, account)
        longest_s, limit_s = max(map(self._times_s, filter(_is_running, rows)), default=(0, 0))
        if limit_s and longest_s > limit_s + OVERDUE_S and _OVERDUE not in self._told:
            self._told.add(_OVERDUE)
            flag = f"past its time limit: runs for {format_duration(longest_s)} of {format_duration(limit_s)}"
            message = f"the job is {flag}. Cancel it if nobody gave it more time, or ask the cluster's administrators"
            self._tell(
                "notice", {"severity": "warning", "stage": _OVERDUE, "message": message, "detail": "", "flag": flag}
            )

    def _times_s(self, row: AccountRow) -> Tuple[int, int]:
        """Return how long a task runs and how long it may; 0 for no limit.

        Slurm's word on the limit is the newest, and the only one of a job that named none.
        """
        told = row.get("Timelimit", "")
        asked_s = 0 if told else self.job.spec.resources.time_limit_s
        return parse_slurm_time_s(row["Elapsed"]) or 0, parse_slurm_time_s(told) or asked_s or 0

    def take_in_use(self, used: Mapping[str, Mapping[str, str]]) -> None:
        """Journal what the tasks used (`MaxRSS`, `TotalCPU`), by their JobID."""
        rows = [
            {"task": task, "JobID": row["JobID"], **used[row["JobID"]]}
            for task, row in self._tasks.items()
            if row.get("JobID") in used
        ]
        self._tell_tasks(rows)

    def _tell_tasks(self, rows: Sequence[Dict[str, str]]) -> None:
        """Journal rows of tasks, so many in an entry that it stays small enough for any request."""
        for start in range(0, len(rows), _ROWS_IN_ENTRY):
            part = list(rows[start : start + _ROWS_IN_ENTRY])
            self._tell("tasks", {"slurm_job_id": self.slurm_job_id, "rows": part})

    def _tell_obstacles(self) -> None:
        """Journal for each reason why pending tasks will not start as they stand."""
        for reason in sorted({row.get("Reason", "") for row in self._tasks.values() if row["State"] == PENDING}):
            found = obstacle(reason)
            if found is not None and reason not in self._told:
                self._told.add(reason)
                self.note("error", "queue", f"the job will not start: {found.text} ({reason}). {found.remedy}")

    def wants_postprocessing(self) -> bool:
        """Whether a postprocessing module is to run after this end."""
        success = is_success(self._slurm_states()[-1])
        return any(success or step.when == "always" for step in self.job.steps("postprocessing"))

    def finish(self) -> None:
        """Journal that nothing is left to do."""
        self.job.journal.append("state", messages.state_body(GatewayState.DONE.value))

    def note(self, severity: str, stage: str, message: str) -> None:
        """Journal something worth telling, once."""
        self.job.journal.append("notice", {"severity": severity, "stage": stage, "message": message, "detail": ""})

    def _task_names(self) -> FrozenSet[str]:
        """Return the names of the tasks there must be; once submitted, modules change nothing more."""
        if not self._expected:
            array = self.job.spec.resources.array
            self._expected = frozenset(observe.task_names(array.task_ids if array else ()))
        return self._expected

    def _slurm_states(self) -> List[str]:
        return [state for state in self.job.journal.states() if state not in GatewayState.__members__]

    def _state_body(self, step: observe.Change) -> Dict[str, object]:
        since = "" if step.since_s is None else messages.format_utc(step.since_s)
        body = messages.state_body(step.state, since=since, counts=observe.counts(self._tasks))
        if rank(step.state) == rank("PENDING"):
            reason = next(iter(self._tasks.values())).get("Reason", "")
            return dict(body, reason="" if reason == "None" else reason)
        if is_end_state(step.state):
            worst = observe.worst_task(self._tasks)
            detail = "" if is_success(step.state) else self._error_tail(worst)
            details = last_words(self._tasks, lambda row: self._error_tail(row, *_SHORT))
            return dict(
                body, exit_code=worst.get("ExitCode", ""), detail=detail, **({"details": details} if details else {})
            )
        return body

    def _error_tail(self, row: Mapping[str, str], *limits: int) -> str:
        """Return the end of what a task wrote to its standard error."""
        name = "slurm-{}.err".format(row.get("JobID", ""))
        return files.tail(os.path.join(self.job.paths.directory, name), *limits)


def _rows(entry: Document) -> List[Dict[str, str]]:
    return list(entry["body"]["rows"])


def _is_running(row: AccountRow) -> bool:
    return parse_state(row["State"]).phase is Phase.RUNNING
