"""Finds the user's modules and runs those of the staging stage here, in a private copy of their files."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.problems import InvalidDocument, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from project.core.module_steps import ModuleStep

_FOLDER = "modules"
_HISTORY = "past-jobs.json"
#: Gridferry's own: in the repository, or where its package installs them.
_SHIPPED = (Path(__file__).resolve().parents[2] / _FOLDER, Path(sys.prefix) / "share" / "gridferry" / _FOLDER)


def find_modules(steps: Sequence[ModuleStep], *, source: str, lines: Mapping[str, int]) -> dict[str, Path]:
    """Return where each module's file is: `modules/` beside the modules file, else here, else Gridferry's own.

    Raises:
        InvalidDocument: naming every module that is nowhere.
    """
    folders = [Path(source).resolve().parent / _FOLDER, Path.cwd() / _FOLDER, *_SHIPPED]
    found = {step.module: _first(folders, step.module) for step in steps}
    missing = [
        Problem(
            f"{step.stage}.{step.number}.module",
            f"there is no {step.module} in {' or '.join(dict.fromkeys(map(str, folders)))}",
            "Put it there, or correct its name",
            lines.get(f"{step.stage}.{step.number}.module"),
        )
        for step in steps
        if found[step.module] is None
    ]
    if missing:
        raise InvalidDocument(source, missing)
    return {name: path for name, path in found.items() if path is not None}


def _first(folders: Sequence[Path], name: str) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


class LocalModules:
    """Runs staging modules on this machine."""

    def run(
        self,
        steps: Sequence[ModuleStep],
        files: Mapping[str, Path],
        user_input: dict[str, Any],
        *,
        on_start: Callable[[ModuleStep], None],
        on_result: Callable[[ModuleStep, dict[str, Any]], None],
        on_said: Callable[[str], None],
        environment: Mapping[str, str],
        history: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Run steps in order and return the user input as the last one left it. Raises ModuleFailed."""
        from project.wrapper.module_runner import run_modules  # noqa: PLC0415 - few jobs have modules

        with tempfile.TemporaryDirectory(prefix="gridferry-") as folder:
            for step in steps:
                shutil.copy(files[step.module], folder)
            past = Path(folder) / _HISTORY
            past.write_text(json.dumps(list(history)))
            return run_modules(
                steps,
                user_input,
                folder=folder,
                on_start=on_start,
                on_result=on_result,
                on_said=on_said,
                environment={**environment, "GRIDFERRY_HISTORY": str(past)},
            )
