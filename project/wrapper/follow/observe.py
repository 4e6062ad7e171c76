"""What squeue and sacct say about a job, put together; pure functions.

Rules, each from a trap somebody fell into:
* a query that was not answered is not an observation: these functions are then not called at all (psij, fractal);
* a row counts only if it carries our UUID as its name: Slurm ids are used again (submitit#1660);
* the queue, asked last, wins over the accounting: what it lists as waiting or running has not ended, whatever the
  accounting says of an earlier run (Slurm started it again). A good end is believed of either. Any other is the
  accounting's to tell, which knows the exit code; while an ended job completes, only one that may be started again is
  waited for;
* a row of the accounting that bears no name yet counts, unless the queue has this id under another name;
* array tasks cancelled while pending vanish from the queue and get no end in the accounting (measured); when it were
  all of them, both list the array as a plain job. What is missing twice in a row is taken for cancelled;
* of a job that ends within seconds the accounting tells the end before all else: no partition, no requested
  resources, no directory, and `allocation` for a name (measured: for up to 5 s), and nothing of an array's tasks.
  Such an end waits for the rest, unless the queue tells it, too; then the rest follows later;
* after a node failure the accounting says NODE_FAIL for up to a second though the job is queued again (measured):
  such an end counts once the queue no longer has the job;
* why a job waits is the queue's to tell: the accounting of 24.11 says None of every reason (measured);
* a job cancelled while pending has a start in the accounting, the time of its cancellation, but no node (measured).
"""

import sys
from typing import Collection, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from project.core.slurm.commands import REPORTED_COLUMNS, AccountRow, QueueRow
from project.core.slurm.ids import parse_id, parse_task_list
from project.core.slurm.states import (
    CANCELLED,
    COMPLETED,
    COMPLETING,
    PENDING,
    RUNNING,
    Phase,
    aggregate,
    parse_state,
)
from project.core.states import rank
from project.core.units import parse_slurm_time_s
from project.wrapper.clock import parse_local_s

#: A job's name in the accounting until slurmctld has told it more (measured: for up to 5 s).
_NAME_NOT_KNOWN_YET = "allocation"
_PLAIN = ""
_NO_NODE = ("", "None assigned")
_REASON = "Reason"
#: Ends that the queue's word is enough for, and the exit code of a good one.
_ENDS_OF_THE_QUEUE = (CANCELLED, COMPLETED)
_GOOD_EXIT = "0:0"
#: Set in a task's row while the task was missing in the last answers.
_MISSED = "Missed"
#: In a task's row: in how many answers its end has come without the rest. Then it is believed as it is.
_INCOMPLETE = "Incomplete"
_BELIEVED_AT = 4
#: Columns that grow while a task runs, and when they are told again: seldom enough for arrays of thousands.
_GROWING = ("Elapsed", "CPUTime")
_GROWN_FACTOR, _GROWN_S = 1.1, 60

TaskRow = Dict[str, str]
Tasks = Dict[str, TaskRow]


class Change(NamedTuple):
    """The whole job entered a state.

    Attributes:
        state: Slurm's word.
        since_s: when, in seconds since 1970; None if Slurm does not say.
    """

    state: str
    since_s: Optional[float]


def observe(
    job_uuid: str,
    slurm_job_id: str,
    expected: Collection[str],
    known: Tasks,
    queue: Sequence[QueueRow],
    account: Sequence[AccountRow],
    *,
    may_requeue: bool = False,
) -> Tasks:
    """Return the tasks of a job as they are now; a plain job is the task "".

    Args:
        job_uuid: the job's name in Slurm.
        slurm_job_id: its id.
        expected: names of its tasks; for a moment the accounting shows an array as a plain job, too (measured).
        known: tasks as last seen; what is not seen now stays as it was.
        queue: squeue's rows of the user, asked after
        account: sacct's rows.
        may_requeue: whether Slurm may start the job again after an end.

    Raises:
        ValueError: squeue lists the job's tasks in a way unknown here; nothing is concluded from such an answer.
    """
    missed = {task for task, row in known.items() if _MISSED in row}
    tasks = {task: {column: cell for column, cell in row.items() if column != _MISSED} for task, row in known.items()}
    queued = [row for row in queue if row.slurm_job_id == slurm_job_id and row.name == job_uuid]
    live = _live(queued, may_requeue=may_requeue)
    listed: List[str] = []
    for row in queued:
        listed += _names_in_queue(row)
        tasks.update(_queued_tasks(row, tasks))
    is_reused = any(row.slurm_job_id == slurm_job_id and row.name != job_uuid for row in queue)
    for told in rows_of(job_uuid, slurm_job_id, account, unnamed=not is_reused):
        if parse_state(told["State"]).word != PENDING:  # of pending tasks only the queue knows the latest
            listed += task_names(parse_id(told["JobID"]).tasks)
        tasks.update(_accounted_tasks(told, tasks, live))
    if listed:
        for task in set(expected).difference(listed):
            tasks[task] = _missing_task(tasks.get(task, {}), _job_id(slurm_job_id, task), was_missed=task in missed)
    return {task: _kept(known.get(task, {}), row) for task, row in tasks.items() if task in expected}


def _kept(before: TaskRow, row: TaskRow) -> TaskRow:
    """Return the row to remember; of thousands, most are as they were, and the others made of the same few words."""
    row = _steady(before, row)
    return before if row == before else lean(row)


def lean(row: Mapping[str, str]) -> TaskRow:
    """Return a row whose cells are shared with all others that say the same."""
    return {sys.intern(column): sys.intern(cell) for column, cell in row.items()}


def _steady(before: TaskRow, row: TaskRow) -> TaskRow:
    """Return a running task's row with the times last told until they have grown by more than a little."""
    if row.get("State") != RUNNING or before.get("State") != RUNNING:
        return row
    told_s, grown_s = (parse_slurm_time_s(one.get("Elapsed", "")) for one in (before, row))
    if told_s is None or grown_s is None or grown_s >= told_s * _GROWN_FACTOR + _GROWN_S:
        return row
    return dict(row, **{column: before[column] for column in _GROWING if column in before})


def listed_by(
    job_uuid: str, slurm_job_id: str, queue: Sequence[QueueRow], account: Sequence[AccountRow]
) -> Tuple[bool, bool]:
    """Return whether queue and accounting list a job; what listed it a moment ago may have given half an answer."""
    in_queue = any((row.slurm_job_id, row.name) == (slurm_job_id, job_uuid) for row in queue)
    return in_queue, bool(rows_of(job_uuid, slurm_job_id, account))


def rows_of(
    job_uuid: str, slurm_job_id: str, account: Sequence[AccountRow], *, unnamed: bool = True
) -> List[AccountRow]:
    """Return those of sacct's rows that are about a job; with `unnamed` also those that bear no name yet."""
    names = (job_uuid, _NAME_NOT_KNOWN_YET) if unnamed else (job_uuid,)
    return [row for row in account if row["JobName"] in names and parse_id(row["JobID"]).slurm_job_id == slurm_job_id]


def _live(queued: Iterable[QueueRow], *, may_requeue: bool) -> Set[str]:
    """Return the tasks that the queue shows in a state no end leads to."""
    ending = () if may_requeue else (COMPLETING,)
    rows = (row for row in queued if not (parse_state(row.state).ended or parse_state(row.state).word in ending))
    return {task for row in rows for task in _names_in_queue(row)}


def _missing_task(row: TaskRow, job_id: str, *, was_missed: bool) -> TaskRow:
    """Return the row of a task that is not in the queue and has not begun, though Slurm knows its job."""
    if parse_state(row.get("State", PENDING)).ended:
        return row
    state = CANCELLED if was_missed else row.get("State", PENDING)
    return dict(row, JobID=job_id, State=state, **({} if was_missed else {_MISSED: "yes"}))


def task_names(listed: Sequence[int]) -> List[str]:
    """Return the names of array tasks; a plain job is the one task ""."""
    return [str(task) for task in listed] or [_PLAIN]


def _names_in_queue(row: QueueRow) -> List[str]:
    return task_names([] if row.tasks in ("N/A", "") else parse_task_list(row.tasks))


def _queued_tasks(row: QueueRow, known: Tasks) -> Tasks:
    """Return what the queue knows: what has not ended, good ends, and cancellations, which may be told only here."""
    state = parse_state(row.state)
    if state.ended and state.word not in _ENDS_OF_THE_QUEUE:
        return {}
    found: Tasks = {}
    times = {"Submit": row.submit}
    if state.word == PENDING:
        times["Start"] = "Unknown"
    elif row.start not in ("N/A", ""):
        times["Start"] = row.start
    for task in _names_in_queue(row):
        before = known.get(task, {})
        if not parse_state(before.get("State", PENDING)).ended:
            changed = dict(times, State=state.word, JobID=_job_id(row.slurm_job_id, task))
            if state.word == COMPLETED:
                changed.update(ExitCode=_GOOD_EXIT)
            if state.word == PENDING:
                changed.update(Reason=row.reason)
            found[task] = dict(before, **changed)
        elif state.ended:  # told by a follower that died: the journal keeps no times
            found[task] = dict(times, **before)
    return found


def _job_id(slurm_job_id: str, task: str) -> str:
    return f"{slurm_job_id}_{task}" if task else slurm_job_id


def _accounted_tasks(row: AccountRow, known: Tasks, live: Collection[str]) -> Tasks:
    """Return what the accounting knows; while a task has not ended, the queue's newer word on its state stays."""
    word = parse_state(row["State"])
    row = {column: cell for column, cell in row.items() if column != _REASON}
    found: Tasks = {}
    for task in task_names(parse_id(row["JobID"]).tasks):
        before = known.get(task, {})
        if word.ended and task in live:
            found[task] = dict(row, **before)
        elif word.ended and row["JobName"] == _NAME_NOT_KNOWN_YET and not _is_believed(before):
            found[task] = _told_too_early(row, before, task)
        elif word.ended or rank(word.word) >= _how_far(before.get("State", ""), row):
            found[task] = dict(before, **dict(row, JobID=_job_id(parse_id(row["JobID"]).slurm_job_id, task)))
        else:
            found[task] = dict(row, **before)
    return found


def _how_far(state: str, row: AccountRow) -> int:
    """How far along a state is; for a row without a name COMPLETING and its like are as far as RUNNING."""
    is_running = row["JobName"] == _NAME_NOT_KNOWN_YET and parse_state(state).phase is Phase.RUNNING
    return rank(RUNNING if is_running else state)


def _is_believed(before: TaskRow) -> bool:
    return int(before.get(_INCOMPLETE, "0")) + 1 >= _BELIEVED_AT


def _told_too_early(row: AccountRow, before: TaskRow, task: str) -> TaskRow:
    """Return the row of a task of which only the end is known: for now it has gone as far as it is sure to have."""
    looks = str(int(before.get(_INCOMPLETE, "0")) + 1)
    known = {"JobID": _job_id(parse_id(row["JobID"]).slurm_job_id, task), "Submit": row["Submit"], _INCOMPLETE: looks}
    if parse_state(before.get("State", PENDING)).ended:
        return dict(before, **known)
    if row["NodeList"] in _NO_NODE:
        return dict({"State": PENDING}, **dict(before, **known))
    return dict(before, State=RUNNING, Start=row["Start"], NodeList=row["NodeList"], **known)


def changed_rows(before: Tasks, after: Tasks) -> List[TaskRow]:
    """Return the rows to report: the registry's columns of every task that is not as it was."""
    return [
        _reported(task, row)
        for task, row in after.items()
        if _reported(task, before.get(task, {})) != _reported(task, row)
    ]


def _reported(task: str, row: TaskRow) -> TaskRow:
    return dict({column: row.get(column, "") for column in REPORTED_COLUMNS}, task=task)


def counts(tasks: Tasks) -> Dict[str, int]:
    """Return how many tasks are in each state."""
    words = [parse_state(row["State"]).word for row in tasks.values()]
    return {word: words.count(word) for word in sorted(set(words))}


def changes(told: Sequence[str], tasks: Tasks, expected_tasks: int) -> List[Change]:
    """Return what the whole job went through since what was told of it (Slurm's words), in order.

    States too short to be seen are taken from the times Slurm keeps: a job that ended did run if it has a start.
    """
    now = aggregate((parse_state(row["State"]) for row in tasks.values()), expected_tasks)
    if now is None or [now] == list(told[-1:]):
        return []
    last = next((word for word in reversed(told) if rank(word)), "")  # a word nobody knows leads nowhere
    started = {task: row for task, row in tasks.items() if _has_run(row)}
    way = [Change(PENDING, _first(tasks, "Submit")), Change(RUNNING, _first(started, "Start"))]
    passed = [step for step in way if rank(last) < rank(step.state) < rank(now)]
    seen = [step for step in passed if step.since_s is not None]
    return [*seen, Change(now, _since(now, tasks))]


def _has_run(row: TaskRow) -> bool:
    return row.get("NodeList", "") not in _NO_NODE or row["State"] == COMPLETED


def lacks_accounting(tasks: Tasks) -> bool:
    """Whether a task has ended well of which the accounting has not told what it took."""
    return any(row["State"] == COMPLETED and not row.get("WorkDir") for row in tasks.values())


def _since(state: str, tasks: Tasks) -> Optional[float]:
    if state == PENDING:
        return _first(tasks, "Submit")
    if state == RUNNING:
        return _first(tasks, "Start")
    ends = _times(tasks, "End")
    return max(ends) if ends else None


def _first(tasks: Tasks, column: str) -> Optional[float]:
    times = _times(tasks, column)
    return min(times) if times else None


def _times(tasks: Tasks, column: str) -> List[float]:
    parsed = (parse_local_s(row.get(column, "")) for row in tasks.values())
    return [moment for moment in parsed if moment is not None]


def worst_task(tasks: Tasks) -> TaskRow:
    """Return the row of the task that ended worst, the one people want to hear about."""
    return max(tasks.values(), key=lambda row: (parse_state(row["State"]).severity, row.get("ExitCode", "") != "0:0"))
