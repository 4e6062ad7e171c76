"""The first words with a login node, as several shells take them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project.core.errors import GridferryError, Unreachable, UsageError
from project.core.probe import ProbeAnswer, parse_probe, probe_script

_PROGRAM = "wrapper-0123456789ab.pyz"
_UUID = "3f2b1c0e-0000-4000-8000-000000000000"
_BANNER = "*** Welcome! ***\ngridferry is not mentioned here\n"
_SHELLS = [shell for shell in ("sh", "dash", "bash", "busybox") if shutil.which(shell)]


class LoginNode:
    """A home on a login node whose shells and profiles may talk."""

    def __init__(self, home: Path, shell: str) -> None:
        self.home = home
        self._argv = [shutil.which(shell) or "", *(["sh"] if shell == "busybox" else []), "-s"]
        home.mkdir(parents=True)

    def ask(self, script: str, **variables: str) -> str:
        """Pipe a script to the shell; return what comes back, a banner before it and noise after."""
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], **variables}
        done = subprocess.run(
            self._argv,
            input=script,
            env=environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
        return _BANNER + done.stdout + "logout\n"

    def probe(
        self,
        *,
        job_root: str = "",
        python: str = "",
        own_python: str = "",
        job_uuid: str | None = None,
        **variables: str,
    ) -> ProbeAnswer:
        """Probe it."""
        script = probe_script(
            job_root=job_root, python=python, own_python=own_python, program=_PROGRAM, job_uuid=job_uuid
        )
        return parse_probe(self.ask(script, **variables), "nic5")


@pytest.fixture(params=_SHELLS)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> LoginNode:
    """A login node with each of the shells."""
    return LoginNode(tmp_path / "home of j", request.param)


def test_folders_are_made_and_a_python_is_found(node: LoginNode) -> None:
    """The answer names the folder and an interpreter; both are private and there."""
    found = node.probe(job_uuid=_UUID)
    assert found.paths.root == f"{node.home}/gridferry"
    assert Path(found.paths.job(_UUID).work).is_dir()
    assert Path(found.paths.job(_UUID).control).stat().st_mode & 0o777 == 0o700
    assert subprocess.run([found.python, "-c", "import ssl"], check=False).returncode == 0
    assert not found.has_program


def test_a_wrapper_that_is_there_is_noticed(node: LoginNode) -> None:
    """The second probe finds what the first one's upload left, and the interpreter it wrote down."""
    first = node.probe()
    Path(first.paths.program(_PROGRAM)).touch()
    again = node.probe(PATH="/usr/bin:/bin")
    assert again.has_program
    assert again.python == first.python


def test_the_clusters_python_goes_first(node: LoginNode) -> None:
    """An interpreter the cluster names is taken if it works, even at a path with a space."""
    own = node.home / "my python"
    own.symlink_to(sys.executable)
    assert node.probe(python=str(own)).python == str(own)


def test_a_python_that_does_not_work_is_passed_over(node: LoginNode) -> None:
    """One that is too old, or has no ssl, fails its test; the next one is tried."""
    own = node.home / "python2"
    own.write_text("#!/bin/sh\nexit 1\n")
    own.chmod(0o755)
    assert node.probe(python=str(own)).python != str(own)


def test_a_python_that_is_gone_is_looked_for_again(node: LoginNode) -> None:
    """After an upgrade of the login node the interpreter noted earlier is not there any more."""
    found = node.probe()
    Path(found.paths.python).write_text("/opt/gone/python3")
    assert node.probe().python == found.python


def test_no_python_is_told_as_such(node: LoginNode, tmp_path: Path) -> None:
    """A login node without any has a remedy that only the registry's administrator can apply."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("mkdir", "cat", "id", "find", "wc", "chmod"):
        (programs / name).symlink_to(shutil.which(name) or "")
    if Path("/usr/libexec/platform-python").exists():
        pytest.skip("this machine has a platform-python")
    with pytest.raises(GridferryError, match=r"no Python 3\.6 or newer on the login node of nic5"):
        node.probe(PATH=str(programs))


def test_the_job_root_may_be_a_variable_of_the_login(node: LoginNode, tmp_path: Path) -> None:
    """$SCRATCH is what the profile says, however much the profile talks."""
    scratch = tmp_path / "scratch of j"
    scratch.mkdir()
    (node.home / ".bash_profile").write_text(f"echo Welcome\nexport SCRATCH='{scratch}'\nprintf 'quota: 5 of 10'\n")
    assert node.probe(job_root="$SCRATCH/run").paths.root == f"{scratch}/run/gridferry"
    assert list(node.home.iterdir()) == [node.home / ".bash_profile"]


def test_an_absolute_job_root_is_taken_as_it_is(node: LoginNode, tmp_path: Path) -> None:
    """A cluster may keep its jobs elsewhere than in the homes."""
    assert node.probe(job_root=str(tmp_path / "jobs")).paths.root == f"{tmp_path}/jobs/gridferry"


def test_a_folder_that_cannot_be_made_is_told(node: LoginNode) -> None:
    """A file in the way, a full quota: the shell's own complaint goes with the error."""
    (node.home / "gridferry").touch()
    with pytest.raises(GridferryError, match="the job folder on nic5 cannot be made"):
        node.probe()


#: Writes "$(", a command and ")" together from what the login shell's variables hold, and has it expanded (`${x@P}`).
_SPELLED = "${d:=$.}${v:=$BASH_VERSION}${c:=${d:0:1}${v:6:1}id${v:8:1}}/${c@P}"


_SMUGGLED = ["$(id)", "`id`", '"; id; "', "a\\b", "/home/x\n", "a;b", "${x:-$(id)}", "${x@P}", _SPELLED, "a$", "$1"]


@pytest.mark.parametrize("job_root", _SMUGGLED)
def test_a_job_root_cannot_smuggle_commands(job_root: str) -> None:
    """The registry's word becomes part of a script, so it may hold only what paths are made of."""
    with pytest.raises(GridferryError, match="job_root"):
        probe_script(job_root=job_root, python="", program=_PROGRAM)


@pytest.mark.parametrize("job_uuid", ['x"; id; "', "../../x", "3f2b1c0e-0000-4000-8000-000000000000\n", ""])
def test_a_uuid_cannot_smuggle_commands(job_uuid: str) -> None:
    """It becomes part of the script as well, and a registry may have said it."""
    with pytest.raises(UsageError, match="is no job's UUID"):
        probe_script(job_root="", python="", program=_PROGRAM, job_uuid=job_uuid)


_OTHER_UID = 12345
_AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to others")


@_AS_ROOT
@pytest.mark.parametrize("planted", ["gridferry", "gridferry/control"])
def test_a_folder_of_somebody_else_is_not_used(node: LoginNode, tmp_path: Path, planted: str) -> None:
    """On a disk where everybody writes, another user may have been there first, to have their own program run."""
    root = tmp_path / "scratch"
    (root / "gridferry" / "control").mkdir(parents=True)
    evil = root / "gridferry" / "control" / "python"
    evil.write_text("/bin/false")
    os.chown(root / planted, _OTHER_UID, _OTHER_UID)
    with pytest.raises(GridferryError, match="belongs to somebody else"):
        node.probe(job_root=str(root))


@_AS_ROOT
def test_a_link_of_somebody_else_is_not_followed(node: LoginNode, tmp_path: Path) -> None:
    """It leads to a folder of the user's own now, and may lead elsewhere in a moment."""
    own, root = tmp_path / "own", tmp_path / "scratch"
    own.mkdir()
    root.mkdir()
    (root / "gridferry").symlink_to(own)
    os.chown(root / "gridferry", _OTHER_UID, _OTHER_UID, follow_symlinks=False)
    with pytest.raises(GridferryError, match="belongs to somebody else"):
        node.probe(job_root=str(root))


def test_folders_that_were_open_are_closed(node: LoginNode) -> None:
    """Whoever made them, and with whatever umask: they are private to the user."""
    control = node.home / "gridferry" / "control"
    control.mkdir(parents=True)
    for folder in (control, control.parent):
        folder.chmod(0o777)
    node.probe()
    assert [folder.stat().st_mode & 0o777 for folder in (control, control.parent)] == [0o700, 0o700]


@_AS_ROOT
@pytest.mark.parametrize("wrong", ["owner", "others", "group"])
def test_a_python_that_others_could_change_is_passed_over(node: LoginNode, wrong: str) -> None:
    """The registry may propose an interpreter; one that only the user trusts runs, whoever it belongs to."""
    own = node.home / "python"
    own.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    own.chmod({"owner": 0o755, "others": 0o757, "group": 0o775}[wrong])
    os.chown(own, _OTHER_UID if wrong == "owner" else 0, _OTHER_UID)
    mark = node.home / "ran"
    own.write_text(f'#!/bin/sh\ntouch {shlex.quote(str(mark))}\nexec {sys.executable} "$@"\n')
    assert node.probe(python=str(own)).python
    assert not mark.exists()
    (node.home / "gridferry" / "control" / "python").unlink()
    assert node.probe(own_python=str(own)).python
    assert mark.exists()


def test_a_python_that_was_passed_over_is_told() -> None:
    """If there is no other, the user learns which one it was and how to allow it."""
    answer = "gridferry-probe passed_over /opt/py\ngridferry-probe root /h/gridferry\ngridferry-probe python \n"
    with pytest.raises(GridferryError) as raised:
        parse_probe(answer, "nic5")
    assert "/opt/py was not run" in raised.value.remedy


@pytest.mark.parametrize("answer", ["", "Permission denied\n", "gridferry-probe root relative/gridferry\n"])
def test_an_answer_that_is_none_is_told(answer: str) -> None:
    """A shell that says something else, or nothing, may do better next time."""
    with pytest.raises(Unreachable, match="the shell on nic5 gave no usable answer"):
        parse_probe(answer, "nic5")
