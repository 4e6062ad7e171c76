"""Making the folder: its subfolders, configuration files, keys, and the empty database."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from project.core.errors import SandboxError
from project.sandbox import other_conf, slurm_conf
from project.sandbox.machine import PATH, slurm_version

if TYPE_CHECKING:
    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine
    from project.sandbox.settings import Settings

_MUNGE_KEY_BYTES = 128


def write_files(layout: Layout, settings: Settings, machine: Machine) -> None:
    """Make the folders, and everything in them that is not kept from last time."""
    for folder in (*layout.folders, *(layout.spool / node for node in settings.node_names)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, text in _configuration(layout, settings, machine).items():
        write_private(path, text)
    if not layout.munge_key.exists():
        write_private(layout.munge_key, secrets.token_hex(_MUNGE_KEY_BYTES // 2))
    for key, comment in ((layout.host_key, "host"), (layout.user_key, "user")):
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{settings.name} {comment}", "-f", str(key)])
    write_private(layout.known_hosts, f"[127.0.0.1]:{settings.ports['sshd']} {public_key(layout.host_key)}\n")
    write_authorized_keys(layout, settings)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd, as root, locks its pre-login child up


def write_authorized_keys(layout: Layout, settings: Settings) -> None:
    """Let in the sandbox's own key, and those of the settings; sshd reads this at each login."""
    keys = [public_key(layout.user_key), *settings.authorized_keys]
    write_private(layout.authorized_keys, "".join(f"{key.strip()}\n" for key in keys))


def forget(layout: Layout) -> None:
    """Remove everything the sandbox's folder holds, but for the lock its caller has."""
    for path in layout.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path != layout.lock:
            path.unlink()


def _configuration(layout: Layout, settings: Settings, machine: Machine) -> dict[Path, str]:
    files = {
        "slurm.conf": slurm_conf.slurm_conf(layout, settings, machine),
        "slurmdbd.conf": slurm_conf.slurmdbd_conf(layout, settings, machine),
        "cgroup.conf": slurm_conf.cgroup_conf(slurm_version()),
        "gres.conf": slurm_conf.gres_conf(),
        "my.cnf": other_conf.my_cnf(layout, machine),
        "sshd_config": other_conf.sshd_config(layout, settings, machine),
    }
    if machine.has_runc:
        files["oci.conf"] = slurm_conf.oci_conf(layout.oci)
    return {layout.etc / name: text for name, text in files.items()}


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def public_key(private_key: Path) -> str:
    """Type and key of a key pair, without the comment: `ssh-ed25519 AAAA...`."""
    return " ".join(private_key.with_suffix(".pub").read_text().split()[:2])


def make_database(layout: Layout, machine: Machine) -> None:
    """Make MariaDB's own tables anew; the account gets all rights, by the socket it asks through.

    mariadb-install-db would do it too, but needs a program of a further package and takes longer.
    slurmctld's state goes, since it speaks of jobs the new database has never heard of.
    """
    for folder in (layout.database, layout.state):
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
    sql = [
        "CREATE DATABASE IF NOT EXISTS mysql;",
        "USE mysql;",
        f"SET @auth_root_socket='{machine.user}';",  # read by the data file
        *(_shipped_sql(name).read_text() for name in ("system_tables.sql", "system_tables_data.sql")),
    ]
    run(
        ["mariadbd", f"--defaults-file={layout.etc}/my.cnf", "--bootstrap", "--log-warnings=0"], "\n".join(sql) + "\n"
    )


def _shipped_sql(name: str) -> Path:
    """A file of MariaDB's own tables; MariaDB 11 renamed it, and its folder."""
    names = ("mariadb", "mysql")
    paths = [Path(f"/usr/share/{folder}/{prefix}_{name}") for folder in names for prefix in names]
    found = next((path for path in paths if path.exists()), None)
    if found is None:
        raise SandboxError(f"MariaDB's {name} is not in /usr/share.", "Install mariadb-server-core again.")
    return found


def run(argv: list[str], text: str = "", environment: dict[str, str] | None = None) -> str:
    """Run a program to its end; what it printed.

    Raises:
        SandboxError: it ended with an error; the detail is what it said.
    """
    done = subprocess.run(
        argv, input=text, env=environment or {"PATH": PATH}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SandboxError(f"{argv[0]} failed.", detail=(done.stderr or done.stdout).strip()[-2000:])
    return done.stdout
