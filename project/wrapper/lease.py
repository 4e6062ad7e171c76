"""Leases on a shared disk: at most one process works, and one that was overtaken can know it.

A lease is a folder of files `epoch-00000007`, made by link(2), so that each epoch has exactly one owner. The
highest is in force while its owner touches it. `flock` is not trusted on NFS and Lustre, and pids mean nothing on
another login node (globus-compute#581), so age is what counts, measured by the file system's own clock.
"""

import contextlib
import os
import threading
from typing import Any, Callable, Dict, Optional, Tuple

from project.wrapper import files

STALE_AFTER_S = 30.0
#: How often an owner shows that it lives before it would count as gone.
_BEATS_IN_A_LIFE = 6
_PREFIX = "epoch-"


class LeaseLost(Exception):
    """Another process has taken over; stop at once and touch nothing more."""


class Lease:
    """A lease of this process on what `folder` stands for.

    Args:
        folder: where its files are; made if missing.
        stale_after_s: age of the last heartbeat from which on the owner counts as gone.
    """

    def __init__(self, folder: str, stale_after_s: float = STALE_AFTER_S) -> None:
        self._folder = folder
        self._stale_after_s = stale_after_s
        self._stop = threading.Event()
        self.epoch = 0

    def acquire(self) -> bool:
        """Take the lease if it is free or its owner is gone; whether that worked."""
        files.make_folder(self._folder)
        highest = self._highest()
        if highest and not self._abandoned(highest):
            return False
        epoch = highest + 1
        made = files.create(self._file(epoch), files.to_json(_identity()))
        if not made or self._highest() != epoch:  # others were quicker, or have come and gone meanwhile
            return False
        self.epoch = epoch
        self._remove_older()
        return True

    def acquire_from_the_dead(self, sleep: Callable[[float], None]) -> bool:
        """Take the lease, waiting if need be until it is clear whether its owner lives; whether that worked."""
        first_beat = self._last_beat()
        for _ in range(int(self._stale_after_s) + 1):
            if self.acquire():
                return True
            if self._last_beat() != first_beat:
                return False
            sleep(1.0)
        return False

    def _last_beat(self) -> Tuple[int, float]:
        """Return epoch and time of the newest heartbeat."""
        highest = self._highest()
        try:
            return highest, os.stat(self._file(highest)).st_mtime
        except FileNotFoundError:
            return highest, 0.0

    def keep_alive(self) -> None:
        """Send heartbeats from a background thread until `release`."""
        self._stop = threading.Event()
        threading.Thread(target=self._beat, args=(self._stop,), daemon=True).start()

    def heartbeat(self) -> None:
        """Say that the owner is still there."""
        os.utime(self._file(self.epoch))

    def check(self) -> None:
        """Make sure the lease is still ours, just before something that must not be done twice.

        Raises:
            LeaseLost: it is not.
        """
        if self._highest() != self.epoch:
            raise LeaseLost(self._folder)

    def climb(self, epoch: int) -> None:
        """Take an epoch above `epoch`, which was heard of elsewhere: here they have begun anew since.

        Raises:
            LeaseLost: the lease is not ours any more.
        """
        self.check()
        higher = max(epoch, self.epoch) + 1
        if not files.create(self._file(higher), files.to_json(_identity())):
            raise LeaseLost(self._folder)
        self.epoch = higher
        self.check()
        self._remove_older()

    def release(self) -> None:
        """Give the lease back; its epoch stays on record, so that the next one is higher.

        On a disk that takes nothing more it is left as it is: our end, or our silence, will tell.
        """
        self._stop.set()
        with contextlib.suppress(OSError):
            if self.epoch and self._highest() == self.epoch:
                files.replace_json(self._file(self.epoch), dict(_identity(), released=True))

    def is_held(self) -> bool:
        """Whether somebody holds it and is alive."""
        highest = self._highest()
        return bool(highest) and not self._abandoned(highest)

    def _beat(self, stop: threading.Event) -> None:
        while not stop.wait(self._stale_after_s / _BEATS_IN_A_LIFE):
            with contextlib.suppress(
                OSError
            ):  # a beat the disk refused; whether we were overtaken is `check`'s to say
                self.heartbeat()

    def _highest(self) -> int:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return 0
        return max((int(name[len(_PREFIX) :]) for name in names if name.startswith(_PREFIX)), default=0)

    def _file(self, epoch: int) -> str:
        return os.path.join(self._folder, f"{_PREFIX}{epoch:08d}")

    def _abandoned(self, epoch: int) -> bool:
        owner: Optional[Dict[str, Any]] = files.read_json(self._file(epoch))
        if owner is None or owner.get("released") or _is_dead_here(owner):
            return True
        return self._age_s(self._file(epoch)) > self._stale_after_s

    def _age_s(self, path: str) -> float:
        """Age of the last heartbeat by the file system's clock; infinite if the file is gone."""
        with files.temporary(self._folder) as probe:
            try:
                return os.fstat(probe.fileno()).st_mtime - os.stat(path).st_mtime
            except FileNotFoundError:
                return float("inf")

    def _remove_older(self) -> None:
        for name in os.listdir(self._folder):
            if name.startswith(_PREFIX) and int(name[len(_PREFIX) :]) < self.epoch:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._folder, name))


def _boot_id() -> str:
    return (files.read_text("/proc/sys/kernel/random/boot_id") or "").strip()


def _started(pid: int) -> str:
    """Return when a process here started, in clock ticks since boot; "" if there is none or it is a zombie."""
    status = files.read_text(f"/proc/{pid}/stat") or ""
    fields = status.rpartition(")")[2].split()
    return "" if not fields or fields[0] == "Z" else fields[19]


def _identity() -> Dict[str, Any]:
    pid = os.getpid()
    return {"host": os.uname().nodename, "boot": _boot_id(), "pid": pid, "started": _started(pid)}


def _is_dead_here(owner: Dict[str, Any]) -> bool:
    """Whether the owner was a process of this very boot of this host and is no more."""
    here = (os.uname().nodename, _boot_id())
    return (
        here[1] != ""
        and (owner.get("host"), owner.get("boot")) == here
        and _started(int(owner["pid"])) != owner.get("started")
    )
