"""Sends what a job prints, by byte offset: whatever breaks, the next try goes on where this one ended."""

import os
from typing import Dict, Iterator, List, NamedTuple, Tuple

from project.core.errors import UsageError
from project.core.messages import Document
from project.core.slurm.states import is_end_state
from project.core.states import is_final
from project.toolbox.tasks import chosen_tasks
from project.wrapper import files
from project.wrapper.clock import Clock
from project.wrapper.events import Events
from project.wrapper.follow.observe import task_names
from project.wrapper.job import Job

#: More files than this are not followed at a time.
MOST_FILES = 100
_CHUNK_BYTES = 32 * 1024
_LOOK_EVERY_S = 0.25
#: Something is said so often, that both sides notice when the other has gone.
_BEAT_EVERY_S = 10.0


class LogRequest(NamedTuple):
    """What the client wants.

    Attributes:
        streams: of "out" and "err".
        tasks: array task ids as `--array` has them, or "" for all.
        follow: whether to go on until the job has ended.
        last_lines: of a file that was not begun yet, only so many lines of what is there; -1 for all.
        offsets: where to go on, by file name.
    """

    streams: List[str]
    tasks: str
    follow: bool
    last_lines: int
    offsets: Dict[str, int]


class _File(NamedTuple):
    name: str
    task: str
    stream: str


def send_logs(job: Job, request: LogRequest, events: Events, clock: Clock) -> None:
    """Send the texts of a job's output files, and at the end how the job stands.

    Raises:
        UsageError: the tasks asked for are none of the job's, or too many.
    """
    tasks = task_names(chosen_tasks(job, request.tasks))
    if len(tasks) * len(request.streams) > MOST_FILES:
        raise UsageError(f"these are {len(tasks)} tasks", remedy=f"Ask for at most {MOST_FILES} with --task 1-10")
    offsets, beat_s, told = dict(request.offsets), clock.now_s(), ""
    while not events.gone:
        state, ended = _standing(job)  # before reading: what was printed until then is all there is
        if state != told:
            events.send("standing", state=state)
            told = state
        for file in _files(job, request, tasks):
            _send_file(os.path.join(job.paths.directory, file.name), file, request.last_lines, offsets, events)
        if ended or not request.follow:
            events.end(**_verdict(job, ended=ended))
            return
        if clock.now_s() - beat_s > _BEAT_EVERY_S:
            events.send("beat")
            beat_s = clock.now_s()
        clock.sleep(_LOOK_EVERY_S)


def _files(job: Job, request: LogRequest, tasks: List[str]) -> Iterator[_File]:
    """Yield the files there may be, once Slurm's id is known."""
    slurm_job_id = (files.read_text(job.paths.slurm_job_id) or "").strip()
    if slurm_job_id:
        for task in tasks:
            for stream in request.streams:
                suffix = f"_{task}" if task else ""
                yield _File(f"slurm-{slurm_job_id}{suffix}.{stream}", task, stream)


def _send_file(path: str, file: _File, last_lines: int, offsets: Dict[str, int], events: Events) -> None:
    """Send what has come since the last look; a file that became shorter begins anew (a requeued job)."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            if file.name not in offsets:
                offsets[file.name] = 0 if last_lines < 0 else _start_of_last(path, last_lines)
            if offsets[file.name] > size:
                offsets[file.name] = 0
            stream.seek(offsets[file.name])
            while offsets[file.name] < size and not events.gone:
                data = stream.read(min(_CHUNK_BYTES, size - offsets[file.name]))
                if not data:
                    return
                offsets[file.name] += len(data)
                # Lone bytes survive as surrogates, and halves of a character at the edge of a chunk with them.
                text = data.decode("utf-8", "surrogateescape")
                events.send("text", text=text, offset=offsets[file.name], **file._asdict())
    except FileNotFoundError:
        return


def _start_of_last(path: str, lines: int) -> int:
    """Return where the last lines of a file begin."""
    with open(path, "rb") as stream:
        place = stream.seek(0, os.SEEK_END)
        wanted, tail = lines + 1, b""  # the newline before the first of them, too
        while place > 0 and tail.count(b"\n") < wanted:
            step = min(_CHUNK_BYTES, place)
            place = stream.seek(place - step)
            tail = stream.read(step) + tail
    parts = tail.splitlines(keepends=True)
    return place + sum(len(part) for part in parts[: max(0, len(parts) - lines)])


def _states(job: Job) -> List[Document]:
    return [entry["body"] for entry in job.journal.entries() if entry["kind"] == "state"]


def _standing(job: Job) -> Tuple[str, bool]:
    """Return the job's state, and whether it prints nothing more."""
    states = [str(body["state"]) for body in _states(job)]
    last = states[-1] if states else ""
    slurm = [state for state in states if is_end_state(state)]
    running_again = bool(slurm) and last not in slurm and not is_final(last) and last != "POSTPROCESSING"
    return last, is_final(last) or (bool(slurm) and not running_again)


def _verdict(job: Job, *, ended: bool) -> Document:
    ends = [body for body in _states(job) if is_end_state(str(body["state"]))]
    body = ends[-1] if ends and ended else {}
    return {
        "ended": ended,
        "state": job.journal.last_state(),
        "outcome": body.get("state"),
        "exit_code": body.get("exit_code", ""),
    }
