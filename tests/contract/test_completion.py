"""Completion in the shells themselves: what is typed, then Tab."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from project.core.printable import harmless

_KNOWN = "3f2b1c0e-0000-4000-8000-000000000000"
_PROMPT = "ready>"
_LIMIT_S = 60.0
#: What is typed, and the word that it becomes.
_TYPED = {
    "can": "cancel",
    "logs --fol": "--follow",
    "explain 3f2b": _KNOWN,
    "-r 3f2b": _KNOWN,
    "--resume 3f2b": _KNOWN,
    "list --campaign 3f2b": _KNOWN,
    "doctor lem": "lemaitre3",
    "list --cluster ni": "nic5",
    "cluster drain ni": "nic5",
    "list --state out": "out_of_memory",
    "list --profile alp": "alpha",
    "--profile alp": "alpha",
    "list --profile alpha --cluster dar": "dardel",
    "-u job.yml --set resources.dur": "resources.duration=",
    "run --set resources.part": "resources.partition=",
    "resubmit --set for_each.tasks": "for_each.tasks_per_array=",
    "cancel --set user": "username=",
}
#: Types `X` behind what is there and `echo` before it, and enters that.
_SAY_IT = "X\x01echo \n"
#: The interactive shell, and what makes its prompt.
_SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"PS1='{_PROMPT}'"),
    "zsh": (["zsh", "-f", "-i"], f"PS1='{_PROMPT}'; autoload -Uz compinit; compinit -u; bindkey -e"),
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a shell sees: a client with one submission, and another cluster in its settings."""
    jobs = tmp_path / "home" / "jobs"
    jobs.mkdir(parents=True, mode=0o700)
    (jobs / f"{_KNOWN}.json").write_text(json.dumps({"job": {}, "cluster": "lemaitre3", "job_uuid": _KNOWN}))
    settings = tmp_path / "settings.yml"
    settings.write_text(
        "clusters: {nic5: {username: jdoe}}\nprofiles: {alpha: {clusters: {dardel: {username: jd}}}, beta: {}}"
    )
    known = {name: value for name, value in os.environ.items() if not name.startswith("GRIDFERRY_")}
    own = {"GRIDFERRY_HOME": str(tmp_path / "home"), "GRIDFERRY_SETTINGS": str(settings), "HOME": str(tmp_path)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**known, **own, "PATH": path, "TERM": "vt100", "LC_ALL": "C.UTF-8"}


class Typist:
    """Types into a shell at a terminal of its own, and reads what comes."""

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - the shell is what is tried
        self._shown = ""

    def type(self, text: str) -> None:
        """Press these keys."""
        self._shown = ""
        os.write(self._terminal, text.encode())

    def shows(self, wanted: str) -> bool:
        """Whether this comes to be shown; whatever else is shown."""
        deadline = time.monotonic() + _LIMIT_S
        while wanted not in harmless(self._shown):
            if not select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return False
            self._shown += os.read(self._terminal, 4096).decode(errors="replace")
        return True

    def leave(self) -> None:
        """End the shell."""
        os.close(self._terminal)
        os.waitpid(self._pid, 0)


@pytest.mark.parametrize("shell", _SHELLS)
def test_a_shell_completes_commands_options_and_names(shell: str, environment: dict[str, str]) -> None:
    """Jobs are those submitted from here, clusters those used or in the settings: nobody is asked.

    A space follows all but a key of `--set`, whose value is yet to come.
    """
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    argv, setup = _SHELLS[shell]
    typist = Typist(argv, environment)
    try:
        typist.type(f'{setup}; eval "$(gridferry completion {shell})"; echo do""ne\n')
        assert typist.shows("done")
        for words, whole in _TYPED.items():
            typist.type(f"\x15gridferry {words}\t")
            before, _, _ = f"gridferry {words}".rpartition(" ")
            assert typist.shows(f"{before} {whole}"), words
            typist.type(_SAY_IT)
            assert typist.shows(f"{before} {whole}{'' if whole.endswith('=') else ' '}X"), words
    finally:
        typist.leave()


@pytest.mark.parametrize("words", _TYPED)
def test_fish_completes_them(words: str, environment: dict[str, str]) -> None:
    """It can be asked without a terminal."""
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here")
    script = f"gridferry completion fish | source; complete -C 'gridferry {words}'"
    done = subprocess.run(
        ["fish", "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=_LIMIT_S
    )
    assert [line.partition("\t")[0] for line in done.stdout.split("\n") if line] == [_TYPED[words]]
