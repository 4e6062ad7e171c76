"""How many inputs properties are tried with: few in every run, very many by `make fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: So many times the usual number of inputs.
FACTOR = int(os.environ.get("FUZZ_FACTOR", "1"))
_USUAL_EXAMPLES = 100


def examples(number: int) -> settings:
    """Return the settings of a property whose inputs are dear: so many of them, times the factor."""
    return settings(max_examples=number * FACTOR)


def register() -> None:
    """Make this the way of every property: no limit for one input, since several people may share the cores.

    The usual run tries the same inputs each time: what it finds is the change's doing. A long one tries others.
    """
    settings.register_profile(
        "gridferry",
        max_examples=_USUAL_EXAMPLES * FACTOR,
        derandomize=FACTOR == 1,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )
    settings.load_profile("gridferry")
