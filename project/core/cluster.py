"""A cluster's document: what an administrator says of it in the registry, checked there and again by each client.

The client does not trust it: a registry that was broken into must not reach further than to clusters the user knows.
"""

from typing import Any, Dict, Mapping, NamedTuple

from project.core import rules
from project.core.engines import ENGINES
from project.core.errors import RegistryError
from project.core.follow_modes import AUTO, FOLLOW_MODES
from project.core.job import JOB_KINDS
from project.core.job_file.kinds import SLURM_WORD_PATTERN
from project.core.registry_address import ADDRESS
from project.core.rules import FLAG, NAME, Rule, many, whole, word, written

#: Names and addresses as ssh takes them: nothing a shell or an option parser could take for something else.
HOST_PATTERN = r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*"
#: A path, variables of the login in it; `${x@P}` and its like would run commands.
_JOB_ROOT_PATTERN = r"(?:[\w ./@+,=:~-]|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\})*"
_LINE = r"[^\x00-\x1f\x7f]*"


_JOB_ROOT = written(_JOB_ROOT_PATTERN, "a path without `..`, perhaps with variables such as $SCRATCH", 1000)


def is_job_root(value: object) -> bool:
    """Whether `value` may be a `job_root`: a path that climbs nowhere, and no command."""
    return isinstance(value, str) and _JOB_ROOT.accepts(value) and ".." not in value.split("/")


class ClusterField(NamedTuple):
    """One key.

    Attributes:
        rule: what its value must be.
        default: what holds when it was never given; None: it must be given.
        text: one line of help; docs/registry.md is compared with it by a test.
    """

    rule: Rule
    default: Any
    text: str


#: Every key but the status.
FIELDS: Dict[str, ClusterField] = {
    "name": ClusterField(NAME, None, "what job files call it"),
    "hostname": ClusterField(written(HOST_PATTERN, "a host name or address", 253), None, "login node"),
    "port": ClusterField(whole(1, 65535), 22, "its SSH port"),
    "workload_manager": ClusterField(word(*sorted(ENGINES)), "slurm", "what runs the jobs"),
    "preferred_jobs": ClusterField(
        many(word(*JOB_KINDS)), [], "of mpi, serial, smp: what it is for; who shares one may stand in"
    ),
    "partition": ClusterField(
        written(f"(?:{SLURM_WORD_PATTERN})?", "a partition as sbatch takes it, or nothing", 200),
        "",
        "for jobs that name none; empty: Slurm's own default",
    ),
    "host_keys": ClusterField(
        many(written(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+=*(?: .*)?", "a line of a public key file", 5000)),
        [],
        "public keys of the login node, with which clients compare what they see",
    ),
    "job_root": ClusterField(
        _JOB_ROOT._replace(accepts=is_job_root),
        "",
        "where jobs get their folders, seen by compute nodes; may begin with $SCRATCH; empty: the home",
    ),
    "python": ClusterField(
        written(_LINE, "a path", 1000), "", "interpreter for the wrapper, 3.6 or newer; empty: it is looked for"
    ),
    "proxy_jump": ClusterField(
        written(r"[A-Za-z0-9_.:%@,\[\]/-]*", "user@host:port[,…]", 1000),
        "",
        "user@host:port[,…] on the way, for clients that know no better one",
    ),
    "follow": ClusterField(
        word(*FOLLOW_MODES), AUTO, "what outlives a login: daemon, systemd, slurm; auto: as two logins have proven"
    ),
    "registry_url": ClusterField(
        written(f"(?:{ADDRESS})?", "an https address, or nothing", 1000),
        "",
        "where the cluster reaches this registry, if not at public_url",
    ),
    "enabled": ClusterField(FLAG, True, "takes new jobs"),  # noqa: FBT003 - a default
}
SHAPE = {key: field.rule for key, field in FIELDS.items()}
DEFAULTS = {key: field.default for key, field in FIELDS.items() if field.default is not None}
REQUIRED = [key for key, field in FIELDS.items() if field.default is None]


#: What the registry tells of a cluster besides.
TOLD = ("status", "foretold")


def description(document: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a cluster's document without what it, and its jobs, have told."""
    return {key: value for key, value in document.items() if key not in TOLD}


def checked(document: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a registry's document of a cluster, its keys of other versions untouched.

    Raises:
        RegistryError: it holds something that no cluster needs.
    """
    found = list(rules.problems(document, SHAPE, REQUIRED, more_keys=True))
    if found:
        raise RegistryError(
            "the registry's document of cluster {} cannot be used".format(rules.shown(document.get("name"))),
            remedy="Ask the registry's administrator to correct it",
            detail="\n".join(f"{problem.key}: {problem.message}. {problem.remedy}" for problem in found),
        )
    return dict(document)
