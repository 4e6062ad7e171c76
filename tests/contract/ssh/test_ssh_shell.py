"""The shell on the login node: answers, live lines, noise, and the ways it can end."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from project.core.errors import Unreachable
from tests.contract import processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from project.adapters.ssh.connection import SshConnection
    from project.adapters.ssh.shell import SshShell
    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer

_NOISE = """#!/bin/sh
echo "Welcome to the cluster! Your quota is 93% used."
printf 'no newline at the end'
echo "warning from /etc/profile" >&2
exec {shell} -c "$SSH_ORIGINAL_COMMAND"
"""


@pytest.fixture
def shell(connection: SshConnection) -> SshShell:
    """A shell on a server as most are."""
    return connection.shell()


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("echo one; echo two", "one\ntwo\n"),
        ("printf 'no newline'", "no newline"),
        ("", ""),
        ("echo to stderr >&2", ""),
        ("exit 3", ""),
        ("cat", ""),
        ("if then syntax error", ""),
        ("set -e; false; echo not reached", ""),
        ("printf 'a\\nb' | while read -r x; do echo \"<$x>\"; done", "<a>\n"),
        ("cat <<E\nEOF\n'\"$((1+1))\nE", "EOF\n'\"2\n"),
        ("echo 'é €'", "é €\n"),
        ("printf '\\377'", "\udcff"),
        ("echo 'a\udcffb'", "a\udcffb\n"),
    ],
)
def test_an_answer_is_exactly_what_was_printed(script: str, answer: str, shell: SshShell) -> None:
    """Whatever a script does, its standard output comes back unchanged, and the next script is not disturbed."""
    assert shell.ask(script) == answer
    assert shell.ask("echo next") == "next\n"


def test_scripts_do_not_leak_into_each_other(shell: SshShell) -> None:
    """Each runs in a subshell: neither variables nor directories stay."""
    shell.ask("cd /; x=1")
    assert shell.ask('echo "$x$PWD"') != "1/\n"


def test_large_scripts_and_answers(shell: SshShell) -> None:
    """Megabytes go both ways, far beyond what a command line or a pipe holds."""
    text = "".join(f"{number:07}\n" for number in range(400_000))
    assert shell.ask(f"cat <<'TEXT'\n{text}TEXT") == text


@pytest.mark.parametrize("login_shell", ["sh", "bash", "dash", "tcsh", "csh", "fish", "zsh", "ksh"])
def test_noisy_login_shells(
    login_shell: str, tmp_path: Path, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """Whatever the login shell is and prints at its start, answers, lines and files come through clean."""
    path = shutil.which(login_shell)
    if not path:
        pytest.skip(f"{login_shell} is not installed")
    noisy = tmp_path / "noisy"
    noisy.write_text(_NOISE.format(shell=path))
    noisy.chmod(0o700)
    connection = caller.connect(start_server(f"ForceCommand {noisy}", sftp=""))
    shell = connection.shell()
    assert shell.ask("echo clean") == "clean\n"
    assert list(shell.become("echo 'x!y'; echo \"$0\"")) == ["x!y", "/bin/sh"]
    target = str(tmp_path / "we're ! 50% \\ $HOME\nhere")
    connection.put(b"content", target)
    assert connection.read(target, 100) == b"content"


def test_lines_come_live(tmp_path: Path, shell: SshShell) -> None:
    """A line is there as soon as it is printed, not when the script ends."""
    go = tmp_path / "go"
    lines = shell.become(f"echo first; until [ -e {go} ]; do sleep 0.05; done; printf 'second\\nlast without end'")
    assert next(lines) == "first"
    go.touch()
    assert list(lines) == ["second", "last without end"]


@pytest.mark.parametrize(
    ("script", "status"),
    [("true", 0), ("exit 7", 7), ("exec sh -c 'exit 9'", 9), ("kill -9 $$", -1), ("if then", 2)],
)
def test_the_exit_status(script: str, status: int, shell: SshShell) -> None:
    """It is there after the last line, and nothing is raised for it."""
    assert shell.exit_status is None
    assert list(shell.become(script)) == []
    assert shell.exit_status == status


def test_the_end_of_standard_error_is_kept(shell: SshShell) -> None:
    """Megabytes on standard error stop nothing; the last words are kept, and not more."""
    many = "i=0; while [ $i -lt 30000 ]; do echo 'some warning or other, again and again' >&2; i=$((i+1)); done"
    assert list(shell.become(f"{many}; echo 'last words' >&2; echo done")) == ["done"]
    assert shell.error_tail.endswith("last words")
    assert len(shell.error_tail) <= 4096


def test_what_is_left_behind_holds_nothing_up(shell: SshShell) -> None:
    """A script has ended when it has ended, even if a process it started still holds its output open."""
    began = time.monotonic()
    (pid,) = shell.become("sleep 30 & echo $!")
    assert time.monotonic() - began < 10
    os.kill(int(pid), signal.SIGTERM)
    assert shell.exit_status == 0


def test_an_answer_that_takes_too_long(shell: SshShell) -> None:
    """The limit is kept."""
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"did not answer within 0\.3 s"):
        shell.ask("sleep 20", timeout_s=0.3)
    assert time.monotonic() - began < 5


def test_a_cut_connection_is_noticed(caller: Caller, start_server: Callable[..., SshServer]) -> None:
    """When the connection breaks while a script runs, that is told, and told at once."""
    server = start_server()
    lines = caller.connect(server).shell().become("echo started; sleep 30")
    assert next(lines) == "started"
    threading.Thread(target=server.cut_connections).start()
    with pytest.raises(Unreachable, match="was cut off"):
        next(lines)


@pytest.mark.parametrize("asked_after_s", [0, 1])
def test_an_account_without_a_shell(
    caller: Caller, start_server: Callable[..., SshServer], asked_after_s: int
) -> None:
    """What the login prints instead of giving a shell is shown, whether it ends before we ask or after."""
    server = start_server("ForceCommand echo 'This account is currently not available.'; exit 1")
    shell = caller.connect(server).shell()
    time.sleep(asked_after_s)
    with pytest.raises(Unreachable, match="ended before it had answered") as failure:
        shell.ask("true")
    assert "currently not available" in failure.value.detail


def test_never_more_than_four_channels(connection: SshConnection) -> None:
    """A fifth channel is refused here, before a server with a low MaxSessions does it; a closed one makes room."""
    shells = [connection.shell() for _ in range(4)]
    with pytest.raises(Unreachable, match="4 channels are open already"):
        connection.shell()
    shells[0].close()
    assert connection.shell().ask("echo room") == "room\n"


def test_a_server_that_allows_one_session(caller: Caller, start_server: Callable[..., SshServer]) -> None:
    """A refused channel is explained by what sites limit."""
    connection = caller.connect(start_server("MaxSessions 1"))
    shell = connection.shell()
    assert shell.ask("echo first") == "first\n"
    with pytest.raises(Unreachable, match="opens no channel") as failure:
        connection.shell()
    assert "MaxSessions" in failure.value.remedy


def test_a_submission_needs_one_connection_and_two_channels(
    tmp_path: Path, caller: Caller, start_server: Callable[..., SshServer]
) -> None:
    """Several questions, several files and a last script: the server counts one login, one shell, one SFTP."""
    server = start_server()
    connection = caller.connect(server)
    shell = connection.shell()
    for number in range(3):
        shell.ask("true")
        connection.put(b"x", str(tmp_path / f"file{number}"))
    assert connection.read(str(tmp_path / "file0"), 1) == b"x"
    assert list(shell.become("echo done")) == ["done"]
    assert (connection.connections_opened, connection.channels_opened) == (1, 2)
    connection.close()
    log = tmp_path / f"sshd_{server.port}.log"
    processes.poll(lambda: not server.serves_somebody, "the server has seen the end")
    assert log.read_text().count("Accepted publickey") == 1
    assert log.read_text().count("Starting session:") == 2
