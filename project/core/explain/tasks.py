"""Why the tasks of an array or a campaign are where they are: one sentence for each kind of trouble among them."""

from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from project.core.campaign import places_of, tally_of
from project.core.explain.causes import find_cause
from project.core.explain.facts import Cluster, Facts, gather, of_row, rows_of
from project.core.explain.verdict import Verdict, explain
from project.core.job import JobSpec
from project.core.outcomes import in_words
from project.core.slurm.ids import format_task_list
from project.core.slurm.nodes import expand_nodes, pack_nodes
from project.core.slurm.states import PENDING, RUNNING, SlurmState, parse_state
from project.core.states import GatewayState, is_success
from project.core.units import whole_number

Job = Mapping[str, Any]
#: Nodes in trouble of which something is said.
_MOST_SICK = 5
#: The numbers that tasks of an array go by, by their place in it.
Numbers = Mapping[int, int]


class Part(NamedTuple):
    """An array, and what its tasks are called.

    Attributes:
        job: its document in the registry.
        numbers: of those of its tasks that count.
    """

    job: Job
    numbers: Numbers

    @property
    def task_list(self) -> str:
        """Its tasks that count, as `--array` has them."""
        return format_task_list(self.numbers)


def whole_array(job: Job) -> Part:
    """Return an array that is no campaign's: its tasks go by their own numbers."""
    return Part(job, {task: task for task in map(_task_of, rows_of(job)) if task is not None})


def needs_a_look(part: Job) -> bool:
    """Whether an array, known in short, has tasks about which there is something to say but their number."""
    words = [parse_state(word) for word in part.get("counts") or ()]
    return part["state"] == GatewayState.ERROR.value or bool(part.get("flag")) or any(map(_is_trouble, words))


def parts_to_explain(listed: Sequence[Job]) -> Dict[str, Numbers]:
    """Return the parts of a campaign, known in short, whose documents are needed, with their tasks that count.

    Of parts that only wait one is enough: they wait for the same.
    """
    places = places_of([dict(part) for part in listed], "")
    wanted = [part for part in listed if needs_a_look(part)]
    waiting = [part for part in listed if part not in wanted and part["state"] == PENDING]
    return {
        str(part["job_uuid"]): places[str(part["job_uuid"])]
        for part in [*wanted, *waiting[:1]]
        if str(part["job_uuid"]) in places
    }


def explain_tasks(
    parts: Sequence[Part], listed: Sequence[Job], spec: JobSpec, cluster: Cluster, job_uuid: str
) -> List[Verdict]:
    """Return what there is to say: how many tasks are where unless one sentence says it all, then each trouble.

    Args:
        parts: those worth a look.
        listed: all parts, in short.
        spec: what each task asked for.
        cluster: where they are.
        job_uuid: of the whole.
    """
    tally = tally_of([dict(part) for part in listed])
    found = _merged(facts for part in parts for facts in _troubles(part, spec, cluster))
    told = [explain(facts._replace(total=sum(tally.values())), job_uuid) for facts in found]
    words = [parse_state(word) for word in tally]
    if len(told) == 1 and all(word.ended or word.word == GatewayState.ERROR.value for word in words):
        return told
    if not told and all(is_success(word.word) for word in words):
        return [Verdict(f"All {sum(tally.values())} tasks ended well.")]
    return [Verdict(f"Of {sum(tally.values())} tasks: {in_words(tally)}."), *told]


def _task_of(row: Mapping[str, str]) -> Optional[int]:
    return whole_number(row.get("JobID", "").partition("_")[2])


def _is_trouble(state: SlurmState) -> bool:
    return state.ended and not is_success(state.word)


class _Kind(NamedTuple):
    """Tasks of one part that ended, or wait, alike: their numbers and rows, by their place in the array."""

    state: str
    tasks: Dict[int, Tuple[int, Mapping[str, str]]]


def _troubles(part: Part, spec: JobSpec, cluster: Cluster) -> Iterator[Facts]:
    """Yield each kind of trouble, or of waiting, among the tasks of a part, with the numbers of those it is about."""
    whole = gather(part.job, spec, cluster)
    kinds = _kinds(part)
    known = {task for kind in kinds for task in kind.tasks}
    for kind in kinds:
        if _is_trouble(parse_state(kind.state)):
            yield from _ends(kind, _last_words(part.job, kind), spec, cluster)
        elif kind.state == PENDING == whole.state:
            yield _facts(kind.tasks, spec, cluster)._replace(reason=whole.reason)
    missing = sorted(number for task, number in part.numbers.items() if task not in known)
    if whole.state == GatewayState.ERROR.value and missing:
        yield whole._replace(alike=missing, flag="")
    if whole.flag:
        yield whole._replace(state=RUNNING, alike=sorted(part.numbers.values()))


def _kinds(part: Part) -> List[_Kind]:
    kinds: Dict[Tuple[str, str], _Kind] = {}
    for row in rows_of(part.job):
        task = _task_of(row)
        if task is not None and task in part.numbers:
            state = parse_state(row.get("State", "")).word
            kind = kinds.setdefault((state, row.get("ExitCode", "")), _Kind(state, {}))
            kind.tasks[task] = (part.numbers[task], row)
    return list(kinds.values())


def _last_words(job: Job, kind: _Kind) -> Dict[int, str]:
    """Return what tasks of a kind wrote last, as far as it was told: of some of them, or of the worst task alone."""
    bodies = [event["body"] for event in job.get("timeline") or () if event["kind"] == "state"]
    end: Mapping[str, Any] = next(
        (body for body in reversed(bodies) if body.get("details") or body.get("detail")), {}
    )
    told = {whole_number(task): str(text) for task, text in (end.get("details") or {}).items()}
    first, (_, row) = next(iter(kind.tasks.items()))
    if not told and (kind.state, row.get("ExitCode", "")) == (end.get("state"), end.get("exit_code") or ""):
        return {first: str(end["detail"])}
    return {task: told[task] for task in kind.tasks if task in told}


def _ends(kind: _Kind, said: Mapping[int, str], spec: JobSpec, cluster: Cluster) -> Iterator[Facts]:
    """Yield what tasks that ended alike have in common; where they said different things, each by itself."""
    each = [_facts({task: kind.tasks[task]}, spec, cluster)._replace(detail=text) for task, text in said.items()]
    if len({_sort(facts) for facts in each}) <= 1:
        detail = each[0].detail if each else ""
        yield _facts(kind.tasks, spec, cluster)._replace(detail=detail)
        return
    yield from each
    others = {task: kind.tasks[task] for task in kind.tasks if task not in said}
    if others:
        yield _facts(others, spec, cluster)


def _facts(tasks: Mapping[int, Tuple[int, Mapping[str, str]]], spec: JobSpec, cluster: Cluster) -> Facts:
    """Return the facts of tasks that are alike: of the one that used most memory."""
    each = [of_row(row, spec, cluster) for _, row in tasks.values()]
    facts = max(each, key=lambda one: one.used_mib or 0)
    return _with_nodes(facts, each)._replace(alike=[number for number, _ in tasks.values()])


def _with_nodes(facts: Facts, each: Iterable[Facts]) -> Facts:
    """Return facts with the nodes of all that they stand for."""
    known = list(each)
    names = dict.fromkeys(name for one in known for name in expand_nodes(one.nodes))
    sick = list(dict.fromkeys(told for one in known for told in one.sick_nodes))
    return facts._replace(nodes=pack_nodes(names), sick_nodes=sick[:_MOST_SICK])


def _sort(facts: Facts) -> Tuple[str, ...]:
    """Return what tells troubles apart: the cause and what it names."""
    found = find_cause(facts)
    code = facts.exit_code if found is None or found.cause.name == "exit code" else ""
    named = (found.cause.name, *sorted(found.words.values())) if found else (facts.state, facts.reason)
    return (facts.flag, code, *named)


def _merged(found: Iterator[Facts]) -> List[Facts]:
    """Put together what is of one sort, of whichever part; the one that used most memory speaks for all."""
    sorts: Dict[Tuple[str, ...], Facts] = {}
    for facts in found:
        before = sorts.get(_sort(facts), facts)
        speaks = _with_nodes(max(before, facts, key=lambda one: one.used_mib or 0), (before, facts))
        sorts[_sort(facts)] = speaks._replace(alike=sorted({*before.alike, *facts.alike}))
    return sorted(sorts.values(), key=lambda facts: -len(facts.alike))
