"""The only place that starts programs on the login node."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Callable, Dict, List, Mapping, Optional, Sequence

from project.core.messages import PYTHON_OPTIONS
from project.core.slurm.commands import CommandResult

#: What is passed on of the environment of the login; everything else would leak into jobs (ondemand#1330).
_PASSED_ON = (
    "HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SLURM_CONF", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "GRIDFERRY_SANDBOX",  # by which a sandbox knows what belongs to it, so that nothing outlives its end
)  # fmt: skip

#: More than any answer of Slurm's: of 5000 jobs sacct prints some 2 MB.
LIMIT_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 65536
_GRACE_S = 1.0


def clean_environment(extra: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """Return what our programs get to see of the login's environment, and `extra`."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return dict(kept, **(extra or {}))


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    environment: Optional[Mapping[str, str]] = None,
    folder: Optional[str] = None,
    stdin: bytes = b"",
    limit_bytes: int = LIMIT_BYTES,
) -> CommandResult:
    """Run a program to its end, or end it and all it started.

    It is ended after `timeout_s` (exit code None then), and when it has printed more than `limit_bytes`, on standard
    output or standard error (one of them is longer than that then).
    """
    started = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(environment),
        cwd=folder,
        start_new_session=True,
    )
    stdout, stderr = bytearray(), bytearray()
    threads = [
        threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True),
        threading.Thread(target=_collect, args=(process, process.stdout, stdout, limit_bytes), daemon=True),
        threading.Thread(target=_collect, args=(process, process.stderr, stderr, limit_bytes), daemon=True),
    ]
    for thread in threads:
        thread.start()
    exit_code = _wait(process, threads, started + timeout_s)
    seconds = time.monotonic() - started
    return CommandResult(exit_code, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"), seconds)


def _feed(stream: IO[bytes], data: bytes) -> None:
    """Write what a program gets to read; one that does not want it has closed its end."""
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(data)


def _collect(process: "subprocess.Popen[bytes]", stream: IO[bytes], kept: bytearray, limit_bytes: int) -> None:
    """Keep what a program prints; end it once that is too much."""
    with stream:
        for chunk in iter(lambda: os.read(stream.fileno(), _CHUNK_BYTES), b""):
            kept.extend(chunk)
            if len(kept) > limit_bytes:
                end_group(process)
                return


def _wait(process: "subprocess.Popen[bytes]", threads: List[threading.Thread], deadline: float) -> Optional[int]:
    """Return a program's exit code once it has ended and all it printed is read; end it at the deadline (None)."""
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if not any(thread.is_alive() for thread in threads):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(max(0.0, deadline - time.monotonic()))
    end_group(process)
    process.wait()
    for thread in threads:  # what it printed last; somebody who left its group may hold the pipes open
        thread.join(_GRACE_S)
    return None


def run_live(
    argv: Sequence[str],
    *,
    folder: str,
    log: str,
    on_line: Callable[[str], None],
    unwanted: Callable[[], bool] = lambda: False,
) -> int:
    """Run a program, its output and errors together appended to `log` and handed on line by line; return its exit.

    It and all it started are ended once it is `unwanted`, which is asked every second.
    """
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=clean_environment(),
        cwd=folder,
        start_new_session=True,
    )
    with process, open(log, "ab") as stream:
        assert process.stdout is not None  # noqa: S101 - tells the type checker what PIPE means
        over = threading.Event()
        threading.Thread(target=_end_unwanted, args=(process, unwanted, over), daemon=True).start()
        for line in process.stdout:
            stream.write(line)
            on_line(line.decode("utf-8", "replace").rstrip("\n"))
        over.set()
    return process.returncode


def _end_unwanted(process: "subprocess.Popen[bytes]", unwanted: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(_GRACE_S):
        if unwanted():
            end_group(process)
            return


def own_command(*words: str) -> List[str]:
    """Return the argv that runs this very wrapper with other words."""
    return [sys.executable, *PYTHON_OPTIONS, os.path.abspath(sys.argv[0]), *words]


def spawn(argv: Sequence[str], *, log: str) -> None:
    """Start a program that outlives this login: own session, nothing inherited but `log` for what it prints."""
    with open(log, "ab") as stream:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=clean_environment(),
            cwd="/",
            start_new_session=True,
        )
    process.returncode = 0  # it is init's child once we end; Popen would warn that it still runs


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a program and everything it started (it leads its own process group)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def login_shell(lines: Sequence[str]) -> List[str]:
    """Return the argv that runs lines as the user would: `bash -l`, so that `module` works."""
    return ["bash", "-l", "-c", "\n".join(lines)]
