"""What doctor says from here: of the way in, of files, of clocks, and of what outlives a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import AuthenticationFailed, GridferryError, HostKeyRefused, Unreachable, UsageError
from project.core.messages import format_utc
from project.services.doctor import Doctor
from project.services.logins import LoginChoice
from project.services.survival import Survival
from tests.unit.services.ports import CLUSTER, FakeCluster, FakeProgram, FakeRegistry, ListeningView, QuickClock

if TYPE_CHECKING:
    from project.core.findings import Finding
    from project.ports import Login

_USER = {"username": "jdoe"}


class Closed(FakeCluster):
    """A connector that refuses."""

    def __init__(self, error: GridferryError) -> None:
        super().__init__()
        self._error = error

    def connect(self, login: Login) -> FakeCluster:
        """Refuse."""
        self.logins.append(login)
        raise self._error


class Node(FakeCluster):
    """A login node that keeps files as they are told, or changed."""

    def __init__(self, *, there_s: float = 0.0, keeps: bool = True) -> None:
        super().__init__()
        self._keeps = keeps
        self.events["examine"] = [{"event": "clock", "now": format_utc(QuickClock().now_s() + there_s)}]
        self.events["survival"] = [{"event": "survival", "finding": {"proven": "daemon"}}]

    def put(self, source: Any, target: str, **more: Any) -> None:
        """Take a file."""
        super().put(source, target, **more)
        self.files[target] = source if self._keeps else b"something else"


def _examine(node: FakeCluster, silent: FakeCluster | None = None) -> dict[str, Finding]:
    clock, logins = QuickClock(), LoginChoice()
    doctor = Doctor(
        connector=node,
        silent_connector=silent or node,
        registry=FakeRegistry(),
        toolbox=FakeProgram(),
        survival=Survival(connector=node, toolbox=FakeProgram(), clock=clock, logins=logins),
        clock=clock,
        view=ListeningView(),
        logins=logins,
    )
    return {finding.check: finding for finding in doctor.examine(CLUSTER, _USER)}


def test_a_refused_login_is_told_at_its_step() -> None:
    """Each kind of error belongs to one step; those before it are well, nothing comes after it."""
    for error, step in (
        (Unreachable("no such host").at("name"), "host name"),
        (Unreachable("it refuses"), "SSH port"),
        (Unreachable("that is no SSH").at("banner"), "SSH"),
        (HostKeyRefused("it has another key"), "host key"),
        (AuthenticationFailed("no key was taken"), "login"),
        (UsageError("a passphrase is needed"), "prompts"),
    ):
        found = _examine(Closed(error))
        assert list(found)[-1] == step
        assert (found[step].level, found[step].text, bool(found[step].remedy)) == ("failure", error.message, True)
        assert all(finding.level == "ok" for check, finding in found.items() if check != step)


def test_a_login_that_asks_is_a_warning() -> None:
    """Somebody at the terminal can answer, a script cannot: all else is looked at all the same."""
    found = _examine(Node(), silent=Closed(UsageError("a passphrase is needed")))
    assert (found["prompts"].level, "ssh-add" in found["prompts"].remedy) == ("warning", True)
    assert found["after logout"].level == "ok"


def test_a_file_that_comes_back_changed_is_a_failure() -> None:
    """Nothing that was sent could be trusted."""
    assert _examine(Node())["files"].level == "ok"
    assert _examine(Node(keeps=False))["files"][:2] == ("failure", "a file came back changed")


def test_clocks_that_are_apart_are_a_warning() -> None:
    """A minute is nothing; more is told with its direction."""
    assert _examine(Node(there_s=50))["clock"].level == "ok"
    ahead, behind = _examine(Node(there_s=3600))["clock"], _examine(Node(there_s=-90))["clock"]
    assert (ahead.level, ahead.text) == ("warning", "1h 0m ahead of this machine's")
    assert (behind.level, behind.text) == ("warning", "1m 30s behind this machine's")
    assert "timedatectl" in ahead.remedy


def test_a_login_node_that_breaks_off_is_a_failure() -> None:
    """No Python, a foreign folder, a broken connection: told as the first words' finding, with the error's remedy."""
    node = Node()
    node.events["examine"] = [GridferryError("there is no Python", remedy="Ask")]
    node.events["survival"] = [GridferryError("it does not say")]
    found = _examine(node)
    assert found["first words"][:3] == ("failure", "there is no Python", "Ask")
    assert (found["after logout"].level, bool(found["after logout"].remedy)) == ("failure", True)
