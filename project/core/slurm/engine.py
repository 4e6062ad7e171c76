"""Slurm as an engine: which of its commands answers which question."""

from typing import TYPE_CHECKING, Dict, List, Sequence

from project.core.engine import Ask, AskTogether, Engine, Query
from project.core.job import JobSpec
from project.core.layout import JobPaths
from project.core.messages import Document
from project.core.slurm import commands
from project.core.slurm.limits import Limits, ShowAssociations, ShowQos, limits_of
from project.core.slurm.nodes import JobCounts, NodeUse, Sinfo, cluster_status
from project.core.slurm.script import Placement, render, render_watcher

if TYPE_CHECKING:
    from project.core.slurm.commands import AccountRow, QueueRow


class SlurmEngine(Engine):
    """Slurm, 20.11 and newer."""

    environment = commands.ENVIRONMENT

    def script(self, spec: JobSpec, *, job_uuid: str, paths: JobPaths, workdir: str, placement: Placement) -> str:
        """Return the job script."""
        return render(spec, job_uuid=job_uuid, paths=paths, workdir=workdir, placement=placement)

    def watcher(self, spec: JobSpec, *, job_id: str, log: str, partition: str, command: Sequence[str]) -> str:
        """Return the script of a tiny job with `--dependency=afterany`."""
        return render_watcher(spec, slurm_job_id=job_id, log=log, partition=partition, command=command)

    def submit(self, script: str, *, held: bool) -> "Query[str]":
        """Ask `sbatch`."""
        command = commands.Sbatch(script, held)
        return Query(command.argv(), command.parse)

    def release(self, job_id: str) -> "Query[None]":
        """Ask `scontrol release`."""
        command = commands.Scontrol("release", job_id)
        return Query(command.argv(), command.parse)

    def cancel(self, ids: Sequence[str]) -> "Query[None]":
        """Ask `scancel`."""
        command = commands.Scancel(ids)
        return Query(command.argv(), command.parse)

    def queue(self, user: str, name: str) -> "Query[List[QueueRow]]":
        """Ask `squeue`."""
        command = commands.Squeue(user, name)
        return Query(command.argv(), command.parse)

    def account(self, job_ids: Sequence[str]) -> "Query[List[AccountRow]]":
        """Ask `sacct --jobs`."""
        command = commands.Sacct(slurm_job_ids=job_ids)
        return Query(command.argv(), command.parse)

    def account_by_name(self, name: str, since: str) -> "Query[List[AccountRow]]":
        """Ask `sacct --name`."""
        command = commands.Sacct(name=name, since=since)
        return Query(command.argv(), command.parse)

    def used(self, job_ids: Sequence[str]) -> "Query[Dict[str, Dict[str, str]]]":
        """Ask `sacct` for the steps."""
        command = commands.UsedResources(job_ids)
        return Query(command.argv(), command.parse)

    def config(self, ask: Ask) -> Dict[str, str]:
        """Ask `scontrol show config`."""
        command = commands.ShowConfig()
        found: Dict[str, str] = ask(Query(command.argv(), command.parse))
        return found

    def limits(self, ask: AskTogether, user: str, account: str, qos: str) -> Limits:
        """Ask the accounting what it allows under this account and QOS, or the usual ones."""
        show, show_config = ShowAssociations(user), commands.ShowConfig()
        associations, config = ask(
            [Query(show.argv(), show.parse), Query(show_config.argv(), show_config.parse)],
        )
        known = [one for one in associations if account in ("", one.account)]
        names = {qos} if qos else {association.qos for association in known}
        asked = [ShowQos(name) for name in sorted(names) if name]
        of_qos = ask([Query(one.argv(), one.parse) for one in asked])
        found = [*(association.limits for association in known), *of_qos]
        return limits_of(config, [limit for limits in found for limit in limits])

    def status(self, ask: Ask, now_utc: str) -> Document:
        """Ask `sinfo`, and `squeue` for what waits and runs."""
        sinfo, counts, use = Sinfo(), JobCounts(), NodeUse()
        return cluster_status(
            ask(Query(sinfo.argv(), sinfo.parse)),
            ask(Query(counts.argv(), counts.parse)),
            now_utc,
            ask(Query(use.argv(), use.parse)),
        )
