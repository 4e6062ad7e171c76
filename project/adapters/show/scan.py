"""What a look at a new cluster has shown, as tables."""

from __future__ import annotations

from project.adapters.show.table import Column
from project.core.units import format_bytes, format_duration

_MIB = 1024 * 1024


def _limit(seconds: int | None) -> str:
    return "none" if seconds is None else format_duration(seconds)


PARTITION_COLUMNS = (
    Column(
        "PARTITION", "Its name; `*` after the one for jobs that name none.", lambda p: p.name + "*" * p.is_default
    ),
    Column("STATE", "Slurm's word.", lambda p: str(p.state)),
    Column("NODES", "How many.", lambda p: str(p.nodes), right=True),
    Column("CPUS", "How many.", lambda p: str(p.cpus), right=True),
    Column("TIME LIMIT", "The longest.", lambda p: _limit(p.max_time_s), right=True),
    Column("ACCOUNTS", "Which may use it; none named: all.", lambda p: ", ".join(p.accounts), leaves=1),
)

NODE_CLASS_COLUMNS = (
    Column("NODES", "How many are alike.", lambda c: str(c.number), right=True),
    Column("CPUS", "Of each.", lambda c: str(c.cpus), right=True),
    Column("MEMORY", "Of each.", lambda c: format_bytes(c.memory_mib * _MIB), right=True),
    Column("GRES", "Generic resources of each, such as GPUs.", lambda c: str(c.gres)),
    Column("PARTITIONS", "They belong to.", lambda c: ", ".join(c.partitions), leaves=1),
)
