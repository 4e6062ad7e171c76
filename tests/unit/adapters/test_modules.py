"""Finding the user's modules, and running those of the staging stage here."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.modules import LocalModules, find_modules
from project.core.errors import ModuleFailed
from project.core.module_steps import ModuleStep
from project.core.problems import InvalidDocument

if TYPE_CHECKING:
    from pathlib import Path


def step(module: str, execution: str = "", number: int = 1) -> ModuleStep:
    """A staging step."""
    return ModuleStep("staging", number, module, execution or f"sh {module}")


def run(folder: Path, *scripts: str, **user_input: Any) -> tuple[dict[str, Any], list[str], list[str]]:
    """Run scripts as modules; return the last answer, what was started, and what they said."""
    names = [f"m{number}.sh" for number in range(len(scripts))]
    for name, script in zip(names, scripts, strict=True):
        (folder / name).write_text(script)
    started: list[str] = []
    said: list[str] = []
    answer = LocalModules().run(
        [step(name, number=number) for number, name in enumerate(names)],
        {name: folder / name for name in names},
        user_input,
        on_start=lambda one: started.append(one.module),
        on_result=lambda _, __: None,
        on_said=said.append,
        environment={"GRIDFERRY_JOB_UUID": "uuid"},
        history=[{"job_uuid": "old"}],
    )
    return answer, started, said


def test_modules_are_looked_for_where_people_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the modules file first, then where one is, then among those that come with Gridferry."""
    beside, here = tmp_path / "project" / "modules", tmp_path / "here" / "modules"
    for folder in (beside, here):
        folder.mkdir(parents=True)
    (beside / "a.py").touch()
    (here / "a.py").touch()
    (here / "b.py").touch()
    monkeypatch.chdir(tmp_path / "here")
    found = find_modules(
        [step("a.py"), step("b.py"), step("core_hours.c")], source=str(tmp_path / "project" / "m.yml"), lines={}
    )
    assert (found["a.py"], found["b.py"]) == (beside / "a.py", here / "b.py")
    assert found["core_hours.c"].parent.name == "modules"


def test_every_module_that_is_nowhere_is_told(tmp_path: Path) -> None:
    """With its line, and where it was looked for."""
    lines = {"staging.1.module": 3}
    with pytest.raises(InvalidDocument) as caught:
        find_modules([step("x.py"), step("y.py", number=2)], source=str(tmp_path / "m.yml"), lines=lines)
    assert [(problem.key, problem.line) for problem in caught.value.problems] == [
        ("staging.1.module", 3), ("staging.2.module", None),
    ]  # fmt: skip
    assert str(tmp_path / "modules") in caught.value.problems[0].message


def test_modules_run_in_a_private_copy(tmp_path: Path) -> None:
    """What they leave there is gone afterwards; the originals stay as they are."""
    answer, started, _ = run(
        tmp_path, "pwd >&2; touch left; cat", 'printf \'{"there": "%s"}\' "$(ls | tr "\\n" " ")"', a=1
    )
    assert started == ["m0.sh", "m1.sh"]
    assert {"left", "m0.sh", "m1.sh"} <= set(answer["there"].split())
    assert sorted(os.listdir(tmp_path)) == ["m0.sh", "m1.sh"]  # noqa: PTH208 - names are enough


def test_modules_see_past_jobs_and_are_heard(tmp_path: Path) -> None:
    """A file with the history, and every line they say while they work."""
    answer, _, said = run(tmp_path, 'echo working >&2; printf \'{"past": %s}\' "$(cat $GRIDFERRY_HISTORY)"')
    assert answer == {"past": [{"job_uuid": "old"}]}
    assert said == ["working"]


def test_a_failure_is_the_modules_own(tmp_path: Path) -> None:
    """The error names it and shows its last words."""
    with pytest.raises(ModuleFailed, match="staging module 0") as caught:
        run(tmp_path, "echo no licence >&2; exit 3")
    assert "no licence" in caught.value.detail
    assert json.dumps(caught.value.detail)
