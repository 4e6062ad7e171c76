"""The registry's REST API; HTTP's words become the error tree's here and nowhere else.

Spoken with the standard library: importing `requests` takes longer than all there is to say.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from project.core import answers
from project.core.errors import RegistryError, RegistryUnavailable, UsageError
from project.core.problems import Problem
from project.core.registry_address import objection
from project.core.rules import problems
from project.core.states import is_success
from project.wrapper.exchange import Reply, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from project.core.rules import Shape

_TOKEN = re.compile("[!-~](?:[ -~]*[!-~])?")
#: To connect, and for each part of the answer.
_LIMIT_S = 10.0
#: A request line that every server takes: gunicorn's limit is 4094 bytes.
_UUIDS_AT_A_TIME = 80
_LONGEST_ANSWER_BYTES = 256 * 1024 * 1024
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_ELSEWHERE = "Write the registry's real address into GRIDFERRY_REGISTRY: your token is sent there and nowhere else"
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
        plain_http: whether the user said that plain HTTP will do, over the network, too.

    Raises:
        UsageError: the token must not go there, or is none.
    """

    def __init__(self, url: str, token: str, *, plain_http: bool = False) -> None:
        refusal = objection(url, plain_http=plain_http)
        if refusal:
            raise UsageError(
                refusal, remedy="Write its https address into GRIDFERRY_REGISTRY, or set plain_http if you must"
            )
        if _TOKEN.fullmatch(token) is None:
            raise UsageError("the token for the registry holds characters that no token has", remedy="Copy it again")
        self._url = url.rstrip("/")
        self._token = token
        self._looked_up: Future[Any] | None = None

    _scheme = "Bearer"

    @property
    def key(self) -> str:
        """What it is known by on clusters: its address, hashed."""
        return hashlib.sha256(self._url.encode()).hexdigest()[:12]

    def look_up_clusters(self) -> None:
        """Ask for the clusters already now, without waiting for the answer; `clusters` has it then."""
        self._looked_up = ThreadPoolExecutor(1).submit(self._call, "GET", "/clusters")

    def clusters(self) -> list[dict[str, Any]]:
        """All clusters."""
        asked, self._looked_up = self._looked_up, None
        answer = asked.result() if asked else self._call("GET", "/clusters")
        return self._listed(answer, answers.CLUSTER)

    def save_cluster(self, document: Mapping[str, Any]) -> None:
        """Create or edit a cluster (administrators only)."""
        self._call("PUT", f"/clusters/{document['name']}", document)

    def remove_cluster(self, name: str) -> None:
        """Forget a cluster (administrators only)."""
        self._call("DELETE", f"/clusters/{name}")

    def put_status(self, cluster: str, status: Mapping[str, Any]) -> None:
        """Tell a cluster's status, as the cluster itself has just said it."""
        self._call("PUT", "/clusters", {"name": cluster, "status": status})

    def create_job(self, job_uuid: str, document: Mapping[str, Any]) -> None:
        """Create a job (again, with the same content, changes nothing)."""
        self._call("POST", f"/jobs/{job_uuid}", document)

    def job(self, job_uuid: str) -> dict[str, Any]:
        """All stored values of a job, and of no other."""
        job = self._checked(self._call("GET", f"/jobs/{job_uuid}"), answers.JOB)
        if job["job_uuid"] != job_uuid:
            raise self._nonsense(f"it was asked for job {job_uuid} and tells of {job['job_uuid']}")
        return job

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The user's newest jobs in short; `wanted` are the query parameters of docs/protocol.md."""
        return self._listed(self._call("GET", _path("/jobs", *wanted.items())), answers.SUMMARY)

    def jobs_beginning(self, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """The user's jobs whose UUID begins with one of these, in short."""
        pages = (prefixes[start : start + _UUIDS_AT_A_TIME] for start in range(0, len(prefixes), _UUIDS_AT_A_TIME))
        asked = (_path("/jobs", *(("uuid", prefix) for prefix in page), ("limit", "500")) for page in pages)
        return [job for path in asked for job in self._listed(self._call("GET", path), answers.SUMMARY)]

    def history(self) -> list[dict[str, Any]]:
        """The user's newest jobs that ended well, all stored values of each."""
        jobs = self._call("GET", "/jobs?state=DONE&details=true")
        return [job for job in self._listed(jobs, answers.JOB) if is_success(job["outcome"])]

    def update_job(self, job_uuid: str, fields: Mapping[str, Any]) -> None:
        """Set some fields of a job."""
        self._call("PUT", f"/jobs/{job_uuid}", fields)

    def account(self) -> dict[str, Any]:
        """Whose token this is: `name`, `mail`, `admin`."""
        return self._checked(self._call("GET", "/account"), answers.ACCOUNT)

    def forget_token(self) -> None:
        """Make the token useless."""
        self._call("DELETE", "/tokens")

    def states(self, job_uuid: str) -> list[str]:
        """Current states of a job, one per array task."""
        answer = self._call("GET", f"/jobs/{job_uuid}/state")
        return [str(state) for state in answer] if isinstance(answer, list) else []

    def report_credentials(self, cluster: str) -> dict[str, Any]:
        """A token that can only report for this user on this cluster, and where to send the reports."""
        return self._checked(self._call("POST", "/report-tokens", {"cluster": cluster}), answers.CREDENTIALS)

    def relay(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Send journal entries fetched from a cluster under the user's own token."""
        return self._checked(self._call("POST", "/reports", batch), answers.TAKEN)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        reply = self._ask(method, path, None if body is None else json.dumps(body).encode())
        if not reply.is_good and reply.status < _CLIENT_ERROR:
            raise self._nonsense(remedy=_ELSEWHERE)
        if not reply.is_good:
            raise self._refusal(reply)
        try:
            return json.loads(reply.content) if reply.content else None
        except (ValueError, RecursionError) as error:
            raise self._nonsense() from error

    def _ask(self, method: str, path: str, content: bytes | None) -> Reply:
        try:
            return exchange(
                method,
                self._url + path,
                self._token,
                content,
                timeout_s=_LIMIT_S,
                limit_bytes=_LONGEST_ANSWER_BYTES,
                scheme=self._scheme,
            )
        except OSError as error:
            raise RegistryUnavailable(
                f"the registry at {self._url} does not answer: {str(getattr(error, 'reason', error)).strip()}",
                remedy="Check GRIDFERRY_REGISTRY and your network, or ask its administrator",
            ) from error

    def _checked(self, answer: Any, shape: Shape) -> dict[str, Any]:
        """Return an answer that is an object with all these keys.

        Raises:
            RegistryError: it is something else.
        """
        if not isinstance(answer, dict):
            raise self._nonsense()
        found = [f"{key}: {message}" for key, message, _, _ in problems(answer, shape, shape, more_keys=True)]
        if found:
            raise self._nonsense("\n".join(found))
        return answer

    def _listed(self, answer: Any, shape: Shape) -> list[dict[str, Any]]:
        """Return an answer that is a list of such objects (RegistryError as above)."""
        if not isinstance(answer, list):
            raise self._nonsense()
        return [self._checked(each, shape) for each in answer]

    def _nonsense(self, detail: str = "", remedy: str = "Check GRIDFERRY_REGISTRY") -> RegistryError:
        return RegistryError(f"{self._url} does not answer as a registry", remedy=remedy, detail=detail)

    @staticmethod
    def _refusal(reply: Reply) -> RegistryError:
        problem = _problem(reply.content)
        said = problem.get("detail") or problem.get("title") or f"it answered {reply.status}"
        if reply.status >= _SERVER_ERROR:
            return RegistryUnavailable(f"the registry answered {reply.status}: {said}", remedy="Try again in a while")
        remedy = _REMEDIES.get(reply.status) or str(problem.get("remedy", ""))
        found = list(_problems(problem.get("problems")))
        if len(found) > 1:  # the answer's own words tell the first one; all of them are told here
            listed = "\n".join(each.render("the registry") for each in found)
            return RegistryError(f"the registry refused {len(found)} things", remedy="Correct them", detail=listed)
        return RegistryError(f"the registry refused: {said}", remedy=remedy)


class PasswordRegistry(HttpRegistry):
    """The registry for somebody who has a password and no token yet; see HttpRegistry for the rest.

    Args:
        url: of the registry.
        name: of the account.
        password: of the account.
        plain_http: as there.
    """

    _scheme = "Basic"

    def __init__(self, url: str, name: str, password: str, *, plain_http: bool = False) -> None:
        super().__init__(url, b64encode(f"{name}:{password}".encode()).decode(), plain_http=plain_http)

    def token(self) -> dict[str, Any]:
        """Return a new token: `token`, `expires_at`."""
        return self._checked(self._call("POST", "/tokens"), answers.TOKEN)


def _problems(listed: Any) -> Iterator[Problem]:
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict):
            key, message, remedy = (str(each.get(name, "")) for name in ("key", "message", "remedy"))
            yield Problem(key, message, remedy.rstrip("."))


def _path(path: str, *query: tuple[str, str]) -> str:
    from urllib.parse import urlencode  # noqa: PLC0415 - most calls need none

    return f"{path}?{urlencode(query)}"


def _problem(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
