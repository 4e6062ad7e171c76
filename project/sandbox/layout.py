"""Where everything of a sandbox lies: every path under its folder is made here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

LONGEST_SOCKET_PATH = 107
"""Bytes of a unix socket's path without the closing zero: sun_path of unix(7) has 108."""

_LONGEST_STEP = "67043328.4294967291"
"""The longest `<job id>.<step id>` Slurm makes: its MaxJobId, and the number of the batch step."""


@dataclass(frozen=True)
class Layout:
    """The paths of the sandbox in `folder`, which is absolute and free of symbolic links (see `at`)."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Layout:
        """The layout of a sandbox in `folder`, spelled the way /proc spells it."""
        return cls(Path(os.path.realpath(folder.expanduser())))

    @property
    def settings(self) -> Path:
        """What the sandbox was made with. Its presence says: this folder is a sandbox."""
        return self.folder / "sandbox.json"

    @property
    def cluster(self) -> Path:
        """The cluster document, for the registry."""
        return self.folder / "cluster.json"

    @property
    def lock(self) -> Path:
        """Locked (flock) by whoever starts or stops the sandbox."""
        return self.folder / "lock"

    @property
    def etc(self) -> Path:
        """Configuration files and the munge key; written at every start."""
        return self.folder / "etc"

    @property
    def slurm_conf(self) -> Path:
        """Slurm's configuration: `SLURM_CONF` names it."""
        return self.etc / "slurm.conf"

    @property
    def munge_key(self) -> Path:
        """The secret the Slurm daemons trust each other by."""
        return self.etc / "munge.key"

    @property
    def run(self) -> Path:
        """Sockets and pid files; emptied when the sandbox stops."""
        return self.folder / "run"

    @property
    def munge_socket(self) -> Path:
        """Where munged answers."""
        return self.run / "munge.socket"

    @property
    def database_socket(self) -> Path:
        """Where MariaDB answers."""
        return self.run / "mariadb.socket"

    @property
    def oci(self) -> Path:
        """What runc keeps about the containers it runs."""
        return self.run / "oci"

    @property
    def logs(self) -> Path:
        """What the daemons say."""
        return self.folder / "log"

    @property
    def database(self) -> Path:
        """MariaDB's data: Slurm's accounting."""
        return self.folder / "database"

    @property
    def database_scratch(self) -> Path:
        """Where MariaDB puts temporary tables: its own, since each that starts empties the folder it uses."""
        return self.folder / "scratch"

    @property
    def accounting_made(self) -> Path:
        """Its presence says: the database is whole, and the user has an account."""
        return self.database / "accounting-made"

    @property
    def state(self) -> Path:
        """What slurmctld keeps across restarts."""
        return self.folder / "state"

    @property
    def spool(self) -> Path:
        """The slurmds' working folders, one per node; job scripts run from here."""
        return self.folder / "spool"

    @property
    def home(self) -> Path:
        """Where Gridferry's jobs get their folders: nothing is put in the user's real home."""
        return self.folder / "home"

    @property
    def ssh(self) -> Path:
        """Keys of the login node and of its user."""
        return self.folder / "ssh"

    @property
    def host_key(self) -> Path:
        """The login node's private host key."""
        return self.ssh / "host_ed25519"

    @property
    def user_key(self) -> Path:
        """The private key that opens the login node."""
        return self.ssh / "id_ed25519"

    @property
    def authorized_keys(self) -> Path:
        """The public keys that may log in."""
        return self.ssh / "authorized_keys"

    @property
    def known_hosts(self) -> Path:
        """The login node's host key as ssh clients want it."""
        return self.ssh / "known_hosts"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder the daemons need, parents first."""
        return (
            self.folder, self.etc, self.run, self.oci, self.logs, self.database, self.database_scratch, self.state,
            self.spool, self.home, self.ssh,
        )  # fmt: skip

    def log(self, daemon: str) -> Path:
        """The log a Slurm daemon keeps, with times, across restarts."""
        return self.logs / f"{daemon}.log"

    def output(self, daemon: str) -> Path:
        """What a daemon printed since its last start."""
        return self.logs / f"{daemon.replace(' ', '-')}.out"

    def pid_file(self, daemon: str) -> Path:
        """Where a daemon writes its pid. Nothing here reads it: /proc is asked instead."""
        return self.run / f"{daemon}.pid"

    def longest_socket(self, node: str) -> Path:
        """The longest socket path this sandbox makes: a job step's, as slurmstepd names it."""
        return self.spool / node / f"{node}_{_LONGEST_STEP}"
