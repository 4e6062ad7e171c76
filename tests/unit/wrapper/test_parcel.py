"""Unpacking what was uploaded: nothing in it may reach out of the job's folder."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from project.core.errors import TransferFailed
from project.wrapper.parcel import unpack

_FILE, _FOLDER, _LINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE


def member(name: str, kind: bytes = _FILE, *, leads_to: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """One member of an archive; a file holds its own name."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, leads_to, mode
    info.size = len(os.fsencode(name)) if kind == _FILE else 0
    return info


class Job:
    """A job's folder with an archive beside it."""

    def __init__(self, folder: Path) -> None:
        self.archive = folder / "parcel.tar.gz"
        self.folder = folder / "job"
        self.folder.mkdir()

    def unpack(self, *members: tarfile.TarInfo) -> None:
        """Pack members, unpack them."""
        with tarfile.open(self.archive, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            for info in members:
                archive.addfile(info, io.BytesIO(os.fsencode(info.name)))
        unpack(str(self.archive), str(self.folder))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """An empty job."""
    return Job(tmp_path)


def test_what_is_packed_is_there_afterwards(job: Job) -> None:
    """Files, folders and links within; private, what could be run still can; doing it again changes nothing."""
    members = (
        member("work", _FOLDER, mode=0o777),
        member("work/run.sh", mode=0o777),
        member("work/data \udcff\n.txt", mode=0o444),
        member("work/link", _LINK, leads_to="run.sh"),
        member("work/up", _LINK, leads_to="../modules/a.py"),
        member("modules/a.py"),
    )
    for _ in range(2):
        job.unpack(*members)
    modes = {path.name: path.stat().st_mode & 0o777 for path in job.folder.rglob("*")}
    assert modes == {
        "work": 0o700, "run.sh": 0o700, "data \udcff\n.txt": 0o600, "link": 0o700, "up": 0o600,
        "modules": modes["modules"], "a.py": 0o600,
    }  # fmt: skip
    assert (job.folder / "work" / "link").readlink() == Path("run.sh")
    assert (job.folder / "work" / "up").read_text() == "modules/a.py"
    assert {path.lstat().st_uid for path in job.folder.rglob("*")} == {os.getuid()}


@pytest.mark.parametrize(
    "members",
    [
        [member("../evil")],
        [member("work/../../evil")],
        [member("/gridferry-evil")],
        [member("evil", _LINK, leads_to="..")],
        [member("evil", _LINK, leads_to="/etc")],
        [member("evil", _LINK, leads_to="work/../..")],
        [member("../evil", _LINK, leads_to="job/inside")],
        [member("d", _FOLDER), member("d/up", _LINK, leads_to=".."), member("evil", _LINK, leads_to="d/up/..")],
        [member("d", _FOLDER), member("d/up", _LINK, leads_to=".."), member("d/up/../evil")],
        [member("d", _FOLDER), member("d/x"), member("d/up", _LINK, leads_to=".."), member("d/up/../d/../../evil")],
        [member("a", _LINK, leads_to="b/.."), member("b", _LINK, leads_to="."), member("a/../evil")],
        [member("a", _LINK, leads_to="b/.."), member("b", _LINK, leads_to="."), member("a", _FOLDER)],
        [member("..", _FOLDER)],
        [member("d", _FOLDER), member("d/../..", _FOLDER)],
    ],
)
def test_nothing_reaches_out_of_the_folder(job: Job, members: list[tarfile.TarInfo]) -> None:
    """Paths that climb, absolute ones, links that lead out, and links that do so only together."""
    with pytest.raises(TransferFailed, match="points out of the job's folder"):
        job.unpack(*members)
    assert {path.name for path in job.folder.parent.iterdir()} == {"job", "parcel.tar.gz"}
    assert not Path("/gridferry-evil").exists()


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE])
def test_only_files_folders_and_links_are_unpacked(job: Job, kind: bytes) -> None:
    """No devices, no pipes, no second names of other files."""
    with pytest.raises(TransferFailed, match="is no file, folder or link"):
        job.unpack(member("odd", kind, leads_to="work"))
    assert list(job.folder.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no archive"), gzip.compress(b"x" * 100_000)[:50]],
    ids=["empty", "no archive", "compressed, but no archive", "cut off"],
)
def test_a_damaged_parcel_is_told(job: Job, content: bytes) -> None:
    """Cut off, empty or something else: the upload has to be done again."""
    job.archive.write_bytes(content)
    with pytest.raises(TransferFailed, match="cannot be unpacked") as caught:
        unpack(str(job.archive), str(job.folder))
    assert "Submit again" in caught.value.remedy


def test_a_parcel_that_is_not_there_is_told(job: Job) -> None:
    """The upload never came, or somebody cleaned up."""
    with pytest.raises(TransferFailed, match="cannot be unpacked"):
        unpack(str(job.archive), str(job.folder))
