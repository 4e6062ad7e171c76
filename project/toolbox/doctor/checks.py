"""The table of checks on the far side, in the order in which they are told."""

from typing import Any, Callable, Dict, Iterator, NamedTuple

from project.core.errors import GridferryError
from project.core.findings import COMPUTE_NODES, FOLDER, GIT, QUOTA, REGISTRY, Finding, failure
from project.toolbox.doctor import machine, scheduler
from project.toolbox.doctor.compute_node import compute_nodes
from project.toolbox.doctor.patient import Patient


class Check(NamedTuple):
    """One check.

    Attributes:
        name: what is looked at.
        look: looks.
    """

    name: str
    look: Callable[[Patient], Finding]


CHECKS = (
    Check("Python", machine.python),
    Check("shell", machine.shell_noise),
    Check(FOLDER, machine.folder),
    Check(QUOTA, machine.used_up),
    Check("Slurm's commands", scheduler.commands),
    Check("Slurm's controller", scheduler.controller),
    Check("Slurm's accounting", scheduler.accounting),
    Check("accounts", scheduler.accounts),
    Check("partitions", scheduler.partitions),
    Check("usage", scheduler.usage),
    Check(COMPUTE_NODES, compute_nodes),
    Check(REGISTRY, machine.registry),
    Check(GIT, machine.git),
    Check("compiler", machine.compiler),
    Check("modules", machine.modules),
    Check("containers", machine.containers),
)


def examine(patient: Patient) -> Iterator[Dict[str, Any]]:
    """Yield each finding, as soon as it is made; a check that breaks is a finding, too."""
    for check in CHECKS:
        try:
            found = check.look(patient)
        except GridferryError as error:
            found = failure(error.message, error.remedy or "Try again later")
        except OSError as error:
            found = failure(str(error), "Ask the cluster's administrators")
        yield found._replace(check=check.name)._asdict()
