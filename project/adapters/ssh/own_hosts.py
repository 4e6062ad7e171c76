"""Trust in hosts that this user has just made: their keys replace whatever was remembered for the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from project.adapters.records import write_private
from project.adapters.ssh.known_hosts import HostKey, append

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def trust_own(file: Path, host: str, port: int, keys: Sequence[str]) -> None:
    """Remember `keys` for `host` and `port` in our own known_hosts file, instead of older ones.

    Args:
        file: made, private to the user, if need be.
        host: as it is connected to.
        port: its SSH port.
        keys: public keys, "ssh-ed25519 AAAA…".
    """
    name = f"[{host}]:{port}"
    if file.exists():
        kept = [line for line in file.read_text().splitlines(keepends=True) if line.split(" ")[0] != name]
        write_private(file, "".join(kept).encode())
    for text in keys:
        key = HostKey.parse(*text.split()[:2])
        if key is not None:
            append(file, name, key)
