"""Sends journals to the registry: all jobs of one round in one request."""

import json
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence

from project.core.errors import RegistryError, RegistryUnavailable
from project.core.layout import ClusterPaths
from project.core.messages import Document, report_batch
from project.wrapper import files

TIMEOUT_S = 20.0
#: What goes into one request; the rest goes into the next ones. The registry takes 16 MiB unless told otherwise.
_MAX_ENTRIES = 500
_MAX_BYTES = 8 * 1024 * 1024
_CONFLICT = 409
_SERVER_ERROR = 500
_TOO_MANY = 429


class Overtaken(Exception):
    """The registry has seen a newer follower: this one must stop."""


class Answer(NamedTuple):
    """What the registry said: per job the last entry it has, and what it would not take."""

    acknowledged: Dict[str, int]
    refused: Dict[str, str]


class Reporter:
    """Knows the way to the registry from the file the client left.

    Args:
        paths: of this cluster.
    """

    def __init__(self, paths: ClusterPaths) -> None:
        self._paths = paths

    def send(self, epoch: int, entries: Sequence[Document], status: Optional[Document]) -> Answer:
        """Send entries and the cluster's status.

        Raises:
            RegistryUnavailable: it does not answer, or not now.
            RegistryError: it refuses us (a token that has expired, say).
            Overtaken: a newer follower has reported.
        """
        credentials: Optional[Dict[str, Any]] = files.read_json(self._paths.registry)
        if credentials is None:
            raise RegistryError("there are no credentials for reporting")
        batch = report_batch(credentials["cluster"], epoch, list(entries), status)
        answer = self._post(credentials, batch)
        return Answer(dict(answer.get("acknowledged", {})), dict(answer.get("refused", {})))

    @staticmethod
    def _post(credentials: Dict[str, Any], batch: Document) -> Document:
        # Imported late: ssl and http are most of the wrapper's start-up, and only the follower reports.
        import http.client  # noqa: PLC0415
        import urllib.error  # noqa: PLC0415
        import urllib.request  # noqa: PLC0415

        headers = {"Authorization": "Bearer " + credentials["token"], "Content-Type": "application/json"}
        url = credentials["url"].rstrip("/") + "/reports"
        request = urllib.request.Request(url, data=json.dumps(batch).encode(), headers=headers, method="POST")  # noqa: S310 - the client wrote the address
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
                return dict(json.loads(response.read().decode()))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _CONFLICT:
                raise Overtaken from error
            kind = RegistryUnavailable if error.code >= _SERVER_ERROR or error.code == _TOO_MANY else RegistryError
            raise kind(f"the registry answered {error.code}") from error
        except (OSError, ValueError, TypeError, http.client.HTTPException) as error:  # the last for half an answer
            raise RegistryUnavailable(f"the registry does not answer: {error}") from error


def first_batch(entries: Iterable[Document]) -> List[Document]:
    """Return as many entries as fit into one request, at least one if there is any."""
    batch: List[Document] = []
    size = 0
    for entry in entries:
        size += len(json.dumps(entry))
        if len(batch) == _MAX_ENTRIES or (batch and size > _MAX_BYTES):
            break
        batch.append(entry)
    return batch


def acknowledge(jobs: List[Any], answer: Answer) -> None:
    """Let each job's journal remember what the registry has taken."""
    for job in jobs:
        seq = answer.acknowledged.get(job.job_uuid)
        if seq is not None:
            job.journal.acknowledge(seq)
