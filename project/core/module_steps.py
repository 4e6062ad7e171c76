"""The modules file: which of the user's programs run at which stage, in which order."""

import json
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from project.core.errors import ModuleFailed
from project.core.problems import InvalidDocument, Problem, nearest
from project.core.units import parse_duration_s, whole_number

STAGES = ("staging", "preprocessing", "postprocessing")
#: Of a step.
KEYS = ("module", "compilation", "execution", "time_limit", "when")
_WHENS = ("success", "always")
DEFAULT_TIME_LIMIT_S = 600

#: The user input is also given as the last argument while it is shorter than this (execve limits one to 128 KiB).
MAX_ARGUMENT_BYTES = 100 * 1024
MAX_ANSWER_BYTES = 10 * 1024 * 1024


class ModuleStep(NamedTuple):
    """One module to run.

    Attributes:
        stage: of STAGES.
        number: its place; steps run in ascending order.
        module: file name in `modules/`.
        execution: command that runs it, with its folder as working directory.
        compilation: command that builds it first, or "".
        time_limit_s: how long it may take.
        when: "success", or "always" (postprocessing of a job that did not end well, too).
    """

    stage: str
    number: int
    module: str
    execution: str
    compilation: str = ""
    time_limit_s: int = DEFAULT_TIME_LIMIT_S
    when: str = "success"

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.stage} module {self.number} ({self.module})"


def parse_modules(document: Any, *, source: str, lines: Optional[Mapping[str, int]] = None) -> List[ModuleStep]:
    """Translate a modules file, as YAML made it; steps of a stage in the order of their numbers.

    Raises:
        InvalidDocument: with all problems.
    """
    places = lines or {}
    problems: List[Problem] = []
    steps: List[ModuleStep] = []
    for stage, number, key, step in _entries(document, problems):
        found = list(_step_problems(key, step))
        problems += found
        if not found:
            steps.append(_step(stage, number, step))
    if problems:
        raise InvalidDocument(source, [problem._replace(line=places.get(problem.key)) for problem in problems])
    return sorted(steps, key=lambda step: (STAGES.index(step.stage), step.number))


def _entries(document: Any, problems: List[Problem]) -> Iterator[Tuple[str, int, str, Any]]:
    if not isinstance(document, dict):
        problems.append(Problem("", "this is not a group of stages", "Start from modules_sample.yml"))
        return
    for stage, numbered in document.items():
        if stage not in STAGES:
            likely = nearest(str(stage), STAGES)
            remedy = f"Did you mean `{likely}`?" if likely else "Stages are " + ", ".join(STAGES)
            problems.append(Problem(str(stage), "this stage is not known", remedy))
        elif numbered is not None and not isinstance(numbered, dict):
            problems.append(Problem(stage, "its steps are not numbered", "Write `1:` with the step's keys below it"))
        else:
            yield from _numbered(stage, numbered or {}, problems)


def _numbered(
    stage: str, numbered: Mapping[Any, Any], problems: List[Problem]
) -> Iterator[Tuple[str, int, str, Any]]:
    for number, step in numbered.items():
        key = f"{stage}.{number}"
        place = whole_number(str(number))
        if place is not None:
            yield stage, place, key, step
        else:
            problems.append(Problem(key, f"{number!r} is not a number", "Number the steps 1, 2, 3, …"))


def _step_problems(key: str, step: Any) -> Iterator[Problem]:
    if not isinstance(step, dict):
        yield Problem(key, "this step is not a group of keys", "Write `module:` and `execution:` below it")
        return
    for name, value in step.items():
        if name not in KEYS:
            likely = nearest(str(name), KEYS)
            remedy = f"Did you mean `{likely}`?" if likely else "Keys are " + ", ".join(KEYS)
            yield Problem(f"{key}.{name}", "this key is not known", remedy)
        elif value is not None and not isinstance(value, (str, int)):
            yield Problem(f"{key}.{name}", "this is no text", "Write a text")
    for name in ("module", "execution"):
        if not step.get(name):
            yield Problem(key, f"`{name}` is missing", "Add it; modules/README.md shows how")
    yield from _value_problems(key, step)


def _value_problems(key: str, step: Mapping[str, Any]) -> Iterator[Problem]:
    module = str(step.get("module") or "")
    if "/" in module or module.startswith((".", "-")):
        yield Problem(key + ".module", f"{module!r} is not a plain file name", "Put the file into modules/")
    if (step.get("when") or "success") not in _WHENS:
        yield Problem(key + ".when", "{!r} is not known".format(step["when"]), "Write success or always")
    if step.get("time_limit") is not None:
        try:
            parse_duration_s(str(step["time_limit"]))
        except ValueError as error:
            yield Problem(key + ".time_limit", str(error), "Write it with units, such as 5m")


def _step(stage: str, number: int, step: Mapping[str, Any]) -> ModuleStep:
    limit = step.get("time_limit")
    return ModuleStep(
        stage=stage,
        number=number,
        module=str(step["module"]),
        execution=str(step["execution"]),
        compilation=str(step.get("compilation") or ""),
        time_limit_s=DEFAULT_TIME_LIMIT_S if limit is None else parse_duration_s(str(limit)),
        when=str(step.get("when") or "success"),
    )


def to_documents(steps: List[ModuleStep]) -> List[Dict[str, Any]]:
    """Return steps as the JSON that travels to the cluster."""
    return [dict(step._asdict()) for step in steps]


def from_documents(documents: List[Dict[str, Any]]) -> List[ModuleStep]:
    """Read what `to_documents` wrote."""
    return [ModuleStep(**document) for document in documents]


def read_answer(step: ModuleStep, stdout: str, stderr_tail: str) -> Dict[str, Any]:
    """Return the user input a module printed.

    Raises:
        ModuleFailed: it printed something else than one JSON object.
    """
    try:
        answer = json.loads(stdout)
    except (ValueError, RecursionError):  # the latter for brackets nested without end
        said = stdout.strip()[:200] or "nothing"
        raise ModuleFailed(
            f"{step.name} printed no JSON but {said!r}",
            remedy="Let it print the user input it was given, changed or not; messages belong on standard error",
            detail=stderr_tail,
        ) from None
    _refuse_odd_numbers(step, answer, stderr_tail)
    if not isinstance(answer, dict):
        raise ModuleFailed(
            f"{step.name} printed JSON that is not an object",
            remedy="Let it print the whole user input, not a part of it",
            detail=stderr_tail,
        )
    return answer


def _refuse_odd_numbers(step: ModuleStep, answer: Any, stderr_tail: str) -> None:
    """Raise ModuleFailed for NaN and infinities, which Python's JSON knows and nobody else's."""
    try:
        json.dumps(answer, allow_nan=False)
    except ValueError:
        raise ModuleFailed(
            f"{step.name} printed NaN or an infinite number, which JSON does not have",
            remedy="Let it print null, or a text, instead",
            detail=stderr_tail,
        ) from None
