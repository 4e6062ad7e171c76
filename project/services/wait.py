"""Waits for a job's end by asking the registry, patiently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.errors import JobFailed, RegistryUnavailable
from project.core.slurm.states import is_end_state
from project.core.states import GatewayState, is_final, is_success
from project.services.campaign.wait import wait_for_campaign
from project.services.pauses import waits_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from project.ports import Clock, Registry, View


@dataclass(frozen=True, kw_only=True)
class Waiter:
    """Waits for a job, or for all parts of a campaign; every attribute is a port."""

    registry: Registry
    view: View
    clock: Clock

    def wait(self, job_uuid: str, ending: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Return the job once nothing is left to do for it.

        Args:
            job_uuid: of the job.
            ending: called when it, or the first and the last task of a campaign, has ended in Slurm.

        Raises:
            JobFailed: it ended, and not well.
        """
        shown, pauses = "", waits_s()
        self.view.begin("wait")
        while True:
            job = self._ask(job_uuid)
            if job.get("campaign"):
                campaign = str(job["campaign"]["uuid"])
                return wait_for_campaign(self.registry, self.view, self.clock, campaign, ending)
            state = str(job.get("state", shown))
            if state != shown:
                self.view.begin(state)
                shown, pauses = state, waits_s()
            if is_final(state):
                self.view.end(str(job.get("outcome") or ""))
                return _judge(job)
            if is_end_state(state):
                ending()
            self.clock.sleep(next(pauses))

    def _ask(self, job_uuid: str) -> dict[str, Any]:
        """Return the job, or nothing while the registry is away: waiting goes on."""
        try:
            return self.registry.job(job_uuid)
        except RegistryUnavailable:
            return {}


def _judge(job: dict[str, Any]) -> dict[str, Any]:
    outcome = job.get("outcome")
    if is_success(outcome):
        return job
    bodies = [event["body"] for event in job.get("timeline", []) if event["kind"] == "state"]
    ends = [body for body in bodies if body["state"] in (outcome, GatewayState.ERROR.value)]
    told: dict[str, Any] = ends[-1] if ends else {}
    raise JobFailed(
        f"the job ended as {outcome or job['state']}{_because(told)}",
        remedy=f"What it left can be fetched: python -m project -r {job['job_uuid']}",
        detail=str(told.get("detail", "")),
    )


def _because(told: dict[str, Any]) -> str:
    reason = told.get("reason") or (f"exit code {told['exit_code']}" if told.get("exit_code") else "")
    return f" ({reason})" if reason else ""
