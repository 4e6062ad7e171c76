"""Which cluster a job should go to, and the reason that is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core.ranking import Candidate, rank

_NOW = Candidate(cluster="now", starts_in_s=0, free_slots=4, wanted_slots=4, pending_jobs=2)


def chosen(*candidates: Candidate) -> tuple[str, str]:
    """Return the cluster a job goes to and why."""
    first = rank(candidates)[0]
    assert first.is_chosen
    return first.candidate.cluster, first.reason


@pytest.mark.parametrize(
    ("other", "cluster", "reason"),
    [
        (Candidate(cluster="later", starts_in_s=3600), "now", "starts first"),
        (_NOW._replace(cluster="a moment later", starts_in_s=59), "now", "as good as the next, and first in order"),
        (_NOW._replace(cluster="full", free_slots=3), "now", "more of it fits on what is free now"),
        (_NOW._replace(cluster="empty", free_slots=400), "now", "as good as the next, and first in order"),
        (_NOW._replace(cluster="queue", pending_jobs=9), "now", "fewer jobs wait there"),
        (_NOW._replace(cluster="quiet", pending_jobs=0), "quiet", "fewer jobs wait there"),
        (_NOW._replace(cluster="twin"), "now", "as good as the next, and first in order"),
        (_NOW._replace(cluster="mute", starts_in_s=None), "now", "starts first"),
        (Candidate(cluster="away", problem="does not answer"), "now", "the only one that can run it"),
        (Candidate(cluster="small", refusal="not available", starts_in_s=0), "now", "the only one that can run it"),
    ],
)
def test_what_decides(other: Candidate, cluster: str, reason: str) -> None:
    """Start, then what fits now, then the load, then the user's order; starts within a minute are the same."""
    assert chosen(_NOW, other) == (cluster, reason)


def test_the_users_order_settles_ties_only() -> None:
    """The same two the other way round: the tie turns, the rest does not."""
    twin = _NOW._replace(cluster="twin")
    assert chosen(twin, _NOW)[0] == "twin"
    assert chosen(Candidate(cluster="later", starts_in_s=3600), _NOW)[0] == "now"


def test_every_other_place_has_its_reason() -> None:
    """How much later, what decided, or what is in the way, in Slurm's words."""
    candidates = [
        Candidate(cluster="away", problem="nic5 does not answer"),
        Candidate(cluster="later", starts_in_s=3600),
        _NOW._replace(cluster="queue", pending_jobs=9),
        Candidate(cluster="small", refusal="Requested node configuration is not available"),
        _NOW,
    ]
    assert [(found.candidate.cluster, found.reason) for found in rank(candidates)] == [
        ("now", "fewer jobs wait there"),
        ("queue", "now: fewer jobs wait there"),
        ("later", "would start 1h 0m later"),
        ("away", "nic5 does not answer"),
        ("small", "Requested node configuration is not available"),
    ]


def test_none_is_chosen_where_none_can_run_it() -> None:
    """Nothing is invented."""
    ranked = rank([Candidate(cluster="away", problem="silent"), Candidate(cluster="small", refusal="no")])
    assert [found.is_chosen for found in ranked] == [False, False]


_CANDIDATES = st.builds(
    Candidate,
    cluster=st.text(min_size=1, max_size=5),
    problem=st.sampled_from(["", "", "silent"]),
    refusal=st.sampled_from(["", "", "no"]),
    starts_in_s=st.none() | st.floats(0, 1e7),
    free_slots=st.integers(0, 100),
    wanted_slots=st.integers(1, 100),
    pending_jobs=st.integers(0, 100),
    foretold=st.none() | st.just({"jobs": 1, "median_late_s": 7}),
)


@given(st.lists(_CANDIDATES, max_size=8))
def test_nobody_is_lost_and_only_the_first_is_chosen(candidates: list[Candidate]) -> None:
    """Every candidate has one place and a reason; usable ones come first, and the job goes to the first of them."""
    ranked = rank(candidates)
    assert sorted(map(repr, candidates)) == sorted(repr(found.candidate) for found in ranked)
    usable = [found.candidate.is_usable for found in ranked]
    assert usable == sorted(usable, reverse=True)
    assert [found.is_chosen for found in ranked] == [number == 0 and any(usable) for number in range(len(ranked))]
    assert all(found.reason for found in ranked)
