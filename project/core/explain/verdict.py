"""One plain sentence about a job, and what to do."""

import math
from typing import Dict, NamedTuple, Optional

from project.core.explain.causes import find_cause
from project.core.explain.facts import Facts
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


class Verdict(NamedTuple):
    """What is told.

    Attributes:
        sentence: why the job is where it is.
        remedy: what helps, "" if nothing is needed.
        cause: the cause's name in the table, "" where none is needed.
    """

    sentence: str
    remedy: str = ""
    cause: str = ""


def explain(facts: Facts, job_uuid: str) -> Verdict:
    """Return the sentence and the remedy for a job."""
    verdict = _explained(facts, job_uuid)
    if not facts.flag:
        return verdict
    remedy = verdict.remedy or "Ask the cluster's administrators to end it"
    return verdict._replace(sentence=f"{verdict.sentence} Look at it: {facts.flag}.", remedy=remedy)


def _explained(facts: Facts, job_uuid: str) -> Verdict:
    if is_success(facts.state) or facts.state == GatewayState.DONE.value:
        return Verdict(f"The job ended well{_use(facts)}.", _could_ask_less(facts))
    state = parse_state(facts.state)
    if facts.state == PENDING or state.phase is Phase.WAITING:
        wait = waiting(facts.reason)
        never = "will not start as it stands" if wait.is_hopeless else "waits"
        return Verdict(f"The job {never}: {wait.text}.", wait.remedy, facts.reason)
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
    """Return what the sentence is about: the job, or of an array its worst task and how many are like it."""
    if not facts.task:
        return "The job"
    total = sum(facts.tasks.values())
    alike = facts.tasks.get(facts.state, 0)
    if not alike:
        return f"Task {facts.task}"
    if not parse_state(facts.state).ended:
        return f"Of {total} tasks {alike} {'is' if alike == 1 else 'are'} {facts.state}: task {facts.task}"
    who = f"Each of the {total} tasks" if alike == total else f"{alike} of {total} tasks"
    return f"{who} ended as {facts.state}: task {facts.task}"


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
