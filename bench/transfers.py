"""Ten thousand small files and one large one, there and back, beside `tar | ssh`, `sftp -r` and `sftp`."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from bench.figures import Figure, ratios
from bench.rounds import seconds_to_answer, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.rig import Rig
    from bench.rounds import Contender

_SMALL_FILES = 10_000
_SMALL_BYTES = 700
_LARGE_MIB = 1024
_SUBMIT = "{client} -u {package}/job.yml --fresh --no-input"
_TAR_UP = "tar c -C {package} data | ssh -F {config} {host} 'mkdir {target} && tar x -C {target}'"
_TAR_DOWN = "ssh -F {config} {host} 'tar c -C {there} .' | tar x -C {here}"
_SFTP_UP = "printf 'put -r %s %s\\n' {package}/data {target} | sftp -q -b - -F {config} {host}"
_SFTP_DOWN = "printf 'get -r %s %s\\n' {there} {here}/results | sftp -q -b - -F {config} {host}"


def transfers(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of small files and of a large one."""
    return [*_small(made, rounds, say), *_large(made, rounds, say)]


def _small(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    folder = made.folder / "small"
    data = folder / "data"
    data.mkdir(parents=True)
    for number in range(_SMALL_FILES):
        (data / f"{number:05d}.dat").write_bytes(os.urandom(_SMALL_BYTES))
    made.write_job(folder, job="data", execution=["true"], output=["*.dat"])
    return _both_ways(made, folder, f"{_SMALL_FILES} files", rounds, say, at_most=1.5)


def _large(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    folder = made.folder / "large"
    (folder / "data").mkdir(parents=True)
    with (folder / "data" / "large.dat").open("wb") as stream:
        for _ in range(_LARGE_MIB):
            stream.write(os.urandom(1 << 20))
    made.write_job(folder, job="data/large.dat", execution=["true"], output=["large.dat"])
    return _both_ways(made, folder, f"{_LARGE_MIB} MiB", rounds, say, at_most=1.5)


def _both_ways(
    made: Rig, folder: Path, name: str, rounds: int, say: Callable[[str], None], *, at_most: float
) -> list[Figure]:
    """Take the time up, to the Slurm job id or the end, and down, of all three."""
    up = {
        "ours": made.openssh(_SUBMIT, "Slurm job [0-9]+", package=folder),
        "tar": made.openssh(_TAR_UP, None, package=folder),
        "sftp": made.openssh(_SFTP_UP, None, package=folder),
    }
    job_uuid, work = _submitted(made, folder)
    down = {
        "ours": made.openssh("{client} -r {job} --to {here}/results", None, job=job_uuid),
        "tar": made.openssh(_TAR_DOWN, None, there=work),
        "sftp": made.openssh(_SFTP_DOWN, None, there=work),
    }
    return [
        *_compared(f"{name} up", take_turns(up, rounds, made.settle, say), at_most),
        *_compared(f"{name} down", _tidily(made, down, rounds, say), at_most),
    ]


def _tidily(
    made: Rig, contenders: Mapping[str, Contender], rounds: int, say: Callable[[str], None]
) -> dict[str, list[float]]:
    """Take turns; what each run brought is removed, so that the disk does not fill."""

    def tidy() -> None:
        for folder in made.folder.glob("tmp*"):
            shutil.rmtree(folder)

    return take_turns(contenders, rounds, tidy, say)


def _submitted(made: Rig, folder: Path) -> tuple[str, str]:
    """Submit the job and wait for its end; return its UUID and its working directory."""
    told = folder / "told"
    line = f"{_SUBMIT} --wait --json > {{told}}"
    seconds_to_answer(made.openssh(line, None, package=folder, told=told), 0)
    made.settle()
    job_uuid = told.read_text().partition('"job_uuid": "')[2][:36]
    return job_uuid, made.cluster_paths.job(job_uuid).work


def _compared(name: str, seconds: Mapping[str, list[float]], at_most: float) -> list[Figure]:
    ours = seconds["ours"]
    return [
        Figure(f"{name}: ours", "s", ours),
        Figure(f"{name}: tar | ssh", "s", seconds["tar"]),
        Figure(f"{name}: sftp", "s", seconds["sftp"]),
        ratios(f"{name}: ours / tar | ssh", ours, seconds["tar"]),
        ratios(f"{name}: ours / sftp", ours, seconds["sftp"], at_most=at_most),
    ]
