"""An open destination: one try after the other where a cluster refused for good, and never two of one job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import GridferryError, RegistryUnavailable, SubmissionRefused, SubmissionUnknown, Unreachable
from project.core.job import AUTO, JobSpec
from project.core.ranking import Candidate, Ranked, rank
from project.services.choose import Chooser
from project.services.dispatch import Submitted
from project.services.logins import LoginChoice
from project.services.remote import Remote
from project.services.request import SubmitRequest
from project.services.submit import Submitter
from project.task import Task
from tests.unit.services.ports import (
    FakeCluster,
    FakeProgram,
    FakeRecords,
    FakeRegistry,
    ListeningView,
    Person,
    QuickClock,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from project.services.select_cluster import Cluster

_NAMES = ("first", "second", "third")


class Grid:
    """Three clusters and all that leads to them: what each does with a job is said beforehand.

    Attributes:
        sent: to which cluster each try went, under which UUID, as a repetition of which.
        reached: which clusters were logged in to.
    """

    logins = LoginChoice()

    def __init__(self, answers: Mapping[str, GridferryError | None], silent: Sequence[str] = ()) -> None:
        self._answers = answers
        self._silent = silent
        self.sent: list[tuple[str, str, str]] = []
        self.reached: list[str] = []
        self.view = ListeningView()

    def ranked(self, _: SubmitRequest, clusters: Sequence[Cluster]) -> list[Ranked]:
        """Be the scout."""
        return rank([Candidate(cluster=str(cluster["name"]), starts_in_s=0.0) for cluster in clusters])

    def connect(self, cluster: Cluster, _: Mapping[str, Any]) -> FakeCluster:
        """Be the reacher."""
        self.reached.append(str(cluster["name"]))
        if cluster["name"] in self._silent:
            raise Unreachable(f"{cluster['name']} is silent")
        node = FakeCluster()
        node.events["limits"] = [{"event": "limits", "array_tasks": 10, "queued_tasks": 10}]
        return node

    def plan(self, job_uuid: str, _: SubmitRequest, cluster: Cluster, *__: Any) -> dict[str, Any]:
        """Be the planner."""
        return {"job": {"job_uuid": job_uuid}, "cluster": cluster["name"]}

    def remote(self, cluster: Cluster, node: FakeCluster, *, for_campaign: bool) -> Remote:
        """Be the dispatcher, before it sends."""
        assert for_campaign in (True, False)
        return Remote(node, cluster, FakeProgram())

    def send(self, record: dict[str, Any], _: Remote, *, detach: bool) -> Submitted:
        """Be the dispatcher."""
        assert not detach
        name, job_uuid = str(record["cluster"]), str(record["job_uuid"])
        assert record["job"]["job_uuid"] == job_uuid
        self.sent.append((name, job_uuid, str(record["job"].get("resubmission_of", ""))))
        error = self._answers.get(name)
        if error is not None:
            raise error
        return Submitted(job_uuid, name, "47", "/home/jdoe/job")

    def submit(self, *, tasks: Sequence[Task] = ()) -> Submitted:
        """Submit a job that may go anywhere."""
        clusters = [{"name": name, "hostname": name, "workload_manager": "slurm"} for name in _NAMES]
        registry = FakeRegistry()
        registry.clusters = lambda: clusters  # type: ignore[method-assign]
        port: Any = self
        submitter = Submitter(
            registry=registry,
            records=AnyRecords(),
            modules=port,
            planner=port,
            prompter=Person(),
            view=self.view,
            clock=QuickClock(),
            reacher=port,
            chooser=Chooser(reacher=port, scout=port, view=self.view, show_ranking=lambda _: None),
            dispatcher=port,
        )
        spec = JobSpec("jdoe", "j@example.org", (AUTO,), ["true"])
        return submitter.submit(
            SubmitRequest("job.yml", {"username": "jdoe"}, spec, [], {}, None, tasks=tasks), detach=False
        )


class AnyRecords(FakeRecords):
    """Takes every record."""

    def save(self, record: dict[str, Any]) -> None:
        """Keep the last one."""
        self.record = dict(record)


_NO = SubmissionRefused("Slurm refused the job: Invalid account")


def test_a_refusal_moves_on_as_a_new_job() -> None:
    """Each try has its own UUID and names the one that was refused; that it moved on is said."""
    grid = Grid({"first": _NO, "second": _NO})
    assert grid.submit().cluster == "third"
    assert [name for name, _, _ in grid.sent] == list(_NAMES)
    uuids = [job_uuid for _, job_uuid, _ in grid.sent]
    assert len(set(uuids)) == len(_NAMES)
    assert [repeated for _, _, repeated in grid.sent] == ["", uuids[0], uuids[1]]
    assert [said for said in grid.view.said if "the next one is tried" in said] == [
        f"{name} refused job {job_uuid}: {_NO.message}; the next one is tried"
        for name, job_uuid in zip(_NAMES[:2], uuids[:2], strict=True)
    ]


@pytest.mark.parametrize(
    "error",
    [
        SubmissionUnknown("sbatch gave no clear answer"),
        Unreachable("the connection broke"),
        RegistryUnavailable("away"),
    ],
)
def test_what_is_not_known_for_sure_stays_where_it_is(error: GridferryError) -> None:
    """The first cluster may have the job: no other one gets it, whatever went wrong."""
    grid = Grid({"first": error})
    with pytest.raises(type(error)):
        grid.submit()
    assert [name for name, _, _ in grid.sent] == ["first"]
    assert grid.reached == ["first"]
    stays = any("the job stays with first, which may have it" in said for said in grid.view.said)
    assert stays == (not isinstance(error, RegistryUnavailable))


def test_the_last_refusal_is_the_answer() -> None:
    """Where all refuse, the last one's words are told."""
    grid = Grid(dict.fromkeys(_NAMES, _NO))
    with pytest.raises(SubmissionRefused):
        grid.submit()
    assert len(grid.sent) == len(_NAMES)


def test_a_cluster_that_fell_silent_since_is_passed_over() -> None:
    """Nothing was sent to it, so the next one may have the job under the same UUID."""
    grid = Grid({}, silent=["first"])
    assert grid.submit().cluster == "second"
    assert grid.reached == ["first", "second"]
    assert len(grid.sent) == 1
    with pytest.raises(Unreachable, match="third is silent"):
        Grid({}, silent=_NAMES).submit()


def test_a_campaign_stays_where_its_first_part_went() -> None:
    """Some parts may be in the queue already when one is refused."""
    grid = Grid({"first": _NO})
    with pytest.raises(SubmissionRefused):
        grid.submit(tasks=[Task({"x": "1"})])
    assert [name for name, _, _ in grid.sent] == ["first"]
