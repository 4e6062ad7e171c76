"""SSH over paramiko: one connection per cluster, verified host keys, a shell and fast, resumable file transfer.

Importing this package costs about a quarter of a second (paramiko and its cryptography), so import it where a
connection is really made. `SshConnector` is the entry; everything else is reached through `project.ports`.
"""

from project.adapters.ssh import lean_paramiko as _lean_paramiko  # first: how paramiko is imported
from project.adapters.ssh.connector import SshConnector

__all__ = ["SshConnector"]

del _lean_paramiko
