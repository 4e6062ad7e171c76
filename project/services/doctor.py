"""Looks at everything that a job needs on a cluster, from here to a compute node, and tells what is in the way."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from project.core.cluster import description
from project.core.errors import AuthenticationFailed, GridferryError, HostKeyRefused, Unreachable, UsageError
from project.core.findings import FILES, STREAM, TO_THE_LOGIN, Finding, failure, ok, warning
from project.core.messages import parse_utc
from project.core.units import format_duration
from project.services.logins import LoginChoice, login_for
from project.services.remote import Remote
from project.services.reporting import report_way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from project.ports import Clock, Connector, FarProgram, LoginNode, Registry, View
    from project.services.select_cluster import Cluster
    from project.services.survival import Survival

#: The way to a login, step by step: what an error calls it, and what is looked at.
_STEPS = tuple(zip(("name", "port", "banner", "host key", "login", "prompts"), TO_THE_LOGIN, strict=True))
#: Clocks further apart than this make times of the two machines hard to read side by side.
_CLOCK_S = 60.0
_MODES = {
    "daemon": "a process of yours outlives a login",
    "systemd": "a service of your systemd outlives a login",
}


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Looks at clusters; every attribute is a port.

    Attributes:
        connector: one that may ask the person.
        silent_connector: one that asks nobody, as scripts and `where` need it.
    """

    connector: Connector
    silent_connector: Connector
    registry: Registry
    toolbox: FarProgram
    survival: Survival
    clock: Clock
    view: View
    logins: LoginChoice

    def examine(self, cluster: Cluster, user_input: Mapping[str, Any]) -> Iterator[Finding]:
        """Yield what is found, in the order of a job's way; after a login that fails there is nothing more."""
        node, found = self._log_in(cluster, user_input)
        yield from found
        if node is None:
            return
        remote = Remote(node, cluster, self.toolbox, own_python=self.logins.own_python(str(cluster["name"])))
        try:
            yield from self._on_login_node(remote, node, cluster)
        finally:
            remote.close()
        yield self._survival(cluster, user_input)

    def _log_in(self, cluster: Cluster, user_input: Mapping[str, Any]) -> tuple[LoginNode | None, list[Finding]]:
        """Log in without a question; where one is needed, say so and let the person answer it."""
        try:
            login = login_for(cluster, user_input, self.logins)
            try:
                return self.silent_connector.connect(login), steps("")
            except UsageError as error:
                asked = warning(error.message, "Let your SSH agent hold the key (`ssh-add`), for scripts, too")
                return self.connector.connect(login), [*steps("prompts"), asked._replace(check="prompts")]
        except GridferryError as error:
            step = _step_of(error)
            refused = failure(error.message, error.remedy or "See `ssh -v` to this host")
            return None, [*steps(step), refused._replace(check=dict(_STEPS)[step])]

    def _on_login_node(self, remote: Remote, node: LoginNode, cluster: Cluster) -> Iterator[Finding]:
        """Yield what the login node and Slurm say of themselves; the same first words as before a submission."""
        try:
            paths = remote.reach()
            name = f"doctor-{os.urandom(8).hex()}.json"
            yield self._files(
                node, f"{paths.control}/{name}", {"cluster": description(cluster), **self._way(cluster)}
            )
            for event in remote.run("examine", name):
                if event["event"] == "finding":
                    yield Finding(*(event["finding"][field] for field in Finding._fields))
                elif event["event"] == "clock":
                    yield self._clocks(str(event["now"]))
        except GridferryError as error:
            yield failure(error.message, error.remedy or "Try again")._replace(check="first words")

    @staticmethod
    def _files(node: LoginNode, path: str, asked: Mapping[str, Any]) -> Finding:
        """Bring a file there, the one that says what to look at, and look whether it came whole."""
        content = json.dumps(asked).encode()
        node.put(content, path)
        if node.read(path, len(content) + 1) != content:
            return failure("a file came back changed", "Tell the cluster's administrators")._replace(check=FILES)
        return ok(node.transfers_by, STREAM if node.streams_files else "")._replace(check=FILES)

    def _way(self, cluster: Cluster) -> dict[str, str]:
        """Return where the cluster is to send reports; "" if it shall not, or nobody knows."""
        try:
            way = report_way(self.registry.report_credentials(str(cluster["name"])), cluster, self.logins)
        except GridferryError:
            return {"registry": ""}
        return {"registry": way.url}

    def _clocks(self, there: str) -> Finding:
        apart_s = parse_utc(there) - self.clock.now_s()
        text = f"{format_duration(abs(apart_s))} {'ahead of' if apart_s > 0 else 'behind'} this machine's"
        if abs(apart_s) > _CLOCK_S:
            return warning(text, "Set the clock of whichever is wrong (`timedatectl`)")._replace(check="clock")
        return ok(text)._replace(check="clock")

    def _survival(self, cluster: Cluster, user_input: Mapping[str, Any]) -> Finding:
        """Prove by a second login what outlives the first."""
        self.view.begin("log in again")
        try:
            mode = self.survival.prove(cluster, user_input).mode
        except GridferryError as error:
            return failure(error.message, error.remedy or "Try again")._replace(check="after logout")
        self.view.end()
        text = _MODES.get(mode, "nothing outlives a login; a tiny job in Slurm's queue follows your jobs")
        return ok(text)._replace(check="after logout")


def steps(failed: str) -> list[Finding]:
    """Return the findings of those steps of a login that came before the one that failed; of all for ""."""
    names = [name for name, _ in _STEPS]
    done = names[: names.index(failed)] if failed else names
    checked = [check for name, check in _STEPS if name in done]
    return [ok("none" if check == "prompts" else "well")._replace(check=check) for check in checked]


def _step_of(error: GridferryError) -> str:
    """Return the step of a login that an error belongs to."""
    if isinstance(error, Unreachable):
        return error.step or "port"
    kinds = ((HostKeyRefused, "host key"), (AuthenticationFailed, "login"), (UsageError, "prompts"))
    return next((step for kind, step in kinds if isinstance(error, kind)), "login")


def levels(found: Sequence[Finding]) -> list[str]:
    """Return the levels of findings."""
    return [finding.level for finding in found]
