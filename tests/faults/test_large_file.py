"""A file of more than 2 GiB there and back, with SFTP or without: whole, and neither side holds much in memory."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.ssh.conftest import cuttable, far, host_keys, key, keys, start_server, way
from tests.contract.ssh.test_ssh_results import LeftBehind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.ssh.servers import SshServer

__all__ = ["cuttable", "far", "host_keys", "key", "keys", "start_server", "way"]  # fixtures of tests/contract/ssh

_SIZE = 2 * 1024**3 + 12_345
_LIMIT_S = 900
#: Many times less than the file; most of it is Python with its libraries.
_MOST_MIB = 250


def _write_sparse(path: Path) -> str:
    """Write a file with something at its begin, around its middle and at its end; return its SHA-256."""
    with path.open("wb") as stream:
        for place in (0, _SIZE // 2, 2**31 - 3, _SIZE - 6):
            stream.seek(place)
            stream.write(b"matter")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@pytest.mark.parametrize("way", ["sftp", "stream"], indirect=True)
def test_two_gibibytes_go_there_and_back(cuttable: SshServer, key: Path, far: Path, tmp_path: Path) -> None:
    """What comes back is what went; the client and everything of the login stay small."""
    job = LeftBehind(far, tmp_path / "cache")
    (job.work / "out").mkdir()
    source, here = tmp_path / "large.bin", tmp_path / "here"
    here.mkdir()
    (here / "known_hosts").write_text(cuttable.known_hosts)
    sha256 = _write_sparse(source)
    asked = {
        "folder": str(here), "source": str(source), "key": str(key), "port": cuttable.port,
        "job_root": str(far.resolve()), "job_uuid": job.job_uuid, "work": str(job.work / "out"),
    }  # fmt: skip
    argv = [sys.executable, "-m", "tests.faults.large_client", json.dumps(asked)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
        peaks_mib = list(_peaks(client, cuttable))
        assert client.stdout is not None
        told = json.loads(client.stdout.read())
    print(f"client {told['peak_mib']:.0f} MiB, far side {max(peaks_mib):.0f} MiB, seconds {told['seconds']}")  # noqa: T201 - figures
    assert told["failed"] == {}
    assert told["peak_mib"] < _MOST_MIB
    assert 0 < max(peaks_mib) < _MOST_MIB
    back = here / "back" / "out" / source.name
    with back.open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    for path in (source, back, job.work / "out" / source.name):
        path.unlink()  # pytest keeps the folders of its last runs


def _peaks(client: subprocess.Popen[str], server: SshServer) -> Iterator[float]:
    """Yield the highest memory of any process of the login, in MiB, until the client has ended."""
    for _ in range(_LIMIT_S * 10):
        yield server.peak_mib()
        try:
            client.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        return
    client.kill()
