"""`export`: a job in one file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from project.adapters import bundle
from project.adapters.terminal import say
from project.adapters.user_input import settings_alone
from project.bootstrap import make_gateway
from project.options import JOB, login_options

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("export")
@click.argument("uuid", type=JOB)
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="Where to  [default: ./UUID.tar.gz]")
@login_options()
def command(
    uuid: str, to: Path | None, *, settings: Sequence[str], assume_yes: bool, no_input: bool, as_json: bool
) -> None:
    """Write what a job was made of into one file: job file, modules, files, commit and script, each with its hash.

    The same job gives the same file, byte for byte. `submit -u FILE` runs it again, here or elsewhere; secrets are
    not in it. A job that is a single file is taken as it lies on the cluster now.
    """
    gateway = make_gateway(assume_yes=assume_yes, no_input=no_input)
    job_uuid = gateway.resolver().find(uuid)
    target = to or Path(f"{job_uuid}.tar.gz")
    folder = gateway.bundle_folder(job_uuid)
    try:
        fetched = gateway.exporter().fetch(job_uuid, folder, settings_alone(settings))
        bundle.assemble(folder, *fetched)
        sha256 = bundle.write(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    result = {"job_uuid": job_uuid, "file": str(target), "bytes": target.stat().st_size, "sha256": sha256}
    say(json.dumps(result) if as_json else "{file}  {bytes} bytes  sha256 {sha256}".format(**result))
