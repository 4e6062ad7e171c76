"""One plain sentence about a job, and what to do."""

import math
from typing import Dict, NamedTuple, Optional, Sequence

from project.core.explain.causes import find_cause
from project.core.explain.facts import Facts
from project.core.slurm.ids import format_task_list
from project.core.slurm.states import PENDING, Phase, parse_state
from project.core.slurm.waiting import waiting
from project.core.states import GatewayState, is_success
from project.core.units import format_bytes, format_duration

_MIB = 1024 * 1024
#: What is asked for instead of what was not enough.
_MORE_MEMORY, _MORE_TIME = 1.5, 2.0
_COARSE_MIB = 256
#: Below this share of what was asked for, less is worth asking for.
_WASTE = 0.5
#: In less time than this a job has hardly begun to compute.
_TOO_SHORT_S = 10
_MOST_RANGES = 10


class Verdict(NamedTuple):
    """What is told.

    Attributes:
        sentence: why the job is where it is.
        remedy: what helps, "" if nothing is needed.
        cause: the cause's name in the table, "" where none is needed.
        tasks: numbers of the tasks it is about, as `--task` has them; "" if it is about the whole.
    """

    sentence: str
    remedy: str = ""
    cause: str = ""
    tasks: str = ""


def explain(facts: Facts, job_uuid: str) -> Verdict:
    """Return the sentence and the remedy for a job."""
    verdict = _explained(facts, job_uuid)._replace(tasks=format_task_list(facts.alike))
    if not facts.flag:
        return verdict
    remedy = verdict.remedy or "Ask the cluster's administrators to end it"
    return verdict._replace(sentence=f"{verdict.sentence} Look at it: {facts.flag}.", remedy=remedy)


def _explained(facts: Facts, job_uuid: str) -> Verdict:
    if is_success(facts.state) or facts.state == GatewayState.DONE.value:
        return Verdict(f"{_subject(facts)} ended well{_use(facts)}.", _could_ask_less(facts))
    state = parse_state(facts.state)
    if facts.state == PENDING or state.phase is Phase.WAITING:
        wait = waiting(facts.reason)
        never = "will not start as it stands" if wait.is_hopeless else "waits"
        return Verdict(f"{_subject(facts)} {never}: {wait.text}.", wait.remedy, facts.reason)
    found = find_cause(facts) if state.ended or facts.state == GatewayState.ERROR.value else None
    if found is None:
        return Verdict(f"{_subject(facts)} is {facts.state}{_use(facts)}.")
    words = {**_words(facts, job_uuid), **found.words}
    text, remedy = (_filled(template, words) for template in (found.cause.text, found.cause.remedy))
    nodes = "" if "{sick_nodes}" in found.cause.text else "".join(f" Now {each}." for each in facts.sick_nodes)
    return Verdict(f"{_subject(facts)} {text}.{nodes}", remedy, found.cause.name)


def _filled(template: str, words: Dict[str, str]) -> str:
    for name, word in words.items():
        template = template.replace("{" + name + "}", word)
    return template


def _subject(facts: Facts) -> str:
    """Return what the sentence is about: the job, a task, or each of several that are alike."""
    if not facts.alike:
        return "The job"
    if len(facts.alike) == facts.total:
        return f"Each of the {facts.total} tasks"
    if len(facts.alike) == 1:
        return f"Task {facts.alike[0]} of {facts.total}"
    return f"Each of {len(facts.alike)} of {facts.total} tasks ({_some(facts.alike)})"


def _some(tasks: Sequence[int]) -> str:
    """Return the numbers of tasks, the first ones if there are too many ranges to read."""
    ranges = format_task_list(tasks).split(",")
    return ", ".join([*ranges[:_MOST_RANGES], *(["…"] if len(ranges) > _MOST_RANGES else [])])


def _words(facts: Facts, job_uuid: str) -> Dict[str, str]:
    limit = facts.time_limit_s
    return {
        "memory_use": _of(facts.used_mib, facts.memory_mib, ": it used {} of {}"),
        "more_memory": _more_memory(facts),
        "time_limit": f" of {format_duration(limit)}" if limit else "",
        "more_time": _more_time(limit or facts.elapsed_s),
        "idle": _idle(facts, ", while only {} worked"),
        "name": "a program",
        "sick_nodes": f": {'; '.join(facts.sick_nodes)}" if facts.sick_nodes else f" {facts.nodes}".rstrip(),
        "stage": facts.stage or "its preparation",
        "reason": facts.reason.rstrip(". "),
        "code": facts.exit_code.partition(":")[0],
        "uuid": job_uuid,
        "again": f"`resubmit {job_uuid} --failed-tasks` runs them again" if facts.alike else "Submit it again",
        "failed_only": " --failed-tasks" if facts.alike else "",
        "task": f" --task {facts.alike[0]}" if facts.alike else "",
    }


def _of(used_mib: Optional[int], asked_mib: Optional[int], text: str) -> str:
    if not used_mib or not asked_mib:
        return ""
    return text.format(format_bytes(min(used_mib, asked_mib) * _MIB), format_bytes(asked_mib * _MIB))


def _more_memory(facts: Facts) -> str:
    """Return half as much again for each thread, in whole steps."""
    each = facts.mem_per_cpu_mib or (facts.memory_mib or _COARSE_MIB) / facts.cpus
    steps = math.ceil(each * _MORE_MEMORY / _COARSE_MIB)
    mib = steps * _COARSE_MIB
    return f"{mib // 1024}G" if mib % 1024 == 0 else f"{mib}M"


def _more_time(seconds: Optional[int]) -> str:
    minutes = math.ceil((seconds or 3600) * _MORE_TIME / 60)
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def _use(facts: Facts) -> str:
    """Return what it used of what it asked for, as the end of a sentence."""
    said = [_of(facts.used_mib, facts.memory_mib, "{} of {} of memory")]
    if facts.elapsed_s is not None and facts.time_limit_s:
        said.append(f"{format_duration(facts.elapsed_s)} of {format_duration(facts.time_limit_s)}")
    said.append(_idle(facts, "{} at work"))
    told = [part for part in said if part]
    listed = " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))
    return f", with {listed}" if listed else ""


def _idle(facts: Facts, text: str) -> str:
    """Say how many of its CPUs worked on average, where that is far fewer than it had; else nothing."""
    if facts.cpu_s is None or not facts.elapsed_s or facts.elapsed_s < _TOO_SHORT_S:
        return ""
    working = facts.cpu_s / facts.elapsed_s
    told = "{:.1f} of {} CPU{}".format(working, facts.cpus, "" if facts.cpus == 1 else "s")
    return text.format(told) if working < _WASTE * facts.cpus else ""


def _could_ask_less(facts: Facts) -> str:
    if facts.cpus > 1 and _idle(facts, "idle"):
        return "The next one starts earlier, and leaves more to others, if it asks for fewer CPUs"
    if facts.elapsed_s and facts.time_limit_s and facts.elapsed_s < _WASTE * facts.time_limit_s:
        return "The next one starts earlier if it asks for less time"
    return ""
