"""The job script: pure text, built from a validated job.

What stands before the user's own lines keeps the promise that they begin under one Slurm job only: the first
job to arrive leaves its id in the guard, by link(2), which either makes the file or finds it made; a job with
another id ends without running them. The same id goes on, for a requeued job must run again.
"""

import re
import shlex
from typing import List, NamedTuple, Sequence

from project.core import shell_words
from project.core.errors import SubmissionRefused
from project.core.job import JobSpec, Resources
from project.core.layout import JobPaths
from project.core.placeholders import ShellText
from project.core.slurm.directives import directives, placed
from project.core.task_table import shell_lines

#: What a surplus job exits with (EX_CONFIG of sysexits.h): no user command has run under it.
SURPLUS_EXIT_CODE = 78

#: OpenMP's and MKL's number of threads; srun stopped reading --cpus-per-task from the job in 22.05 (srun(1)).
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "SRUN_CPUS_PER_TASK")

#: An option that a directive may hold as it is: no space, quote, backslash or number sign.
_PLAIN = re.compile(r"[^\s\"'\\#]+")
#: What ends the comment that a directive is, so that the shell runs the rest.
_ENDS_LINE = re.compile("[\x00-\x1f\x7f]")

_WATCHER_LIMIT_S = 30 * 60
_WATCHER_MIB = 200

#: An array has thousands of tasks: once the guard is there, a task begins and ends without starting any program.
_GUARD = """\
gridferry_control={control}
gridferry_id=${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}
gridferry_task=${{SLURM_ARRAY_TASK_ID:-job}}
if [ ! -e "$gridferry_control/guard" ]; then
    gridferry_own=$gridferry_control/guard.$SLURM_JOB_ID
    printf '%s\\n' "$gridferry_id" > "$gridferry_own" && ln "$gridferry_own" "$gridferry_control/guard" 2>/dev/null
    rm -f "$gridferry_own"
fi
read -r gridferry_owner < "$gridferry_control/guard"
if [ "$gridferry_owner" != "$gridferry_id" ]; then
    echo "Slurm job $gridferry_id ends here: this job runs as $gridferry_owner." >&2
    exit {surplus}
fi
{login}printf '%(%s)T\\n' -1 > "$gridferry_control/marks/start.$gridferry_task"
trap 'printf "%s %(%s)T\\n" "$?" -1 > "$gridferry_control/marks/end.$gridferry_task"' EXIT
"""
#: A plain job runs in a login shell, so that `module` is there; the tasks of an array come to the same by LOGIN_ONCE.
_LOGIN = '. "$gridferry_control/login.sh"\n'


class Placement(NamedTuple):
    """What the cluster adds to a job.

    Attributes:
        partition: of the cluster, used unless the job file names one.
        waits_for: Slurm ids of jobs that must have ended well before this one starts.
        container: command line in front of `sh -c LINES` that runs the user's lines in a container; empty for none.
        follows: Slurm id of a job that must have ended, in whatever way, before this one starts; "" for none.
        table: of a campaign's tasks; "" for other jobs.
        placeholders: names of the values in it.
    """

    partition: str = ""
    waits_for: Sequence[str] = ()
    container: Sequence[str] = ()
    follows: str = ""
    table: str = ""
    placeholders: Sequence[str] = ()


def render(spec: JobSpec, *, job_uuid: str, paths: JobPaths, workdir: str, placement: Placement) -> str:
    """Return the job script.

    Args:
        spec: the validated job file.
        job_uuid: becomes Slurm's job name.
        paths: where the job lives on the cluster.
        workdir: where the user's lines run.
        placement: what the cluster adds.

    Raises:
        SubmissionRefused: something would not stay on its line of the script.
    """
    array = spec.resources.array is not None
    sections = [
        ["#!/bin/bash" if array else "#!/bin/bash -l", *_header(spec, job_uuid, paths, workdir, placement), ""],
        [_GUARD.format(control=shlex.quote(paths.control), surplus=SURPLUS_EXIT_CODE, login=_LOGIN if array else "")],
        [*_environment(spec), *(shell_lines(placement.table) if placement.table else ()), ""],
        [*_commands(spec, placement), ""],
    ]
    return "\n".join(line for section in sections for line in section)


_WATCHER = """\
#!/bin/bash
{directives}
exec {command}
"""


def render_watcher(spec: JobSpec, *, slurm_job_id: str, log: str, partition: str, command: Sequence[str]) -> str:
    """Return the script of the tiny job that follows where login nodes kill what users leave behind.

    It starts when the job has ended, however it ended, and takes over from a follower that is no more.

    Args:
        spec: the job it belongs to; charged and placed like it.
        slurm_job_id: the job's id.
        log: file its messages go to.
        partition: of the cluster, unless the job file names one.
        command: what it runs.
    """
    resources = Resources(
        time_limit_s=_WATCHER_LIMIT_S,
        ntasks=1,
        mem_per_cpu_mib=_WATCHER_MIB,
        partition=spec.resources.partition or partition or None,
        account=spec.resources.account,
        qos=spec.resources.qos,
    )
    own = ("--job-name=gridferry-follower", "--open-mode=append", f"--output={log}", f"--error={log}")
    options = (*own, f"--dependency=afterany:{slurm_job_id}", *directives(resources))
    lines = [f"#SBATCH {_directive_word(option)}" for option in options]
    return _WATCHER.format(directives="\n".join(lines), command=shell_words.join(command))


def _commands(spec: JobSpec, placement: Placement) -> Sequence[str]:
    """Return the user's lines as they are (placeholders apart), or as one script inside the container."""
    lines = "\n".join(spec.execution)
    if placement.table:
        lines = ShellText(lines, placement.placeholders).written
    if not placement.container:
        return [lines]
    words = [*placement.container, "/bin/sh", "-c", lines]
    return [shell_words.join(words)]


def _header(spec: JobSpec, job_uuid: str, paths: JobPaths, workdir: str, placement: Placement) -> List[str]:
    resources = placed(spec.resources, placement.partition)
    array = resources.array is not None
    options = [
        f"--job-name={job_uuid}",
        *directives(resources),
        *_dependency(placement),
        f"--chdir={workdir}",
        "--output={}".format(paths.slurm_output(array=array, extension="out")),
        "--error={}".format(paths.slurm_output(array=array, extension="err")),
    ]
    return [f"#SBATCH {_directive_word(option)}" for option in options]


def _dependency(placement: Placement) -> List[str]:
    """Return the options that make Slurm wait for other jobs, and cancel this one if one that must end well fails."""
    wanted = (("afterok", placement.waits_for), ("afterany", [placement.follows] if placement.follows else ()))
    rules = ["{}:{}".format(rule, ":".join(slurm_job_ids)) for rule, slurm_job_ids in wanted if slurm_job_ids]
    if not rules:
        return []
    return ["--dependency={}".format(",".join(rules)), "--kill-on-invalid-dep=yes"]


def _directive_word(option: str) -> str:
    """Quote an option as sbatch reads directives: double quotes around what is not plain, backslashes in them.

    Raises:
        SubmissionRefused: it would not stay on its line.
    """
    if _ENDS_LINE.search(option):
        raise SubmissionRefused(f"{option!r} cannot be asked of Slurm", remedy="Leave out line ends")
    if _PLAIN.fullmatch(option):
        return option
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", option))


def _environment(spec: JobSpec) -> List[str]:
    lines = ['export JOB_ID="$SLURM_JOB_ID"', 'export NODE_NAME="$SLURMD_NODENAME"']
    if spec.resources.cpus_per_task is not None:
        lines += [f"export {name}={spec.resources.cpus_per_task}" for name in _THREAD_VARIABLES]
    lines += module_loads(spec.environment_modules)
    if spec.resources.array is not None:
        lines.append('echo "Array task $SLURM_ARRAY_TASK_ID of job $SLURM_ARRAY_JOB_ID on $NODE_NAME"')
    return lines


def module_loads(names: Sequence[str]) -> List[str]:
    """Return the shell lines that load environment modules, each ending the script if it cannot be loaded."""
    return [f"module load {shlex.quote(name)} || exit 1" for name in names]
