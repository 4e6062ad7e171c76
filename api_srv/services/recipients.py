"""To whom mail about a job goes: the registry is no open relay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.problems import Problem
from project.core.rules import MAIL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


def recipient(user_mail: str, account_mail: str, allowed_domains: Collection[str]) -> str:
    """Return the job's own address if the registry may write to it, else the account's."""
    return user_mail if _is_allowed(user_mail, account_mail, allowed_domains) else account_mail


def problems(user_input: Mapping[str, Any], account_mail: str, allowed_domains: Collection[str]) -> Iterator[Problem]:
    """Yield a problem if a job asks for mail to an address the registry may not write to."""
    wanted = user_input.get("user_mail")
    if wanted and not _is_allowed(str(wanted), account_mail, allowed_domains):
        own = account_mail or "the address of your account (none is stored)"
        domains = f", or one at {', '.join(sorted(allowed_domains))}" if allowed_domains else ""
        yield Problem(
            "user_input.user_mail",
            f"this registry does not send mail to {wanted}",
            f"Write {own}{domains}; an administrator can change the account's address or allow the domain.",
        )


def _is_allowed(wanted: str, account_mail: str, allowed_domains: Collection[str]) -> bool:
    """Whether mail may go to `wanted`, which must be one address: a list of two would pass for the last one."""
    domain = wanted.rpartition("@")[2].lower()
    return MAIL.accepts(wanted) and (wanted.lower() == account_mail.lower() or domain in allowed_domains)
