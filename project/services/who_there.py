"""Who the user is on a cluster where no job file says so: as told, as at the last submission there, or as here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.ports import RecordStore


def who_there(cluster: str, given: Mapping[str, Any], records: RecordStore, account_here: str) -> dict[str, Any]:
    """Return `username`, and `private_key` and `passphrase` as far as they are known.

    Args:
        cluster: its name.
        given: what the user says now; it wins.
        records: of this machine's submissions.
        account_here: the user's account on this machine.
    """
    last = records.newest_on(cluster) or {}
    known = {"username": last.get("username") or account_here, "private_key": last.get("private_key")}
    return {**known, **{key: value for key, value in given.items() if value}}
