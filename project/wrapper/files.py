"""Writing to the cluster's disk so that a crash leaves either the old content or the new one."""

import contextlib
import json
import os
from typing import IO, Any, Iterator, Optional

from project.core.errors import TransferFailed

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


class Damaged(TransferFailed, ValueError):
    """A file that only we write holds something else."""

    def __init__(self, path: str) -> None:
        remedy = "Somebody or something has changed it; submit the job again, or restore it"
        super().__init__(f"{path} is damaged", remedy=remedy)


def sync_folder(folder: str) -> None:
    """Make the names in `folder` last through a power cut, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems refuse fsync on folders
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def temporary(folder: str) -> Iterator[IO[bytes]]:
    """Yield a new private file, open for writing; it is removed afterwards.

    As tempfile does it, whose import takes longer than all that a submission writes.
    """
    path = os.path.join(folder, ".new-" + os.urandom(8).hex())
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, PRIVATE_FILE)) as stream:
            yield stream
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


@contextlib.contextmanager
def _written(path: str, content: bytes) -> Iterator[str]:
    """Yield the name of a temporary file beside `path` that holds `content`, safely on disk."""
    with temporary(os.path.dirname(path)) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
        yield stream.name


def replace(path: str, content: bytes) -> None:
    """Write `path` whole or not at all, replacing what was there."""
    with _written(path, content) as written:
        os.rename(written, path)
    sync_folder(os.path.dirname(path))


def create(path: str, content: bytes) -> bool:
    """Write `path` unless it exists; of several writers, even on several hosts, exactly one gets True.

    By link(2), which is atomic on NFS too, where O_EXCL once was not (open(2), NOTES).
    """
    with _written(path, content) as written:
        try:
            os.link(written, path)
        except FileExistsError:
            return False
    sync_folder(os.path.dirname(path))
    return True


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def read_text(path: str) -> Optional[str]:
    """Return the content of a small file, None if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def read_json(path: str) -> Any:
    """Return what a JSON file holds, None if there is no file.

    Raises:
        Damaged: it holds no JSON.
    """
    text = read_text(path)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        raise Damaged(path) from None


def replace_json(path: str, document: Any) -> None:
    """Write a JSON file whole or not at all."""
    replace(path, to_json(document))


def to_json(document: Any) -> bytes:
    """Write JSON the way all our files hold it."""
    return json.dumps(document, sort_keys=True).encode()


def make_folder(path: str) -> None:
    """Make a private folder, and those above it that are missing: all private, whatever the umask."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(os.path.abspath(path))
    if above != path:
        make_folder(above)
    try:
        os.mkdir(path, PRIVATE_FOLDER)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def tail(path: str, limit_bytes: int = 4000, limit_lines: int = 20) -> str:
    """Return the last lines of a file, "" if it cannot be read."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - limit_bytes))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-limit_lines:])
