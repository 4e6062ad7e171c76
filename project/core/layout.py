"""Every path Gridferry has on a cluster, in one place; always absolute, with `/`.

<job_root>/gridferry/
control/                    private to the user
wrapper-<sha12>.pyz     the far side, named by its content; toolbox-<sha12>.pyz: its other commands
python                  the interpreter found by the probe
engine                  the workload manager, as the registry calls it
registry-<key>.json     where to report, and the token that can only report; one of each registry
active/<uuid>           a marker for each job the follower still has work with
follower/               its lease files and log; survival.json: what outlives a login
jobs/<uuid>/
parcel.tar.gz           spec, modules and (for a directory) the job, as uploaded
spec.json               the validated user input and the cluster
work/                   the working directory
tasks                   of a campaign's part: the table of its tasks
modules/                the user's modules
journal/000001.json     what there is to report, one file an entry
control/                intent, slurm_job_id, guard, leases, marks of the job script
job.sbatch              the job script
slurm-<id>[_<task>].out what the job printed (.err: its errors)
"""

import posixpath
from typing import NamedTuple

FOLDER = "gridferry"


class ClusterPaths(NamedTuple):
    """Paths that all jobs of one user on one cluster share.

    Attributes:
        root: `<job_root>/gridferry`.
    """

    root: str

    @property
    def control(self) -> str:
        """The private folder."""
        return posixpath.join(self.root, "control")

    @property
    def python(self) -> str:
        """File that names the interpreter found by the probe."""
        return posixpath.join(self.control, "python")

    @property
    def engine(self) -> str:
        """File that names the workload manager."""
        return posixpath.join(self.control, "engine")

    def registry(self, key: str) -> str:
        """Credentials for reporting to the registry that jobs know by this key."""
        return posixpath.join(self.control, f"registry-{key}.json")

    @property
    def active(self) -> str:
        """Folder with a marker for each job that is not done with."""
        return posixpath.join(self.control, "active")

    @property
    def follower(self) -> str:
        """Folder of the follower's lease and log."""
        return posixpath.join(self.control, "follower")

    @property
    def survival(self) -> str:
        """File that tells what outlives a login here, or what tries it."""
        return posixpath.join(self.follower, "survival.json")

    @property
    def jobs(self) -> str:
        """Folder of all jobs."""
        return posixpath.join(self.root, "jobs")

    def program(self, file_name: str) -> str:
        """One of our zipapps, named by its content."""
        return posixpath.join(self.control, file_name)

    def job(self, job_uuid: str) -> "JobPaths":
        """Return the paths of one job."""
        return JobPaths(posixpath.join(self.jobs, job_uuid))


class JobPaths(NamedTuple):
    """Paths of one job.

    Attributes:
        directory: `<root>/jobs/<uuid>`.
    """

    directory: str

    def _in(self, *names: str) -> str:
        return posixpath.join(self.directory, *names)

    @property
    def parcel(self) -> str:
        """What the client uploads."""
        return self._in("parcel.tar.gz")

    @property
    def spec(self) -> str:
        """The validated user input, the cluster and the modules."""
        return self._in("spec.json")

    @property
    def source(self) -> str:
        """A repository the client cloned for the cluster."""
        return self._in("source.tar.gz")

    @property
    def source_needed(self) -> str:
        """File made once the cluster has found that it cannot clone itself."""
        return self._in("control", "source_needed")

    @property
    def changed_input(self) -> str:
        """The user input as preprocessing modules left it."""
        return self._in("control", "user_input.json")

    @property
    def tasks(self) -> str:
        """The table of a campaign's tasks."""
        return self._in("tasks")

    @property
    def parts(self) -> str:
        """Folders of further parts of the campaign that came in the same parcel, until they are in their places."""
        return self._in("parts")

    @property
    def job_uuid(self) -> str:
        """Of this job."""
        return posixpath.basename(self.directory)

    def beside(self, job_uuid: str) -> "JobPaths":
        """Return the paths of another job on this cluster."""
        return JobPaths(posixpath.join(posixpath.dirname(self.directory), job_uuid))

    @property
    def work(self) -> str:
        """Where the user's commands run."""
        return self._in("work")

    @property
    def modules(self) -> str:
        """The user's modules."""
        return self._in("modules")

    @property
    def journal(self) -> str:
        """Folder of journal entries."""
        return self._in("journal")

    @property
    def acknowledged(self) -> str:
        """File with the number of the last entry the registry has taken."""
        return self._in("control", "acknowledged")

    @property
    def control(self) -> str:
        """Folder of what keeps the submission exactly once."""
        return self._in("control")

    @property
    def lease(self) -> str:
        """Folder of the lease of whoever works on this job."""
        return self._in("control", "lease")

    @property
    def intent(self) -> str:
        """File written before the first sbatch."""
        return self._in("control", "intent.json")

    @property
    def slurm_job_id(self) -> str:
        """File with the one Slurm job id of this job."""
        return self._in("control", "slurm_job_id")

    @property
    def cancelled(self) -> str:
        """File made when the job shall not go into the queue any more."""
        return self._in("control", "cancelled")

    @property
    def released(self) -> str:
        """File made once that job has been released."""
        return self._in("control", "released")

    @property
    def guard(self) -> str:
        """File with the Slurm job id under which the user's commands began."""
        return self._in("control", "guard")

    @property
    def marks(self) -> str:
        """Folder in which the job script notes starts and ends."""
        return self._in("control", "marks")

    def end_mark(self, task: str) -> str:
        """What the job script noted at its end: exit code and time; `task` is "" for a plain job."""
        return self._in("control", "marks", f"end.{task or 'job'}")

    @property
    def steps(self) -> str:
        """Folder of finished pipeline steps."""
        return self._in("control", "steps")

    @property
    def script(self) -> str:
        """The job script."""
        return self._in("job.sbatch")

    @property
    def login(self) -> str:
        """What the tasks of an array read in place of a login shell's files."""
        return self._in("control", "login.sh")

    @property
    def watcher(self) -> str:
        """Script of the job that follows, where `follow` is "slurm"."""
        return self._in("control", "watcher.sbatch")

    def log(self, stage: str) -> str:
        """What a stage's commands printed."""
        return self._in(f"{stage}.log")

    def slurm_output(self, *, array: bool, extension: str) -> str:
        """Slurm's filename pattern of the job's output (`out`) or errors (`err`)."""
        return self._in("slurm-{}.{}".format("%A_%a" if array else "%j", extension))
