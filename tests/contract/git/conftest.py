"""Repositories that are served in four ways, a researcher with credentials for them, and both who clone them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.adapters.git import GitRepositories
from project.core.layout import JobPaths
from project.wrapper import files
from project.wrapper.source import bring_source
from tests.contract import processes
from tests.contract.certificates import Authority
from tests.contract.git.https_server import ACCOUNT, PASSWORD, https_server
from tests.contract.ssh.servers import find_sshd, ssh_server, user
from tests.repositories import git, make_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

WAYS = ("https", "ssh", "git", "file")
#: What would keep Git from going by the researcher's own settings, beside its own variables.
_OTHERS_SETTINGS = ("SSH_AUTH_SOCK", "http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True)
class Site:
    """Repositories below a folder, and where each way of access begins.

    Attributes:
        root: the folder.
        addresses: by way.
        git_config: of a researcher who may clone them.
    """

    root: Path
    addresses: dict[str, str]
    git_config: str

    def url(self, name: str, way: str) -> str:
        """Return the address of a repository."""
        return f"{self.addresses[way]}/{name}"

    def make(self, name: str, content: dict[str, str], *, submodule: str = "") -> Path:
        """Make a repository; the address of its submodule is written as it stands, whatever it leads to."""
        inner = [str(self.root / "inner")] if submodule else []
        folder = make_repository(self.root / name, content, *inner)
        if submodule:
            git(folder, "config", "--file", ".gitmodules", "submodule.sub1.url", submodule)
            git(folder, "commit", "--quiet", "-am", "the submodule's address")
        return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a repository `inner`, and for each way one that has it as a private submodule."""
    if not find_sshd():
        pytest.skip("sshd is not installed (apt-get install openssh-server)")
    folder = tmp_path_factory.mktemp("site")
    root = folder / "root"
    root.mkdir()
    authority = Authority.made_in(folder)
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True, timeout=30)
    port = processes.free_port()
    daemon = [
        "git",
        "daemon",
        "--listen=127.0.0.1",
        f"--port={port}",
        "--export-all",
        f"--base-path={root}",
        str(root),
    ]
    owned = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    with contextlib.ExitStack() as running:
        https = running.enter_context(https_server(root, authority.certificate("127.0.0.1")))
        sshd = running.enter_context(ssh_server(folder, [folder / "host"], folder / "key.pub"))
        processes.wait_for_port(port, running.enter_context(processes.running(daemon, folder / "daemon.log", owned)))
        (folder / "known_hosts").write_text(sshd.known_hosts)
        (folder / "ssh_config").write_text(f"IdentityFile {folder}/key\nUserKnownHostsFile {folder}/known_hosts\n")
        git_config = (
            f'[core]\n  sshCommand = "ssh -F {folder}/ssh_config -o StrictHostKeyChecking=yes"\n'
            f'[credential]\n  helper = "!f() {{ echo username={ACCOUNT}; echo password={PASSWORD}; }}; f"\n'
            f"[http]\n  sslCAInfo = {authority.cert}\n[safe]\n  directory = *\n"
        )
        addresses = {
            "https": https,
            "ssh": f"ssh://{user()}@127.0.0.1:{sshd.port}{root}",
            "git": f"git://127.0.0.1:{port}",
            "file": f"file://{root}",
        }
        made = Site(root, addresses, git_config)
        made.make("inner", {"inner.txt": "inner\n"})
        for way in WAYS:
            made.make(f"of-{way}", {"outer.txt": "first\n"}, submodule=made.url("inner", way))
        yield made


@pytest.fixture
def researcher(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a researcher, who has credentials for the site in Git's own settings; return its .gitconfig."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(site.git_config)
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith("GIT_") or name in _OTHERS_SETTINGS]:
        monkeypatch.delenv(name)
    return home / ".gitconfig"


@dataclass(frozen=True)
class Job:
    """A job whose folder a login node has.

    Attributes:
        paths: of its files there.
    """

    paths: JobPaths

    def cloned_there(self, url: str, commit: str) -> None:
        """Have the login node clone."""
        bring_source(self.paths, {"url": url, "commit": commit})

    def cloned_here(self, url: str, commit: str) -> None:
        """Clone on the researcher's machine, and have the login node unpack what was brought."""
        GitRepositories().pack(url, commit, Path(self.paths.source))
        bring_source(self.paths, {"url": url, "commit": commit})

    def read(self, name: str) -> str:
        """Return a file of the working directory."""
        return (Path(self.paths.work) / name).read_text()

    @property
    def names(self) -> list[str]:
        """What lies in the working directory, but for Git's own."""
        return sorted(path.name for path in Path(self.paths.work).iterdir() if path.name != ".git")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job with an empty working directory."""
    paths = JobPaths(str(tmp_path / "job"))
    files.make_folder(paths.work)
    files.make_folder(str(Path(paths.source_needed).parent))
    return Job(paths)


Cloning = Callable[[Job, str, str], None]


@pytest.fixture(params=["here", "on the login node"])
def clone(request: pytest.FixtureRequest) -> Cloning:
    """Both who may clone: the researcher's machine, and the login node."""
    return Job.cloned_here if request.param == "here" else Job.cloned_there
