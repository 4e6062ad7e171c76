"""A zipapp's `__main__.py`: starts the program its name tells.

All modules lie in one member of the archive, which makes it a third smaller than members of their own, and are
found there by the finder below; compiling them takes half of a start, so that where they lie compiled already
(see `compiled.py`) those are taken.
"""

import importlib
import json
import os
import sys
from importlib.machinery import ModuleSpec
from typing import Any, Mapping, Optional

#: The archive's member with every module's source by its file's name.
SOURCES = "modules.json"


def compiled_path(archive: str) -> str:
    """Return where the modules of an archive lie compiled for the Python that runs now."""
    return f"{os.path.splitext(archive)[0]}-{sys.implementation.cache_tag}.zip"


class Modules:
    """Finds and loads modules whose sources are at hand.

    Args:
        archive: where they came from, for tracebacks.
        sources: by file name, such as `project/core/states.py`.
    """

    def __init__(self, archive: str, sources: Mapping[str, str]) -> None:
        self._archive = archive
        self._sources = sources

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:  # noqa: ARG002 - importlib's
        """Return what importlib needs to load a module, None if it is not ours."""
        file = self._file(name)
        if file not in self._sources:
            return None
        origin = os.path.join(self._archive, file)
        return ModuleSpec(name, self, origin=origin, is_package=file.endswith("__init__.py"))  # type: ignore[arg-type] # a loader by its methods

    def create_module(self, spec: ModuleSpec) -> None:
        """Let importlib make an ordinary module."""

    def exec_module(self, module: Any) -> None:
        """Run a module's source."""
        spec = module.__spec__
        exec(compile(self.get_source(spec.name), spec.origin, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what an import is

    def get_source(self, name: str) -> str:
        """Return a module's source: tracebacks show its lines."""
        return self._sources[self._file(name)]

    def _file(self, name: str) -> str:
        stem = name.replace(".", "/")
        package = stem + "/__init__.py"
        return package if package in self._sources else stem + ".py"


if __name__ == "__main__":
    if os.path.exists(compiled_path(sys.argv[0])):
        sys.path.insert(0, compiled_path(sys.argv[0]))
    else:
        content = __loader__.get_data(os.path.join(sys.argv[0], SOURCES))  # type: ignore[name-defined]
        sys.meta_path.insert(0, Modules(sys.argv[0], json.loads(content.decode())))
    program = os.path.basename(sys.argv[0]).partition("-")[0]  # wrapper-<sha12>.pyz
    raise SystemExit(importlib.import_module(f"project.{program}.__main__").main(sys.argv[1:]))
