"""The job file: what is right is translated, what is wrong is told, all of it at once."""

from __future__ import annotations

from typing import Any

import pytest

from project.core.job import ArraySpec, ForEach, JobSpec
from project.core.job_file.fields import FIELDS, GROUPS, SECRET_KEYS, Field, json_schema, without_secrets
from project.core.job_file.validate import validate
from project.core.problems import InvalidDocument, Problem
from tests.unit.core.schema import accepts

_LEAST = {
    "username": "jdoe",
    "user_mail": "jane@example.org",
    "destination_cluster": "nic5",
    "execution": ["srun ./job"],
}
#: What some keys are right with only.
_GO_WITH: dict[str, dict[str, Any]] = {
    "resources.nbr_of_nodes": {"resources__distribution": "distributed"},
    "resources.nbr_processes_per_node": {"resources__distribution": "distributed", "resources__nbr_of_nodes": 2},
    "for_each.bring": {"for_each__csv": "samples.csv"},
    "for_each.at_once": {"for_each__files": "data/*"},
    "for_each.tasks_per_array": {"for_each__files": "data/*"},
}
_OF_TOP = [field for key, field in FIELDS.items() if "." not in key]


def document(**keys: Any) -> dict[str, Any]:
    """The least job file, and these keys; `resources__duration` stands for `resources.duration`."""
    made: dict[str, Any] = {**_LEAST, "resources": {}}
    for name, value in keys.items():
        group, _, inner = name.rpartition("__")
        (made.setdefault(group, {}) if group else made)[inner] = value
    return made


def read(**keys: Any) -> JobSpec:
    """The least job file and these keys, validated."""
    return validate(document(**keys), source="job.yml")


def problems_of(content: Any, lines: dict[str, int] | None = None) -> list[Problem]:
    """Everything that is wrong with a job file."""
    with pytest.raises(InvalidDocument) as caught:
        validate(content, source="job.yml", lines=lines)
    return caught.value.problems


def _with_example(field: Field) -> dict[str, Any]:
    return document(**{field.key.replace(".", "__"): field.example}, **_GO_WITH.get(field.key, {}))


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.key)
def test_every_example_is_right(field: Field) -> None:
    """What the documentation shows for a key is taken, by the validator and by the published schema."""
    content = _with_example(field)
    validate(content, source="job.yml")
    assert accepts(json_schema(), content)


@pytest.mark.parametrize("field", _OF_TOP, ids=lambda field: field.key)
def test_the_schema_refuses_what_the_validator_refuses(field: Field) -> None:
    """A list of a list is right for no key, and an unknown key is wrong for both."""
    wrong = document(**{field.key: [[]]})
    assert problems_of(wrong)
    assert not accepts(json_schema(), wrong)
    assert not accepts(json_schema(), document(colour="red"))
    assert not accepts(json_schema(), {})


def test_keys_become_slurms_terms() -> None:
    """Units are gone, lists are lists, and what was not said stays with the cluster."""
    spec = read(execution="srun ./job", resources__duration="1h", resources__memory_per_thread="2G", output="a.txt")
    assert (spec.execution, spec.output) == (["srun ./job"], ["a.txt"])
    assert (spec.resources.time_limit_s, spec.resources.mem_per_cpu_mib) == (3600, 2048)
    assert (spec.resources.ntasks, spec.resources.array, spec.resources.requeue) == (None, None, False)
    assert spec.expected_tasks == 1


def test_a_campaign_is_one_of_three_kinds() -> None:
    """A plain value is short for files; a matrix is lists of texts; two kinds, or an array besides, are refused."""
    short = read(for_each="data/*.csv").for_each
    assert short == read(for_each={"files": ["data/*.csv"]}).for_each == ForEach(files=["data/*.csv"])
    matrix = read(for_each__matrix={"alpha": [0.1, "b"], "flag": True}).for_each
    assert matrix is not None
    assert matrix.matrix == {"alpha": ["0.1", "b"], "flag": ["true"]}
    for wrong, key in (
        ({"for_each": {"files": "a", "csv": "b"}}, "for_each"),
        ({"for_each": {"at_once": 5}}, "for_each"),
        ({"for_each": {"files": "a", "bring": "reads"}}, "for_each.bring"),
        ({"for_each": "a", "resources": {"nbr_jobs_in_array": 3}}, "resources.nbr_jobs_in_array"),
        ({"for_each": {"matrix": {"no-name": [1]}}}, "for_each.matrix"),
        ({"for_each": {"matrix": {"x": ["two\nlines"]}}}, "for_each.matrix"),
    ):
        assert key in [problem.key for problem in problems_of({**_LEAST, **wrong})]
    assert problems_of({**_LEAST, "for_each": [[]]}, {"for_each": 4})[0].line == 4


def test_null_counts_as_left_out() -> None:
    """A key with nothing behind it is as if it were not there."""
    assert read(job=None, resources__duration=None, resources__account=None) == read()
    assert validate({**_LEAST, "resources": None}, source="job.yml") == read()


@pytest.mark.parametrize(
    ("value", "tasks", "expression", "at_once"),
    [
        (3, [1, 2, 3], "1-3", None),
        ("3", [1, 2, 3], "1-3", None),
        ("1-2,7", [1, 2, 7], "1-2,7", None),
        ("0-8:4%2", [0, 4, 8], "0-8:4", 2),
        ("1-3, 5", [1, 2, 3, 5], "1-3,5", None),
        ("1,\n2", [1, 2], "1,2", None),
        ({"count": 2, "at_once": 1}, [1, 2], "1-2", 1),
        ({"ids": "4-5"}, [4, 5], "4-5", None),
        ({"ids": "7"}, [7], "7", None),
        ({"ids": 7}, [7], "7", None),
        ({"ids": "1-9%3"}, list(range(1, 10)), "1-9", 3),
        ({"ids": "1-9%3", "at_once": 4}, list(range(1, 10)), "1-9", 4),
    ],
)
def test_arrays_are_read(value: Any, tasks: list[int], expression: str, at_once: int | None) -> None:
    """A count, a list of ids or either in a group, with a throttle or without."""
    spec = read(resources__nbr_jobs_in_array=value)
    assert spec.resources.array == ArraySpec(tasks, expression, at_once)
    assert spec.expected_tasks == len(tasks)


@pytest.mark.parametrize(
    ("keys", "key", "message", "remedy"),
    [
        ({"username": "j doe"}, "username", "'j doe' is not something Slurm could take", "as sbatch takes it"),
        ({"username": True}, "username", "this is no text", "as sbatch takes it"),
        ({"username": ""}, "username", "this text is empty", "as sbatch takes it"),
        ({"user_mail": "jane"}, "user_mail", "'jane' is not a mail address", "jane@example.org"),
        ({"user_mail": "a@b.org\nBcc: x@y.z"}, "user_mail", "is not a mail address", "jane@example.org"),
        ({"execution": {"a": 1}}, "execution", "this is no text", "Write a text or a list of texts"),
        ({"execution": ["a", "b\0"]}, "execution", "holds a NUL character", "Write a text or a list of texts"),
        ({"execution": "x" * 100_001}, "execution", "too long", "Write a text or a list of texts"),
        (
            {"output": "/etc/passwd"},
            "output",
            "leaves the job's working directory",
            "relative to the working directory",
        ),
        ({"output": ["a", "b/../../c"]}, "output", "leaves the job's working directory", "relative to the"),
        ({"output": "~/x"}, "output", "leaves the job's working directory", "relative to the working directory"),
        ({"notify": "sometimes"}, "notify", "'sometimes' is not known here", "queued, started, ended"),
        ({"dependencies": "123"}, "dependencies", "'123' is not a job's UUID", "Gridferry printed"),
        ({"kwargs": "a"}, "kwargs", "this is not a group of keys", "below it, indented"),
        ({"resources": 5}, "resources", "this is not a group of keys", "below it, indented"),
        ({"colour": "red"}, "colour", "this key is not known", "Put your own keys below `kwargs`"),
        ({"usernam": "red"}, "usernam", "this key is not known", "Did you mean `username`?"),
        ({"resources__duration": "ten minutes"}, "resources.duration", "is not a duration", "1d2h30m"),
        ({"resources__duration": 90}, "resources.duration", "is not a duration", "1d2h30m"),
        ({"resources__nbr_processes": 0}, "resources.nbr_processes", "0 is less than 1", "from 1"),
        ({"resources__nbr_processes": 1.5}, "resources.nbr_processes", "1.5 is not a whole number", "from 1"),
        ({"resources__nbr_processes": True}, "resources.nbr_processes", "True is not a whole number", "from 1"),
        ({"resources__nbr_processes": "two"}, "resources.nbr_processes", "'two' is not a whole number", "from 1"),
        ({"resources__memory_per_thread": "2625"}, "resources.memory_per_thread", "not a size with a unit", "4G"),
        ({"resources__distribution": "wide"}, "resources.distribution", "'wide' is not known here", "grouped"),
        ({"resources__distribution": ["grouped"]}, "resources.distribution", "is not known here", "grouped"),
        ({"resources__exclusive": "yes"}, "resources.exclusive", "'yes' is neither true nor false", "true or false"),
        ({"resources__account": "a b"}, "resources.account", "'a b' is not something Slurm could take", "as sbatch"),
        ({"resources__account": "a'b"}, "resources.account", "is not something Slurm could take", "as sbatch"),
        ({"resources__duraton": "5m"}, "resources.duraton", "this key is not known", "`resources.duration`?"),
        ({"resources__nbr_jobs_in_array": "a"}, "resources.nbr_jobs_in_array", "not a list of task ids", "'1-5,9'"),
        ({"resources__nbr_jobs_in_array": "5-1"}, "resources.nbr_jobs_in_array", "no range of task ids", "'1-5,9'"),
        ({"resources__nbr_jobs_in_array": "1-9%0"}, "resources.nbr_jobs_in_array", "0 is less than 1", "'1-5,9'"),
        ({"resources__nbr_jobs_in_array": {}}, "resources.nbr_jobs_in_array", "either `count` or `ids`", "'1-5,9'"),
        ({"resources__nbr_jobs_in_array": {"count": "a"}}, "resources.nbr_jobs_in_array", "not a whole", "'1-5,9'"),
        ({"resources__nbr_jobs_in_array": 10**9}, "resources.nbr_jobs_in_array", "no arrays of more than", "'1-5,9'"),
        (
            {"resources__distribution": "distributed"},
            "resources.nbr_of_nodes",
            "this key is missing",
            "on how many nodes?",
        ),
        ({"resources__nbr_of_nodes": 2}, "resources.nbr_of_nodes", "only goes with", "leave this out"),
        (
            {"resources__nbr_processes_per_node": 2},
            "resources.nbr_processes_per_node",
            "only goes with",
            "leave this out",
        ),
        (
            {
                "resources__distribution": "distributed",
                "resources__nbr_of_nodes": 2,
                "resources__nbr_processes": 6,
                "resources__nbr_processes_per_node": 4,
            },
            "resources.nbr_processes_per_node",
            "2 nodes with 4 each are not 6 processes",
            "Leave one of them out",
        ),
        (
            {"resources__distribution": "distributed", "resources__nbr_of_nodes": 4, "resources__nbr_processes": 2},
            "resources.nbr_processes",
            "2 processes cannot be spread over 4 nodes",
            "one process a node",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(keys: dict[str, Any], key: str, message: str, remedy: str) -> None:
    """One problem, at the key and the line it stands at, with what would be right."""
    problem, *others = problems_of(document(**keys), lines={key: 12})
    assert not others
    assert problem.key == key
    assert message in problem.message
    assert remedy in problem.remedy
    assert problem.line == 12


@pytest.mark.parametrize("nothing", [None, []])
def test_what_is_needed_is_missing_when_nothing_is_said(nothing: Any) -> None:
    """A required key with nothing behind it, or with an empty list, has an example as remedy and no line."""
    assert problems_of(document(execution=nothing)) == [
        Problem("execution", "this key is missing", "Add it, for example `execution: ['srun ./job']`")
    ]


@pytest.mark.parametrize("content", [None, [], "username: x", 5])
def test_what_is_no_group_of_keys_is_one_problem(content: Any) -> None:
    """An empty file, a list or a text cannot be looked into any further."""
    assert [problem.message for problem in problems_of(content)] == ["this is not a group of keys"]


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    """Nothing hides behind the first mistake; what is missing comes last, for it has no line."""
    content = {"username": "a b", "user_mail": "x", "resources": {"duration": "1", "nbr_of_nodes": 2}, 7: "x"}
    lines = {"username": 4, "user_mail": 3, "resources.duration": 2, "resources.nbr_of_nodes": 9, "7": 1}
    keys = [problem.key for problem in problems_of(content, lines)]
    assert keys[:5] == ["7", "resources.duration", "user_mail", "username", "resources.nbr_of_nodes"]
    assert set(keys[5:]) == {"destination_cluster", "execution"}


def test_secrets_are_those_of_the_table() -> None:
    """The key's path and its passphrase stay on the researcher's machine; everything else may go."""
    assert {"private_key", "passphrase"} == SECRET_KEYS
    content = document(private_key="~/.ssh/id", passphrase="x", kwargs={"passphrase": "of a module"})
    assert set(content) - set(without_secrets(content)) == SECRET_KEYS


def test_every_key_is_named_once_inside() -> None:
    """No two keys of the table are read into the same place."""
    for fields in (_OF_TOP, *GROUPS.values()):
        names = [field.name for field in fields]
        assert len(names) == len(set(names))


def test_a_password_in_an_address_is_refused_without_being_repeated() -> None:
    """The job file is kept by the registry and on the cluster, and a message may be copied into a question."""
    (problem,) = problems_of(document(job="https://jane:s3cret@example.org/r.git"), {"job": 3})
    assert (problem.key, problem.line) == ("job", 3)
    assert "s3cret" not in problem.message + problem.remedy


def test_a_key_without_a_value_is_told_at_its_line() -> None:
    """It stands there, and so it is not called missing."""
    (problem,) = problems_of(document(execution=None), {"execution": 6})
    assert (problem.message, problem.line) == ("this key has no value", 6)
