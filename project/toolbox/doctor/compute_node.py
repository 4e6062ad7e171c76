"""Whether compute nodes see our folder: proven by a job of a second that leaves a file in it."""

import os
import shlex

from project.core.errors import GridferryError, SchedulerUnavailable
from project.core.findings import Finding, failure, ok, warning
from project.core.job import Resources
from project.core.slurm.directives import directives
from project.core.slurm.states import parse_state
from project.toolbox.doctor.patient import Patient
from project.wrapper import files

_NAME = "gridferry-doctor"
#: How long a node may take to become free, and how long a file may take to be seen once the job has ended.
PATIENCE_S, LATE_S = 60.0, 20.0
_LOOK_EVERY_S = 0.25
_TIME_LIMIT_S, _MIB = 60, 50

_SCRIPT = """\
#!/bin/sh
{directives}
echo "$SLURMD_NODENAME" > {mark}.new && mv {mark}.new {mark}
"""


def compute_nodes(patient: Patient) -> Finding:
    """Run the job and wait for its file."""
    mark = os.path.join(patient.paths.control, f"seen-{os.urandom(4).hex()}")
    script = mark + ".sbatch"
    name = os.path.basename(mark)
    resources = Resources(
        time_limit_s=_TIME_LIMIT_S, ntasks=1, mem_per_cpu_mib=_MIB, partition=patient.partition or None
    )
    options = [f"--job-name={_NAME}", "--output=/dev/null", "--error=/dev/null", "--chdir=/", *directives(resources)]
    lines = "\n".join(f"#SBATCH {option}" for option in options)
    files.replace(script, _SCRIPT.format(directives=lines, mark=shlex.quote(mark)).encode())
    try:
        slurm_job_id = patient.slurm.submit(script, held=False)
        return _wait(patient, slurm_job_id, name)
    except GridferryError as error:
        return failure(f"a job of one second: {error.message}", error.remedy or "`where -u` tells what Slurm takes")
    finally:
        for leftover in (script, mark, mark + ".new"):
            files.remove(leftover)


def _wait(patient: Patient, slurm_job_id: str, name: str) -> Finding:
    """Wait for the file; what the queue says tells a busy cluster from a folder that is not shared."""
    folder, began_s, ended_s = patient.paths.control, patient.clock.now_s(), 0.0
    while True:
        if name in os.listdir(folder):
            node = (files.read_text(os.path.join(folder, name)) or "").strip()
            return ok(f"{node} sees {patient.paths.root}")
        now_s = patient.clock.now_s()
        if ended_s and now_s - ended_s > LATE_S:
            return failure(
                f"compute nodes do not see {patient.paths.root}",
                "Have `job_root` of this cluster lead to a folder that they share, such as $SCRATCH",
            )
        if not ended_s and now_s - began_s > PATIENCE_S:
            patient.slurm.cancel(slurm_job_id)
            return warning(f"no node was free within {PATIENCE_S:.0f} s", "Look again when less is going on there")
        ended_s = ended_s or (now_s if _has_ended(patient, slurm_job_id) else 0.0)
        patient.clock.sleep(_LOOK_EVERY_S)


def _has_ended(patient: Patient, slurm_job_id: str) -> bool:
    """Whether the queue shows the job as ended, or no more."""
    try:
        rows = [row for row in patient.slurm.queue(_NAME) if row.slurm_job_id == slurm_job_id]
    except SchedulerUnavailable:
        return False
    return all(parse_state(row.state).ended for row in rows)
