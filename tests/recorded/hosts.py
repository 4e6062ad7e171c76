"""How jobs end where only containers can bring it about: parts of `tests.recorded.record`.

A node that goes away, one that never comes up, a cluster that is one of a federation.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from project.core.slurm.commands import Sacct
from tests.recorded.ends import keep_end

if TYPE_CHECKING:
    from tests.recorded.record import Recorder

#: A node that is switched on when a job wants it, by a program that does nothing, and given up after ten seconds.
CLOUD_LINES = (
    "SuspendProgram=/bin/true",
    "ResumeProgram=/bin/true",
    "SuspendTime=3600",
    "SuspendTimeout=5",
    "ResumeTimeout=10",
    "NodeName=cloud-1 CPUs=2 RealMemory=1000 State=CLOUD",
    "PartitionName=cloud Nodes=cloud-1 MaxTime=UNLIMITED State=UP",
)
_LOST_LIMIT_S = 240.0
_SIBLING_LIMIT_S = 120.0

#: Makes the second cluster of a federation, in the containers and the accounting of the first: its slurm.conf.
_SIBLING_CONFIGURATION = r"""
set -e
mkdir -p /etc/slurm-sibling /var/lib/slurm/sibling-ctld /var/lib/slurm/sibling-d
chown slurm /var/lib/slurm/sibling-ctld
cp /etc/slurm/cgroup.conf /etc/slurm-sibling/
left_out='ClusterName|.*PidFile|StateSaveLocation|SlurmdSpoolDir|ProctrackType|TaskPlugin|JobAcct.*|Gres.*|.*TRES'
{
    grep -vE "^($left_out|NodeName|PartitionName)=" /etc/slurm/slurm.conf
    printf '%s\n' ClusterName=sibling SlurmctldPort=6900 SlurmdPort=6901 ProctrackType=proctrack/linuxproc \
        SlurmctldPidFile=/run/sibling-ctld.pid SlurmdPidFile=/run/sibling-d.pid \
        StateSaveLocation=/var/lib/slurm/sibling-ctld SlurmdSpoolDir=/var/lib/slurm/sibling-d \
        "NodeName=sibling-1 NodeAddr=$1 CPUs=4 RealMemory=1000 State=UNKNOWN" \
        "PartitionName=batch Nodes=ALL Default=YES MaxTime=UNLIMITED DefaultTime=01:00:00 State=UP"
} > /etc/slurm-sibling/slurm.conf
"""


def lost(recorder: Recorder) -> None:
    """A job whose node dies without a word."""
    job = recorder.submit("node-lost", "--no-requeue", line="sleep 600")
    recorder.wait_for(job, "RUNNING")
    time.sleep(2)  # its script has begun
    node = recorder.containers.container(f"{recorder.cluster.name}-node")
    recorder.containers.engine.docker("kill", node)
    recorder.wait_for(job, "NODE_FAIL", _LOST_LIMIT_S)
    keep_end(recorder, "node-lost", job)
    recorder.containers.engine.docker("start", node)
    recorder.containers.wait_until_idle(recorder.cluster.name)


def cloud(recorder: Recorder) -> None:
    """A job whose node never comes up after it was switched on."""
    job = recorder.submit("node-not-booted", "--no-requeue", "--partition=cloud")
    keep_end(recorder, "node-not-booted", job, _LOST_LIMIT_S)


def federation(recorder: Recorder) -> None:
    """A job that another cluster of a federation has started."""
    _start_sibling(recorder)
    recorder.set_node("drain", "fan")
    job = recorder.submit("revoked", line="sleep 60")
    recorder.wait_until("REVOKED", ["squeue", "--noheader", "--format=%T", f"--jobs={job}"])
    recorder.settle()
    recorder.both("started-by-a-sibling", job, "revoked")
    keep_end(recorder, "revoked", job, limit_s=0)
    recorder.wait_until("COMPLETED", Sacct([job]).argv(), _SIBLING_LIMIT_S)
    recorder.both("ended-at-a-sibling", job, "revoked")


def _start_sibling(recorder: Recorder) -> None:
    """Start a second cluster beside the first, and make both a federation."""
    site, cluster = recorder.containers, recorder.cluster.name
    controller, node = site.container(f"{cluster}-slurmctld"), site.container(f"{cluster}-node")
    address = site.engine.docker("exec", node, "hostname", "-i").split()[0]
    for container in (controller, node):
        site.engine.docker("exec", container, "bash", "-c", _SIBLING_CONFIGURATION, "bash", address)
    for words in (
        ("add", "cluster", "sibling"),
        ("add", "account", "users", "cluster=sibling"),
        ("add", "user", recorder.user, "account=users", "cluster=sibling"),
    ):
        recorder.run(["sacctmgr", "--immediate", *words], as_user=False)
    configured = ("exec", "--detach", "--env=SLURM_CONF=/etc/slurm-sibling/slurm.conf")
    site.engine.docker(*configured, controller, "slurmctld", "-D", "-i")
    site.engine.docker(*configured, node, "slurmd", "-D", "-N", "sibling-1")
    recorder.wait_until("idle", ["sinfo", "--noheader", "--clusters=sibling", "--format=%T"])
    federate = ("add", "federation", "trial", f"clusters={cluster},sibling")
    recorder.run(["sacctmgr", "--immediate", *federate], as_user=False)
    time.sleep(5)  # the controllers find each other
