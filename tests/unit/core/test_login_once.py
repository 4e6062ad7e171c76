"""What the tasks of an array find of a login shell, run as slurmd would run them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from project.core.job import ArraySpec, Resources
from project.core.slurm.script import Placement
from tests.unit.core.test_script import Cluster, spec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COUNT = 'echo login >> "$HOME/logins"\n'


class Array:
    """An array on one cluster, whose user has these lines in a file that login shells read."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.cluster = Cluster(folder / "it's a job")
        self._home = self.cluster.folder / "home"
        (self._home / ".bash_profile").write_text(_COUNT + profile)

    def say(
        self, *execution: str, tasks: Sequence[int], node: str = "node1", modules: tuple[str, ...] = ()
    ) -> list[str]:
        """Run tasks one after the other; return what each printed last."""
        script = self._script(*execution, modules=modules)
        return [self._task(script, task, node) for task in tasks]

    def say_at_once(self, *execution: str, tasks: Sequence[int]) -> list[str]:
        """Run tasks all at once; return what each printed last."""
        script = self._script(*execution)
        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(lambda task: self._task(script, task, "node1"), tasks))

    def _script(self, *execution: str, modules: tuple[str, ...] = ()) -> Path:
        """Write the script of an array."""
        resources = Resources(array=ArraySpec(list(range(1, 100)), "1-99"))
        return self.cluster.script(spec(*execution, modules=modules, resources=resources), Placement())

    def _task(self, script: Path, task: int, node: str) -> str:
        variables = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": str(task), "SLURMD_NODENAME": node}
        done = self.cluster.start(script, 40 + task, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()[-1]

    @property
    def logins(self) -> int:
        """How often a login shell was started."""
        return len((self._home / "logins").read_text().splitlines())


@pytest.mark.parametrize(
    ("profile", "command", "said"),
    [
        ("export GREETING='it is \"odd\" $HOME `x` \\'", "printenv GREETING", 'it is "odd" $HOME `x` \\'),
        ("PATH=/opt/own/bin:$PATH", 'echo "${PATH%%:*}"', "/opt/own/bin"),
        ("export LINES_OF='a\n\nb'", "printenv LINES_OF | wc -l", "3"),
        ("not_exported=here", 'echo "$not_exported"', "here"),
        ("list=(one 'two three')", 'echo "${list[1]}"', "two three"),
        ('conda() { echo "conda $1"; }', "conda activate", "conda activate"),
        ('module() { echo "module $*"; }; export -f module', "bash -c 'module load GCC'", "module load GCC"),
        ("", "type -t gridferry_tell || echo nothing of ours", "nothing of ours"),
    ],
)  # fmt: skip
def test_two_tasks_log_in_and_the_others_find_the_same(tmp_path: Path, profile: str, command: str, said: str) -> None:
    """Variables, exported or not, arrays and functions: two logins on a node are as good as one for each task."""
    array = Array(tmp_path, profile)
    assert array.say(command, tasks=range(1, 6)) == [said] * 5
    assert array.logins == 2


def test_modules_are_loaded_by_what_a_login_brings(tmp_path: Path) -> None:
    """`environment_modules` of a job file work in every task."""
    array = Array(tmp_path, "module() { loaded=$*; }")
    assert array.say('echo "$loaded"', tasks=range(1, 5), modules=("GCC/12",)) == ["load GCC/12"] * 4
    assert array.logins == 2


def test_what_is_of_one_task_is_not_taken_for_another(tmp_path: Path) -> None:
    """Where a login brings each task something of its own, each task has its own login shell."""
    array = Array(tmp_path, "export SCRATCH=/scratch/$SLURM_ARRAY_TASK_ID")
    assert array.say('echo "$SCRATCH"', tasks=range(1, 5)) == [f"/scratch/{task}" for task in range(1, 5)]
    assert array.logins == 4


@pytest.mark.parametrize(
    ("profile", "command", "said"),
    [
        ("umask 027", "umask", "0027"),
        ("ulimit -S -n 200", "ulimit -n", "200"),
        ("shopt -s nullglob", "echo nothing*there", ""),
        ("cd /", "pwd", "/"),
    ],
)
def test_what_cannot_be_taken_over_needs_a_login_shell(tmp_path: Path, profile: str, command: str, said: str) -> None:
    """Limits, options, the folder: the task starts with what its login has set."""
    array = Array(tmp_path, profile)
    assert array.say(command, tasks=range(1, 5)) == [said] * 4
    assert array.logins == 4


def test_every_node_is_its_own(tmp_path: Path) -> None:
    """Nodes differ; what a login brings on one says nothing of another."""
    array = Array(tmp_path, "export ARCH=of-$SLURMD_NODENAME")
    for node in ("node1", "node2"):
        assert array.say('echo "$ARCH"', tasks=range(1, 5), node=node) == [f"of-{node}"] * 4
    assert array.logins == 4


def test_a_task_that_runs_again_finds_the_same(tmp_path: Path) -> None:
    """Slurm may start a task once more: its guard and its environment are there."""
    array = Array(tmp_path, "export GREETING=hello")
    assert array.say('echo "$GREETING"', tasks=(1, 1, 1, 2, 1)) == ["hello"] * 5


def test_nobody_waits_for_tasks_that_died(tmp_path: Path) -> None:
    """Where the first two never said what a login brings, and are gone, the others log in by themselves."""
    array = Array(tmp_path, "export GREETING=hello")
    for number in (1, 2):
        (array.cluster.folder / "control" / f"login.node1.{number}").mkdir()
    assert array.say('echo "$GREETING"', tasks=range(3, 6)) == ["hello"] * 3
    assert array.logins == 3


def test_a_slow_login_is_waited_for(tmp_path: Path) -> None:
    """Many tasks that begin at once and find a login slow do not all add one of their own."""
    array = Array(tmp_path, "export GREETING=hello; sleep 5")
    assert array.say_at_once('echo "$GREETING"', tasks=range(1, 9)) == ["hello"] * 8
    assert array.logins == 2
