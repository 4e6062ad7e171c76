"""The staging stage: the user's modules change the job file on this machine before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import ModuleFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from project.core.module_steps import ModuleStep
    from project.ports import Prompter, StagingModules, View
    from project.services.request import SubmitRequest

ModuleResult = dict[str, Any]


def run_staging(
    request: SubmitRequest,
    *,
    modules: StagingModules,
    prompter: Prompter,
    view: View,
    job_uuid: str,
    history: Callable[[], Sequence[Mapping[str, Any]]],
) -> tuple[SubmitRequest, list[ModuleResult]]:
    """Run the staging modules; return the changed request and each module's result.

    Args:
        request: what to submit.
        modules: runs them.
        prompter: asked whether to go on without one that failed.
        view: shows them.
        job_uuid: of the job.
        history: gives the user's past jobs; asked only if there are modules to run.

    Raises:
        ModuleFailed: one failed and the user did not want to go on without it.
        InvalidDocument: what came out is no valid job file.
    """
    results: list[ModuleResult] = []

    def keep(step: ModuleStep, user_input: dict[str, Any]) -> None:
        results.append({"stage": step.stage, "step": step.number, "module": step.module, "result": user_input})

    steps = [step for step in request.steps if step.stage == "staging"]
    past = history() if steps else []
    for step in steps:
        view.begin(step.name)
        try:
            changed = modules.run(
                [step],
                request.module_files,
                request.public_input,
                on_start=lambda _: None,
                on_result=keep,
                on_said=view.output,
                environment={"GRIDFERRY_JOB_UUID": job_uuid},
                history=past,
            )
        except ModuleFailed as error:
            _go_on_without_or_end(error, prompter, view)
        else:
            request = request.with_input(changed)
            view.end()
    return request, results


def _go_on_without_or_end(error: ModuleFailed, prompter: Prompter, view: View) -> None:
    """Show what failed and ask; where nobody can be asked, a failed module ends the submission."""
    view.fail()
    view.note("\n".join(filter(None, (error.message, error.detail.strip()))))
    try:
        goes_on = prompter.confirm("Go on without this module?")
    except UsageError:
        goes_on = False
    if not goes_on:
        raise ModuleFailed(error.message, error.remedy) from error  # its detail has been shown
