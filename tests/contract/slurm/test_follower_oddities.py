"""Following when Slurm says odd things: twins that come late, jobs it forgot, half answers, and very many jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.messages import state_body
from project.wrapper import files
from project.wrapper.follow.followed import LOST_AFTER_S
from tests.contract.slurm.following import Following
from tests.fakes.clock import QuickClock

if TYPE_CHECKING:
    from tests.contract.slurm.cluster import Cluster, ClusterJob
    from tests.fakes.slurm import FakeSlurm

_WHOLE_WAY = ["SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
_MANY = 1000


@pytest.fixture
def following(fake_cluster: Cluster) -> Following:
    """A follower with nothing to do yet."""
    files.make_folder(fake_cluster.paths.follower)
    return Following(fake_cluster)


def _held(cluster: Cluster) -> ClusterJob:
    """A job that is submitted and told, and that somebody holds."""
    job = cluster.job("true")
    files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())
    job.tell_submitted()
    return job


def _let_go(following: Following, job: ClusterJob) -> bool:
    following.round()
    return not Path(job.cluster.paths.active, job.job.job_uuid).exists()


def test_a_twin_that_comes_after_the_end_is_cancelled_and_told(fake_cluster: Cluster, following: Following) -> None:
    """Slurm executes an sbatch long after that gave up, when its job has ended and was let go."""
    ended = fake_cluster.job("true")
    ended.into_the_queue()
    following.until(lambda: _let_go(following, ended), "it is let go")
    twin = ended.submit_by_hand()
    other = fake_cluster.job("true")
    other.into_the_queue()
    following.until(lambda: _let_go(following, other) and _let_go(following, ended), "all is told")
    assert ended.in_slurm()[twin].startswith("CANCELLED")
    told = [entry for entry in following.registry.taken[ended.job.job_uuid] if entry["kind"] == "notice"]
    assert [f" {twin} " in entry["body"]["message"] for entry in told] == [True]
    assert ended.states() == _WHOLE_WAY


def test_a_job_that_comes_after_its_refusal_is_cancelled(fake_cluster: Cluster, following: Following) -> None:
    """It was told as refused and has no id of its own: what turns up in the queue never runs."""
    refused = fake_cluster.job("true")
    refused.job.journal.append("state", state_body("ERROR", stage="submission", reason="refused"))
    following.until(lambda: _let_go(following, refused), "it is told")
    late = refused.submit_by_hand()
    other = fake_cluster.job("true")
    other.into_the_queue()
    following.until(lambda: _let_go(following, other) and _let_go(following, refused), "all is told")
    assert refused.in_slurm()[late].startswith("CANCELLED")
    assert (len(refused.notices()), refused.states()) == (1, ["ERROR"])


def test_a_job_that_is_being_submitted_is_nobodys_twin(fake_cluster: Cluster, following: Following) -> None:
    """It is held and its id is not on disk yet: the follower leaves it alone."""
    job, other = fake_cluster.job("true"), fake_cluster.job("true")
    slurm_job_id = job.submit_by_hand()
    other.into_the_queue()
    following.round()
    assert job.in_slurm() == {slurm_job_id: "PENDING JobHeldUser"}
    assert job.notices() == []


def test_a_twin_that_cannot_be_cancelled_is_tried_again(
    fake_cluster: Cluster, following: Following, fake: FakeSlurm
) -> None:
    """It is told once, and cancelled as soon as Slurm answers; other jobs are followed meanwhile."""
    job = _held(fake_cluster)
    twin = job.submit_by_hand()
    fake.next("scancel", "fail", "fail")
    for _ in range(3):
        following.round()
    assert job.in_slurm()[twin].startswith("CANCELLED")
    assert (len(job.notices()), job.states()) == (1, ["SUBMITTED", "PENDING"])


def test_a_job_past_its_limit_is_flagged_once(fake_cluster: Cluster, following: Following, fake: FakeSlurm) -> None:
    """Slurm gives it some minutes more to end; what runs on is told with both times, by a new follower not again."""
    job = fake_cluster.job("true", duration="10m")
    files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())
    job.tell_submitted()
    for elapsed in ("00:14:59", "00:15:01", "01:15:01"):
        fake.change(ended={"": ["RUNNING", "0:0"]}, elapsed=elapsed, start="2026-11-20T10:00:00")
        fake_cluster.clock.sleep(600)
        following.round()
        following = Following(fake_cluster)
    flags = [entry["body"]["flag"] for entry in job.job.journal.entries() if entry["kind"] == "notice"]
    assert flags == ["past its time limit: runs for 15m 1s of 10m 0s"]


@pytest.mark.parametrize(
    ("duration", "told", "flags"),
    [
        (None, "00:10:00", ["past its time limit: runs for 20m 0s of 10m 0s"]),
        ("10m", "01:00:00", []),
        (None, "UNLIMITED", []),
        (None, "Partition_Limit", []),
        ("10m", "UNLIMITED", []),
    ],
)
def test_the_limit_is_what_slurm_says(
    fake_cluster: Cluster, following: Following, fake: FakeSlurm, duration: str | None, told: str, flags: list[str]
) -> None:
    """A job that names no duration has its partition's; one that was given more time is not past it."""
    job = fake_cluster.job("true", duration=duration)
    files.create(job.job.paths.slurm_job_id, job.submit_by_hand().encode())
    job.tell_submitted()
    running = {"ended": {"": ["RUNNING", "0:0"]}, "elapsed": "00:20:00", "start": "2026-11-20T10:00:00"}
    fake.change(**running, time_limit=told)
    following.round()
    notices = [entry["body"] for entry in job.job.journal.entries() if entry["kind"] == "notice"]
    assert [notice["flag"] for notice in notices] == flags


def test_a_job_that_slurm_has_forgotten_is_told(fake_cluster: Cluster, following: Following, fake: FakeSlurm) -> None:
    """Neither queue nor accounting lists it any more: after a quarter of an hour, not before, that is an ERROR."""
    job = _held(fake_cluster)
    following.round()
    fake.forget()
    fake_cluster.clock.sleep(LOST_AFTER_S - 100)
    following.round()
    assert job.states() == ["SUBMITTED", "PENDING"]
    fake_cluster.clock.sleep(200)
    following.until(lambda: _let_go(following, job), "it is told")
    assert job.states() == ["SUBMITTED", "PENDING", "ERROR"]
    body = job.job.journal.entries()[-1]["body"]
    assert (body["stage"], "nor does its accounting" in body["reason"]) == ("queue", True)


def test_a_job_that_only_the_accounting_knows_is_told(
    fake_cluster: Cluster, following: Following, fake: FakeSlurm
) -> None:
    """The queue lost it and its accounting never ends it (a runaway job): one notice, and no state is made up."""
    job = _held(fake_cluster)
    following.round()
    fake.next("squeue", *["empty"] * 50)
    for _ in range(3):
        fake_cluster.clock.sleep(LOST_AFTER_S)
        following.round()
    assert ["its accounting says PENDING" in notice for notice in job.notices()] == [True]
    assert job.states() == ["SUBMITTED", "PENDING"]


def test_a_job_that_is_gone_for_one_look_is_not_gone(
    fake_cluster: Cluster, following: Following, fake: FakeSlurm
) -> None:
    """An empty answer may be half of one: the accounting's word alone is believed when the next look is the same."""
    job = _held(fake_cluster)
    following.round()
    fake_cluster.command("scancel", str(job.id_on_disk))
    fake.next("squeue", "empty", "empty")
    following.round()
    assert job.states() == ["SUBMITTED", "PENDING"]
    following.round()
    assert job.states() == ["SUBMITTED", "PENDING", "CANCELLED", "DONE"]


def test_a_silent_slurm_has_forgotten_nothing(fake_cluster: Cluster, following: Following, fake: FakeSlurm) -> None:
    """However long it does not answer: no answer is not an empty one."""
    job = _held(fake_cluster)
    following.round()
    fake.next("squeue", *["fail"] * 50)
    for _ in range(5):
        fake_cluster.clock.sleep(LOST_AFTER_S)
        following.round()
    assert job.states() == ["SUBMITTED", "PENDING"]


def test_a_clock_that_is_set_back_stops_nobody(fake_cluster: Cluster, following: Following) -> None:
    """The login node's clock jumps an hour back: the next round is due as it was."""
    job = _held(fake_cluster)
    following.round()
    assert isinstance(fake_cluster.clock, QuickClock)
    fake_cluster.clock.ahead_s = -3600.0
    fake_cluster.command("scontrol", "release", str(job.id_on_disk))
    following.round()
    assert job.states() == _WHOLE_WAY


def test_a_job_that_begins_after_now_is_followed(
    fake_cluster: Cluster, following: Following, fake: FakeSlurm
) -> None:
    """The login node's clock is behind Slurm's: the accounting is asked about what is still to come here, too."""
    job = _held(fake_cluster)
    fake.change(ended={"": ["COMPLETED", "0:0"]}, start="2099-01-01T00:00:00", end="2099-01-01T00:00:01")
    fake.next("squeue", *["empty"] * 99)  # so that only the accounting can tell its end
    following.until(lambda: job.states()[-1] == "DONE", "its end is told")
    assert job.states() == _WHOLE_WAY


def test_a_thousand_jobs_are_one_query(fake_cluster: Cluster, following: Following, fake: FakeSlurm) -> None:
    """A round asks squeue and sacct once each, and every job's change is told."""
    model = _held(fake_cluster)
    (known,) = fake.jobs()
    uuids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(_MANY)]
    for number, job_uuid in enumerate(uuids):
        _copy(model, job_uuid, str(1000 + number))
    fake.take_in([{**known, "id": str(1000 + number), "name": job_uuid} for number, job_uuid in enumerate(uuids)])
    following.round()
    calls = [call for program in ("squeue", "sacct") for call in fake.calls(program) if "--format=%t" not in call]
    assert len(calls) == 2
    told = [fake_cluster.paths.job(job_uuid).journal for job_uuid in uuids]
    assert all(json.loads(Path(journal, "000003.json").read_text())["body"]["state"] == "PENDING" for journal in told)


def _copy(model: ClusterJob, job_uuid: str, slurm_job_id: str) -> None:
    """Make another job like this one, without Slurm and without waiting for the disk."""
    cluster, paths = model.cluster, model.cluster.paths.job(job_uuid)
    for folder in (paths.journal, paths.marks, paths.steps):
        Path(folder).mkdir(parents=True)
    Path(paths.spec).write_bytes(Path(model.job.paths.spec).read_bytes())
    Path(paths.slurm_job_id).write_text(slurm_job_id)
    Path(paths.steps, "submission").touch()
    entry = {**model.job.journal.entries()[0], "job_uuid": job_uuid}
    Path(paths.journal, "000001.json").write_text(json.dumps(entry))
    Path(cluster.paths.active, job_uuid).touch()
