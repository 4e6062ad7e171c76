"""Compiles the wrapper once for each Python on a cluster, so that it starts in half the time from then on."""

import importlib.util
import io
import json
import marshal
import os
import sys
import zipfile

from project.wrapper import files
from project.wrapper.launcher import SOURCES, compiled_path

#: What stands before the code in a .pyc: magic number, then flags (from 3.7 on), time and size of a source that
#: zipimport compares only if the source lies beside (PEP 552; `_unmarshal_code` of zipimport.py).
_HEADER = importlib.util.MAGIC_NUMBER + bytes(12 if sys.version_info >= (3, 7) else 8)


def keep_compiled(archive: str) -> None:
    """Lay the compiled modules of our archive beside it, unless they are there."""
    target = compiled_path(archive)
    if os.path.exists(target):
        return
    buffer = io.BytesIO()
    with zipfile.ZipFile(archive) as opened, zipfile.ZipFile(buffer, "w") as compiled:
        for name, source in json.loads(opened.read(SOURCES).decode()).items():
            code = compile(source, os.path.join(archive, name), "exec", dont_inherit=True)
            compiled.writestr(name + "c", _HEADER + marshal.dumps(code))
    files.create(target, buffer.getvalue())
