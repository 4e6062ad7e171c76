"""`make demo`: the whole way once, on a real Slurm, printing what it does and how long it takes.

`python -m demo [FOLDER]`; KEEP=1 in the environment leaves everything running.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from demo.grid import ACCOUNT, MAIL, Grid
from project.core.errors import GridferryError

_ROOT = Path(__file__).resolve().parent.parent
#: The sockets of the daemons must fit into 108 bytes (unix(7)).
_LONGEST_FOLDER = 55
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def heading(text: str) -> None:
    """Print what comes next."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def choose_folder(arguments: list[str]) -> Path:
    """Return where the demo lies: kept from run to run, so that the second one is fast."""
    if arguments:
        return Path(arguments[0]).resolve()
    for folder in (_ROOT / ".demo", Path.home() / ".gridferry-demo"):
        if len(str(folder)) <= _LONGEST_FOLDER:
            return folder
    return Path(tempfile.gettempdir()) / f"gridferry-demo-{os.getuid()}"


def run_client(grid: Grid, *arguments: str) -> str:
    """Show and run one command of the client in the repository; return what it printed on standard output."""
    words = ["python", "-m", "project", *arguments]
    print(f"$ {shlex.join(words)}", flush=True)
    environment = {**os.environ, **grid.client_variables}
    done = subprocess.run(
        grid.client_argv(*arguments), cwd=_ROOT, env=environment, text=True, stdout=subprocess.PIPE, check=True
    )
    print(done.stdout, end="", flush=True)
    return done.stdout


def show_mails(grid: Grid, job_uuid: str, wanted: int) -> None:
    """Print the mails about a job: each one's subject, the last one whole."""
    deadline = time.monotonic() + 60
    while len(grid.mails(job_uuid)) < wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    mails = grid.mails(job_uuid)
    for mail in mails:
        print(f"  {mail['Date']}  {mail['Subject']}")
    if mails:
        print("\n" + "\n".join(f"  | {line}" for line in mails[-1].get_content().splitlines()))


def show_results(folder: Path) -> None:
    """Print what came back, names that differ by a number together."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        groups.setdefault(re.sub(r"[0-9]+", "*", path.name), []).append(path)
    for pattern, paths in groups.items():
        size = sum(path.stat().st_size for path in paths)
        print(f"  {size:>7} bytes  {paths[0].name if len(paths) == 1 else f'{pattern}  ({len(paths)} files)'}")
    summary = folder / "summary.json"
    if summary.exists():
        head = " ".join(summary.read_text().split())[:110]
        print(f"\n  summary.json: {head} …")


def tour(grid: Grid) -> None:
    """Submit, wait, show the mails, fetch."""
    heading("Submit the sample job and wait for its end")
    sample = ["-u", "user_input_sample.yml", "-m", "modules_sample.yml", *grid.job_settings()]
    job_uuid = _UUID.findall(run_client(grid, *sample, "--fresh", "--wait"))[0]
    heading("The mails that came")
    show_mails(grid, job_uuid, wanted=3)
    heading("Fetch the results")
    results = grid.folder / "results" / job_uuid
    run_client(grid, "-r", job_uuid, "--to", str(results))
    heading("What came back")
    show_results(results)


def explain(grid: Grid) -> None:
    """Write settings for what was left running, and print how to use it."""
    cluster = grid.sandbox.name
    own = {"username": grid.sandbox.ssh_user, "private_key": str(grid.sandbox.ssh_key)}
    grid.settings_file.write_text(yaml.safe_dump({"mail": MAIL, "cluster": cluster, "clusters": {cluster: own}}))
    heading("Left running; use it like this")
    print(f". {shlex.quote(sys.prefix)}/bin/activate")
    for name, value in grid.client_variables.items():
        print(f"export {name}={shlex.quote(value)}")
    print("python -m project run -- hostname")
    print(f"python -m project -u FILE --set destination_cluster={cluster} --set user_mail={MAIL}")
    print(f"# the registry's page: {grid.registry_url}/   account {ACCOUNT}, password in {grid.password_file}")
    print(f"# mails: {grid.mail_folder}")
    print(f"# log in: {grid.sandbox.ssh_command()}")
    pids = " ".join(str(server.process.pid) for server in (grid.registry, grid.smtp) if server)
    print(f"# stop it: kill {pids}; python -m project sandbox down {shlex.quote(str(grid.sandbox.folder))}")


def main() -> int:
    """Run the demo; return its exit code."""
    started = time.monotonic()
    grid = Grid(
        choose_folder(sys.argv[1:]), progress=lambda step, seconds: print(f"{seconds:7.2f}s  {step}", flush=True)
    )
    if shutil.which("gcc") is None:
        print("the sample job compiles C: install gcc", file=sys.stderr)
        return 1
    heading(f"Start a real Slurm, a mail server and the registry in {grid.folder}")
    try:
        grid.start()
        tour(grid)
    except (GridferryError, subprocess.CalledProcessError) as error:
        print(f"the demo failed: {error}", file=sys.stderr)
        grid.stop()
        return 1
    except BaseException:
        grid.stop()
        raise
    if os.environ.get("KEEP"):
        explain(grid)
    else:
        heading("Stop everything")
        grid.stop()
    print(f"\ndone in {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    raise SystemExit(main())
