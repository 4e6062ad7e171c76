"""What happens to an error nobody foresaw: the user gets one sentence, the details go to a private file."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path

from project.adapters.private_file import make_private_folder, private_opener
from project.core.errors import GridferryError


def keep_crash(error: Exception) -> GridferryError:
    """Write the traceback to a private file and return the error to show instead."""
    home = Path(os.environ.get("GRIDFERRY_HOME", "~/.local/share/gridferry")).expanduser()
    path = home / "crashes" / time.strftime("%Y%m%d-%H%M%S.txt", time.gmtime())
    try:
        make_private_folder(path.parent)
        with open(path, "a", encoding="utf-8", errors="backslashreplace", opener=private_opener) as file:
            file.writelines(traceback.format_exception(error))
        where = f"The details are in {path}"
    except OSError:
        where = "The details could not be written down"
    return GridferryError(
        f"Gridferry met something it was not made for ({type(error).__name__}: {error})",
        remedy=f"This is a bug, not your mistake. {where}; please send them to the maintainers",
    )
