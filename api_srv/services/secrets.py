"""What must never reach the registry: private keys and passphrases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from project.core.job_file.fields import SECRET_KEYS
from project.core.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


def secret_paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every key, at any depth, that names a secret and has a value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            if _is_secret(key) and inner:
                yield place
            else:
                yield from secret_paths(inner, place)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from secret_paths(inner, f"{path}[{number}]")


def problems(value: Any, path: str) -> Iterator[Problem]:
    """Yield one problem for each secret in what a person or client sends."""
    for place in secret_paths(value, path):
        yield Problem(place, "secrets must not reach the registry", "Leave this key out; it stays on your machine.")


def scrubbed(value: Any) -> Any:
    """Return a copy without secrets; for what a module on a cluster printed, which must not hold up its journal."""
    if isinstance(value, dict):
        return {key: scrubbed(inner) for key, inner in value.items() if not _is_secret(key)}
    if isinstance(value, list):
        return [scrubbed(inner) for inner in value]
    return value


def _is_secret(key: str) -> bool:
    return key.lower() in SECRET_KEYS
