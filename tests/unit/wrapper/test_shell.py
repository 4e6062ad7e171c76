"""Programs on the login node: run to their end, or ended with all they started."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from project.sandbox.other_conf import MARK
from project.wrapper.shell import clean_environment, login_shell, own_command, run, run_live, spawn
from tests.contract.processes import poll

_LONG_S = 60.0


def _bash(script: str) -> list[str]:
    return ["bash", "-c", script]


def test_what_a_program_does_is_told() -> None:
    """Exit code, both outputs and how long it took; what is not UTF-8 is replaced."""
    result = run(_bash("cat; printf '\\377' >&2; exit 3"), timeout_s=_LONG_S, stdin="é\n".encode())
    assert (result.exit_code, result.stdout, result.stderr) == (3, "é\n", "\ufffd")
    assert 0 < result.seconds < _LONG_S


@pytest.mark.parametrize("script", ["cat >/dev/null", "exec <&-; true", "true"])
def test_a_program_may_read_its_input_or_not(script: str) -> None:
    """Much input for one that reads, and for one that does not."""
    assert run(_bash(script), timeout_s=_LONG_S, stdin=b"x" * 1_000_000).exit_code == 0


def test_both_outputs_may_be_long() -> None:
    """A program that fills both pipes and reads its input all the while is not stuck."""
    script = "tee /dev/stderr"
    result = run(_bash(script), timeout_s=_LONG_S, stdin=b"x" * 1_000_000)
    assert (len(result.stdout), len(result.stderr)) == (1_000_000, 1_000_000)


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    """Whatever it started goes with it; what it had printed is kept."""
    script = f"echo started; sleep 60 & echo $! > {tmp_path}/pid; wait"
    result = run(_bash(script), timeout_s=1.0)
    assert (result.exit_code, result.stdout) == (None, "started\n")
    child = (tmp_path / "pid").read_text().strip()
    poll(
        lambda: not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text(), "it is gone"
    )


@pytest.mark.parametrize("where", ["/dev/stdout", "/dev/stderr"])
def test_a_program_that_prints_without_end_is_ended(where: str) -> None:
    """Long before its time is up, and little more than the limit is kept."""
    result = run(_bash(f"yes > {where}"), timeout_s=_LONG_S, limit_bytes=1_000_000)
    assert result.exit_code == -9
    assert result.seconds < _LONG_S / 2
    assert 1_000_000 < len(result.stdout + result.stderr) < 1_200_000


def test_a_program_that_is_not_there_is_an_error() -> None:
    """The caller knows what that means."""
    with pytest.raises(FileNotFoundError):
        run(["no-such-program"], timeout_s=_LONG_S)


def test_a_program_that_closes_its_outputs_is_waited_for() -> None:
    """The end of its output is not its end."""
    assert run(_bash("exec >&- 2>&-; sleep 0.3; exit 4"), timeout_s=_LONG_S).exit_code == 4


def test_lines_come_as_they_are_printed(tmp_path: Path) -> None:
    """Errors among them, in the log and to the listener; the log grows with each command."""
    lines: list[str] = []
    log = str(tmp_path / "log")
    for word in ("one", "two"):
        script = f"echo {word}; echo {word} failed >&2; exit 2"
        assert run_live(_bash(script), folder=str(tmp_path), log=log, on_line=lines.append) == 2
    assert lines == ["one", "one failed", "two", "two failed"]
    assert Path(log).read_text().splitlines() == lines


def test_a_live_program_is_ended_with_all_it_started_once_it_is_unwanted(tmp_path: Path) -> None:
    """However long it would run, and whoever holds its output open; what it printed before is kept."""
    lines: list[str] = []
    log = str(tmp_path / "log")
    code = run_live(
        _bash("sleep 600 & echo begun; wait"),
        folder=str(tmp_path),
        log=log,
        on_line=lines.append,
        unwanted=lambda: bool(lines),
    )
    assert (code, lines) == (-signal.SIGKILL, ["begun"])


def test_little_of_the_logins_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs to the connection stays behind; what was asked for, and the mark of a sandbox, comes along."""
    monkeypatch.setenv(MARK, "/tmp/sandbox")  # noqa: S108 - a name
    monkeypatch.setenv("SSH_CONNECTION", "1")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    environment = clean_environment({"OWN": "1"})
    assert not {"SSH_CONNECTION", "SLURM_JOB_ID"} & set(environment)
    assert {"PATH", "SLURM_CONF", "OWN", MARK} <= set(environment)


def test_a_spawned_program_is_on_its_own(tmp_path: Path) -> None:
    """Own session, nothing to read, everything it prints in the log, nothing held of the folder it came from."""
    script = "import os; print(os.getsid(0) == os.getpid(), os.getcwd(), os.read(0, 1), flush=True)"
    spawn([sys.executable, "-c", script], log=str(tmp_path / "log"))
    printed = poll((tmp_path / "log").read_text, "it printed")
    assert printed == "True / b''\n"


def test_the_users_commands_run_in_a_login_shell(tmp_path: Path) -> None:
    """So that what the profile defines, such as `module`, is there."""
    (tmp_path / ".bash_profile").write_text("module() { echo loaded $2; }\n")
    result = run(
        login_shell(["module load 'a b'", "echo done"]), timeout_s=_LONG_S, environment={"HOME": str(tmp_path)}
    )
    assert result.stdout == "loaded a b\ndone\n"


def test_our_own_command_is_this_python_with_this_program() -> None:
    """Isolated from the user's environment and packages."""
    own = os.path.abspath(sys.argv[0])  # noqa: PTH100
    assert own_command("follow") == [sys.executable, "-I", "-S", "-X", "utf8", own, "follow"]
