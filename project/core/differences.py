"""What differs between two job files, key by key."""

from typing import Any, Dict, Iterator, Mapping, NamedTuple


class Difference(NamedTuple):
    """One key that is not the same; None stands for a key that is not there."""

    key: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs, dotted keys in alphabetical order."""
    old, new = _flat(before), _flat(after)
    for key in sorted(set(old) | set(new)):
        if old.get(key) != new.get(key):
            yield Difference(key, old.get(key), new.get(key))


def _flat(document: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    flat: Dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
