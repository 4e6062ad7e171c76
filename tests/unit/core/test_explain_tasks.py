"""Arrays and campaigns: one sentence for each kind of trouble, with the tasks that have it."""

from __future__ import annotations

from typing import Any

from project.core.explain.facts import Cluster
from project.core.explain.tasks import Part, explain_tasks, parts_to_explain, whole_array
from project.core.job import JobSpec, Resources
from project.wrapper.follow.last_words import last_words

_SPEC = JobSpec("j", "j@x", ["c"], ["x"], resources=Resources(mem_per_cpu_mib=4096))
_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_MODULE = "ERROR: Unable to locate a modulefile for 'R/{}'"


def _job(*ends: tuple[str, str], first: int = 1, uuid: str = _UUID, used: str = "", **more: Any) -> dict[str, Any]:
    """A part of a campaign as the registry tells it: state and exit code of each of its tasks."""
    words = [state for state, _ in ends]
    columns = {
        "JobID": [f"41_{place}" for place, _ in enumerate(ends, 1)], "State": words,
        "ExitCode": [code for _, code in ends], "AllocTRES": ["mem=4G"] * len(ends), "MaxRSS": [used] * len(ends),
        "NNodes": ["1"] * len(ends), "NCPUS": ["1"] * len(ends),
    }  # fmt: skip
    return {
        "job_uuid": uuid, "state": "DONE", "outcome": words[-1], "job_status": columns, "timeline": [],
        "counts": {word: words.count(word) for word in words},
        "campaign": {"uuid": _UUID, "indexes": f"{first}-{first + len(ends) - 1}"}, **more,
    }  # fmt: skip


def _told(state: str, exit_code: str = "1:0", **body: Any) -> dict[str, Any]:
    return {"kind": "state", "body": {"state": state, "exit_code": exit_code, **body}}


def _explained(*jobs: dict[str, Any]) -> list[tuple[str, str]]:
    """Explain a campaign of these parts, reading only those that are asked for."""
    known = {job["job_uuid"]: job for job in jobs}
    parts = [Part(known[job_uuid], numbers) for job_uuid, numbers in parts_to_explain(jobs).items()]
    return [(one.sentence, one.remedy) for one in explain_tasks(parts, jobs, _SPEC, Cluster(), _UUID)]


_WELL, _OOM, _BAD = ("COMPLETED", "0:0"), ("OUT_OF_MEMORY", "0:125"), ("FAILED", "1:0")


def test_one_trouble_is_one_sentence_with_its_tasks_and_the_words_that_repeat_them() -> None:
    """Whichever parts they are in, by the campaign's numbers; the one that used most memory is told."""
    first = _job(_WELL, _OOM, _WELL, used="3994M")
    second = _job(_OOM, _WELL, _OOM, first=4, uuid="2", used="4000M")
    assert _explained(first, second) == [
        (
            "Each of 3 of 6 tasks (2, 4, 6) ran out of memory: it used 3.9 GiB of 4.0 GiB.",
            "Resubmit with `--set resources.memory_per_thread=6G --failed-tasks`",
        )
    ]


def test_several_troubles_are_told_one_by_one_after_the_count() -> None:
    """The most frequent first; what still runs is counted."""
    job = _job(_WELL, _OOM, _BAD, _BAD, ("RUNNING", "0:0"), timeline=[_told("FAILED", details={"3": "", "4": ""})])
    told = _explained(job)
    assert told[0] == ("Of 5 tasks: 2 FAILED, 1 COMPLETED, 1 OUT_OF_MEMORY, 1 RUNNING.", "")
    assert told[1] == (
        "Each of 2 of 5 tasks (3-4) ended by itself with exit code 1.",
        f"See what it printed: `logs {_UUID} --err --task 3`",
    )
    assert told[2][0].startswith("Task 2 of 5 ran out of memory")


def test_tasks_that_ended_alike_for_different_reasons_are_told_apart() -> None:
    """What each wrote decides; where all that were looked at agree it is told of all that ended so."""
    apart = {"1": _MODULE.format(4), "2": _MODULE.format(5)}
    told = [sentence for sentence, _ in _explained(_job(_BAD, _BAD, _BAD, timeline=[_told("FAILED", details=apart)]))]
    assert [sentence.split(" asked")[0] for sentence in told[1:3]] == ["Task 1 of 3", "Task 2 of 3"]
    assert told[3] == "Task 3 of 3 ended by itself with exit code 1."
    alike = {"1": _MODULE.format(4), "2": _MODULE.format(4)}
    ((sentence, _),) = _explained(_job(_BAD, _BAD, _BAD, timeline=[_told("FAILED", details=alike)]))
    assert sentence == "Each of the 3 tasks asked for the environment module R/4, which is not there."


def test_words_of_the_worst_task_alone_are_those_of_tasks_that_ended_like_it() -> None:
    """So wrappers told it before they told of several tasks."""
    job = _job(("FAILED", "3:0"), _BAD, timeline=[_told("FAILED", detail=_MODULE.format(4))])
    sentences = [sentence for sentence, _ in _explained(job)]
    assert "Task 2 of 2 asked for the environment module R/4, which is not there." in sentences
    assert "Task 1 of 2 ended by itself with exit code 3." in sentences


def test_a_task_that_ran_again_counts_as_it_came_out_last() -> None:
    """Its earlier failure is no trouble any more."""
    again = _job(_WELL, uuid="2", campaign={"uuid": _UUID, "indexes": "2"})
    (told, *_) = _explained(_job(_WELL, _OOM), again)
    assert "memory" not in told[0]


def test_only_parts_with_trouble_are_asked_for_and_one_of_those_that_wait() -> None:
    """A campaign of ten parts, one of them with a failure, takes one question."""
    well = [_job(_WELL, first=number, uuid=str(number)) for number in range(1, 9)]
    waits = [
        _job(("PENDING", "0:0"), first=number, uuid=str(number), state="PENDING", outcome=None) for number in (9, 10)
    ]
    bad = _job(_BAD, first=11, uuid="11")
    assert list(parts_to_explain([*well, *waits, bad])) == ["11", "9"]


def test_what_waits_tells_why() -> None:
    """In the words for a job, after the count."""
    timeline = [{"kind": "state", "body": {"state": "PENDING", "reason": "Priority"}}]
    job = _job(("PENDING", ""), ("PENDING", ""), state="PENDING", outcome=None, timeline=timeline)
    assert _explained(job)[1][0] == "Each of the 2 tasks waits: jobs with a higher priority are before it."


def test_tasks_that_never_got_to_slurm_are_told_with_the_reason() -> None:
    """A part that was refused: all of its tasks."""
    error = {"kind": "state", "body": {"state": "ERROR", "stage": "submission", "reason": "no such account"}}
    refused = {
        **_job(_WELL, first=3, uuid="2"), "state": "ERROR", "outcome": None, "timeline": [error], "job_status": {},
        "counts": {}, "campaign": {"uuid": _UUID, "indexes": "3-4"},
    }  # fmt: skip
    ((sentence, remedy),) = _explained(_job(_WELL, _WELL), refused)
    assert sentence == "Each of 2 of 4 tasks (3-4) went no further than submission: no such account."
    assert remedy


def test_a_good_end_is_one_sentence() -> None:
    """There is nothing to do."""
    assert _explained(_job(_WELL, _WELL)) == [("All 2 tasks ended well.", "")]


def test_an_array_that_is_no_campaign_is_told_by_its_own_numbers() -> None:
    """The same sentences."""
    job = {**_job(_WELL, _OOM, used="3994M"), "campaign": None}
    job["job_status"]["JobID"] = ["41_7", "41_20"]
    part = whole_array(job)
    (verdict,) = explain_tasks([part], [{**job, "campaign": {"indexes": part.task_list}}], _SPEC, Cluster(), _UUID)
    assert (verdict.tasks, verdict.sentence[:13]) == ("20", "Task 20 of 2 ")


def test_lost_nodes_are_told_together() -> None:
    """Of all the tasks that lost one, and what repeats them."""
    lost = ("NODE_FAIL", "0:0")
    first, second = _job(lost, lost), _job(lost, first=3, uuid="2")
    first["job_status"]["NodeList"], second["job_status"]["NodeList"] = ["n1", "n2"], ["n3"]
    cluster = Cluster([{"name": f"n{number}", "state": "down", "reason": "fire"} for number in (1, 2, 3)])
    parts = [Part(job, numbers) for job, numbers in ((first, {1: 1, 2: 2}), (second, {1: 3}))]
    (verdict,) = explain_tasks(parts, [first, second], _SPEC, cluster, _UUID)
    lost_all = "n1 is down (fire); n2 is down (fire); n3 is down (fire)"
    assert verdict.sentence == f"Each of the 3 tasks lost its node: {lost_all}."
    assert verdict.remedy.startswith(f"`resubmit {_UUID} --failed-tasks` runs them again; with")
    (verdict,) = explain_tasks(parts, [first, second], _SPEC, Cluster(), _UUID)
    assert verdict.sentence == "Each of the 3 tasks lost its node n[1-3]."


def test_last_words_are_those_of_some_of_each_kind() -> None:
    """Four of each of five kinds, none of tasks that ended well or wrote nothing."""
    rows = {str(task): {"State": "FAILED", "ExitCode": f"{task % 7 + 1}:0"} for task in range(100)}
    rows["100"], rows["101"] = {"State": "COMPLETED", "ExitCode": "0:0"}, {"State": "TIMEOUT", "ExitCode": "0:0"}
    said = last_words(rows, lambda row: row["ExitCode"] if row["ExitCode"] != "2:0" else "")
    assert sorted(set(said.values())) == ["1:0", "3:0", "4:0", "5:0"]
    assert len(said) == 16
    assert last_words({"": {"State": "FAILED", "ExitCode": "1:0"}}, lambda _: "plain jobs have `detail`") == {}
