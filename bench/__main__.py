"""`python -m bench`: measure, print a table with aims; the exit code does not judge."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bench.campaigns import campaigns, write_campaign
from bench.figures import Figure, ratios, table
from bench.lists import lists
from bench.machine import machine
from bench.outside import look_on
from bench.rig import Rig, rig
from bench.rounds import take_turns
from bench.transfers import transfers
from demo.docker.images import GENERATIONS
from project.adapters.archive import WRAPPER, Archive

if TYPE_CHECKING:
    from collections.abc import Sequence

Section = Callable[[Rig, int, Callable[[str], None]], list[Figure]]


def submissions(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of the submission of one job."""
    return _submission_figures(take_turns(made.submissions(), rounds, made.settle, say))


def footprint(made: Rig, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of our start, and of what a submission takes besides time."""
    starts = take_turns(made.starts(), rounds, progress=say)
    say("connections, channels and memory")
    return [*_start_figures(starts), *_outside_figures(made)]


#: What can be measured, by name, and how many of its rounds there are for one of the first.
_SECTIONS: dict[str, tuple[Section, float]] = {
    "submissions": (submissions, 1.0),
    "footprint": (footprint, 1.0),
    "campaigns": (campaigns, 0.5),
    "transfers": (transfers, 0.4),
    "lists": (lists, 1.0),
}
#: Of the campaign that is looked on from the outside.
_TASKS = 100
#: What it makes a difference to where the cluster is.
_ELSEWHERE = ("submissions",)


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
    seen, campaign = look_on(made, made.job_file), look_on(made, write_campaign(made, _TASKS) / "job.yml")
    return [
        Figure("SSH connections of a submission", "", [seen.connections], at_most=1),
        Figure("SSH channels of a submission", "", [seen.channels], at_most=4),
        Figure(f"SSH connections of {_TASKS} jobs, a campaign", "", [campaign.connections], at_most=1),
        Figure(f"SSH channels of {_TASKS} jobs, a campaign", "", [campaign.channels], at_most=10),
        Figure("size of the wrapper", "KB", [len(Archive(made.folder, WRAPPER).content) / 1000], at_most=60),
        Figure("memory of the wrapper, peak", "MB", [seen.peaks_mb["run"]], at_most=40),
        Figure("memory of the follower, peak", "MB", [seen.peaks_mb["follow"]], at_most=40),
    ]


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("sections", nargs=-1, type=click.Choice(list(_SECTIONS)), metavar="[SECTION]...")
@click.option("--rounds", default=7, show_default=True, type=click.IntRange(min=1), help="Rounds that count.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option(
    "--containers",
    "suite",
    default="",
    type=click.Choice(["", *GENERATIONS]),
    metavar="SUITE",
    help="Submissions, unless sections are named, to a cluster in containers with this Debian generation's Slurm.",
)
@click.option(
    "--latency-ms",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Submissions, unless sections are named, to a login node whose answers are this much longer under way.",
)
def main(*, sections: Sequence[str], rounds: int, as_json: bool, suite: str, latency_ms: int) -> None:
    """Measure on a real Slurm in a temporary folder: submissions, footprint, campaigns, transfers, lists, or all.

    Everything is measured in turn, round by round; a median that misses its aim is shown as missed. The sections that
    take long have fewer rounds.
    """
    about = machine()
    figures: list[Figure] = []
    for name in sections or (_ELSEWHERE if suite or latency_ms else _SECTIONS):
        measure, share = _SECTIONS[name]
        _say(f"{name}: starting a Slurm and a registry of its own")
        with rig(suite, latency_ms / 1000) as made:
            about |= {"Slurm": made.slurm_version, "latency": f"{latency_ms} ms"}
            figures += measure(made, max(1, round(rounds * share)), _say)
    if as_json:
        document = {"machine": about, "rounds": rounds, "figures": [figure.document() for figure in figures]}
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return
    click.echo(", ".join(f"{name} {value}" for name, value in about.items()) + f"; {rounds} rounds in turn")
    click.echo(table(figures))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    main(prog_name="python -m bench")
