"""Takes a job through a cluster that is run by `tiny`: `python -m tests.contract.tiny_cluster FOLDER`.

To be run where `project` is a copy that knows this engine. Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from project.core.cluster import checked
from project.core.probe import parse_probe, probe_script
from project.services.select_cluster import find_cluster
from tests.contract.registry_process import RegistryProcess
from tests.killing.login_node import LoginNode

_PROGRAM = Path(__file__).resolve().parents[1] / "fakes" / "tiny_program.py"


def main(folder: Path) -> None:
    """Choose the cluster, look at it as the client does, submit, follow to the end."""
    described = {"name": "pocket", "hostname": "localhost", "workload_manager": "tiny"}
    cluster = find_cluster("pocket", [checked(described)])
    tiny = folder / "bin" / "tiny"
    tiny.parent.mkdir()
    tiny.write_text(f"#!{sys.executable}\n{_PROGRAM.read_text()}")
    tiny.chmod(tiny.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{tiny.parent}{os.pathsep}{os.environ['PATH']}"}
    registry = RegistryProcess(folder / "registry")
    registry.furnish()
    registry.add_user("root", admin=True)
    with registry.started():
        node = LoginNode(folder, registry, environment)
        script = probe_script(
            job_root=str(folder), python=sys.executable, program="none", engine=cluster["workload_manager"]
        )
        probed = subprocess.run(["sh"], input=script, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        parse_probe(probed.stdout, "pocket")
        node.bring_job()
        run = node.run()
        follow = node.follow()
        found = {"exits": [run.exit_code, follow.exit_code], "told": node.told(), "starts": node.starts()}
    sys.stdout.write(json.dumps({**found, "errors": run.errors + follow.errors}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
