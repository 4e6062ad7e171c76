"""What is small comes with the list of it: a few kilobytes are not worth a channel, a shell and a tar."""

import binascii

from project.core.messages import Document

_MOST_BYTES = 256 * 1024
_MOST_FILES = 1000


def bring_along(listed: Document) -> None:
    """Add `content`, as base64, to all files of a manifest, if they are small and few together.

    What cannot be read now, or has changed, is left for the client to fetch: it compares each content with the hash.
    """
    entries = listed["files"]
    if len(entries) > _MOST_FILES or sum(entry["size"] for entry in entries) > _MOST_BYTES:
        return
    for entry in entries:
        try:
            with open(entry["path"], "rb") as stream:
                content = stream.read(entry["size"] + 1)
        except OSError:
            continue
        entry["content"] = binascii.b2a_base64(content, newline=False).decode("ascii")
