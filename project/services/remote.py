"""Work on a login node, in the few exchanges it takes: probe, upload, launch."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from project.core import errors, shell_words
from project.core.engines import DEFAULT
from project.core.far_events import read_event
from project.core.messages import LINE_PREFIX, PYTHON_OPTIONS
from project.core.probe import ProbeAnswer, parse_probe, probe_script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from project.core.layout import ClusterPaths, JobPaths
    from project.ports import FarProgram, LoginNode, Shell, View
    from project.ports.cluster import Progress
    from project.services.reporting import ReportWay
    from project.services.results import Result

#: What goes into one stream with others; larger files go alone, each continued where it was cut.
_SMALL_BYTES = 4 * 1024 * 1024
#: A command that asks Slurm gives up by itself long before.
_ANSWER_LIMIT_S = 300.0


class Remote:
    """A cluster's login node and a program of ours on it.

    Args:
        node: the connection.
        cluster: its document.
        program: what to run there.
        own_python: interpreter that the user's settings name for this cluster, "" for none.
    """

    def __init__(
        self, node: LoginNode, cluster: Mapping[str, Any], program: FarProgram, *, own_python: str = ""
    ) -> None:
        self._node = node
        self._cluster = cluster
        self._program = program
        self._own_python = own_python
        self._shell: Shell | None = node.shell()
        self._answer: ProbeAnswer | None = None
        self._folders_of = ""

    def probe(self, job_uuid: str) -> JobPaths:
        """Do what `reach` does and make the job's folders, unless that is done; return its paths."""
        answer = self._probed if self._folders_of == job_uuid else self._reach(job_uuid)
        self._folders_of = job_uuid
        return answer.paths.job(job_uuid)

    def reach(self) -> ClusterPaths:
        """Find a Python there, and bring the program if it is missing, unless that is done; return the paths."""
        return (self._answer or self._reach(None)).paths

    def _reach(self, job_uuid: str | None) -> ProbeAnswer:
        cluster = self._cluster
        script = probe_script(
            job_root=str(cluster.get("job_root") or ""),
            python=str(cluster.get("python") or ""),
            own_python=self._own_python,
            program=self._program.file_name,
            job_uuid=job_uuid,
            engine=str(cluster.get("workload_manager") or DEFAULT),
        )
        answer = parse_probe(self._fresh_shell().ask(script), str(cluster["name"]))
        if not answer.has_program:
            self._node.put(self._program.content, answer.paths.program(self._program.file_name))
        self._answer = answer
        return answer

    def leave_credentials(self, registry: str, way: ReportWay) -> None:
        """Let the follower know where to report to the registry with this key, in a private file."""
        document = {
            "cluster": self._cluster["name"],
            "url": way.url,
            "token": way.token,
            "plain_http": way.plain_http,
        }
        self._node.put(json.dumps(document).encode(), self._probed.paths.registry(registry))

    def upload(self, source: Path, target: str, view: View) -> None:
        """Upload one file of the job; what could be run still can."""
        executable = os.access(source, os.X_OK)
        self._node.put(source, target, mode=0o700 if executable else 0o600, progress=view.progress)

    def fetch(self, results: Sequence[Result], view: View) -> dict[str, str]:
        """Download files, small ones in one stream; return the names of those that did not arrive, and why.

        Raises:
            TransferStopped: the connection broke, or there is no room here.
        """
        total, done, failed = sum(result.file.size for result in results), 0, {}
        small = {result.target: result.file for result in results if result.file.size <= _SMALL_BYTES}
        arrived = self._node.get_many(small, progress=lambda some, _: view.progress(some, total)) if small else set()
        done = sum(small[target].size for target in arrived)
        for result in (result for result in results if result.target not in arrived):
            try:
                make_folder(result.target.parent)
                self._node.get(result.file, result.target, progress=_offset(view, done, total))
            except errors.TransferStopped:
                raise
            except errors.TransferFailed as error:
                failed[result.name] = error.message
            done += result.file.size
        return failed

    def run(self, command: str, *arguments: str) -> Generator[dict[str, Any], None, None]:
        """Run a command of the program with its words, such as a job's UUID; yield its events.

        Raises:
            GridferryError: the error it ended with.
            Unreachable: the connection broke, or what came makes no sense.
        """
        line = self._line(command, *arguments)
        shell, self._shell = self._fresh_shell(), None
        yield from _events(shell.become(f"exec {line}"))

    def ask(self, command: str, *arguments: str) -> list[dict[str, Any]]:
        """Run a command that says little; return its events. The shell stays for what comes next.

        Raises: as `run`.
        """
        answer = self._fresh_shell().ask(self._line(command, *arguments), timeout_s=_ANSWER_LIMIT_S)
        return list(_events(answer.splitlines()))

    def _line(self, command: str, *arguments: str) -> str:
        answer = self._probed
        program = answer.paths.program(self._program.file_name)
        return shell_words.join([answer.python, *PYTHON_OPTIONS, program, command, *arguments])

    def close(self) -> None:
        """Close the shell and the connection."""
        if self._shell is not None:
            self._shell.close()
        self._node.close()

    def _fresh_shell(self) -> Shell:
        """Return a shell that has not become a program yet."""
        if self._shell is None:
            self._shell = self._node.shell()
        return self._shell

    @property
    def _probed(self) -> ProbeAnswer:
        if self._answer is None:
            raise AssertionError("probe() comes first")
        return self._answer


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the events among lines; what else was printed is left out."""
    for line in lines:
        if line.startswith(LINE_PREFIX):
            yield read_event(line[len(LINE_PREFIX) :])


def _offset(view: View, before: int, total: int) -> Progress:
    """Return what tells of one file's progress as a part of all."""
    return lambda done, _: view.progress(before + done, total)


def make_folder(folder: Path) -> None:
    """Make a folder for results.

    Raises:
        TransferFailed: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.TransferFailed(
            f"the folder {folder} cannot be made: {error.strerror}", remedy="Choose another with --to"
        ) from error
