"""`doctor`: is everything there that a job of yours needs, from here to a compute node?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from project.adapters.show.findings import FINDING_COLUMNS
from project.adapters.show.table import show
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.core.errors import ChecksFailed, ChecksWarned, ExitCode
from project.core.findings import FAILURE, OK, WARNING, Finding, worst
from project.options import CLUSTER, login_options
from project.services.doctor import levels
from project.services.select_cluster import find_cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {OK: ExitCode.OK, WARNING: ChecksWarned.exit_code, FAILURE: ChecksFailed.exit_code}


@click.command("doctor", short_help="Look at all that your jobs need on a cluster; name what is in the way.")
@click.argument("names", type=CLUSTER, nargs=-1, metavar="[CLUSTER]...")
@login_options()
def command(names: Sequence[str], *, settings: Sequence[str], assume_yes: bool, no_input: bool, as_json: bool) -> int:
    """Look at clusters, all of them unless named: the way there, the account, Slurm, the disk, the way back.

    The exit code says the worst: 0 well, 18 something warned, 19 something failed.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    known = gateway.registry.clusters()
    wanted = [find_cluster(name, known) for name in names] or [c for c in known if c.get("enabled", True)]
    given = settings_alone(settings)
    doctor = gateway.doctor()
    found: dict[str, list[Finding]] = {}
    for cluster in wanted:
        name = str(cluster["name"])
        gateway.view.begin(f"examine {name}")
        found[name] = list(doctor.examine(cluster, gateway.who_there(name, given)))
        gateway.view.end(worst(levels(found[name])))
        if not as_json:
            _print(name, found[name], alone=len(wanted) == 1)
    gateway.findings.save_all(found)
    if as_json:
        say(json.dumps({name: [finding._asdict() for finding in listed] for name, listed in found.items()}))
    return _CODES[worst(level for listed in found.values() for level in levels(listed))]


def _print(name: str, found: Sequence[Finding], *, alone: bool) -> None:
    if not alone:
        say(f"\n{name}")
    show(FINDING_COLUMNS, found)
