"""Imports paramiko without `invoke`, which it loads for one feature that Gridferry does not use.

paramiko runs `Match exec` lines of ssh_config by means of `invoke`, a task runner whose import takes 0.15 s of
paramiko's 0.41 s. Gridferry leaves `Match` to `ssh -G`, and paramiko works without `invoke` by design
(`paramiko/config.py` catches the ImportError), so it is told for a moment that there is none.
"""

import logging
import sys

if "invoke" not in sys.modules:
    sys.modules["invoke"] = None  # type: ignore[assignment]  # Python's own way to say "not there"
    try:
        import paramiko  # noqa: F401
    finally:
        del sys.modules["invoke"]

#: paramiko logs each failure with its traceback; without any handler Python would print that on the terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
