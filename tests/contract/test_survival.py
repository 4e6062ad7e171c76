"""What outlives a login: trials of one login, judged in the next, with login nodes that kill different things."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.archive import TOOLBOX, Archive
from project.core.layout import ClusterPaths
from project.core.messages import LINE_PREFIX
from project.wrapper.identity import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEMD_RUN = Path(__file__).resolve().parents[1] / "fakes" / "systemd_run.sh"
#: Stands for sshd's process of one connection: what it starts has SSH_CONNECTION, it has not.
_SSHD = 'SSH_CONNECTION="1 2 3 4" "$@"; read end'


class LoginNode:
    """A login node with our toolbox on it.

    Args:
        folder: of the account.
    """

    def __init__(self, folder: Path) -> None:
        self.paths = ClusterPaths(str(folder / "gridferry"))
        self.programs = folder / "bin"
        self.programs.mkdir()
        Path(self.paths.follower).mkdir(parents=True)
        toolbox = Archive(folder / "cache", TOOLBOX)
        self._toolbox = Path(self.paths.program(toolbox.file_name))
        self._toolbox.write_bytes(toolbox.content)

    @contextlib.contextmanager
    def login(self, *words: str) -> Iterator[dict[str, Any]]:
        """Log in and ask what outlives a login; yield the answer; log out at the end of the block."""
        argv = ["/bin/sh", "-c", _SSHD, "sshd", sys.executable, "-I", "-S", str(self._toolbox), "survival", *words]
        environment = {"PATH": f"{self.programs}:/usr/bin:/bin", "HOME": self.paths.root}
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, start_new_session=True
        ) as sshd:
            assert sshd.stdout is not None
            line = sshd.stdout.readline()
            assert line.startswith(LINE_PREFIX), line
            yield dict(json.loads(line[len(LINE_PREFIX) :])["finding"])
            sshd.communicate("end\n")

    def ask(self, *words: str) -> str:
        """Log in, ask and log out; return what is proven, "" while nothing is."""
        with self.login(*words) as finding:
            return str(finding.get("proven", ""))

    def trials(self, kind: str = "") -> list[int]:
        """The pids of trials that are there."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._is_trial(entry, kind)]

    def _is_trial(self, process: Path, kind: str) -> bool:
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
            return words[0] == "/bin/sh" and words[-1].startswith(f"{self.paths.follower}/trial-{kind}")
        return False

    def kill(self, *kinds: str) -> None:
        """End trials, as a site's policy does at the end of a login."""
        for kind in kinds:
            for pid in self.trials(kind):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LoginNode]:
    """A login node."""
    node = LoginNode(tmp_path)
    yield node
    node.kill("")


@pytest.fixture
def managed(node: LoginNode) -> LoginNode:
    """A login node where the user's systemd takes services, and lives on without a login."""
    shutil.copy(_SYSTEMD_RUN, node.programs / "systemd-run")
    (node.programs / "systemd-run").chmod(0o755)
    return node


def test_the_next_login_proves_that_a_daemon_lives_on(node: LoginNode) -> None:
    """Nothing is known in the first login, all in the second; it is remembered, and no trial is left behind."""
    assert node.ask() == ""
    assert node.ask() == "daemon"
    assert node.ask() == "daemon"
    assert json.loads(Path(node.paths.survival).read_text())["host"] == os.uname().nodename
    assert list(Path(node.paths.follower).glob("trial-*")) == []


def test_nothing_is_proven_while_the_first_login_lasts(node: LoginNode) -> None:
    """Two logins at the same time say nothing about what outlives one."""
    with node.login() as first, node.login() as second:
        assert "proven" not in first
        assert "proven" not in second
    assert node.ask() == "daemon"


@pytest.mark.parametrize(
    ("killed", "proven"), [((), "daemon"), (("daemon",), "systemd"), (("daemon", "systemd"), "slurm")]
)
def test_what_a_site_lets_live_is_used(managed: LoginNode, killed: tuple[str, ...], proven: str) -> None:
    """A daemon first, the user's systemd where only that lives on, and Slurm itself where nothing does."""
    managed.ask()
    managed.kill(*killed)
    assert managed.ask() == proven


def test_asked_anew_it_is_found_out_anew(managed: LoginNode) -> None:
    """A site that has changed its policy is believed."""
    managed.ask()
    managed.kill("daemon", "systemd")
    assert managed.ask() == "slurm"
    assert managed.ask("anew") == ""
    assert managed.ask() == "daemon"


def test_a_killed_follower_is_a_doubt(node: LoginNode) -> None:
    """A daemon was proven to live on, and yet the follower was killed: it is tried once more."""
    node.ask()
    node.ask()
    with subprocess.Popen(["/bin/sleep", "1000"]) as follower:
        lease = Path(node.paths.follower, "epoch-00000001")
        lease.write_text(json.dumps(identity(follower.pid)))
        assert node.ask() == "daemon"
        follower.kill()
    assert node.ask() == ""
    assert [node.ask(), node.ask()] == ["daemon", "daemon"]  # the old follower's end says nothing against it
