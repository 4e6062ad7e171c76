"""Documents the programs exchange; docs/protocol.md describes them for people."""

import datetime as dt
import json
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

SCHEMA = 1
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

#: How our programs on a cluster are started: with nothing of the user's Python, and with file names as UTF-8 whatever
#: the locale there (from Python 3.7 on; 3.6 takes the option and leaves it).
PYTHON_OPTIONS = ("-I", "-S", "-X", "utf8")

#: Each line the wrapper prints for the client starts with this, so that noise around it does no harm.
LINE_PREFIX = "gridferry: "

#: What goes into one request; the rest goes into the next ones. Proxies take 1 MiB unless told otherwise (nginx).
MAX_ENTRIES = 500
_MAX_BYTES = 900 * 1000

Document = Dict[str, Any]


def format_utc(seconds: float) -> str:
    """Write seconds since 1970 as a UTC string of fixed width."""
    moment = dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
    return moment.strftime(TIME_FORMAT)


def parse_utc(text: str) -> float:
    """Read what `format_utc` wrote.

    Raises:
        ValueError: it is something else.
    """
    moment = dt.datetime.strptime(text, TIME_FORMAT)  # noqa: DTZ007 - its Z is UTC, which %z of 3.6 does not read
    return moment.replace(tzinfo=dt.timezone.utc).timestamp()


def is_utc(value: object) -> bool:
    """Whether `value` is a time of exactly the form `format_utc` writes, so that text order is time order."""
    try:
        return isinstance(value, str) and format_utc(parse_utc(value)) == value
    except (ValueError, OverflowError, OSError):
        return False


def journal_entry(job_uuid: str, seq: int, at: str, kind: str, body: Mapping[str, Any]) -> Document:
    """One entry of a job's journal, which is also what is sent to the registry."""
    return {"schema": SCHEMA, "job_uuid": job_uuid, "seq": seq, "at": at, "kind": kind, "body": dict(body)}


def state_body(
    state: str,
    *,
    reason: str = "",
    detail: str = "",
    stage: str = "",
    since: str = "",
    exit_code: str = "",
    counts: Optional[Mapping[str, int]] = None,
) -> Document:
    """Body of a `state` entry; see docs/protocol.md."""
    body = {"state": state, "reason": reason, "detail": detail}
    extra = {"stage": stage, "since": since, "exit_code": exit_code, "counts": dict(counts or {})}
    return dict(body, **{key: value for key, value in extra.items() if value})


def report_batch(
    cluster: str,
    epoch: Optional[int],
    reports: Sequence[Mapping[str, Any]],
    cluster_status: Optional[Mapping[str, Any]] = None,
) -> Document:
    """All there is to report in one round."""
    return {
        "schema": SCHEMA,
        "cluster": cluster,
        "epoch": epoch,
        "reports": list(reports),
        "cluster_status": cluster_status,
    }


def first_batch(entries: Iterable[Document], most: int = MAX_ENTRIES) -> List[Document]:
    """Return as many entries as fit into one request, at least one if there is any."""
    batch: List[Document] = []
    size = 0
    for entry in entries:
        size += len(json.dumps(entry))
        if len(batch) == most or (batch and size > _MAX_BYTES):
            break
        batch.append(entry)
    return batch
