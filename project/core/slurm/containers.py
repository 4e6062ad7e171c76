"""Running lines in a container: `srun --container` for OCI bundles (from Slurm 21.08 on), or Apptainer under srun.

Source: srun(1), oci.conf(5), apptainer-exec(1).
"""

from typing import List


def runtime_configuration(slurm_conf: str) -> str:
    """Return the path of the file that is there where Slurm runs bundles, beside its slurm.conf.

    `scontrol show config` does not tell it in 22.05 (measured).
    """
    return "/".join([*slurm_conf.split("/")[:-1], "oci.conf"])


def in_bundle(bundle: str) -> List[str]:
    """Return what stands before a command that runs in an OCI bundle."""
    return ["srun", f"--container={bundle}"]


def in_image(image: str, workdir: str) -> List[str]:
    """Return what stands before a command that runs in an image, or in an unpacked root, in the working directory."""
    return ["srun", "apptainer", "exec", "--bind", workdir, "--pwd", workdir, image]
