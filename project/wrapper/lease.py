"""Leases on a shared disk: at most one process works, and one that was overtaken can know it.

A lease is a folder of files `epoch-00000007`, made by link(2), so that each epoch has exactly one owner. The
highest is in force while its owner touches it. `flock` is not trusted on NFS and Lustre, and pids mean nothing on
another login node (globus-compute#581), so age is what counts, measured by the file system's own clock.
"""

import contextlib
import os
import threading
from typing import Callable, Optional, Tuple

from project.wrapper import files
from project.wrapper.identity import Identity, identity, is_dead_here, is_of_this_boot

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
        login: the login that started this process, if one did; kept in the lease for all to see.
    """

    def __init__(self, folder: str, stale_after_s: float = STALE_AFTER_S, login: Optional[Identity] = None) -> None:
        self._folder = folder
        self._stale_after_s = stale_after_s
        self._login = login
        self._stop = threading.Event()
        self.epoch = 0

    def acquire(self) -> bool:
        """Take the lease if it is free or its owner is gone; whether that worked."""
        files.make_folder(self._folder)
        highest = self._highest()
        if highest and not self._abandoned(highest):
            return False
        epoch = highest + 1
        made = files.create(self._file(epoch), files.to_json(self._own()))
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
        if not files.create(self._file(higher), files.to_json(self._own())):
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
                files.replace_json(self._file(self.epoch), dict(self._own(), released=True))

    def _own(self) -> Identity:
        return dict(identity(os.getpid()), login=self._login)

    def is_held(self) -> bool:
        """Whether somebody holds it and is alive."""
        highest = self._highest()
        return bool(highest) and not self._abandoned(highest)

    def outlived_login(self) -> bool:
        """Whether it is held by a process that is still there though the login that started it has ended."""
        owner = self._owner(self._highest()) or {}
        return self.is_held() and is_dead_here(owner.get("login") or {})

    def killed_s(self) -> float:
        """Return when the last owner last showed that it lived, if it ended here without giving it back; else 0."""
        owner = self._owner(self._highest())
        killed = owner is not None and not owner.get("released") and is_dead_here(owner)
        return self._last_beat()[1] if killed else 0.0

    def is_alive_here(self) -> bool:
        """Whether somebody holds it whose end we would see; one on another login node may have just died."""
        return self.is_held() and is_of_this_boot(self._owner(self._highest()) or {})

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
        owner = self._owner(epoch)
        if owner is None or owner.get("released") or is_dead_here(owner):
            return True
        return self._age_s(self._file(epoch)) > self._stale_after_s

    def _owner(self, epoch: int) -> Optional[Identity]:
        owner: Optional[Identity] = files.read_json(self._file(epoch))
        return owner

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
                files.remove(os.path.join(self._folder, name))
