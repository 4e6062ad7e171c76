"""The registry's REST API; HTTP's words become the error tree's here and nowhere else.

Spoken with the standard library: importing `requests` takes longer than all there is to say.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from project.core.errors import RegistryError, RegistryUnavailable
from project.core.problems import Problem
from project.core.states import is_success

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future
    from urllib.error import HTTPError

#: To connect, and for each part of the answer.
_LIMIT_S = 10.0
_SERVER_ERROR = 500
#: A request line that every server takes: gunicorn's limit is 4094 bytes.
_UUIDS_AT_A_TIME = 80
_REMEDIES = {
    401: "Ask its administrator for a new one, and put it where the old one is (GRIDFERRY_TOKEN, or your token file)",
    403: "Ask the registry's administrator for the right to do this",
    404: "Check the UUID; jobs of other accounts are not shown",
    409: "This UUID stands for another job already; submit again to get a new one",
    429: "Wait a moment and try again",
}


class HttpRegistry:
    """The registry at a URL; each call has a connection of its own, so that several threads may call.

    Args:
        url: of the registry, without a path.
        token: of the user.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._looked_up: Future[Any] | None = None

    def look_up_clusters(self) -> None:
        """Ask for the clusters already now, without waiting for the answer; `clusters` has it then."""
        self._looked_up = ThreadPoolExecutor(1).submit(self._call, "GET", "/clusters")

    def clusters(self) -> list[dict[str, Any]]:
        """All clusters."""
        asked, self._looked_up = self._looked_up, None
        return list(asked.result() if asked else self._call("GET", "/clusters"))

    def save_cluster(self, document: Mapping[str, Any]) -> None:
        """Create or edit a cluster (administrators only)."""
        self._call("PUT", f"/clusters/{document['name']}", document)

    def create_job(self, job_uuid: str, document: Mapping[str, Any]) -> None:
        """Create a job (again, with the same content, changes nothing)."""
        self._call("POST", f"/jobs/{job_uuid}", document)

    def job(self, job_uuid: str) -> dict[str, Any]:
        """All stored values of a job."""
        return dict(self._call("GET", f"/jobs/{job_uuid}"))

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The user's newest jobs in short; `wanted` are the query parameters of docs/protocol.md."""
        return list(self._call("GET", _path("/jobs", *wanted.items())))

    def jobs_beginning(self, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """The user's jobs whose UUID begins with one of these, in short."""
        pages = (prefixes[start : start + _UUIDS_AT_A_TIME] for start in range(0, len(prefixes), _UUIDS_AT_A_TIME))
        asked = (_path("/jobs", *(("uuid", prefix) for prefix in page), ("limit", "500")) for page in pages)
        return [job for path in asked for job in self._call("GET", path)]

    def history(self) -> list[dict[str, Any]]:
        """The user's newest jobs that ended well, all stored values of each."""
        jobs = self._call("GET", "/jobs?state=DONE&details=true")
        return [job for job in jobs if is_success(job.get("outcome"))]

    def update_job(self, job_uuid: str, fields: Mapping[str, Any]) -> None:
        """Set some fields of a job."""
        self._call("PUT", f"/jobs/{job_uuid}", fields)

    def states(self, job_uuid: str) -> list[str]:
        """Current states of a job, one per array task."""
        return list(self._call("GET", f"/jobs/{job_uuid}/state"))

    def report_credentials(self, cluster: str) -> dict[str, Any]:
        """A token that can only report for this user on this cluster, and where to send the reports."""
        return dict(self._call("POST", "/report-tokens", {"cluster": cluster}))

    def relay(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Send journal entries fetched from a cluster under the user's own token."""
        return dict(self._call("POST", "/reports", batch))

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            return json.loads(self._exchange(method, path, None if body is None else json.dumps(body).encode()))
        except ValueError as error:
            raise RegistryError(
                f"{self._url} does not answer as a registry", remedy="Check GRIDFERRY_REGISTRY"
            ) from error

    def _exchange(self, method: str, path: str, content: bytes | None) -> bytes:
        from http.client import HTTPException  # noqa: PLC0415 - `--help` and `--dry-run` need no HTTP
        from urllib.error import HTTPError  # noqa: PLC0415
        from urllib.request import Request, urlopen  # noqa: PLC0415

        try:
            request = Request(self._url + path, content, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - the user's own setting
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
            with urlopen(request, timeout=_LIMIT_S) as response:  # noqa: S310
                return bytes(response.read())
        except HTTPError as error:
            raise self._refusal(error) from error
        except (OSError, ValueError, HTTPException) as error:
            raise RegistryUnavailable(
                f"the registry at {self._url} does not answer: {str(getattr(error, 'reason', error)).strip()}",
                remedy="Check GRIDFERRY_REGISTRY and your network, or ask its administrator",
            ) from error

    @staticmethod
    def _refusal(error: HTTPError) -> RegistryError:
        problem = _problem(error)
        said = problem.get("detail") or problem.get("title") or error.reason
        if error.code >= _SERVER_ERROR:
            return RegistryUnavailable(f"the registry answered {error.code}: {said}", remedy="Try again in a while")
        remedy = _REMEDIES.get(error.code) or str(problem.get("remedy", ""))
        problems = [Problem(p["key"], p["message"], p["remedy"].rstrip(".")) for p in problem.get("problems", [])]
        if len(problems) > 1:  # the answer's own words tell the first one; all of them are told here
            listed = "\n".join(found.render("the registry") for found in problems)
            return RegistryError(f"the registry refused {len(problems)} things", remedy="Correct them", detail=listed)
        return RegistryError(f"the registry refused: {said}", remedy=remedy)


def _path(path: str, *query: tuple[str, str]) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - see _exchange

    return f"{path}?{urlencode(query)}"


def _problem(error: HTTPError) -> dict[str, Any]:
    try:
        body = json.loads(error.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
