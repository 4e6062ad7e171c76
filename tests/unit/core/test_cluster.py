"""Clusters as a registry describes them, which may have been broken into, and addresses of registries."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.cluster import DEFAULTS, FIELDS, checked
from project.core.errors import RegistryError
from project.core.registry_address import is_loopback, objection

_GOOD = {"name": "nic5", "hostname": "nic5.example.org"}


def test_a_usual_document_is_taken() -> None:
    """With its defaults, with every key filled, and with keys of a newer registry."""
    full = {
        **_GOOD,
        "host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== a comment", "ecdsa-sha2-nistp256 AAAA"],
        "job_root": "$SCRATCH/${PROJECT}/run 1/ünd",
        "python": "/opt/my python/bin/python3",
        "partition": "batch,debug",
        "proxy_jump": "jdoe@gate.example.org:2222,[::1]",
        "registry_url": "https://grid.example.org/registry",
        "port": 2222,
        "preferred_jobs": ["mpi"],
        "follow": "slurm",
    }
    assert set(full) | {"enabled", "workload_manager"} == set(FIELDS)
    for document in (_GOOD, {**DEFAULTS, **_GOOD}, full, {**_GOOD, "status": None, "schema": 1, "colour": "red"}):
        assert checked(document) == document


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../../x"),
        ("name", None),
        ("hostname", "-oProxyCommand=id"),
        ("hostname", "a b"),
        ("hostname", "$(id)"),
        ("hostname", ""),
        ("port", "22"),
        ("port", 0),
        ("port", True),
        ("partition", "batch\nid"),
        ("partition", "batch --uid=0"),
        ("partition", 'x"'),
        ("job_root", "$(id)"),
        ("job_root", "${x@P}"),
        ("job_root", "/a\n"),
        ("job_root", "../.."),
        ("job_root", "$SCRATCH/../other"),
        ("python", "/usr/bin/python3\nid"),
        ("python", ["python3"]),
        ("proxy_jump", "a b"),
        ("proxy_jump", "-oX@host;id"),
        ("host_keys", "ssh-ed25519 AAAA"),
        ("host_keys", [1]),
        ("host_keys", ["ssh-ed25519 AAAA\nevil ssh-ed25519 BBBB"]),
        ("registry_url", "file:///etc/passwd"),
        ("registry_url", "https://user:password@host"),
        ("follow", "never"),
    ],
)
def test_what_no_cluster_needs_is_refused(key: str, value: Any) -> None:
    """Before anything of it is used; the message names the key."""
    with pytest.raises(RegistryError) as raised:
        checked({**_GOOD, key: value})
    assert raised.value.detail.startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("address", "plain_http", "allowed"),
    [
        ("https://grid.example.org", False, True),
        ("https://grid.example.org:8443/registry/", False, True),
        ("https://[2001:db8::1]:8443", False, True),
        ("http://127.0.0.1:7676", False, True),
        ("http://127.1.2.3", False, True),
        ("http://localhost:7676/x", False, True),
        ("http://[::1]:7676", False, True),
        ("http://grid.example.org", False, False),
        ("http://grid.example.org", True, True),
        ("http://localhost.example.org", False, False),
        ("http://127.0.0.1.example.org", False, False),
        ("http://127.0.0.1@grid.example.org", True, False),
        ("https://user:password@grid.example.org", True, False),
        ("file:///etc/passwd", True, False),
        ("ftp://grid.example.org", True, False),
        ("https://grid.example.org/\r\nX: y", True, False),
        ("https://grid.example.org\n", True, False),
        ("", True, False),
    ],
)
def test_tokens_go_encrypted_or_stay_here(address: str, *, plain_http: bool, allowed: bool) -> None:
    """HTTPS anywhere, HTTP to this very machine, or where the user says that it will do; nothing else at all."""
    assert (objection(address, plain_http=plain_http) == "") == allowed


def test_hosts_that_are_this_machine_are_known() -> None:
    """By name and by address."""
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "::1", "LOCALHOST"]))
    assert not any(map(is_loopback, ["", "localhost.example.org", "128.0.0.1", "127.0.0.1.example", "10.127.0.0.1"]))
