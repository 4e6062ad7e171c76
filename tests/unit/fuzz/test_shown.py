"""Answers of a registry that fit its description, with odd words wherever a cluster or a stranger may put some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from project.adapters.show import campaign, grid, jobs
from project.adapters.show.table import render
from project.core import rules
from project.core.answers import CLUSTER, JOB
from project.core.messages import format_utc
from project.core.outcomes import headline, last_attempts, task_rows
from project.core.slurm.commands import REPORTED_COLUMNS
from tests.unit.fuzz.words import JSON, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

_AT = format_utc(1_790_000_000)
_UUID = "3f2b1c0e-0000-4000-8000-000000000001"
_KEYS = ["state", "reason", "detail", "since", "exit_code", "counts", "severity", "message", "flag", "at"]
_TOLD = WORDS | st.sampled_from([_AT, "RUNNING", "FAILED", "COMPLETED"])
_EVENT = st.builds(
    lambda kind, body: {"kind": kind, "at": _AT, "recorded_at": _AT, "body": body},
    st.sampled_from(["state", "notice", "digest", "tasks", "module", "weather"]),
    st.dictionaries(st.sampled_from(_KEYS), _TOLD | JSON, max_size=5),
)
_CELLS = [*REPORTED_COLUMNS, "MaxRSS"]
_JOB = st.fixed_dictionaries(
    {
        "job_uuid": st.just(_UUID), "owner": st.just("ann"), "cluster": st.just("demo"), "state": _TOLD,
        "reason": WORDS, "outcome": st.none() | _TOLD, "ended": st.booleans(), "slurm_job_id": st.none() | WORDS,
        "created_at": st.just(_AT), "updated_at": st.just(_AT), "job_name": st.none() | WORDS | JSON,
        "counts": st.dictionaries(_TOLD, st.integers(0, 10**6), max_size=3), "flag": WORDS,
        "fetched_at": st.none() | st.just(_AT), "cleaned_at": st.none() | st.just(_AT), "resubmission_of": st.none(),
        "user_input": st.dictionaries(WORDS, JSON, max_size=2), "destination_cluster": st.just({}),
        "modules": st.lists(JSON, max_size=2), "last_seq": st.just(3), "timeline": st.lists(_EVENT, max_size=4),
        "campaign": st.none() | st.fixed_dictionaries({"uuid": st.just(_UUID), "indexes": WORDS | st.just("1-3")}),
        "job_status": st.integers(0, 3).flatmap(
            lambda tasks: st.fixed_dictionaries(
                dict.fromkeys(_CELLS, st.lists(WORDS | st.integers() | JSON, min_size=tasks, max_size=tasks))
            )
        ),
    },
    optional={"job_directory": WORDS | JSON, "commit": WORDS | JSON},
)  # fmt: skip
_NUMBER = st.integers(-5, 10**9) | st.floats(allow_nan=False, allow_infinity=False) | st.none()
_USE = st.dictionaries(st.sampled_from(["allocated", "idle", "other", "total"]), _NUMBER)
_NODE = st.builds(
    lambda name, cpus, texts, amounts: {**texts, **amounts, "name": name, "cpus": cpus},
    WORDS,
    st.none() | _USE,
    st.dictionaries(st.sampled_from(["state", "gres", "reason", "since"]), st.none() | _TOLD),
    st.dictionaries(st.sampled_from(["load", "memory_mib", "free_memory_mib", "allocated_memory_mib"]), _NUMBER),
)
_CLUSTER = st.fixed_dictionaries(
    {
        "name": st.just("demo"), "enabled": st.booleans(), "hostname": WORDS | JSON, "preferred_jobs": JSON,
        "partition": WORDS, "foretold": st.none(),
        "status": st.none() | st.fixed_dictionaries(
            {"taken_at": st.just(_AT)},
            optional={"nodes": st.lists(_NODE, max_size=3), "cluster": st.none() | st.just({}),
                      "pending_jobs": st.integers(0, 99) | st.none()},
        ),
    }
)  # fmt: skip


def _draw_job(job: dict[str, Any]) -> None:
    render(jobs.JOB_COLUMNS, [job], 80)
    render(jobs.EVENT_COLUMNS, job["timeline"], 80)
    render(jobs.TASK_COLUMNS, jobs.worth_showing(task_rows(job), 2), 80)


def _draw_cluster(cluster: dict[str, Any]) -> None:
    render(grid.CLUSTER_COLUMNS, [cluster], None)
    render(grid.NODE_COLUMNS, grid.nodes(cluster), 80)
    render(grid.TROUBLE_COLUMNS, grid.troubled(cluster), 80)


_OF_JOBS: list[Callable[[dict[str, Any]], object]] = [
    jobs.facts, jobs.last_words, lambda job: jobs.sum_up([job]), headline, _draw_job,
    lambda job: job["campaign"] and (campaign.facts([job]), last_attempts([job])),
]  # fmt: skip


@pytest.mark.parametrize("shows", _OF_JOBS, ids=["facts", "last words", "sum", "headline", "tables", "campaign"])
@given(job=_JOB)
def test_no_job_breaks_what_shows_it(shows: Callable[[dict[str, Any]], object], job: dict[str, Any]) -> None:
    """Whatever the client takes from a registry it can show: a state, a time or a column may be any word."""
    assume(not list(rules.problems(job, JOB, JOB, more_keys=True)))
    shows(job)


@given(_CLUSTER)
def test_no_cluster_breaks_what_shows_it(cluster: dict[str, Any]) -> None:
    """One cluster that says nonsense about itself would hide all clusters from everybody."""
    assume(not list(rules.problems(cluster, CLUSTER, CLUSTER, more_keys=True)))
    _draw_cluster(cluster)
