"""Staging module: proposes a time limit and memory from your past jobs of the same kind, and says from how many.

Past jobs come as a JSON list in the file that GRIDFERRY_HISTORY names: those of yours that ended well. Of the same
kind are those with the same `job` and `execution`. Proposed is what the longest and the largest of them took, half
as much again; what the job file asks for already is left alone, unless `kwargs.estimate` is `replace`.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

SAFETY = 1.5
SHORTEST_S = 300
SMALLEST_MIB = 64
KIND = ("job", "execution")


def seconds(elapsed: str) -> int:
    """Read Slurm's Elapsed, `1-02:03:04`."""
    days, _, clock = elapsed.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    return int(days or 0) * 86400 + sum(part * 60**place for place, part in enumerate(reversed(parts)))


def same_kind(past: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether a past job did what this one will do."""
    return all(past.get("user_input", {}).get(key) == now.get(key) for key in KIND)


def mebibytes(peak: str) -> float:
    """Read Slurm's MaxRSS, `20480K`."""
    return float(peak.rstrip("K")) / 1024


def column(history: list[dict[str, Any]], name: str) -> list[str]:
    """Return what all tasks of all these jobs have in a column of sacct."""
    return [value for past in history for value in past.get("job_status", {}).get(name, []) if value]


def proposals(user_input: dict[str, Any], history: list[dict[str, Any]]) -> dict[str, str]:
    """Return a time limit and memory per thread, as far as past jobs tell them."""
    threads = int((user_input.get("resources") or {}).get("nbr_threads_per_process") or 1)
    times = [seconds(elapsed) for elapsed in column(history, "Elapsed")]
    peaks = [mebibytes(peak) for peak in column(history, "MaxRSS")]
    proposed = {}
    if times:
        proposed["duration"] = f"{max(SHORTEST_S, int(max(times) * SAFETY))}s"
    if peaks:
        proposed["memory_per_thread"] = f"{max(SMALLEST_MIB, int(max(peaks) * SAFETY / threads) + 1)}M"
    return proposed


def estimate(user_input: dict[str, Any], history: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """Return the user input with what is proposed, and what to say about it."""
    alike = [past for past in history if same_kind(past, user_input)]
    proposed = proposals(user_input, alike)
    if not proposed:
        return user_input, "no past jobs of this kind: resources stay as they are"
    resources = dict(user_input.get("resources") or {})
    replaces = (user_input.get("kwargs") or {}).get("estimate") == "replace"
    words = []
    for key, value in proposed.items():
        if resources.get(key) is not None and not replaces:
            words.append(f"{key} {value} would do ({resources[key]} stays)")
        else:
            resources[key] = value
            words.append(f"{key} {value}")
    tasks = len(column(alike, "Elapsed"))
    said = f"from {len(alike)} past jobs ({tasks} tasks): {', '.join(words)}"
    return {**user_input, "resources": resources}, said


def main() -> None:
    """Read the user input, print it with the proposal."""
    path = os.environ.get("GRIDFERRY_HISTORY", "")
    history: list[dict[str, Any]] = []
    if path:
        with open(path, encoding="utf-8") as stream:
            history = json.load(stream)
    user_input, said = estimate(json.load(sys.stdin), history)
    print(said, file=sys.stderr)
    print(json.dumps(user_input))


if __name__ == "__main__":
    main()
