"""Reasons for which a pending job will not start as it stands, told at once instead of after days of waiting.

Source: "JOB REASON CODES" of squeue(1); rows marked * were seen on 22.05.8, where such a submission is accepted.
"""

import re
from typing import NamedTuple, Optional


class Obstacle(NamedTuple):
    """Why a job will not start.

    Attributes:
        text: what is in its way.
        remedy: what to do.
    """

    text: str
    remedy: str


_TABLE = (
    (r"PartitionTimeLimit", "its time limit is above the partition's", "Lower resources.duration"),  # *
    (r"PartitionNodeLimit", "it wants more nodes than the partition gives", "Ask for fewer nodes"),  # *
    (
        r"PartitionConfig",
        "the partition cannot give what it asks for",
        "Ask for less, or name another partition",
    ),  # *
    (r"PartitionDown|PartitionInactive", "the partition starts no jobs now", "Wait, or name another partition"),
    (r"BadConstraints", "no node has what resources.constraint asks for", "Correct the constraint"),
    (r"DependencyNeverSatisfied", "a job it depends on did not end well", "Submit again once that one has"),  # *
    (r"InvalidAccount|AccountNotAllowed", "its account may not be used there", "Correct resources.account"),
    (r"InvalidQOS|QOSNotAllowed", "its quality of service may not be used there", "Correct resources.qos"),
    (r"(Assoc|QOS)Max(WallDuration)\w*PerJob\w*", "your limits allow no such time limit", "Lower resources.duration"),
    (
        r"(Assoc|QOS)Max\w*PerJob\w*",
        "your limits allow no job of this size",
        "Ask for fewer nodes, cores or less memory",
    ),
    (r"ReservationDeleted", "its reservation is not there any more", "Correct resources.reservation"),
    (
        r"launch failed requeued held",
        "it could not be launched and is held",
        "Check its container and its paths",
    ),  # *
    (r"JobHeldAdmin", "an administrator holds it", "Ask the cluster's administrators"),
)


def obstacle(reason: str) -> Optional[Obstacle]:
    """Return what keeps a pending job from ever starting, None if waiting may be enough."""
    word = reason.strip("() ")
    for pattern, text, remedy in _TABLE:
        if re.match(f"^(?:{pattern})$", word):
            return Obstacle(text, remedy)
    return None
