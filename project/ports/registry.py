"""The registry, as the services see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Registry(Protocol):
    """The registry's REST API, as the client uses it."""

    @property
    def key(self) -> str:
        """What it is known by where several registries have jobs."""

    def clusters(self) -> list[dict[str, Any]]:
        """All clusters."""

    def save_cluster(self, document: Mapping[str, Any]) -> None:
        """Create a cluster, or change the keys of it that are given (administrators only)."""

    def remove_cluster(self, name: str) -> None:
        """Forget a cluster (administrators only)."""

    def put_status(self, cluster: str, status: Mapping[str, Any]) -> None:
        """Tell a cluster's status, as the cluster itself has just said it."""

    def create_job(self, job_uuid: str, document: Mapping[str, Any]) -> None:
        """Create a job (again, with the same content, changes nothing)."""

    def job(self, job_uuid: str) -> dict[str, Any]:
        """All stored values of a job."""

    def jobs(self, **wanted: str) -> list[dict[str, Any]]:
        """The user's newest jobs in short; `wanted` are the query parameters of docs/protocol.md."""

    def jobs_beginning(self, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """The user's jobs whose UUID begins with one of these (at least 4 characters), in short."""

    def history(self) -> list[dict[str, Any]]:
        """The user's newest jobs that ended well, all stored values of each."""

    def update_job(self, job_uuid: str, fields: Mapping[str, Any]) -> None:
        """Set some fields of a job."""

    def account(self) -> dict[str, Any]:
        """The user's account: `name`, `mail`, `admin`."""

    def states(self, job_uuid: str) -> list[str]:
        """Current states of a job, one per array task."""

    def report_credentials(self, cluster: str) -> dict[str, Any]:
        """A token that can only report for this user on this cluster, and where to send the reports."""

    def relay(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Send journal entries fetched from a cluster under the user's own token."""
