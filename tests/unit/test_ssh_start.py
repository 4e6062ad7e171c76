"""What importing costs, and what paramiko may say."""

from __future__ import annotations

import subprocess
import sys


def _modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(result.stdout.split())


def test_help_needs_no_ssh() -> None:
    """Paramiko takes longer to import than everything else together, so it waits until it is needed."""
    assert "paramiko" not in _modules_after("import project.cli")


def test_ssh_needs_no_task_runner() -> None:
    """Paramiko's own import of `invoke`, a third of its time, is spared; others can still import it."""
    modules = _modules_after("import project.adapters.ssh")
    assert "paramiko" in modules
    assert "invoke" not in modules


def test_nothing_is_printed_but_what_the_program_prints() -> None:
    """Paramiko's tracebacks of failed connections do not reach the terminal."""
    code = "import project.adapters.ssh, logging; logging.getLogger('paramiko.transport').error('a traceback')"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("", "")
