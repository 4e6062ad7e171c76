"""The sandbox's paths and configuration files, as text."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from project.core.errors import SandboxError
from project.sandbox import other_conf, slurm_conf
from project.sandbox.daemons import daemons
from project.sandbox.describe import describe
from project.sandbox.layout import LONGEST_SOCKET_PATH, Layout
from project.sandbox.machine import Machine
from project.sandbox.preflight import check_folder
from project.sandbox.settings import Settings

LAYOUT = Layout(Path("/srv/sb"))
SETTINGS = Settings(name="lab", base_port=23000, nodes=2, cpus=4, memory_mib=8000)
MACHINE = Machine(user="ada", home="/home/ada", host="box", has_runc=True)


def lines(text: str, start: str) -> list[dict[str, str]]:
    """The lines of a configuration that begin with `start`, each as its parameters."""
    return [dict(word.split("=", 1) for word in line.split()) for line in text.splitlines() if line.startswith(start)]


def test_everything_runs_as_the_one_user() -> None:
    """Daemons, database and login know one account only: whoever started the sandbox."""
    text = slurm_conf.slurm_conf(LAYOUT, SETTINGS, MACHINE)
    assert lines(text, "SlurmUser") + lines(text, "SlurmdUser") == [{"SlurmUser": "ada"}, {"SlurmdUser": "ada"}]
    assert "AllowUsers ada\n" in other_conf.sshd_config(LAYOUT, SETTINGS, MACHINE)
    assert "user=ada\n" in other_conf.my_cnf(LAYOUT, MACHINE)


def test_nodes_have_what_was_asked_for() -> None:
    """Each node has its own name and port, and the pretended CPUs and memory."""
    nodes = lines(slurm_conf.slurm_conf(LAYOUT, SETTINGS, MACHINE), "NodeName")
    assert [(node["NodeName"], node["Port"]) for node in nodes] == [("lab-1", "23003"), ("lab-2", "23004")]
    assert {(node["CPUs"], node["RealMemory"]) for node in nodes} == {("4", "8000")}


def test_batch_is_the_default_and_has_no_limit() -> None:
    """A job that names neither partition nor time limit runs in batch."""
    batch, debug = lines(slurm_conf.slurm_conf(LAYOUT, SETTINGS, MACHINE), "PartitionName")
    assert (batch["PartitionName"], batch["Default"], batch["MaxTime"]) == ("batch", "YES", "UNLIMITED")
    assert (debug["PartitionName"], debug["MaxTime"]) == ("debug", "00:10:00")


def test_the_default_memory_never_exceeds_a_node() -> None:
    """A job on all CPUs of a node fits there without asking for less memory."""
    small = Settings(cpus=64, memory_mib=6400)
    [memory] = lines(slurm_conf.slurm_conf(LAYOUT, small, MACHINE), "DefMemPerCPU")
    assert memory == {"DefMemPerCPU": "100"}


def test_lines_of_ones_own_take_the_place_of_the_sandboxs() -> None:
    """Slurm complains of a parameter that is given twice; nodes and partitions are further ones."""
    own = ("minjobage=2", "AccountingStorageEnforce=limits", "PartitionName=low Nodes=ALL")
    text = slurm_conf.slurm_conf(LAYOUT, dataclasses.replace(SETTINGS, slurm_lines=own), MACHINE)
    assert [line for line in text.splitlines() if "minjobage" in line.lower()] == ["minjobage=2"]
    assert "\nAccountingStorageEnforce=limits\n" in text
    assert [partition["PartitionName"] for partition in lines(text, "PartitionName")] == ["batch", "debug", "low"]


@pytest.mark.parametrize(
    ("version", "plugin"), [((22, 5), "cgroup/v1"), ((23, 2), "disabled"), ((26, 5), "disabled")]
)
def test_cgroups_are_left_alone_in_the_words_of_each_slurm(version: tuple[int, int], plugin: str) -> None:
    """Slurm since 23.02 is told to; before, a plugin is named that then does nothing."""
    assert slurm_conf.cgroup_conf(version) == f"CgroupPlugin={plugin}\n"


def test_the_login_node_is_reachable_from_here_only_and_knows_slurm() -> None:
    """Sshd listens on loopback, and every session finds Slurm's configuration."""
    text = other_conf.sshd_config(LAYOUT, SETTINGS, MACHINE)
    assert "ListenAddress 127.0.0.1\n" in text
    assert "SetEnv SLURM_CONF=/srv/sb/etc/slurm.conf GRIDFERRY_SANDBOX=/srv/sb\n" in text


def test_every_daemon_comes_after_what_it_needs() -> None:
    """The table can be started from top to bottom, and no two daemons listen on the same."""
    table = daemons(LAYOUT, SETTINGS)
    seen: set[str] = set()
    for daemon in table:
        assert seen.issuperset(daemon.after)
        seen.add(daemon.name)
    assert len({daemon.listens for daemon in table}) == len(table)


def test_a_node_is_not_taken_for_one_whose_name_it_begins() -> None:
    """The process of sandbox-10 is not mistaken for that of sandbox-1."""
    table = {daemon.name: daemon for daemon in daemons(LAYOUT, Settings(nodes=10))}
    assert table["slurmd sandbox-1"].is_run_as(" ".join(table["slurmd sandbox-1"].argv))
    assert not table["slurmd sandbox-1"].is_run_as(" ".join(table["slurmd sandbox-10"].argv))


def test_a_socket_may_fill_the_kernels_limit_and_no_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A path that just fits is taken, one byte more is refused."""
    folder = tmp_path_factory.mktemp("s")
    room = LONGEST_SOCKET_PATH - len(os.fsencode(Layout(folder / "x").longest_socket("sandbox-1")))
    check_folder(Layout(folder / ("x" + "x" * room)), Settings())
    with pytest.raises(SandboxError, match="too long") as caught:
        check_folder(Layout(folder / ("xx" + "x" * room)), Settings())
    assert "1 bytes shorter" in caught.value.remedy


def test_the_cluster_document_has_the_words_of_the_protocol(tmp_path: Path) -> None:
    """What the registry is told about a sandbox is complete, without a status."""
    layout = Layout(tmp_path)
    layout.ssh.mkdir()
    layout.host_key.with_suffix(".pub").write_text("ssh-ed25519 AAAA lab host\n")
    assert describe(layout, SETTINGS, MACHINE).cluster_document() == {
        "schema": 1,
        "name": "lab",
        "hostname": "127.0.0.1",
        "port": 23000,
        "workload_manager": "slurm",
        "preferred_jobs": ["mpi", "serial", "smp"],
        "partition": "batch",
        "host_keys": ["ssh-ed25519 AAAA"],
        "job_root": f"{tmp_path}/home",
        "python": "",
        "proxy_jump": "",
        "follow": "auto",
        "registry_url": "",
        "enabled": True,
    }
