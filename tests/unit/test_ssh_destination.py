"""Hosts, accounts and jump hosts as people write them."""

from __future__ import annotations

import pytest

from project.adapters.ssh.destination import Destination, Hop
from project.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "hops"),
    [
        ("", []),
        ("none", []),
        ("jump", [Hop("jump")]),
        ("me@jump:2222", [Hop("jump", 2222, "me")]),
        ("ssh://me@jump:2222/", [Hop("jump", 2222, "me")]),
        ("a, b@c:1", [Hop("a"), Hop("c", 1, "b")]),
        ("[2001:db8::7]:22", [Hop("2001:db8::7", 22)]),
        ("me@realm.edu", [Hop("realm.edu", None, "me")]),
    ],
)
def test_jump_hosts_are_read(text: str, hops: list[Hop]) -> None:
    """All ways in which ssh_config(5) lets ProxyJump be written."""
    assert Hop.parse_all(text) == hops


@pytest.mark.parametrize("text", ["jump:port", "a,,b", "me@", "a b", "-oX@jump", "x;y@jump", "$(x)", "a:1:2"])
def test_what_is_no_jump_host_is_refused(text: str) -> None:
    """Nothing that a shell or ssh could take for something else gets through."""
    with pytest.raises(UsageError):
        Hop.parse_all(text)


@pytest.mark.parametrize(
    ("port", "alias", "name"),
    [(22, "", "login.hpc.edu"), (2222, "", "[login.hpc.edu]:2222"), (2222, "hpc", "hpc")],
)
def test_the_name_in_known_hosts(port: int, alias: str, name: str) -> None:
    """Another port than 22 belongs to the name; an alias stands for both."""
    destination = Destination(hostname="login.hpc.edu", port=port, username="me", host_key_alias=alias)
    assert destination.known_as == name
