"""What the key `job` names: a file or a directory here, or a Git repository anywhere."""

import re
from typing import NamedTuple, Optional

_GIT_URL = re.compile(r"^(?:https?|ssh|git|file)://[^\s]+$", re.IGNORECASE)
_SCP_LIKE = re.compile(r"^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^\s]+$")
_COMMIT = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
#: Transports that Git may use for a job; `ext::` and its like would run commands.
ALLOWED_PROTOCOLS = "https:http:ssh:git:file"


class GitSource(NamedTuple):
    """A Git repository.

    Attributes:
        url: to clone from.
        ref: branch, tag or commit behind the `#`; "" for the repository's own default.
    """

    url: str
    ref: str

    @property
    def is_commit(self) -> bool:
        """Whether `ref` is a whole commit id already."""
        return _COMMIT.match(self.ref) is not None


def parse_git(job: str) -> Optional[GitSource]:
    """Return the repository `job` names, None if it names a path."""
    url, _, ref = job.partition("#")
    if _GIT_URL.match(url) or _SCP_LIKE.match(url):
        return GitSource(url, ref)
    return None
