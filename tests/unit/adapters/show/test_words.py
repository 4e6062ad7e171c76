"""How ages, states, counts and shares are said."""

from __future__ import annotations

import time

import pytest

from project.adapters.show import words
from project.adapters.show.grid import CLUSTER_COLUMNS, NODE_COLUMNS
from project.core.messages import format_utc
from project.core.outcomes import headline


@pytest.mark.parametrize(
    ("job", "said", "colour"),
    [
        ({"state": "DONE", "outcome": "COMPLETED"}, "COMPLETED", "green"),
        ({"state": "POSTPROCESSING", "outcome": "TIMEOUT"}, "TIMEOUT", "red"),
        ({"state": "DONE", "outcome": "CANCELLED"}, "CANCELLED", "magenta"),
        ({"state": "ERROR", "outcome": "COMPLETED"}, "ERROR", "red"),
        ({"state": "RUNNING", "outcome": None}, "RUNNING", "blue"),
        ({"state": "PENDING", "outcome": None}, "PENDING", "yellow"),
        ({"state": "COMPILING", "outcome": None}, "COMPILING", ""),
        ({"state": "NEW_WORD", "outcome": None}, "NEW_WORD", ""),
    ],
)
def test_one_word_says_how_a_job_stands(job: dict[str, str | None], said: str, colour: str) -> None:
    """Slurm's verdict once there is one, unless something went wrong later."""
    assert headline(job) == said
    assert words.colour(said) == colour


def test_ages_have_their_two_largest_units() -> None:
    """And what never happened has none, nor has what is no time."""
    assert words.age(format_utc(time.time() - 3 * 3600 - 125)) == "3h 2m"
    assert words.age(format_utc(time.time() + 60)) == "0s"
    assert [words.age(at) for at in (None, "", "yesterday", "2026-11-20T10:00:00", "\x1b[31m")] == [""] * 5


@pytest.mark.parametrize(
    ("late_s", "said"),
    [(250, "4m 10s late (7)"), (-3600, "1h 0m early (7)"), (59, "on time (7)"), (-59, "on time (7)")],
)
def test_how_forecasts_came_true(late_s: int, said: str) -> None:
    """Late, early or on time, and of how many starts that is the median."""
    assert words.punctuality({"jobs": 7, "median_late_s": late_s}) == said
    assert words.punctuality(None) == ""


def test_a_single_task_needs_no_tally() -> None:
    """Several are counted by state."""
    assert words.tally({"RUNNING": 1}) == ""
    assert words.tally({"COMPLETED": 13, "FAILED": 2}) == "13 COMPLETED, 2 FAILED"


@pytest.mark.parametrize(
    ("used", "total", "drawn"),
    [(0, 4, "░░░░"), (4, 4, "████"), (1, 4, "█░░░"), (5, 4, "████"), (1.5, 4, "█▌░░"), (1, 0, "")],
)
def test_bars(used: float, total: float, drawn: str) -> None:
    """To an eighth of a character; what has nothing to be shared has no bar."""
    assert words.bar(used, total, 4) == drawn


def test_a_cluster_sums_up_its_nodes() -> None:
    """CPUs, memory and GPUs used of all, and the nodes that are not well; one never heard of shows that."""
    well = {"name": "n1", "state": "mixed", "cpus": {"allocated": 16, "total": 64}, "memory_mib": 2048,
            "allocated_memory_mib": 1024, "gpus": 4, "used_gpus": 1, "partitions": ["batch"]}  # fmt: skip
    ill = {"name": "n2", "state": "down", "responding": False, "reason": "fan broken", "cpus": {"total": 64}}
    cluster = {
        "name": "nic5",
        "status": {"nodes": [well, ill], "running_jobs": 3, "taken_at": format_utc(time.time())},
    }
    cells = {column.title: column.value(cluster) for column in CLUSTER_COLUMNS}
    assert cells["CPUS"].endswith("16/128")
    assert cells["MEMORY"].endswith("1.0 GiB of 2.0 GiB")
    assert cells["GPUS"].endswith("1/4")
    assert (cells["RUN"], cells["WAIT"], cells["TROUBLE"]) == ("3", "", "1 not well")
    node = {column.title: column.value(ill) for column in NODE_COLUMNS}
    assert (node["STATE"], node["REASON"], node["MEMORY"]) == ("down, silent", "fan broken", "")
    never = {column.title: column.value({"name": "new", "status": None}) for column in CLUSTER_COLUMNS}
    assert (never["AS OF"], never["CPUS"]) == ("never", "")
