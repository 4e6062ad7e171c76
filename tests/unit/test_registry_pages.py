"""The pages, whatever clusters and jobs say: nothing that the registry accepts keeps a page from being shown."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_srv import create_app
from api_srv.config import Settings
from tests.fuzzing import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

_AT = "2026-11-20T10:00:00.000000Z"
_PASSWORD = "correct horse"


class Visitor:
    """Somebody with an account, a session and a token."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}
        form = re.search(r'name="form_token" value="([^"]+)"', client.get("/").text)
        assert form
        fields = {"form_token": form.group(1), "name": "ann", "password": _PASSWORD}
        assert client.post("/login", data=fields).status_code == 303

    def ask(self, method: str, path: str, body: Any) -> int:
        """Ask the REST API; return the status."""
        answer = self._client.open(path, method=method, json=body, headers=self._headers)
        assert answer.status_code < 500, answer.text
        return answer.status_code

    def report(self, job_uuid: str, kind: str, body: Any) -> None:
        """Report the next entry of a job; one that is refused takes no number."""
        job: Any = self._client.get(f"/jobs/{job_uuid}", headers=self._headers).json
        seq = job["last_seq"] + 1
        entry = {"schema": 1, "job_uuid": job_uuid, "seq": seq, "at": _AT, "kind": kind, "body": body}
        self.ask("POST", "/reports", {"cluster": "demo", "reports": [entry]})

    def look(self, path: str) -> str:
        """Return a page."""
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """An application and somebody logged in."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("registry")))
    services = app.extensions["gridferry"]
    services.accounts.add("ann", "ann@example.org", admin=True, password=_PASSWORD)
    services.clusters.put("demo", {"hostname": "demo.example.org"})
    yield Visitor(app.test_client(), services.accounts.issue_token("ann")[0])
    services.documents.close()


_WORD = st.text(max_size=12) | st.sampled_from(["RUNNING", "CANCELLED by 5", "<b>", "{{ 7*7 }}", "\ud800", ""])
_CELL = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _WORD
_JSON = st.recursive(
    _CELL, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORD, inner, max_size=3), max_leaves=8
)
_ROWS = st.lists(
    st.dictionaries(st.sampled_from(["task", "JobID", "State", "ExitCode", "NCPUS", "Odd"]), _CELL | _JSON),
    max_size=4,
)
_KEYS = ["state", "reason", "detail", "stage", "since", "exit_code", "counts", "severity", "message", "flag", "items"]
_BODY = st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=6)
_ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["state", "tasks", "fields", "module", "notice", "weather"]),
        st.builds(lambda body, rows, fields: {**body, "rows": rows, "fields": fields}, _BODY, _ROWS, _BODY),
    ),
    max_size=5,
)
_CPUS = st.dictionaries(st.sampled_from(["allocated", "idle", "other", "total"]), _CELL) | _JSON
_NODE = st.fixed_dictionaries({}, optional={"name": _CELL, "state": _CELL, "reason": _CELL, "cpus": _CPUS}) | _JSON
_STATUS = st.fixed_dictionaries(
    {"taken_at": st.just(_AT) | _CELL},
    optional={
        "pending_jobs": _CELL,
        "running_jobs": _CELL,
        "cluster": st.fixed_dictionaries({}, optional={"cpus": _CPUS}) | _JSON,
        "nodes": st.lists(_NODE, max_size=3) | _JSON,
    },
)


@examples(40)
@given(_ENTRIES, st.dictionaries(_WORD | st.just("job_name"), _JSON, max_size=3), st.lists(_JSON, max_size=2))
def test_no_job_breaks_its_page(
    visitor: Visitor, entries: list[Any], user_input: dict[str, Any], modules: list[Any]
) -> None:
    """Odd states, times, numbers where words belong, unknown kinds: the job's page and the list show them."""
    job_uuid = str(uuid.uuid4())
    body = {"user_input": user_input, "modules": modules, "destination_cluster": "demo"}
    if visitor.ask("POST", f"/jobs/{job_uuid}", body) == 201:
        for kind, said in entries:
            visitor.report(job_uuid, kind, said)
        assert "<b>" not in visitor.look(f"/ui/jobs/{job_uuid}")
        assert "<b>" not in visitor.look("/")


def test_what_needs_a_look_stands_on_the_pages(visitor: Visitor) -> None:
    """A job that would not die on both pages; of its cluster the age of what it said, and how forecasts came true."""
    job_uuid, at = str(uuid.uuid4()), "2026-11-20T10:00:00.000000Z"
    node = {"name": "n7", "state": "drained", "reason": "bad fan", "since": at}
    visitor.ask("PUT", "/clusters", {"name": "demo", "status": {"taken_at": at, "nodes": [node]}})
    body = {"user_input": {}, "destination_cluster": "demo", "predicted_start": at}
    assert visitor.ask("POST", f"/jobs/{job_uuid}", body) == 201
    visitor.report(job_uuid, "state", {"state": "RUNNING", "since": "2026-11-20T10:07:00.000000Z"})
    visitor.report(job_uuid, "notice", {"severity": "warning", "message": "m", "flag": "would not die: RUNNING"})
    for page in ("/", f"/ui/jobs/{job_uuid}"):
        assert '<strong class="flag">would not die: RUNNING</strong>' in visitor.look(page)
    overview = visitor.look("/")
    assert "the last job started 7m 0s later than foretold" in overview
    assert "drained: bad fan, since 2026-11-20 10:00:00 UTC" in overview
    assert '<time datetime="2026-11-20T10:00:00.000000Z"' in overview


@examples(60)
@given(_STATUS)
def test_no_cluster_breaks_the_overview(visitor: Visitor, status: dict[str, Any]) -> None:
    """One cluster that says nonsense about itself would hide all clusters and jobs from everybody."""
    visitor.ask("PUT", "/clusters", {"name": "demo", "status": status})
    assert "<b>" not in visitor.look("/")


def _campaign(visitor: Visitor, *parts: str) -> list[str]:
    """Make a campaign of parts with these tasks; return their UUIDs."""
    uuids = [str(uuid.uuid4()) for _ in parts]
    for job_uuid, indexes in zip(uuids, parts, strict=True):
        campaign = {"uuid": uuids[0], "indexes": indexes}
        body = {"user_input": {"job_name": "scan"}, "destination_cluster": "demo", "campaign": campaign}
        assert visitor.ask("POST", f"/jobs/{job_uuid}", body) == 201
    return uuids


def test_the_page_of_a_campaign_leads_to_its_parts_and_back(visitor: Visitor) -> None:
    """The first part's page lists all, with how many tasks are in which state; a later part's names the campaign."""
    first, second = _campaign(visitor, "1-2", "3")
    rows = [
        {"task": str(number), "JobID": f"7_{number}", "State": state}
        for number, state in enumerate(("FAILED", "RUNNING"), 1)
    ]
    visitor.report(first, "tasks", {"rows": rows, "slurm_job_id": "7"})
    page = visitor.look(f"/ui/jobs/{first}")
    assert f'<a href="/ui/jobs/{second}">3</a>' in page
    assert "1 FAILED" in page
    assert f'tasks 3 of <a href="/ui/jobs/{first}">' in visitor.look(f"/ui/jobs/{second}")


def test_pages_of_large_arrays_and_campaigns_are_bounded(visitor: Visitor) -> None:
    """Of very many tasks those that have not ended well come first; of very many parts the newest are there."""
    (first, *_) = _campaign(visitor, "1-700", *(str(number) for number in range(701, 761)))
    rows = [
        {"task": str(number), "JobID": f"8_{number}", "State": "TIMEOUT" if number == 690 else "COMPLETED"}
        for number in range(1, 701)
    ]
    visitor.report(first, "tasks", {"rows": rows, "slurm_job_id": "8"})
    page = visitor.look(f"/ui/jobs/{first}")
    assert page.index("8_690") < page.index("8_1<")
    assert "500 of 700 tasks" in page
    assert page.count("<td>8_") == 500
    assert "The 50 newest of its arrays" in page
    assert len(page) < 300_000
