"""Which command runs the user's lines in a container here: Slurm's own `--container`, or Apptainer."""

import os
import shutil
from typing import List

from project.core.errors import StageFailed, SubmissionRefused
from project.core.slurm.containers import in_bundle, in_image, runtime_configuration
from project.wrapper.scheduler import Scheduler

_BUNDLE_FILE = "config.json"


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
    if is_bundle and os.path.exists(runtime_configuration(slurm.config().get("SLURM_CONF", ""))):
        return in_bundle(path)
    if shutil.which("apptainer"):
        return in_image(os.path.join(path, "rootfs") if is_bundle else path, workdir)
    wanted = "Slurm's --container nor Apptainer" if is_bundle else "Apptainer nor anything else that runs this image"
    raise SubmissionRefused(
        f"this cluster has neither {wanted}", remedy="Choose another cluster, or leave `container` out"
    )
