"""The job script: its text, and what bash makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from project.core.errors import SubmissionRefused
from project.core.job import JobSpec, Resources
from project.core.job_file.kinds import ARRAY
from project.core.layout import JobPaths
from project.core.slurm.login_once import LOGIN_ONCE
from project.core.slurm.script import SURPLUS_EXIT_CODE, Placement, render, render_watcher

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_NOTHING = Placement()


def spec(*execution: str, resources: Resources | None = None, modules: tuple[str, ...] = ()) -> JobSpec:
    """A job of these lines."""
    return JobSpec(
        "jdoe", "j@example.org", "nic5", execution, environment_modules=modules, resources=resources or Resources()
    )


class Cluster:
    """A folder in which a job script runs as slurmd would run it."""

    def __init__(self, folder: Path) -> None:
        self.paths = JobPaths(str(folder))
        self.folder = folder
        for name in ("work", "control/marks", "home"):
            (folder / name).mkdir(parents=True)

    def script(self, job: JobSpec, placement: Placement) -> Path:
        """Write the job script."""
        text = render(job, job_uuid=_UUID, paths=self.paths, workdir=self.paths.work, placement=placement)
        path = self.folder / "job.sbatch"
        path.write_text(text)
        path.chmod(0o700)
        Path(self.paths.login).write_text(LOGIN_ONCE)
        return path

    def run(
        self, job: JobSpec, slurm_job_id: int, placement: Placement = _NOTHING, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it under a Slurm job id."""
        return self.start(self.script(job, placement), slurm_job_id, **variables)

    def start(self, script: Path, slurm_job_id: int, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script that is written already, under a Slurm job id."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "SLURMD_NODENAME": "node1"}
        environment |= {"SLURM_JOB_ID": str(slurm_job_id), **variables}
        return subprocess.run(
            [script], env=environment, cwd=self.paths.work, capture_output=True, text=True, check=False, timeout=30
        )

    def marks(self) -> list[str]:
        """The names of the marks it left."""
        return sorted(path.name for path in (self.folder / "control" / "marks").iterdir())


@pytest.fixture(params=["plain", "with space", 'it\'s "odd" $HOME `x` \\#'])
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Cluster:
    """A cluster whose job folder has an ordinary or an odd name."""
    return Cluster(tmp_path / request.param)


def render_plain() -> str:
    """The script of a plain job."""
    return render(spec("true"), job_uuid=_UUID, paths=JobPaths("/x"), workdir="/x", placement=_NOTHING)


def test_the_script_is_what_slurm_reads() -> None:
    """Directives first, each of one line, then the guard, the environment, and the user's lines untouched."""
    array = ARRAY.read("1-3%2")
    job = spec("srun ./job $1  # as it is", "", resources=Resources(array=array, cpus_per_task=4), modules=("a b",))
    lines = render(
        job, job_uuid=_UUID, paths=JobPaths("/home/j/x"), workdir="/home/j/x/work", placement=Placement("batch")
    ).splitlines()
    assert (lines[0], render_plain().splitlines()[0]) == ("#!/bin/bash", "#!/bin/bash -l")
    assert lines.index('. "$gridferry_control/login.sh"') < lines.index("module load 'a b' || exit 1")
    assert lines[1:10] == [
        f"#SBATCH --job-name={_UUID}",
        "#SBATCH --array=1-3%2",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --partition=batch",
        "#SBATCH --no-requeue",
        "#SBATCH --chdir=/home/j/x/work",
        "#SBATCH --output=/home/j/x/slurm-%A_%a.out",
        "#SBATCH --error=/home/j/x/slurm-%A_%a.err",
        "",
    ]
    assert [line for line in lines if line.startswith("export ")] == [
        'export JOB_ID="$SLURM_JOB_ID"',
        'export NODE_NAME="$SLURMD_NODENAME"',
        "export OMP_NUM_THREADS=4",
        "export MKL_NUM_THREADS=4",
        "export SRUN_CPUS_PER_TASK=4",
    ]
    assert "module load 'a b' || exit 1" in lines
    assert lines[-2:] == ["srun ./job $1  # as it is", ""]


def test_the_job_files_partition_goes_before_the_clusters() -> None:
    """The cluster's partition is a default, not a rule."""
    job = spec("true", resources=Resources(partition="debug"))
    text = render(job, job_uuid=_UUID, paths=JobPaths("/x"), workdir="/x", placement=Placement("batch"))
    assert "--partition=debug" in text
    assert "batch" not in text.replace("sbatch", "")


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("/home/j", "#SBATCH --chdir=/home/j"),
        ("/home/j doe", '#SBATCH "--chdir=/home/j doe"'),
        ("/home/o'j", '#SBATCH "--chdir=/home/o\'j"'),
        ("/home/a#b", '#SBATCH "--chdir=/home/a#b"'),
        ('/home/"j"\\', '#SBATCH "--chdir=/home/\\"j\\"\\\\"'),
    ],
)
def test_paths_are_quoted_as_sbatch_reads_them(folder: str, written: str) -> None:
    """Double quotes, with backslashes before what ends them; sbatch refuses a quote that is not closed."""
    text = render(spec("true"), job_uuid=_UUID, paths=JobPaths("/x"), workdir=folder, placement=_NOTHING)
    assert written in text.splitlines()


@pytest.mark.parametrize("words", ["batch\nid", "batch\n", "batch\r\nid", "a\x0bb", "a\x00b"])
def test_no_word_begins_a_line_of_the_script(words: str) -> None:
    """A partition or a path with a line end in it would have the shell run what comes behind: it is refused."""
    for workdir, partition in ((words, ""), ("/x", words)):
        with pytest.raises(SubmissionRefused, match="cannot be asked of Slurm"):
            render(
                spec("true"), job_uuid=_UUID, paths=JobPaths("/x"), workdir=workdir, placement=Placement(partition)
            )
    with pytest.raises(SubmissionRefused):
        render_watcher(spec("true"), slurm_job_id="1", log="/x", partition=words, command=["true"])


def test_the_first_job_runs_and_leaves_its_marks(cluster: Cluster) -> None:
    """The user's lines run, see their variables, and start and end are noted with the exit code."""
    done = cluster.run(spec('echo "$JOB_ID on $NODE_NAME in $PWD"'), 41)
    assert (done.returncode, done.stdout) == (0, f"41 on node1 in {cluster.paths.work}\n"), done.stderr
    assert (cluster.folder / "control" / "guard").read_text() == "41\n"
    assert cluster.marks() == ["end.job", "start.job"]
    assert (cluster.folder / "control" / "marks" / "end.job").read_text().startswith("0 ")


def test_a_second_job_never_runs_the_users_lines(cluster: Cluster) -> None:
    """Another id exits 78 before any of the user's lines, and says which job is the right one."""
    job = spec("echo run >> runs.txt")
    cluster.run(job, 41)
    twin = cluster.run(job, 42)
    assert twin.returncode == SURPLUS_EXIT_CODE == 78
    assert twin.stderr == "Slurm job 42 ends here: this job runs as 41.\n"
    assert (cluster.folder / "work" / "runs.txt").read_text() == "run\n"


def test_a_requeued_job_runs_again(cluster: Cluster) -> None:
    """The same id is let through once more: its first run came to nothing."""
    job = spec("echo run >> runs.txt")
    assert [cluster.run(job, 41).returncode for _ in range(2)] == [0, 0]
    assert (cluster.folder / "work" / "runs.txt").read_text() == "run\n" * 2


def test_all_tasks_of_an_array_are_one_job(tmp_path: Path) -> None:
    """Tasks have different job ids and one array id; each leaves marks of its own, a twin array none."""
    cluster = Cluster(tmp_path / "job")
    job = spec("echo $SLURM_ARRAY_TASK_ID >> runs.txt", resources=Resources(array=ARRAY.read(2)))
    for task in (1, 2):
        done = cluster.run(job, 40 + task, SLURM_ARRAY_JOB_ID="40", SLURM_ARRAY_TASK_ID=str(task))
        assert done.stdout == f"Array task {task} of job 40 on node1\n"
    twin = cluster.run(job, 51, SLURM_ARRAY_JOB_ID="50", SLURM_ARRAY_TASK_ID="1")
    assert twin.returncode == SURPLUS_EXIT_CODE
    assert cluster.marks() == ["end.1", "end.2", "start.1", "start.2"]
    assert (cluster.folder / "work" / "runs.txt").read_text() == "1\n2\n"


@pytest.mark.parametrize(
    ("line", "exit_code"), [("exit 3", 3), ("false", 1), ("(exit 7); exit", 7), ("nonsense", 127)]
)
def test_the_end_is_noted_with_the_exit_code(tmp_path: Path, line: str, exit_code: int) -> None:
    """However the user's lines end, the mark says how, and Slurm sees the same."""
    cluster = Cluster(tmp_path / "job")
    assert cluster.run(spec(line), 41).returncode == exit_code
    assert (cluster.folder / "control" / "marks" / "end.job").read_text().startswith(f"{exit_code} ")


def test_an_end_by_signal_is_noted(tmp_path: Path) -> None:
    """The SIGTERM of scancel ends the script, and the mark of the end is there all the same."""
    cluster = Cluster(tmp_path / "job")
    assert cluster.run(spec("kill -TERM $$", "echo not reached"), 41).returncode == -signal.SIGTERM
    assert cluster.marks() == ["end.job", "start.job"]


def test_a_module_that_cannot_be_loaded_ends_the_job(tmp_path: Path) -> None:
    """Without its environment module the job does not run on the wrong programs."""
    cluster = Cluster(tmp_path / "job")
    done = cluster.run(spec("echo reached", modules=("Nowhere/1.0",)), 41)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_full_disk_lets_nothing_run(tmp_path: Path) -> None:
    """Where the guard cannot be written, nobody can say which job is the right one: none runs."""
    cluster = Cluster(tmp_path / "job")
    (cluster.folder / "control" / "guard.41").mkdir()
    done = cluster.run(spec("echo reached"), 41)
    assert (done.returncode, done.stdout) == (SURPLUS_EXIT_CODE, "")


def test_the_watcher_waits_for_the_jobs_end() -> None:
    """It is tiny, charged like its job, starts after any end and runs one command."""
    text = render_watcher(
        spec("true", resources=Resources(account="physics", ntasks=64)),
        slurm_job_id="41",
        log="/home/j doe/log",
        partition="batch",
        command=["/usr/bin/python3", "-I", "/home/j doe/w.pyz", "follow"],
    )
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "#SBATCH --dependency=afterany:41" in lines
    assert '#SBATCH "--output=/home/j doe/log"' in lines
    assert {"#SBATCH --ntasks=1", "#SBATCH --account=physics", "#SBATCH --partition=batch"} <= set(lines)
    assert lines[-1] == "exec /usr/bin/python3 -I '/home/j doe/w.pyz' follow"


def test_a_job_waits_for_others() -> None:
    """Slurm holds it until they have ended well, and cancels it when one of them has not."""
    text = render(
        spec("true"), job_uuid=_UUID, paths=JobPaths("/x"), workdir="/x", placement=Placement(waits_for=["7", "8"])
    )
    assert "#SBATCH --dependency=afterok:7:8" in text.splitlines()
    assert "#SBATCH --kill-on-invalid-dep=yes" in text.splitlines()


def test_the_users_lines_run_inside_a_container(tmp_path: Path) -> None:
    """All of them as one script behind the container's command, quoted once; guard and marks stay outside."""
    cluster = Cluster(tmp_path / "job")
    placement = Placement(container=["env", "WHERE=in the box"])
    done = cluster.run(spec("x='a  b'", 'echo "$WHERE $x"', "exit 5"), 41, placement)
    assert (done.returncode, done.stdout) == (5, "in the box a  b\n")
    assert cluster.marks() == ["end.job", "start.job"]
