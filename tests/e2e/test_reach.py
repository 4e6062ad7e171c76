"""Clusters that cannot be reached, and those that can: others are offered, refusals are not mistaken for silence."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from demo.grid import ACCOUNT
from tests.e2e.far_side import UUID, wait_for_state, write_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.grid import Grid

pytestmark = pytest.mark.slurm
_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def _port(kind: str) -> Iterator[int]:
    """A port that refuses, stays silent, or answers as something else."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
        if kind != "refused":
            listener.listen(5)
        if kind == "no banner":
            threading.Thread(target=_answer_as_http, args=(listener,), daemon=True).start()
        yield port


def _answer_as_http(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            line, _ = listener.accept()
            with line:
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def lost_cluster(grid: Grid) -> Iterator[Any]:
    """Registers a cluster called `lost` at a port; it is removed afterwards."""

    def register(port: int, preferred_jobs: list[str]) -> None:
        grid.register(grid.info, name="lost", port=port, preferred_jobs=preferred_jobs)

    yield register
    url = f"{grid.registry_url}/clusters/lost"
    requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)


def _submit_listening(grid: Grid, *arguments: str, folder: Path, words: str) -> tuple[float, str, int]:
    """Run the client; return after how many seconds it said some words, all that it said, and its exit code."""
    environment = {**os.environ, **grid.client_variables, "PYTHONPATH": str(_ROOT)}
    started, told_after_s, said = time.monotonic(), float("inf"), []
    with subprocess.Popen(
        grid.client_argv(*arguments),
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        for line in process.stderr or ():
            said.append(line)
            if words in line:
                told_after_s = min(told_after_s, time.monotonic() - started)
    return told_after_s, "".join(said), process.returncode


def _preferred(grid: Grid) -> list[str]:
    """A kind of jobs that the first cluster takes."""
    return list(grid.info.cluster_document()["preferred_jobs"][:1])


@pytest.mark.parametrize("kind", ["refused", "silent", "no banner"])
def test_unreachable_cluster_is_told_in_time_with_others(
    grid: Grid, tmp_path: Path, lost_cluster: Any, kind: str
) -> None:
    """Refused, silent or no SSH: within 10 s exit 5, naming the reachable cluster with the same preferred jobs."""
    path = write_job(tmp_path, execution=["true"])
    with _port(kind) as port:
        lost_cluster(port, _preferred(grid))
        settings = grid.job_settings(destination_cluster="lost")
        told_after_s, said, code = _submit_listening(
            grid, "-u", str(path), *settings, "--no-input", folder=tmp_path, words=str(port)
        )
    assert code == 5, said
    assert f"others with the same preferred jobs: {grid.info.name}" in said
    assert told_after_s < 10


def test_yes_takes_the_first_that_answers(grid: Grid, tmp_path: Path, lost_cluster: Any) -> None:
    """--yes goes on with the first reachable cluster that shares a preferred job kind; the job runs there."""
    path = write_job(tmp_path, execution=["true"])
    with _port("refused") as port:
        lost_cluster(port, _preferred(grid))
        done = grid.client("-u", str(path), *grid.job_settings(destination_cluster="lost"), "--yes", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    job = wait_for_state(grid, UUID.findall(done.stdout)[0], "DONE")
    assert job["destination_cluster"]["name"] == grid.info.name


def test_refused_key_is_not_called_unreachable(grid: Grid, tmp_path: Path) -> None:
    """A key the cluster does not take: exit 6, and no other cluster is offered."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    path = write_job(tmp_path, execution=["true"])
    done = grid.client("-u", str(path), *grid.job_settings(private_key=str(key)), "--yes", folder=tmp_path)
    assert done.returncode == 6, done.stderr
    assert "preferred jobs" not in done.stderr


def test_changed_host_key_is_refused_whatever_yes_says(grid: Grid, tmp_path: Path) -> None:
    """A host key other than the remembered one: exit 7 with both fingerprints; --yes does not help."""
    known = grid.home / "known_hosts"
    before = known.read_text()
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True, timeout=30)
    public = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    known.write_text(f"[{grid.info.ssh_host}]:{grid.info.ssh_port} {public}\n")
    try:
        path = write_job(tmp_path, execution=["true"])
        done = grid.client("-u", str(path), *grid.job_settings(), "--yes", folder=tmp_path)
    finally:
        known.write_text(before)
    assert done.returncode == 7, done.stderr
    assert done.stderr.count("SHA256:") >= 2


def test_unknown_host_is_never_trusted_without_a_person(grid: Grid, tmp_path: Path) -> None:
    """An unknown host key is not accepted by --yes, even where the registry's pin matches; exit 7."""
    known = grid.home / "known_hosts"
    before = known.read_text()
    known.write_text("")
    try:
        path = write_job(tmp_path, execution=["true"])
        done = grid.client("-u", str(path), *grid.job_settings(), "--yes", folder=tmp_path)
    finally:
        known.write_text(before)
    assert done.returncode == 7, done.stderr
    assert "SHA256:" in done.stderr
    assert f"add this line to {known}" in done.stderr


def test_disabled_cluster_takes_no_jobs(grid: Grid, tmp_path: Path, lost_cluster: Any) -> None:
    """A cluster that its administrator has disabled takes no jobs; exit 2."""
    path = write_job(tmp_path, execution=["true"])
    lost_cluster(1, _preferred(grid))
    grid.register(grid.info, name="lost", enabled=False)
    done = grid.client("-u", str(path), *grid.job_settings(destination_cluster="lost"), folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "takes no jobs" in done.stderr


def test_fetched_again_only_what_is_not_there_comes(grid: Grid, tmp_path: Path) -> None:
    """-r into a folder that has other files keeps them; one that was changed here stays, unless with --overwrite."""
    lines = ["head -c 3000000 /dev/urandom > big.bin", "echo 1 > small.txt"]
    path = write_job(tmp_path, execution=lines, output=["big.bin", "small.txt"])
    done = grid.client("-u", str(path), *grid.job_settings(), "--wait", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    job_uuid = json.loads(done.stdout.splitlines()[0])["job_uuid"]
    target = tmp_path / "results"
    target.mkdir()
    (target / "mine.txt").write_text("mine\n")
    fetch = ("-r", job_uuid, "--to", str(target))
    assert grid.client(*fetch, folder=tmp_path).returncode == 0
    content, fetched_at = (target / "big.bin").read_bytes(), (target / "big.bin").stat().st_mtime_ns
    (target / "small.txt").write_text("edited\n")
    again = grid.client(*fetch, folder=tmp_path)
    assert again.returncode == 14
    assert "small.txt: another file of this name is there already" in again.stderr
    assert (target / "small.txt").read_text() == "edited\n"
    (target / "big.bin").unlink()
    assert grid.client(*fetch, "--overwrite", folder=tmp_path).returncode == 0
    assert (target / "big.bin").read_bytes() == content
    assert (target / "small.txt").read_text() == "1\n"
    assert (target / "mine.txt").read_text() == "mine\n"
    assert (target / "big.bin").stat().st_mtime_ns > fetched_at
    before = (target / "big.bin").stat().st_mtime_ns
    assert grid.client(*fetch, folder=tmp_path).returncode == 0
    assert (target / "big.bin").stat().st_mtime_ns == before


def test_account_of_another_sees_nothing(grid: Grid, tmp_path: Path) -> None:
    """A UUID that is not one of the account's jobs is answered as unknown; exit 8."""
    del tmp_path
    done = grid.client("-r", "12345678-0000-4000-8000-000000000000")
    assert done.returncode == 8, f"{ACCOUNT}: {done.stderr}"
