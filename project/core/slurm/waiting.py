"""What a pending job waits for, in plain words; reasons that will never pass by themselves stand in `reasons.py`.

Source: "JOB REASON CODES" of squeue(1), and the words Slurm 22.05.8 has in its library.
"""

import re
from typing import NamedTuple

from project.core.slurm.reasons import obstacle


class Wait(NamedTuple):
    """Why a job waits.

    Attributes:
        text: what it waits for.
        remedy: what can be done about it.
        is_hopeless: whether it will wait for ever as it stands.
    """

    text: str
    remedy: str
    is_hopeless: bool = False


_NOTHING = "Nothing: it starts by itself"
_LESS = "A smaller or shorter job may start earlier"
_LIMITED = "It starts once others of the same {} have ended"

_TABLE = (
    (r"Resources", "it is next, and the resources it asks for are not free yet", _LESS),
    (r"Priority", "jobs with a higher priority are before it", _LESS),
    (r"None|WaitingForScheduling|Sched\w*", "Slurm has not looked at it yet", _NOTHING),
    (r"Dependency|DependencyParameters", "a job it depends on has not ended yet", _NOTHING),
    (r"BeginTime|JobRequeue|RequeueExit", "it may not start before a time that is still to come", _NOTHING),
    (r"JobArrayTaskLimit", "as many tasks of the array run as `at_once` allows", "Raise at_once"),
    (r"JobHeldUser|RequeueExitHold|JobHoldMaxRequeue", "it is held", "scontrol release lets it go"),
    (r"(ReqNodeNotAvail|NodeDown|UnavailableNodes)\b.*", "nodes it could run on are down, drained or reserved",
     "Wait for them, or name another partition"),
    (r"PartitionM(in|ax)Nodes", "the partition gives no such number of nodes", "Ask for another number of nodes"),
    (r"Reservation|ReqResv|RequiresReservation", "its reservation has not begun, or has no room", "Ask who made it"),
    (r"Licenses", "all licences it asks for are in use", _NOTHING),
    (r"BurstBuffer\w*|MaxBB\w*", "its burst buffer is not ready", _NOTHING),
    (r"Cleaning", "what an earlier run left is being cleaned up", _NOTHING),
    (r"Prolog\w*", "the cluster is preparing its nodes", _NOTHING),
    (r"Power\w*", "nodes are being switched on, or power is short", _NOTHING),
    (r"Fed\w*|Federation\w*", "a sibling cluster is deciding about it", _NOTHING),
    (r"FrontEnd\w*", "the front end that would start it is down", "Ask the cluster's administrators"),
    (r"DeadLine", "it cannot end before its deadline any more", "Submit it again"),
    (r"AssocGrp\w*|AssociationResourceLimit|AssociationJobLimit|AssociationTimeLimit",
     "your account's share is used up by jobs that run", _LIMITED.format("account")),
    (r"AssocMaxJobs\w*|AssocMaxSubmit\w*", "you have as many jobs there as your account allows",
     _LIMITED.format("account")),
    (r"QOS(Grp|Resource|Job|Time|Usage)\w*", "the share of its QOS is used up", _LIMITED.format("QOS")),
    (r"QOSMax\w*PerUser\w*|Max\w*PerAccount", "you use as much as its quality of service allows",
     _LIMITED.format("QOS")),
    (r"(QOS|Assoc)Max\w*PerNode|MaxCPUsPerNode|MaxTasksPerNode", "it asks more of one node than it may",
     "Spread it over more nodes"),
    (r"NonZeroExitCode|JobLaunchFailure|SystemFailure|OutOfMemory|TimeLimit|InactiveLimit",
     "an earlier run of it ended badly", "Look at what it printed; cancel it if it keeps failing"),
)  # fmt: skip

_HOPELESS_TOO = (
    (r"QOSMin\w*", "it asks for less than its quality of service demands", "Ask for more, or another resources.qos"),
    (r"MaxMemPer\w*", "it asks for more memory a CPU than its partition gives", "Lower resources.memory_per_thread"),
)


def waiting(reason: str) -> Wait:
    """Return why a pending job waits; of an unknown reason Slurm's word itself."""
    found = obstacle(reason)
    if found is not None:
        return Wait(found.text, found.remedy, is_hopeless=True)
    word = reason.strip("() ") or "None"
    for rows, is_hopeless in ((_TABLE, False), (_HOPELESS_TOO, True)):
        for pattern, text, remedy in rows:
            if re.match(f"^(?:{pattern})$", word):
                return Wait(text, remedy, is_hopeless)
    return Wait(f"Slurm says {word}", "See JOB REASON CODES in squeue(1)")
