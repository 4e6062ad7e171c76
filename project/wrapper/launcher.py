"""A zipapp's `__main__.py`: starts the program its name tells, from its compiled modules where they lie ready.

Compiling the modules anew takes half of a start, and a zipapp keeps nothing; see `compiled.py`.
"""

import importlib
import os
import sys


def compiled_path(archive: str) -> str:
    """Return where the modules of an archive lie compiled for the Python that runs now."""
    return f"{os.path.splitext(archive)[0]}-{sys.implementation.cache_tag}.zip"


if __name__ == "__main__":
    if os.path.exists(compiled_path(sys.argv[0])):
        sys.path.insert(0, compiled_path(sys.argv[0]))
    program = os.path.basename(sys.argv[0]).partition("-")[0]  # wrapper-<sha12>.pyz
    raise SystemExit(importlib.import_module(f"project.{program}.__main__").main(sys.argv[1:]))
