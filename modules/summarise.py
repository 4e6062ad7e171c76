"""Postprocessing module: one number per array task becomes a sum, a table and a plot.

Reads every output file that holds lines of `TASK VALUE`, writes summary.json and summary.svg beside them, and adds
the sum to the user input's kwargs, where the registry keeps it with the job.
"""

from __future__ import annotations

import contextlib
import glob
import html
import json
import math
import os
import sys
from typing import Any

BAR_HEIGHT = 18
WIDTH = 640
LABEL_WIDTH = 60


def read_values(folder: str, patterns: list[str]) -> dict[int, float]:
    """Return the value of each task, from all files the patterns name."""
    values: dict[int, float] = {}
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):
            if os.path.isfile(path):
                values.update(_pairs(path))
    return dict(sorted(values.items()))


def _pairs(path: str) -> dict[int, float]:
    pairs: dict[int, float] = {}
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            with contextlib.suppress(ValueError):  # any other line
                task, value = line.split()
                pairs[int(task)] = float(value)
    return {task: value for task, value in pairs.items() if math.isfinite(value)}


def plot(values: dict[int, float], title: str) -> str:
    """Return a bar chart as SVG."""
    height = BAR_HEIGHT * (len(values) + 2)
    most = max(map(abs, values.values()), default=1.0) or 1.0
    rows = [f'<text x="4" y="{BAR_HEIGHT - 4}" font-weight="bold">{html.escape(title)}</text>']
    for row, (task, value) in enumerate(values.items(), start=1):
        top = row * BAR_HEIGHT
        width = (WIDTH - 2 * LABEL_WIDTH) * abs(value) / most
        rows.append(f'<text x="4" y="{top + BAR_HEIGHT - 5}">{task}</text>')
        rows.append(
            f'<rect x="{LABEL_WIDTH / 2}" y="{top + 2}" width="{width:.1f}" height="{BAR_HEIGHT - 4}" rx="2"/>'
        )
        rows.append(f'<text x="{LABEL_WIDTH / 2 + width + 6:.1f}" y="{top + BAR_HEIGHT - 5}">{value:g}</text>')
    style = "text{font:12px sans-serif;fill:#333}rect{fill:#3b82c4}"
    body = "\n".join(rows)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"><style>{style}</style>'
    return f"{head}\n{body}\n</svg>\n"


def main() -> None:
    """Read the user input, summarise, print the user input with the sum."""
    user_input: dict[str, Any] = json.load(sys.stdin)
    folder = os.environ["GRIDFERRY_WORKING_DIRECTORY"]
    output = user_input.get("output") or []
    measure = str((user_input.get("kwargs") or {}).get("measure", "value"))
    values = read_values(folder, output if isinstance(output, list) else [output])
    summary = {"measure": measure, "tasks": len(values), "sum": sum(values.values()), "values": values}
    with open(os.path.join(folder, "summary.json"), "w", encoding="utf-8") as stream:
        json.dump(summary, stream, indent=1)
    with open(os.path.join(folder, "summary.svg"), "w", encoding="utf-8") as stream:
        stream.write(plot(values, f"{measure} per task, {summary['sum']:g} in total"))
    kwargs = {
        **(user_input.get("kwargs") or {}),
        "summary": {key: summary[key] for key in ("measure", "tasks", "sum")},
    }
    print(json.dumps({**user_input, "kwargs": kwargs}))


if __name__ == "__main__":
    main()
