"""The modules file, and the answers of modules."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.errors import ModuleFailed
from project.core.module_steps import ModuleStep, from_documents, parse_modules, read_answer, to_documents
from project.core.problems import InvalidDocument

_STEP = {"module": "a.py", "execution": "python3 a.py"}


def read(document: Any) -> list[ModuleStep]:
    """A modules file's steps."""
    return parse_modules(document, source="modules.yml")


def test_steps_run_in_the_order_of_stages_and_numbers() -> None:
    """However the file lists them; numbers may be text, and a stage may be empty."""
    steps = read({"postprocessing": {1: _STEP}, "staging": {"10": _STEP, 2: _STEP}, "preprocessing": None})
    assert [(step.stage, step.number) for step in steps] == [("staging", 2), ("staging", 10), ("postprocessing", 1)]


def test_what_is_left_out_has_a_default() -> None:
    """Ten minutes, no compilation, only after success."""
    assert read({"staging": {1: _STEP}}) == [ModuleStep("staging", 1, "a.py", "python3 a.py", "", 600, "success")]
    full = {**_STEP, "compilation": "make", "time_limit": "5m", "when": "always"}
    assert read({"postprocessing": {1: full}})[0][4:] == ("make", 300, "always")


def test_steps_travel_as_json() -> None:
    """What the client sends is what the cluster reads."""
    steps = read({"staging": {1: _STEP, 2: _STEP}})
    assert from_documents(to_documents(steps)) == steps


def test_a_step_has_a_name_for_messages() -> None:
    """Stage, number and file: enough to find it."""
    assert read({"staging": {1: _STEP}})[0].name == "staging module 1 (a.py)"


@pytest.mark.parametrize(
    ("document", "key", "message", "remedy"),
    [
        ([], "", "this is not a group of stages", "modules_sample.yml"),
        ({"stagin": {}}, "stagin", "this stage is not known", "Did you mean `staging`?"),
        ({"x": {}}, "x", "this stage is not known", "Stages are staging"),
        ({"staging": [_STEP]}, "staging", "its steps are not numbered", "`1:`"),
        ({"staging": {"first": _STEP}}, "staging.first", "'first' is not a number", "Number the steps"),
        ({"staging": {"²": _STEP}}, "staging.²", "'²' is not a number", "Number the steps"),
        ({"staging": {1: "a.py"}}, "staging.1", "this step is not a group of keys", "`module:`"),
        ({"staging": {1: {"module": "a.py"}}}, "staging.1", "`execution` is missing", "README"),
        ({"staging": {1: {**_STEP, "modul": "b"}}}, "staging.1.modul", "is not known", "Did you mean `module`?"),
        ({"staging": {1: {**_STEP, "colour": "b"}}}, "staging.1.colour", "is not known", "Keys are module"),
        ({"staging": {1: {**_STEP, "compilation": ["a"]}}}, "staging.1.compilation", "is no text", "Write a text"),
        ({"staging": {1: {**_STEP, "module": "../a.py"}}}, "staging.1.module", "not a plain file name", "modules/"),
        ({"staging": {1: {**_STEP, "module": "-a"}}}, "staging.1.module", "not a plain file name", "modules/"),
        ({"staging": {1: {**_STEP, "when": "never"}}}, "staging.1.when", "'never' is not known", "success or always"),
        ({"staging": {1: {**_STEP, "time_limit": "long"}}}, "staging.1.time_limit", "not a duration", "5m"),
        ({"staging": {1: {**_STEP, "time_limit": 300}}}, "staging.1.time_limit", "not a duration", "5m"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(document: Any, key: str, message: str, remedy: str) -> None:
    """One problem, at its key and line, with what would be right."""
    with pytest.raises(InvalidDocument) as caught:
        parse_modules(document, source="modules.yml", lines={key: 3})
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == (key, 3)
    assert message in problem.message
    assert remedy in problem.remedy


def test_all_problems_come_at_once() -> None:
    """One bad step does not hide the next."""
    with pytest.raises(InvalidDocument) as caught:
        read({"staging": {1: {}, "a": _STEP}, "x": {}})
    assert len(caught.value.problems) == 4


_THIS = read({"staging": {1: _STEP}})[0]


def test_an_answer_is_one_json_object() -> None:
    """With space around it or without."""
    assert read_answer(_THIS, '\n {"a": [1]} \n', "") == {"a": [1]}


@pytest.mark.parametrize(
    ("stdout", "message"),
    [
        ("", "printed no JSON but 'nothing'"),
        ("done", "printed no JSON but 'done'"),
        ("{} {}", "printed no JSON"),
        ("[1]", "printed JSON that is not an object"),
        ("null", "printed JSON that is not an object"),
        ("[" * 100_000, "printed no JSON"),
        ('{"a": [NaN]}', "printed NaN or an infinite number"),
        ('{"a": 1e999}', "printed NaN or an infinite number"),
    ],
)
def test_other_answers_are_failures(stdout: str, message: str) -> None:
    """The module is named, and what it said on standard error goes with it."""
    with pytest.raises(ModuleFailed, match=message) as caught:
        read_answer(_THIS, stdout, "its last words")
    assert caught.value.message.startswith("staging module 1 (a.py)")
    assert caught.value.detail == "its last words"
