"""Runs a command on a cluster as if it ran here: its output comes live, its exit code is passed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.core.errors import Cancelled, ExitCode, JobFailed, UsageError
from project.core.states import is_success
from project.services.exit_code import shell_code
from project.services.logs import LogEnd, LogWish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from project.ports import LogText, Prompter, View
    from project.services.cancel import Canceller
    from project.services.logs import LogReader


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Stays with a job until its end; every attribute is a port or a service."""

    log_reader: LogReader
    canceller: Canceller
    prompter: Prompter
    view: View

    def stay(self, job_uuid: str, write: Callable[[LogText], None]) -> int:
        """Hand on what the job prints until it has ended; return the exit code to end with.

        After Ctrl-C the person is asked whether the job shall be cancelled; without one it goes on.
        """
        wish = LogWish(("out", "err"), follow=True)
        try:
            return _exit_code(self.log_reader.read(job_uuid, wish, {}, write))
        except KeyboardInterrupt:
            self.view.fail()
            if self._wants_cancellation():
                for result in self.canceller.cancel([job_uuid], "", {}):
                    self.view.note("  ".join(part for part in result if part))
            else:
                self.view.note(f"It goes on; `logs -f {job_uuid}` follows it, `cancel {job_uuid}` ends it")
            return ExitCode.INTERRUPTED

    def _wants_cancellation(self) -> bool:
        try:
            return self.prompter.confirm("Cancel the job?")
        except UsageError:
            return False


def _exit_code(end: LogEnd) -> int:
    """Return what a shell would say.

    Raises:
        Cancelled, JobFailed: it ended, and not by an exit code or a signal.
    """
    if is_success(end.outcome):
        return ExitCode.OK
    code = shell_code(end.exit_code)
    if code:
        return code
    if end.outcome == "CANCELLED":
        raise Cancelled("the job was cancelled")
    raise JobFailed(f"the job ended as {end.outcome or end.state}", remedy="`status` says what happened")


def default_cluster(wanted: str, known: Sequence[dict[str, object]]) -> str:
    """Return the name of the cluster to use: the one wanted, else the only one that takes jobs.

    Raises:
        UsageError: none is wanted, and there are several or none.
    """
    enabled = [str(cluster["name"]) for cluster in known if cluster.get("enabled", True)]
    if wanted or len(enabled) == 1:
        return wanted or enabled[0]
    raise UsageError(
        "the cluster is not said",
        remedy=f"Name one by --cluster or in your settings: {', '.join(enabled) or 'there is none yet'}",
    )
