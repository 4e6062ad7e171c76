"""The way to the cluster a job is on, with the key and account it was submitted with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from project.core.errors import TransferFailed
from project.services.logins import LoginChoice, login_for
from project.services.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from project.ports import Connector, FarProgram, LoginNode, Prompter, RecordStore, View


@dataclass(frozen=True, kw_only=True)
class FarSide:
    """Opens connections to where jobs are; every attribute is a port."""

    connector: Connector
    records: RecordStore
    toolbox: FarProgram
    prompter: Prompter
    view: View
    logins: LoginChoice

    def connect(self, job: Mapping[str, Any], overrides: Mapping[str, Any]) -> Remote:
        """Connect to a job's cluster, with the toolbox at hand.

        Args:
            job: as the registry has it.
            overrides: `private_key`, `passphrase` or `username` to use instead of the recorded ones.

        Raises:
            Unreachable, AuthenticationFailed, HostKeyRefused: see Connector.connect.
        """
        cluster = job["destination_cluster"]
        node = self._log_in(job, overrides)
        return Remote(node, cluster, self.toolbox, own_python=self.logins.own_python(str(cluster["name"])))

    def reached(self, job: Mapping[str, Any]) -> Remote:
        """Return a connection on which the first words have been exchanged; errors as of `connect`."""
        remote = self.connect(job, {})
        try:
            remote.reach()
        except BaseException:
            remote.close()
            raise
        return remote

    def _log_in(self, job: Mapping[str, Any], overrides: Mapping[str, Any]) -> LoginNode:
        self.view.begin("connect")
        cluster = job["destination_cluster"]
        record = self._record(job)
        username = record.get("username") or str(job["user_input"].get("username") or "")
        known = {"username": username, "private_key": record.get("private_key")}
        given = {key: value for key, value in overrides.items() if value}
        user_input = {**known, **given}
        if not self.logins.has_own_key(str(cluster["name"])):
            user_input["private_key"] = self._key_that_exists(user_input["private_key"])
        node = self.connector.connect(login_for(cluster, user_input, self.logins))
        self.view.end(str(cluster["name"]))
        return node

    def _record(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Return how the job was submitted from here; of a campaign, one record stands for all parts."""
        campaign = job.get("campaign") or {}
        uuids = dict.fromkeys([str(job["job_uuid"]), str(campaign.get("uuid", job["job_uuid"]))])
        return next((record for record in map(self.records.load, uuids) if record), {})

    def _key_that_exists(self, key: str | None) -> str | None:
        """Return the key's path, asking for another one where it is no longer there."""
        while key and not Path(key).expanduser().exists():
            key = self.prompter.text(f"The key {key} is no longer there. Path of the key to use")
        return key


def refuse_cleaned(job: Mapping[str, Any]) -> None:
    """Check that a job's folder has not been cleaned away.

    Raises:
        TransferFailed: it has.
    """
    if job.get("cleaned_at"):
        raise TransferFailed(
            f"the job's folder on {job['cluster']} was removed by `clean`",
            remedy="Its results are where they were fetched to",
        )
