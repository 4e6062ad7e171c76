"""Which command runs the user's lines in a container here: Slurm's own `--container`, or Apptainer."""

import os
import shutil
from typing import List

from project.core.errors import StageFailed, SubmissionRefused
from project.wrapper.scheduler import Scheduler

_BUNDLE_FILE = "config.json"
_OCI_CONF = "oci.conf"


def container_command(container: str, workdir: str, slurm: Scheduler) -> List[str]:
    """Return the command line in front of `sh -c LINES`.

    Args:
        container: path of an OCI bundle (a directory with config.json) or of an image; relative to `workdir`.
        workdir: where the lines run.
        slurm: asked whether it runs containers.

    Raises:
        StageFailed: there is nothing at this path.
        SubmissionRefused: this cluster cannot run it.
    """
    path = os.path.join(workdir, os.path.expanduser(container))
    if not os.path.exists(path):
        raise StageFailed(f"there is no container {path}", remedy="Name a path on the cluster, or bring it along")
    is_bundle = os.path.isfile(os.path.join(path, _BUNDLE_FILE))
    if is_bundle and _slurm_runs_bundles(slurm):
        return ["srun", f"--container={path}"]
    if shutil.which("apptainer"):
        image = os.path.join(path, "rootfs") if is_bundle else path
        return ["srun", "apptainer", "exec", "--bind", workdir, "--pwd", workdir, image]
    wanted = "Slurm's --container nor Apptainer" if is_bundle else "Apptainer nor anything else that runs this image"
    raise SubmissionRefused(
        f"this cluster has neither {wanted}", remedy="Choose another cluster, or leave `container` out"
    )


def _slurm_runs_bundles(slurm: Scheduler) -> bool:
    """Whether this Slurm has a runtime for `--container`: oci.conf beside slurm.conf (oci.conf(5), from 21.08 on).

    `scontrol show config` does not tell it in 22.05 (measured).
    """
    conf = slurm.config().get("SLURM_CONF", "")
    return os.path.exists(os.path.join(os.path.dirname(conf), _OCI_CONF))
