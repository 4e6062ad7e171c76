"""Slurm's accounting behind its back: what an administrator, a purge or a lost database does to its rows."""

from __future__ import annotations

import ctypes
import ctypes.util
import getpass
from typing import TYPE_CHECKING

from project.sandbox.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

#: MariaDB's client library, which slurmdbd uses, too: there is always one where a sandbox runs.
_LIBRARY = "mariadb"
_DATABASE = "slurm_acct_db"


def delete(folder: Path, cluster: str, slurm_job_id: str) -> int:
    """Delete a job from the accounting of a sandbox; return how many rows there were."""
    return run(folder, f"DELETE FROM {cluster}_job_table WHERE id_job = {int(slurm_job_id)}")  # noqa: S608 - our own words


def run(folder: Path, sql: str) -> int:
    """Run a statement in the database of a sandbox, through its socket; return how many rows it changed."""
    name = ctypes.util.find_library(_LIBRARY)
    assert name, "slurmdbd depends on MariaDB's client library"
    library = _declared(ctypes.CDLL(name))
    connection = library.mysql_init(None)
    try:
        socket = str(Layout.at(folder).database_socket).encode()
        user = getpass.getuser().encode()
        is_there = library.mysql_real_connect(connection, None, user, None, _DATABASE.encode(), 0, socket, 0)
        assert is_there, library.mysql_error(connection)
        assert library.mysql_query(connection, sql.encode()) == 0, library.mysql_error(connection)
        return int(library.mysql_affected_rows(connection))
    finally:
        library.mysql_close(connection)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """Say what its functions take and return: by default pointers would be cut to integers."""
    text, pointer = ctypes.c_char_p, ctypes.c_void_p
    library.mysql_init.argtypes, library.mysql_init.restype = [pointer], pointer
    library.mysql_real_connect.argtypes = [pointer, text, text, text, text, ctypes.c_uint, text, ctypes.c_ulong]
    library.mysql_real_connect.restype = pointer
    library.mysql_query.argtypes, library.mysql_query.restype = [pointer, text], ctypes.c_int
    library.mysql_affected_rows.argtypes, library.mysql_affected_rows.restype = [pointer], ctypes.c_uint64
    library.mysql_error.argtypes, library.mysql_error.restype = [pointer], text
    library.mysql_close.argtypes, library.mysql_close.restype = [pointer], None
    return library
