"""What lies on a cluster: the parcel, the journal, the job's own description, whatever became of them."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from project.core.errors import GridferryError, TransferFailed
from project.core.layout import ClusterPaths
from project.toolbox.manifest import manifest
from project.wrapper.clock import Clock
from project.wrapper.job import open_job
from project.wrapper.journal import Journal
from project.wrapper.parcel import unpack
from tests.fuzzing import examples
from tests.unit.fuzz.test_ssh import damaged, with_right_sums
from tests.unit.fuzz.words import BYTES, JSON, WORDS

_UUID = "3f2b1c0e-0000-4000-8000-000000000000"


def _parcel(archive_format: int) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=archive_format) as archive:
        for name, kind in (("a", tarfile.DIRTYPE), ("a/" + "long" * 40, tarfile.REGTYPE), ("l", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, 3 * (kind == tarfile.REGTYPE), "a"
            member.mtime = 1.5  # a fraction gets a header of pax
            archive.addfile(member, io.BytesIO(b"abc"))
    return written.getvalue()[:8192]


_TARS = damaged(_parcel(tarfile.PAX_FORMAT)) | damaged(_parcel(tarfile.GNU_FORMAT))


@examples(60)
@given(_TARS, st.sampled_from(["as it is", "right sums", "damaged again"]), st.data())
def test_no_parcel_breaks_the_unpacking(content: bytes, how: str, data: st.DataObject) -> None:
    """It is unpacked inside its folder, or refused."""
    packed = gzip.compress(with_right_sums(content) if how == "right sums" else content)
    packed = data.draw(damaged(packed)) if how == "damaged again" else packed
    with tempfile.TemporaryDirectory() as folder:
        archive, job = Path(folder) / "parcel.tar.gz", Path(folder) / "job"
        archive.write_bytes(packed)
        job.mkdir()
        with contextlib.suppress(TransferFailed):
            unpack(str(archive), str(job))
        assert {path.name for path in Path(folder).iterdir()} == {"parcel.tar.gz", "job"}
        assert all(path.resolve().is_relative_to(job.resolve()) for path in job.rglob("*"))


@examples(60)
@given(st.lists(JSON.map(json.dumps).map(str.encode) | BYTES, max_size=3), BYTES)
def test_no_journal_breaks_its_reading(entries: list[bytes], acknowledged: bytes) -> None:
    """Entries that were damaged are an error of this job."""
    with tempfile.TemporaryDirectory() as folder:
        paths = ClusterPaths(folder).job(_UUID)
        for made in (paths.journal, paths.control):
            Path(made).mkdir(parents=True)
        for number, content in enumerate(entries, 1):
            (Path(paths.journal) / f"{number:06d}.json").write_bytes(content)
        Path(paths.acknowledged).write_bytes(acknowledged)
        journal = Journal(_UUID, paths, Clock())
        with contextlib.suppress(GridferryError):
            assert isinstance(journal.last_state(), str)
            assert isinstance(list(journal.unsent()), list)


@examples(60)
@given(JSON.map(json.dumps).map(str.encode) | BYTES)
def test_no_description_of_a_job_breaks_its_opening(content: bytes) -> None:
    """A job is opened, or it is said to be damaged."""
    with tempfile.TemporaryDirectory() as folder:
        paths = ClusterPaths(folder)
        spec = Path(paths.job(_UUID).spec)
        spec.parent.mkdir(parents=True)
        spec.write_bytes(content)
        with contextlib.suppress(GridferryError):
            job = open_job(paths, _UUID, Clock())
            job.steps("staging")
            assert job.spec.username


@examples(60)
@given(st.lists(WORDS, max_size=4))
def test_no_pattern_breaks_the_listing_of_results(patterns: list[str]) -> None:
    """Whatever `output` says: files inside the working directory, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        paths = ClusterPaths(folder).job(_UUID)
        Path(paths.work).mkdir(parents=True)
        (Path(paths.work) / "a").write_text("x")
        listed = manifest(paths, patterns)["files"]
        assert all(Path(entry["path"]).resolve().is_relative_to(folder) for entry in listed)
