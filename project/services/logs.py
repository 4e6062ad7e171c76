"""Reads what a job prints, live if wanted; a lost connection is made again, and nothing is read twice or missed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from project.core.errors import Unreachable
from project.ports import LogText
from project.services.far_side import FarSide, refuse_cleaned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from project.ports import Clock, Registry, View

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0


@dataclass(frozen=True)
class LogWish:
    """What is to be read.

    Attributes:
        streams: of "out" and "err".
        tasks: array task ids as `--array` has them, "" for all.
        follow: whether to go on until the job has ended.
        last_lines: only so many of what is there already; -1 for all.
        offsets: where to go on, by file name.
    """

    streams: tuple[str, ...] = ("out",)
    tasks: str = ""
    follow: bool = False
    last_lines: int = -1
    offsets: Mapping[str, int] = field(default_factory=dict)


class LogEnd(NamedTuple):
    """How the job stands after the last piece.

    Attributes:
        ended: whether it prints nothing more.
        state: its state, as the cluster has it.
        outcome: Slurm's end state, None before.
        exit_code: Slurm's `code:signal`, "" where there is none.
    """

    ended: bool
    state: str
    outcome: str | None
    exit_code: str


@dataclass(frozen=True, kw_only=True)
class LogReader:
    """Reads logs; every attribute is a port or a service."""

    registry: Registry
    far_side: FarSide
    view: View
    clock: Clock

    def read(
        self, job_uuid: str, wish: LogWish, overrides: Mapping[str, Any], write: Callable[[LogText], None]
    ) -> LogEnd:
        """Hand on what the job printed, piece by piece; say how it stands then.

        Raises:
            Unreachable: the cluster is away (while following that is waited for).
            TransferFailed: nothing is left of the job there.
            UsageError: it has no such tasks.
        """
        job = self.registry.job(job_uuid)
        refuse_cleaned(job)
        pause_s = _FIRST_PAUSE_S
        while True:
            offsets = dict(wish.offsets)
            try:
                return self._read_once(job, replace(wish, offsets=offsets), overrides, write)
            except Unreachable as error:
                if not wish.follow:
                    raise
                if offsets != wish.offsets:
                    pause_s = _FIRST_PAUSE_S
                wish = replace(wish, offsets=offsets)
                self.view.note(f"{error.message} Trying again in {pause_s:.0f} s; Ctrl-C ends it, and not the job")
                self.clock.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    def _read_once(
        self, job: Mapping[str, Any], wish: LogWish, overrides: Mapping[str, Any], write: Callable[[LogText], None]
    ) -> LogEnd:
        """Read over one connection; `wish.offsets` grow with what was handed on."""
        remote = self.far_side.connect(job, overrides)
        offsets = wish.offsets
        assert isinstance(offsets, dict)  # noqa: S101 - `read` made it
        try:
            remote.reach()
            request = {name: getattr(wish, name) for name in ("streams", "tasks", "follow", "last_lines", "offsets")}
            for event in remote.run("logs", str(job["job_uuid"]), json.dumps(request)):
                if event["event"] == "text":
                    data = str(event["text"]).encode("utf-8", "surrogateescape")
                    write(LogText(str(event["name"]), str(event["task"]), str(event["stream"]), data))
                    offsets[str(event["name"])] = int(event["offset"])
                elif event["event"] == "end":
                    return LogEnd(
                        bool(event.get("ended")),
                        str(event.get("state", "")),
                        event.get("outcome"),
                        str(event.get("exit_code") or ""),
                    )
        finally:
            remote.close()
        raise Unreachable("the login node stopped telling what the job prints.", remedy="Try again")
