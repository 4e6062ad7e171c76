"""What a cluster says of itself: checked before it is kept, and before it is shown."""

from typing import Dict

from project.core.rules import FLAG, NUMBER, TIME, Rule, keyed, many, optional, text, whole

_WORD = text(1000)
_CPUS = keyed(dict.fromkeys(("allocated", "idle", "other", "total"), NUMBER), "numbers of CPUs by their use")
_AMOUNTS = ("load", "memory_mib", "free_memory_mib", "allocated_memory_mib", "gpus", "used_gpus")
_NODE = keyed(
    {
        **{name: optional(_WORD) for name in ("state", "gres", "reason", "since")},
        **{name: optional(NUMBER) for name in _AMOUNTS},
        "name": _WORD,
        "partitions": many(_WORD),
        "responding": FLAG,
        "cpus": optional(_CPUS),
    },
    "an object with the name of a node and how it is",
    ["name"],
)
STATUS_SHAPE: Dict[str, Rule] = {
    "taken_at": TIME,
    "pending_jobs": optional(whole(0)),
    "running_jobs": optional(whole(0)),
    "cluster": optional(keyed({"cpus": optional(_CPUS)}, "an object with the CPUs of the cluster")),
    "nodes": many(_NODE),
}
#: How well starts were foretold: of so many last ones, how much later than foretold half of them or more came.
FORETOLD = keyed(
    {"jobs": whole(1), "median_late_s": NUMBER},
    "an object with the number of jobs whose start was foretold, and how late they came",
    ["jobs", "median_late_s"],
)
STATUS = keyed(STATUS_SHAPE, "how a cluster is, and when that was", ["taken_at"])
