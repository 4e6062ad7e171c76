"""The engine that containers run in: started where none answers, ended by the last who wants it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from demo.docker.engine import EngineUnavailable, find_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may start an engine")

_DOCKER = """\
#!/bin/sh
state=$XDG_CACHE_HOME/gridferry/engine
case $1 in
    version) [ "$DOCKER_HOST" = "unix://$state/docker.sock" ] && [ -e "$state/answers" ] ;;
    ps) cat "$state/containers" 2> /dev/null || true ;;
esac
"""
_DOCKERD = """\
#!/bin/sh
state=$XDG_CACHE_HOME/gridferry/engine
[ ! -e "$state/docker.pid" ] || exit 1 # as the real one: there is another
echo $$ > "$state/docker.pid"
touch "$state/answers"
trap 'rm "$state/docker.pid" "$state/answers"; exit 0' TERM
echo started >> "$state/starts"
while :; do sleep 0.05; done
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an engine of our own, where the programs are fakes and no other engine answers."""
    programs, state = tmp_path / "bin", tmp_path / "gridferry" / "engine"
    programs.mkdir()
    state.mkdir(parents=True)
    for name, text in (("docker", _DOCKER), ("dockerd", _DOCKERD)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    yield state
    if (state / "answers").exists():  # a test failed
        os.kill(int((state / "docker.pid").read_text()), signal.SIGTERM)


def test_an_engine_is_started_once_and_ended_by_the_last_who_wants_it(state: Path) -> None:
    """Of two who want it at the same time the first to go leaves it to the other."""
    one, other = find_engine(), find_engine()
    assert (state / "starts").read_text() == "started\n"
    assert (one.stop(), (state / "answers").exists()) == (False, True)
    assert (other.stop(), (state / "answers").exists()) == (True, False)


def test_an_engine_whose_containers_run_stays(state: Path) -> None:
    """Nobody who goes ends what others left running in it."""
    (state / "containers").write_text("0123456789ab\n")
    assert not find_engine().stop()
    (state / "containers").unlink()
    assert find_engine().stop()
    assert (state / "starts").read_text() == "started\n"


def test_a_killed_engine_is_no_obstacle(state: Path) -> None:
    """The number it left behind may be another program's by now: that one is left alone, and an engine is started."""
    (state / "docker.pid").write_text(f"{os.getpid()}\n")
    assert find_engine().stop()
    assert (state / "starts").read_text() == "started\n"


def test_a_machine_without_docker_is_told_so(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    monkeypatch.setenv("PATH", str(state))
    with pytest.raises(EngineUnavailable, match="docker is not installed"):
        find_engine()
