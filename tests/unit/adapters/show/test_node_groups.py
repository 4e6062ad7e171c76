"""A large cluster on one screen."""

from __future__ import annotations

from typing import Any

import click
import pytest

from project.adapters.show.node_groups import NODE_GROUP_COLUMNS, node_groups
from project.adapters.show.table import render
from project.core.slurm.nodes import expand_nodes, pack_nodes


def _nodes(names: str, state: str = "idle", *, allocated: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "state": state, "partitions": ["batch"], "cpus": {"allocated": allocated, "total": 64},
         "memory_mib": 262144, "allocated_memory_mib": 0, "gpus": 0, "used_gpus": 0, **more}
        for name in expand_nodes(names)
    ]  # fmt: skip


def test_nodes_that_are_alike_share_a_line() -> None:
    """Well ones by partitions and size, their states counted and their use added up; the others by their reason."""
    nodes = [
        *_nodes("cn[001-200]", "allocated", allocated=64), *_nodes("cn[201-300]"),
        *_nodes("gpu[1-8]", "mixed", gpus=4),
        *_nodes("cn[301-303]", "drained", reason="fan", since="2026-11-28T10:00:00.000000Z"),
        *_nodes("cn310", "down", reason="fan"), *_nodes("cn311", responding=False),
    ]  # fmt: skip
    groups = node_groups(nodes)
    assert [(len(group["nodes"]), group["names"], group["state"]) for group in groups] == [
        (300, "cn[001-300]", "200 allocated, 100 idle"),
        (8, "gpu[1-8]", "8 mixed"),
        (3, "cn[301-303]", "3 drained"),
        (1, "cn310", "down"),
        (1, "cn311", "idle, silent"),
    ]
    heading, first, *_ = render(NODE_GROUP_COLUMNS, groups, None)
    assert heading.split()[:5] == ["NODES", "NAMES", "STATE", "PARTITIONS", "CPUS"]
    assert "12800/19200" in first
    assert [group["reason"] for group in groups] == ["", "", "fan", "fan", ""]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_screen_is_wide_enough(width: int) -> None:
    """Whatever the names: lines fit, and those of five hundred nodes are few."""
    nodes = [*_nodes("cn[001-500:7],a7-ib,login", allocated=3), *_nodes("x[1-499]", "down", reason="power " * 30)]
    lines = [click.unstyle(line) for line in render(NODE_GROUP_COLUMNS, node_groups(nodes), width)]
    assert len(lines) == 3
    assert "power" in lines[2]
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("packed", "names"),
    [
        ("", []),
        ("n1", ["n1"]),
        ("login", ["login"]),
        ("n[1-3,7],login", ["n1", "n2", "n3", "n7", "login"]),
        ("c[008-010]-ib", ["c008-ib", "c009-ib", "c010-ib"]),
        ("r1n[1-2],r2n1", ["r1n1", "r1n2", "r2n1"]),
        ("n[9-10]", ["n9", "n10"]),
        ("n[099-100]", ["n099", "n100"]),
    ],
)
def test_names_are_packed_as_slurm_packs_them(packed: str, names: list[str]) -> None:
    """And read back to the same."""
    assert pack_nodes(names) == packed
    assert expand_nodes(packed) == names
