"""What a check found: well, doubtful or broken, and what to do about it in one sentence."""

from typing import Iterable, List, NamedTuple, Sequence

OK, WARNING, FAILURE = "ok", "warning", "failure"
#: From the best to the worst.
LEVELS = (OK, WARNING, FAILURE)


class Finding(NamedTuple):
    """What one check found.

    Attributes:
        level: of LEVELS.
        text: what was found.
        remedy: what to do, one sentence; "" where there is nothing to do.
        check: what was looked at.
        fact: what programs go by, one word: of those below; "" where they go by nothing.
    """

    level: str
    text: str
    remedy: str = ""
    check: str = ""
    fact: str = ""


#: The checks of the way to a login, in their order.
TO_THE_LOGIN = ("host name", "SSH port", "SSH", "host key", "login", "prompts")
#: Names of further checks that others go by.
FILES, FOLDER, QUOTA, COMPUTE_NODES, REGISTRY, GIT = (
    "files",
    "folder",
    "quota",
    "compute nodes",
    "way to the registry",
    "git",
)
#: Facts: files go through a shell, a program is not there, reports are relayed by the client.
STREAM, MISSING, RELAY = "stream", "missing", "relay"
#: What a submission does not look at by itself, and what would spoil the job hours later.
STANDING = (FOLDER, QUOTA, COMPUTE_NODES)


class Known(NamedTuple):
    """What `doctor` found last on a cluster.

    Attributes:
        at: when (UTC); "" if it never looked, or too long ago.
        findings: all of them.
    """

    at: str = ""
    findings: Sequence[Finding] = ()

    def fact(self, check: str) -> str:
        """Return what programs go by, "" if nothing is known."""
        return next((finding.fact for finding in self.findings if finding.check == check), "")

    @property
    def failures(self) -> List[Finding]:
        """What was broken."""
        return [finding for finding in self.findings if finding.level == FAILURE]

    @property
    def beyond_the_login(self) -> List[Finding]:
        """What was broken there, for whoever has logged in meanwhile."""
        return [finding for finding in self.failures if finding.check not in TO_THE_LOGIN]

    @property
    def obstacle(self) -> str:
        """Why jobs should not go there, although Slurm would take them; "" if nothing is known."""
        found = next((finding for finding in self.failures if finding.check in STANDING), None)
        return f"doctor found: {found.check}: {found.text}" if found else ""


def nothing_known(_: str) -> Known:
    """Return what is known of a cluster that nobody has looked at."""
    return Known()


def ok(text: str, fact: str = "") -> Finding:
    """Return the finding that all is well."""
    return Finding(OK, text, fact=fact)


def warning(text: str, remedy: str = "", fact: str = "") -> Finding:
    """Return the finding that something is doubtful, or missing that not every job needs."""
    return Finding(WARNING, text, remedy, fact=fact)


def failure(text: str, remedy: str) -> Finding:
    """Return the finding that jobs will not work."""
    return Finding(FAILURE, text, remedy)


def worst(levels: Iterable[str]) -> str:
    """Return the worst of some levels, the best there is of none."""
    return max(levels, key=LEVELS.index, default=OK)
