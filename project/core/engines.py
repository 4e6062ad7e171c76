"""The workload managers Gridferry can submit to; another one is a row here and a folder beside core/slurm."""

from typing import Dict

from project.core.engine import Engine
from project.core.errors import UsageError
from project.core.slurm.engine import SlurmEngine

DEFAULT = "slurm"
ENGINES: Dict[str, Engine] = {
    "slurm": SlurmEngine(),
}


def require_engine(workload_manager: str, cluster: str) -> Engine:
    """Return the engine of a cluster.

    Raises:
        UsageError: its workload manager is none that we know.
    """
    engine = ENGINES.get(workload_manager)
    if engine is None:
        raise UsageError(
            f"{cluster} is run by {workload_manager!r}, which Gridferry cannot submit to",
            remedy="Choose a cluster run by {}".format(" or ".join(sorted(ENGINES))),
        )
    return engine
