"""One submission seen from the outside: by the log of an sshd, and by the kernel's account of memory."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.rig import commands, port_settings, trust
from bench.rounds import seconds_to_answer
from project.core.errors import GridferryError
from project.sandbox.layout import Layout
from project.sandbox.machine import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.rig import Rig

_LIMIT_S = 20.0
_LOOK_EVERY_S = 0.005
#: Lines of OpenSSH's sshd at LogLevel DEBUG1, one for each connection and one for each channel.
_CONNECTION = re.compile(r"^Connection from ", re.MULTILINE)
_CHANNEL = re.compile(r"^debug1: server_input_channel_open: ctype session", re.MULTILINE)
_WORD = re.compile(r"\.pyz (\w+)")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class Seen(NamedTuple):
    """What one submission took.

    Attributes:
        connections: SSH connections.
        channels: channels in them.
        peaks_mb: the most memory a process of the wrapper held (VmHWM of proc(5)), by what it was started for.
    """

    connections: int
    channels: int
    peaks_mb: dict[str, float]


def look_on(rig: Rig, job_file: Path) -> Seen:
    """Submit a job by way of an sshd that tells everything, and watch the wrapper until its follower has ended."""
    peaks = Peaks(rig.cluster_paths.control)
    with _talkative_sshd(rig) as (port, log), peaks:
        settings = rig.folder / "settings.yml"
        settings.write_text(port_settings(rig, port))
        trust(rig, port)
        client = rig.client("-u", str(job_file), "--no-input", answer="Slurm job", GRIDFERRY_SETTINGS=str(settings))
        seconds_to_answer(client, 0)
        rig.settle()
        said = log.read_text()
    return Seen(len(_CONNECTION.findall(said)), len(_CHANNEL.findall(said)), peaks.mb)


class Peaks(threading.Thread):
    """Watches the memory of the wrapper's processes while its block runs.

    Args:
        control: a folder that their command lines name.

    Attributes:
        mb: the highest peak seen, by the wrapper's command.
    """

    def __init__(self, control: str) -> None:
        super().__init__(daemon=True)
        self.mb: dict[str, float] = {}
        self._control = control
        self._done = threading.Event()

    def run(self) -> None:
        """Look again and again: a peak only grows, so the last look before a process ends tells it."""
        while not self._done.wait(_LOOK_EVERY_S):
            for pid, command in commands().items():
                word = _WORD.search(command)
                if word and self._control in command:
                    self.mb[word[1]] = max(self.mb.get(word[1], 0.0), _peak_mb(pid))

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self.join()


def _peak_mb(pid: int) -> float:
    """Return the most memory a process has held so far, 0 when it has ended."""
    with contextlib.suppress(OSError):
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 / 1e6 if found else 0.0
    return 0.0


@contextlib.contextmanager
def _talkative_sshd(rig: Rig) -> Iterator[tuple[int, Path]]:
    """Run a second sshd with the sandbox's configuration but a port and a log of its own."""
    log = rig.folder / "sshd.log"
    log.unlink(missing_ok=True)
    with socket.socket() as probe:
        probe.bind((rig.grid.sandbox.ssh_host, 0))
        port = int(probe.getsockname()[1])
    config = Layout.at(rig.grid.sandbox.folder).etc / "sshd_config"
    argv = [program("sshd") or "sshd", "-D", "-f", str(config), "-E", str(log), "-p", str(port)]
    with subprocess.Popen([*argv, "-o", "LogLevel=DEBUG1", "-o", "PidFile=none"]) as sshd:
        try:
            _wait_for_line(log, "Server listening on")
            yield port, log
        finally:
            sshd.terminate()


def _wait_for_line(log: Path, text: str) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline:
        if log.exists() and text in log.read_text():
            return
        time.sleep(_LOOK_EVERY_S)
    raise GridferryError(f"sshd does not start; look at {log}")
