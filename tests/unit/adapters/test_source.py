"""The parcel: what goes to the cluster, and that the cluster can unpack it."""

from __future__ import annotations

import hashlib
import os
import socket
import tarfile
import threading
import time
from pathlib import Path

import pytest

from project.adapters.job_tree import IGNORE_FILE
from project.adapters.source import build_parcel, locate_job, pack_folder
from project.core.errors import UsageError
from project.wrapper.parcel import unpack
from tests.contract.ssh.transfers import ODD_NAMES

_SPEC = {"schema": 1, "user_input": {"username": "jdoe"}}


class Sender:
    """A job's directory here, and what comes out of its parcel there."""

    def __init__(self, folder: Path) -> None:
        self.here = folder / "simulation"
        self.here.mkdir()
        self.parcel = folder / "parcel.tar.gz"
        self.there = folder / "there"
        self.modules: list[Path] = []

    def send(self) -> dict[str, str]:
        """Pack, unpack; return the names in `work` with what they are."""
        build_parcel(self.parcel, spec=_SPEC, modules=self.modules, directory=self.here)
        self.there.mkdir()
        unpack(str(self.parcel), str(self.there))
        work = self.there / "work"
        return {str(path.relative_to(work)): _is(path) for path in sorted(work.rglob("*"))} if work.exists() else {}


def _is(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return "folder" if path.is_dir() else path.read_text()


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """An empty job."""
    return Sender(tmp_path)


def test_a_directory_arrives_as_it_was(sender: Sender) -> None:
    """Files, folders (empty ones, too), odd names, and what can be run still can."""
    (sender.here / "deep" / "empty").mkdir(parents=True)
    (sender.here / "deep" / "żółw \n.txt").write_text("x")
    (sender.here / "run.sh").write_text("#!/bin/sh\n")
    (sender.here / "run.sh").chmod(0o755)
    (sender.here / os.fsdecode(b"\xff")).write_text("y")
    assert sender.send() == {
        "deep": "folder", "deep/empty": "folder", "deep/żółw \n.txt": "x", "run.sh": "#!/bin/sh\n", "\udcff": "y",
    }  # fmt: skip
    assert os.access(sender.there / "work" / "run.sh", os.X_OK)
    assert not os.access(sender.there / "work" / "deep" / "żółw \n.txt", os.X_OK)


def test_the_same_content_gives_the_same_bytes(sender: Sender) -> None:
    """At another time, from another user's hands: a resumed upload goes on with the old one."""
    for name in ("b", "a", "c"):
        (sender.here / name).write_text(name)
    hashes = set()
    for moment in (1, 2):
        build_parcel(sender.parcel, spec=_SPEC, modules=[], directory=sender.here)
        hashes.add(hashlib.sha256(sender.parcel.read_bytes()).hexdigest())
        time.sleep(0.01 * moment)
    assert len(hashes) == 1


def test_nothing_tells_about_this_machine(sender: Sender) -> None:
    """No owner, no path above the job's directory; and the parcel is private."""
    (sender.here / "a").write_text("a")
    build_parcel(sender.parcel, spec=_SPEC, modules=[], directory=sender.here)
    with tarfile.open(sender.parcel) as archive:
        members = archive.getmembers()
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert [member.name for member in members] == ["spec.json", "work/a"]
    assert sender.parcel.stat().st_mode & 0o777 == 0o600


def test_links_within_the_directory_lead_to_the_same_files(sender: Sender) -> None:
    """Relative, absolute, to folders, dangling, in circles, and those that go by the directory's own name."""
    (sender.here / "data").mkdir()
    (sender.here / "data" / "a").write_text("a")
    links = {
        "relative": "data/a", "folder": "data", "absolute": str(sender.here / "data" / "a"), "dangling": "nowhere",
        "circle": "circle", "by_name": "../simulation/data/a", "data/up": "../relative",
    }  # fmt: skip
    for name, target in links.items():
        (sender.here / name).symlink_to(target)
    found = sender.send()
    work = sender.there / "work"
    assert {
        name: (work / name).read_text() for name in ("relative", "absolute", "by_name", "data/up", "folder/a")
    } == (dict.fromkeys(("relative", "absolute", "by_name", "data/up", "folder/a"), "a"))
    assert (found["dangling"], found["circle"]) == ("-> nowhere", "-> circle")


def test_two_names_of_one_file_arrive_as_two_files(sender: Sender) -> None:
    """A hard link here is a file there."""
    (sender.here / "a").write_text("a")
    os.link(sender.here / "a", sender.here / "b")
    assert sender.send() == {"a": "a", "b": "a"}


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../other", "data/../../other"])
def test_a_link_that_leads_out_is_refused(sender: Sender, target: str) -> None:
    """What it points to would not be there."""
    (sender.here.parent / "other").mkdir()
    (sender.here / "data").mkdir()
    (sender.here / "link").symlink_to(target)
    with pytest.raises(UsageError, match="leads out of the job's directory"):
        sender.send()


def test_pipes_and_sockets_are_refused_here(sender: Sender) -> None:
    """Before anything is sent, with the name of the thing."""
    os.mkfifo(sender.here / "pipe")
    with pytest.raises(UsageError, match="pipe is neither a file, a folder nor a symlink"):
        sender.send()
    (sender.here / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(sender.here / "socket"))
        with pytest.raises(UsageError, match="socket is neither"):
            sender.send()


def test_what_is_ignored_stays_here(sender: Sender) -> None:
    """By the patterns of .gitignore; even what could not be packed."""
    (sender.here / IGNORE_FILE).write_text("*.o\n!keep.o\nbuild/\npipe\n")
    for name in ("a.c", "a.o", "keep.o", "build/x", "src/b.o"):
        (sender.here / name).parent.mkdir(exist_ok=True)
        (sender.here / name).write_text("")
    os.mkfifo(sender.here / "pipe")
    assert set(sender.send()) - {IGNORE_FILE} == {"a.c", "keep.o", "src"}


def test_odd_names_and_deep_folders_arrive(sender: Sender) -> None:
    """Any name a file can have, and a path longer than a header of tar."""
    names = [f"{folder}{name}" for folder in ("", f"{'/'.join(['deep' * 30] * 8)}/") for name in ODD_NAMES]
    for name in names:
        (sender.here / name).parent.mkdir(parents=True, exist_ok=True)
        (sender.here / name).write_text(ascii(name))
    arrived = sender.send()
    assert {name: arrived[name] for name in names} == {name: ascii(name) for name in names}


def test_loops_of_symlinks_arrive_as_they_are(sender: Sender) -> None:
    """A link to itself, two to each other, and one to a folder above: nothing is followed."""
    (sender.here / "a").mkdir()
    for name, target in (("self", "self"), ("one", "two"), ("two", "one"), ("a/up", "..")):
        (sender.here / name).symlink_to(target)
    (sender.here / "a" / "file").write_text("x")
    arrived = sender.send()
    assert arrived.pop("a/file") == "x"
    assert arrived.pop("a") == "folder"
    assert arrived == {"self": "-> self", "one": "-> two", "two": "-> one", "a/up": "-> .."}


@pytest.mark.parametrize("grows", [True, False])
def test_a_file_that_changes_while_it_is_packed_is_told(sender: Sender, grows: bool) -> None:
    """Something writes to it, or cuts it, meanwhile: nothing is sent half old and half new."""
    file = sender.here / "result.dat"
    file.write_bytes(os.urandom(64 * 1024 * 1024))
    stop = threading.Event()

    def meddle() -> None:
        while not stop.wait(0.001):
            with file.open("r+b") as stream:
                if grows:
                    stream.seek(0, os.SEEK_END)
                    stream.write(b"more")
                else:
                    stream.truncate(max(0, file.stat().st_size - 1))

    meddler = threading.Thread(target=meddle)
    meddler.start()
    try:
        with pytest.raises(UsageError, match=r"result\.dat (changed while it was packed|cannot be packed)"):
            sender.send()
    finally:
        stop.set()
        meddler.join()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_folder_that_may_not_be_read_is_told(sender: Sender) -> None:
    """It is not left out silently; an ignored one is."""
    closed = sender.here / "closed"
    closed.mkdir()
    closed.chmod(0)
    try:
        with pytest.raises(UsageError, match="closed cannot be packed: Permission denied"):
            sender.send()
        (sender.here / IGNORE_FILE).write_text("closed/\n")
        assert set(sender.send()) == {IGNORE_FILE}
    finally:
        closed.chmod(0o700)


def test_ten_thousand_files_arrive(sender: Sender) -> None:
    """In a hundred folders."""
    for folder in range(100):
        (sender.here / str(folder)).mkdir()
        for number in range(100):
            (sender.here / str(folder) / str(number)).write_text(f"{folder}/{number}")
    arrived = sender.send()
    assert len(arrived) == 10_100
    assert all(content == name for name, content in arrived.items() if "/" in name)


def test_modules_and_spec_come_along(sender: Sender, tmp_path: Path) -> None:
    """A module may be a link to a file elsewhere: its content is what counts."""
    (tmp_path / "shared.py").write_text("shared")
    (tmp_path / "own.sh").write_text("own")
    (tmp_path / "linked.py").symlink_to("shared.py")
    sender.modules = [tmp_path / "own.sh", tmp_path / "linked.py"]
    assert sender.send() == {}
    assert {path.name: _is(path) for path in (sender.there / "modules").iterdir()} == {
        "own.sh": "own", "linked.py": "shared",
    }  # fmt: skip
    assert (sender.there / "spec.json").read_text() == '{"schema": 1, "user_input": {"username": "jdoe"}}'


def test_a_folder_packed_alone_unpacks_alone(sender: Sender) -> None:
    """A repository that the client cloned becomes the working directory itself."""
    (sender.here / "a").write_text("a")
    pack_folder(sender.parcel, sender.here)
    sender.there.mkdir()
    unpack(str(sender.parcel), str(sender.there))
    assert [path.name for path in sender.there.iterdir()] == ["a"]


def test_a_file_that_cannot_be_packed_is_named(sender: Sender, tmp_path: Path) -> None:
    """A module that was there a moment ago."""
    sender.modules = [tmp_path / "gone.py"]
    with pytest.raises(UsageError, match=r"gone\.py cannot be packed"):
        sender.send()


def test_a_job_is_looked_for_from_its_job_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the job file, absolute, or in the home; none is none."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "sim").mkdir(parents=True)
    (tmp_path / "jobs" / "sim").mkdir(parents=True)
    assert locate_job("sim", tmp_path / "jobs") == tmp_path / "jobs" / "sim"
    assert locate_job(str(tmp_path / "jobs"), Path("/")) == tmp_path / "jobs"
    assert locate_job("~/sim", tmp_path) == tmp_path / "home" / "sim"
    assert locate_job(None, tmp_path) is None
    with pytest.raises(UsageError, match="which does not exist"):
        locate_job("nowhere", tmp_path)
    for odd in ("/dev/zero", "/dev/null"):
        with pytest.raises(UsageError, match="neither a file nor a directory"):
            locate_job(odd, tmp_path)
