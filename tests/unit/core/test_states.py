"""Slurm's job states, as any of its commands prints them, and what they mean for a whole job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import states
from project.core.slurm.states import SLURM_STATES, Phase, SlurmState, aggregate, is_end_state, parse_state

#: Every word of "JOB STATE CODES" in sacct(1) and squeue(1) from 20.11 to 26.05, with its short name and its phase.
WORDS = {
    Phase.WAITING: "PENDING PD CONFIGURING CF REQUEUED RQ REQUEUE_FED RF REQUEUE_HOLD RH RESV_DEL_HOLD RD"
    " SPECIAL_EXIT SE LAUNCH_FAILED LF POWER_UP_NODE PO EXPEDITING EX",
    Phase.RUNNING: "RUNNING R COMPLETING CG SUSPENDED S STOPPED ST RESIZING RS SIGNALING SI STAGE_OUT SO"
    " UPDATE_DB UD",
    Phase.ENDED: "COMPLETED CD FAILED F CANCELLED CA TIMEOUT TO NODE_FAIL NF PREEMPTED PR BOOT_FAIL BF DEADLINE DL"
    " OUT_OF_MEMORY OOM REVOKED RV RECONFIG_FAIL RC",
}
ENDS = [word for word, state in SLURM_STATES.items() if state.ended]


@pytest.mark.parametrize(("phase", "word"), [(phase, word) for phase in WORDS for word in WORDS[phase].split()])
def test_every_documented_word_has_its_phase(phase: Phase, word: str) -> None:
    """Long and short names of all versions are known, however they are cased."""
    assert parse_state(word).phase is phase
    assert parse_state(word.lower()) == parse_state(word)


def test_no_word_is_left_untested() -> None:
    """The table of states holds the documented words and no others."""
    assert set(SLURM_STATES) == {word for words in WORDS.values() for word in words.split()[::2]}


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("CANCELLED by 1000", "CANCELLED"),
        ("CANCELLED+", "CANCELLED"),
        ("COMPLETED+", "COMPLETED"),
        (" RUNNING\n", "RUNNING"),
        ("OUT_OF_ME+", "OUT_OF_ME"),
        ("HIBERNATING", "HIBERNATING"),
        ("", "UNKNOWN"),
    ],
)
def test_states_are_read_as_they_are_printed(printed: str, word: str) -> None:
    """Who cancelled a job and a trailing plus are left out; a word nobody knows is kept."""
    assert parse_state(printed).word == word


@given(st.text())
def test_no_word_is_an_error(text: str) -> None:
    """Whatever a future Slurm prints, reading it never fails."""
    assert isinstance(parse_state(text), SlurmState)


@pytest.mark.parametrize(
    ("tasks", "expected_tasks", "whole"),
    [
        ("", 1, None),
        ("PENDING", 1, "PENDING"),
        ("CONFIGURING", 1, "PENDING"),
        ("RUNNING PENDING PENDING", 3, "RUNNING"),
        ("COMPLETED PENDING", 2, "RUNNING"),
        ("COMPLETED COMPLETED", 3, "RUNNING"),
        ("COMPLETED COMPLETED", 2, "COMPLETED"),
        ("COMPLETED FAILED TIMEOUT", 3, "FAILED"),
        ("COMPLETED CANCELLED", 2, "CANCELLED"),
        ("FAILED OUT_OF_MEMORY", 2, "OUT_OF_MEMORY"),
        ("FAILED NODE_FAIL", 2, "NODE_FAIL"),
        ("COMPLETING COMPLETED", 2, "RUNNING"),
        ("REQUEUED COMPLETED", 2, "RUNNING"),
        ("HIBERNATING", 1, "HIBERNATING"),
        ("HIBERNATING PENDING", 2, "PENDING"),
        ("HIBERNATING COMPLETED", 2, "RUNNING"),
    ],
)
def test_one_word_speaks_for_a_whole_job(tasks: str, expected_tasks: int, whole: str | None) -> None:
    """Pending until the first task starts, running until the last has ended, then the worst end."""
    assert aggregate(map(parse_state, tasks.split()), expected_tasks) == whole


@given(
    st.lists(st.sampled_from(ENDS), min_size=1).flatmap(lambda ends: st.tuples(st.just(ends), st.permutations(ends)))
)
def test_the_order_of_tasks_does_not_matter(orders: tuple[list[str], list[str]]) -> None:
    """The outcome of an array is the same whichever task is listed first."""
    outcomes = {aggregate(map(parse_state, ends), len(ends)) for ends in orders}
    assert len(outcomes) == 1


def test_severities_tell_ends_apart() -> None:
    """No two ends are equally bad, so the outcome of an array is never a matter of luck."""
    assert len({SLURM_STATES[word].severity for word in ENDS}) == len(ENDS)


@pytest.mark.parametrize(
    ("state", "final", "submitted", "mailed", "outcome"),
    [
        ("CREATED", False, False, False, None),
        ("COMPILING", False, False, False, None),
        ("SUBMITTED", False, True, False, None),
        ("PENDING", False, True, True, None),
        ("RUNNING", False, True, True, None),
        ("FAILED", False, True, True, "FAILED"),
        ("POSTPROCESSING", False, True, False, None),
        ("DONE", True, True, False, None),
        ("ERROR", True, True, True, None),
    ],
)
def test_what_a_state_means_to_the_gateway(
    state: str, final: bool, submitted: bool, mailed: bool, outcome: str | None
) -> None:
    """The table of docs/protocol.md: what is final, what is told by mail, what settles the outcome."""
    assert states.is_final(state) is final
    assert states.is_submitted(state) is submitted
    assert states.mails_owner(state) is mailed
    assert states.outcome_of(state) == outcome


def test_ranks_grow_along_the_way() -> None:
    """Pending comes before running, running before any end."""
    assert [states.rank(state) for state in ("SUBMITTED", "PENDING", "RUNNING")] == [0, 1, 2]
    assert {states.rank(state) for state in ENDS} == {3}
    assert all(is_end_state(state) for state in ENDS)
