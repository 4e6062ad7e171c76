"""Jobs as tables: one table of columns for lists, one for tasks, one for what happened."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from project.adapters.show import words
from project.adapters.show.table import Column
from project.core.campaign import tally_of
from project.core.messages import is_utc
from project.core.outcomes import headline, in_words, number_ended
from project.core.slurm.states import Phase, parse_state
from project.core.states import is_success

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Job = dict[str, Any]
_FEW_RANGES = 3
#: Of tasks that have not ended well, as they matter.
_PHASES = (Phase.ENDED, Phase.RUNNING, Phase.UNKNOWN, Phase.WAITING)
_SHORT_UUID_CHARS = 8
_OWN_WORDS = {"None", ""}


def _note(job: Job) -> str:
    """Say what matters most: a job that would not die, else why it waits or failed."""
    flag, reason = str(job.get("flag") or ""), str(job.get("reason") or "")
    return f"! {flag}" if flag else "" if reason in _OWN_WORDS else reason


def _part(job: Job) -> str:
    part = job.get("campaign")
    if not part:
        return ""
    ranges = str(part["indexes"]).split(",")
    told = ",".join(ranges if len(ranges) <= _FEW_RANGES else [ranges[0], "…", ranges[-1]])
    return f"{str(part['uuid'])[:_SHORT_UUID_CHARS]} {told}"


def _colour(job: Job) -> str:
    return words.colour(headline(job))


JOB_COLUMNS = (
    Column(
        "JOB",
        "Its UUID; its beginning on a terminal, which is enough for every command.",
        lambda job: str(job["job_uuid"]),
        brief=lambda job: str(job["job_uuid"])[:_SHORT_UUID_CHARS],
    ),
    Column("LABEL", "`job_name` of the job file.", lambda job: str(job.get("job_name") or ""), leaves=2),
    Column("CAMPAIGN", "Whose part it is, and which of its tasks it has.", _part, leaves=2),
    Column("CLUSTER", "Where it is.", lambda job: str(job["cluster"]), leaves=3),
    Column("SLURM", "Slurm's job id.", lambda job: str(job.get("slurm_job_id") or ""), leaves=5, right=True),
    Column("STATE", "How it ended; before that, how it stands.", headline, _colour),
    Column(
        "TASKS", "Of an array, how many tasks are in each state.", lambda job: words.tally(job["counts"]), leaves=4
    ),
    Column("AGE", "Since it was submitted.", lambda job: words.age(job["created_at"]), right=True),
    Column("NEWS", "Since something was last heard.", lambda job: words.age(job["updated_at"]), leaves=6, right=True),
    Column(
        "NOTE",
        "`!` and what would not be cancelled, or runs past its limit; else the reason it waits or failed.",
        _note,
        lambda job: "red" if job.get("flag") else "",
        leaves=1,
    ),
)

TASK_COLUMNS = (
    Column("TASK", "Array task id.", lambda row: str(row["JobID"]).partition("_")[2], right=True),
    Column("STATE", "Slurm's word.", lambda row: str(row["State"]), lambda row: words.colour(str(row["State"]))),
    Column("EXIT", "Exit code, `:` and the signal.", lambda row: str(row["ExitCode"]), right=True),
    Column("ELAPSED", "Running time.", lambda row: str(row["Elapsed"]), right=True),
    Column("CPUS", "CPUs it has.", lambda row: str(row["NCPUS"]), leaves=2, right=True),
    Column("MEMORY", "The most it used.", lambda row: str(row.get("MaxRSS", "")), leaves=3, right=True),
    Column("NODES", "Where it runs or ran.", lambda row: str(row["NodeList"]), leaves=1),
)

EVENT_COLUMNS = (
    Column("AGO", "How long ago.", lambda event: words.age(_when(event)), right=True),
    Column(
        "EVENT",
        "A state, or a kind of notice.",
        lambda event: str(event["body"].get("state") or event["body"].get("severity") or event["kind"]),
        lambda event: words.colour(str(event["body"].get("state") or "ERROR")),
    ),
    Column("WHAT", "Reason or message.", lambda event: _what(event["body"])),
)


def _when(event: Mapping[str, Any]) -> str:
    """Return since when it is so, as the cluster says, else when that was told."""
    since = str(event["body"].get("since") or "")
    return since if is_utc(since) else str(event["at"])


def _what(body: Mapping[str, Any]) -> str:
    exit_code = str(body.get("exit_code") or "")
    ended_badly = exit_code if exit_code != "0:0" else ""
    told = (body.get("reason"), body.get("message"), f"exit code {ended_badly}" if ended_badly else "")
    return ", ".join(part for part in map(str, filter(None, told)) if part not in _OWN_WORDS)


def worth_showing(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return all tasks if they are few, else so many that have not ended well: failed, running, then waiting ones."""
    if len(rows) <= most:
        return list(rows)
    states = [parse_state(str(row["State"])) for row in rows]
    ranked = [
        (_PHASES.index(state.phase), row)
        for state, row in zip(states, rows, strict=True)
        if not is_success(state.word)
    ]
    return [row for _, row in sorted(ranked, key=itemgetter(0))][:most]


def last_words(job: Job) -> str:
    """Return what was printed on standard error where the job last told of it."""
    details = [str(event["body"].get("detail") or "") for event in job["timeline"]]
    return next((detail for detail in reversed(details) if detail), "")


def sum_up(jobs: Sequence[Job]) -> list[str]:
    """Say how jobs ended: how many in which state, and what is to be known of each that did not end well."""
    counted = Counter(headline(job) for job in jobs)
    what = "job" if len(jobs) == 1 else "jobs"
    lines = [f"{len(jobs)} {what}: {in_words(counted)}"]
    for job in jobs:
        if not is_success(headline(job)):
            tasks = words.tally(job["counts"])
            told = "; ".join(part for part in (tasks, _note(job)) if part)
            lines.append(f"{job['job_uuid']}  {headline(job)}{f'  {told}' if told else ''}")
    return lines


def facts(job: Job) -> list[tuple[str, str]]:
    """Return what there is to say of one job, by name; nothing empty."""
    slurm_job_id, label = job.get("slurm_job_id"), job.get("job_name")
    said = {
        "job": f"{job['job_uuid']}  {label}" if label else str(job["job_uuid"]),
        "state": f"{headline(job)}, heard of {words.age(job['updated_at'])} ago",
        "note": _note(job),
        "cluster": f"{job['cluster']}, Slurm job {slurm_job_id}" if slurm_job_id else str(job["cluster"]),
        "tasks": words.tally(job["counts"]),
        "submitted": f"{words.age(job['created_at'])} ago",
        "folder": str(job.get("job_directory") or ""),
        "commit": str(job.get("commit") or ""),
        "repeats": str(job.get("resubmission_of") or ""),
        "fetched": f"{words.age(job['fetched_at'])} ago" if job.get("fetched_at") else "",
        "cleaned": f"{words.age(job['cleaned_at'])} ago" if job.get("cleaned_at") else "",
    }
    return [(name, text) for name, text in said.items() if text]


def standing(jobs: Sequence[Mapping[str, Any]]) -> tuple[int, int, str]:
    """Return how many tasks of jobs have ended, how many there are, and how many are in each state."""
    campaigns: dict[str, list[Job]] = {}
    counted: Counter[str] = Counter()
    for job in jobs:
        if job.get("campaign"):
            campaigns.setdefault(str(job["campaign"]["uuid"]), []).append(dict(job))
        else:
            counted += Counter(job["counts"] or {headline(job): 1})
    counted += sum(map(tally_of, campaigns.values()), Counter[str]())
    return number_ended(counted), counted.total(), words.tally(counted)
