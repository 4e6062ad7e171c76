"""A cluster that does not answer: which others are offered, and what a person may say to that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import AuthenticationFailed, Unreachable
from project.core.job import JobSpec
from project.services.logins import LoginChoice
from project.services.reach import Reacher
from project.services.request import SubmitRequest
from project.services.scout import Scout
from tests.unit.services.ports import FakeCluster, FakeProgram, FakeRegistry, ListeningView, Person

if TYPE_CHECKING:
    from project.ports import Login, LoginNode

_INPUT = {"username": "jdoe"}


def _cluster(name: str, *kinds: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "hostname": name, "workload_manager": "slurm", "preferred_jobs": list(kinds), **more}


_CLUSTERS = [
    _cluster("lost", "mpi", "smp"),
    _cluster("nic5", "smp"),
    _cluster("hercules", "mpi"),
    _cluster("serials", "serial"),
    _cluster("silent", "mpi"),
    _cluster("closed", "mpi", enabled=False),
    _cluster("foreign", "mpi", workload_manager="pbs"),
]
_FORECAST = {
    "event": "forecast", "starts_in_s": 0.0, "nodes": "n1", "refusal": "", "partitions": [],
    "status": {"taken_at": "2026-11-20T10:00:00.000000Z", "pending_jobs": 0, "running_jobs": 0, "nodes": []},
}  # fmt: skip


class Hosts:
    """Login nodes: some do not answer (the first times), some refuse the login."""

    def __init__(self, **problems: Exception) -> None:
        self.problems = problems
        self.silent = {"lost": 100, "silent": 100}
        self.reached: list[str] = []

    def connect(self, login: Login) -> LoginNode:
        """Log in."""
        if self.silent.get(login.host, 0) > 0:
            self.silent[login.host] -= 1
            raise Unreachable(f"{login.host} is silent", remedy="Wait")
        if login.host in self.problems:
            raise self.problems[login.host]
        self.reached.append(login.host)
        node = FakeCluster()
        node.events["forecast"] = [_FORECAST]
        return node

    def answers(self, login: Login) -> bool:
        """Whether it says that it speaks SSH."""
        return not self.silent.get(login.host)


def reach(hosts: Hosts, person: Person, chosen: str = "lost") -> str:
    """Reach a cluster, or another; return its name."""
    view, logins = ListeningView(), LoginChoice()
    scout = Scout(connector=hosts, registry=FakeRegistry(), toolbox=FakeProgram(), view=view, logins=logins)
    reacher = Reacher(connector=hosts, prompter=person, view=view, logins=logins, scout=scout)
    spec = JobSpec("jdoe", "j@example.org", (chosen,), ["true"])
    request = SubmitRequest("job.yml", dict(_INPUT), spec, [], {}, Path("job"))
    first = next(cluster for cluster in _CLUSTERS if cluster["name"] == chosen)
    cluster, _ = reacher.connect_or_offer(first, _CLUSTERS, request)
    return str(cluster["name"])


def test_who_answers_is_taken_without_a_question() -> None:
    """Nobody is asked."""
    assert reach(Hosts(), Person(), "nic5") == "nic5"


def test_others_with_a_kind_in_common_are_offered() -> None:
    """Those that answer, are open and can be submitted to; the same again is the last choice."""
    person = Person("nic5")
    assert reach(Hosts(), person) == "nic5"
    (question,) = person.asked
    assert question.endswith("['nic5', 'hercules', 'lost']")
    assert "lost does not answer" in question


def test_another_name_may_be_typed() -> None:
    """Any cluster of the registry, offered or not."""
    assert reach(Hosts(), Person("serials")) == "serials"


def test_a_mistyped_name_may_be_typed_again() -> None:
    """The question says what was meant, perhaps; one that takes no jobs is no answer either."""
    person = Person("nic6", "closed", "nic5")
    assert reach(Hosts(), person) == "nic5"
    assert "Did you mean nic5?" in person.asked[1]
    assert "closed takes no jobs" in person.asked[2]


def test_trying_anyway_may_work() -> None:
    """Its login node was restarted, say."""
    hosts = Hosts()
    hosts.silent["lost"] = 1
    assert reach(hosts, Person("lost")) == "lost"


def test_the_choice_stays_the_original_ones() -> None:
    """When the second choice is silent too, what is offered has a kind in common with the first choice."""
    person = Person("silent", "nic5")
    assert reach(Hosts(), person) == "nic5"
    assert "silent does not answer" in person.asked[1]
    assert "'nic5'" in person.asked[1]


def test_a_cluster_that_must_ask_first_is_offered_last() -> None:
    """Its passphrase cannot be asked for while several are tried: it is reachable all the same."""
    person = Person("hercules")
    assert reach(Hosts(nic5=AuthenticationFailed("a passphrase is needed")), person) == "hercules"
    assert person.asked[0].endswith("['hercules', 'nic5', 'lost']")


def test_where_nobody_can_be_asked_the_others_are_named() -> None:
    """The message says which there were."""
    with pytest.raises(Unreachable, match="others with the same preferred jobs: nic5, hercules"):
        reach(Hosts(), Person())


def test_no_answer_is_no_choice() -> None:
    """An empty line ends it instead of asking for ever."""
    with pytest.raises(Unreachable, match="lost is silent"):
        reach(Hosts(), Person(""))


def test_a_refused_login_is_no_reason_to_go_elsewhere() -> None:
    """The door is there; somebody else's would not open better."""
    with pytest.raises(AuthenticationFailed):
        reach(Hosts(nic5=AuthenticationFailed("no key")), Person(), "nic5")
