"""Sends journals to the registry: all jobs of one round in one request."""

import json
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from project.core.errors import RegistryError, RegistryUnavailable
from project.core.layout import ClusterPaths
from project.core.messages import Document, report_batch
from project.core.registry_address import objection
from project.wrapper import files
from project.wrapper.exchange import exchange
from project.wrapper.together import end_of

#: How long the registry may be silent, and how long all of an exchange may take, name look-up and all.
SILENCE_S = 20.0
LIMIT_S = 120.0
_MAX_ANSWER_BYTES = 8 * 1024 * 1024
#: What the registry may ask us to wait (Retry-After) and be obeyed.
_LONGEST_WAIT_S = 3600.0
_CONFLICT = 409
#: Answers that say that something in the request is wrong, or that it is too large: as a whole it never passes.
_WRONG = (400, 413, 422)
_SERVER_ERROR = 500
_TOO_MANY = 429


class Overtaken(Exception):
    """The registry has seen a newer follower.

    Attributes:
        epoch: of that one, 0 if it does not say.
    """

    def __init__(self, epoch: int = 0) -> None:
        super().__init__(f"the registry has heard of a follower of epoch {epoch}")
        self.epoch = epoch


class BatchRefused(RegistryError):
    """The registry takes nothing of this request, today or ever; parts of it may pass."""


class Answer(NamedTuple):
    """What the registry said: per job the last entry it has, and what it would not take."""

    acknowledged: Dict[str, int]
    refused: Dict[str, str]


class Reporter:
    """Knows the way to the registry from the file the client left.

    Args:
        paths: of this cluster.
        registry: its key.
        limit_s: for a whole exchange.
    """

    def __init__(self, paths: ClusterPaths, registry: str, limit_s: float = LIMIT_S) -> None:
        self._credentials = paths.registry(registry)
        self._limit_s = limit_s
        self._exchange: Optional[threading.Thread] = None

    def send(self, epoch: int, entries: Sequence[Document], status: Optional[Document]) -> Answer:
        """Send entries and the cluster's status.

        Raises:
            RegistryUnavailable: it does not answer, or not now.
            BatchRefused: something in this is wrong, or it is too much.
            RegistryError: it refuses us (a token that has expired, say).
            Overtaken: a newer follower has reported.
        """
        credentials: Document = files.read_json(self._credentials) or {}
        if not credentials.get("url"):
            raise RegistryError("there are no credentials for reporting")
        danger = objection(credentials["url"], plain_http=credentials.get("plain_http") is True)
        if danger:
            raise RegistryError(danger)
        batch = report_batch(credentials["cluster"], epoch, list(entries), status)
        return self._in_time(lambda: _post(credentials, batch))

    def _in_time(self, exchange: Callable[[], Answer]) -> Answer:
        """Do an exchange in a thread that is left behind when time is up; until it ends, no other is begun.

        Neither a name server that is silent nor a registry that sends a byte now and then may stop the follower.
        """
        if self._exchange is not None and self._exchange.is_alive():
            raise RegistryUnavailable("the registry has still not finished its answer")
        ends: List[Callable[[], Answer]] = []
        self._exchange = threading.Thread(target=lambda: ends.append(end_of(exchange)), daemon=True)
        self._exchange.start()
        self._exchange.join(self._limit_s)
        if not ends:
            raise RegistryUnavailable(f"the registry did not answer within {self._limit_s:.0f} s")
        return ends[0]()


def _post(credentials: Document, batch: Document) -> Answer:
    url, token = credentials["url"].rstrip("/") + "/reports", credentials["token"]
    content = json.dumps(batch).encode()
    try:
        reply = exchange("POST", url, token, content, timeout_s=SILENCE_S, limit_bytes=_MAX_ANSWER_BYTES)
        if reply.is_good:
            return _answer(reply.content)
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        raise RegistryUnavailable(f"the registry does not answer: {error}") from error
    raise _refusal(reply.status, reply.headers, _problem(reply.content))


def _answer(content: bytes) -> Answer:
    """Read an answer; one of several errors if it is half of one, or of something else."""
    said = dict(json.loads(content.decode()))
    acknowledged = {str(job_uuid): int(seq) for job_uuid, seq in dict(said["acknowledged"]).items()}
    refused = {str(job_uuid): str(why) for job_uuid, why in dict(said["refused"]).items()}
    return Answer(acknowledged, refused)


def _problem(content: bytes) -> Document:
    """Return what a refusal says of itself, as far as it does."""
    try:
        return dict(json.loads(content.decode()))
    except (ValueError, TypeError, RecursionError):  # half of it, HTML, nothing: the status has told what matters
        return {}


def _refusal(status: int, headers: Any, problem: Document) -> Exception:
    if status == _CONFLICT:
        epoch = problem.get("epoch")
        return Overtaken(epoch if isinstance(epoch, int) else 0)
    message = "the registry answered {}: {}".format(status, problem.get("detail", ""))
    if status in _WRONG:
        return BatchRefused(message)
    away = status >= _SERVER_ERROR or status == _TOO_MANY
    refusal = RegistryUnavailable(message) if away else RegistryError(message)
    refusal.retry_after_s = _retry_after_s(headers)
    return refusal


def _retry_after_s(headers: Any) -> float:
    """Return how long the registry wants to be left alone (RFC 9110: seconds, or a date)."""
    from email.utils import mktime_tz, parsedate_tz  # noqa: PLC0415 - http has imported it already

    text = str(headers.get("Retry-After") or "")
    then, now = (parsedate_tz(when) for when in (text, str(headers.get("Date") or "")))
    seconds = 0.0
    try:
        if then is not None:
            seconds = mktime_tz(then) - (time.time() if now is None else mktime_tz(now))
        else:
            seconds = float(text or 0)
    except (ValueError, OverflowError):
        pass  # it is neither
    return min(_LONGEST_WAIT_S, max(0.0, seconds))
