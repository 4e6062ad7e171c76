"""Jobs kept up to date: a screenful drawn anew on a terminal, one line a change where there is none."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any, Self

from project.adapters.show.jobs import JOB_COLUMNS
from project.adapters.show.screenful import screenful
from project.adapters.show.table import render, screen_width
from project.adapters.terminal import say_coloured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from rich.live import Live


class LiveJobs:
    """Shows jobs while a `with` block lasts."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._seen: dict[str, tuple[Any, ...]] = {}
        self._drawn: list[str] = []

    def __enter__(self) -> Self:
        """Take the terminal, if there is one."""
        if screen_width() is not None:
            from rich.live import Live  # noqa: PLC0415 - a tenth of a second that plain lines do not need

            self._live = Live(auto_refresh=False)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Leave the table as it last was."""
        if self._live is not None:
            self._live.stop()

    def show(self, jobs: Sequence[Mapping[str, Any]]) -> None:
        """Show how the jobs stand now."""
        if self._live is not None:
            from rich.text import Text  # noqa: PLC0415 - see above

            size = shutil.get_terminal_size()
            lines = screenful(jobs, size.columns, size.lines)
            if lines != self._drawn:
                self._live.update(Text.from_ansi("\n".join(lines), no_wrap=True), refresh=True)
                self._drawn = lines
            return
        for job in changes(self._seen, jobs):
            _, line = render(JOB_COLUMNS, [job], None)
            say_coloured(f"{time.strftime('%H:%M:%S')}  {line}")


def changes(seen: dict[str, tuple[Any, ...]], jobs: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the jobs that are not as they were when they were last `seen`, and remember them."""
    for job in jobs:
        standing = (job["state"], job["outcome"], tuple(job["counts"].items()), job["flag"])
        if seen.get(str(job["job_uuid"])) != standing:
            seen[str(job["job_uuid"])] = standing
            yield job
