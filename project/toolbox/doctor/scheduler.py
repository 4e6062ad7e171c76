"""Checks of Slurm: commands, daemons, accounts, partitions, and whether compute nodes see our folder."""

import grp
import os
import shutil
from typing import Optional, Sequence

from project.core.errors import SchedulerUnavailable
from project.core.findings import Finding, failure, ok, warning
from project.core.slurm.commands import PROGRAMS
from project.core.slurm.partitions import wanted_partition
from project.core.slurm.rights import usable
from project.core.slurm.states import Phase, parse_state
from project.core.units import format_duration
from project.toolbox.doctor.patient import Patient, said

_MOST_NAMED = 8
#: Of what the user may have in the queue, from this share on it is worth a word.
_NEARLY_ALL = 0.9


def commands(_: Patient) -> Finding:
    """All of Slurm's programs that we use."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return failure(
            "{} not found".format(", ".join(missing)), "Ask the cluster's administrators how Slurm gets on the PATH"
        )
    return ok(said("sinfo", "--version").stdout.strip())


def controller(patient: Patient) -> Finding:
    """Whether slurmctld answers, and how quickly."""
    try:
        patient.slurm.queue()
    except SchedulerUnavailable as error:
        return failure(error.message, "Try again later, or ask the cluster's administrators")
    return ok(f"answers within {patient.slurm.latency_s:.1f} s")


def accounting(patient: Patient) -> Finding:
    """Whether slurmdbd answers: without it no job's end is known for sure."""
    try:
        patient.slurm.account(["1"])
    except SchedulerUnavailable as error:
        return warning(error.message, "Jobs run, but their ends are told late")
    return ok(f"answers within {patient.slurm.latency_s:.1f} s")


def accounts(patient: Patient) -> Finding:
    """What the accounting lets the user do."""
    try:
        rights = patient.slurm.rights()
    except SchedulerUnavailable as error:
        return warning(error.message, "Accounts and limits are not known")
    if not rights:
        return warning(
            f"the accounting knows no account of {patient.slurm.user}", "Ask the cluster's administrators for one"
        )
    return ok(_named([right.words for right in rights]))


def partitions(patient: Patient) -> Finding:
    """Where the user's jobs may run."""
    known = patient.slurm.partitions()
    usual = wanted_partition(known, patient.partition or None)
    if usual is None:
        missing = f"partition {patient.partition}" if patient.partition else "default partition"
        return failure(f"there is no {missing}", "Name one in the job file: `resources.partition`")
    try:
        own = [right.account for right in patient.slurm.rights()]
    except SchedulerUnavailable:
        own = []
    open_ones = usable(known, own, [grp.getgrgid(number).gr_name for number in os.getgroups()])
    if usual not in open_ones:
        names = _named([partition.name for partition in open_ones]) or "none"
        return failure(f"{usual.name}, the usual one, is closed to you now", f"Those open to you: {names}")
    limits = [f"{p.name} ({_limit(p.max_time_s)})" for p in sorted(open_ones, key=lambda p: p != usual)]
    return ok(_named(limits))


def usage(patient: Patient) -> Finding:
    """How much of what the user may have in the queue is taken."""
    live = [parse_state(row.state).phase for row in patient.slurm.queue()]
    running, waiting = live.count(Phase.RUNNING), live.count(Phase.WAITING)
    most = patient.slurm.limits().queued_tasks
    text = f"{running} jobs running, {waiting} waiting; at most {most} in the queue"
    if running + waiting >= most * _NEARLY_ALL:
        return warning(text, "Wait until some have ended")
    return ok(text)


def _limit(max_time_s: Optional[int]) -> str:
    return "no time limit" if max_time_s is None else format_duration(max_time_s)


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
