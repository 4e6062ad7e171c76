"""What was foretold of a job's start, and what came: kept for each cluster, and shown."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from project.core.messages import format_utc, parse_utc
from tests.contract.registry_process import state

if TYPE_CHECKING:
    from tests.contract.registry_process import RegistryProcess

_AT = "2026-11-20T10:00:00.000000Z"


def _start(registry: RegistryProcess, cluster: str, late_s: float, *, foretold: bool = True) -> str:
    """Have a job start that much later than foretold, a second after the one before."""
    job_uuid = str(uuid.uuid4())
    body = {"user_input": {}, "destination_cluster": cluster, **({"predicted_start": _AT} if foretold else {})}
    assert registry.call("POST", f"/jobs/{job_uuid}", body).status_code == 201
    since = format_utc(parse_utc(_AT) + late_s)
    told = [state(job_uuid, 1, "PENDING", since=_AT), state(job_uuid, 2, "RUNNING", since=since)]
    assert registry.report(*told, cluster=cluster).json()["refused"] == {}
    return job_uuid


def _foretold(registry: RegistryProcess, cluster: str) -> Any:
    listed = {each["name"]: each for each in registry.call("GET", "/clusters").json()}
    assert listed[cluster] == registry.call("GET", f"/clusters/{cluster}").json()
    return listed[cluster]["foretold"]


def test_each_cluster_tells_how_its_forecasts_came_true(registry: RegistryProcess) -> None:
    """The median of those starts that were foretold, the last twenty of them; the first start of a job counts."""
    registry.put_cluster("prophet")
    assert _foretold(registry, "prophet") is None
    _start(registry, "prophet", 5000, foretold=False)
    assert _foretold(registry, "prophet") is None
    last = [_start(registry, "prophet", late_s) for late_s in (-30, 600, 90)][-1]
    assert _foretold(registry, "prophet") == {"jobs": 3, "median_late_s": 90}
    registry.report(state(last, 3, "RUNNING", since=format_utc(parse_utc(_AT) + 9e5)), cluster="prophet")
    assert _foretold(registry, "prophet") == {"jobs": 3, "median_late_s": 90}
    for late_s in range(1000, 1020):
        _start(registry, "prophet", late_s)
    assert _foretold(registry, "prophet") == {"jobs": 20, "median_late_s": 1010}


def test_what_is_told_is_no_part_of_the_description(registry: RegistryProcess) -> None:
    """A cluster's document as it is answered may be sent back; what jobs have told stays as it was."""
    registry.put_cluster("oracle")
    _start(registry, "oracle", 120)
    document = registry.call("GET", "/clusters/oracle").json()
    answer = registry.call("PUT", "/clusters/oracle", {**document, "foretold": None}, user="root")
    assert (answer.status_code, answer.json()) == (200, document)
    job = registry.job(_start(registry, "oracle", 120))
    assert "foretold" not in job["destination_cluster"]
