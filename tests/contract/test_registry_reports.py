"""`POST /reports`: each entry once and in order, whoever sends it, however often."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from api_srv import clock
from tests.contract.registry_process import entry, state

if TYPE_CHECKING:
    import requests

    from tests.contract.registry_process import RegistryProcess


def _taken(answer: requests.Response) -> dict[str, int]:
    assert answer.status_code == 200, answer.text
    acknowledged: dict[str, int] = answer.json()["acknowledged"]
    return acknowledged


def _states(registry: RegistryProcess, job_uuid: str) -> list[str]:
    return [event["body"]["state"] for event in registry.job(job_uuid)["timeline"]]


def test_entries_are_taken_in_order_and_once(registry: RegistryProcess) -> None:
    """Old numbers are acknowledged again without effect; after a gap nothing is taken until it is closed."""
    job_uuid = registry.create_job()
    one, two, three, four = (
        state(job_uuid, n, w) for n, w in enumerate(["UPLOADED", "PENDING", "RUNNING", "FAILED"], 1)
    )
    assert _taken(registry.report(one)) == {job_uuid: 1}
    assert _taken(registry.report(one, two)) == {job_uuid: 2}
    assert _taken(registry.report(four)) == {job_uuid: 2}
    assert _taken(registry.report(one, two, three, four)) == {job_uuid: 4}
    assert _states(registry, job_uuid) == ["CREATED", "UPLOADED", "PENDING", "RUNNING", "FAILED"]


def test_many_senders_of_the_same_entries_do_no_harm(registry: RegistryProcess) -> None:
    """A follower and relaying clients that send the same journal at once leave each entry there once."""
    job_uuid = registry.create_job()
    words = ["UPLOADED", "SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
    journal = [state(job_uuid, number, word) for number, word in enumerate(words, 1)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda upto: registry.report(*journal[:upto]), [1, 3, 6, 6, 4, 6]))
    assert max(_taken(answer)[job_uuid] for answer in answers) == 6
    assert _states(registry, job_uuid) == ["CREATED", *words]
    assert registry.job(job_uuid)["last_seq"] == 6


def test_several_jobs_share_a_batch(registry: RegistryProcess) -> None:
    """One job that is refused does not hold up the others, and is named with the reason."""
    good, other, foreign = registry.create_job(), registry.create_job(), registry.create_job(user="bob")
    unknown = str(uuid.uuid4())
    answer = registry.report(
        state(good, 1, "UPLOADED"),
        state(foreign, 1, "UPLOADED"),
        entry(other, 1, "state", state=7),
        state(unknown, 1, "UPLOADED"),
        state(good, 2, "SUBMITTED"),
    )
    assert _taken(answer) == {good: 2, other: 0}
    refused = answer.json()["refused"]
    assert refused[unknown] == refused[foreign] == "no such job"
    assert refused[other].startswith("entry 1: body.state")


def test_jobs_of_another_cluster_are_refused(registry: RegistryProcess) -> None:
    """A cluster reports for its own jobs only."""
    registry.put_cluster("third")
    job_uuid = registry.create_job()
    answer = registry.report(state(job_uuid, 1, "UPLOADED"), cluster="third")
    assert answer.json()["refused"] == {job_uuid: "this job belongs to cluster demo"}
    assert registry.job(job_uuid)["state"] == "CREATED"


def test_an_older_follower_is_told_to_stop(registry: RegistryProcess) -> None:
    """The highest epoch is kept for each account and cluster; a lower one gets 409 and changes nothing."""
    job_uuid = registry.create_job()
    registry.put_cluster("fourth")
    assert registry.report(epoch=5, cluster="fourth").status_code == 200
    assert registry.report(epoch=5, cluster="fourth").status_code == 200
    stale = registry.report(state(job_uuid, 1, "UPLOADED"), epoch=4, cluster="fourth")
    assert (stale.status_code, stale.json()["type"], stale.json()["epoch"]) == (409, "stale-epoch", 5)
    assert registry.report(epoch=1, cluster="fourth", user="bob").status_code == 200
    assert registry.report(epoch=1).status_code == 200
    assert registry.report(epoch=None, cluster="fourth").status_code == 200


def test_a_report_token_reports_and_nothing_else(registry: RegistryProcess) -> None:
    """It can send reports and states for its account on its cluster; everything else is forbidden."""
    job_uuid, foreign = registry.create_job(), registry.create_job(user="bob")
    registry.put_cluster("fifth")
    answer = registry.call("POST", "/report-tokens", {"cluster": "demo"})
    assert answer.status_code == 201
    assert answer.json()["url"] == registry.url
    registry.tokens["reporter"] = answer.json()["token"]
    assert _taken(registry.report(state(job_uuid, 1, "UPLOADED"), user="reporter")) == {job_uuid: 1}
    assert registry.report(user="reporter", cluster="fifth").status_code == 403
    state_path, other_path = f"/jobs/{job_uuid}/state", f"/jobs/{foreign}/state"
    assert registry.call("PUT", state_path, {"state": "COMPILING"}, user="reporter").status_code == 200
    assert registry.call("PUT", other_path, {"state": "COMPILING"}, user="reporter").status_code == 404
    for method, path in [
        ("GET", "/jobs"),
        ("GET", f"/jobs/{job_uuid}"),
        ("GET", "/clusters"),
        ("PUT", "/clusters/demo"),
    ]:
        assert registry.call(method, path, {}, user="reporter").status_code == 403
    assert registry.call("POST", "/report-tokens", {"cluster": "demo"}, user="reporter").status_code == 403


def test_tasks_are_merged_and_never_go_back(registry: RegistryProcess) -> None:
    """Each row overlays what is known of its task; a repeated old entry does not undo a newer one."""
    job_uuid = registry.create_job()
    first = entry(job_uuid, 1, "tasks", slurm_job_id="47", rows=[{"task": "", "JobID": "47", "State": "PENDING"}])
    second = entry(job_uuid, 2, "tasks", rows=[{"task": "", "State": "RUNNING", "NodeList": "node1"}])
    registry.report(first, second)
    registry.report(first)
    job = registry.job(job_uuid)
    assert job["slurm_job_id"] == "47"
    assert {column: job["job_status"][column] for column in ("JobID", "State", "NodeList", "WorkDir")} == {
        "JobID": ["47"],
        "State": ["RUNNING"],
        "NodeList": ["node1"],
        "WorkDir": [""],
    }


def test_ten_thousand_tasks_are_one_report(registry: RegistryProcess) -> None:
    """A large array is taken in one request well within a follower's patience, and read again."""
    job_uuid = registry.create_job()
    rows = [
        {"task": str(n), "JobID": f"47_{n}", "State": "RUNNING", "WorkDir": "/scratch/" + "x" * 80}
        for n in range(10_000)
    ]
    answer = registry.report(entry(job_uuid, 1, "tasks", slurm_job_id="47", rows=rows))
    assert answer.elapsed.total_seconds() < 10
    assert registry.job(job_uuid)["job_status"]["JobID"] == [f"47_{n}" for n in range(10_000)]


def test_fields_modules_and_notices(registry: RegistryProcess) -> None:
    """Fields are set (unknown ones ignored), module results appended without secrets, notices put in the timeline."""
    job_uuid = registry.create_job()
    result = {"a.b": [1], "passphrase": "x", "deep": {"private_key": "y", "kept": 1}}
    registry.report(
        entry(job_uuid, 1, "fields", fields={"job_directory": "/d", "user_input": {"x": 2}, "owner": "bob"}),
        entry(job_uuid, 2, "module", stage="preprocessing", step=1, module="split.py", result=result),
        entry(job_uuid, 3, "notice", severity="warning", stage="submission", message="twin", detail=""),
    )
    job = registry.job(job_uuid)
    assert (job["job_directory"], job["user_input"], job["owner"]) == ("/d", {"x": 2}, "ann")
    assert job["modules"] == [
        {"stage": "preprocessing", "step": 1, "module": "split.py", "result": {"a.b": [1], "deep": {"kept": 1}}}
    ]
    assert job["timeline"][-1]["body"]["message"] == "twin"


def test_what_a_newer_wrapper_says_is_kept(registry: RegistryProcess) -> None:
    """Unknown kinds, states and keys of a body are stored and shown; they never stop a journal."""
    job_uuid = registry.create_job()
    answer = registry.report(
        entry(job_uuid, 1, "weather", forecast="rain"),
        state(job_uuid, 2, "HIBERNATING", mood="sleepy"),
    )
    assert _taken(answer) == {job_uuid: 2}
    job = registry.job(job_uuid)
    assert (job["state"], job["outcome"], job["ended"]) == ("HIBERNATING", None, False)
    assert [event["kind"] for event in job["timeline"]] == ["state", "weather", "state"]
    assert job["timeline"][2]["body"]["mood"] == "sleepy"


def test_what_is_too_large_is_left_out_and_named(registry: RegistryProcess) -> None:
    """A module that printed megabytes does not stop its job's journal; what else it said is kept."""
    job_uuid = registry.create_job()
    huge = entry(job_uuid, 1, "module", stage="preprocessing", step=1, module="m", result="x" * 3_000_000)
    assert _taken(registry.report(huge, state(job_uuid, 2, "RUNNING"))) == {job_uuid: 2}
    assert registry.job(job_uuid)["modules"] == [
        {"stage": "preprocessing", "step": 1, "module": "m", "left_out": ["result"]}
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["RUNNING"], ("RUNNING", None, False)),
        (["COMPLETED"], ("COMPLETED", "COMPLETED", True)),
        (["CANCELLED by 1000"], ("CANCELLED", "CANCELLED", True)),
        (["FAILED", "POSTPROCESSING", "DONE"], ("DONE", "FAILED", True)),
        (["NODE_FAIL", "PENDING"], ("PENDING", None, False)),
        (["UPLOADED", "ERROR"], ("ERROR", None, True)),
        (["TIMEOUT", "SOMETHING_NEW"], ("SOMETHING_NEW", "TIMEOUT", True)),
    ],
)
def test_outcome_and_end(registry: RegistryProcess, words: list[str], expected: tuple[Any, ...]) -> None:
    """An ended Slurm state settles the outcome, a requeue opens it again; ERROR ends without one."""
    job_uuid = registry.create_job()
    registry.report(*(state(job_uuid, number, word) for number, word in enumerate(words, 1)))
    job = registry.job(job_uuid)
    assert (job["state"], job["outcome"], job["ended"]) == expected


def test_the_status_of_a_cluster_is_replaced_as_a_whole(registry: RegistryProcess) -> None:
    """The newest status counts, in a report or by PUT; one from the future does not stay for ever."""
    registry.put_cluster("sixth")
    now = clock.now()

    def told(taken_at: str, running: int, *, by_put: bool = False) -> int:
        status = {"taken_at": taken_at, "running_jobs": running, "nodes": [{"name": "n1", "gres": "gpu:a.b:1"}]}
        if by_put:
            answer = registry.call("PUT", "/clusters", {"name": "sixth", "status": status}, user="root")
        else:
            answer = registry.report(cluster="sixth", cluster_status=status, user="root")
        assert answer.status_code == 200, answer.text
        stored = registry.call("GET", "/clusters/sixth").json()["status"]
        return int(stored["running_jobs"])

    assert told(clock.later(now, -60), 1) == 1
    assert told(clock.later(now, -30), 2, by_put=True) == 2
    assert told(clock.later(now, -45), 3) == 2
    assert told(clock.later(now, 86_400), 4) == 4
    assert told(clock.now(), 5) == 5


def test_a_batch_that_is_wrong_itself_is_refused_whole(registry: RegistryProcess) -> None:
    """Missing keys, bad times and a status that is none are all told; nothing is taken."""
    job_uuid = registry.create_job()
    answer = registry.report(
        state(job_uuid, 1, "UPLOADED"), {"seq": 1}, epoch="x", cluster_status={"taken_at": "yesterday"}
    )
    assert answer.status_code == 422
    assert {problem["key"] for problem in answer.json()["problems"]} == {"epoch", "status.taken_at"}
    assert registry.report({"seq": 1}).json()["problems"][0]["key"] == "reports[0].job_uuid"
    assert registry.job(job_uuid)["last_seq"] == 0


def test_jobs_of_a_removed_cluster_still_report(registry: RegistryProcess) -> None:
    """An administrator who removes a cluster does not strand the jobs that run there."""
    registry.put_cluster("leaving")
    job_uuid = str(uuid.uuid4())
    registry.call("POST", f"/jobs/{job_uuid}", {"user_input": {}, "destination_cluster": "leaving"})
    assert registry.call("DELETE", "/clusters/leaving", user="root").status_code == 204
    status = {"taken_at": clock.now()}
    answer = registry.report(state(job_uuid, 1, "UPLOADED"), cluster="leaving", cluster_status=status)
    assert _taken(answer) == {job_uuid: 1}
    assert registry.job(job_uuid)["destination_cluster"]["name"] == "leaving"
