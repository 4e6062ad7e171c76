"""A follower that reports to a real registry through a gate that fails: every change arrives once, and in order."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.archive import WRAPPER, Archive
from project.wrapper import files
from project.wrapper.follow.report import Reporter
from tests.contract.moody_gate import MOODS, MoodyGate, narrow
from tests.contract.processes import poll
from tests.contract.slurm.following import Following

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.registry_process import RegistryProcess
    from tests.contract.slurm.cluster import Cluster, ClusterJob

_WHOLE_WAY = ["SUBMITTED", "PENDING", "RUNNING", "COMPLETED", "DONE"]
_MAILED = ["PENDING", "RUNNING", "COMPLETED"]
_HOUR_S = 3600.0
_ROUND_S = 50.0  # what Following.round lets pass


class Reporting:
    """Jobs on a cluster, a follower, and the way to a registry.

    Attributes:
        gate: on that way.
        following: the follower.
    """

    def __init__(self, cluster: Cluster, registry: RegistryProcess, gate: MoodyGate, port: int) -> None:
        self.cluster = cluster
        self.registry = registry
        self.gate = gate
        files.make_folder(cluster.paths.follower)
        credentials = registry.call("POST", "/report-tokens", {"cluster": "demo"}).json()
        document = {"cluster": "demo", "url": f"http://127.0.0.1:{port}", "token": credentials["token"]}
        files.replace_json(cluster.paths.registry(""), document)
        self.following = Following(cluster, Reporter(cluster.paths, "", limit_s=1.0))

    def job(self) -> ClusterJob:
        """A job that is registered, and has run already when it is first looked at."""
        job = self.cluster.job("true")
        self.registry.create_job(job.job.job_uuid)
        job.into_the_queue()
        return job

    def pass_time(self, seconds: float) -> None:
        """Take a round now and then."""
        for _ in range(int(seconds / _ROUND_S)):
            self.following.round()

    def until_told(self, *jobs: ClusterJob) -> None:
        """Take rounds until the follower has nothing left to do for these jobs."""
        uuids = {job.job.job_uuid for job in jobs}
        self.following.until(lambda: not uuids & set(self.cluster.active), "all is told")

    def assert_whole(self, *jobs: ClusterJob) -> None:
        """Check that the registry knows of every change once, in order, and that every mail is there once."""
        for job in jobs:
            timeline = self.registry.job(job.job.job_uuid)["timeline"]
            assert [event["body"]["state"] for event in timeline] == ["CREATED", *_WHOLE_WAY]
            self._wait_for_mails(job)

    def _wait_for_mails(self, job: ClusterJob) -> None:
        poll(lambda: self.mailed(job) == _MAILED, "every mail was written")

    def mailed(self, job: ClusterJob) -> list[str]:
        """The states that mails about a job tell."""
        mails = [mail for mail in self.registry.mails() if job.job.job_uuid in mail["Message-ID"]]
        return [str(mail["Subject"]).partition(":")[0] for mail in mails]


@pytest.fixture
def reporting(fake_cluster: Cluster, registry: RegistryProcess) -> Iterator[Reporting]:
    """Reports go through a gate that is open for now."""
    gate = MoodyGate(int(registry.url.rpartition(":")[2]))
    with gate.started() as port:
        yield Reporting(fake_cluster, registry, gate, port)


@pytest.mark.parametrize("mood", MOODS)
def test_an_hour_of_trouble_loses_and_doubles_nothing(reporting: Reporting, mood: str) -> None:
    """Whatever the registry or what lies in between does; afterwards all is there once, and it was left in peace."""
    reporting.gate.mood = MOODS[mood]
    jobs = [reporting.job() for _ in range(2)]
    reporting.pass_time(_HOUR_S)
    assert reporting.gate.visits < 100, "about one attempt a minute"
    reporting.gate.mood = MoodyGate(0).mood
    reporting.until_told(*jobs)
    reporting.assert_whole(*jobs)


def test_a_registry_that_names_a_time_is_left_alone_until_then(reporting: Reporting) -> None:
    """429 with `Retry-After: 900`: four attempts in an hour."""
    reporting.gate.mood = MOODS["says 429"]
    job = reporting.job()
    reporting.pass_time(_HOUR_S)
    assert 1 <= reporting.gate.visits <= 4
    reporting.gate.mood = MoodyGate(0).mood
    reporting.until_told(job)
    reporting.assert_whole(job)


def test_moods_that_change_with_each_request(reporting: Reporting) -> None:
    """Any of the faults, in any order, while jobs come and end."""
    chance = random.Random(4)  # noqa: S311 - any order will do, the same each time
    names = sorted(MOODS)

    def moody(visit: Any) -> None:
        MOODS[chance.choice(names)](visit) if chance.random() < 0.7 else MoodyGate(0).mood(visit)

    reporting.gate.mood = moody
    jobs = []
    for _ in range(5):
        jobs.append(reporting.job())
        reporting.pass_time(5 * _ROUND_S)
    reporting.gate.mood = MoodyGate(0).mood
    reporting.until_told(*jobs)
    reporting.assert_whole(*jobs)


def test_a_narrow_proxy_is_passed_in_small_parts(reporting: Reporting) -> None:
    """What has gathered is too much for one request: it goes in several, each as large as may be."""
    reporting.gate.mood = MOODS["says 502"]
    jobs = [reporting.job() for _ in range(4)]
    reporting.pass_time(2 * _ROUND_S)
    reporting.gate.mood = narrow(2000)
    reporting.until_told(*jobs)
    reporting.assert_whole(*jobs)


def test_an_entry_that_cannot_be_read_holds_up_its_own_job_only(reporting: Reporting) -> None:
    """The registry refuses the whole request for it; the others are told all the same."""
    bad = reporting.job()
    bad.job.journal.append("module", {"stage": "x", "step": 1, "module": "m", "result": float("nan")})
    jobs = [reporting.job() for _ in range(3)]
    reporting.until_told(*jobs)
    reporting.assert_whole(*jobs)
    assert reporting.registry.job(bad.job.job_uuid)["last_seq"] == 1, "what comes before it is taken"


def test_damage_to_the_files_of_a_job_holds_up_no_other(reporting: Reporting) -> None:
    """A journal nobody can read: the other jobs are followed and told."""
    bad, good = reporting.job(), reporting.job()
    Path(bad.job.paths.journal, "000001.json").write_text("{half")
    Path(bad.job.paths.spec).write_text("[]")
    reporting.until_told(good)
    reporting.assert_whole(good)


def test_a_folder_that_began_anew_is_followed(fake_cluster: Cluster, reporting: Reporting) -> None:
    """Somebody removed all of Gridferry's folder: epochs begin at 1 again, though the registry knows of 57."""
    assert reporting.registry.report(epoch=57).status_code == 200
    job = reporting.job()
    reporting.following.follower.run()
    assert fake_cluster.active == []
    reporting.assert_whole(job)


def test_a_registry_from_an_older_copy_is_told_again(
    fake_cluster: Cluster, own_registry: RegistryProcess, tmp_path: Path
) -> None:
    """Its disk was lost and yesterday's copy put in place: running jobs are whole there again."""
    database, copy = own_registry.folder / "registry.sqlite3", tmp_path / "copy"
    gate = MoodyGate(0)
    with gate.started() as port:
        with own_registry.started():
            gate.upstream = int(own_registry.url.rpartition(":")[2])
            reporting = Reporting(fake_cluster, own_registry, gate, port)
            job = fake_cluster.job("true")
            own_registry.create_job(job.job.job_uuid)
            job.job.journal.append("state", {"state": "UPLOADED"})
            reporting.following.round()
        copy.mkdir()
        for file in own_registry.folder.glob("registry.sqlite3*"):
            shutil.copy(file, copy)
        with own_registry.started():
            gate.upstream = int(own_registry.url.rpartition(":")[2])
            job.job.journal.append("state", {"state": "COMPILING"})
            reporting.pass_time(2 * _ROUND_S)
            assert own_registry.job(job.job.job_uuid)["last_seq"] == 2
        for file in own_registry.folder.glob("registry.sqlite3*"):
            file.unlink()
        for file in copy.iterdir():
            shutil.copy(file, database.parent)
        with own_registry.started():
            gate.upstream = int(own_registry.url.rpartition(":")[2])
            assert own_registry.job(job.job.job_uuid)["last_seq"] == 1
            job.job.journal.append("state", {"state": "ERROR"})
            reporting.until_told(job)
            timeline = own_registry.job(job.job.job_uuid)["timeline"]
            assert [event["body"]["state"] for event in timeline] == ["CREATED", "UPLOADED", "COMPILING", "ERROR"]


def test_a_disk_that_is_full_from_the_start_is_waited_for(reporting: Reporting) -> None:
    """The follower can write nothing, not even its log: it waits, and goes on by itself when there is room."""
    job = reporting.job()
    process = _follower(reporting.cluster, full=True)
    try:
        Path(reporting.cluster.paths.follower, "log").write_text("")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        assert job.states() == ["SUBMITTED"]
        _set_full(process, full=False)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
    reporting.assert_whole(job)


def test_a_disk_that_fills_up_meanwhile_is_waited_for(reporting: Reporting) -> None:
    """A quota is used up while jobs are followed; what happened meanwhile is told once there is room."""
    first = reporting.cluster.job("true")
    reporting.registry.create_job(first.job.job_uuid)
    first.submit()  # not told yet, so the follower stays
    process = _follower(reporting.cluster, full=False)
    try:
        poll(lambda: list(Path(reporting.cluster.paths.follower).glob("epoch-*")), "the follower works")
        _set_full(process, full=True)
        second = reporting.job()
        first.tell_submitted()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
        assert second.states() == ["SUBMITTED"]
        _set_full(process, full=False)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
    reporting.assert_whole(first, second)


def _follower(cluster: Cluster, *, full: bool) -> subprocess.Popen[bytes]:
    """Start a real follower; with `full` it finds a disk that takes no byte more."""
    archive = Archive(Path(cluster.paths.root) / "cache", WRAPPER)
    path = Path(cluster.paths.program(archive.file_name))
    path.write_bytes(archive.content)
    with Path(cluster.paths.follower, "printed").open("wb") as printed:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(path), "follow"],
            stdout=printed,
            stderr=printed,
            preexec_fn=lambda: _limit(0, full=full),  # noqa: PLW1509 - it only sets a limit
        )


def _set_full(process: subprocess.Popen[bytes], *, full: bool) -> None:
    _limit(process.pid, full=full)


def _limit(pid: int, *, full: bool) -> None:
    """Let no file grow (RLIMIT_FSIZE), or let them: as a used-up quota does, without one."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    if pid == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))
