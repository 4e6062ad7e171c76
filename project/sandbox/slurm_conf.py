"""The text of Slurm's configuration files. Pure: paths and settings in, text out.

What each parameter means: slurm.conf(5), slurmdbd.conf(5), cgroup.conf(5), gres.conf(5) and oci.conf(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from project.sandbox.layout import Layout
    from project.sandbox.machine import Machine
    from project.sandbox.settings import Settings

_GPU_FILES = ("/dev/null", "/dev/zero")
"""What stands for a GPU: slurmd wants one device file each, and these are everywhere."""

_SEVERAL = frozenset({"nodename", "partitionname"})
"""Parameters of which slurm.conf has several lines; another one is one more."""

_PACE = """\
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,sched_min_interval=0,batch_sched_delay=0,bf_interval=2
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=15
KillWait=2
MinJobAge=300
MaxJobCount=20000
MaxArraySize=10001"""
"""Quick enough for people who wait for it, on a machine that does other things, too."""

_CGROUPS_CAN_BE_DISABLED = (23, 2)
"""The first Slurm that knows `CgroupPlugin=disabled`."""


def slurm_conf(layout: Layout, settings: Settings, machine: Machine) -> str:
    """slurm.conf: the cluster, its nodes and its partitions, and the lines of the settings."""
    own = _own_lines(layout, settings, machine).splitlines()
    once = {_parameter(line) for line in settings.slurm_lines} - _SEVERAL
    kept = [line for line in own if _parameter(line) not in once]
    return "\n".join([*kept, *settings.slurm_lines, ""])


def _parameter(line: str) -> str:
    return line.partition("=")[0].strip().lower()


def _own_lines(layout: Layout, settings: Settings, machine: Machine) -> str:
    ports = settings.ports
    return f"""\
ClusterName={settings.name}
SlurmctldHost={machine.host}(127.0.0.1)
SlurmctldPort={ports["slurmctld"]}
SlurmUser={machine.user}
SlurmdUser={machine.user}
AuthType=auth/munge
AuthInfo=socket={layout.munge_socket}

StateSaveLocation={layout.state}
SlurmdSpoolDir={layout.spool}/%n
SlurmctldPidFile={layout.pid_file("slurmctld")}
SlurmdPidFile={layout.pid_file("slurmd-%n")}
SlurmctldLogFile={layout.log("slurmctld")}
SlurmdLogFile={layout.log("slurmd-%n")}
MailProg=/bin/true

# No cgroups: works under cgroup v1, v2 and none, and without any privilege.
ProctrackType=proctrack/linuxproc
# Each sample of each job step reads all of /proc: taken every second, 256 jobs would eat two cores.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=10
JobAcctGatherParams=OverMemoryKill
PropagateResourceLimits=NONE

SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU={min(1024, settings.memory_mib // settings.cpus or 1)}
SlurmdParameters=config_overrides
GresTypes=gpu

{_PACE}

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={ports["slurmdbd"]}
AccountingStoragePass={layout.munge_socket}
AccountingStorageTRES=gres/gpu

{_nodes(settings, machine)}
PartitionName={settings.batch_partition} Nodes=ALL Default=YES MaxTime=UNLIMITED DefaultTime=01:00:00 State=UP
PartitionName={settings.debug_partition} Nodes=ALL MaxTime=00:10:00 DefaultTime=00:01:00 State=UP
"""


def _nodes(settings: Settings, machine: Machine) -> str:
    return "\n".join(
        f"NodeName={name} NodeHostname={machine.host} NodeAddr=127.0.0.1 Port={settings.ports[f'slurmd {name}']} "
        f"CPUs={settings.cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={settings.cpus} ThreadsPerCore=1 "
        f"RealMemory={settings.memory_mib} Gres=gpu:{len(_GPU_FILES)}"
        for name in settings.node_names
    )


def slurmdbd_conf(layout: Layout, settings: Settings, machine: Machine) -> str:
    """slurmdbd.conf; it has no word for the database's unix socket: the environment names that."""
    return f"""\
AuthType=auth/munge
AuthInfo=socket={layout.munge_socket}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={settings.ports["slurmdbd"]}
SlurmUser={machine.user}
DebugLevel=info
LogFile={layout.log("slurmdbd")}
PidFile={layout.pid_file("slurmdbd")}
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={machine.user}
StorageLoc=slurm_acct_db
"""


def cgroup_conf(slurm_version: tuple[int, int]) -> str:
    """cgroup.conf: stay away from cgroups.

    Slurm before 23.02 cannot be told so; its v1 plugin, with no other plugin asking for cgroups, touches none either.
    """
    plugin = "disabled" if slurm_version >= _CGROUPS_CAN_BE_DISABLED else "cgroup/v1"
    return f"CgroupPlugin={plugin}\n"


def gres_conf() -> str:
    """gres.conf: GPUs that can be asked for and counted, though there are none."""
    return "AutoDetect=off\n" + "".join(f"Name=gpu File={file}\n" for file in _GPU_FILES)


def oci_conf(state: Path) -> str:
    """oci.conf: how slurmd runs the container of `sbatch --container` with runc."""
    runc = f"runc --rootless=true --root={state}"
    container = "%n.%u.%j.%s.%t"
    return f"""\
RunTimeQuery="{runc} state {container}"
RunTimeKill="{runc} kill -a {container}"
RunTimeDelete="{runc} delete --force {container}"
RunTimeRun="{runc} run {container} -b %b"
"""
