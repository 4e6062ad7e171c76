"""Runs the user's modules by the contract of modules/README.md; the same code on both machines."""

import json
import os
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from project.core.errors import ModuleFailed
from project.core.module_steps import MAX_ANSWER_BYTES, MAX_ARGUMENT_BYTES, ModuleStep, read_answer
from project.core.slurm.commands import CommandResult
from project.wrapper.shell import run

_TAIL_CHARS = 4000
_NOT_FOUND = 127
_COMPILATION_LIMIT_S = 600.0
_QUOTED_INPUT = '"$1"'

UserInput = Dict[str, Any]


def run_modules(
    steps: Sequence[ModuleStep],
    user_input: UserInput,
    *,
    folder: str,
    on_start: Callable[[ModuleStep], None],
    on_result: Callable[[ModuleStep, UserInput], None],
    environment: Mapping[str, str],
    on_said: Callable[[str], None] = lambda _: None,
) -> UserInput:
    """Run steps in order, each on what the one before it printed; return what the last one printed.

    Args:
        steps: of one stage.
        user_input: the job file as it stands.
        folder: where the modules' files are; compiled and run there.
        on_start: called before each step.
        on_result: called with what each step printed.
        environment: added to what the modules see.
        on_said: called with each of the last lines of a step's standard error.

    Raises:
        ModuleFailed: the first one that fails ends it.
    """
    for step in steps:
        on_start(step)
        user_input, said = _run_step(step, user_input, folder, environment)
        for line in said.splitlines():
            on_said(line)
        on_result(step, user_input)
    return user_input


def _run_step(
    step: ModuleStep, user_input: UserInput, folder: str, environment: Mapping[str, str]
) -> Tuple[UserInput, str]:
    """Run one step; return what it printed and the end of what it said on standard error."""
    if not os.path.exists(os.path.join(folder, step.module)):
        raise ModuleFailed(
            f"{step.name}: there is no such file in the modules folder",
            remedy="Put it into modules/ beside your modules file, or correct its name",
        )
    if step.compilation:
        result = run(_bash(step.compilation), timeout_s=_COMPILATION_LIMIT_S, folder=folder, environment=environment)
        _check(step, result, "its compilation", _COMPILATION_LIMIT_S)
    text = json.dumps(user_input)
    result = run(
        _bash(step.execution, text),
        timeout_s=step.time_limit_s,
        folder=folder,
        stdin=text.encode(),
        environment=environment,
        limit_bytes=MAX_ANSWER_BYTES,
    )
    _check(step, result, "it", step.time_limit_s)
    said = result.stderr[-_TAIL_CHARS:]
    return read_answer(step, result.stdout, said), said


def _bash(command: str, argument: str = "") -> List[str]:
    """Return argv for a command line, the user input as its last argument while that is short enough."""
    if argument and len(argument.encode()) < MAX_ARGUMENT_BYTES:
        return ["bash", "-c", f"{command} {_QUOTED_INPUT}", "module", argument]
    return ["bash", "-c", command]


def _check(step: ModuleStep, result: CommandResult, what: str, limit_s: float) -> None:
    """Turn everything that can go wrong with a program into one clear error."""
    if result.exit_code is None:
        problem = f"{what} took longer than {limit_s:.0f} s"
        remedy = "Raise its `time_limit`, or find out what it waits for"
    elif max(len(said.encode()) for said in (result.stdout, result.stderr)) > MAX_ANSWER_BYTES:
        problem = f"{what} printed more than {MAX_ANSWER_BYTES // 1024 // 1024} MiB"
        remedy = "Let it print the user input only"
    elif result.exit_code == _NOT_FOUND:
        problem = f"{what} needs a program that is not here"
        remedy = "Install what the message names, or change the command"
    elif result.exit_code != 0:
        problem = f"{what} ended with exit code {result.exit_code}"
        remedy = "Its messages tell why; mend it, or correct its command"
    else:
        return
    raise ModuleFailed(f"{step.name}: {problem}", remedy=remedy, detail=result.stderr[-_TAIL_CHARS:])
