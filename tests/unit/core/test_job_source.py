"""Which repositories `job` may name, and which addresses are refused before anything is done."""

from __future__ import annotations

import pytest

from project.core.job_source import GitSource, parse_git, submodule_protocols, without_credentials

_COMMIT = "0123456789012345678901234567890123456789"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/group/solver.git",
        "http://127.0.0.1:8080/solver.git",
        "https://[::1]:8443/solver.git",
        "ssh://git@example.org:2222/solver.git",
        "ssh://example.org/solver.git",
        "git://example.org/solver.git",
        "file:///srv/git/solver.git",
        "git@example.org:group/solver.git",
        "jane.doe@nic5_login:solver",
    ],
)
@pytest.mark.parametrize("ref", ["", "main", "feature/a#b", _COMMIT])
def test_addresses_of_repositories_are_recognised(url: str, ref: str) -> None:
    """Every transport that is promised, with a branch or commit behind `#` or without."""
    assert parse_git(f"{url}#{ref}" if ref else url) == GitSource(url, ref)


@pytest.mark.parametrize("path", ["simulation", "./a:b", "ext::sh -c true", "-x@host:repo", "a b@host:c", "C:\\jobs"])
def test_whatever_is_no_address_is_a_path(path: str) -> None:
    """Git never gets to see it."""
    assert parse_git(path) is None


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch+x/repo",
        "ssh://-oProxyCommand=x@host/repo",
        "https://-c/repo",
        "https://example.org",
        "https:///repo",
        "https://example.org/repo\n",
        "ssh://a b/repo",
        "file://host/repo",
        "ftp://example.org/repo",
        "HTTPS://example.org/repo",
        "git+ssh://example.org/repo",
    ],
)
def test_addresses_that_could_be_options_or_are_none_are_refused(url: str) -> None:
    """Hosts and accounts that begin with a dash, spaces, other transports."""
    with pytest.raises(ValueError, match="no address of a Git repository"):
        parse_git(url)


@pytest.mark.parametrize("start", ["git@-oProxyCommand=x:repo", "git@host:-upload-pack=x", "git@host: x"])
def test_an_address_in_the_style_of_scp_hides_no_option(start: str) -> None:
    """What looks like one is no address, and so a path that is not there."""
    assert parse_git(start) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://jane:s3cret@example.org/r.git",
        "https://:s3cret@example.org/r.git",
        "ssh://jane:s3cret@example.org/r.git",
        "https://jane:s3@cret@example.org/r.git#main",
        "https://s3cret@example.org/r.git",
    ],
)
def test_secrets_in_an_address_are_refused_and_never_repeated(url: str) -> None:
    """They would be kept by the registry and on the cluster."""
    with pytest.raises(ValueError, match="which would be kept with the job") as refused:
        parse_git(url)
    assert "s3" not in str(refused.value)


def test_a_commit_is_a_whole_one() -> None:
    """Forty or sixty-four digits and nothing behind them."""
    assert [GitSource("x", ref).is_commit for ref in (_COMMIT, _COMMIT + "\n", _COMMIT[:7])] == [True, False, False]


def test_only_a_local_repository_has_local_submodules() -> None:
    """A repository from afar cannot have other repositories of this machine brought along."""
    assert "file" not in submodule_protocols("https://example.org/r.git").split(":")
    assert "file" in submodule_protocols("file:///srv/r.git").split(":")


def test_what_git_says_is_told_without_credentials() -> None:
    """Settings of Git may put them into an address."""
    said = "fatal: unable to access 'https://jane:s3@cret@example.org/r.git/': 403"
    assert without_credentials(said) == "fatal: unable to access 'https://example.org/r.git/': 403"
