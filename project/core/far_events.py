"""What a login node may tell a client, checked before anything of it is used: a cluster may have been broken into.

`project.wrapper.events` and the toolbox write these lines; the names of errors are those of `core.errors`.
"""

import json
from typing import Dict, Mapping, NamedTuple, Sequence

from project.core import rules
from project.core.cluster_status import STATUS
from project.core.errors import Unreachable, told
from project.core.findings import LEVELS, Finding
from project.core.messages import Document
from project.core.rules import (
    FLAG,
    NUMBER,
    OBJECT,
    TIME,
    UUID,
    Rule,
    keyed,
    many,
    mapping,
    optional,
    text,
    whole,
    word,
    written,
)
from project.core.slurm.partitions import Partition

_LONG = text(rules.LARGEST_INTEGER)
_SLURM_ID = written("[0-9]{1,20}", "a Slurm job id", 20)
_HASH = written("(?:[0-9a-f]{64})?", "a SHA-256, or nothing")
_FILE = keyed(
    {
        "name": _LONG,
        "path": _LONG,
        "size": whole(0),
        "sha256": _HASH,
        "executable": FLAG,
        "unreadable": _LONG,
        "content": _LONG,
    },
    "a file of a manifest",
    ("name", "path", "size", "sha256", "executable"),
)
_MANIFEST = keyed(
    {
        "files": many(_FILE),
        "missing": many(_LONG),
        "tasks": mapping(mapping(_LONG)),
        "missing_of": mapping(many(_LONG)),
    },
    "a manifest",
    ("files", "missing"),
)
_ENTRY = keyed(
    {"job_uuid": UUID, "seq": whole(1), "kind": text(least=1), "body": OBJECT},
    "an entry of a journal",
    ("job_uuid", "seq", "kind", "body"),
)
_SURVIVOR = keyed(dict.fromkeys(("tasks", "state", "reason"), _LONG), "what lives on", ("tasks", "state", "reason"))
_SENT = keyed(
    {
        "user_input": OBJECT,
        "modules": many(OBJECT),
        "source": optional(keyed({"url": _LONG, "commit": _LONG}, "a repository", ("url", "commit"))),
    },
    "what a job was made of",
    ("user_input", "modules"),
)
_FINDING = keyed(
    {"level": word(*LEVELS), **dict.fromkeys(("text", "remedy", "check", "fact"), _LONG)},
    "a finding",
    Finding._fields,
)
_NAMES = many(text(1000))
_COUNT = optional(whole(0))
_PARTITION = keyed(
    {
        "name": text(1000),
        "is_default": FLAG,
        "state": text(100),
        **dict.fromkeys(("nodes", "cpus", "max_time_s", "default_time_s", "max_nodes"), _COUNT),
        **dict.fromkeys(("accounts", "denied_accounts", "qos", "groups"), _NAMES),
    },
    "a partition",
    Partition._fields,
)


_LIMITS = {"array_tasks": whole(1), "queued_tasks": whole(1)}
_SCAN = {
    "cluster_name": _LONG,
    "partitions": many(_PARTITION),
    "limits": keyed(_LIMITS, "the limits of one user", tuple(_LIMITS)),
    "status": STATUS,
}


class _Kind(NamedTuple):
    """One kind of event: the rules of its keys, and those it must have."""

    shape: Mapping[str, Rule]
    required: Sequence[str] = ()


_KINDS: Dict[str, _Kind] = {
    "output": _Kind({"stage": _LONG, "line": _LONG}, ("line",)),
    "entry": _Kind({"entry": _ENTRY}, ("entry",)),
    "error": _Kind(dict.fromkeys(("type", "message", "remedy", "detail"), _LONG), ("type", "message")),
    "end": _Kind(
        {
            "slurm_job_id": optional(_SLURM_ID),
            "ended": FLAG,
            "state": _LONG,
            "outcome": optional(_LONG),
            "exit_code": optional(_LONG),
        }
    ),
    "journal": _Kind({"entries": many(_ENTRY)}, ("entries",)),
    "manifest": _Kind({"job_uuid": UUID, "manifest": _MANIFEST}, ("job_uuid", "manifest")),
    "hash": _Kind({"path": _LONG, "sha256": _HASH}, ("path", "sha256")),
    "tasks": _Kind(
        {"job_uuid": UUID, "tasks": mapping(mapping(_LONG)), "modules": many(OBJECT)},
        ("job_uuid", "tasks", "modules"),
    ),
    "limits": _Kind(_LIMITS, tuple(_LIMITS)),
    "scan": _Kind(_SCAN, tuple(_SCAN)),
    "forecast": _Kind(
        {
            "starts_in_s": optional(NUMBER),
            "nodes": _LONG,
            "refusal": _LONG,
            "partitions": many(_PARTITION),
            "status": STATUS,
        },
        ("starts_in_s", "refusal", "partitions", "status"),
    ),
    "finding": _Kind({"finding": _FINDING}, ("finding",)),
    "status": _Kind({"status": STATUS}, ("status",)),
    "clock": _Kind({"now": TIME}, ("now",)),
    "survival": _Kind({"finding": OBJECT}, ("finding",)),
    "cancelled": _Kind(
        {"job_uuid": UUID, "had_ended": _LONG, "survivors": many(_SURVIVOR)}, ("job_uuid", "had_ended", "survivors")
    ),
    "cleaned": _Kind({"job_uuid": UUID, "kept": _LONG, "freed_bytes": whole(0)}, ("job_uuid", "kept", "freed_bytes")),
    "bundle": _Kind({"job_uuid": UUID, "sent": _SENT, "files": many(_FILE)}, ("job_uuid", "sent", "files")),
    "text": _Kind(
        {
            "name": written("[A-Za-z0-9._-]+", "the name of a file of Slurm's", 200),
            "task": written("[0-9_]*", "an array task id, or nothing", 20),
            "stream": word("out", "err"),
            "text": _LONG,
            "offset": whole(0),
        },
        ("name", "task", "stream", "text", "offset"),
    ),
    "standing": _Kind({"state": _LONG}, ("state",)),
    "beat": _Kind({}),
}


def read_event(line: str) -> Document:
    """Read one line, without what marks it as one.

    Raises:
        Unreachable: it is no event, or one of no kind we know.
        GridferryError: the error that it tells.
    """
    try:
        event = json.loads(line)
        kind = _KINDS[event["event"]]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise _nonsense(line) from None
    found = list(rules.problems(event, kind.shape, kind.required, more_keys=True))
    if found:
        raise _nonsense("\n".join(f"{problem.key}: {problem.message}" for problem in found))
    if event["event"] == "error":
        raise told(event)
    document: Document = event
    return document


def _nonsense(detail: str) -> Unreachable:
    return Unreachable(
        "what the login node answers makes no sense",
        remedy="Try again, or ask its administrators",
        detail=detail[:1000],
    )
