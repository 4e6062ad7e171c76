"""From an uploaded parcel to a job in Slurm's queue, step by step; each is remembered once done, for resuming."""

import os
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from project.core import messages
from project.core.errors import (
    Cancelled,
    GridferryError,
    StageFailed,
    SubmissionRefused,
    SubmissionUnknown,
    WaitsForRoom,
    as_told,
    told_again,
)
from project.core.follow_modes import SLURM
from project.core.layout import ClusterPaths
from project.core.module_steps import ModuleStep
from project.core.slurm.login_once import LOGIN_ONCE
from project.core.slurm.script import Placement, module_loads
from project.core.states import GatewayState
from project.wrapper import files
from project.wrapper.campaign import refused_for_room, slurm_id_before, wait_for_room, wait_for_turn
from project.wrapper.clock import Clock
from project.wrapper.container import container_command
from project.wrapper.dependencies import parents_to_wait_for
from project.wrapper.events import Events
from project.wrapper.job import SUBMISSION, Job, checked
from project.wrapper.keeping import kept_by
from project.wrapper.lease import Lease
from project.wrapper.module_runner import UserInput, run_modules
from project.wrapper.scheduler import Scheduler
from project.wrapper.shell import login_shell, own_command, run_live
from project.wrapper.source import bring_source
from project.wrapper.submission import Submission


class Step(NamedTuple):
    """One step of the way.

    Attributes:
        name: what is remembered once it is done, and what an error names as its stage.
        run: does it.
        needed_for: what there is to do; asked when the steps before are done, since modules may change it.
    """

    name: str
    run: Callable[[], None]
    needed_for: Callable[[], Any] = lambda: True


class Pipeline:
    """Takes one job into Slurm's queue.

    Args:
        job: unpacked.
        cluster_paths: of this cluster.
        slurm: to submit to.
        lease: of this job, held by us.
        clock: for waits.
        events: tells the client.
    """

    def __init__(
        self, job: Job, cluster_paths: ClusterPaths, slurm: Scheduler, lease: Lease, clock: Clock, events: Events
    ) -> None:
        self._job = job
        self._cluster_paths = cluster_paths
        self._slurm = slurm
        self._lease = lease
        self._events = events
        self._submission = Submission(job.job_uuid, job.paths, slurm, job.journal, lease, clock)

    def steps(self) -> List[Step]:
        """Return the steps in their order."""
        job = self._job
        preparation = [
            Step("requirements", self._requirements, lambda: job.spec.requirements or job.steps("preprocessing")),
            Step("preprocessing", self._preprocessing, lambda: job.steps("preprocessing")),
            Step("compilation", self._compilation, lambda: job.spec.compilation),
        ]
        return [
            Step("source", self._source, lambda: job.sent.get("source")),
            Step("upload", self._announce),
            *([] if job.is_prepared_elsewhere else preparation),
            Step("turn", lambda: wait_for_turn(job), lambda: job.part),
            Step("script", self._script),
            Step("room", lambda: wait_for_room(job, self._slurm), lambda: job.part and job.part.most_queued),
            Step(SUBMISSION, self._submit),
            Step("watcher", self._watch, lambda: self._kept_by() in (SLURM, "")),
        ]

    def run(self) -> None:
        """Do every step that has something to do and is not done yet.

        Raises:
            GridferryError: the step that failed; unless trying again may help, the journal says ERROR.
            LeaseLost: another process goes on with this job.
        """
        for step in self.steps():
            try:
                self._do(step)
            except GridferryError as error:
                if not error.transient:
                    self._lease.check()
                    record_error(self._job, step.name, error)
                raise
        self._lease.check()  # one who was overtaken has a look at what the other has left to do

    def _do(self, step: Step) -> None:
        mark = os.path.join(self._job.paths.steps, step.name)
        if step.needed_for() and files.read_text(mark) is None:
            self._refuse_cancelled()
            self._lease.check()
            step.run()
            files.create(mark, b"")

    def _is_cancelled(self) -> bool:
        """Whether the job shall not go into the queue; one that may be in it is Slurm's to cancel."""
        return os.path.exists(self._job.paths.cancelled) and not os.path.exists(self._job.paths.intent)

    def _refuse_cancelled(self) -> None:
        if self._is_cancelled():
            raise Cancelled("the job was cancelled before Slurm had it", remedy="Nothing of it has run")

    def _source(self) -> None:
        source = self._job.sent["source"]
        self._events.output("source", "git clone {} ({})".format(source["url"], source["commit"]))
        bring_source(self._job.paths, source)

    def _announce(self) -> None:
        paths = self._job.paths
        fields = {"job_directory": paths.directory, "working_directory": self._job.workdir}
        self._job.journal.append("fields", {"fields": fields})
        self._enter(GatewayState.UPLOADED)

    def _requirements(self) -> None:
        self._enter(GatewayState.PREPROCESSING)
        self._run_commands("requirements", self._job.spec.requirements)

    def _preprocessing(self) -> None:
        """Run the modules on the job file as it was sent: after a crash in between they start from there again."""
        changed = run_modules(
            self._job.steps("preprocessing"),
            dict(self._job.sent["user_input"]),
            folder=self._job.paths.modules,
            on_start=lambda step: self._events.output("preprocessing", step.name),
            on_result=self._record_module,
            environment=module_environment(self._job),
            on_said=lambda line: self._events.output("preprocessing", line),
        )
        checked(changed)
        files.replace_json(self._job.paths.changed_input, changed)
        self._job.journal.append("fields", {"fields": {"user_input": changed}})

    def _record_module(self, step: ModuleStep, result: UserInput) -> None:
        self._job.journal.append("module", module_body(step, result))

    def _compilation(self) -> None:
        self._enter(GatewayState.COMPILING)
        self._run_commands("compilation", self._job.spec.compilation)

    def _script(self) -> None:
        job = self._job
        text = self._slurm.engine.script(
            job.spec,
            job_uuid=job.job_uuid,
            paths=job.paths,
            workdir=job.workdir,
            placement=self._placement(),
        )
        if job.spec.resources.array is not None:
            files.replace(job.paths.login, LOGIN_ONCE.encode())
        files.replace(job.paths.script, text.encode())

    def _placement(self) -> Placement:
        """Return what this cluster adds to the job."""
        job, spec = self._job, self._job.spec
        container = spec.container and container_command(spec.container, job.workdir, self._slurm)
        part = job.part
        return Placement(
            partition=str(job.cluster.get("partition") or ""),
            waits_for=parents_to_wait_for(self._cluster_paths, self._slurm, spec.dependencies),
            container=container or (),
            follows=slurm_id_before(job),
            table=job.paths.tasks if part else "",
            placeholders=part.placeholders if part else (),
        )

    def _submit(self) -> None:
        try:
            slurm_job_id = self._submission.submit()
        except SubmissionRefused as error:
            if refused_for_room(self._job, self._slurm, error):
                raise WaitsForRoom(error.message, remedy="It follows by itself once there is room") from error
            raise
        self._job.journal.append("fields", {"fields": {"slurm_job_id": slurm_job_id}})
        self._enter(GatewayState.SUBMITTED)

    def _kept_by(self) -> str:
        """Return how the follower is kept alive here, "" while that is not known."""
        return kept_by(self._cluster_paths, self._job.cluster.get("follow"))

    def _watch(self) -> None:
        """Where login nodes may end what users leave behind, let Slurm itself start a follower at the job's end."""
        paths, cluster_paths = self._job.paths, self._cluster_paths
        text = self._slurm.engine.watcher(
            self._job.spec,
            job_id=files.read_text(paths.slurm_job_id) or "",
            log=os.path.join(cluster_paths.follower, "log"),
            partition=str(self._job.cluster.get("partition") or ""),
            command=own_command("follow"),
        )
        files.replace(paths.watcher, text.encode())
        try:
            self._slurm.submit(paths.watcher, held=False)
        except (SubmissionRefused, SubmissionUnknown) as error:
            if self._kept_by() == "":  # a daemon may well be enough here
                return
            message = f"no follower could be queued behind the job: {error.message}"
            body = {"severity": "warning", "stage": "submission", "message": message, "detail": error.detail}
            self._job.journal.append("notice", body)

    def _enter(self, state: GatewayState) -> None:
        self._job.journal.append("state", messages.state_body(state.value))

    def _run_commands(self, stage: str, commands: Sequence[str]) -> None:
        """Run the user's commands one by one; the first that fails ends the job."""
        log = self._job.paths.log(stage)
        for command in commands:
            self._events.output(stage, "$ " + command)
            lines = [*module_loads(self._job.spec.environment_modules), command]
            exit_code = run_live(
                login_shell(lines),
                folder=self._job.workdir,
                log=log,
                on_line=lambda line: self._events.output(stage, line),
                unwanted=self._is_cancelled,
            )
            self._refuse_cancelled()
            if exit_code != 0:
                raise StageFailed(
                    f"`{command}` of {stage} ended with exit code {exit_code}",
                    remedy=f"All it printed is in {log} on the login node",
                    detail=files.tail(log),
                )


def refuse_ended(job: Job) -> None:
    """Check that a job has not ended with an error before.

    Raises:
        GridferryError: it has; what it reported then is told again.
    """
    last = [entry["body"] for entry in job.journal.entries() if entry["kind"] == "state"][-1:]
    if last and last[0]["state"] == GatewayState.ERROR.value:
        body = last[0]
        known = {"type": StageFailed.__name__, "message": body["reason"], **(body.get("error") or {})}
        raise told_again(dict(known, detail=body["detail"]))


def record_error(job: Job, stage: str, error: GridferryError) -> None:
    """Journal that a job ends here."""
    body = messages.state_body(
        GatewayState.ERROR.value, stage=stage, reason=f"{error.message}. {error.remedy}", detail=error.detail
    )
    known = {key: text for key, text in as_told(error).items() if key != "detail"}
    job.journal.append("state", dict(body, error=known))


def module_body(step: ModuleStep, result: UserInput) -> messages.Document:
    """Body of a `module` entry."""
    return {"stage": step.stage, "step": step.number, "module": step.module, "result": result}


def module_environment(job: Job) -> Dict[str, str]:
    """What the user's modules find in their environment."""
    return {
        "GRIDFERRY_JOB_UUID": job.job_uuid,
        "GRIDFERRY_JOB_DIRECTORY": job.paths.directory,
        "GRIDFERRY_WORKING_DIRECTORY": job.workdir,
    }
