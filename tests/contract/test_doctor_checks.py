"""Each of doctor's checks on a login node where something is wrong: programs and servers that are broken for real."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, NamedTuple

import pytest

from project.core.findings import FAILURE, MISSING, OK, RELAY, WARNING, Finding
from project.core.layout import ClusterPaths
from project.toolbox.doctor.checks import CHECKS, examine
from project.toolbox.doctor.patient import DoctorSlurm, Patient
from project.wrapper import files
from tests.fakes.clock import QuickClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARTITION = (
    "PartitionName=batch Default=YES State=UP TotalCPUs=4 TotalNodes=1 MaxTime=UNLIMITED DefaultTime=01:00:00"
)
_CONFIG = "ClusterName = demo\nMaxJobCount = 100"
_REFUSED = "echo 'sbatch: error: Batch job submission failed: Invalid qos specification' >&2; exit 1"
_CHEMISTS = f"echo '{_PARTITION} AllowAccounts=chemistry'"
_SILENT = "echo 'error: Unable to contact slurm controller (connect failure)' >&2; exit 1"
#: Programs of a login node where all is well, as lines of /bin/sh; a job that is submitted leaves its mark at once.
_WELL = {
    "sbatch": 'sh "$2" && echo 41',
    "squeue": ":",
    "sacct": ":",
    "scancel": ":",
    "sinfo": "echo slurm 22.05.8",
    "scontrol": f'case "$*" in *config*) echo "{_CONFIG}";; *) echo "{_PARTITION}";; esac',
    "sacctmgr": 'case "$*" in *DefaultQOS,QOS*) echo "physics||normal|normal|||||";; esac',
    "quota": ":",
    "git": ":",
    "cc": ":",
    "apptainer": ":",
    "bash": "echo function",
}
_REAL = ("sh", "mv")


class _Case(NamedTuple):
    """What is broken, and what must be found.

    Attributes:
        check: that finds it.
        programs: what they do instead; None where one is not there.
        level: of the finding.
        found: words of it.
        fact: what submissions go by then.
        partition: the cluster's usual one.
    """

    check: str
    programs: dict[str, str | None]
    level: str
    found: str
    fact: str = ""
    partition: str = ""


def _queue(state: str, number: int = 1) -> str:
    return "; ".join([f"echo '41|N/A|{state}|None|N/A|2026-11-20T10:00:00|gridferry-doctor'"] * number)


_CASES = [
    _Case("quota", {"quota": "echo '/dev/sda1 1200M* 1000M'"}, FAILURE, "used up: /dev/sda1 1200M* 1000M"),
    _Case("Slurm's commands", {"sacct": None, "sinfo": None}, FAILURE, "sacct, sinfo not found"),
    _Case("Slurm's controller", {"squeue": _SILENT}, FAILURE, "squeue does not answer"),
    _Case("Slurm's accounting", {"sacct": _SILENT}, WARNING, "sacct does not answer"),
    _Case("accounts", {"sacctmgr": _SILENT}, WARNING, "sacctmgr does not answer"),
    _Case("accounts", {"sacctmgr": ":"}, WARNING, "the accounting knows no account of"),
    _Case("partitions", {}, FAILURE, "there is no partition nowhere", partition="nowhere"),
    _Case("partitions", {"scontrol": _CHEMISTS}, FAILURE, "batch, the usual one, is closed to you now"),
    _Case("usage", {"squeue": _queue("RUNNING", 46)}, WARNING, "46 jobs running, 0 waiting; at most 50 in the"),
    _Case("compute nodes", {"sbatch": _REFUSED}, FAILURE, "Slurm refused the job: Invalid qos specification"),
    _Case("compute nodes", {"sbatch": "echo 41"}, FAILURE, "compute nodes do not see"),
    _Case("compute nodes", {"sbatch": "echo 41", "squeue": _queue("PENDING")}, WARNING, "no node was free within"),
    _Case("git", {"git": None}, WARNING, "none of git is here", MISSING),
    _Case("compiler", {"cc": None}, WARNING, "none of cc, gcc, icx, clang is here", MISSING),
    _Case("containers", {"apptainer": None}, WARNING, "none of apptainer, singularity, runc", MISSING),
    _Case("modules", {"bash": ":"}, WARNING, "there is no `module`"),
]


class LoginNode:
    """A login node whose programs are as the test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._programs = folder / "bin"
        self._programs.mkdir()
        self.paths = ClusterPaths(str(folder / "gridferry"))
        files.make_folder(self.paths.control)
        for name in _REAL:
            (self._programs / name).symlink_to(f"/bin/{name}")
        self.has(_WELL)
        monkeypatch.setenv("PATH", str(self._programs))
        monkeypatch.setenv("HOME", str(folder))

    def has(self, programs: dict[str, str] | dict[str, str | None]) -> None:
        """Let programs do this, or not be there."""
        for name, line in programs.items():
            path = self._programs / name
            path.unlink(missing_ok=True)
            if line is not None:
                path.write_text(f"#!/bin/sh\n{line}\n")
                path.chmod(0o755)

    def look(self, check: str, *, partition: str = "", registry: str = "", root: str = "") -> Finding:
        """Return what one of doctor's checks finds."""
        paths = ClusterPaths(root) if root else self.paths
        patient = Patient(paths, {"partition": partition}, registry, DoctorSlurm(15.0), QuickClock())
        look = next(each.look for each in CHECKS if each.name == check)
        return look(patient)._replace(check=check)


@pytest.fixture
def login_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoginNode:
    """One where all is well."""
    return LoginNode(tmp_path, monkeypatch)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: f"{case.check}-{case.found[:20]}")
def test_what_is_broken_is_found(login_node: LoginNode, case: _Case) -> None:
    """With its level, what was seen and a remedy; and where all is well the same check says so."""
    assert login_node.look(case.check)[:1] == (OK,)
    login_node.has(case.programs)
    found = login_node.look(case.check, partition=case.partition)
    assert (found.level, found.fact) == (case.level, case.fact)
    assert case.found in found.text
    assert found.remedy


def test_a_folder_that_takes_nothing_is_found(login_node: LoginNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to be written to: jobs would not even begin; nearly full: some would not end."""
    assert login_node.look("folder").level == OK
    with monkeypatch.context() as patched:
        patched.setattr("project.toolbox.doctor.machine._LITTLE_BYTES", 2**62)
        found = login_node.look("folder")
    assert (found.level, " free" in found.text, "Make room" in found.remedy) == (WARNING, True, True)
    found = login_node.look("folder", root="/proc/gridferry")
    assert (found.level, "nothing can be written to /proc" in found.text, bool(found.remedy)) == (FAILURE, True, True)


def test_a_shell_that_prints_is_found(login_node: LoginNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What start-up files print where nobody reads breaks scp and rsync."""
    shell = tmp_path / "noisy"
    shell.write_text("#!/bin/sh\necho Welcome to the machine\n")
    shell.chmod(0o755)
    account = type("Account", (), {"pw_shell": str(shell), "pw_name": "jdoe"})
    monkeypatch.setattr("pwd.getpwuid", lambda _: account)
    found = login_node.look("shell")
    assert (found.level, "'Welcome to the machine'" in found.text) == (WARNING, True)
    assert "[ -t 1 ]" in found.remedy
    shell.write_text("#!/bin/sh\n")
    assert login_node.look("shell").level == OK


@pytest.fixture
def broken_registry() -> Iterator[str]:
    """A server whose every answer is an error."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_way_to_the_registry(login_node: LoginNode, broken_registry: str) -> None:
    """One that is not asked, cannot be reached, or is broken; in the first two cases the client relays reports."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unreachable = login_node.look("way to the registry", registry=f"http://127.0.0.1:{closed.getsockname()[1]}")
    unasked = login_node.look("way to the registry")
    broken = login_node.look("way to the registry", registry=broken_registry)
    assert [found.level for found in (unreachable, unasked, broken)] == [WARNING] * 3
    assert [found.fact for found in (unreachable, unasked, broken)] == [RELAY, RELAY, ""]
    assert "cannot be reached from here" in unreachable.text
    assert "answers 503" in broken.text
    assert all(found.remedy for found in (unreachable, unasked, broken))


def test_a_check_that_breaks_holds_up_no_other(login_node: LoginNode) -> None:
    """On a login node without Slurm every check still has its finding, none without a remedy."""
    login_node.has(dict.fromkeys(("sbatch", "squeue", "sacct", "scontrol", "scancel", "sinfo", "sacctmgr")))
    patient = Patient(login_node.paths, {}, "", DoctorSlurm(15.0), QuickClock())
    found = [Finding(**each) for each in examine(patient)]
    assert [each.check for each in found] == [check.name for check in CHECKS]
    ill = {each.check for each in found if each.level == FAILURE}
    assert {"Slurm's commands", "Slurm's controller", "partitions", "compute nodes"} <= ill
    assert all(each.remedy for each in found if each.level != OK)
