"""The composition root: settings to adapters to services. The only place that says which adapter is real."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from project.adapters.archive import TOOLBOX, WRAPPER, Archive
from project.adapters.findings import KeptFindings
from project.adapters.git import GitRepositories
from project.adapters.modules import LocalModules
from project.adapters.private_file import make_private_folder
from project.adapters.records import Records
from project.adapters.registry import HttpRegistry
from project.adapters.show.ranking import show_as_news
from project.adapters.source import build_parcel
from project.adapters.system_clock import SystemClock
from project.adapters.terminal import PlainView, TerminalPrompter, make_view
from project.config import PROFILE, Settings, load_settings
from project.core.errors import UsageError
from project.core.findings import nothing_known
from project.services.choose import Chooser
from project.services.dispatch import Dispatcher
from project.services.logins import LoginChoice
from project.services.plan import Planner
from project.services.reach import Reacher
from project.services.scout import Scout
from project.services.submit import Submitter
from project.services.wait import Waiter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from project.ports import Connector, FarProgram
    from project.services.ahead import LoginAhead
    from project.services.campaign.extend import Extender
    from project.services.cancel import Canceller
    from project.services.clean import Cleaner
    from project.services.doctor import Doctor
    from project.services.ends import Ends
    from project.services.enrol import Enroller
    from project.services.export import Exporter
    from project.services.far_side import FarSide
    from project.services.logs import LogReader
    from project.services.refresh import Refresher
    from project.services.resolve import Resolver
    from project.services.retrieve import Retriever
    from project.services.run import Runner
    from project.services.survival import Survival
    from project.services.watch import Watcher


@dataclass(frozen=True)
class Gateway:
    """Everything a command needs, made when it is first asked for.

    Attributes:
        settings: what holds for this call.
        prompter: asks the person.
        view: shows what is going on.
    """

    settings: Settings
    prompter: TerminalPrompter
    view: PlainView

    @cached_property
    def registry(self) -> HttpRegistry:
        """The registry, as the user.

        Raises:
            UsageError: there is no token.
        """
        if not self.settings.token:
            raise UsageError(
                "there is no token for the registry",
                remedy=f"`login` gets one with your password; or put it into {self.settings.token_file} (mode 600)",
            )
        settings = self.settings
        return HttpRegistry(settings.registry, settings.token, plain_http=settings.plain_http)

    @cached_property
    def connector(self) -> Connector:
        """SSH."""
        return self._connector(self.prompter)

    def _connector(self, prompter: TerminalPrompter) -> Connector:
        from project.adapters.ssh import SshConnector  # noqa: PLC0415 - paramiko costs 0.2 s that not all need

        settings = self.settings
        return SshConnector(
            prompter=prompter,
            known_hosts=[settings.known_hosts],
            remember_in=settings.confirmed_hosts,
            ssh_config=settings.ssh_config,
        )

    def bundle_folder(self, name: str) -> Path:
        """Return an empty private folder for the content of a bundle; it stays until the job is in the queue."""
        folder = self.settings.home / "bundles" / name
        shutil.rmtree(folder, ignore_errors=True)
        make_private_folder(folder)
        return folder

    def remember_host(self, host: str, port: int, keys: Sequence[str]) -> None:
        """Trust these host keys from now on: for hosts this very user has just made, and no others."""
        from project.adapters.ssh.own_hosts import trust_own  # noqa: PLC0415 - see above

        trust_own(self.settings.confirmed_hosts, host, port, keys)

    @cached_property
    def records(self) -> Records:
        """This machine's record of submissions."""
        return Records(self.settings.records)

    def resolver(self) -> Resolver:
        """Finds jobs by the beginning of their UUID."""
        from project.services.resolve import Resolver  # noqa: PLC0415 - only what is called is imported

        return Resolver(registry=self.registry, records=self.records)

    @cached_property
    def wrapper(self) -> FarProgram:
        """What takes a job into the queue there."""
        return Archive(self.settings.home / "cache", WRAPPER)

    @cached_property
    def toolbox(self) -> FarProgram:
        """What does everything else there."""
        return Archive(self.settings.home / "cache", TOOLBOX)

    @property
    def repositories(self) -> GitRepositories:
        """Git, which may ask for passwords where we may."""
        return GitRepositories(may_ask=self.prompter.can_ask, before_asking=self.view.pause)

    @property
    def logins(self) -> LoginChoice:
        """What the settings, and earlier findings of `doctor`, say about clusters."""
        settings = self.settings
        known = self.findings.load
        return LoginChoice(settings.clusters, settings.timeout_s, plain_http=settings.plain_http, known=known)

    def dispatcher(self) -> Dispatcher:
        """Sends planned jobs."""
        return Dispatcher(
            registry=self.registry,
            records=self.records,
            repositories=self.repositories,
            wrapper=self.wrapper,
            toolbox=self.toolbox,
            view=self.view,
            logins=self.logins,
        )

    def scout(self) -> Scout:
        """Asks clusters what they would do with a job; several at a time, so it never asks the person."""
        return Scout(
            connector=self._connector(TerminalPrompter(no_input=True)),
            registry=self.registry,
            toolbox=self.toolbox,
            view=self.view,
            logins=self.logins,
        )

    def extender(self) -> Extender:
        """Adds tasks to campaigns."""
        from project.services.campaign.extend import Extender  # noqa: PLC0415 - only what is called is imported

        return Extender(
            registry=self.registry,
            records=self.records,
            far_side=self.far_side(),
            pack=build_parcel,
            dispatcher=self.dispatcher(),
            view=self.view,
            clock=SystemClock(),
        )

    def submitter(self) -> Submitter:
        """Submits jobs."""
        self.registry.look_up_clusters()  # the answer comes while `self.connector` is imported
        scout = self.scout()
        reacher = Reacher(
            connector=self.connector, prompter=self.prompter, view=self.view, logins=self.logins, scout=scout
        )
        return Submitter(
            registry=self.registry,
            records=self.records,
            modules=LocalModules(),
            planner=Planner(
                records=self.records,
                pack=build_parcel,
                repositories=self.repositories,
                registry_key=self.registry.key,
                view=self.view,
            ),
            prompter=self.prompter,
            view=self.view,
            clock=SystemClock(),
            reacher=reacher,
            chooser=Chooser(reacher=reacher, scout=scout, view=self.view, show_ranking=show_as_news),
            dispatcher=self.dispatcher(),
        )

    def retriever(self) -> Retriever:
        """Fetches results."""
        from project.services.retrieve import Retriever  # noqa: PLC0415 - only `retrieve` needs it

        return Retriever(registry=self.registry, far_side=self.far_side(), view=self.view, clock=SystemClock())

    def far_side(self) -> FarSide:
        """Opens connections to where jobs are."""
        from project.services.far_side import FarSide  # noqa: PLC0415 - only what is called is imported

        return FarSide(
            connector=self.connector,
            records=self.records,
            toolbox=self.toolbox,
            prompter=self.prompter,
            view=self.view,
            logins=self.logins,
        )

    def login_ahead(self, job_uuid: str) -> LoginAhead:
        """Logs in to a job's cluster before its results are fetched, silently."""
        from project.services.ahead import LoginAhead  # noqa: PLC0415 - see above

        silent = TerminalPrompter(no_input=True)
        connector, view = self._connector(silent), make_view(quiet=True)
        far_side = replace(self.far_side(), connector=connector, prompter=silent, view=view)
        return LoginAhead(lambda: far_side.reached(self.registry.job(job_uuid)))

    def log_reader(self) -> LogReader:
        """Reads what jobs print."""
        from project.services.logs import LogReader  # noqa: PLC0415 - see above

        return LogReader(registry=self.registry, far_side=self.far_side(), view=self.view, clock=SystemClock())

    def canceller(self) -> Canceller:
        """Cancels jobs."""
        from project.services.cancel import Canceller  # noqa: PLC0415 - see above

        return Canceller(registry=self.registry, far_side=self.far_side(), view=self.view)

    def exporter(self) -> Exporter:
        """Fetches what jobs were made of."""
        from project.services.export import Exporter  # noqa: PLC0415 - see above

        return Exporter(registry=self.registry, far_side=self.far_side(), view=self.view)

    def cleaner(self) -> Cleaner:
        """Removes the folders of jobs."""
        from project.services.clean import Cleaner  # noqa: PLC0415 - see above

        return Cleaner(registry=self.registry, far_side=self.far_side(), view=self.view, clock=SystemClock())

    def runner(self) -> Runner:
        """Stays with commands until their end."""
        from project.services.run import Runner  # noqa: PLC0415 - see above

        return Runner(
            log_reader=self.log_reader(), canceller=self.canceller(), prompter=self.prompter, view=self.view
        )

    def watcher(self) -> Watcher:
        """Watches jobs until they have ended."""
        from project.services.watch import Watcher  # noqa: PLC0415 - see above

        return Watcher(registry=self.registry, clock=SystemClock())

    def survival(self) -> Survival:
        """Finds out what outlives a login on a cluster."""
        from project.services.survival import Survival  # noqa: PLC0415 - seldom needed

        return Survival(connector=self.connector, toolbox=self.toolbox, clock=SystemClock(), logins=self.logins)

    @cached_property
    def findings(self) -> KeptFindings:
        """What `doctor` found last on each cluster."""
        return KeptFindings(self.settings.home / "findings")

    def doctor(self) -> Doctor:
        """Looks at all that a job needs on a cluster."""
        from project.services.doctor import Doctor  # noqa: PLC0415 - seldom needed

        return Doctor(
            connector=self.connector,
            silent_connector=self._connector(TerminalPrompter(no_input=True)),
            registry=self.registry,
            toolbox=self.toolbox,
            survival=self.survival(),
            clock=SystemClock(),
            view=self.view,
            logins=replace(self.logins, known=nothing_known),
        )

    def refresher(self) -> Refresher:
        """Asks clusters how they are, all at once; nobody at the terminal is asked meanwhile."""
        from project.services.refresh import Refresher  # noqa: PLC0415 - seldom needed

        return Refresher(
            connector=self._connector(TerminalPrompter(no_input=True)),
            registry=self.registry,
            toolbox=self.toolbox,
            view=self.view,
            logins=self.logins,
        )

    def enroller(self) -> Enroller:
        """Looks at clusters that the registry does not know yet."""
        from project.services.enrol import Enroller  # noqa: PLC0415 - seldom needed

        return Enroller(connector=self.connector, toolbox=self.toolbox, view=self.view, logins=self.logins)

    def who_there(self, cluster: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Who the user is on a cluster where no job file says so."""
        from project.services.who_there import who_there  # noqa: PLC0415 - seldom needed

        return who_there(cluster, given, self.records, pwd.getpwuid(os.getuid()).pw_name)

    def ends(self) -> Ends:
        """Says how jobs ended."""
        from project.services.ends import Ends  # noqa: PLC0415 - see above

        return Ends(registry=self.registry, clock=SystemClock())

    def waiter(self) -> Waiter:
        """Waits for a job's end."""
        return Waiter(registry=self.registry, view=self.view, clock=SystemClock())


def make_gateway(*, assume_yes: bool = False, no_input: bool = False, quiet: bool = False) -> Gateway:
    """Return the real gateway for this call."""
    view = make_view(quiet=quiet)
    prompter = TerminalPrompter(assume_yes=assume_yes, no_input=no_input, before_asking=view.pause)
    context = click.get_current_context(silent=True)
    profile = str(context.meta.get(PROFILE, "")) if context else ""
    return Gateway(load_settings(profile=profile), prompter, view)
