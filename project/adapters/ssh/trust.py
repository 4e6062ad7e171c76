"""Decides whether a host key may be trusted.

| the key shown | what happens |
|---|---|
| is marked @revoked | refused |
| has a certificate of a @cert-authority of known_hosts for this name | as if it were in known_hosts |
| is not what known_hosts has for this name | refused |
| is in known_hosts, but not what the registry pins | refused |
| is in known_hosts | trusted |
| is unknown, and not what the registry pins | refused |
| is unknown, and is what the registry pins | asked for once, then remembered |
| is unknown, and the registry pins nothing | asked for once, then remembered |

A certificate that has expired, is for another name or of another authority says nothing, as with ssh: the key alone
counts.

The registry alone can make us refuse but never make us trust: whoever breaks into it becomes no man in the middle.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from project.adapters.ssh import known_hosts
from project.adapters.ssh.host_certificate import ALGORITHM_END, HostCertificate
from project.adapters.ssh.known_hosts import Entry, HostKey
from project.core.errors import HostKeyRefused, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from project.ports import Prompter

#: Key types paramiko can check; lines of known_hosts with other types tell us nothing.
_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")

#: A key type's names in negotiation, where they differ from the key's own (RFC 8332).
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


@dataclass(frozen=True)
class Acquaintance:
    """What is known of one host before it is called.

    Attributes:
        name: the host as known_hosts spells it, "host" or "[host]:port".
        role: what it is to us, for questions: "the login node".
        entries: the lines of known_hosts about it.
        pins: the keys the registry pins for it.
    """

    name: str
    role: str
    entries: tuple[Entry, ...]
    pins: tuple[HostKey, ...]

    @classmethod
    def look_up(cls, name: str, role: str, files: Iterable[Path], pins: Iterable[str]) -> Acquaintance:
        """Gather what the known_hosts `files` and the registry's `pins` ("ssh-ed25519 AAAA…") say."""
        keys = (HostKey.parse(*pin.split()[:2]) for pin in pins if len(pin.split()) > 1)
        return cls(name, role, tuple(known_hosts.entries(files, name)), tuple(key for key in keys if key))

    @property
    def known(self) -> list[Entry]:
        """Lines that name a key to be trusted."""
        return [entry for entry in self.entries if not entry.marker and entry.key.type in _TYPES]

    @property
    def authorities(self) -> list[HostKey]:
        """Whose certificates count for this host."""
        revoked = [entry.key for entry in self.entries if entry.marker == "@revoked"]
        named = [entry.key for entry in self.entries if entry.marker == "@cert-authority"]
        return [key for key in named if key not in revoked]

    @property
    def algorithms(self) -> list[str]:
        """What to ask the server for: types both known and pinned, then known, then pinned ones.

        Certificates come first where an authority is known that may have signed them.
        """
        known, pinned = {e.key.type for e in self.known}, {pin.type for pin in self.pins}
        types = sorted(_TYPES, key=lambda t: (t in known and t in pinned, t in known, t in pinned), reverse=True)
        plain = [algorithm for t in types for algorithm in _ALGORITHMS.get(t, (t,))]
        return [f"{name}{ALGORITHM_END}" for name in plain if self.authorities] + plain

    def is_vouched_for(self, certificate: HostCertificate | None, now_s: float) -> bool:
        """Whether an authority that is trusted for this host vouches for the key it shows."""
        bare = re.sub(r"^\[(.*)\]:\d+$", r"\1", self.name).lower()
        return (
            certificate is not None
            and certificate.authority in self.authorities
            and certificate.speaks_for(bare, now_s)
        )

    @property
    def pinned(self) -> str:
        """What the registry says, once nothing speaks against the key that was shown."""
        return "It is the key the registry pins." if self.pins else "The registry pins no key for it."

    def objection(self, shown: HostKey, *, vouched: bool = False) -> str:
        """Return why `shown`, which an authority has `vouched` for or not, must not be trusted, or ""."""
        for entry in self.entries:
            if entry.marker == "@revoked" and entry.key == shown:
                return f"{entry.where} revokes the key it shows ({shown.fingerprint})"
        if self.known and not vouched and shown not in [entry.key for entry in self.known]:
            entry = min(self.known, key=lambda e: e.key.type != shown.type)
            return _differs(shown, entry.where, entry.key)
        rivals = [pin for pin in self.pins if pin.type == shown.type] if self.known or vouched else self.pins
        if rivals and shown not in rivals:
            return _differs(shown, "the registry's pin", rivals[0])
        return ""


def _differs(shown: HostKey, source: str, expected: HostKey) -> str:
    return f"it shows {shown.type} {shown.fingerprint}, but {source} says {expected.type} {expected.fingerprint}"


def verify(
    shown: HostKey,
    host: Acquaintance,
    prompter: Prompter,
    remember_in: Path,
    certificate: HostCertificate | None = None,
) -> None:
    """Return if `shown` may be trusted; ask when nothing speaks for or against it, and remember a yes.

    Raises:
        HostKeyRefused: see the table above.
    """
    vouched = host.is_vouched_for(certificate, time.time())
    if objection := host.objection(shown, vouched=vouched):
        raise HostKeyRefused(
            f"The host key of {host.name} is not to be trusted: {objection}.",
            "Ask the cluster's administrators which key is right. Only if the host was really given a new key, "
            "remove the outdated line or have the registry's pin corrected.",
        )
    if host.known or vouched:
        return
    try:
        confirmed = prompter.confirm_trust(_question(shown, host))
    except UsageError as error:
        raise HostKeyRefused(
            f"The host key of {host.name}, {host.role}, is not known here, and nobody can be asked to confirm it: "
            f"{shown.type} {shown.fingerprint}. {host.pinned}",
            "Compare the fingerprint with the one the cluster's administrators publish. If it is right, confirm it "
            f"once at a terminal, or add this line to {remember_in}:\n{host.name} {shown}",
        ) from error
    if not confirmed:
        raise HostKeyRefused(
            f"The host key of {host.name} ({shown.fingerprint}) was not confirmed.",
            "Compare the fingerprint with the one the cluster's administrators publish, then confirm it.",
        )
    known_hosts.append(remember_in, host.name, shown)


def _question(shown: HostKey, host: Acquaintance) -> str:
    return (
        f"The host key of {host.name}, {host.role}, is not known here yet. Its {shown.type} key has the fingerprint\n"
        f"  {shown.fingerprint}\n{host.pinned} Do you trust it?"
    )
