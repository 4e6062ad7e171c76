"""What the registry refuses and why; `problems.py` turns each into a status and a JSON problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.errors import RegistryError, RegistryUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from project.core.problems import Problem


class StoreUnavailable(RegistryUnavailable):
    """The database does not answer, or cannot write; nothing of the request was promised."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"the registry's database cannot be used: {reason}",
            "Try again; if it stays like this, tell the registry's administrator.",
        )


class SettingsInvalid(UsageError):
    """A setting of the registry cannot be used."""


class Unauthorised(RegistryError):
    """Nobody is logged in, or the token is unknown or expired."""


class Forbidden(RegistryError):
    """The caller is known and may not do this."""


class NotFound(RegistryError):
    """There is no such thing, or it belongs to somebody else: the answer is the same."""


class Conflict(RegistryError):
    """The request contradicts what is stored."""


class StaleEpoch(RegistryError):
    """A newer follower reports for this user and cluster; `epoch` is the highest one seen."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"a newer follower (epoch {epoch}) reports for this user and cluster",
            "This follower should end; the newer one goes on.",
        )
        self.epoch = epoch


class TooManyAttempts(RegistryError):
    """Too many failed logins; `retry_after_s` says when to come back."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many failed logins", f"Try again in {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


class Malformed(RegistryError):
    """The body is not the JSON it should be."""


class Invalid(RegistryError):
    """The body is JSON and breaks rules; `problems` holds every one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        place = f"{first.key}: " if first.key else ""
        super().__init__(f"{place}{first.message}{more}", first.remedy)
        self.problems = list(problems)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the problems as they stand in the answer."""
        return [{"key": key, "message": message, "remedy": remedy} for key, message, remedy, _ in self.problems]
