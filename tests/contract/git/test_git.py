"""Jobs that are Git repositories: over every transport, with the user's own credentials, and nothing else let in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.adapters.git import GitRepositories
from project.core.errors import SourceNeeded, UsageError
from project.core.job_source import parse_git
from tests.contract.git.conftest import WAYS
from tests.contract.git.https_server import ACCOUNT, PASSWORD
from tests.repositories import git
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.contract.git.conftest import Cloning, Job, Site

_ROOT = Path(__file__).resolve().parents[3]


def _commit(address: str) -> str:
    source = parse_git(address)
    assert source is not None
    return GitRepositories().resolve(source)


@pytest.mark.usefixtures("researcher")
@pytest.mark.parametrize("way", WAYS)
def test_a_repository_comes_with_its_submodule(site: Site, job: Job, clone: Cloning, way: str) -> None:
    """Both are private over https and ssh: Git's credential helper and the user's own key open them."""
    url = site.url(f"of-{way}", way)
    clone(job, url, _commit(url))
    assert (job.read("outer.txt"), job.read("sub1/inner.txt")) == ("first\n", "inner\n")


@pytest.mark.usefixtures("researcher")
@pytest.mark.parametrize("ref", ["main", "old", "v1", "v2", "commit"])
def test_what_stands_behind_the_number_sign_is_pinned(site: Site, job: Job, clone: Cloning, ref: str) -> None:
    """A branch, a tag of either kind or a commit: what it stands for now is what is cloned, whatever comes later."""
    name = f"pinned-{ref}-{clone.__name__}"
    folder = site.make(name, {"a.txt": "first\n"})
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "branch", "old")
    git(folder, "tag", "v1")
    git(folder, "tag", "-a", "v2", "-m", "annotated")
    url = site.url(name, "https")
    commit = _commit(f"{url}#{first if ref == 'commit' else ref}")
    (folder / "a.txt").write_text("second\n")
    git(folder, "commit", "--quiet", "-am", "second")
    assert commit == first
    clone(job, url, commit)
    assert job.read("a.txt") == "first\n"


@pytest.mark.usefixtures("researcher")
def test_a_branch_that_is_not_there_is_named(site: Site) -> None:
    """With the remedy."""
    with pytest.raises(UsageError, match="has no branch, tag or commit 'nope'") as refused:
        _commit(site.url("inner", "https") + "#nope")
    assert "#commit with all 40 digits" in refused.value.remedy


@pytest.mark.usefixtures("researcher")
@pytest.mark.parametrize("option", ["--upload-pack=touch {}", "-u touch {}", "--output={}", "$(touch {})"])
def test_a_branch_is_no_option_and_no_command(site: Site, tmp_path: Path, option: str) -> None:
    """Whatever stands behind the number sign is looked for among the names that the repository has."""
    trace = tmp_path / "trace"
    with pytest.raises(UsageError, match="has no branch, tag or commit"):
        _commit(site.url("inner", "https") + "#" + option.format(trace))
    assert not trace.exists()


@pytest.mark.parametrize("way", ["https", "ssh"])
def test_without_credentials_nobody_hangs(site: Site, job: Job, researcher: Path, way: str) -> None:
    """Where nobody can be asked, here it is an error in Git's words, there a request that the client bring it."""
    url = site.url("inner", way)
    commit = _commit(url)
    researcher.write_text(site.git_config.replace("helper", "unused").replace("ssh_config", "none"))
    with pytest.raises(UsageError, match="cannot be read") as refused:
        _commit(url)
    assert refused.value.detail
    with pytest.raises(UsageError, match="cannot be cloned"):
        job.cloned_here(url, commit)
    with pytest.raises(SourceNeeded):
        job.cloned_there(url, commit)
    assert job.names == []


def test_credentials_in_gits_settings_are_told_to_nobody(site: Site, researcher: Path) -> None:
    """An `insteadOf` with a password in it: Git's complaint is passed on without."""
    wrong = site.addresses["https"].replace("//", "//jane:s3cret@")
    researcher.write_text(f'{site.git_config}[url "{wrong}/"]\n  insteadOf = https://short.invalid/\n')
    with pytest.raises(UsageError) as refused:
        _commit("https://short.invalid/nowhere")
    assert PASSWORD not in refused.value.detail
    assert "s3cret" not in refused.value.message + refused.value.detail


def test_git_and_its_helpers_do_not_get_our_token(
    site: Site, researcher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credential helper is somebody's program: what is for the registry alone is not in its environment."""
    monkeypatch.setenv("GRIDFERRY_TOKEN", "s3cret")
    seen = tmp_path / "seen"
    researcher.write_text(site.git_config.replace("f() {", f"f() {{ echo [$GRIDFERRY_TOKEN] >> {seen};"))
    assert _commit(site.url("inner", "https"))
    assert set(seen.read_text().split()) == {"[]"}


@pytest.mark.usefixtures("researcher")
@pytest.mark.parametrize("address", ["file://{secret}", "{secret}", "ext::sh -c 'touch {secret}/touched'"])
def test_a_repository_from_afar_brings_nothing_of_this_machine(
    site: Site, job: Job, clone: Cloning, tmp_path: Path, address: str
) -> None:
    """Its submodule names another repository of whoever clones it, or a command: neither comes, and nothing runs."""
    shutil.copytree(site.root / "inner", tmp_path / "secret")
    name = f"evil-{tmp_path.name}"
    site.make(name, {"outer.txt": "bait\n"}, submodule=address.format(secret=tmp_path / "secret"))
    url = site.url(name, "https")
    with pytest.raises((UsageError, SourceNeeded)):
        clone(job, url, _commit(url))
    assert job.names == []
    assert not (tmp_path / "secret" / "touched").exists()


@pytest.mark.usefixtures("researcher")
def test_where_there_is_no_git_it_is_brought(
    site: Site, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login node without git asks for it, and has in the end what it would have cloned."""
    url = site.url("of-https", "https")
    commit = _commit(url)
    with monkeypatch.context() as bare:
        bare.setenv("PATH", str(tmp_path))
        with pytest.raises(SourceNeeded):
            job.cloned_there(url, commit)
    job.cloned_here(url, commit)
    assert (job.read("outer.txt"), job.read("sub1/inner.txt")) == ("first\n", "inner\n")


def test_git_asks_at_the_terminal_where_it_may(site: Site, researcher: Path, tmp_path: Path) -> None:
    """Somebody without a credential helper types name and password; the password is not shown."""
    researcher.write_text(site.git_config.replace("helper", "unused"))
    program = (
        "from project.adapters.git import GitRepositories as G; from project.core.job_source import GitSource as S; "
        f"print(G(may_ask=True).resolve(S('{site.url('inner', 'https')}', 'main')))"
    )
    with Terminal([sys.executable, "-c", program], tmp_path, {**os.environ, "PYTHONPATH": str(_ROOT)}) as terminal:
        terminal.answer("Username for", ACCOUNT)
        terminal.answer("Password for", PASSWORD)
        assert terminal.end() == 0, terminal.shown
    assert git(site.root / "inner", "rev-parse", "HEAD") in terminal.shown
    assert PASSWORD not in terminal.shown
