"""A follower whose rounds a test takes one by one, and a registry that answers as it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import RegistryError, RegistryUnavailable
from project.wrapper.follow.loop import Follower
from project.wrapper.follow.report import Answer, Overtaken, Reporter
from project.wrapper.lease import Lease
from tests.contract.processes import poll
from tests.fakes.clock import QuickClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from project.core.messages import Document
    from tests.contract.slurm.cluster import Cluster

_BETWEEN_ROUNDS_S = 0.2
_A_WHILE_S = 50.0


class FakeRegistry(Reporter):
    """Takes entries as docs/protocol.md says: each once, in order.

    Attributes:
        taken: the entries of each job.
        statuses: every cluster status that came.
        trouble: raised instead of an answer, while it is set.
        refuses: UUIDs it wants to hear nothing about.
    """

    def __init__(self) -> None:
        self.taken: dict[str, list[Document]] = {}
        self.statuses: list[Document] = []
        self.trouble: RegistryError | Overtaken | None = None
        self.refuses: set[str] = set()

    def send(self, epoch: int, entries: Sequence[Document], status: Document | None) -> Answer:
        """Take what is next of each job."""
        assert epoch >= 0
        if self.trouble is not None:
            raise self.trouble
        self.statuses += [status] if status else []
        for entry in entries:
            taken = self.taken.setdefault(entry["job_uuid"], [])
            if entry["job_uuid"] not in self.refuses and entry["seq"] == len(taken) + 1:
                taken.append(entry)
        acknowledged = {job_uuid: len(taken) for job_uuid, taken in self.taken.items()}
        return Answer(acknowledged, dict.fromkeys(self.refuses, "no such job"))

    def go_away(self) -> None:
        """Answer no more until `come_back`."""
        self.trouble = RegistryUnavailable("the registry is away")

    def come_back(self) -> None:
        """Answer again."""
        self.trouble = None

    def states(self, job_uuid: str) -> list[str]:
        """The states of a job, as they came."""
        return [entry["body"]["state"] for entry in self.taken.get(job_uuid, []) if entry["kind"] == "state"]


class Following:
    """A follower of a cluster's jobs.

    Attributes:
        follower: itself.
        registry: where it reports, but for jobs of others by their key.
        started: the commands it has started for jobs.
    """

    def __init__(self, cluster: Cluster, reporter: Reporter | None = None, **others: Reporter) -> None:
        self.registry = FakeRegistry()
        self.started: list[tuple[str, str]] = []
        self._clock = cluster.clock
        self.follower = Follower(
            cluster.paths,
            cluster.slurm,
            lambda key: others.get(key) or reporter or self.registry,
            Lease(cluster.paths.follower),
            cluster.clock,
            lambda command, job_uuid: self.started.append((command, job_uuid)),
        )

    def round(self) -> None:
        """Take one round, after a while in which everything has become due where time passes at once."""
        self._clock.sleep(_A_WHILE_S if isinstance(self._clock, QuickClock) else _BETWEEN_ROUNDS_S)
        self.follower.round()

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Take rounds until something is so."""

        def holds() -> Any:
            self.round()
            return condition()

        poll(holds, what, 60)
