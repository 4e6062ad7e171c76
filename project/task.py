"""A task of a campaign, as the client knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from project.core.placeholders import INDEX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        values: what stands for each placeholder; `index` counts from 1 through the campaign.
        files: data to bring along, by name in the working directory.
    """

    values: Mapping[str, str]
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def index(self) -> int:
        """Its number in the campaign."""
        return int(self.values[INDEX])
