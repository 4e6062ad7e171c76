"""Several processes that do the same at the same moment, as login nodes and compute nodes do on a shared disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_LIMIT_S = 60


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python program that says `ready` and waits for a line before it goes on with `code`."""
    held = f"import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", held, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    )


def let_go(process: subprocess.Popen[str]) -> None:
    """Wait until a started program is ready, and let it go on."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def race(code: str, *arguments: str, contestants: int = 5) -> list[str]:
    """Run the same code in several processes that begin together; return what each printed.

    All of them live until the last one has come to its end.
    """
    processes = [
        start(f"{code}\nprint('done', flush=True)\nsys.stdin.read()", *arguments) for _ in range(contestants)
    ]
    for process in processes:
        let_go(process)
    printed = [_until_done(process) for process in processes]
    for process in processes:
        process.communicate(timeout=_LIMIT_S)
    return printed


def _until_done(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    printed = ""
    while (line := process.stdout.readline()) != "done\n":
        assert line, "it ended before it was done"
        printed += line
    return printed
