"""Runs the postprocessing modules of a job that has ended; their failure is told, the results are kept."""

import os

from project.core import messages
from project.core.errors import ModuleFailed
from project.core.module_steps import ModuleStep
from project.core.slurm.states import is_end_state
from project.core.states import GatewayState, is_success
from project.wrapper import files
from project.wrapper.job import Job
from project.wrapper.module_runner import UserInput, run_modules
from project.wrapper.pipeline import module_body, module_environment

_STAGE = "postprocessing"


def postprocess(job: Job) -> None:
    """Run what is due after this job's end, once, and journal DONE."""
    mark = os.path.join(job.paths.steps, _STAGE)
    if files.read_text(mark) is not None:
        return
    outcome = _outcome(job)
    job.journal.append("state", messages.state_body(GatewayState.POSTPROCESSING.value))
    steps = [step for step in job.steps(_STAGE) if is_success(outcome) or step.when == "always"]

    def record(step: ModuleStep, result: UserInput) -> None:
        job.journal.append("module", module_body(step, result))

    try:
        run_modules(
            steps,
            job.user_input,
            folder=job.home.modules,
            on_start=lambda _: None,
            on_result=record,
            environment=dict(module_environment(job), GRIDFERRY_OUTCOME=outcome),
        )
    except ModuleFailed as error:
        message = f"{error.message}. {error.remedy}. The results of the job are kept"
        body = {"severity": "error", "stage": _STAGE, "message": message, "detail": error.detail}
        job.journal.append("notice", body)
    job.journal.append("state", messages.state_body(GatewayState.DONE.value))
    files.create(mark, b"")


def _outcome(job: Job) -> str:
    states = [entry["body"]["state"] for entry in job.journal.entries() if entry["kind"] == "state"]
    ends = [state for state in states if is_end_state(state)]
    return ends[-1] if ends else ""
