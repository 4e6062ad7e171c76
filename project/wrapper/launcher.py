"""The zipapp's `__main__.py`: starts the wrapper, from its compiled modules where they lie ready.

Compiling the modules anew takes half of a start, and a zipapp keeps nothing; see `compiled.py`.
"""

import os
import sys


def compiled_path(archive: str) -> str:
    """Return where the modules of an archive lie compiled for the Python that runs now."""
    return f"{os.path.splitext(archive)[0]}-{sys.implementation.cache_tag}.zip"


if __name__ == "__main__":
    if os.path.exists(compiled_path(sys.argv[0])):
        sys.path.insert(0, compiled_path(sys.argv[0]))
    from project.wrapper.__main__ import main

    raise SystemExit(main(sys.argv[1:]))
