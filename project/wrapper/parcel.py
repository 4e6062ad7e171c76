"""Unpacks what the client uploaded; nothing in it may reach out of the job's folder."""

import os
import tarfile
import zlib
from typing import Iterator, Set

from project.core.errors import TransferFailed

_KEPT_MODE = 0o700


def unpack(archive_path: str, folder: str) -> None:
    """Unpack what was uploaded into a folder; doing it again gives the same.

    Raises:
        TransferFailed: it is damaged, or something in it points out of the folder.
    """
    try:
        with tarfile.open(archive_path, "r:gz") as archive:
            archive.extraction_filter = lambda member, _: member  # `_checked` is ours; Python 3.14 has one by default
            for member in _checked(archive, folder):
                archive.extract(member, folder, set_attrs=not member.issym())
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, tarfile.TarError) as error:
        raise TransferFailed(
            f"what was uploaded cannot be unpacked: {error}", remedy="Submit again; check your quota there"
        ) from error


def _checked(archive: tarfile.TarFile, folder: str) -> Iterator[tarfile.TarInfo]:
    """Yield members made safe: inside the folder, no devices, no owner, private to the user."""
    root = os.path.realpath(folder)
    plain: Set[str] = set()  # folders found to be inside; with each new link they are looked at again
    for member in archive:
        own = os.path.join(root, member.name)
        if member.issym():
            plain.clear()
            _refuse_outside(root, os.path.join(os.path.dirname(own), member.linkname), member)
        if os.path.dirname(own) not in plain:
            _refuse_outside(root, os.path.dirname(own), member)
            plain.add(os.path.dirname(own))
        if os.path.islink(own) or os.path.basename(own) in ("", ".", ".."):
            _refuse_outside(root, own, member)
        if not (member.isfile() or member.isdir() or member.issym()):
            raise TransferFailed(f"{member.name!r} in the parcel is no file, folder or link")
        member.mode = member.mode & _KEPT_MODE | (0o700 if member.isdir() else 0o600)
        member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        yield member


def _refuse_outside(root: str, path: str, member: tarfile.TarInfo) -> None:
    """Raise TransferFailed if a path leads out of the folder, by the links that have been made so far."""
    if os.path.commonpath([root, os.path.realpath(path)]) != root:
        raise TransferFailed(f"{member.name!r} in the parcel points out of the job's folder")
