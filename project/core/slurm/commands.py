"""Slurm's commands as values: each builds its own command line and reads its own answer; nothing here runs one.

Facts are cited where they matter; "measured" ones come from Slurm 22.05.8. Rows of thousands of tasks are made of the
same few words, which are kept once.
"""

from sys import intern
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

from project.core.errors import SchedulerUnavailable, SubmissionRefused, SubmissionUnknown
from project.core.slurm.ids import parse_id
from project.core.slurm.refusals import is_refusal, remedy
from project.core.units import whole_number

#: Those of Slurm's programs without which no job can be taken through.
PROGRAMS = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo")

#: Set for every Slurm command: whole task lists (Slurm cuts them at 64 characters otherwise), ISO times, UTF-8.
ENVIRONMENT: Mapping[str, str] = {
    "SLURM_BITSTR_LEN": "0",
    "SLURM_TIME_FORMAT": "standard",
    "LC_ALL": "C.UTF-8",
}

#: sacct's columns, in the registry's words, then those only the follower uses.
REPORTED_COLUMNS = (
    "JobID", "State", "ExitCode", "Elapsed", "NNodes", "NodeList", "NCPUS", "CPUTime", "ReqTRES", "AllocTRES",
    "WorkDir", "Timelimit",
)  # fmt: skip
_FOLLOWED_COLUMNS = ("JobName", "Submit", "Start", "End", "Reason")
SACCT_COLUMNS = REPORTED_COLUMNS + _FOLLOWED_COLUMNS

#: squeue's columns, last the one that could hold the separator.
_SQUEUE_FORMAT = "%F|%K|%T|%r|%S|%V|%j"
_SQUEUE_COLUMNS = ("slurm_job_id", "tasks", "state", "reason", "start", "submit", "name")

#: sacct leaves out what begins after now by the clock of the login node, even of jobs asked for by their ids; that
#: clock may be behind Slurm's (measured: an hour behind, nothing is listed).
_WHENEVER = "--endtime=now+2days"

#: Ids end here (MaxJobId, slurm.conf(5)), but for those of a federation, which name its cluster above.
_LAST_ID = 0x3FFFFFF

#: popt's last words after an option it does not know.
_ADVICE = 'Try "'


class CommandResult(NamedTuple):
    """What a command did.

    Attributes:
        exit_code: its exit code; None when it was ended for taking too long.
        stdout: what it printed.
        stderr: what it complained.
        seconds: how long it took.
    """

    exit_code: Optional[int]
    stdout: str
    stderr: str
    seconds: float = 0.0

    @property
    def tail(self) -> str:
        """The last line of stderr, else of stdout, that is no advice to read more: usually what matters."""
        said = (self.stderr.strip() or self.stdout.strip()).splitlines()
        lines = [line for line in said if not line.startswith(_ADVICE)]
        return lines[-1] if lines else "no answer"


def lines_or_unavailable(result: CommandResult, program: str) -> List[str]:
    """Return the lines a query printed; what did not end well was no answer (SchedulerUnavailable)."""
    if result.exit_code != 0:
        said = "no answer in time" if result.exit_code is None else result.tail
        raise SchedulerUnavailable(f"{program} does not answer: {said}")
    if result.stdout[-1:] not in ("", "\n"):
        raise SchedulerUnavailable(f"{program} gave half an answer")
    return [line for line in result.stdout.split("\n") if line.strip()]  # other characters end no line for Slurm


class Sbatch(NamedTuple):
    """Submit a job script; `--requeue` or not, and all else, stands in it.

    Attributes:
        script: path of the job script.
        held: whether the job waits for `scontrol release`; ours do, until their id is on disk.
    """

    script: str
    held: bool = True

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["sbatch", "--parsable", *(["--hold"] if self.held else []), self.script]

    def parse(self, result: CommandResult) -> str:
        """Return the Slurm job id; stdout counts first, since a warning on stderr beside an id is no failure.

        Raises:
            SubmissionRefused: Slurm said no for good.
            SubmissionUnknown: it may have taken the job ("Socket timed out" with exit 1 does happen after it did).
        """
        for line in result.stdout.splitlines():
            job_id = line.split(";")[0].strip()
            if whole_number(job_id) is not None:
                return job_id
        if result.exit_code not in (0, None) and is_refusal(result.stderr):
            raise refusal(result.stderr)
        raise SubmissionUnknown(f"sbatch gave no clear answer: {result.tail}", detail=result.stderr)


def refusal(stderr: str) -> SubmissionRefused:
    """Return the error that tells what sbatch said."""
    line = clean_complaint(CommandResult(1, "", stderr).tail)
    return SubmissionRefused(f"Slurm refused the job: {line}", remedy=remedy(stderr), detail=stderr)


def clean_complaint(line: str) -> str:
    """Leave out what sbatch puts before what it complains of."""
    for prefix in ("sbatch: error: ", "sbatch: ", "Batch job submission failed: ", "allocation failure: "):
        if line.startswith(prefix):
            line = line[len(prefix) :]
    return line


class Scontrol(NamedTuple):
    """`scontrol release` and its like: an action on one job."""

    action: str
    slurm_job_id: str

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["scontrol", self.action, self.slurm_job_id]

    def parse(self, result: CommandResult) -> None:
        """Check that it was done.

        Raises:
            SchedulerUnavailable: it was not, or that is not known.
        """
        lines_or_unavailable(result, f"scontrol {self.action}")


class Scancel(NamedTuple):
    """Cancel jobs, or tasks of arrays. An id Slurm does not know is answered by exit 0 and silence (measured).

    Attributes:
        ids: of jobs, or of tasks (`123_[3-7]`, see ids.of_tasks).
    """

    ids: Sequence[str]

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["scancel", *self.ids]

    def parse(self, result: CommandResult) -> None:
        """Check that it was taken.

        Raises:
            SchedulerUnavailable: it was not, or that is not known.
        """
        lines_or_unavailable(result, "scancel")


def _by_id(slurm_job_ids: Sequence[str]) -> List[str]:
    """Return how sacct is asked for jobs; a sibling of a federation that has run one alone has a row of it."""
    everywhere = any((whole_number(slurm_job_id) or 0) > _LAST_ID for slurm_job_id in slurm_job_ids)
    return ["--jobs={}".format(",".join(slurm_job_ids)), *(["--federation"] if everywhere else [])]


class UsedResources(NamedTuple):
    """Ask what jobs have used: sacct keeps the highest memory (MaxRSS) for each step, and sums up the CPU time.

    Attributes:
        slurm_job_ids: ids to ask for.
    """

    slurm_job_ids: Sequence[str]

    def argv(self) -> List[str]:
        """Return the command line; memory comes in KiB."""
        columns = "--format=JobID,MaxRSS,TotalCPU"
        return ["sacct", "--noheader", "--parsable2", "--units=K", _WHENEVER, columns, *_by_id(self.slurm_job_ids)]

    def parse(self, result: CommandResult) -> Dict[str, Dict[str, str]]:
        """Return by the JobID of each job or array task `MaxRSS` of its largest step and `TotalCPU`, where known.

        Raises:
            SchedulerUnavailable: sacct failed.
        """
        peaks: Dict[str, int] = {}
        used: Dict[str, Dict[str, str]] = {}
        for line in lines_or_unavailable(result, "sacct"):
            step, memory, cpu_time = [*line.split("|"), "", ""][:3]
            job_id = step.partition(".")[0]
            peaks[job_id] = max(peaks.get(job_id, 0), whole_number(memory.rstrip("K").split(".")[0]) or 0)
            if step == job_id and cpu_time:
                used.setdefault(job_id, {})["TotalCPU"] = cpu_time
        for job_id, peak in peaks.items():
            if peak:
                used.setdefault(job_id, {})["MaxRSS"] = f"{peak}K"
        return used


class ShowConfig(NamedTuple):
    """Ask how Slurm is configured."""

    def argv(self) -> List[str]:
        """Return the command line."""
        return ["scontrol", "show", "config"]

    def parse(self, result: CommandResult) -> Dict[str, str]:
        """Return each setting by its name.

        Raises:
            SchedulerUnavailable: scontrol failed.
        """
        lines = lines_or_unavailable(result, "scontrol show config")
        pairs = (line.partition(" = ") for line in lines)
        return {name.strip(): value.strip() for name, equals, value in pairs if equals}


class QueueRow(NamedTuple):
    """One line of squeue: a job, an array task, or the pending rest of an array (`tasks` is then a list)."""

    slurm_job_id: str
    tasks: str
    state: str
    reason: str
    start: str
    submit: str
    name: str


class Squeue(NamedTuple):
    """Ask for queued, running and just ended jobs (Slurm forgets them MinJobAge, 300 s, after their end).

    Attributes:
        name: only jobs of this name, or "" for all of the user's.
        user: account whose jobs are asked for.
    """

    user: str
    name: str = ""

    def argv(self) -> List[str]:
        """Return the command line."""
        wanted = [f"--name={self.name}"] if self.name else []
        return [
            "squeue", "--noheader", "--states=all", f"--user={self.user}", *wanted,
            f"--format={_SQUEUE_FORMAT}",
        ]  # fmt: skip

    def parse(self, result: CommandResult) -> List[QueueRow]:
        """Return its rows.

        Raises:
            SchedulerUnavailable: squeue failed; nothing may be concluded about any job.
        """
        lines = lines_or_unavailable(result, "squeue")
        rows = (line.split("|", len(_SQUEUE_COLUMNS) - 1) for line in lines)
        return [QueueRow(*(intern(cell.strip()) for cell in row)) for row in rows if len(row) == len(_SQUEUE_COLUMNS)]


AccountRow = Dict[str, str]


class Sacct(NamedTuple):
    """Ask the accounting, one row per job or array task (`--allocations`), steps left out.

    Asked by id the answer is current within 0.3 s; by name it lags up to 5 s (measured).

    Attributes:
        slurm_job_ids: ids to ask for.
        name: or the job name, with
        since: the time from which on (`YYYY-MM-DDTHH:MM:SS`): without it sacct starts at midnight.
    """

    slurm_job_ids: Sequence[str] = ()
    name: str = ""
    since: str = ""

    def argv(self) -> List[str]:
        """Return the command line."""
        if self.slurm_job_ids:
            selection = _by_id(self.slurm_job_ids)
        else:
            selection = [f"--name={self.name}", f"--starttime={self.since}"]
        return [
            "sacct", "--allocations", "--noheader", "--parsable2", "--delimiter=\x1f", _WHENEVER,
            "--format={}".format(",".join(SACCT_COLUMNS)), *selection,
        ]  # fmt: skip

    def parse(self, result: CommandResult) -> List[AccountRow]:
        """Return its rows, each by column name.

        Raises:
            SchedulerUnavailable: sacct failed, or names jobs in a way unknown here; nothing may be concluded.
        """
        rows = (line.split("\x1f") for line in lines_or_unavailable(result, "sacct"))
        told = [dict(zip(SACCT_COLUMNS, map(intern, row))) for row in rows if len(row) == len(SACCT_COLUMNS)]
        try:
            for row in told:
                parse_id(row["JobID"])
        except ValueError as error:
            raise SchedulerUnavailable(f"sacct gave an answer that cannot be read: {error}") from error
        return told
