"""The documents the programs exchange, and the paths on the cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import layout, messages
from project.core.engines import require_engine
from project.core.errors import ExitCode, GridferryError, UsageError


@given(st.floats(0, 4e9, allow_nan=False))
def test_times_round_trip_to_the_microsecond(seconds: float) -> None:
    """Times are UTC strings of one width, so that they sort as text."""
    text = messages.format_utc(seconds)
    assert len(text) == len("2026-11-20T10:00:00.000000Z")
    assert messages.parse_utc(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize("text", ["", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000000", "Unknown"])
def test_other_times_are_refused(text: str) -> None:
    """What is not of that form is no time of ours."""
    with pytest.raises(ValueError, match=r"."):
        messages.parse_utc(text)


def test_a_state_tells_only_what_there_is_to_tell() -> None:
    """State, reason and detail always; the rest only where it says something."""
    assert messages.state_body("RUNNING") == {"state": "RUNNING", "reason": "", "detail": ""}
    full = messages.state_body("FAILED", exit_code="1:0", counts={"FAILED": 1}, since="t", stage="s")
    assert (full["exit_code"], full["counts"], full["since"], full["stage"]) == ("1:0", {"FAILED": 1}, "t", "s")


def test_every_document_carries_its_schema() -> None:
    """Entries and batches say which version of docs/protocol.md they follow."""
    entry = messages.journal_entry("uuid", 7, "t", "state", {"state": "RUNNING"})
    batch = messages.report_batch("nic5", None, [entry])
    assert entry["schema"] == batch["schema"] == messages.SCHEMA
    assert batch == {"schema": 1, "cluster": "nic5", "epoch": None, "reports": [entry], "cluster_status": None}


_CLUSTER = layout.ClusterPaths("/home/j/gridferry")
_JOB = _CLUSTER.job("uuid")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (_CLUSTER.program("wrapper-abc.pyz"), "control/wrapper-abc.pyz"),
        (_CLUSTER.active, "control/active"),
        (_CLUSTER.registry("0a1b"), "control/registry-0a1b.json"),
        (_JOB.work, "jobs/uuid/work"),
        (_JOB.guard, "jobs/uuid/control/guard"),
        (_JOB.log("compilation"), "jobs/uuid/compilation.log"),
        (_JOB.slurm_output(array=True, extension="out"), "jobs/uuid/slurm-%A_%a.out"),
        (_JOB.slurm_output(array=False, extension="err"), "jobs/uuid/slurm-%j.err"),
    ],
)
def test_paths_on_the_cluster(path: str, expected: str) -> None:
    """Where the far side keeps what, as the module's own drawing says."""
    assert path == f"/home/j/gridferry/{expected}"


def test_no_two_things_lie_in_one_place() -> None:
    """Every path of a job is its own, but for the folder that holds what keeps a submission exactly once."""
    names = [name for name in dir(layout.JobPaths) if isinstance(getattr(layout.JobPaths, name), property)]
    assert len({getattr(_JOB, name) for name in names}) == len(names)


def _all_errors(kind: type[GridferryError]) -> list[type[GridferryError]]:
    return [kind, *(below for inner in kind.__subclasses__() for below in _all_errors(inner))]


def test_every_error_has_an_exit_code() -> None:
    """Only what nobody foresaw exits with 1; every code is some error's, success or an interruption."""
    of_core = [kind for kind in _all_errors(GridferryError) if kind.__module__.startswith("project.core")]
    assert [kind for kind in of_core if kind.exit_code == ExitCode.INTERNAL] == [GridferryError]
    assert set(ExitCode) - {kind.exit_code for kind in of_core} == {ExitCode.OK, ExitCode.INTERRUPTED}


def test_unknown_workload_managers_are_refused() -> None:
    """A cluster that is not run by Slurm is told as such."""
    require_engine("slurm", "nic5")
    with pytest.raises(UsageError, match="nic5 is run by 'pbs'"):
        require_engine("pbs", "nic5")


_ENTRY = {"schema": 1, "job_uuid": "uuid", "seq": 1, "at": "t", "kind": "state", "body": {"state": "RUNNING"}}


def test_a_batch_fits_into_one_request() -> None:
    """So many entries or so many bytes; an entry that is too big by itself goes alone."""
    assert messages.first_batch([]) == []
    assert len(messages.first_batch([_ENTRY] * 2000)) == 500
    assert len(messages.first_batch([_ENTRY] * 2000, 7)) == 7
    big = {**_ENTRY, "body": {"detail": "x" * 300_000}}
    assert len(messages.first_batch([big] * 10)) == 2
    huge = {**_ENTRY, "body": {"detail": "x" * 9_000_000}}
    assert messages.first_batch([huge, _ENTRY]) == [huge]
