"""The ways a job goes, each with steps that no other has; and a run of one way with a death on it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.killing.login_node import LoginNode
from tests.repositories import git, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.contract.registry_process import RegistryProcess
    from tests.killing.login_node import Kill
    from tests.killing.slurms import SlurmSide

_WHOLE_WAY = [
    "CREATED", "UPLOADED", "PREPROCESSING", "COMPILING", "SUBMITTED", "PENDING", "RUNNING", "COMPLETED",
    "POSTPROCESSING", "DONE",
]  # fmt: skip


class Scenario:
    """A job on its way, on a login node of its own.

    Args:
        name: of SCENARIOS.
        folder: for everything.
        registry: hears of the job.
        slurm: the Slurm behind the login node.
    """

    def __init__(self, name: str, folder: Path, registry: RegistryProcess, slurm: SlurmSide) -> None:
        self._folder = folder
        self._slurm = slurm
        self.steps = folder / "steps"
        plan = {"speed": slurm.speed, "record": str(self.steps), "follow": False}
        self.node = LoginNode(folder / "node", registry, slurm.environment, is_new=name == "new cluster", **plan)
        self.node.bring_job(**SCENARIOS[name](self))

    def everything_goes_well(self) -> dict[str, Any]:
        """Nothing is lost."""
        return {}

    def answers_are_lost(self) -> dict[str, Any]:
        """Slurm takes the job twice, tells neither, and does not answer the release."""
        self._slurm.lose_answers()
        return {}

    def login_nodes_end_all(self) -> dict[str, Any]:
        """A follower is queued behind the job."""
        return {"follow": "slurm"}

    def job_is_a_repository(self) -> dict[str, Any]:
        """It is cloned on the login node."""
        repository = make_repository(self._folder / "repository", {"a.txt": "a"})
        return {"source": {"url": f"file://{repository}", "commit": git(repository, "rev-parse", "HEAD")}}

    def go(self, kill: Kill | None = None) -> bool:
        """Take the job into the queue and follow it to its end, dying once on the way; return whether that was so.

        Who dies is started again: the wrapper by the client that resumes, the follower by whoever calls next.
        """
        node = self.node
        killed = node.run(kill=kill).was_killed
        killed |= node.run(kill=None if killed else kill).was_killed
        if not node.is_submitted:
            answer = node.run()
            assert answer.exit_code == 0, answer
        killed |= node.follow(kill=None if killed else kill).was_killed
        if node.is_active:
            assert node.follow().exit_code == 0
        return killed

    def go_overtaken(self, at: Kill) -> bool:
        """Go to the end from a second login node while a process on the first stands still; then that goes on.

        Returns:
            Whether it ever came to where it was to stand still.
        """
        node, second = self.node, {"host": ["login2", "boot2"]}
        if at.step.command == "follow":
            assert node.run().exit_code == 0
        with node.standing_still(at) as came_there:
            if at.step.command == "run":
                assert node.run(**second).exit_code == 0
            assert node.follow(**second).exit_code == 0
        if node.is_active:
            assert node.follow(**second).exit_code == 0
        return came_there

    def check(self) -> None:
        """Check what is promised of a job that has come to its end, whoever died on the way."""
        node = self.node
        began_under = node.starts()
        assert len(began_under) == 1, f"its commands began under {began_under}"
        assert [Path(node.job_paths.slurm_job_id).read_text()] == began_under
        assert node.told() == _WHOLE_WAY, node.told()
        assert node.modules_told() == ["preprocessing", "postprocessing"], node.modules_told()
        numbered = sorted(path.name for path in Path(node.job_paths.journal).glob("0*.json"))
        assert numbered == [f"{number:06d}.json" for number in range(1, len(numbered) + 1)], numbered
        assert not node.is_active
        assert node.entries_told() == len(numbered), "the registry knows all"
        ends = self._slurm.ends(node.job_uuid)
        assert ends.pop(*began_under) == "COMPLETED"
        assert set(ends.values()) <= {"CANCELLED"}, ends
        for slurm_job_id in ends:
            told = [notice for notice in node.notices() if f" {slurm_job_id} " in notice]
            assert len(told) == 1, f"each surplus job is told once: {node.notices()}"


SCENARIOS: dict[str, Callable[[Scenario], dict[str, Any]]] = {
    "plain": Scenario.everything_goes_well,
    "new cluster": Scenario.everything_goes_well,
    "doubt": Scenario.answers_are_lost,
    "watcher": Scenario.login_nodes_end_all,
    "repository": Scenario.job_is_a_repository,
}


def go_for_each(
    kills: Sequence[Kill],
    at_once: int,
    make: Callable[[Path], Scenario],
    folder: Path,
    how: Callable[[Scenario, Kill], bool] = Scenario.go,
) -> dict[Kill, str]:
    """Go the same way once for each kill; return what was wrong after which."""

    def go(number: int) -> str:
        scenario = make(folder / str(number))
        try:
            assert how(scenario, kills[number]), "nobody came this way"
            scenario.check()
        except AssertionError as error:
            return repr(error)
        return ""

    with ThreadPoolExecutor(at_once) as pool:
        said = list(pool.map(go, range(len(kills))))
    return {kill: wrong for kill, wrong in zip(kills, said, strict=True) if wrong}
