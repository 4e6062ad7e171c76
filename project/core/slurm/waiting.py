"""What a pending job waits for, in plain words; reasons that will never pass by themselves stand in `reasons.py`."""

from typing import NamedTuple, Tuple

from project.core.slurm.reasons import CODES, HOPELESS, LIBRARY, MANUAL, RECORDED, RESOURCES, Row, find


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
_BUDGET = "Ask who gave it for more, or name another resources.{}"

PASSING: Tuple[Row, ...] = (
    (r"Resources", "it is next, and the resources it asks for are not free yet", _LESS, RECORDED),
    (r"Priority", "jobs with a higher priority are before it", _LESS, RECORDED),
    (r"None|WaitingForScheduling|Sched\w*", "Slurm has not looked at it yet", _NOTHING, MANUAL),
    (r"Dependency|DependencyParameters", "a job it depends on has not ended yet", _NOTHING, RECORDED),
    (r"BeginTime|JobRequeue|RequeueExit", "it may not start before a time that is still to come", _NOTHING, RECORDED),
    (r"JobArrayTaskLimit", "as many tasks of the array run as `at_once` allows", "Raise at_once", RECORDED),
    (r"JobHeldUser|RequeueExitHold", "it is held", "`scontrol release` lets it go, on the cluster", RECORDED),
    (r"(ReqNodeNotAvail|NodeDown|UnavailableNodes|Nodes required for job are)\b.*",
     "nodes it could run on are down, drained or reserved", "Wait for them, or name another partition", RECORDED),
    (r"Constraints", "no node that has what it asks for can be used now", "Wait, or correct resources.constraint",
     CODES),
    (r"PartitionM(in|ax)Nodes", "the partition gives no such number of nodes", "Ask for another number of nodes",
     LIBRARY),
    (r"Reservation|ReqResv|RequiresReservation", "its reservation has not begun, or has no room", "Ask who made it",
     RECORDED),
    (r"Licenses", "all licences it asks for are in use", _NOTHING, RECORDED),
    (r"BurstBuffer\w*", "its burst buffer is not ready", _NOTHING, CODES),
    (r"Cleaning", "what an earlier run left is being cleaned up", _NOTHING, MANUAL),
    (r"Prolog\w*", "the cluster is preparing its nodes", _NOTHING, MANUAL),
    (r"Power\w*", "nodes are being switched on, or power is short", _NOTHING, LIBRARY),
    (r"Fed\w*|Federation\w*", "a sibling cluster is deciding about it", _NOTHING, CODES),
    (r"FrontEnd\w*", "the front end that would start it is down", "Ask the cluster's administrators", MANUAL),
    (r"AssocGrp\w+RunMinutes\w*", "your account's share is used up by what its running jobs may still take",
     _LIMITED.format("account"), RECORDED),
    (r"AssocGrp\w*Minutes\w*|AssocGrpWallLimit|AssociationTimeLimit", "your account's budget is used up",
     _BUDGET.format("account"), RECORDED),
    (r"AssocGrp\w*|AssociationResourceLimit|AssociationJobLimit", "your account's share is used up by jobs that run",
     _LIMITED.format("account"), RECORDED),
    (r"AssocMaxJobs\w*|AssocMaxSubmit\w*", "you have as many jobs there as your account allows",
     _LIMITED.format("account"), RECORDED),
    (r"QOSGrp\w+RunMinutes\w*", "the share of its QOS is used up by what running jobs may still take",
     _LIMITED.format("QOS"), RECORDED),
    (r"QOSGrp\w*Minutes\w*|QOSGrpWallLimit|QOSTimeLimit", "the budget of its QOS is used up", _BUDGET.format("qos"),
     RECORDED),
    (r"QOSUsageThreshold", "your account has used more lately than its QOS allows",
     "Wait, or name another resources.qos", MANUAL),
    (r"QOS(Grp|Resource|Job)\w*", "the share of its QOS is used up", _LIMITED.format("QOS"), RECORDED),
    (r"QOSMax(Jobs|SubmitJob)PerUser\w*", "you have as many jobs as its quality of service allows",
     _LIMITED.format("QOS"), RECORDED),
    (rf"QOSMax{RESOURCES}PerUser\w*", "you use as much as its quality of service allows", _LIMITED.format("QOS"),
     RECORDED),
    (r"Max\w*PerAccount", "your account uses as much as its quality of service allows", _LIMITED.format("QOS"),
     RECORDED),
    (r"AccountingPolicy", "a limit of your account or its quality of service is reached",
     "Wait, or ask the cluster's administrators which", CODES),
    (r"NonZeroExitCode|RaisedSignal|JobLaunchFailure|SystemFailure|OutOfMemory|TimeLimit|InactiveLimit",
     "an earlier run of it ended badly", "Look at what it printed; cancel it if it keeps failing", MANUAL),
)  # fmt: skip


def waiting(reason: str) -> Wait:
    """Return why a pending job waits; of an unknown reason Slurm's word itself."""
    word = reason.strip("() ") or "None"
    for rows, is_hopeless in ((HOPELESS, True), (PASSING, False)):
        found = find(rows, word)
        if found is not None:
            return Wait(found[1], found[2], is_hopeless)
    return Wait(f"Slurm says {word}", "See JOB REASON CODES in squeue(1)")
