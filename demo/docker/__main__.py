"""`make cluster-up` and `make cluster-down`: usage `python -m demo.docker up|down|check [SUITE] [NODES] [NAME]`.

`up` starts both clusters of slurm-docker/ and registers them where the token may, on ports 2201 and 2202 unless they
were given a name of their own; `down` removes all of it but the images; `check` says whether containers can be had
here at all.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from demo.docker.engine import find_engine
from demo.docker.images import GENERATIONS
from demo.docker.site import DockerSite
from project.bootstrap import make_gateway
from project.core.errors import GridferryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.docker.engine import Engine
    from demo.docker.site import DockerLogin

_FOLDER = Path(__file__).resolve().parents[2] / ".clusters"
_DEFAULTS = ("bookworm", "4", "gridferry")  # SUITE NODES NAME
_PORTS = {"lemaitre3": 2201, "nic5": 2202}


def main(arguments: list[str]) -> int:
    """Do what is asked; return the exit code."""
    suite, nodes, name = [*arguments[1:], *_DEFAULTS[max(0, len(arguments) - 1) :]][:3]
    actions: dict[str, Callable[[Engine, DockerSite], None]] = {"up": _up, "down": _down, "check": _check}
    if arguments[:1] == [] or arguments[0] not in actions or suite not in GENERATIONS or not nodes.isdigit():
        print(f"{__doc__}\nSUITE is one of {', '.join(GENERATIONS)}", file=sys.stderr)
        return 2
    try:
        engine = find_engine()
        ports = _PORTS if name == _DEFAULTS[2] else {}
        site = DockerSite(engine, _FOLDER / name, suite, name, int(nodes), ports)
        actions[arguments[0]](engine, site)
    except GridferryError as error:
        print("\n".join(filter(None, (error.message, error.remedy, error.detail))), file=sys.stderr)
        return 1
    return 0


def _up(_engine: Engine, site: DockerSite) -> None:
    for login in site.up(lambda step, seconds: print(f"{seconds:7.2f}s  {step}", flush=True)):
        print(f"{login.name} is running: Slurm {GENERATIONS[site.suite]}, {site.nodes} nodes")
        print(f"  log in:     {login.ssh_command()}")
        print(f"  job files:  destination_cluster: {login.name}")
        print(f"              username: {login.ssh_user}")
        print(f"              private_key: {login.ssh_key}")
        print(f"  registry:   {_register(login, enabled=True)}")


def _down(engine: Engine, site: DockerSite) -> None:
    for login in site.known():
        _register(login, enabled=False)
    site.down()
    shutil.rmtree(site.folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # others are in there
        _FOLDER.rmdir()
    print("stopped, and the engine, too" if engine.stop() else "stopped")


def _check(engine: Engine, _site: DockerSite) -> None:
    print(f"Docker engine {engine.docker('version', '--format={{.Server.Version}}')}")
    engine.stop()


def _register(login: DockerLogin, *, enabled: bool) -> str:
    """Add a cluster to the registry and to the host keys trusted here, or let it take no more jobs; say how."""
    gateway = make_gateway()
    gateway.remember_host(login.ssh_host, login.ssh_port, login.host_keys)
    if not gateway.settings.token:
        return "no token, so it is not registered; an administrator can, with the documents in .clusters/"
    try:
        gateway.registry.save_cluster({**login.cluster_document(), "enabled": enabled})
    except GridferryError as error:
        return f"not registered: {error.message}"
    return f"registered with {gateway.settings.registry}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
