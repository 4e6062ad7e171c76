"""The services of one registry, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api_srv.dao.clusters import ClusterStore
from api_srv.dao.jobs import JobStore
from api_srv.dao.logins import LoginStore
from api_srv.dao.outbox import Outbox
from api_srv.dao.users import UserStore
from api_srv.services.accounts import Accounts
from api_srv.services.clusters import Clusters
from api_srv.services.jobs import Jobs
from api_srv.services.logins import Logins
from api_srv.services.reports import Reports

if TYPE_CHECKING:
    from api_srv.config import Settings
    from api_srv.dao.ports import Documents


@dataclass(frozen=True)
class Services:
    """Everything the blueprints and commands call."""

    settings: Settings
    documents: Documents
    accounts: Accounts
    logins: Logins
    clusters: Clusters
    jobs: Jobs
    reports: Reports
    outbox: Outbox
    job_store: JobStore
    user_store: UserStore


def build(settings: Settings, documents: Documents) -> Services:
    """Put the services on top of a database."""
    job_store, user_store, outbox = JobStore(documents), UserStore(documents), Outbox(documents)
    clusters = Clusters(ClusterStore(documents))
    accounts = Accounts(user_store, settings)
    return Services(
        settings=settings,
        documents=documents,
        accounts=accounts,
        logins=Logins(LoginStore(documents), accounts, settings),
        clusters=clusters,
        jobs=Jobs(job_store, clusters, outbox, settings),
        reports=Reports(job_store, clusters, outbox),
        outbox=outbox,
        job_store=job_store,
        user_store=user_store,
    )
