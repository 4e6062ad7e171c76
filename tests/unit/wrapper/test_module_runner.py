"""The contract of modules/README.md, with real programs: what they get, and every way they can fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from project.core.errors import ModuleFailed
from project.core.module_steps import MAX_ANSWER_BYTES, MAX_ARGUMENT_BYTES, ModuleStep
from project.wrapper.module_runner import run_modules

if TYPE_CHECKING:
    from pathlib import Path

_INPUT = {"username": "jdoe", "text": 'it\'s "é" $HOME\n'}


def step(execution: str, **more: Any) -> ModuleStep:
    """A step of one file that is there."""
    return ModuleStep("preprocessing", 1, "module.sh", execution, **more)


class Runner:
    """Runs steps in a folder and remembers what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[str, Any]] = []
        (folder / "module.sh").write_text("cat\n")

    def run(self, *steps: ModuleStep, user_input: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run them on the input."""
        return run_modules(
            steps,
            user_input or _INPUT,
            folder=str(self.folder),
            on_start=lambda step: self.told.append(("start", step.number)),
            on_result=lambda step, result: self.told.append((f"result {step.number}", result)),
            environment={"GRIDFERRY_JOB_UUID": "uuid"},
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A modules folder with one module that passes its input on."""
    return Runner(tmp_path)


def test_the_input_comes_on_standard_input_and_as_last_argument(runner: Runner) -> None:
    """As the same JSON, whatever characters are in it."""
    script = 'cat > stdin.json; printf %s "$2" > argument.json; cat stdin.json; true'
    (runner.folder / "module.sh").write_text(script)
    assert runner.run(step("sh module.sh first")) == _INPUT
    assert (runner.folder / "stdin.json").read_text() == (runner.folder / "argument.json").read_text()
    assert json.loads((runner.folder / "argument.json").read_text()) == _INPUT


@pytest.mark.parametrize(("length", "given"), [(MAX_ARGUMENT_BYTES - 100, True), (MAX_ARGUMENT_BYTES, False)])
def test_a_long_input_comes_on_standard_input_only(runner: Runner, length: int, given: bool) -> None:
    """An argument of more than 128 KiB would not even start."""
    (runner.folder / "module.sh").write_text("echo $# > number; cat\n")
    user_input = {"text": "x" * length}
    assert runner.run(step("sh module.sh"), user_input=user_input) == user_input
    assert (runner.folder / "number").read_text() == ("1\n" if given else "0\n")


def test_each_step_gets_what_the_one_before_it_printed(runner: Runner) -> None:
    """And each is told as it starts and as it ends."""
    steps = [step("echo '{\"a\": 1}' #")._replace(number=2), step("sh module.sh")._replace(number=7)]
    assert runner.run(*steps) == {"a": 1}
    assert runner.told == [("start", 2), ("result 2", {"a": 1}), ("start", 7), ("result 7", {"a": 1})]


def test_a_module_is_compiled_first(runner: Runner) -> None:
    """In the folder where it is run."""
    built = step("./built", compilation="cp module.sh built && chmod +x built && sed -i '1i #!/bin/sh' built")
    assert runner.run(built) == _INPUT


def test_modules_see_what_they_are_promised(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's UUID, and none of the connection's variables."""
    monkeypatch.setenv("SSH_CONNECTION", "x")
    printed = runner.run(
        step('sh module.sh >/dev/null; printf \'{"a": "%s%s"}\' $GRIDFERRY_JOB_UUID $SSH_CONNECTION #')
    )
    assert printed == {"a": "uuid"}


@pytest.mark.parametrize(
    ("failing", "message", "detail"),
    [
        (step("echo why >&2; exit 3 #"), "it ended with exit code 3", "why"),
        (step("kill -9 $$ #"), "it ended with exit code -9", ""),
        (step("no-such-interpreter module.sh"), "it needs a program that is not here", "no-such-interpreter"),
        (step("echo hello; echo why >&2 #"), "printed no JSON but 'hello'", "why"),
        (step("true #"), "printed no JSON but 'nothing'", ""),
        (step("echo '[1]' #"), "printed JSON that is not an object", ""),
        (step("echo started >&2; sleep 60 #", time_limit_s=1), "it took longer than 1 s", "started"),
        (step("yes #", time_limit_s=60), f"it printed more than {MAX_ANSWER_BYTES // 2**20} MiB", ""),
        (step("yes é >&2 #", time_limit_s=60), f"it printed more than {MAX_ANSWER_BYTES // 2**20} MiB", "é"),
        (step("true", compilation="echo why >&2; false"), "its compilation ended with exit code 1", "why"),
        (
            step("true", compilation="no-such-compiler x"),
            "its compilation needs a program that is not here",
            "compiler",
        ),
        (step("true")._replace(module="other.py"), "there is no such file in the modules folder", ""),
    ],
)
def test_every_failure_is_one_clear_error(runner: Runner, failing: ModuleStep, message: str, detail: str) -> None:
    """It names the module, says what happened and what to do, and shows the end of what the module said."""
    with pytest.raises(ModuleFailed) as caught:
        runner.run(failing, step("sh module.sh")._replace(number=2))
    assert caught.value.message.startswith(f"preprocessing module 1 ({failing.module})")
    assert message in caught.value.message
    assert detail in caught.value.detail
    assert caught.value.remedy
    assert len(caught.value.detail) <= 4000
    assert [what for what, _ in runner.told] == ["start"]
