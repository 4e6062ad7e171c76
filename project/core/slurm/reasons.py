"""Reasons for which a pending job will not start as it stands, told at once instead of after days of waiting.

Each row says where its words are from: RECORDED, a job that a real Slurm made wait so (tests/recorded/*/waits);
MANUAL, "JOB REASON CODES" of squeue(1); CODES, Slurm's page job_reason_codes.html; LIBRARY, the words in Slurm's own
source, job_state_reason.c, which no page explains. Together they are all that 20.11 to 26.05 document.
"""

import re
from typing import NamedTuple, Optional, Tuple

RECORDED, MANUAL, CODES, LIBRARY = "recorded", "squeue(1)", "job_reason_codes.html", "job_state_reason.c"

#: What limits are about, in the words Slurm has for it, but for time and numbers of jobs.
RESOURCES = r"(Cpu|Mem|Memory|Node|GRES|License|Billing|BB|Energy|Unknown)"

#: regular expression for a reason, what it means, what to do, where it is from
Row = Tuple[str, str, str, str]


class Obstacle(NamedTuple):
    """Why a job will not start.

    Attributes:
        text: what is in its way.
        remedy: what to do.
    """

    text: str
    remedy: str


_SMALLER = "Ask for fewer nodes or cores, or for less memory or time"

HOPELESS: Tuple[Row, ...] = (
    (r"PartitionTimeLimit", "its time limit is above the partition's", "Lower resources.duration", RECORDED),
    (r"PartitionNodeLimit", "it wants more nodes than the partition gives", "Ask for fewer nodes", RECORDED),
    (r"PartitionConfig", "the partition cannot give what it asks for", "Ask for less, or name another partition",
     CODES),
    (r"PartitionDown|PartitionInactive", "the partition starts no jobs now", "Wait, or name another partition",
     RECORDED),
    (r"BadConstraints", "no node has what resources.constraint asks for", "Correct the constraint", RECORDED),
    (r"DependencyNeverSatisfied", "a job it depends on did not end well", "Submit again once that one has", RECORDED),
    (r"InvalidAccount|AccountNotAllowed|Job's account not permitted to use this partition.*",
     "its account may not be used there", "Correct resources.account, or name another partition", RECORDED),
    (r"InvalidQOS|QOSNotAllowed|Job's QOS not permitted to use this partition.*",
     "its quality of service may not be used there", "Correct resources.qos, or name another partition", RECORDED),
    (r"User's group not permitted to use this partition", "your group may not use its partition",
     "Name another partition", LIBRARY),
    (r"(Assoc|QOS)MaxWallDurationPerJobLimit", "your limits allow no such time limit", "Lower resources.duration",
     RECORDED),
    (rf"(Assoc|QOS)Max{RESOURCES}Minutes\w*PerJob\w*", "your limits allow no job of this size for so long", _SMALLER,
     RECORDED),
    (rf"(Assoc|QOS)Max{RESOURCES}PerJob\w*", "your limits allow no job of this size", _SMALLER, RECORDED),
    (rf"(Assoc|QOS)Max{RESOURCES}PerNode|MaxCPUsPerNode|MaxTasksPerNode", "it asks more of one node than it may",
     "Spread it over more nodes", RECORDED),
    (r"QOSMin\w*", "it asks for less than its quality of service demands", "Ask for more, or another resources.qos",
     RECORDED),
    (r"MaxMemPer\w*", "it asks for more memory a CPU or node than may be given", "Lower resources.memory_per_thread",
     RECORDED),
    (r"ReservationDeleted|ReservationInvalid", "its reservation is not there any more",
     "Correct resources.reservation", CODES),
    (r"launch failed requeued held", "it could not be launched and is held", "Check its container and its paths",
     LIBRARY),
    (r"JobHeldAdmin", "an administrator holds it", "Ask the cluster's administrators", RECORDED),
    (r"JobHoldMaxRequeue", "it was started again so often that Slurm holds it",
     "Look at why it fails, then submit it again", CODES),
    (r"BurstBufferOperation|[Bb]urst buffer \w+ error", "what its burst buffer should do has failed",
     "Ask the cluster's administrators", CODES),
    (r"DeadLine", "it cannot end before its deadline any more", "Submit it again", CODES),
)  # fmt: skip


def find(rows: Tuple[Row, ...], reason: str) -> Optional[Row]:
    """Return the first row for a reason as squeue prints it, with brackets or without."""
    word = reason.strip("() ")
    return next((row for row in rows if re.match(f"^(?:{row[0]})$", word)), None)


def obstacle(reason: str) -> Optional[Obstacle]:
    """Return what keeps a pending job from ever starting, None if waiting may be enough."""
    found = find(HOPELESS, reason)
    return None if found is None else Obstacle(found[1], found[2])
