"""The text of MariaDB's and sshd's configuration files. Pure: paths and settings in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine
    from project.sandbox.settings import Settings

MARK = "GRIDFERRY_SANDBOX"
"""The environment variable that says which sandbox a process belongs to."""


def my_cnf(layout: Layout, machine: Machine) -> str:
    """Options of MariaDB: no network, no password (the socket knows who asks), small.

    A commit survives the death of the process but not of the machine: this is a sandbox, and 30 times faster.
    """
    return f"""\
[mariadbd]
user={machine.user}
datadir={layout.database}
tmpdir={layout.database_scratch}
socket={layout.database_socket}
pid-file={layout.pid_file("mariadbd")}
skip-networking
skip-name-resolve
skip-log-bin
max_allowed_packet=16M
innodb_buffer_pool_size=128M
innodb_log_file_size=32M
innodb_autoextend_increment=8
innodb_lock_wait_timeout=900
innodb_flush_log_at_trx_commit=2
innodb_doublewrite=0
innodb_use_native_aio=0
"""


def sshd_config(layout: Layout, settings: Settings, machine: Machine) -> str:
    """Options of sshd: one account, keys only, loopback; MaxSessions and MaxStartups stay what they are by default.

    StrictModes is off because the keys lie in the sandbox's folder, which is checked once at the start.
    """
    return f"""\
Port {settings.ports["sshd"]}
ListenAddress 127.0.0.1
HostKey {layout.host_key}
PidFile {layout.pid_file("sshd")}
AuthorizedKeysFile {layout.authorized_keys}
AllowUsers {machine.user}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
AcceptEnv LANG LC_*
SetEnv SLURM_CONF={layout.slurm_conf} {MARK}={layout.folder}
Subsystem sftp internal-sftp
"""
