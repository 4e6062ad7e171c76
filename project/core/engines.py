"""The workload managers Gridferry can submit to; another one is a row here and a folder beside core/slurm."""

from project.core.errors import UsageError

ENGINES = frozenset({"slurm"})


def require_engine(workload_manager: str, cluster: str) -> None:
    """Check that a cluster's workload manager is one we know.

    Raises:
        UsageError: it is not.
    """
    if workload_manager not in ENGINES:
        raise UsageError(
            f"{cluster} is run by {workload_manager!r}, which Gridferry cannot submit to",
            remedy="Choose a cluster run by {}".format(" or ".join(sorted(ENGINES))),
        )
