"""What clusters answer when they are asked about a job, all at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from project.core.errors import AuthenticationFailed, RegistryUnavailable, SchedulerUnavailable, UsageError
from project.core.findings import COMPUTE_NODES, Known, failure
from project.core.job import JobSpec, Resources
from project.services import scout
from project.services.logins import LoginChoice
from project.services.request import SubmitRequest
from project.services.scout import Scout
from tests.unit.services.ports import FakeCluster, FakeProgram, FakeRegistry, ListeningView

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from project.core.errors import GridferryError
    from project.core.ranking import Ranked
    from project.ports import Login

_STATUS = {"taken_at": "2026-11-20T10:00:00.000000Z", "pending_jobs": 2, "nodes": []}
_PARTITION = {
    "name": "batch", "is_default": True, "state": "UP", "nodes": 1, "cpus": 4, "max_time_s": 600,
    "default_time_s": 60, "max_nodes": None, "accounts": [], "denied_accounts": [], "qos": [], "groups": [],
}  # fmt: skip


class Grid:
    """A connector to clusters by host name; what a cluster does when somebody logs in."""

    def __init__(self, **clusters: Callable[[], FakeCluster]) -> None:
        self._clusters = clusters

    def connect(self, login: Login) -> FakeCluster:
        """Log in."""
        return self._clusters[login.host]()

    def answers(self, login: Login) -> bool:
        """Whether it would answer."""
        return login.host in self._clusters


def _foretelling(starts_in_s: float | None = 0.0, refusal: str = "") -> Callable[[], FakeCluster]:
    cluster = FakeCluster()
    told = {"starts_in_s": starts_in_s, "nodes": "n1", "refusal": refusal, "partitions": [_PARTITION]}
    cluster.events["forecast"] = [{"event": "forecast", **told, "status": _STATUS}]
    return lambda: cluster


class Bare(FakeCluster):
    """A login node without Python."""

    def ask(self, script: str, *, timeout_s: float = 60.0) -> str:
        """Answer the probe."""
        return super().ask(script, timeout_s=timeout_s).replace("/usr/bin/python3", "")


def _failing(error: GridferryError) -> Callable[[], FakeCluster]:
    def connect() -> FakeCluster:
        raise error

    return connect


class Away(FakeRegistry):
    """Takes nothing."""

    def put_status(self, cluster: str, status: Any) -> None:
        """Be away."""
        raise RegistryUnavailable(f"the status of {cluster} {status['taken_at']} is lost")


def _ranked(
    grid: Grid,
    *names: str,
    registry: FakeRegistry | None = None,
    known: Callable[[str], Known] | None = None,
    **more: Any,
) -> dict[str, Ranked]:
    looking = Scout(
        connector=grid,
        registry=registry or FakeRegistry(),
        toolbox=FakeProgram(),
        view=ListeningView(),
        logins=LoginChoice(known=known) if known else LoginChoice(),
    )
    spec = JobSpec("jdoe", "j@example.org", names, ["true"], resources=Resources(time_limit_s=60))
    request = SubmitRequest("job.yml", {"username": "jdoe"}, spec, [], {}, None)
    clusters = [{"name": name, "hostname": name, "workload_manager": "slurm", **more} for name in names]
    return {found.candidate.cluster: found for found in looking.ranked(request, clusters)}


def test_what_is_in_the_way_is_told_for_each_and_keeps_no_other_from_being_asked() -> None:
    """A refused login, a question, a silent Slurm, a refusal: each has its words; what is well is chosen."""
    silent = FakeCluster()
    silent.events["forecast"] = [SchedulerUnavailable("sbatch does not answer")]
    grid = Grid(
        closed=_failing(AuthenticationFailed("no key was taken")),
        asking=_failing(UsageError("a passphrase is needed")),
        silent=lambda: silent,
        bare=Bare,
        small=_foretelling(refusal="Requested node configuration is not available"),
        well=_foretelling(30.0),
    )
    ranked = _ranked(grid, "closed", "asking", "silent", "bare", "small", "well")
    assert next(iter(ranked)) == "well"
    assert [name for name, found in ranked.items() if found.is_chosen] == ["well"]
    assert {name: found.reason for name, found in ranked.items() if name != "well"} == {
        "closed": "no key was taken",
        "asking": "a passphrase is needed",
        "silent": "sbatch does not answer",
        "bare": "there is no Python 3.6 or newer on the login node of bare",
        "small": "Requested node configuration is not available",
    }


def test_all_are_asked_at_once() -> None:
    """None waits for another to answer: each only goes on once all have begun."""
    together = threading.Barrier(4, timeout=30)

    def meet() -> FakeCluster:
        together.wait()
        return _foretelling()()

    names = ("a", "b", "c", "d")
    assert all(not found.candidate.problem for found in _ranked(Grid(**dict.fromkeys(names, meet)), *names).values())


def test_one_that_takes_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are ranked without it, within the limit."""
    monkeypatch.setattr(scout, "LIMIT_S", 2.0)
    forever = threading.Event()

    def hang() -> FakeCluster:
        forever.wait(60)
        raise AssertionError

    try:
        ranked = _ranked(Grid(hangs=hang, well=_foretelling()), "hangs", "well")
    finally:
        forever.set()
    assert ranked["well"].is_chosen
    assert ranked["hangs"].reason == "it did not answer within 2 s"


def test_what_doctor_found_counts() -> None:
    """Slurm would take a job whose folder no node sees; where doctor found that, the job goes elsewhere."""
    unseen = failure("compute nodes do not see /home", "r")._replace(check=COMPUTE_NODES)
    known = {"blind": Known("2026-11-20T10:00:00.000000Z", [unseen])}
    grid = Grid(blind=_foretelling(0.0), well=_foretelling(3600.0))
    ranked = _ranked(grid, "blind", "well", known=lambda name: known.get(name, Known()))
    assert ranked["well"].is_chosen
    assert ranked["blind"].candidate.refusal == "doctor found: compute nodes: compute nodes do not see /home"


def test_statuses_come_along_and_a_registry_that_is_away_does_not_matter() -> None:
    """It only freshens what others see; what the registry knows of forecasts is passed on."""
    registry, foretold = FakeRegistry(), {"jobs": 3, "median_late_s": 60}
    found = _ranked(Grid(nic5=_foretelling()), "nic5", registry=registry, foretold=foretold)
    assert registry.statuses == {"nic5": _STATUS}
    assert found["nic5"].candidate.foretold == foretold
    assert _ranked(Grid(nic5=_foretelling()), "nic5", registry=Away())["nic5"].is_chosen
