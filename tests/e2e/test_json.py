"""`--json`, everywhere: what is on standard output is JSON and nothing else, whatever the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest

from project.cli import cli
from tests.e2e.far_side import submit, wait_for_state, write_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.grid import Grid

pytestmark = pytest.mark.slurm

#: Each command with the words that make it say something; `{job}` is a job that has ended, `{file}` a job file.
_WORDS = {
    "": "-u {file} {settings} --fresh",
    "submit": "-u {file} {settings} --dry-run",
    "retrieve": "{job} --to {folder}/fetched",
    "run": "--cluster {cluster} --set username={user} --set private_key={key} echo hello",
    "list": "",
    "status": "{job} {campaign}",
    "watch": "{job}",
    "wait": "{job}",
    "logs": "{job}",
    "cancel": "{job}",
    "resubmit": "{job}",
    "export": "{job} --to {folder}/bundle",
    "extend": "{campaign} --failed",
    "info": "",
    "where": "-u {file} {settings}",
    "explain": "{job} {campaign}",
    "clusters": "--refresh",
    "cluster add": "127.0.0.1 name=other port={port} --set username={user} --set private_key={key} --yes",
    "cluster edit": "{cluster}",
    "cluster drain": "other",
    "cluster resume": "other",
    "cluster remove": "other --yes",
    "doctor": "{cluster}",
    "clean": "{job} --yes",
    "sandbox up": "{folder}/no-folder-for-a-sandbox-since-its-name-is-far-too-long-for-the-sockets-that-lie-in-it",
    "sandbox down": "{folder}/nothing",
    "sandbox status": "{folder}/nothing",
    "login": "--account nobody",
    "logout": "--profile nobody",
}
#: Those that print no result here: a question that nobody answers, a sandbox that cannot be.
_FAIL = {"sandbox up": 15, "login": 2, "logout": 2}
#: Whose output is a line of JSON for each piece.
_LINES = {"logs", "run"}
#: A script for the shell, and groups.
_NO_JSON = {"completion", "cluster", "sandbox"}


def _commands(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    yield path, group
    if isinstance(group, click.Group):
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            assert command is not None
            yield from _commands(command, f"{path} {name}".strip())


def test_every_command_takes_json() -> None:
    """But the one that prints a script; and each is tried below."""
    found = {path: any("--json" in option.opts for option in command.params) for path, command in _commands(cli)}
    assert {path for path, takes in found.items() if not takes} == _NO_JSON
    assert {path for path, takes in found.items() if takes} == set(_WORDS)


def test_what_a_command_prints_is_json_and_nothing_else(grid: Grid, tmp_path: Path) -> None:
    """One document, or one a line for what comes piece by piece; a command that fails prints none."""
    job = submit(grid, tmp_path, execution=["echo hi | tee there.txt"], output=["there.txt"])
    campaign = submit(grid, tmp_path, execution=["exit {code}"], for_each={"matrix": {"code": [0, 1]}})
    path = write_job(tmp_path, execution=["true"])
    for job_uuid in (job, campaign):
        wait_for_state(grid, job_uuid, "DONE")
    known: dict[str, Any] = {
        "job": job, "campaign": campaign, "file": path, "folder": tmp_path, "cluster": grid.info.name,
        "user": grid.info.ssh_user, "key": grid.info.ssh_key, "port": grid.info.ssh_port,
        "settings": " ".join(grid.job_settings()),
    }  # fmt: skip
    wrong = {}
    for command, words in _WORDS.items():
        done = grid.client(*command.split(), "--json", *words.format(**known).split(), folder=tmp_path)
        problem = _problem(command, done.stdout) if done.returncode == _FAIL.get(command, 0) else done.stderr
        if problem:
            wrong[command] = problem
    assert wrong == {}


def _problem(command: str, stdout: str) -> str:
    """Say what is wrong with an output, "" for nothing."""
    if command in _FAIL:
        return f"it printed {stdout!r}" if stdout else ""
    try:
        for text in stdout.splitlines() if command in _LINES else [stdout]:
            json.loads(text)
    except ValueError:
        return f"it printed {stdout[:300]!r}"
    return "" if stdout else "it printed nothing"
