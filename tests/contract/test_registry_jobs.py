"""`/jobs` over HTTP."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.registry_process import entry, state

if TYPE_CHECKING:
    from tests.contract.registry_process import RegistryProcess

_COLUMNS = {
    *("JobID", "State", "ExitCode", "Elapsed", "NNodes", "NodeList"),
    *("NCPUS", "CPUTime", "ReqTRES", "AllocTRES", "WorkDir", "Timelimit"),
}


def _body(**user_input: Any) -> dict[str, Any]:
    return {"user_input": user_input, "destination_cluster": "demo"}


def test_a_new_job_has_all_values(registry: RegistryProcess) -> None:
    """A job knows its owner, its input with odd keys, its cluster without status, and empty columns."""
    odd: dict[str, Any] = {"a.b": 1, "$where": "x", "nested": {"ż.": [None, True]}, "job_name": "first try"}
    job = registry.job(registry.create_job(**odd))
    assert job["schema"] == 1
    assert job["owner"] == "ann"
    assert job["user_input"] == odd
    assert (job["state"], job["outcome"], job["ended"]) == ("CREATED", None, False)
    assert job["destination_cluster"]["hostname"] == "demo.example.org"
    assert "status" not in job["destination_cluster"]
    assert job["job_status"] == {column: [] for column in _COLUMNS}
    assert [event["body"]["state"] for event in job["timeline"]] == ["CREATED"]


def test_the_same_content_again_is_the_same_answer(registry: RegistryProcess) -> None:
    """Creating is idempotent: 201, then 200 whatever the order of keys; other content is refused."""
    path = f"/jobs/{uuid.uuid4()}"
    first = registry.call("POST", path, {"user_input": {"a": 1, "b": 2}, "destination_cluster": "demo"})
    again = registry.call("POST", path, {"destination_cluster": "demo", "user_input": {"b": 2, "a": 1}})
    other = registry.call("POST", path, _body(a=2))
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.headers["Location"] == path
    assert again.json() == first.json()
    assert other.json()["type"] == "conflict"


def test_of_many_at_once_one_creates(registry: RegistryProcess) -> None:
    """Eight identical requests at the same moment make one job and eight good answers."""
    path = f"/jobs/{uuid.uuid4()}"
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: registry.call("POST", path, _body(x=1)).status_code, range(8)))
    assert sorted(codes) == [200] * 7 + [201]


def test_the_same_content_is_accepted_after_the_job_went_on(registry: RegistryProcess) -> None:
    """A client that lost the answer may repeat it although the cluster has reported since."""
    job_uuid = registry.create_job(x=1)
    registry.report(state(job_uuid, 1, "UPLOADED"))
    again = registry.call("POST", f"/jobs/{job_uuid}", _body(x=1))
    assert (again.status_code, again.json()["state"]) == (200, "UPLOADED")


def test_the_cluster_may_be_named_in_three_ways(registry: RegistryProcess) -> None:
    """By name, by its document, or by the job file."""
    document = registry.call("GET", "/clusters/demo").json()
    named = {"destination_cluster": "demo"}
    for body in (
        {"user_input": named},
        {"user_input": {}, **named},
        {"user_input": {}, "destination_cluster": document},
    ):
        answer = registry.call("POST", f"/jobs/{uuid.uuid4()}", body)
        assert answer.status_code == 201
        assert answer.json()["cluster"] == "demo"


def test_every_problem_is_told_at_once(registry: RegistryProcess) -> None:
    """A bad body is refused with all its problems, each with key, message and remedy."""
    body = {"userinput": {}, "tar_file": [1], "job_uuid": str(uuid.uuid4()), "destination_cluster": "dmeo"}
    answer = registry.call("POST", "/jobs/no-uuid", body)
    assert answer.status_code == 422
    problems = {problem["key"]: problem for problem in answer.json()["problems"]}
    assert set(problems) == {"userinput", "user_input", "tar_file", "job_uuid", "destination_cluster"}
    assert problems["userinput"]["remedy"] == "Did you mean user_input?"
    assert "demo" in problems["destination_cluster"]["remedy"]
    assert all(problem["message"] and problem["remedy"] for problem in problems.values())


@pytest.mark.parametrize(
    "secret",
    [
        {"private_key": "~/.ssh/id_ed25519"},
        {"passphrase": "x"},
        {"Private_Key": "x"},
        {"kwargs": {"deep": [{"passphrase": "x"}]}},
    ],
)
def test_secrets_are_refused(registry: RegistryProcess, secret: dict[str, Any]) -> None:
    """A private key or passphrase with a value, at any depth, makes the job unacceptable, then and later."""
    answer = registry.call("POST", f"/jobs/{uuid.uuid4()}", _body(**secret))
    assert answer.status_code == 422
    assert "secrets" in answer.json()["problems"][0]["message"]
    job_uuid = registry.create_job(private_key=None, passphrase="")
    assert registry.call("PUT", f"/jobs/{job_uuid}", {"user_input": secret}).status_code == 422


def test_mail_to_strangers_is_refused_with_the_remedy(registry: RegistryProcess) -> None:
    """A job whose user_mail is not the account's own is refused at once, not at the first mail."""
    answer = registry.call("POST", f"/jobs/{uuid.uuid4()}", _body(user_mail="victim@elsewhere.example"))
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert problem["key"] == "user_input.user_mail"
    assert "ann@example.org" in problem["remedy"]
    assert "administrator" in problem["remedy"]
    registry.create_job(user_mail="Ann@Example.org")


def test_a_disabled_cluster_takes_no_new_job(registry: RegistryProcess) -> None:
    """A job for it is refused; one that was created before is answered as ever."""
    registry.put_cluster("tired")
    body = {"user_input": {}, "destination_cluster": "tired"}
    path = f"/jobs/{uuid.uuid4()}"
    assert registry.call("POST", path, body).status_code == 201
    registry.put_cluster("tired", enabled=False)
    assert registry.call("POST", path, body).status_code == 200
    assert registry.call("POST", f"/jobs/{uuid.uuid4()}", body).status_code == 422
    registry.put_cluster("tired", enabled=True)
    assert registry.call("POST", f"/jobs/{uuid.uuid4()}", body).status_code == 201


def test_updating_leaves_the_rest_alone(registry: RegistryProcess) -> None:
    """PUT sets the fields it names, also several clients at once, and columns of sacct."""
    job_uuid = registry.create_job(x=1)
    fields = [{"job_directory": "/a"}, {"working_directory": "/b"}, {"online_job_file": True}, {"tar_file": "t.tgz"}]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: registry.call("PUT", f"/jobs/{job_uuid}", body), fields))
    assert {answer.status_code for answer in answers} == {200}
    columns = {"JobID": ["47_10", "47_9"], "State": ["RUNNING", "FAILED"]}
    registry.call("PUT", f"/jobs/{job_uuid}", {"slurm_job_id": 47, "job_status": columns})
    job = registry.job(job_uuid)
    assert (job["job_directory"], job["working_directory"]) == ("/a", "/b")
    assert (job["online_job_file"], job["tar_file"], job["slurm_job_id"]) == (True, "t.tgz", "47")
    assert job["user_input"] == {"x": 1}
    assert job["job_status"]["JobID"] == ["47_9", "47_10"]
    assert job["job_status"]["ExitCode"] == ["", ""]


def test_a_job_changes_cluster_only_before_it_begins(registry: RegistryProcess) -> None:
    """Another cluster may be chosen until the first one has reported."""
    registry.put_cluster("second")
    job_uuid = registry.create_job()
    move = {"destination_cluster": "second"}
    assert registry.call("PUT", f"/jobs/{job_uuid}", move).json()["cluster"] == "second"
    registry.call("PUT", f"/jobs/{job_uuid}", {"destination_cluster": "demo"})
    registry.report(state(job_uuid, 1, "UPLOADED"))
    assert registry.call("PUT", f"/jobs/{job_uuid}", move).status_code == 409


def test_other_peoples_jobs_do_not_exist(registry: RegistryProcess) -> None:
    """Whatever bob asks of ann's job is answered like a job that nobody has."""
    job_uuid = registry.create_job()
    asked = [("GET", "", None), ("PUT", "", {}), ("GET", "/state", None), ("PUT", "/state", {"state": "DONE"})]
    for method, path, body in [*asked, ("PUT", "/notify", {"message": "x"})]:
        assert registry.call(method, f"/jobs/{job_uuid}{path}", body, user="bob").status_code == 404
    assert registry.call("POST", f"/jobs/{job_uuid}", _body(), user="bob").status_code == 409
    assert job_uuid not in [job["job_uuid"] for job in registry.call("GET", "/jobs", user="bob").json()]


def test_the_list_is_newest_first_and_paged(registry: RegistryProcess) -> None:
    """Pages follow each other without gap or repetition; state and cluster narrow them."""
    registry.add_user("lister")
    made = [registry.create_job(user="lister", job_name=f"n{number}") for number in range(5)]
    registry.report(state(made[2], 1, "RUNNING"), user="lister")

    def listed(**query: Any) -> list[str]:
        answer = registry.call("GET", "/jobs", user="lister", params=query)
        assert answer.status_code == 200, answer.text
        return [job["job_uuid"] for job in answer.json()]

    assert listed() == made[::-1]
    assert listed(limit=2) == [made[4], made[3]]
    assert listed(limit=2, after=made[3]) == [made[2], made[1]]
    assert listed(state="RUNNING") == [made[2]]
    assert listed(cluster="demo", state="CREATED", limit=1) == [made[4]]
    assert listed(cluster="nowhere") == []
    for bad in ("0", "x", "-1", "²", "99999999999999999999"):
        assert registry.call("GET", "/jobs", user="lister", params={"limit": bad}).status_code == 422


def test_the_list_is_narrowed_by_how_jobs_stand_and_what_they_are(registry: RegistryProcess) -> None:
    """By outcome whatever followed, by whether they ended, by label, time and the job they repeat; together, too."""
    registry.add_user("narrow")
    labels = ["sweep-1", "sweep-2", "other", ""]
    made = {label: registry.create_job(user="narrow", job_name=label) for label in labels}
    first, second = made["sweep-1"], made["sweep-2"]
    registry.report(state(first, 1, "FAILED"), state(first, 2, "DONE"), state(second, 1, "RUNNING"), user="narrow")
    again = {"user_input": {}, "destination_cluster": "demo", "resubmission_of": first}
    repeated = str(uuid.uuid4())
    assert registry.call("POST", f"/jobs/{repeated}", again, user="narrow").json()["resubmission_of"] == first

    def listed(**query: Any) -> list[str]:
        answer = registry.call("GET", "/jobs", user="narrow", params=query)
        assert answer.status_code == 200, answer.text
        return [job["job_uuid"] for job in answer.json()]

    created = registry.call("GET", f"/jobs/{second}", user="narrow").json()["created_at"]
    assert listed(state="failed") == listed(ended="true") == [first]
    assert listed(state="DONE") == [first]
    assert listed(ended="false", label="sweep-*") == [second]
    assert listed(label="sweep-*") == [second, first]
    assert listed(label="sweep-") == []
    assert listed(since=created) == [repeated, made[""], made["other"], second]
    assert listed(before=created) == [first]
    assert listed(resubmission_of=first) == [repeated]
    bad = {"ended": "perhaps", "since": "yesterday", "resubmission_of": "x", "limit": "3"}
    problems = registry.call("GET", "/jobs", user="narrow", params=bad).json()["problems"]
    assert {problem["key"] for problem in problems} == {"ended", "since", "resubmission_of"}


def test_jobs_are_found_by_how_their_uuid_begins(registry: RegistryProcess) -> None:
    """Several beginnings at once, each job once, only the caller's; what is no beginning of a UUID is refused."""
    own = [
        registry.create_job(f"{beginning}-0000-4000-8000-{uuid.uuid4().hex[:12]}")
        for beginning in ("aaaa0001", "aaaa0002")
    ]
    registry.create_job(f"aaaa0003-0000-4000-8000-{uuid.uuid4().hex[:12]}", user="bob")

    def found(*prefixes: str) -> list[str]:
        answer = registry.call("GET", "/jobs", params={"uuid": list(prefixes)})
        assert answer.status_code == 200, answer.text
        return [job["job_uuid"] for job in answer.json()]

    assert found("aaaa0") == own
    assert found("aaaa0002") == found(own[1], "aaaa0002", "ffff0") == own[1:]
    for bad in ("aaa", "zzzz", "aaaa%", ""):
        assert registry.call("GET", "/jobs", params={"uuid": bad}).status_code == 422
    assert registry.call("GET", "/jobs", params={"uuid": ["aaaa"] * 60}).status_code == 422


def test_a_job_keeps_marks_of_what_its_owner_did(registry: RegistryProcess) -> None:
    """When its results were fetched and its folder removed: times, set by the owner and by no cluster."""
    job_uuid, at = registry.create_job(), "2026-11-20T10:00:00.000000Z"
    assert registry.call("PUT", f"/jobs/{job_uuid}", {"fetched_at": "today"}).status_code == 422
    assert registry.call("PUT", f"/jobs/{job_uuid}", {"fetched_at": at}).json()["fetched_at"] == at
    registry.report(entry(job_uuid, 1, "fields", fields={"cleaned_at": at, "commit": "c0ffee"}))
    job = registry.job(job_uuid)
    assert (job["cleaned_at"], job["commit"]) == (None, "c0ffee")


def test_a_list_tells_tasks_and_what_would_not_be_cancelled(registry: RegistryProcess) -> None:
    """Tasks are counted by their latest state; a flag is shown until the job has ended."""
    job_uuid = registry.create_job()
    rows = [{"task": str(task), "State": word} for task, word in enumerate(["RUNNING", "CANCELLED by 7", "PENDING"])]
    registry.report(
        state(job_uuid, 1, "RUNNING"),
        entry(job_uuid, 2, "tasks", slurm_job_id="47", rows=rows),
        entry(job_uuid, 3, "tasks", slurm_job_id="47", rows=[{"task": "2", "State": "RUNNING"}]),
        entry(job_uuid, 4, "notice", severity="warning", message="it lives", flag="would not die"),
    )
    listed = registry.call("GET", "/jobs", params={"uuid": job_uuid}).json()[0]
    assert (listed["counts"], listed["flag"]) == ({"RUNNING": 2, "CANCELLED": 1}, "would not die")
    registry.report(state(job_uuid, 5, "FAILED"))
    assert registry.job(job_uuid)["flag"] == ""


def test_states_are_one_per_task(registry: RegistryProcess) -> None:
    """NOT_SUBMITTED before Slurm has the job, then Slurm's word for each task in the order of their numbers."""
    job_uuid = registry.create_job()

    def states() -> Any:
        return registry.call("GET", f"/jobs/{job_uuid}/state").json()

    assert states() == ["NOT_SUBMITTED"]
    registry.report(state(job_uuid, 1, "UPLOADED"), state(job_uuid, 2, "COMPILING"))
    assert states() == ["NOT_SUBMITTED"]
    rows = [{"task": task, "State": word} for task, word in [("10", "PENDING"), ("9", "CANCELLED by 7"), ("1", "R")]]
    registry.report(entry(job_uuid, 3, "tasks", slurm_job_id="47", rows=rows))
    assert states() == ["R", "CANCELLED by 7", "PENDING"]


def test_a_state_is_put_once_for_each_key(registry: RegistryProcess) -> None:
    """The same key again changes nothing, even after later changes; a new key is a new change."""
    job_uuid = registry.create_job()

    def put(word: str, **more: str) -> str:
        answer = registry.call("PUT", f"/jobs/{job_uuid}/state", {"state": word, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    assert put("PENDING", key="a") == "PENDING"
    assert put("RUNNING", key="b", reason="at last") == "RUNNING"
    assert put("PENDING", key="a") == "RUNNING"
    assert put("RUNNING") == "RUNNING"
    assert put("completed") == "COMPLETED"
    job = registry.job(job_uuid)
    assert [event["body"]["state"] for event in job["timeline"]] == ["CREATED", "PENDING", "RUNNING", "COMPLETED"]
    assert (job["outcome"], job["ended"]) == ("COMPLETED", True)


def test_wrong_methods_types_and_bodies_have_their_own_answers(registry: RegistryProcess) -> None:
    """405, 415, 400, 413 and 401 come as JSON problems with a title."""
    path = f"/jobs/{uuid.uuid4()}"
    as_json = {"Content-Type": "application/json"}
    deep, long = b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", b'{"a": ' + b"9" * 5000 + b"}"
    bodies = [b"{", b"[]", b"\xff", b'{"a": NaN}', b"[" * 100_000, deep, long]
    answers = {
        405: [registry.call("PATCH", path), registry.call("DELETE", "/jobs")],
        415: [registry.call("POST", path, data=b"{}"), registry.call("POST", path, data={"a": "b"})],
        400: [registry.call("POST", path, data=body, headers=as_json) for body in bodies],
        413: [registry.call("POST", path, data=b" " * 3_000_000, headers=as_json)],
        401: [
            registry.call("GET", "/jobs", user=""),
            registry.call("GET", "/jobs", headers={"Authorization": "Bearer x"}),
        ],
        404: [registry.call("GET", "/nothing")],
    }
    for status, some in answers.items():
        for answer in some:
            assert answer.status_code == status, answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == status
            assert answer.json()["title"]
    assert "Allow" in answers[405][0].headers
    assert "Bearer" in answers[401][0].headers["WWW-Authenticate"]


def test_half_characters_do_no_harm(registry: RegistryProcess) -> None:
    """Half a surrogate pair, as bytes of a broken log become, is stored as a question mark, not as an error."""
    job_uuid = registry.create_job(job_name="a\ud800b")
    assert registry.job(job_uuid)["user_input"] == {"job_name": "a?b"}
