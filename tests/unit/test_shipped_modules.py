"""The modules that come with Gridferry, each run by the contract they keep, on the sample job file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from project.adapters.modules import LocalModules
from project.adapters.user_input import load
from project.core.errors import ModuleFailed
from project.core.job_file.fields import without_secrets
from project.core.job_file.validate import validate
from project.core.module_steps import ModuleStep

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = _ROOT / "modules"
_SAMPLE: dict[str, Any] = without_secrets(load(_ROOT / "user_input_sample.yml").document)

#: module: how it is compiled, how it is run
_HOW = {
    "core_hours.c": ("gcc -O2 -Wall -Wextra -Werror -o core_hours core_hours.c", "./core_hours 1200"),
    "minimal.awk": ("", "awk -f minimal.awk"),
    "minimal.c": ("gcc -O2 -Wall -Wextra -Werror -o minimal minimal.c", "./minimal"),
    "minimal.pl": ("", "perl minimal.pl"),
    "minimal.py": ("", "python3 minimal.py"),
    "minimal.sh": ("", "sh minimal.sh"),
    "node_report.sh": ("", "bash node_report.sh"),
    "resource_estimator.py": ("", "python3 resource_estimator.py"),
    "summarise.py": ("", "python3 summarise.py"),
}


def run(
    module: str, folder: Path, user_input: dict[str, Any] | None = None, history: list[dict[str, Any]] | None = None
) -> tuple[dict[str, Any], str]:
    """Run a module on a job file (the sample unless said); return its answer and what it said."""
    said: list[str] = []
    compilation, execution = _HOW[module]
    answer = LocalModules().run(
        [ModuleStep("staging", 1, module, execution, compilation)],
        {module: _MODULES / module},
        user_input or _SAMPLE,
        on_start=lambda _: None,
        on_result=lambda _, __: None,
        on_said=said.append,
        environment={"GRIDFERRY_JOB_UUID": "uuid", "GRIDFERRY_WORKING_DIRECTORY": str(folder)},
        history=history or [],
    )
    return answer, "\n".join(said)


def sample(**resources: Any) -> dict[str, Any]:
    """The sample with other resources; None leaves one out."""
    return {**_SAMPLE, "resources": {**_SAMPLE["resources"], **resources}}


def test_every_module_is_run_here() -> None:
    """A new one cannot be forgotten, and the README lists each."""
    files = {path.name for path in _MODULES.iterdir() if path.is_file()} - {"README.md"}
    assert files == set(_HOW)
    assert files <= set(re.findall(r"`([\w.]+)`", (_MODULES / "README.md").read_text()))


@pytest.mark.parametrize("module", _HOW)
def test_each_passes_the_sample_on(module: str, tmp_path: Path) -> None:
    """As a job file that is still right, with something said on standard error or left in the working directory."""
    answer, said = run(module, tmp_path)
    validate(answer, source=module)
    assert {**answer, "kwargs": {}} == {**_SAMPLE, "kwargs": {}}
    assert said or list(tmp_path.iterdir())


@pytest.mark.parametrize("module", [module for module in _HOW if module.startswith("minimal")])
def test_any_text_gets_through(module: str, tmp_path: Path) -> None:
    """Quotes, line breaks, other alphabets and much of it."""
    odd = {**_SAMPLE, "kwargs": {"text": '"it\'s" żółw 🐢\n\\n % $x', "long": "x" * 200_000}}
    assert run(module, tmp_path, odd)[0] == odd


@pytest.mark.parametrize(
    ("resources", "core_hours"),
    [
        ({}, 795),
        ({"nbr_jobs_in_array": None, "nbr_threads_per_process": None, "duration": "2h"}, 2),
        ({"nbr_jobs_in_array": "15", "duration": "1h"}, 30),
        ({"nbr_jobs_in_array": "1-5,9", "duration": "1h"}, 12),
        ({"nbr_jobs_in_array": "0-20:5%2", "duration": "1h"}, 10),
        ({"nbr_jobs_in_array": {"count": 7, "at_once": 2}, "duration": "1h"}, 14),
        ({"nbr_jobs_in_array": {"ids": "4-6"}, "duration": "1h"}, 6),
        ({"nbr_jobs_in_array": {"ids": "7"}, "duration": "1h"}, 2),
        ({"nbr_jobs_in_array": {"ids": 7, "at_once": 1}, "duration": "1h"}, 2),
        ({"nbr_jobs_in_array": "1-3, 7%2", "duration": "1h"}, 8),
        ({"duration": "1-02:30:00"}, 795),
        ({"duration": "26:30:00"}, 795),
        ({"duration": "1D 2H 30M"}, 795),
        ({"nbr_processes": 1, "duration": "40h"}, 1200),
    ],
)
def test_core_hours_are_counted(resources: dict[str, Any], core_hours: int, tmp_path: Path) -> None:
    """Tasks by processes by threads by hours, however a job file spells them."""
    user_input = sample(**resources)
    validate(user_input, source="job.yml")
    answer, said = run("core_hours.c", tmp_path, user_input)
    assert f"at most {core_hours} core hours" in said
    assert answer == user_input


def test_too_many_core_hours_are_refused(tmp_path: Path) -> None:
    """The limit is the module's argument."""
    with pytest.raises(ModuleFailed, match="ended with exit code 1") as caught:
        run("core_hours.c", tmp_path, sample(duration="41h"))
    assert "that is more than 1200" in caught.value.detail


def past(**columns: list[str]) -> dict[str, Any]:
    """A job of the same kind that ended well."""
    return {"user_input": _SAMPLE, "job_status": columns}


@pytest.mark.parametrize(
    ("asked", "kwargs", "proposed"),
    [
        ({"duration": None, "memory_per_thread": None}, {}, {"duration": "1650s", "memory_per_thread": "151M"}),
        ({}, {}, {"duration": "1d2h30m", "memory_per_thread": "2625M"}),
        ({}, {"estimate": "replace"}, {"duration": "1650s", "memory_per_thread": "151M"}),
    ],
)
def test_past_jobs_propose_resources(
    asked: dict[str, Any], kwargs: dict[str, Any], proposed: dict[str, str], tmp_path: Path
) -> None:
    """Half as much again as the longest and the largest took; what the job file asks for stays unless it says so."""
    other = {"user_input": {**_SAMPLE, "execution": "other"}, "job_status": {"Elapsed": ["9-00:00:00"]}}
    history = [
        past(Elapsed=["00:10:00", "00:18:20"], MaxRSS=["102400K", "204800K"]),
        past(Elapsed=[""], MaxRSS=[]),
        other,
    ]
    answer, said = run("resource_estimator.py", tmp_path, {**sample(**asked), "kwargs": kwargs}, history)
    assert {key: answer["resources"][key] for key in proposed} == proposed
    assert said.startswith("from 2 past jobs (2 tasks)")
    validate(answer, source="job.yml")


def test_without_past_jobs_nothing_is_proposed(tmp_path: Path) -> None:
    """And that is said."""
    answer, said = run("resource_estimator.py", tmp_path, history=[])
    assert answer == _SAMPLE
    assert said.startswith("no past jobs of this kind")


def test_results_are_summarised(tmp_path: Path) -> None:
    """One number a task from the outputs' lines; a sum, a table and a picture; other lines do no harm."""
    (tmp_path / "primes_1.txt").write_text("1 10\n")
    (tmp_path / "primes_2.txt").write_text("2 -2.5\n3 errors\nall done\n² 4\n5 nan\n\n")
    (tmp_path / "other.txt").write_text("9 9\n")
    user_input = {**_SAMPLE, "kwargs": {"measure": "a < b & c"}}
    answer, _ = run("summarise.py", tmp_path, user_input)
    assert answer["kwargs"] == {"measure": "a < b & c", "summary": {"measure": "a < b & c", "tasks": 2, "sum": 7.5}}
    assert json.loads((tmp_path / "summary.json").read_text())["values"] == {"1": 10.0, "2": -2.5}
    picture = ET.parse(tmp_path / "summary.svg").getroot()  # noqa: S314 - we have just written it
    bars = picture.findall("{http://www.w3.org/2000/svg}rect")
    assert [float(bar.attrib["width"]) for bar in bars] == [520.0, 130.0]
    assert "a < b & c per task, 7.5 in total" in [
        text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")
    ]


def test_nothing_to_summarise_is_a_sum_of_zero(tmp_path: Path) -> None:
    """A job file without outputs, or with one that is not there."""
    outputs: list[Any] = [None, "nowhere.txt", []]
    for output in outputs:
        answer, _ = run("summarise.py", tmp_path, {**_SAMPLE, "output": output})
        assert answer["kwargs"]["summary"]["sum"] == 0
    ET.parse(tmp_path / "summary.svg")  # noqa: S314 - we have just written it


def test_the_login_node_is_described(tmp_path: Path) -> None:
    """In a file of the working directory, each line with a name."""
    run("node_report.sh", tmp_path)
    lines = (tmp_path / "node_report.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["host", "system", "kernel", "compiler", "slurm", "disk"]
