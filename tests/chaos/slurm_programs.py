"""Slurm's programs as a login finds them: the real ones, behind scripts that do as real ones do on bad days."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from typing import TYPE_CHECKING

from tests.contract.processes import poll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: The one of its moods that lies next in the folder is what a program is in, once.
_SCRIPT = """\
#!/bin/sh
real={real}
mood=
for token in {moods}/*.{program}; do
    mv "$token" "{moods}/taken-$$" 2>/dev/null || continue
    read -r mood place < "{moods}/taken-$$"; rm -f "{moods}/taken-$$"
    break
done
stand_still() {{ touch "$place/reached"; while [ ! -e "$place/go" ]; do sleep 0.05; done; }}
case "$mood" in
lost) "$real" "$@" >/dev/null; echo "{program}: error: Socket timed out on send/recv operation" >&2; exit 1 ;;
doubled)
    "$real" "$@" >/dev/null; "$real" "$@" >/dev/null
    echo "{program}: error: Socket timed out on send/recv operation" >&2; exit 1 ;;
warned) echo "{program}: warning: your quota is nearly used up" >&2; exec "$real" "$@" ;;
silent) echo "{program}: error: Unable to contact slurm controller (connect failure)" >&2; exit 1 ;;
half) "$real" "$@" | {{ head -c 150; cat >/dev/null; }} ;;
late) "$real" "$@" >/dev/null; sleep 70; exit 1 ;;
held-before) stand_still; exec "$real" "$@" ;;
held-after) answer=$("$real" "$@"); code=$?; stand_still; echo "$answer"; exit $code ;;
*) exec "$real" "$@" ;;
esac
"""

#: A submission takes a second or two, and on a machine that does much else besides, minutes.
_REACHED_LIMIT_S = 300.0
#: Which program may be in which mood; `late` is answered after its client has given up.
MOODS = {
    "sbatch": ("lost", "doubled", "warned", "silent", "late"),
    "scontrol": ("lost", "silent"),
    "scancel": ("silent",),
    "squeue": ("silent", "half"),
    "sacct": ("silent", "half"),
}


class SlurmPrograms:
    """The scripts, in a folder that a login has first on its PATH.

    Args:
        folder: for them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._moods = folder / "moods"
        self._moods.mkdir(parents=True)
        self._numbers = itertools.count()
        for program in MOODS:
            script = _SCRIPT.format(program=program, real=shutil.which(program), moods=self._moods)
            (folder / program).write_text(script)
            (folder / program).chmod(0o755)

    def next(self, program: str, mood: str) -> None:
        """Let one of the next calls of a program be in this mood."""
        token = self._moods / f"{next(self._numbers):06d}.{program}"
        token.with_suffix(".part").write_text(f"{mood}\n")
        token.with_suffix(".part").rename(token)

    @contextlib.contextmanager
    def held(self, program: str, *, after: bool) -> Iterator[Callable[[], object]]:
        """Let the next call of a program stand still before or after it does its work, until the block ends.

        Yields:
            What waits until it stands still.
        """
        place = self.folder / f"held-{next(self._numbers)}"
        place.mkdir()
        self.next(program, f"{'held-after' if after else 'held-before'} {place}")
        try:
            yield lambda: poll((place / "reached").exists, f"{program} is called", _REACHED_LIMIT_S)
        finally:
            (place / "go").touch()

    def calm(self) -> None:
        """Let all work as they should again."""
        for token in self._moods.iterdir():
            token.unlink(missing_ok=True)
