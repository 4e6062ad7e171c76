"""How each fault of a plan befalls the grid, and how it passes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.plan import Fault
    from tests.chaos.world import World


class Faults:
    """Lets faults befall a world, those of one place one after another.

    Args:
        world: to break.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def befall(self, fault: Fault) -> None:
        """Let a fault come, last, and pass."""
        place, what = _TABLE[fault.name]
        with self._places[place]:
            what(self._world, fault)


def _lasting(begin: Callable[[World], object], end: Callable[[World], object]) -> Callable[[World, Fault], None]:
    def what(world: World, fault: Fault) -> None:
        begin(world)
        time.sleep(fault.seconds)
        end(world)

    return what


def _signal(world: World, number: signal.Signals, *commands: str) -> list[int]:
    """Send a signal to the wrapper's processes of these commands; return their pids."""
    pids = world.far_processes(*commands)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return pids


def _reboot(world: World, _fault: Fault) -> None:
    """Nothing that a login started is left, and no connection."""
    world.gate.refuse(refuses=True)
    while _signal(world, signal.SIGKILL):
        time.sleep(0.05)
    world.gate.cut()
    world.gate.refuse(refuses=False)


def _kill_wrappers(world: World, _fault: Fault) -> None:
    _signal(world, signal.SIGKILL, "run", "resume", "postprocess")


def _kill_follower(world: World, _fault: Fault) -> None:
    _signal(world, signal.SIGKILL, "follow")


def _stand_still(world: World, fault: Fault) -> None:
    """The follower stands still for longer than a lease lasts: another takes over, and this one wakes up."""
    pids = _signal(world, signal.SIGSTOP, "follow")
    time.sleep(fault.seconds)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _daemon(name: str) -> Callable[[World, Fault], None]:
    return _lasting(lambda world: world.daemons.end(name), lambda world: world.daemons.start(name))


#: Per fault its place, and what happens.
_TABLE: dict[str, tuple[str, Callable[[World, Fault], None]]] = {
    "ssh connections are cut": ("gate", lambda world, _: world.gate.cut()),
    "the next ssh connection is cut": ("gate", lambda world, fault: world.gate.cut_next_after(int(fault.detail[0]))),
    "ssh is refused": (
        "gate",
        _lasting(lambda world: world.gate.refuse(refuses=True), lambda world: world.gate.refuse(refuses=False)),
    ),
    "ssh stands still": (
        "gate",
        _lasting(lambda world: world.gate.hold(holds=True), lambda world: world.gate.hold(holds=False)),
    ),
    "the login node reboots": ("gate", _reboot),
    "wrappers are killed": ("login node", _kill_wrappers),
    "the follower is killed": ("login node", _kill_follower),
    "the follower stands still": ("login node", _stand_still),
    "slurmctld stands still": (
        "slurmctld",
        _lasting(lambda world: world.daemons.stop("slurmctld"), lambda world: world.daemons.go_on()),
    ),
    "slurmctld is away": ("slurmctld", _daemon("slurmctld")),
    "slurmdbd is away": ("slurmdbd", _daemon("slurmdbd")),
    "a program of Slurm is moody": ("programs", lambda world, fault: world.programs.next(*fault.detail)),
    "the registry is killed": (
        "registry",
        _lasting(lambda world: world.kill_registry(), lambda world: world.grid.start_registry()),
    ),
    "the mail server is away": (
        "mail server",
        _lasting(lambda world: world.end_mail(), lambda world: world.grid.start_mail()),
    ),
}
