"""Reads the user's ssh_config, by asking OpenSSH itself where it is installed (ssh_config(5))."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko

from project.adapters.ssh.destination import MOST_PORT, Destination, Hop
from project.config import child_environment
from project.core.errors import UsageError
from project.core.units import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Options by keyword in lower case, each with its values in the order they count.
_Options = dict[str, list[str]]

#: Keys that ssh tries when none is configured, in ssh's order, of the kinds paramiko can sign with.
_DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")

#: How long `ssh -G` may take: it opens no connection, but `Match exec` may run anything.
_ASK_LIMIT_S = 10


class SshConfig:
    """What ssh_config says of hosts.

    Args:
        file: usually `~/.ssh/config`; it need not exist. The default keys are looked for beside it. None: neither.
        known_hosts: files of known host keys, besides those that ssh_config names.
    """

    def __init__(self, file: Path | None, known_hosts: Sequence[Path]) -> None:
        self._file = file
        self._known_hosts = tuple(known_hosts)

    def resolve(self, hop: Hop) -> Destination:
        """Return where `hop` leads. Its own port and username win over the configuration's.

        Raises:
            UsageError: the configuration is wrong.
        """
        options = self._options(hop)

        def one(keyword: str, default: str = "") -> str:
            value = options.get(keyword, [default])[0]
            return "" if value.lower() == "none" else value

        hostname = one("hostname", hop.host)
        port = hop.port or whole_number(one("port", "22")) or 0
        if not 0 < port <= MOST_PORT:
            raise UsageError(f"{self._file} is not valid: there is no port {one('port')}.", "Correct it.")
        username = hop.username or one("user", getpass.getuser())
        tokens = {"%": "%", "h": hostname, "n": hop.host, "p": str(port), "r": username, "u": getpass.getuser()}
        tokens |= {"d": str(Path.home()), "k": one("hostkeyalias", hop.host), "l": socket.gethostname()}

        def files(names: Iterable[str]) -> tuple[Path, ...]:
            return tuple(Path(_expand(name, tokens)).expanduser() for name in names if name.lower() != "none")

        return Destination(
            hostname=hostname,
            port=port,
            username=username,
            identities=files(options.get("identityfile", [])),
            identities_only=one("identitiesonly") == "yes",
            agent=_agent(options.get("identityagent", [""])[0], tokens),
            certificates=files(options.get("certificatefile", [])),
            jumps=tuple(Hop.parse_all(one("proxyjump"))),
            proxy_command=_expand(one("proxycommand"), tokens),
            known_hosts=tuple(dict.fromkeys((*self._known_hosts, *files(_known_hosts_files(options))))),
            host_key_alias=one("hostkeyalias"),
        )

    def _options(self, hop: Hop) -> _Options:
        if self._file is None:
            return {}
        if not self._file.exists():
            return {"identityfile": [str(self._file.parent / key) for key in _DEFAULT_KEYS]}
        return self._ask_openssh(self._file, hop) if shutil.which("ssh") else self._ask_paramiko(self._file, hop)

    def _ask_openssh(self, file: Path, hop: Hop) -> _Options:
        command = ["ssh", "-G"]
        command += [] if _is_default(file) else ["-F", str(file)]
        command += ["-p", str(hop.port)] if hop.port else []
        command += ["-l", hop.username] if hop.username else []
        try:
            answer = subprocess.run(
                [*command, "--", hop.host],
                stdin=subprocess.DEVNULL,
                env=child_environment(),
                capture_output=True,
                text=True,
                errors="surrogateescape",
                check=False,
                timeout=_ASK_LIMIT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(
                f"`ssh -G {hop.host}` takes more than {_ASK_LIMIT_S} s.", f"Look at `Match exec` in {file}."
            ) from error
        if answer.returncode:
            raise UsageError(f"{file} is not valid.", "Correct it: `ssh -G` tells more.", answer.stderr)
        options: _Options = {}
        for keyword, _, value in (line.partition(" ") for line in answer.stdout.splitlines()):
            options.setdefault(keyword.lower(), []).append(value)
        return options

    @staticmethod
    def _ask_paramiko(file: Path, hop: Hop) -> _Options:
        """Without `Match exec`, `Include` and the system-wide file; %r is the configured account, not the login's."""
        try:
            found = paramiko.SSHConfig.from_path(str(file)).lookup(hop.host)
        except (paramiko.SSHException, ValueError, LookupError, ImportError) as error:
            raise UsageError(f"{file} is not valid: {error}.", "Correct it.") from error
        return {name: [value] if isinstance(value, str) else list(value) for name, value in found.items() if value}


def _is_default(file: Path) -> bool:
    """Whether ssh reads this file by itself; told to by -F, it would leave out the system-wide file."""
    return file == Path(pwd.getpwuid(os.getuid()).pw_dir) / ".ssh" / "config"


def _agent(named: str, tokens: dict[str, str]) -> str | None:
    """Return what IdentityAgent means: "" for no agent, None for the usual one, else a socket."""
    if named.lower() == "none":
        return ""
    path = os.path.expandvars(_expand(named.strip('"'), tokens))  # "$NAME" is a whole word there, and may be a path
    return None if path in ("", "SSH_AUTH_SOCK") else str(Path(path).expanduser())


def _expand(text: str, tokens: dict[str, str]) -> str:
    """Replace %h and the like, and ${VARIABLE}."""
    text = re.sub(r"%(.)", lambda match: tokens.get(match[1], match[0]), text)
    return re.sub(r"\$\{(\w+)\}", lambda match: os.path.expandvars(match[0]), text)


def _known_hosts_files(options: _Options) -> list[str]:
    """Return the files of known host keys; `ssh -G` prints several on a line, those with spaces unrecognisably."""
    lines = options.get("userknownhostsfile", []) + options.get("globalknownhostsfile", [])
    return [quoted or plain for line in lines for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]
