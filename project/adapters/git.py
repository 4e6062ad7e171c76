"""Jobs that are Git repositories, read and cloned with the user's own Git and credentials, through GitPython."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from project.adapters.source import pack_folder
from project.config import TOKEN_VARIABLE, child_environment
from project.core.errors import UsageError
from project.core.job_source import ALLOWED_PROTOCOLS, GitSource, submodule_protocols, without_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: GitPython starts from our own environment, whatever it is given: what is for us alone must be taken away again.
_KEPT_BACK = {TOKEN_VARIABLE: ""}

#: Git and ssh ask at the terminal itself; so that they cannot, all they may ask is a program that answers nothing.
_SILENT = {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}


class GitRepositories:
    """Git repositories, with the user's own Git.

    Args:
        may_ask: whether Git may ask the person at the terminal for a password.
        before_asking: called before Git begins, so that nothing else moves on the terminal then.
    """

    def __init__(self, *, may_ask: bool = False, before_asking: Callable[[], None] = lambda: None) -> None:
        self._may_ask = may_ask
        self._before_asking = before_asking

    def resolve(self, source: GitSource) -> str:
        """Return the commit that a repository's branch, tag or commit stands for right now.

        Raises:
            UsageError: the repository cannot be read, or has no such thing.
        """
        import git  # noqa: PLC0415 - only jobs from Git need it, and it looks for the git program

        wanted = source.ref or "HEAD"
        try:
            listed = git.Git().ls_remote("--quiet", "--", source.url, env=self._environment())
        except git.GitCommandError as error:
            raise UsageError(
                f"the repository {source.url} cannot be read",
                remedy="Check its address, and that `git ls-remote` works with it here",
                detail=without_credentials(str(error.stderr).strip()),
            ) from error
        commits = _commits(str(listed))
        for name in (wanted, f"refs/heads/{wanted}", f"refs/tags/{wanted}^{{}}", f"refs/tags/{wanted}"):
            if name in commits:
                return commits[name]
        if source.is_commit:
            return source.ref
        raise UsageError(
            f"{source.url} has no branch, tag or commit {wanted!r}",
            remedy="Write #branch, #tag or #commit with all 40 digits of the commit",
        )

    def pack(self, url: str, commit: str, target: Path) -> None:
        """Clone a repository at a commit, submodules included, and pack it into `target`.

        Raises:
            UsageError: it cannot be cloned, or has no such commit.
        """
        with self._cloned(url, commit) as folder:
            pack_folder(target, folder)

    def _environment(self) -> dict[str, str]:
        """Return what Git runs with; from here on it may ask."""
        if self._may_ask:
            self._before_asking()
        return {
            **child_environment(),
            **_KEPT_BACK,
            "GIT_ALLOW_PROTOCOL": ALLOWED_PROTOCOLS,
            **({} if self._may_ask else _SILENT),
        }

    @contextlib.contextmanager
    def _cloned(self, url: str, commit: str) -> Iterator[Path]:
        """Clone into a temporary folder, removed at the end."""
        import git  # noqa: PLC0415 - see above

        environment = self._environment()
        with tempfile.TemporaryDirectory(prefix="gridferry-") as folder:
            target = Path(folder) / "clone"
            try:
                repository = git.Repo.clone_from(
                    url, target, env=environment, no_checkout=True, allow_unsafe_protocols=True
                )
                with repository:
                    repository.git.checkout("--detach", commit, env=environment)
                    inner = {**environment, "GIT_ALLOW_PROTOCOL": submodule_protocols(url)}
                    repository.git.submodule("update", "--init", "--recursive", env=inner)
            except git.GitCommandError as error:
                raise UsageError(
                    f"{url} cannot be cloned at {commit}",
                    remedy="Check that `git clone --recursive` works here",
                    detail=without_credentials(str(error.stderr).strip()),
                ) from error
            yield target


def _commits(listed: str) -> dict[str, str]:
    pairs = (line.split("\t", 1) for line in listed.splitlines() if "\t" in line)
    return {name: commit for commit, name in pairs}
