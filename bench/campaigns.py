"""Twenty and a hundred jobs by one command, to all their ids and to the last result, beside lines of OpenSSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.figures import Figure, ratios
from bench.rounds import take_turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.rig import Rig
    from bench.rounds import Contender

_SIZES = (20, 100)
#: One job counts the lines of one file; its number is the first word, or what Slurm says. It runs in a login shell,
#: as ours does, so that `module` is there.
_ONE = """\
#!/bin/bash -l
#SBATCH --time=10 --mem=50M
f=$(ls data | sed -n "${1:-$SLURM_ARRAY_TASK_ID}p")
wc -l < "data/$f" > "${f%.txt}.out"
"""
_SEND = "tar c -C {package} data one.sh | ssh -F {config} {host}"
_UNPACK = "mkdir {target} && cd {target} && tar x"
_LOOP = f"{_SEND} '{_UNPACK} && for n in $(seq {{count}}); do sbatch --parsable one.sh $n; done' | tail -n 1"
_ARRAY = f"{_SEND} '{_UNPACK} && sbatch --parsable --array=1-{{count}} one.sh'"
_WAIT = "sbatch --wait --parsable --array=1-{count} one.sh > id"
_ARRAY_AND_BACK = f"{_SEND} '{_UNPACK} && {_WAIT} && tar c *.out' | tar x -C {{here}}"
_OURS = "{client} -u {package}/job.yml --fresh --no-input"
_OURS_AND_BACK = (
    _OURS + " --json --wait > {here}/told && "
    '{client} -r $(sed \'s/.*"job_uuid": "\\([^"]*\\).*/\\1/\' {here}/told) --to {here}/results'
)


def campaigns(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of both sizes."""
    return [figure for count in _SIZES for figure in _figures(made, count, rounds, say)]


def _figures(made: Rig, count: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    folder = _campaign(made, count)

    def line(text: str, answer: str | None) -> Contender:
        return made.openssh(text, answer, package=folder, count=count)

    ids = {
        "ours": line(_OURS, "Slurm job [0-9]+"),
        "array": line(_ARRAY, "^[0-9]+$"),
        "loop": line(_LOOP, "^[0-9]+$"),
    }
    results = {"ours": line(_OURS_AND_BACK, None), "array": line(_ARRAY_AND_BACK, None)}
    to_ids = take_turns(ids, rounds, made.settle, say)
    to_results = take_turns(results, rounds, made.settle, say)
    return [
        Figure(f"{count} jobs, all ids: ours, a campaign", "s", to_ids["ours"]),
        Figure(f"{count} jobs, all ids: tar | ssh, an array", "s", to_ids["array"]),
        Figure(f"{count} jobs, all ids: tar | ssh, sbatch in a loop", "s", to_ids["loop"]),
        ratios(f"{count} jobs, all ids: ours / an array", to_ids["ours"], to_ids["array"], at_most=2.0),
        ratios(f"{count} jobs, all ids: ours / a loop", to_ids["ours"], to_ids["loop"], at_most=2.0),
        Figure(f"{count} jobs, last result: ours, a campaign", "s", to_results["ours"]),
        Figure(f"{count} jobs, last result: tar | ssh, sbatch --wait, tar", "s", to_results["array"]),
        ratios(f"{count} jobs, last result: ours / theirs", to_results["ours"], to_results["array"], at_most=1.1),
    ]


def _campaign(made: Rig, count: int) -> Path:
    """Write data, our job file and their script."""
    folder = made.folder / f"campaign-{count}"
    (folder / "data").mkdir(parents=True)
    for number in range(count):
        (folder / "data" / f"{number:03d}.txt").write_text("word\n" * (number + 1))
    made.write_job(folder, for_each="data/*.txt", execution=["wc -l < {file} > {stem}.out"], output=["{stem}.out"])
    (folder / "one.sh").write_text(_ONE)
    return folder
