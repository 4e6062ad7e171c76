"""A retrieval whose every port is at hand."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from project.core.errors import GridferryError
from project.services.far_side import FarSide
from project.services.logins import LoginChoice
from project.services.retrieve import Retrieved, Retriever
from tests.unit.services.ports import (
    UUID,
    FakeCluster,
    FakeProgram,
    FakeRecords,
    FakeRegistry,
    ListeningView,
    Person,
    QuickClock,
)

if TYPE_CHECKING:
    from pathlib import Path

ENDED = {"ended": True, "outcome": "COMPLETED", "state": "DONE"}
RUNNING = {"ended": False, "outcome": None, "state": "RUNNING"}
CREDENTIALS = "/home/jdoe/gridferry/control/registry-here.json"
ENTRY = {"schema": 1, "job_uuid": UUID, "seq": 3, "kind": "state", "body": {"state": "COMPLETED"}}


def described(name: str, content: bytes, *, executable: bool = False) -> dict[str, Any]:
    """A file as the manifest lists it."""
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "path": f"/there/{name}", "size": len(content), "sha256": digest, "executable": executable}


class Fetch:
    """A retrieval whose every port is at hand."""

    def __init__(self, registry: FakeRegistry, *names: str, missing: tuple[str, ...] = ()) -> None:
        self.registry = registry
        self.cluster = FakeCluster()
        self.view = ListeningView()
        self.person = Person()
        self.records = FakeRecords({"private_key": None})
        self.logins = LoginChoice()
        files = [described(name, name.encode(), executable=name.endswith(".sh")) for name in names]
        self.cluster.events["manifest"] = [
            {"event": "manifest", "job_uuid": UUID, "manifest": {"files": files, "missing": list(missing)}}
        ]
        self.cluster.files = {f"/there/{name}": name.encode() for name in names}

    def change(self, name: str, content: str) -> None:
        """Let a result have another content there."""
        listed = self.cluster.events["manifest"][0]
        assert not isinstance(listed, GridferryError)
        files = listed["manifest"]["files"]
        files[:] = [described(name, content.encode()) if file["name"] == name else file for file in files]
        self.cluster.files[f"/there/{name}"] = content.encode()

    def run(self, folder: Path, *, overwrite: bool = False, **overrides: Any) -> Retrieved:
        """Fetch into a folder."""
        far_side = FarSide(
            connector=self.cluster,
            records=self.records,
            toolbox=FakeProgram(),
            prompter=self.person,
            view=self.view,
            logins=self.logins,
        )
        retriever = Retriever(registry=self.registry, far_side=far_side, view=self.view, clock=QuickClock())
        return retriever.retrieve(UUID, folder, overrides, overwrite=overwrite)
