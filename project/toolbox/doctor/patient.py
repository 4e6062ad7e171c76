"""What the checks look at."""

from types import MappingProxyType
from typing import Any, List, Mapping, NamedTuple

from project.core.layout import ClusterPaths
from project.core.slurm.commands import CommandResult
from project.core.slurm.rights import Right, ShowRights
from project.wrapper.clock import Clock
from project.wrapper.shell import run
from project.wrapper.slurm import Slurm

#: A check that takes longer is a finding of its own.
LIMIT_S = 15.0


class DoctorSlurm(Slurm):
    """Slurm, asked what the user may do."""

    @property
    def user(self) -> str:
        """The account we are."""
        return self._user

    def rights(self) -> List[Right]:
        """Return what the accounting lets the user do here."""
        command = ShowRights(self._user, self.config().get("ClusterName", ""))
        return self.ask(command.argv(), command.parse)


class Patient(NamedTuple):
    """What is looked at.

    Attributes:
        paths: of Gridferry on this cluster.
        cluster: its document.
        registry: address of the registry as seen from here, "" if it shall not be asked.
        slurm: to ask.
        clock: for waits.
    """

    paths: ClusterPaths
    cluster: Mapping[str, Any]
    registry: str
    slurm: DoctorSlurm
    clock: Clock

    @property
    def partition(self) -> str:
        """The cluster's usual partition, "" for Slurm's default one."""
        return str(self.cluster.get("partition") or "")


def said(*argv: str, variables: Mapping[str, str] = MappingProxyType({})) -> CommandResult:
    """Return what a program says, exit code 127 if it is not here."""
    try:
        return run(argv, timeout_s=LIMIT_S, environment=variables)
    except OSError as error:
        return CommandResult(127, "", str(error))
