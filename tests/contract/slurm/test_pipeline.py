"""From an unpacked parcel to a job in the queue, step by step, again and again; over the fake Slurm."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import (
    Cancelled,
    GridferryError,
    ModuleFailed,
    StageFailed,
    SubmissionRefused,
    SubmissionUnknown,
)
from project.core.problems import InvalidDocument
from project.toolbox.manifest import manifest
from project.wrapper import files
from project.wrapper.events import Events
from project.wrapper.job import Job, JobGone, open_job
from project.wrapper.lease import Lease
from project.wrapper.pipeline import Pipeline, refuse_ended
from project.wrapper.postprocess import postprocess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.slurm.cluster import Cluster
    from tests.fakes.slurm import FakeSlurm


class Login:
    """A login node on which jobs are taken into the queue."""

    def __init__(self, cluster: Cluster, descriptor: int) -> None:
        self._cluster = cluster
        self._descriptor = descriptor

    def job(self, modules: list[dict[str, Any]] | None = None, **keys: Any) -> Job:
        """A job that has just been unpacked, with modules whose files are there."""
        job = self._cluster.job("echo run >> runs.txt", modules=modules).job
        sent = {**job.sent, "user_input": {**job.sent["user_input"], **keys}}
        files.replace_json(job.paths.spec, sent)
        for module in modules or []:
            Path(job.paths.modules, module["module"]).write_text(module["execution"])
        os.unlink(job.paths.script)  # noqa: PTH108 - the far side's paths are text
        return open_job(self._cluster.paths, job.job_uuid, self._cluster.clock)

    def run(self, job: Job) -> None:
        """Take it into the queue, as a new process does."""
        lease = Lease(job.paths.lease)
        assert lease.acquire()
        try:
            job = open_job(self._cluster.paths, job.job_uuid, self._cluster.clock)
            refuse_ended(job)
            pipeline = Pipeline(
                job, self._cluster.paths, self._cluster.slurm, lease, self._cluster.clock, Events(self._descriptor)
            )
            pipeline.run()
        finally:
            lease.release()


def module(stage: str, execution: str, number: int = 1) -> dict[str, Any]:
    """A module whose whole program is its command line."""
    return {"stage": stage, "number": number, "module": f"m{number}.sh", "execution": f"{execution} #"}


def states(job: Job) -> list[str]:
    """The states in its journal."""
    return [entry["body"]["state"] for entry in job.journal.entries() if entry["kind"] == "state"]


@pytest.fixture
def login(fake_cluster: Cluster) -> Iterator[Login]:
    """A login node with the fake Slurm."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    yield Login(fake_cluster, descriptor)
    os.close(descriptor)


def test_every_stage_is_told_and_done_once(login: Login, fake: FakeSlurm) -> None:
    """In the order of docs/protocol.md; running it again does nothing more."""
    job = login.job(
        [module("preprocessing", "cat")], requirements=["echo once >> required"], compilation="echo once >> compiled"
    )
    for _ in range(2):
        login.run(job)
    assert states(job) == ["UPLOADED", "PREPROCESSING", "COMPILING", "SUBMITTED"]
    work = {path.name: path.read_text() for path in Path(job.paths.work).iterdir()}
    assert work == {"required": "once\n", "compiled": "once\n", "runs.txt": "run\n"}
    assert len(fake.jobs()) == 1
    fields: dict[str, Any] = {}
    for entry in job.journal.entries():
        fields.update(entry["body"].get("fields", {}) if entry["kind"] == "fields" else {})
    assert fields["slurm_job_id"] == "41"
    assert (fields["job_directory"], fields["working_directory"]) == (job.paths.directory, job.paths.work)


def test_a_job_that_was_cancelled_does_not_get_into_the_queue(login: Login, fake: FakeSlurm) -> None:
    """Whatever stage it is in: what runs is ended, the journal says ERROR and why, nothing is submitted."""
    early, late = login.job(compilation="touch never"), login.job()
    late_sent = {**late.sent["user_input"], "compilation": f"touch {late.paths.cancelled}; sleep 600"}
    files.replace_json(late.paths.spec, {**late.sent, "user_input": late_sent})
    files.create(early.paths.cancelled, b"")
    for job in (early, late):
        with pytest.raises(Cancelled):
            login.run(job)
        body = job.journal.entries()[-1]["body"]
        assert (body["state"], "cancelled" in body["reason"]) == ("ERROR", True)
    assert list(Path(early.paths.work).iterdir()) == []
    assert fake.calls("sbatch") == []


def test_a_cancelled_job_that_slurm_may_have_is_found(login: Login) -> None:
    """Its submission is gone on with, so that its id is known and Slurm can cancel it."""
    job = login.job()
    files.replace_json(job.paths.intent, {"schema": 1, "at_s": 0.0})
    files.create(job.paths.cancelled, b"")
    login.run(job)
    assert files.read_text(job.paths.slurm_job_id) == "41"


def test_stages_with_nothing_to_do_are_not_told(login: Login) -> None:
    """A job that is neither prepared nor compiled is uploaded and submitted."""
    job = login.job()
    login.run(job)
    assert states(job) == ["UPLOADED", "SUBMITTED"]


@pytest.mark.parametrize(
    ("keys", "modules", "error", "stage", "reason", "detail"),
    [
        ({"requirements": "echo no gcc; exit 4"}, [], StageFailed, "requirements", "exit code 4", "no gcc"),
        (
            {"compilation": ["true", "echo no rule >&2; false"]},
            [],
            StageFailed,
            "compilation",
            "exit code 1",
            "no rule",
        ),
        ({"environment_modules": "x", "requirements": "true"}, [], StageFailed, "requirements", "exit code 1", ""),
        ({}, [module("preprocessing", "exit 3")], ModuleFailed, "preprocessing", "exit code 3", ""),
        (
            {},
            [module("preprocessing", "echo '{}'")],
            InvalidDocument,
            "preprocessing",
            "nothing was done",
            "username",
        ),
        ({"container": "nowhere.sif"}, [], StageFailed, "script", "no container", ""),
    ],
)
def test_a_stage_that_fails_ends_the_job(
    login: Login, fake: FakeSlurm, keys: dict[str, Any], modules: list[dict[str, Any]],
    error: type[GridferryError], stage: str, reason: str, detail: str,
) -> None:  # fmt: skip
    """The journal says ERROR with stage, reason and last words; nothing is queued; it stays so, and is told again."""
    job = login.job(modules, **keys)
    with pytest.raises(error):
        login.run(job)
    body = job.journal.entries()[-1]["body"]
    assert (body["state"], body["stage"]) == ("ERROR", stage)
    assert reason in body["reason"]
    assert detail in body["detail"]
    with pytest.raises(GridferryError) as again:
        login.run(job)
    assert again.value.exit_code == error.exit_code
    assert (reason in again.value.message, detail in again.value.detail) == (True, True)
    assert "can be submitted anew" in again.value.remedy
    assert (states(job).count("ERROR"), fake.jobs()) == (1, [])


def test_what_a_broken_job_left_can_still_be_listed(login: Login) -> None:
    """A module made something invalid of the job file: the manifest goes by the one that was sent."""
    job = login.job(
        [module("preprocessing", "echo '{\"output\": 5}'")], output=["made.txt"], requirements="touch made.txt"
    )
    with pytest.raises(InvalidDocument):
        login.run(job)
    assert "made.txt" in [entry["name"] for entry in manifest(job.paths, job.spec.output)["files"]]


def test_modules_that_broke_off_start_from_what_was_sent(login: Login) -> None:
    """The wrapper died between the modules' answer and its note of it: they are not run on their own output."""
    count = 'python3 -c \'import json, sys; d = json.load(sys.stdin); k = d.setdefault("kwargs", {});'
    count += ' k["n"] = k.get("n", 0) + 1; print(json.dumps(d))\''
    job = login.job([module("preprocessing", count)])
    files.replace_json(job.paths.changed_input, {**job.sent["user_input"], "kwargs": {"n": 1}})
    login.run(job)
    assert job.user_input["kwargs"] == {"n": 1}


def test_modules_may_change_what_comes_after_them(login: Login) -> None:
    """The next module, the compilation and the job script go by the changed job file."""
    change = 'sed \'s/"compilation": "false"/"compilation": "true"/; s/"5m"/"7m"/\''
    job = login.job([module("preprocessing", change), module("preprocessing", "cat", 2)], compilation="false")
    login.run(job)
    assert "#SBATCH --time=0-00:07:00" in Path(job.paths.script).read_text()
    results = [entry["body"] for entry in job.journal.entries() if entry["kind"] == "module"]
    assert [(result["step"], result["result"]["compilation"]) for result in results] == [(1, "true"), (2, "true")]


def test_what_may_work_later_is_no_end(login: Login, fake: FakeSlurm) -> None:
    """Slurm is away: no ERROR is told, and resuming leads to one job."""
    job = login.job()
    fake.next("sbatch", *["fail"] * 50)
    with pytest.raises(SubmissionUnknown):
        login.run(job)
    assert states(job) == ["UPLOADED"]
    fake.next("sbatch")
    login.run(job)
    assert states(job) == ["UPLOADED", "SUBMITTED"]


def test_a_refusal_is_an_end(login: Login, fake: FakeSlurm) -> None:
    """Slurm's words are the reason."""
    job = login.job()
    fake.next("sbatch", "refuse")
    with pytest.raises(SubmissionRefused):
        login.run(job)
    body = job.journal.entries()[-1]["body"]
    assert (body["state"], body["stage"]) == ("ERROR", "submission")
    assert "Invalid partition name specified" in body["reason"]


@pytest.mark.parametrize(
    ("outcome", "when", "execution", "kinds"),
    [
        ("COMPLETED", "success", "cat", ["module"]),
        ("FAILED", "success", "cat", []),
        ("FAILED", "always", "cat", ["module"]),
        ("COMPLETED", "success", "echo sorry >&2; exit 1", ["notice"]),
    ],
)
def test_postprocessing_ends_as_done_whatever_it_does(
    login: Login, outcome: str, when: str, execution: str, kinds: list[str]
) -> None:
    """Its modules run once, after the end they are meant for; a failure is told, the results are kept."""
    job = login.job([{**module("postprocessing", execution), "when": when}])
    job.journal.append("state", {"state": outcome})
    for _ in range(2):
        postprocess(job)
    assert states(job) == [outcome, "POSTPROCESSING", "DONE"]
    entries = [entry for entry in job.journal.entries() if entry["kind"] != "state"]
    assert [entry["kind"] for entry in entries] == kinds
    assert all(
        "The results of the job are kept" in json.dumps(entry) for entry in entries if entry["kind"] == "notice"
    )


def test_a_job_that_is_gone_is_told_as_such(fake_cluster: Cluster) -> None:
    """Somebody cleaned up: no crash, but a sentence."""
    with pytest.raises(JobGone, match="there is nothing in"):
        open_job(fake_cluster.paths, "uuid", fake_cluster.clock)
