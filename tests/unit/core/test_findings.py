"""What doctor found, and what others make of it."""

from __future__ import annotations

import pytest

from project.core.findings import GIT, MISSING, Finding, Known, failure, nothing_known, ok, warning, worst

_GIT = warning("none of git is here", "It is cloned here", MISSING)._replace(check=GIT)


def test_the_worst_counts() -> None:
    """Of no findings all is well."""
    assert worst([]) == "ok"
    assert worst(["ok", "failure", "warning"]) == "failure"


def test_facts_are_told_by_their_check() -> None:
    """What nobody looked at is not known."""
    known = Known("2026-11-20T10:00:00.000000Z", [ok("well")._replace(check="SSH"), _GIT])
    assert known.fact(GIT) == MISSING
    assert (known.fact("SSH"), known.fact("files"), nothing_known("nic5").fact(GIT)) == ("", "", "")


@pytest.mark.parametrize(
    ("finding", "obstacle"),
    [
        (failure("compute nodes do not see /home/x", "r")._replace(check="compute nodes"), True),
        (failure("used up", "r")._replace(check="quota"), True),
        (failure("nothing can be written", "r")._replace(check="folder"), True),
        (warning("no node was free", "r")._replace(check="compute nodes"), False),
        (failure("does not answer", "r")._replace(check="Slurm's controller"), False),
        (_GIT, False),
    ],
)
def test_what_nobody_else_would_see_keeps_jobs_away(finding: Finding, obstacle: bool) -> None:
    """Failures that a submission does not look for itself; what it asks anew may have changed since."""
    known = Known("2026-11-20T10:00:00.000000Z", [ok("well"), finding])
    assert bool(known.obstacle) == obstacle
    assert not obstacle or known.obstacle == f"doctor found: {finding.check}: {finding.text}"


def test_whoever_has_logged_in_is_told_of_no_failure_on_the_way_there() -> None:
    """A key that was missing then is here now; a full quota still is."""
    no_key, full = failure("no key", "make one"), failure("used up", "tidy")
    found = [no_key._replace(check="login"), full._replace(check="quota")]
    known = Known("2026-11-20T10:00:00.000000Z", found)
    assert [finding.check for finding in known.failures] == ["login", "quota"]
    assert [finding.check for finding in known.beyond_the_login] == ["quota"]
