"""Twenty and a hundred jobs by one command, to all their ids and to the last result, beside lines of OpenSSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.figures import Figure, ratios
from bench.rounds import take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bench.rig import Rig
    from bench.rounds import Contender

_SIZES = (20, 100)
#: One job counts the lines of one file; its number is the first word, or what Slurm says.
_ONE = """\
{shell}
#SBATCH --time=10 --mem=50M
f=$(ls data | sed -n "${{1:-$SLURM_ARRAY_TASK_ID}}p")
wc -l < "data/$f" > "${{f%.txt}}.out"
"""
#: Ours has what a login shell brings, so that `module` is there. By hand that is a login shell; the other has it not.
_SHELLS = {"one.sh": "#!/bin/bash -l", "plain.sh": "#!/bin/bash"}
_SEND = "tar c -C {package} data one.sh plain.sh | ssh -F {config} {host}"
_UNPACK = "mkdir {target} && cd {target} && tar x"
_LOOP = f"{_SEND} '{_UNPACK} && for n in $(seq {{count}}); do sbatch --parsable one.sh $n; done' | tail -n 1"
_ARRAY = f"{_SEND} '{_UNPACK} && sbatch --parsable --array=1-{{count}} one.sh'"
_WAIT = "sbatch --wait --parsable --array=1-{count} {script} > id"
_ARRAY_AND_BACK = f"{_SEND} '{_UNPACK} && {_WAIT} && tar c *.out' | tar x -C {{here}}"
_OURS = "{client} -u {package}/job.yml --fresh --no-input"
_OURS_AND_BACK = _OURS + " --fetch --to {here}/results"


def campaigns(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of both sizes."""
    return [figure for count in _SIZES for figure in _figures(made, count, rounds, say)]


def _figures(made: Rig, count: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    folder = write_campaign(made, count)

    def line(text: str, answer: str | None) -> Contender:
        return made.openssh(text, answer, package=folder, count=count)

    ids = {
        "ours": line(_OURS, "Slurm job [0-9]+"),
        "array": line(_ARRAY, "^[0-9]+$"),
        "loop": line(_LOOP, "^[0-9]+$"),
    }
    results = {
        "ours": line(_OURS_AND_BACK, None),
        "login shells": line(_ARRAY_AND_BACK.replace("{script}", "one.sh"), None),
        "plain shells": line(_ARRAY_AND_BACK.replace("{script}", "plain.sh"), None),
    }
    to_ids = take_turns(ids, rounds, made.settle, say)
    to_results = take_turns(results, rounds, made.settle, say)
    return [
        Figure(f"{count} jobs, all ids: ours, a campaign", "s", to_ids["ours"]),
        Figure(f"{count} jobs, all ids: tar | ssh, an array", "s", to_ids["array"]),
        Figure(f"{count} jobs, all ids: tar | ssh, sbatch in a loop", "s", to_ids["loop"]),
        ratios(f"{count} jobs, all ids: ours / an array", to_ids["ours"], to_ids["array"], at_most=2.0),
        ratios(f"{count} jobs, all ids: ours / a loop", to_ids["ours"], to_ids["loop"], at_most=2.0),
        Figure(f"{count} jobs, last result: ours, a campaign", "s", to_results["ours"]),
        *_beside(f"{count} jobs, last result", to_results, "login shells"),
        *_beside(f"{count} jobs, last result", to_results, "plain shells"),
    ]


def _beside(name: str, seconds: Mapping[str, Sequence[float]], theirs: str) -> list[Figure]:
    """Return the figures of a script of `tar | ssh, sbatch --wait, tar` whose jobs run in such shells."""
    return [
        Figure(f"{name}: by hand, {theirs}", "s", seconds[theirs]),
        ratios(f"{name}: ours / by hand, {theirs}", seconds["ours"], seconds[theirs], at_most=1.1),
    ]


def write_campaign(made: Rig, count: int) -> Path:
    """Write data, our job file and their script; return the folder."""
    folder = made.folder / f"campaign-{count}"
    (folder / "data").mkdir(parents=True)
    for number in range(count):
        (folder / "data" / f"{number:03d}.txt").write_text("word\n" * (number + 1))
    made.write_job(folder, for_each="data/*.txt", execution=["wc -l < {file} > {stem}.out"], output=["{stem}.out"])
    for name, shell in _SHELLS.items():
        (folder / name).write_text(_ONE.format(shell=shell))
    return folder
