"""A cluster's document: what an administrator says of it in the registry, checked there and again by each client.

The client does not trust it: a registry that was broken into must not reach further than to clusters the user knows.
"""

from typing import Any, Dict, Mapping, Tuple

from project.core import rules
from project.core.engines import ENGINES
from project.core.errors import RegistryError
from project.core.job_file.kinds import SLURM_WORD_PATTERN
from project.core.registry_address import ADDRESS
from project.core.rules import FLAG, NAME, Rule, many, whole, word, written

#: Names and addresses as ssh takes them: nothing a shell or an option parser could take for something else.
HOST_PATTERN = r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*"
#: A path, variables of the login in it; `${x@P}` and its like would run commands.
JOB_ROOT_PATTERN = r"(?:[\w ./@+,=:~-]|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\})*"
_LINE = r"[^\x00-\x1f\x7f]*"

#: Every key but the status: rule and default (None: there is none, it must be given).
FIELDS: Dict[str, Tuple[Rule, Any]] = {
    "name": (NAME, None),
    "hostname": (written(HOST_PATTERN, "a host name or address", 253), None),
    "port": (whole(1, 65535), 22),
    "workload_manager": (word(*sorted(ENGINES)), "slurm"),
    "preferred_jobs": (many(word("mpi", "serial", "smp")), []),
    "partition": (written(f"(?:{SLURM_WORD_PATTERN})?", "a partition as sbatch takes it, or nothing", 200), ""),
    "host_keys": (many(written(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+=*(?: .*)?", "a line of a public key file", 5000)), []),
    "job_root": (written(JOB_ROOT_PATTERN, "a path, perhaps with variables such as $SCRATCH", 1000), ""),
    "python": (written(_LINE, "a path", 1000), ""),
    "proxy_jump": (written(r"[A-Za-z0-9_.:%@,\[\]/-]*", "user@host:port[,…]", 1000), ""),
    "follow": (word("auto", "daemon", "slurm"), "auto"),
    "registry_url": (written(f"(?:{ADDRESS})?", "an https address, or nothing", 1000), ""),
    "enabled": (FLAG, True),
}
SHAPE = {key: rule for key, (rule, _) in FIELDS.items()}
DEFAULTS = {key: default for key, (_, default) in FIELDS.items() if default is not None}
REQUIRED = [key for key, (_, default) in FIELDS.items() if default is None]


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
