"""The one table of keys of a job file.

The validator, the JSON Schema, the table in the documentation and the help are all made from it.
"""

from typing import Any, Dict, NamedTuple, Tuple

from project.core.job import JOB_KINDS
from project.core.job_file import kinds
from project.core.job_file.kinds import Kind

DISTRIBUTIONS = ("grouped", "scattered", "distributed")
NOTIFICATIONS = ("queued", "started", "ended", "errors", "none")


class Field(NamedTuple):
    """One key.

    Attributes:
        key: dotted path as the user writes it.
        name: dotted name inside (see core.job).
        kind: how its value is read.
        text: one line of help.
        example: a value that is right.
        required: whether a job file without it is refused.
        secret: whether it must stay on the researcher's machine.
    """

    key: str
    name: str
    kind: Kind
    text: str
    example: Any
    required: bool = False
    secret: bool = False


_TOP: Tuple[Field, ...] = (
    Field("username", "username", kinds.SLURM_WORD, "Your account on the cluster.", "jdoe", required=True),
    Field(
        "private_key",
        "private_key",
        kinds.TEXT,
        "Path of your SSH private key. Without it the agent and `~/.ssh/config` are asked.",
        "~/.ssh/id_ed25519",
        secret=True,
    ),
    Field(
        "passphrase",
        "passphrase",
        kinds.TEXT,
        "Its passphrase. Better left out: you are asked, without echo, if it is needed.",
        "correct horse",
        secret=True,
    ),
    Field(
        "user_mail",
        "user_mail",
        kinds.MAIL,
        "Where mail about the job goes.",
        "jane@example.org",
        required=True,
    ),
    Field(
        "destination_cluster",
        "destination_clusters",
        kinds.CLUSTERS,
        "Name of the cluster, as the registry lists it; a list of some, in order of preference; or `auto`.",
        "lemaitre3",
        required=True,
    ),
    Field(
        "preferred_jobs",
        "asked_kinds",
        kinds.choice("word or list", JOB_KINDS, many=True),
        "With `auto`, the kind of job a cluster must prefer; unless said, what the resources make of it.",
        "mpi",
    ),
    Field(
        "requirements",
        "requirements",
        kinds.TEXTS,
        "Commands run on the login node first, in the working directory, under `bash -l`.",
        ["chmod +x job"],
    ),
    Field(
        "job",
        "job",
        kinds.JOB,
        "What to bring there: a file, a directory (but what its `.gridferryignore` names) or a Git URL (`#branch`).",
        "./simulation",
    ),
    Field(
        "compilation",
        "compilation",
        kinds.TEXTS,
        "Commands that build the job on the login node, after preprocessing.",
        ["make"],
    ),
    Field(
        "execution",
        "execution",
        kinds.TEXTS,
        "Lines of the job script, as they are; with `srun` where it is wanted.",
        ["srun ./job"],
        required=True,
    ),
    Field(
        "output",
        "output",
        kinds.PATHS,
        "What to bring back: names, directories, globs.",
        ["result.txt", "plots/*.png"],
    ),
    Field("resources", "resources", kinds.MAPPING, "What to ask of Slurm; see below.", {"duration": "10m"}),
    Field(
        "for_each",
        "for_each",
        kinds.MAPPING,
        "A campaign: one array task for each of these; see below. A text or list is short for `for_each.files`.",
        "data/*.csv",
    ),
    Field("job_name", "job_name", kinds.TEXT, "A label for lists and mails.", "first try"),
    Field(
        "environment_modules",
        "environment_modules",
        kinds.TEXTS,
        "Loaded with `module load` before requirements, compilation and the job's commands.",
        ["OpenMPI/4.1"],
    ),
    Field(
        "container",
        "container",
        kinds.TEXT,
        "OCI bundle or image on the cluster in which the job's commands run.",
        "images/solver",
    ),
    Field(
        "dependencies",
        "dependencies",
        kinds.UUIDS,
        "UUIDs of jobs on the same cluster that must have ended well first.",
        ["3f2b1c0e-0000-4000-8000-000000000000"],
    ),
    Field(
        "notify",
        "notify",
        kinds.choice("word or list", NOTIFICATIONS, many=True),
        "Which changes to tell by mail; all of them unless said.",
        ["ended", "errors"],
    ),
    Field(
        "kwargs",
        "kwargs",
        kinds.MAPPING,
        "Anything for your modules; passed on untouched.",
        {"key1": "value1"},
    ),
)

_RESOURCES: Tuple[Field, ...] = (
    Field("nbr_jobs_in_array", "array", kinds.ARRAY, "Number of array tasks, or their ids. `--array`", 15),
    Field("duration", "time_limit_s", kinds.DURATION, "Time limit. `--time`", "1d2h30m"),
    Field("nbr_processes", "ntasks", kinds.COUNT, "Number of processes. `--ntasks`", 5),
    Field(
        "nbr_threads_per_process",
        "cpus_per_task",
        kinds.COUNT,
        "Threads of each process. `--cpus-per-task`, `OMP_NUM_THREADS`, `MKL_NUM_THREADS`",
        2,
    ),
    Field(
        "memory_per_thread",
        "mem_per_cpu_mib",
        kinds.MEMORY,
        "Memory of each thread. `--mem-per-cpu`",
        "2625M",
    ),
    Field(
        "distribution",
        "distribution",
        kinds.choice("word", DISTRIBUTIONS),
        "`grouped`: all on one node; `scattered`: one process a node; `distributed`: over `nbr_of_nodes`.",
        "grouped",
    ),
    Field("nbr_of_nodes", "nodes", kinds.COUNT, "Number of nodes, with `distributed`. `--nodes`", 4),
    Field(
        "nbr_processes_per_node",
        "ntasks_per_node",
        kinds.COUNT,
        "Number of processes on each node, with `distributed`. `--ntasks-per-node`",
        8,
    ),
    Field("account", "account", kinds.SLURM_WORD, "Account to charge. `--account`", "physics"),
    Field("qos", "qos", kinds.SLURM_WORD, "Quality of service. `--qos`", "long"),
    Field(
        "partition",
        "partition",
        kinds.SLURM_WORD,
        "Instead of the cluster's usual one. `--partition`",
        "debug",
    ),
    Field("reservation", "reservation", kinds.SLURM_WORD, "A reservation. `--reservation`", "course"),
    Field("gpus", "gpus", kinds.SLURM_WORD, "GPUs of the job: a number or type:number. `--gpus`", "a100:2"),
    Field("constraint", "constraint", kinds.SLURM_WORD, "Features of the nodes. `--constraint`", "skylake"),
    Field("exclusive", "exclusive", kinds.FLAG, "Share the nodes with nobody. `--exclusive`", True),  # noqa: FBT003 - an example
    Field(
        "requeue",
        "requeue",
        kinds.FLAG,
        "Let Slurm start it again after a node failure. `--requeue`",
        True,  # noqa: FBT003 - an example
    ),
)

_FOR_EACH: Tuple[Field, ...] = (
    Field(
        "files",
        "files",
        kinds.TEXTS,
        "Data files or globs, from the job file's folder. Placeholders: `{file}`, `{name}`, `{stem}`, `{index}`.",
        ["data/*.csv"],
    ),
    Field(
        "csv", "csv", kinds.TEXT, "A table with a line of names. Placeholders: its columns, `{index}`.", "samples.csv"
    ),
    Field("bring", "bring", kinds.WORDS, "Columns of `csv` that name data files to bring along.", ["reads"]),
    Field(
        "matrix",
        "matrix",
        kinds.MATRIX,
        "Lists of values: one task for each combination. Placeholders: its keys, `{index}`.",
        {"alpha": [0.1, 0.2], "seed": [1, 2, 3]},
    ),
    Field("at_once", "at_once", kinds.COUNT, "How many tasks may run at the same time.", 50),
    Field(
        "tasks_per_array",
        "tasks_per_array",
        kinds.COUNT,
        "Tasks in one Slurm array at most; as many as the cluster takes, up to 1000, unless said.",
        500,
    ),
)

GROUPS: Dict[str, Tuple[Field, ...]] = {
    group: tuple(field._replace(key=f"{group}.{field.key}") for field in fields)
    for group, fields in (("resources", _RESOURCES), ("for_each", _FOR_EACH))
}
#: A group given as a plain value: the key that it is short for.
SHORT_FOR: Dict[str, str] = {"for_each": "for_each.files"}
FIELDS: Dict[str, Field] = {field.key: field for fields in (_TOP, *GROUPS.values()) for field in fields}
#: Of the secret ones that which is a secret itself, and not the path of one.
NEVER_ON_COMMAND_LINES = frozenset({"passphrase"})
SECRET_KEYS = frozenset(field.key for field in FIELDS.values() if field.secret)


def without_secrets(document: Dict[str, Any]) -> Dict[str, Any]:
    """Return a copy of a job file that may leave the researcher's machine."""
    return {key: value for key, value in document.items() if key not in SECRET_KEYS}


def json_schema() -> Dict[str, Any]:
    """Return the JSON Schema (2020-12) of a job file."""
    properties = {field.key: dict(field.kind.schema, description=field.text) for field in _TOP}
    for group, fields in GROUPS.items():
        inner = {f.key[len(group) + 1 :]: dict(f.kind.schema, description=f.text) for f in fields}
        whole: Dict[str, Any] = {"type": "object", "properties": inner, "additionalProperties": False}
        short = SHORT_FOR.get(group)
        properties[group] = {"anyOf": [whole, FIELDS[short].kind.schema]} if short else whole
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gridferry job file",
        "type": "object",
        "properties": properties,
        "required": [field.key for field in _TOP if field.required],
        "additionalProperties": False,
    }
