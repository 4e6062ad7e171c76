"""A client in a process of its own: brings a file to a job there, has it listed and fetches it back.

`python -m tests.faults.large_client JSON`; prints as JSON the most memory it had, in MiB, and the seconds each
way took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from project.adapters.archive import TOOLBOX, Archive
from project.adapters.ssh import SshConnector
from project.ports import Login
from project.services.late_hashes import LateHashes
from project.services.remote import Remote
from project.services.results import ResultsFolder
from tests.contract.ssh.people import Person
from tests.contract.ssh.servers import user
from tests.unit.services.ports import ListeningView


def main() -> None:
    """Take the file both ways."""
    asked = json.loads(sys.argv[1])
    folder, source = Path(asked["folder"]), Path(asked["source"])
    connector = SshConnector(Person(), [folder / "known_hosts"], folder / "confirmed", None)
    login = Login(host="127.0.0.1", port=asked["port"], username=user(), private_key=Path(asked["key"]))
    cluster = {"name": "x", "hostname": "127.0.0.1", "job_root": asked["job_root"]}
    remote = Remote(connector.connect(login), cluster, Archive(folder / "cache", TOOLBOX))
    remote.reach()
    began = time.monotonic()
    remote.upload(source, f"{asked['work']}/{source.name}", ListeningView())
    there = time.monotonic()
    events = remote.run("results", asked["job_uuid"])
    next(events)  # hands over the journal
    (entry,) = next(events)["manifest"]["files"]
    listed = time.monotonic()
    results = ResultsFolder(folder, LateHashes(events))
    failed = remote.fetch([results.result(f"back/{entry['name']}", entry)], ListeningView())
    done = time.monotonic()
    remote.close()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = [round(there - began, 1), round(listed - there, 1), round(done - listed, 1)]
    sys.stdout.write(json.dumps({"failed": failed, "peak_mib": peak_mib, "seconds": seconds}))


main()
