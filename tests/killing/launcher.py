"""Takes the place of the launcher in a test's archive: watches the steps a process takes, and kills it at one.

A step is what lasts beyond the process: a file made, replaced or removed, a program started. The plan lies beside the
archive as `plan.json`; each key may be missing:

    record: file to which every step is appended, as `command<TAB>step`
    kill:   [command, step, moment]: where the process dies, once; the moments are `before`, `during` and `after`
    stop:   true to let it stand still there (SIGSTOP) instead; its pid is then in the file `stopped`
    speed:  how many times faster the wrapper's clock runs
    follow: false for a login node on which followers die at once
    host:   [name, boot] of this login node, where it is to be another one than it is
"""

from __future__ import annotations

import builtins
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ARCHIVE = Path(sys.argv[0]).absolute()
_PLAN = _ARCHIVE.with_name("plan.json")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_HALF_MADE = ".new-"
#: Audit events (PEP 578) of what would get past the watch over files and programs.
_OTHER_WAYS = {
    "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.symlink", "os.truncate", "pty.spawn", "shutil.copyfile",
    "shutil.copytree", "shutil.move", "shutil.rmtree",
}  # fmt: skip
#: What tells one question to Slurm from another.
_TELLING = ("--name=", "--jobs=", "--format=%t", "--format=JobID,MaxRSS,TotalCPU")


class Watch:
    """Sees the steps of one process.

    Args:
        plan: what to do.
        command: what the process does.
    """

    def __init__(self, plan: dict[str, Any], command: str) -> None:
        self._record: str | None = plan.get("record")
        self._kill: tuple[str, ...] = tuple(plan.get("kill") or ())
        self._signal = signal.SIGSTOP if plan.get("stop") else signal.SIGKILL
        self._command = command

    def begin(self, step: str) -> None:
        """Note a step, and die if this is where."""
        if self._record:
            with Path(self._record).open("a") as stream:
                stream.write(f"{self._command}\t{step}\n")
        self.passing(step, "before")

    def passing(self, step: str, moment: str) -> None:
        """Die, if this is where; the first time counts."""
        if self._kill == (self._command, step, moment):
            self._kill = ()
            _PLAN.replace(f"{_PLAN}.done")
            _PLAN.with_name("stopped").write_text(str(os.getpid()))
            os.kill(os.getpid(), self._signal)


def file_step(kind: str, source: str, target: str) -> str:
    """Name what happens to a file by what that is to a job; a journal entry by what it says."""
    path = Path(target)
    folder = path.parent.name
    if folder == "journal":
        entry = json.loads(Path(source).read_text())
        body = entry["body"]
        said = body.get("state") or body.get("module") or " ".join(body.get("fields", ()))
        return f"{kind} journal {entry['kind']} {said}".strip()
    if path.name.startswith("epoch-"):
        return f"{kind} lease of the {'job' if folder == 'lease' else folder}"
    return f"{kind} {folder}/{path.name}" if folder in {"control", "steps"} else f"{kind} {_plain(folder, path.name)}"


def _plain(folder: str, name: str) -> str:
    return folder if folder == "active" else name


def program_step(argv: list[str]) -> str:
    """Name a program by what it is to do."""
    own = next((index for index, word in enumerate(argv) if word.endswith(".pyz")), None)
    if own is not None:
        return f"run wrapper {argv[own + 1]}"
    lines = [word for word in argv[1:] if not word.startswith("-") and not os.path.isdir(word)]  # noqa: PTH112 - not every word can be a path
    about = lines[0].splitlines()[-1] if lines and not lines[0].isdigit() else ""
    flags = [word.replace("--format=", "").partition("=")[0] for word in argv if word.startswith(_TELLING)]
    return " ".join(["run", Path(argv[0]).name, *([Path(about).name] if about else []), *flags])


def _watch_files(watch: Watch) -> None:
    def watched(kind: str, real: Callable[..., None]) -> Callable[..., None]:
        def act(source: str, *target: str) -> None:
            goal = target[0] if target else source
            if Path(goal).name.startswith(_HALF_MADE):
                real(source, *target)
                return
            step = file_step(kind, source, goal)
            watch.begin(step)
            real(source, *target)
            watch.passing(step, "after")

        return act

    for kind in ("link", "rename", "replace", "unlink", "remove"):
        setattr(os, kind, watched(kind, getattr(os, kind)))


def _watch_programs(watch: Watch, *, may_follow: bool) -> None:
    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        """A program whose begin and end are steps."""

        def __init__(self, argv: list[str], **settings: Any) -> None:
            self._step = program_step(argv)
            self._has_ended = False
            watch.begin(self._step)
            is_follower = self._step.startswith("run wrapper follow")
            super().__init__(["true"] if is_follower and not may_follow else argv, **settings)
            watch.passing(self._step, "during")

        def wait(self, timeout: float | None = None) -> int:
            code = super().wait(timeout)
            if not self._has_ended:
                self._has_ended = True
                watch.passing(self._step, "after")
            return code

    subprocess.Popen = Watched  # type: ignore[assignment,misc]


def _watch_the_rest(watch: Watch) -> None:
    """See every other way to write a file in place or to start a program, too: its beginning."""

    def hear(event: str, words: tuple[Any, ...]) -> None:
        if event == "open" and _is_written(*words):
            watch.begin(f"write {Path(words[0]).name}")
        elif event in _OTHER_WAYS:
            watch.begin(event)

    sys.addaudithook(hear)


def _is_written(path: Any, _mode: Any, flags: int) -> bool:
    """Whether something is opened to write into it that has its name already."""
    ours = isinstance(path, str) and _ARCHIVE.parent.parent in Path(path).absolute().parents
    written = flags & (os.O_WRONLY | os.O_RDWR)
    return ours and bool(written) and not Path(path).name.startswith((_HALF_MADE, _PLAN.name))


def _hurry(speed: float) -> None:
    """Give the wrapper's clock, and nothing else, a time of its own: a day in minutes."""
    real_import, began = builtins.__import__, time.time()

    def now() -> float:
        return began + (time.time() - began) * speed

    faster = {"time": now, "monotonic": now, "sleep": lambda seconds: time.sleep(seconds / speed)}
    quick = SimpleNamespace(**{**vars(time), **faster})

    def import_there(name: str, scope: Any = None, *more: Any, **named: Any) -> Any:
        if name == "time" and scope and scope["__name__"] == "project.wrapper.clock":
            return quick
        return real_import(name, scope, *more, **named)

    builtins.__import__ = import_there  # type: ignore[assignment]


def _move(host: str, boot: str) -> None:
    """Be on another login node, as far as the process can tell."""
    real_open, here = builtins.open, os.uname()
    boot_file = _ARCHIVE.with_name(f"boot-{host}")
    boot_file.write_text(boot)

    def open_there(path: Any, *more: Any, **named: Any) -> Any:
        return real_open(boot_file if path == _BOOT_ID else path, *more, **named)

    builtins.open = open_there  # type: ignore[assignment]
    os.uname = lambda: os.uname_result((here.sysname, host, *tuple(here)[2:]))


def _prepare() -> None:
    try:
        plan = json.loads(_PLAN.read_text())
    except FileNotFoundError:
        return
    watch = Watch(plan, sys.argv[1])
    _watch_files(watch)
    _watch_the_rest(watch)
    _watch_programs(watch, may_follow=plan.get("follow", True))
    if "speed" in plan:
        _hurry(plan["speed"])
    if "host" in plan:
        _move(*plan["host"])


if __name__ == "__main__":
    _prepare()
    real: bytes = __loader__.get_data(str(_ARCHIVE / "real_main.py"))  # type: ignore[name-defined] # the archive's
    exec(compile(real, str(_ARCHIVE / "__main__.py"), "exec"))  # noqa: S102 - what would have run without us
