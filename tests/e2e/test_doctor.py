"""`doctor` on a real cluster: all there is to look at, and what it says of what is broken."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.e2e.far_side import slurm, write_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.grid import Grid

pytestmark = pytest.mark.slurm

_WARNED, _FAILED = 18, 19
_ANOTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvE6oPxJmLzBDSFJ8Rzp4YpkcWlPHAmTGm6sdCAJ0GY"


@pytest.fixture
def ill(grid: Grid) -> Iterator[Any]:
    """Registers the grid's cluster once more, as `ill`, with something wrong; it is removed afterwards."""

    def register(**changes: Any) -> str:
        grid.register(grid.info, name="ill", **changes)
        return "ill"

    yield register
    url = f"{grid.registry_url}/clusters/ill"
    requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)


@contextlib.contextmanager
def _talking(line: str) -> Iterator[int]:
    """Listen while a `with` block lasts, and say a line to whoever comes; the port is given."""

    class Talker(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(line.encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _examine(grid: Grid, cluster: str, *options: str, key: str = "") -> tuple[int, dict[str, dict[str, str]], str]:
    """Return the exit code, the findings by what was looked at, and what was said besides."""
    settings = ["--set", f"username={grid.info.ssh_user}", "--set", f"private_key={key or grid.info.ssh_key}"]
    done = grid.client("doctor", cluster, *settings, "--json", "--no-input", *options)
    found = json.loads(done.stdout or "{}").get(cluster, [])
    return done.returncode, {finding["check"]: finding for finding in found}, done.stderr


def test_a_cluster_that_is_well_is_looked_at_from_here_to_a_compute_node(grid: Grid) -> None:
    """Every check is made, none fails, the exit code says the worst; the job of a second leaves nothing behind."""
    code, found, said = _examine(grid, grid.info.name)
    assert list(found) == [
        *("host name", "SSH port", "SSH", "host key", "login", "prompts", "files", "clock", "Python", "shell"),
        *("folder", "quota", "Slurm's commands", "Slurm's controller", "Slurm's accounting", "accounts"),
        *("partitions", "usage", "compute nodes", "way to the registry", "git", "compiler", "modules"),
        *("containers", "after logout"),
    ], said
    assert {finding["check"] for finding in found.values() if finding["level"] == "failure"} == set()
    assert code == (_WARNED if any(finding["level"] == "warning" for finding in found.values()) else 0)
    assert all(finding["remedy"] for finding in found.values() if finding["level"] != "ok")
    assert found["compute nodes"]["text"].startswith(f"{grid.info.name}-")
    assert found["partitions"]["text"] == "batch (no time limit), debug (10m 0s)"
    assert found["accounts"]["text"].endswith("(QOS normal)")
    assert found["files"]["text"] == "by SFTP"
    assert "answers" in found["way to the registry"]["text"]
    assert "outlives a login" in found["after logout"]["text"]
    assert "gridferry-doctor" not in slurm(grid, "squeue", "--noheader", "--states=PENDING,RUNNING", "--format=%j")


def test_the_step_at_which_a_login_fails_is_named(grid: Grid, tmp_path: Path, ill: Any) -> None:
    """A name nobody knows, a port that refuses or is no SSH, another host, a key nobody let in, a locked one."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=30)
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)], check=True, timeout=30)
    with socket.socket() as closed, _talking("HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        closed.bind(("127.0.0.1", 0))
        cases = {
            "host name": _examine(grid, ill(hostname="nowhere.invalid")),
            "SSH port": _examine(grid, ill(port=closed.getsockname()[1])),
            "SSH": _examine(grid, ill(port=port)),
            "host key": _examine(grid, ill(host_keys=[_ANOTHER_KEY])),
        }
    ill()
    cases["login"] = _examine(grid, "ill", key=str(key))
    cases["prompts"] = _examine(grid, "ill", key=str(locked))
    for step, (code, found, said) in cases.items():
        assert (code, list(found)[-1]) == (_FAILED, step), said
        assert (found[step]["level"], bool(found[step]["remedy"])) == ("failure", True)
        assert all(finding["level"] == "ok" for name, finding in found.items() if name != step)


def test_what_slurm_would_not_do_is_found(grid: Grid, ill: Any) -> None:
    """A partition that is not there, and no node that takes work: a failure, a warning."""
    code, found, said = _examine(grid, ill(partition="nowhere"))
    assert code == _FAILED, said
    assert found["partitions"]["text"] == "there is no partition nowhere"
    assert "Invalid partition" in found["compute nodes"]["text"]


def test_findings_are_kept_and_told_with_a_submission(grid: Grid, tmp_path: Path, ill: Any) -> None:
    """What doctor found broken on a cluster is said again when a job goes there."""
    _examine(grid, ill(partition="nowhere"))
    path = write_job(tmp_path, execution=["true"])
    done = grid.client("-u", str(path), *grid.job_settings(destination_cluster="ill"), folder=tmp_path)
    assert done.returncode == 10, done.stderr
    assert "there is no partition nowhere" in done.stderr
