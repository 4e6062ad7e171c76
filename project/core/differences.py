"""What differs between two job files, key by key."""

from typing import Any, Iterator, Mapping, NamedTuple


class Difference(NamedTuple):
    """One key that is not the same; None stands for a key that is not there."""

    key: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> Iterator[Difference]:
    """Yield what differs, dotted keys in alphabetical order; a group in the place of a single value as a whole."""
    for key in sorted(set(before) | set(after)):
        old, new = before.get(key), after.get(key)
        if all(isinstance(value, (dict, type(None))) for value in (old, new)):
            yield from differences(old or {}, new or {}, f"{prefix}{key}.")
        elif old != new:
            yield Difference(f"{prefix}{key}", old, new)
