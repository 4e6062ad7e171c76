"""`login` and `logout` against a real registry, at a real terminal."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.registry_process import PASSWORD, RegistryProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).resolve().parents[2]
_LIMIT_S = 60


class Client:
    """The client of somebody whose settings name the registry as profile `own`."""

    def __init__(self, registry: RegistryProcess, folder: Path) -> None:
        self.home = folder / "home"
        self._settings = folder / "settings.yml"
        self._settings.write_text(f"registry: http://127.0.0.1:9\nprofiles:\n  own:\n    registry: {registry.url}\n")

    def environment(self, **more: str) -> dict[str, str]:
        """What it sees."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("GRIDFERRY_")}
        files = {"GRIDFERRY_HOME": str(self.home), "GRIDFERRY_SETTINGS": str(self._settings)}
        return {**own, **files, "PYTHONPATH": str(_ROOT), **more}

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it without a terminal."""
        return subprocess.run(
            [sys.executable, "-m", "project", *words],
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )

    def at_terminal(self, words: Sequence[str], password: str) -> tuple[int, str]:
        """Run it at a terminal and type a password once it is asked for; return exit code and all that was shown."""
        line = shlex.join([sys.executable, "-m", "project", *words])
        with subprocess.Popen(
            ["script", "-qec", line, "/dev/null"],
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            shown = ""
            while "Password" not in shown or not shown.endswith(": "):
                character = process.stdout.read(1)
                assert character, shown
                shown += character
            process.stdin.write(f"{password}\n")
            process.stdin.flush()
            shown += process.stdout.read()
            return process.wait(_LIMIT_S), shown


@pytest.fixture
def client(registry: RegistryProcess, tmp_path: Path) -> Client:
    """A client without a token."""
    return Client(registry, tmp_path)


def test_a_password_becomes_a_token_in_a_private_file(client: Client) -> None:
    """Asked for without echo, and kept nowhere; `logout` makes the token worthless and removes it."""
    before = client.run("list", "--profile", "own")
    assert (before.returncode, "login" in before.stderr) == (2, True)
    code, shown = client.at_terminal(["login", "--profile", "own", "--account", "bob"], PASSWORD)
    assert code == 0, shown
    assert PASSWORD not in shown
    kept = client.home / "token-own"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    token = kept.read_text().strip()
    assert client.run("list", "--profile", "own").returncode == 0
    assert client.run("--profile", "own", "list").returncode == 0
    assert client.run("list", GRIDFERRY_PROFILE="own").returncode == 0
    gone = client.run("logout", "--profile", "own")
    assert (gone.returncode, kept.exists()) == (0, False)
    late = client.run("list", GRIDFERRY_PROFILE="own", GRIDFERRY_TOKEN=token)
    assert (late.returncode, "unknown or has expired" in late.stderr) == (8, True)
    assert client.run("logout", "--profile", "own").stdout == "there was no token\n"


def test_a_wrong_password_leaves_everything_as_it_was(client: Client) -> None:
    """Exit 8, no file; where nobody can be asked, exit 2."""
    code, shown = client.at_terminal(["login", "--profile", "own", "--account", "bob"], "wrong")
    assert (code, "name or password is wrong" in shown) == (8, True)
    assert not (client.home / "token-own").exists()
    assert client.run("login", "--profile", "own", "--account", "bob").returncode == 2
