"""`python -m bench`: measure, print a table with aims; the exit code does not judge."""

from __future__ import annotations

import json

import click

from bench.figures import Figure, ratios, table
from bench.machine import machine
from bench.outside import look_on
from bench.rig import Rig, rig
from bench.rounds import take_turns
from demo.docker.images import GENERATIONS
from project.adapters.archive import WRAPPER, Archive


def measure(made: Rig, rounds: int) -> list[Figure]:
    """Return all figures."""
    submissions = measure_submissions(made, rounds)
    starts = take_turns(made.starts(), rounds, progress=_say)
    _say("connections, channels and memory")
    return [*submissions, *_start_figures(starts), *_outside_figures(made)]


def measure_submissions(made: Rig, rounds: int) -> list[Figure]:
    """Return the figures that where the cluster is makes a difference to."""
    return _submission_figures(take_turns(made.submissions(), rounds, made.settle, _say))


def _submission_figures(seconds: dict[str, list[float]]) -> list[Figure]:
    ours, cold, warm = seconds["ours"], seconds["scp + ssh"], seconds["open connection"]
    return [
        Figure("submit: ours, to the Slurm job id", "s", ours),
        Figure("submit: scp, then ssh sbatch", "s", cold),
        Figure("submit: tar | ssh over an open connection", "s", warm),
        ratios("ours / scp, then ssh sbatch", ours, cold, at_most=1.0),
        ratios("ours / open connection (the best possible)", ours, warm),
    ]


def _start_figures(seconds: dict[str, list[float]]) -> list[Figure]:
    ours, bare = seconds["--help"], seconds["pass"]
    extra = [1000 * (a - b) for a, b in zip(ours, bare, strict=True)]
    return [
        Figure("start: --help", "ms", [1000 * value for value in ours]),
        Figure("start: python -c pass", "ms", [1000 * value for value in bare]),
        Figure("start: what --help adds", "ms", extra, at_most=150),
    ]


def _outside_figures(made: Rig) -> list[Figure]:
    seen = look_on(made)
    return [
        Figure("SSH connections of a submission", "", [seen.connections], at_most=1),
        Figure("SSH channels of a submission", "", [seen.channels], at_most=4),
        Figure("size of the wrapper", "KB", [len(Archive(made.folder, WRAPPER).content) / 1000], at_most=60),
        Figure("memory of the wrapper, peak", "MB", [seen.peaks_mb["run"]], at_most=40),
        Figure("memory of the follower, peak", "MB", [seen.peaks_mb["follow"]], at_most=40),
    ]


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(min=1), help="Rounds that count.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--containers",
    "suite",
    default="",
    type=click.Choice(["", *GENERATIONS]),
    metavar="SUITE",
    help="Submissions alone, to a cluster in containers with this Debian generation's Slurm.",
)
@click.option(
    "--latency-ms",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Submissions alone, to a login node whose answers are this much longer under way.",
)
def main(*, rounds: int, as_json: bool, suite: str, latency_ms: int) -> None:
    """Measure submissions, start-up, connections, size and memory on a real Slurm in a temporary folder.

    Everything is measured in turn, round by round; a median that misses its aim is shown as missed.
    """
    about = machine()
    _say("starting a Slurm and a registry of its own")
    with rig(suite, latency_ms / 1000) as made:
        about |= {"Slurm": made.slurm_version, "latency": f"{latency_ms} ms"}
        figures = (measure_submissions if suite or latency_ms else measure)(made, rounds)
    if as_json:
        document = {"machine": about, "rounds": rounds, "figures": [figure.document() for figure in figures]}
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    click.echo(", ".join(f"{name} {value}" for name, value in about.items()) + f"; {rounds} rounds in turn")
    click.echo(table(figures))


if __name__ == "__main__":
    main(prog_name="python -m bench")
