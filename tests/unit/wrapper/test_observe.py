"""What squeue and sacct say, put together: rows as Slurm 22.05 printed them, and what a job went through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core.slurm.commands import REPORTED_COLUMNS, QueueRow
from project.core.slurm.states import SLURM_STATES, parse_state
from project.wrapper.clock import parse_local_s
from project.wrapper.follow import observe
from project.wrapper.follow.observe import Change, Tasks

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
SUBMIT, START, END = "2026-11-20T10:00:00", "2026-11-20T10:00:05", "2026-11-20T10:01:00"


def queued(state: str, tasks: str = "N/A", *, job: str = "41", name: str = _UUID, reason: str = "None") -> QueueRow:
    """One line of squeue."""
    start = "N/A" if state == "PENDING" else START
    return QueueRow(job, tasks, state, reason, start, SUBMIT, name)


def accounted(job_id: str, state: str, *, name: str = _UUID, **columns: str) -> dict[str, str]:
    """One line of sacct."""
    word = parse_state(state)
    has_node = word.word not in ("PENDING", "REQUEUED")
    row = {
        "JobID": job_id, "State": state, "ExitCode": "0:0", "JobName": name, "Submit": SUBMIT,
        "NodeList": "node1" if has_node else "None assigned",
        "Start": START if has_node else "Unknown",
        "End": END if word.ended else "Unknown",
        "Reason": "None",
    }  # fmt: skip
    return {**row, **columns}


def look(
    known: Tasks, queue: list[QueueRow], account: list[dict[str, str]], tasks: tuple[int, ...] = ()
) -> tuple[Tasks, dict[str, str]]:
    """Take in one pair of answers; return all and just the states."""
    found = observe.observe(_UUID, "41", observe.task_names(tasks), known, queue, account)
    return found, {task: row["State"] for task, row in found.items()}


def test_why_a_task_waits_is_the_queues_to_tell() -> None:
    """The accounting of some generations says None whatever the reason; what the queue said stays."""
    found, _ = look({}, [queued("PENDING", reason="PartitionTimeLimit")], [accounted("41", "PENDING")])
    assert found[""]["Reason"] == "PartitionTimeLimit"


@pytest.mark.parametrize(
    ("queue", "account", "state"),
    [
        ([], [], None),
        ([queued("PENDING")], [], "PENDING"),
        ([queued("RUNNING")], [], "RUNNING"),
        ([queued("RUNNING")], [accounted("41", "PENDING")], "RUNNING"),
        ([queued("PENDING")], [accounted("41", "REQUEUED")], "PENDING"),
        ([queued("PENDING")], [accounted("41", "RUNNING")], "RUNNING"),
        ([queued("COMPLETING")], [accounted("41", "RUNNING")], "RUNNING"),
        ([queued("COMPLETING")], [accounted("41", "FAILED")], "FAILED"),
        ([queued("COMPLETING")], [accounted("41", "PENDING", name="allocation", NodeList="node1")], "COMPLETING"),
        ([queued("COMPLETED")], [accounted("41", "COMPLETED")], "COMPLETED"),
        ([queued("PENDING")], [accounted("41", "NODE_FAIL")], "PENDING"),
        ([queued("RUNNING")], [accounted("41", "PREEMPTED")], "RUNNING"),
        ([queued("NODE_FAIL")], [accounted("41", "NODE_FAIL")], "NODE_FAIL"),
        ([], [accounted("41", "NODE_FAIL")], "NODE_FAIL"),
        ([queued("COMPLETED")], [accounted("41", "RUNNING")], "COMPLETED"),
        ([queued("COMPLETED")], [], "COMPLETED"),
        ([queued("FAILED")], [accounted("41", "RUNNING")], "RUNNING"),
        ([queued("FAILED")], [], None),
        ([queued("CANCELLED")], [], "CANCELLED"),
        ([], [accounted("41", "CANCELLED by 1000")], "CANCELLED by 1000"),
        ([], [accounted("41", "RUNNING", name="allocation")], "RUNNING"),
        ([queued("RUNNING", name="other")], [], None),
        ([queued("RUNNING", job="42")], [], None),
        ([], [accounted("41", "COMPLETED", name="other")], None),
        ([queued("RUNNING", name="other")], [accounted("41", "RUNNING", name="allocation")], None),
        ([queued("RUNNING")], [accounted("41", "NODE_FAIL")], "RUNNING"),
        ([queued("PENDING")], [accounted("41", "PREEMPTED")], "PENDING"),
        ([queued("PENDING")], [accounted("41", "CANCELLED by 0")], "PENDING"),
        ([], [accounted("42", "COMPLETED")], None),
        ([queued("HIBERNATING")], [], "HIBERNATING"),
    ],
)
def test_a_plain_job(queue: list[QueueRow], account: list[dict[str, str]], state: str | None) -> None:
    """What the queue shows live is not ended; else the newer word; rows of another id or name say nothing."""
    assert look({}, queue, account)[1].get("") == state


def test_an_end_told_before_all_else_waits_for_the_rest() -> None:
    """An end without name, resources and directory is a running job until the accounting knows all of it."""
    early = accounted("41", "FAILED", name="allocation", ReqTRES="", WorkDir="")
    tasks, states = look({}, [queued("FAILED")], [early])
    assert states == {"": "RUNNING"}
    tasks, states = look(tasks, [queued("FAILED")], [accounted("41", "FAILED", ReqTRES="cpu=1", WorkDir="/w")])
    assert states == {"": "FAILED"}
    assert (tasks[""]["ReqTRES"], tasks[""]["WorkDir"], tasks[""]["End"]) == ("cpu=1", "/w", END)


@pytest.mark.parametrize(
    "early", [[accounted("41", "COMPLETED", name="allocation")], [accounted("41", "RUNNING")], []]
)
def test_a_good_end_is_believed_of_the_queue_and_the_rest_follows(early: list[dict[str, str]]) -> None:
    """The accounting of a short array knows none of its tasks for seconds: what they took is told once it does."""
    tasks, _ = look({}, [queued("RUNNING", "1-2")], [], (1, 2))
    tasks, states = look(tasks, [queued("COMPLETED", "1"), queued("COMPLETED", "2")], early, (1, 2))
    assert states == {"1": "COMPLETED", "2": "COMPLETED"}
    assert observe.changes(["PENDING"], tasks, 2) == [
        Change("RUNNING", parse_local_s(START)),
        Change("COMPLETED", None),
    ]
    assert {row["ExitCode"] for row in tasks.values()} == {"0:0"}
    assert observe.lacks_accounting(tasks)
    late = [accounted(f"41_{task}", "COMPLETED", WorkDir="/w", Elapsed="00:00:01") for task in (1, 2)]
    complete, states = look(tasks, [], late, (1, 2))
    assert states == {"1": "COMPLETED", "2": "COMPLETED"}
    assert not observe.lacks_accounting(complete)
    assert [row["Elapsed"] for row in observe.changed_rows(tasks, complete)] == ["00:00:01"] * 2
    assert observe.changes(["COMPLETED"], complete, 2) == []


def test_an_end_that_stays_incomplete_is_believed_after_a_while() -> None:
    """Where the accounting has lost the rest of a job, its end is still told."""
    early = accounted("41", "FAILED", name="allocation")
    tasks: Tasks = {}
    seen = []
    for _ in range(4):
        tasks, states = look(tasks, [], [early])
        seen.append(states[""])
    assert seen == ["RUNNING", "RUNNING", "RUNNING", "FAILED"]


def test_an_early_end_without_a_node_was_never_running() -> None:
    """A job cancelled while it waits is not taken for a running one meanwhile."""
    early = accounted("41", "CANCELLED by 0", name="allocation", NodeList="None assigned")
    tasks, _ = look({}, [queued("PENDING")], [])
    assert look(tasks, [], [early])[1] == {"": "PENDING"}
    assert look({}, [], [early])[1] == {"": "PENDING"}


def test_the_pending_rest_of_an_array_is_one_row() -> None:
    """Running tasks have rows of their own in the queue and in the accounting; the rest is a list with a throttle."""
    queue = [
        queued("PENDING", "3-4%2", reason="JobArrayTaskLimit"),
        queued("COMPLETING", "1"),
        queued("RUNNING", "2"),
    ]
    account = [accounted("41_1", "COMPLETED"), accounted("41_[3-4%2]", "PENDING")]
    found, states = look({}, queue, account, (1, 2, 3, 4))
    assert states == {"1": "COMPLETED", "2": "RUNNING", "3": "PENDING", "4": "PENDING"}
    assert [found[task]["JobID"] for task in "1234"] == ["41_1", "41_2", "41_3", "41_4"]
    assert observe.counts(found) == {"COMPLETED": 1, "PENDING": 2, "RUNNING": 1}


def test_an_array_shown_as_a_plain_job_for_a_moment() -> None:
    """Just after the submission the accounting knows no tasks yet; that row is nobody's."""
    assert look({}, [queued("PENDING", "1-2")], [accounted("41", "PENDING")], (1, 2))[1] == {
        "1": "PENDING",
        "2": "PENDING",
    }


@pytest.mark.parametrize(
    ("may_requeue", "state", "next_state"), [(True, "RUNNING", "PENDING"), (False, "NODE_FAIL", "NODE_FAIL")]
)
def test_an_end_that_may_be_none_is_waited_for(may_requeue: bool, state: str, next_state: str) -> None:
    """While it completes, only a job that Slurm may start again has not surely ended."""
    known: Tasks = {}
    seen = []
    for word in ("RUNNING", "COMPLETING", "PENDING"):
        account = [accounted("41", "RUNNING" if word == "RUNNING" else "NODE_FAIL")]
        known = observe.observe(_UUID, "41", [""], known, [queued(word)], account, may_requeue=may_requeue)
        seen.append(known[""]["State"])
    told = [change.state for change in observe.changes(["PENDING", "RUNNING"], known, 1)]
    assert (seen, told) == (["RUNNING", *([state] if not may_requeue else ["COMPLETING"]), next_state], [next_state])


def test_what_has_ended_stays_ended() -> None:
    """A late word of the queue does not bring a task back to life."""
    known, _ = look({}, [], [accounted("41", "FAILED", ExitCode="1:0")])
    found, states = look(known, [queued("COMPLETING")], [])
    assert states == {"": "FAILED"}
    assert found == known


def test_a_silent_accounting_changes_nothing() -> None:
    """Rows that are not there now stay as they were."""
    known, _ = look({}, [queued("RUNNING")], [])
    assert look(known, [], []) == (known, {"": "RUNNING"})


def test_tasks_cancelled_while_pending_vanish_and_count_as_cancelled() -> None:
    """`scancel 41_[2-3]`: neither answer lists them any more; twice missing is cancelled, once may be a gap."""
    known, _ = look({}, [queued("RUNNING", "1"), queued("PENDING", "2-4")], [], (1, 2, 3, 4))
    rest = [queued("RUNNING", "1"), queued("PENDING", "4")]
    known, states = look(known, rest, [], (1, 2, 3, 4))
    assert states == {"1": "RUNNING", "2": "PENDING", "3": "PENDING", "4": "PENDING"}
    known, states = look(known, rest, [], (1, 2, 3, 4))
    assert states == {"1": "RUNNING", "2": "CANCELLED", "3": "CANCELLED", "4": "PENDING"}
    known, states = look(known, [], [accounted("41_1", "COMPLETED"), accounted("41_4", "COMPLETED")], (1, 2, 3, 4))
    assert observe.changes(["RUNNING"], known, 4)[-1].state == "CANCELLED"


def test_the_accountings_old_list_of_pending_tasks_does_not_bring_them_back() -> None:
    """It still names tasks that the queue has let go."""
    queue, account = [queued("PENDING", "1-2")], [accounted("41_[1-4]", "PENDING")]
    known: Tasks = {}
    for _ in range(3):
        known, states = look(known, queue, account, (1, 2, 3, 4))
    assert states == {"1": "PENDING", "2": "PENDING", "3": "CANCELLED", "4": "CANCELLED"}


def test_tasks_cancelled_before_the_first_look_count_too() -> None:
    """They were never seen, but there must have been that many."""
    account = [accounted("41_1", "COMPLETED")]
    known, _ = look({}, [], account, (1, 2))
    known, states = look(known, [], account, (1, 2))
    assert states == {"1": "COMPLETED", "2": "CANCELLED"}
    assert known["2"]["JobID"] == "41_2"


def test_an_array_whose_tasks_were_all_cancelled_one_by_one() -> None:
    """Slurm then shows it as a plain cancelled job, in the queue and in the accounting."""
    known: Tasks = {}
    for _ in range(2):
        known, states = look(known, [queued("CANCELLED")], [accounted("41", "CANCELLED by 0")], (1, 2))
    assert states == {"1": "CANCELLED", "2": "CANCELLED"}
    assert [change.state for change in observe.changes([], known, 2)] == ["CANCELLED"]


def test_a_task_that_was_missed_once_and_found_again() -> None:
    """The queue had forgotten it before the accounting knew: it is not cancelled, and the count starts anew."""
    others = [queued("RUNNING", "2")]
    known, _ = look({}, [queued("RUNNING", "1"), *others], [], (1, 2))
    known, _ = look(known, others, [], (1, 2))
    known, states = look(known, others, [accounted("41_1", "RUNNING")], (1, 2))
    assert states["1"] == "RUNNING"
    known, states = look(known, others, [], (1, 2))
    assert states["1"] == "RUNNING"


def test_only_what_changed_is_reported() -> None:
    """The registry's columns of tasks that are not as they were; nothing twice."""
    before, _ = look({}, [queued("PENDING", "1-2")], [], (1, 2))
    after, _ = look(before, [queued("PENDING", "2"), queued("RUNNING", "1")], [], (1, 2))
    rows = observe.changed_rows(before, after)
    assert [(row["task"], row["State"]) for row in rows] == [("1", "RUNNING")]
    assert set(rows[0]) == {*REPORTED_COLUMNS, "task"}
    assert observe.changed_rows(after, after) == []


def test_a_running_task_is_not_told_anew_just_because_time_passes() -> None:
    """Its times are told once they have grown by more than a tenth and a minute, and at its end as they are."""
    known, _ = look({}, [queued("RUNNING")], [accounted("41", "RUNNING", Elapsed="00:10:00", CPUTime="00:20:00")])
    soon, _ = look(known, [], [accounted("41", "RUNNING", Elapsed="00:11:59", CPUTime="00:23:58")])
    assert observe.changed_rows(known, soon) == []
    later, _ = look(soon, [], [accounted("41", "RUNNING", Elapsed="00:12:00", CPUTime="00:24:00")])
    (row,) = observe.changed_rows(soon, later)
    assert (row["Elapsed"], row["CPUTime"]) == ("00:12:00", "00:24:00")
    ended, _ = look(later, [], [accounted("41", "COMPLETED", Elapsed="00:12:01", CPUTime="00:24:02")])
    assert observe.changed_rows(later, ended)[0]["Elapsed"] == "00:12:01"


@pytest.mark.parametrize("text", ["", "Unknown", "None", "N/A", "2026-11-20", "10:00"])
def test_what_is_no_time_is_none(text: str) -> None:
    """Slurm has several words for a time that is not known."""
    assert parse_local_s(text) is None


def test_the_worst_task_is_the_one_to_hear_about() -> None:
    """By severity of its state, then by an exit code that is not zero."""
    tasks = {
        "1": accounted("41_1", "COMPLETED"),
        "2": accounted("41_2", "FAILED", ExitCode="0:0"),
        "3": accounted("41_3", "FAILED", ExitCode="9:0"),
    }
    assert observe.worst_task(tasks)["JobID"] == "41_3"


_WORDS = st.sampled_from(sorted(SLURM_STATES))


@given(st.lists(st.tuples(st.lists(_WORDS, max_size=2), st.lists(_WORDS, max_size=2)), max_size=6))
def test_no_sequence_of_answers_breaks_it(rounds: list[tuple[list[str], list[str]]]) -> None:
    """Whatever words come in whatever order, nothing but an end comes after an end."""
    known: Tasks = {}
    told: list[str] = []
    for queue, account in rounds:
        known, _ = look(known, [queued(word) for word in queue], [accounted("41", word) for word in account])
        told += [change.state for change in observe.changes(told, known, 1)]
    ended = [SLURM_STATES[word].ended for word in told]
    assert ended == sorted(ended)
