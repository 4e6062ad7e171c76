"""Writes the reference pages in docs/ from the tables in the code; `--check` says whether they are up to date."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from project.config import CLUSTER_SETTINGS, SETTINGS
from project.core import errors
from project.core.errors import ExitCode, GridferryError
from project.core.job_file.fields import FIELDS, Field, json_schema
from tools.commands_page import commands_page

if TYPE_CHECKING:
    from collections.abc import Callable

_DOCS = Path(__file__).resolve().parent.parent / "docs"
_NOTE = "<!-- Written by `make docs` from the tables in the code; edit those. -->\n"

_BUG = "Something unforeseen; a bug."

_JOB_FILE = """# The job file

{note}
A job file is YAML. `user_input_sample.yml` is one to start from; `python -m project -u FILE --dry-run` checks
yours, telling every problem at once with its line and what would be right. The same as JSON Schema:
`docs/job-file.schema.json`. Only true and false are booleans, and `1:30:00` and dates stay text.

| key | kind | | example |
|---|---|---|---|
{rows}

Relative paths in `job` start at the job file. What the job writes into its working directory and `output` names is
what `-r` brings back, with what Slurm and the stages wrote. Any key can be given on the command line:
`--set resources.duration=2h`.

In the job script `JOB_ID` is Slurm's id and `NODE_NAME` the node; with `nbr_threads_per_process` also
`OMP_NUM_THREADS` and `MKL_NUM_THREADS` are set. Slurm's name of the job is its UUID.
"""

_CLIENT = """# Options, settings and exit codes of the client

{note}
`python -m project --help` lists the options; [commands.md](commands.md) has every command.

## Settings

Flags win over the environment, the environment over the settings file, the file over the defaults.

| variable | in the settings file | default | |
|---|---|---|---|
{settings}

Below `clusters.<name>:` in the settings file, for what differs there:

| key | |
|---|---|
{clusters}

Below `profiles.<name>:` any of these settings, for whoever uses several registries; each has a token of its own:

```yaml
profile: home                 # unless --profile or GRIDFERRY_PROFILE says otherwise
profiles:
  home:
    registry: https://grid.example.org
  project:
    registry: https://registry.project.example.org
    mail: jdoe@project.example.org
```

`gridferry login --profile project` gets its token, `gridferry list --profile project` asks it.
Both may know a cluster on which you have one account: each hears of its own jobs.

## Exit codes

| code | name | when | again? |
|---|---|---|---|
{codes}
"""


def job_file_page() -> str:
    """Return docs/job-file.md."""
    rows = "\n".join(_row(field) for field in FIELDS.values())
    return _JOB_FILE.format(note=_NOTE, rows=rows)


def _row(field: Field) -> str:
    dumped = yaml.safe_dump({"x": field.example}, default_flow_style=True, width=10**6)
    example = dumped.strip()[1:-1].partition(": ")[2]
    need = " **needed**" if field.required else ""
    return f"| `{field.key}`{need} | {field.kind.name} | {field.text} | `{example}` |".replace("|`", "| `")


def client_page() -> str:
    """Return docs/client.md."""
    settings = "\n".join(
        f"| `{s.variable}` | {f'`{s.key}`' if s.key else ''} | {f'`{s.default}`' if s.default else ''} | {s.text} |"
        for s in SETTINGS
    )
    clusters = "\n".join(f"| `{s.key}` | {s.text} |" for s in CLUSTER_SETTINGS)
    return _CLIENT.format(note=_NOTE, settings=settings, clusters=clusters, codes="\n".join(_codes()))


def _codes() -> list[str]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GridferryError)]
    rows = [f"| {ExitCode.OK.value} | OK | It worked. | |"]
    for code in ExitCode:
        for kind in kinds:
            if kind.exit_code is code:
                text = _BUG if kind is GridferryError else (kind.__doc__ or "").split("\n")[0]
                rows.append(f"| {code.value} | {kind.__name__} | {text} | {'may help' if kind.transient else ''} |")
    rows.append(f"| {ExitCode.INTERRUPTED.value} | | Ended by Ctrl-C. | `--resume` |")
    return rows


def schema_page() -> str:
    """Return docs/job-file.schema.json."""
    return json.dumps(json_schema(), indent=1) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "job-file.md": job_file_page,
    "job-file.schema.json": schema_page,
    "client.md": client_page,
    "commands.md": partial(commands_page, _NOTE),
}


def main() -> int:
    """Write the pages, or with --check compare them; return the exit code."""
    stale = [name for name, page in PAGES.items() if _differs(_DOCS / name, page())]
    if "--check" in sys.argv[1:]:
        print(f"out of date: {', '.join(stale)}; run make docs" if stale else "the reference pages are up to date")
        return 1 if stale else 0
    for name in stale:
        (_DOCS / name).write_text(PAGES[name]())
        print(f"docs/{name} written")
    return 0


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text


if __name__ == "__main__":
    raise SystemExit(main())
