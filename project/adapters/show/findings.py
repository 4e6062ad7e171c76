"""What `doctor` found, as a table."""

from __future__ import annotations

from project.adapters.show.table import Column
from project.core.findings import FAILURE, OK, WARNING

_COLOURS = {OK: "green", WARNING: "yellow", FAILURE: "red"}

FINDING_COLUMNS = (
    Column("CHECK", "What was looked at.", lambda found: str(found.check)),
    Column("", "`ok`, `warning` or `failure`.", lambda found: str(found.level), lambda found: _COLOURS[found.level]),
    Column("FOUND", "What was found.", lambda found: str(found.text)),
    Column("REMEDY", "What to do about it.", lambda found: str(found.remedy)),
)
