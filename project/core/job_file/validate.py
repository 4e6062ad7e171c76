"""Job file to JobSpec: every problem in one go, or none."""

from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from project.core.job import AUTO, ForEach, JobSpec, Resources
from project.core.job_file.fields import FIELDS, GROUPS, SHORT_FOR
from project.core.problems import InvalidDocument, Problem, in_order, nearest

Lines = Mapping[str, int]


def validate(document: Any, *, source: str, lines: Optional[Lines] = None) -> JobSpec:
    """Translate a job file, as YAML made it, into Slurm's terms.

    Args:
        document: mapping of the user's keys; a null value counts as left out.
        source: what to call it in messages (its file name).
        lines: line of each dotted key.

    Raises:
        InvalidDocument: with all problems, in the order of the file.
    """
    places = lines or {}
    if not isinstance(document, dict):
        raise InvalidDocument(
            source, [Problem("", "this is not a group of keys", "Start from user_input_sample.yml")]
        )
    problems: List[Problem] = []
    values: Dict[str, Any] = {}
    for key, value in _flatten(document):
        _read(key, value, _line(key, places), values, problems)
    problems += _missing(values, problems, places)
    spec = _assemble(values)
    problems += [rule._replace(line=_line(rule.key, places)) for check in _RULES for rule in check(spec)]
    if problems:
        raise InvalidDocument(source, in_order(problems))
    return spec


def _line(key: str, places: Lines) -> Optional[int]:
    """Return the line of a key; of one that a plain value is short for, the group's."""
    return places.get(key, places.get(key.partition(".")[0]) if key in SHORT_FOR.values() else None)


def _flatten(document: Mapping[Any, Any]) -> Iterator[Tuple[str, Any]]:
    for key, value in document.items():
        name = str(key)
        if name in GROUPS and isinstance(value, dict):
            for inner, inner_value in value.items():
                yield f"{name}.{inner}", inner_value
        else:
            yield SHORT_FOR.get(name, name), value


def _read(key: str, value: Any, line: Optional[int], values: Dict[str, Any], problems: List[Problem]) -> None:
    field = FIELDS.get(key)
    if field is None:
        problems.append(_unknown(key, line))
    elif value is not None:
        try:
            values[key] = field.kind.read(value)
        except ValueError as error:
            problems.append(Problem(key, str(error), field.kind.remedy, line))


def _unknown(key: str, line: Optional[int]) -> Problem:
    likely = nearest(key, FIELDS)
    remedy = f"Did you mean `{likely}`?" if likely else "Put your own keys below `kwargs`"
    return Problem(key, "this key is not known", remedy, line)


def _missing(values: Mapping[str, Any], problems: List[Problem], places: Lines) -> List[Problem]:
    told = {problem.key for problem in problems}
    lacking = [field for field in FIELDS.values() if field.required and not values.get(field.key)]
    return [
        Problem(
            field.key,
            "this key has no value" if field.key in places else "this key is missing",
            f"Add it, for example `{field.key}: {field.example}`",
            places.get(field.key),
        )
        for field in lacking
        if field.key not in told
    ]


def _assemble(values: Mapping[str, Any]) -> JobSpec:
    """Build the spec from what was read; a required key that is missing is empty (and a problem anyway)."""
    top = {f.name: values[f.key] for f in FIELDS.values() if f.key in values and "." not in f.key}
    inner = {group: {f.name: values[f.key] for f in fields if f.key in values} for group, fields in GROUPS.items()}
    top["resources"] = Resources(**inner["resources"])
    top["for_each"] = ForEach(**inner["for_each"]) if inner["for_each"] else None
    return JobSpec(username="", user_mail="", destination_clusters=(), execution=())._replace(**top)


def _nodes_fit_distribution(spec: JobSpec) -> Iterator[Problem]:
    resources = spec.resources
    if resources.distribution == "distributed" and resources.nodes is None:
        yield Problem(
            "resources.nbr_of_nodes",
            "this key is missing",
            "`distribution: distributed` needs it: on how many nodes?",
        )
    if resources.nodes is not None and resources.distribution != "distributed":
        yield Problem(
            "resources.nbr_of_nodes",
            "this only goes with `distribution: distributed`",
            "Set that, or leave this out",
        )


def _processes_fit_nodes(spec: JobSpec) -> Iterator[Problem]:
    nodes, ntasks = spec.resources.nodes, spec.resources.ntasks
    if nodes is not None and ntasks is not None and ntasks < nodes:
        yield Problem(
            "resources.nbr_processes",
            f"{ntasks} processes cannot be spread over {nodes} nodes",
            "Ask for at least one process a node",
        )


def _processes_of_each_node_fit(spec: JobSpec) -> Iterator[Problem]:
    nodes, ntasks, of_each = spec.resources.nodes, spec.resources.ntasks, spec.resources.ntasks_per_node
    if of_each is None:
        return
    key = "resources.nbr_processes_per_node"
    if spec.resources.distribution != "distributed":
        yield Problem(key, "this only goes with `distribution: distributed`", "Set that, or leave this out")
    elif nodes is not None and ntasks is not None and ntasks != nodes * of_each:
        yield Problem(key, f"{nodes} nodes with {of_each} each are not {ntasks} processes", "Leave one of them out")


def _one_kind_of_campaign(spec: JobSpec) -> Iterator[Problem]:
    each = spec.for_each
    if each is None:
        return
    given = [name for name in ("files", "csv", "matrix") if getattr(each, name)]
    if len(given) != 1:
        found = "{} are given".format(" and ".join(given)) if given else "nothing is given"
        yield Problem("for_each", f"{found} to have a task for each of", "Give one of `files`, `csv` and `matrix`")
    if each.bring and not each.csv:
        yield Problem("for_each.bring", "there is no table with these columns", "Give `csv`, or leave this out")
    if spec.resources.array is not None:
        yield Problem(
            "resources.nbr_jobs_in_array", "`for_each` makes the array already", "Leave this out, or `for_each`"
        )


def _auto_stands_alone(spec: JobSpec) -> Iterator[Problem]:
    if AUTO in spec.destination_clusters and len(spec.destination_clusters) > 1:
        yield Problem("destination_cluster", f"`{AUTO}` stands beside names", f"Write {AUTO} alone, or names alone")


_RULES: Tuple[Callable[[JobSpec], Iterator[Problem]], ...] = (
    _nodes_fit_distribution,
    _processes_fit_nodes,
    _processes_of_each_node_fit,
    _one_kind_of_campaign,
    _auto_stands_alone,
)
