"""What the key `job` names: a file or a directory here, or a Git repository anywhere."""

import re
from typing import NamedTuple, Optional

#: Nothing in an address may begin with a dash: an old Git, or ssh, would take it for an option (CVE-2017-1000117).
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])"
_URL = re.compile(
    rf"(?P<scheme>https?|ssh|git)://(?:(?P<user>[^\s/@:-][^\s/@:]*)?(?P<password>:[^\s/]*)?@)?{_HOST}(?::[0-9]+)?/\S+"
)
_FILE_URL = re.compile(r"file:///\S+")
_SCP_LIKE = re.compile(rf"[A-Za-z0-9_.][A-Za-z0-9_.-]*@{_HOST}:[^\s-]\S*")
_ANY_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CREDENTIALS = re.compile(r"://[^\s/]*@")

#: Transports that Git may use for a job; `ext::` and its like would run commands.
ALLOWED_PROTOCOLS = "https:http:ssh:git:file"
_FROM_AFAR = "https:http:ssh:git"


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
        return _COMMIT.fullmatch(self.ref) is not None


def parse_git(job: str) -> Optional[GitSource]:
    """Return the repository `job` names, None if it names a path.

    Raises:
        ValueError: it is an address that must not be used; the message tells nothing of what it holds.
    """
    url, _, ref = job.partition("#")
    found = _URL.fullmatch(url)
    if found is None:
        if _FILE_URL.fullmatch(url) or _SCP_LIKE.fullmatch(url):
            return GitSource(url, ref)
        if _ANY_URL.match(url):
            raise ValueError("this is no address of a Git repository")
        return None
    if found.group("password") is not None:
        raise ValueError("this address holds a password, which would be kept with the job")
    if found.group("user") and found.group("scheme") != "ssh":
        raise ValueError("this address holds a user name or token, which would be kept with the job")
    return GitSource(url, ref)


def submodule_protocols(url: str) -> str:
    """Return the transports that Git may use for the submodules of a repository.

    Who wrote a repository that comes from afar must not have files of this machine brought along (CVE-2022-39253).
    """
    return ALLOWED_PROTOCOLS if _FILE_URL.fullmatch(url) else _FROM_AFAR


def without_credentials(text: str) -> str:
    """Return what Git says without the names and passwords in its addresses, which its settings may put there."""
    return _CREDENTIALS.sub("://", text)
