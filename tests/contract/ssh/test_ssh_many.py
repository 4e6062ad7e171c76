"""Many small files in one stream: each arrives as if it had come alone, and what cannot is left to come alone."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from project.core.errors import TransferFailed, TransferStopped
from tests.contract.ssh.transfers import ODD_NAMES, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from project.adapters.ssh.connection import SshConnection
    from project.ports import RemoteFile
    from tests.contract.ssh.conftest import Caller
    from tests.contract.ssh.servers import SshServer


def _write(far: Path, here: Path, contents: Mapping[str, bytes]) -> dict[Path, RemoteFile]:
    """Write files there; return them as they are asked for."""
    for name, content in contents.items():
        (far / name).parent.mkdir(parents=True, exist_ok=True)
        (far / name).write_bytes(content)
    return {here / name: manifest(f"{far}/{name}", content) for name, content in contents.items()}


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_thousand_files_come_in_one_channel(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """With their folders, and nothing beside; progress ends at the whole."""
    contents = {f"d{n % 7}/sub/f{n}": os.urandom(n) for n in range(1000)}
    files, steps = _write(far, tmp_path / "here", contents), [(0, 0)]
    before = there.channels_opened
    arrived = there.get_many(files, progress=lambda done, total: steps.append((done, total)))
    assert there.channels_opened == before + 1
    assert arrived == set(files)
    assert _tree(tmp_path / "here") == contents
    assert steps[-1] == (sum(range(1000)), sum(range(1000)))


def test_odd_names_in_odd_folders(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Any name that a file or a folder can have; a long path is longer than tar's header."""
    contents = {f"{name}/{name}": os.fsencode(name) for name in ODD_NAMES}
    contents["/".join(["deep" * 30] * 20)] = b"deep"
    files = _write(far, tmp_path / "here", contents)
    assert there.get_many(files) == set(files)
    assert _tree(tmp_path / "here") == contents


def test_more_names_than_go_at_a_time(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """They go in several parts."""
    contents = {f"{'n' * 240}{number}": b"" for number in range(5000)}
    files = _write(far, tmp_path / "here", contents)
    assert len(there.get_many(files)) == 5000


def test_what_is_not_as_it_should_be_is_left_out(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Missing, changed, grown, a folder by now, or not to be written here: the others come all the same."""
    names = ("good", "missing", "changed", "grown", "folder", "no/way", "linked", "twin", "run")
    files = _write(far, tmp_path / "here", {name: name.encode() for name in names})
    (far / "missing").unlink()
    (far / "changed").write_bytes(b"CHANGED")
    (far / "grown").write_bytes(b"grown and grown")
    (far / "folder").unlink()
    (far / "folder").mkdir()
    (far / "linked").rename(far / "elsewhere")
    (far / "linked").symlink_to("elsewhere")
    (far / "twin").unlink()
    (far / "twin").hardlink_to(far / "good")
    files[tmp_path / "here" / "twin"] = manifest(far / "twin", b"good")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "no").write_text("in the way")
    assert {path.name for path in there.get_many(files)} == {"good", "linked", "twin", "run"}
    assert not any((tmp_path / "here").glob(".gridferry*"))
    for name in ("missing", "changed", "grown", "no/way"):
        with pytest.raises(TransferFailed):
            there.get(files[tmp_path / "here" / name], tmp_path / "here" / name)


def test_what_can_be_run_still_can(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """Others cannot."""
    files = _write(far, tmp_path / "here", {"run.sh": b"x", "data": b"y"})
    run = tmp_path / "here" / "run.sh"
    files[run] = files[run].__class__(files[run].path, 1, files[run].sha256, executable=True)
    there.get_many(files)
    assert [bool(stat.S_IMODE(path.stat().st_mode) & 0o100) for path in files] == [True, False]
    (run.with_name("again")).parent.mkdir(exist_ok=True)
    there.get(files[run], run.with_name("again"))
    assert os.access(run.with_name("again"), os.X_OK)


def test_one_file_goes_to_several_places(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """As when tasks share an output."""
    (far / "shared").write_bytes(b"shared")
    files = {tmp_path / task / "shared": manifest(far / "shared", b"shared") for task in "abc"}
    assert there.get_many(files) == set(files)
    assert there.get_many({}) == set()


def test_what_came_with_the_list_is_only_written(there: SshConnection, far: Path, tmp_path: Path) -> None:
    """It takes no channel; content that is not what the list promises is fetched."""
    files = _write(far, tmp_path / "here", {"good": b"good", "wrong": b"right", "sub/later": b"later"})
    good, wrong, later = files
    before = there.channels_opened
    assert there.get_many({good: replace(files[good], content=b"good")}) == {good}
    assert there.channels_opened == before
    assert there.get_many({wrong: replace(files[wrong], content=b"wrong"), later: files[later]}) == {wrong, later}
    assert _tree(tmp_path / "here") == {"good": b"good", "wrong": b"right", "sub/later": b"later"}


def test_a_cut_in_the_middle_keeps_what_has_come(
    there: SshConnection, cuttable: SshServer, caller: Caller, far: Path, tmp_path: Path
) -> None:
    """It is told as a lost connection; every file that is here is whole, and the others come later."""
    contents = {f"f{n:03d}": os.urandom(256 * 1024) for n in range(100)}
    files = _write(far, tmp_path / "here", contents)

    def cut(done: int, total: int) -> None:
        if done > total // 4:
            cuttable.cut_connections()

    with pytest.raises(TransferStopped, match="broke while"):
        there.get_many(files, progress=cut)
    came = _tree(tmp_path / "here")
    assert 0 < len(came) < len(contents)
    assert came.items() <= contents.items()
    rest = {target: file for target, file in files.items() if not target.exists()}
    assert caller.connect(cuttable).get_many(rest) == set(rest)
    assert _tree(tmp_path / "here") == contents


@pytest.mark.parametrize(
    "program", ["", "exit 3", "echo no archive", "head -c 100000 /dev/zero", "yes | head -c 9999"]
)
def test_where_there_is_no_gnu_tar_nothing_comes(
    program: str, start_server: Callable[..., SshServer], caller: Caller, far: Path, tmp_path: Path
) -> None:
    """Whatever is there instead; then each file comes alone."""
    folder = tmp_path / "bin"
    folder.mkdir()
    if program:
        (folder / "tar").write_text(f"#!/bin/sh\n{program}\n")
        (folder / "tar").chmod(0o755)
    else:
        for name in ("sh", "printf", "cat", "head", "wc"):
            (folder / name).symlink_to(f"/bin/{name}" if Path(f"/bin/{name}").exists() else f"/usr/bin/{name}")
    path = f"{folder}:/usr/bin:/bin" if program else str(folder)
    there = caller.connect(start_server(f"SetEnv PATH={path}"))
    files = _write(far, tmp_path / "here", {"a": b"a", "b": b"b"})
    assert there.get_many(files) == set()
    for target, file in files.items():
        target.parent.mkdir(exist_ok=True)
        there.get(file, target)
    assert _tree(tmp_path / "here") == {"a": b"a", "b": b"b"}
