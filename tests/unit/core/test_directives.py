"""Resources to `#SBATCH` directives: each key of the job file has its option."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.job import Resources
from project.core.job_file.fields import GROUPS
from project.core.job_file.validate import validate
from project.core.slurm.directives import directives

_LEAST = {"username": "j", "user_mail": "j@example.org", "destination_cluster": "c", "execution": "true"}

#: (keys below `resources`, options in their order); `--no-requeue` stands for itself and is left out here.
_TABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"nbr_jobs_in_array": 15}, ["--array=1-15"]),
    ({"nbr_jobs_in_array": "1-5,9%2"}, ["--array=1-5,9%2"]),
    ({"nbr_jobs_in_array": {"count": 1000, "at_once": 50}}, ["--array=1-1000%50"]),
    ({"duration": "1d2h30m"}, ["--time=1-02:30:00"]),
    ({"duration": "90s"}, ["--time=0-00:01:30"]),
    ({"nbr_processes": 5}, ["--ntasks=5"]),
    ({"nbr_threads_per_process": 2}, ["--cpus-per-task=2"]),
    ({"memory_per_thread": "2625M"}, ["--mem-per-cpu=2625M"]),
    ({"memory_per_thread": "1.5G"}, ["--mem-per-cpu=1536M"]),
    ({"distribution": "grouped"}, ["--nodes=1"]),
    ({"distribution": "scattered"}, ["--ntasks-per-node=1"]),
    ({"distribution": "distributed", "nbr_of_nodes": 4}, ["--nodes=4"]),
    (
        {"distribution": "distributed", "nbr_of_nodes": 2, "nbr_processes": 8, "nbr_processes_per_node": 4},
        ["--ntasks=8", "--nodes=2", "--ntasks-per-node=4"],
    ),
    ({"partition": "debug"}, ["--partition=debug"]),
    ({"account": "physics"}, ["--account=physics"]),
    ({"qos": "long"}, ["--qos=long"]),
    ({"reservation": "course"}, ["--reservation=course"]),
    ({"gpus": "a100:2"}, ["--gpus=a100:2"]),
    ({"constraint": "skylake&ib"}, ["--constraint=skylake&ib"]),
    ({"exclusive": True}, ["--exclusive"]),
    ({"exclusive": False}, []),
    (
        {"qos": "long", "nbr_processes": 8, "distribution": "distributed", "nbr_of_nodes": 2, "duration": "1h"},
        ["--time=0-01:00:00", "--ntasks=8", "--nodes=2", "--qos=long"],
    ),
]


def _written(resources: dict[str, Any]) -> list[str]:
    return directives(validate({**_LEAST, "resources": resources}, source="job.yml").resources)


@pytest.mark.parametrize(("resources", "options"), _TABLE)
def test_keys_become_options(resources: dict[str, Any], options: list[str]) -> None:
    """Only what was asked for is written, in a fixed order; a job is not requeued unless it says so."""
    assert _written(resources) == [*options, "--no-requeue"]


def test_requeue_is_an_option_of_its_own() -> None:
    """Slurm may start a job again only where the job file allows it, whatever the cluster's default is."""
    assert _written({"requeue": True}) == ["--requeue"]
    assert directives(Resources()) == ["--no-requeue"]


def test_every_resource_is_in_the_table_above() -> None:
    """A new key of the job file cannot be forgotten here."""
    shown = {key for resources, _ in _TABLE for key in resources} | {"requeue"}
    assert {f"resources.{key}" for key in shown} == {field.key for field in GROUPS["resources"]}
