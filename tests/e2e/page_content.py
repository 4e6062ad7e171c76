"""What the registry's page is looked at with: clusters of every kind, jobs in every state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from project.core.messages import format_utc
from tests.contract.registry_process import entry, state

if TYPE_CHECKING:
    from tests.contract.registry_process import RegistryProcess

LONG_NAME = "relaxation_of_a_very_large_supercell_with_hybrid_functional_and_spin_orbit_coupling_v12"
ERROR_TEXT = "mpicc: error: solver.c:48: unknown type name 'real_t'\n" + "0123456789abcdef" * 20
CPUS = {
    "helios": {"allocated": 300, "idle": 80, "other": 20, "total": 400},
    "selene": {"allocated": 64, "idle": 0, "other": 0, "total": 64},
    "attic": {"allocated": 0, "idle": 24, "other": 8, "total": 32},
}
TASKS = ["COMPLETED"] * 40 + ["FAILED"] * 3 + ["RUNNING"] * 12 + ["PENDING"] * 5
STEPS = ["UPLOADED", "PREPROCESSING", "COMPILING", "SUBMITTED", "PENDING", "RUNNING"]


def furnish(registry: RegistryProcess) -> dict[str, str]:
    """Fill a started registry with accounts `ann` and `root`; return the jobs' UUIDs by name."""
    _furnish_clusters(registry)
    jobs = {name: registry.create_job(job_name=name) for name in ("array", "broken", LONG_NAME, "waiting", "new")}
    entries = [
        *_began(jobs["array"]),
        entry(jobs["array"], len(STEPS) + 1, "tasks", slurm_job_id="4711", rows=_rows(TASKS)),
        state(jobs["broken"], 1, "UPLOADED"),
        state(jobs["broken"], 2, "ERROR", stage="COMPILING", reason="make ended with 2", detail=ERROR_TEXT),
        *_began(jobs[LONG_NAME]),
        state(jobs[LONG_NAME], 7, "COMPLETED", exit_code="0:0"),
        entry(jobs[LONG_NAME], 8, "tasks", slurm_job_id="4712", rows=_rows(["COMPLETED"])),
        state(jobs[LONG_NAME], 9, "DONE"),
        state(jobs["waiting"], 1, "UPLOADED"),
        entry(jobs["waiting"], 2, "fields", fields={"slurm_job_id": "4713"}),
        state(jobs["waiting"], 3, "PENDING", reason="Resources"),
    ]
    assert registry.report(*entries).json()["refused"] == {}
    return jobs


def _furnish_clusters(registry: RegistryProcess) -> None:
    registry.put_cluster("helios", preferred_jobs=["mpi", "smp"], status=_status("helios", nodes=5, age_s=40))
    registry.put_cluster("selene", preferred_jobs=["serial"], status=_status("selene", nodes=1, age_s=200))
    registry.put_cluster("attic", enabled=False, status=_status("attic", nodes=2, age_s=9 * 86_400))


def _status(name: str, *, nodes: int, age_s: float) -> dict[str, Any]:
    return {
        "taken_at": format_utc(time.time() - age_s),
        "pending_jobs": 12,
        "running_jobs": 31,
        "cluster": {"nodes": nodes, "cpus": CPUS[name]},
        "nodes": [_node(name, number) for number in range(nodes)],
    }


def _node(name: str, number: int) -> dict[str, Any]:
    """Return a node's status; every second one is down."""
    down = number % 2 == 1
    return {
        "name": f"{name}{number}",
        "partitions": ["batch"],
        "state": "down*" if down else "mixed",
        "reason": "Not responding since the switch in rack 14 was replaced" if down else "",
        "cpus": {"allocated": 0, "idle": 0, "other": 16, "total": 16} if down else CPUS[name],
        "load": 1.0,
        "memory_mib": 256_000,
        "free_memory_mib": 1_000,
        "gres": "",
    }


def _began(job_uuid: str) -> list[dict[str, Any]]:
    return [state(job_uuid, seq, word) for seq, word in enumerate(STEPS, 1)]


def _rows(states: list[str]) -> list[dict[str, str]]:
    plain = len(states) == 1
    return [
        {
            "task": "" if plain else str(number),
            "JobID": f"4711_{number}",
            "State": word,
            "ExitCode": "1:0" if word == "FAILED" else "0:0",
            "Elapsed": "00:12:07",
            "NNodes": "1",
            "NodeList": "None assigned" if word == "PENDING" else "helios3",
            "NCPUS": "4",
            "AllocTRES": "billing=4,cpu=4,mem=8000M,node=1",
            "WorkDir": "/home/ann/gridferry/4f6c1f6a/work",
        }
        for number, word in enumerate(states)
    ]
