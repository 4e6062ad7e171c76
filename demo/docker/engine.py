"""A Docker engine: the machine's own, or one started here as root, with everything of its own in a cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from project.core.errors import GridferryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 30.0
_ASK_LIMIT_S = 20.0
_COMMAND_LIMIT_S = 120.0


class EngineUnavailable(GridferryError):
    """There is no Docker engine here, and none can be started; the message says why."""


class EngineError(GridferryError):
    """The engine or compose did not do what was asked; the detail is what it said."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    Attributes:
        environment: what `docker` and compose run with.
        compose: how compose is called: a plugin of `docker`, or a program of its own.
        state: folder of the engine, if it was started by us.
        in_use: is open, with a shared lock, as long as this process may want that engine.
    """

    environment: Mapping[str, str]
    compose: tuple[str, ...]
    state: Path | None = None
    in_use: IO[str] | None = None

    def run(
        self, argv: Sequence[str], *, limit_s: float = _COMMAND_LIMIT_S, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the engine's world to its end, whatever that is.

        Raises:
            EngineError: it does not end in time.
        """
        environment = {**self.environment, **variables}
        try:
            return subprocess.run(
                argv, env=environment, text=True, capture_output=True, check=False, timeout=limit_s,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{' '.join(argv[:3])} did not end within {limit_s:.0f} s") from error

    def docker(self, *arguments: str, limit_s: float = _COMMAND_LIMIT_S) -> str:
        """Return what a docker command prints.

        Raises:
            EngineError: it failed.
        """
        return self.checked(["docker", *arguments], limit_s=limit_s)

    def checked(self, argv: Sequence[str], *, limit_s: float = _COMMAND_LIMIT_S, **variables: str) -> str:
        """Return what a command prints.

        Raises:
            EngineError: it failed.
        """
        done = self.run(argv, limit_s=limit_s, **variables)
        if done.returncode:
            raise EngineError(f"{' '.join(argv[:3])} failed", detail=(done.stderr or done.stdout).strip()[-2000:])
        return done.stdout.strip()

    @contextlib.contextmanager
    def alone(self, image: str) -> Iterator[None]:
        """Let other processes of this account wait that are about to make the same image."""
        with _locked(_state_folder(), f"{image.replace('/', '_')}.lock"):
            yield

    def stop(self) -> bool:
        """End the engine if it is ours, runs nothing and nobody else wants it; return whether it was ended."""
        state, in_use = self.state, self.in_use
        if state is None or in_use is None:
            return False
        with _locked(state), in_use:
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            pid = None if self.docker("ps", "--all", "--quiet") else _own_pid(state)
            if pid:
                os.kill(pid, signal.SIGTERM)
                _wait(lambda: _own_pid(state) is None, _STOP_LIMIT_S)
        return pid is not None


def find_engine() -> Engine:
    """Return the machine's engine if one answers, else our own, started if need be.

    Raises:
        EngineUnavailable: neither is possible here.
    """
    if shutil.which("docker") is None:
        raise EngineUnavailable("docker is not installed", remedy="Run `tools/install-system.sh docker`")
    environment = dict(os.environ)
    if not _answers(environment):
        state = _state_folder()
        environment["DOCKER_HOST"] = f"unix://{state}/docker.sock"
        with _locked(state):
            in_use = (state / "in-use").open("w")
            fcntl.flock(in_use, fcntl.LOCK_SH)
            if not _answers(environment):
                _start(state, environment)
        return Engine(_with_builder(environment), _compose(environment), state, in_use)
    return Engine(_with_builder(environment), _compose(environment))


def _state_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache) / "gridferry" / "engine"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _locked(state: Path, name: str = "lock") -> Iterator[None]:
    with (state / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ends_well(argv: Sequence[str], environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, check=False, timeout=_ASK_LIMIT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _answers(environment: Mapping[str, str]) -> bool:
    return _ends_well(["docker", "version", "--format", "{{.Server.Version}}"], environment)


def _with_builder(environment: Mapping[str, str]) -> dict[str, str]:
    """A docker client without buildx builds by the engine's own builder only when told so."""
    has_buildx = _ends_well(["docker", "buildx", "version"], environment)
    return {**environment, **({} if has_buildx else {"DOCKER_BUILDKIT": "0"})}


def _compose(environment: Mapping[str, str]) -> tuple[str, ...]:
    if _ends_well(["docker", "compose", "version"], environment):
        return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise EngineUnavailable("compose is not installed", remedy="Run `tools/install-system.sh docker`")


def _start(state: Path, environment: Mapping[str, str]) -> None:
    """Start dockerd, detached, so that its containers outlive us.

    Raises:
        EngineUnavailable: not as root, no dockerd, or it ended; the detail is the end of its log.
    """
    if os.getuid() != 0:
        raise EngineUnavailable("no Docker engine answers, and starting one needs root")
    if shutil.which("dockerd") is None:
        raise EngineUnavailable("no Docker engine answers, and dockerd is not installed")
    if _own_pid(state) is None:
        (state / "docker.pid").unlink(missing_ok=True)  # of one that was killed: its number may be somebody's by now
    log = state / "dockerd.log"
    argv = [
        "dockerd", f"--data-root={state}/data", f"--exec-root={state}/run", f"--pidfile={state}/docker.pid",
        f"--host=unix://{state}/docker.sock",
    ]  # fmt: skip
    with log.open("w") as stream:
        process = subprocess.Popen(
            argv, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/"
        )
    if not _wait(lambda: process.poll() is not None or _answers(environment), _START_LIMIT_S) or process.poll():
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        raise EngineUnavailable("dockerd does not start here", detail=log.read_text()[-2000:])
    process.returncode = 0  # it outlives us on purpose: nobody is to complain that it was not waited for


def _own_pid(state: Path) -> int | None:
    """Return the pid of the engine started in this folder, proven by its command line."""
    try:
        pid = int((state / "docker.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if f"{state}/data".encode() in command else None


def _wait(condition: Callable[[], bool], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return condition()
