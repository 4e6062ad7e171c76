"""The sandbox, for real: daemons, SSH and jobs, as whoever runs the tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.errors import SandboxError
from project.sandbox import api
from project.sandbox.preflight import check_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A private folder with a short path, since the daemons' sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def why_not() -> str:
    """Why no sandbox can run on this machine; empty when one can."""
    try:
        check_machine()
    except SandboxError as error:
        return error.message
    return ""


pytestmark = [pytest.mark.slurm, pytest.mark.skipif(bool(why_not()), reason=why_not())]

NODES = ("sandbox-1", "sandbox-2", "sandbox-3", "sandbox-4")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.SandboxInfo]:
    """A running sandbox with the default options, shared by the tests of this file."""
    folder = tmp_path_factory.mktemp("sb")
    try:
        yield api.up(folder)
    finally:
        api.down(folder, remove=True)


def ssh(info: api.SandboxInfo, command: str) -> str:
    """What a command on the sandbox's login node prints."""
    line = f"{info.ssh_command()} -o BatchMode=yes {command!r}"
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True, timeout=60).stdout


def eventually(
    condition: Callable[[], bool], within_s: float = 10, what: Callable[[], str] = lambda: "it never came true"
) -> None:
    """Return once the condition holds; `what` says how it is instead."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def processes_naming(folder: Path) -> list[str]:
    """Every living process on this machine whose arguments, environment or open files speak of the folder."""
    return [
        f"{path.name} {(path / 'cmdline').read_bytes()!r}"
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and int(path.name) != os.getpid() and _names(path, str(folder))
    ]


def _names(process: Path, folder: str) -> bool:
    try:
        said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        return folder.encode() in said or any(folder in str(file.readlink()) for file in (process / "fd").iterdir())
    except OSError:  # ended meanwhile, or somebody else's
        return False


def test_up_gives_four_idle_nodes(sandbox: api.SandboxInfo) -> None:
    """After `up`, all daemons run and all four nodes are idle."""
    status = api.status(sandbox.folder)
    assert status.condition is api.Condition.RUNNING
    assert status.nodes == dict.fromkeys(NODES, "idle")
    assert status.info == sandbox


def test_a_job_over_ssh_completes_in_accounting(sandbox: api.SandboxInfo) -> None:
    """A job submitted over real SSH runs on two nodes with GPUs, and accounting says COMPLETED."""
    job = ssh(sandbox, "sbatch --parsable --wait -N2 --gres=gpu:1 -o /dev/null --wrap 'srun hostname'").strip()
    columns = "--format=State,Account,NNodes,Partition"
    told: list[str] = []

    def is_told() -> bool:  # the end may come before what the job's start has to say
        told.append(ssh(sandbox, f"sacct -X -n -P -j {job} {columns}").strip())
        return told[-1] == "COMPLETED|sandbox|2|batch"

    eventually(is_told, what=lambda: f"accounting says {told[-1]}")


def test_sftp_works(sandbox: api.SandboxInfo, tmp_path: Path) -> None:
    """Files go through the login node's SFTP."""
    sftp = sandbox.ssh_command().replace("ssh -p", "sftp -b - -P", 1)
    batch = f"put {sandbox.slurm_conf} {tmp_path}/copy\n"
    subprocess.run(["/bin/sh", "-c", sftp], input=batch, text=True, capture_output=True, check=True, timeout=30)
    assert (tmp_path / "copy").read_bytes() == sandbox.slurm_conf.read_bytes()


def test_the_cluster_document_lies_in_the_folder(sandbox: api.SandboxInfo) -> None:
    """cluster.json is what `cluster_document` says, with the login node's own host key."""
    document = json.loads((sandbox.folder / "cluster.json").read_text())
    assert document == sandbox.cluster_document()
    scanned = subprocess.run(
        ["ssh-keyscan", "-p", str(sandbox.ssh_port), "-t", "ed25519", "127.0.0.1"],
        capture_output=True, text=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    assert document["host_keys"][0] in scanned


def test_up_again_says_already_running(sandbox: api.SandboxInfo) -> None:
    """A second `up` changes nothing and says how to reach what runs."""
    before = api.status(sandbox.folder).daemons
    again = api.up(sandbox.folder)
    assert again.already_running
    assert again.ssh_command() == sandbox.ssh_command()
    assert api.status(sandbox.folder).daemons == before


def test_up_with_other_wishes_is_refused_while_running(sandbox: api.SandboxInfo) -> None:
    """A running sandbox does not silently keep its four nodes when two are asked for."""
    with pytest.raises(SandboxError, match="nodes is 4, not 2"):
        api.up(sandbox.folder, options=api.SandboxOptions(nodes=2))


def test_a_key_is_let_in_while_running(sandbox: api.SandboxInfo, tmp_path: Path) -> None:
    """`up` with a public key lets its owner log in at once."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    api.up(sandbox.folder, options=api.SandboxOptions(authorized_keys=(key.with_suffix(".pub").read_text().strip(),)))
    line = sandbox.ssh_command().replace(str(sandbox.ssh_key), str(key))
    subprocess.run(["/bin/sh", "-c", f"{line} -o BatchMode=yes true"], check=True, timeout=30)


def test_another_sandbox_runs_beside(sandbox: api.SandboxInfo, tmp_path: Path) -> None:
    """Two sandboxes on one machine know nothing of each other, and stopping one leaves the other alone."""
    options = api.SandboxOptions(name="other", nodes=1, cpus=2, memory_mib=1024)
    try:
        other = api.up(tmp_path, options=options)
        assert ssh(other, "sinfo -h -N -p batch -o '%N %c %m %T'").split() == ["other-1", "2", "1024", "idle"]
        assert ssh(other, "scontrol show config | grep ClusterName").split()[-1] == "other"
    finally:
        assert api.down(tmp_path)
    assert not processes_naming(tmp_path)
    assert api.status(sandbox.folder).condition is api.Condition.RUNNING


def test_a_start_leaves_the_temporary_tables_of_other_databases_alone(tmp_path: Path) -> None:
    """MariaDB empties the folder of its temporary tables as it starts: that is not everybody's /tmp."""
    with tempfile.NamedTemporaryFile(prefix="#sql-temptable-", suffix=".MAI", dir="/tmp", delete=False) as stream:
        of_somebody_else = Path(stream.name)
    try:
        api.up(tmp_path / "sb", options=api.SandboxOptions(name="third", nodes=1))
        assert of_somebody_else.exists()
    finally:
        api.down(tmp_path / "sb", remove=True)
        of_somebody_else.unlink(missing_ok=True)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """A port asked for and taken by somebody else is an error that names it; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port}"):
            api.up(tmp_path / "sb", options=api.SandboxOptions(base_port=port))
    assert not processes_naming(tmp_path / "sb")


def test_a_long_path_is_refused(tmp_path: Path) -> None:
    """A folder whose sockets would have too long names is refused before anything is written."""
    folder = tmp_path / ("long" * 20)
    with pytest.raises(SandboxError, match="too long"):
        api.up(folder)
    assert not folder.exists()


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    """A folder that holds somebody's files never becomes a sandbox, so `down` can never remove them."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SandboxError, match="holds other things"):
        api.up(tmp_path)
    assert not api.down(tmp_path, remove=True)
    assert (tmp_path / "thesis.tex").exists()


def test_an_interrupted_start_leaves_nothing_running(tmp_path: Path) -> None:
    """Control-C half way stops what was started."""

    def interrupt(step: str, _seconds: float) -> None:
        if step == "slurmctld":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.up(tmp_path, options=api.SandboxOptions(name="broken"), progress=interrupt)
    assert not processes_naming(tmp_path)
    assert api.status(tmp_path).condition is api.Condition.STOPPED


def test_a_daemon_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    """When a daemon refuses to start, the error names it and shows what it said."""

    def ruin(step: str, _seconds: float) -> None:
        if step == "files written":
            (tmp_path / "etc" / "munge.key").write_text("short")

    with pytest.raises(SandboxError, match="munged ended instead of starting") as caught:
        api.up(tmp_path, progress=ruin)
    assert "Keyfile must be at least" in caught.value.detail
    assert not processes_naming(tmp_path)


def test_half_dead_recovers_and_down_leaves_no_trace(sandbox: api.SandboxInfo) -> None:
    """With daemons killed under a running job, `up` cleans up and starts anew; `down` leaves nothing."""
    ssh(sandbox, "sbatch -w sandbox-1 -o /dev/null --wrap 'setsid sleep 1000 & exec env -i sleep 1000'")
    eventually(lambda: "R" in ssh(sandbox, "squeue -h -o %t"))
    pids = api.status(sandbox.folder).daemons
    for daemon in ("slurmctld", "slurmd sandbox-1"):
        os.kill(pids[daemon] or 0, signal.SIGKILL)
    eventually(lambda: api.status(sandbox.folder).condition is api.Condition.HALF_DEAD)

    again = api.up(sandbox.folder)
    assert again.recovered
    assert again.ssh_port == sandbox.ssh_port
    assert set(api.status(sandbox.folder).nodes) == set(NODES)

    ssh(again, "sbatch -o /dev/null --wrap 'sleep 1000'")
    eventually(lambda: "R" in ssh(again, "squeue -h -o %t"))
    assert api.down(sandbox.folder)
    assert not processes_naming(sandbox.folder)
    assert not [path for path in (sandbox.folder / "run").rglob("*") if not path.is_dir()]
    assert not list(Path("/sys/fs/cgroup").glob("**/*sandbox-1*"))
    assert not api.down(sandbox.folder)
