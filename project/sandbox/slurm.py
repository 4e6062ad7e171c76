"""The few Slurm commands the sandbox needs for itself."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping

from project.core.errors import SandboxError
from project.sandbox.provision import run

Environment = Mapping[str, str]

ACCOUNT = "sandbox"
"""The Slurm account the user's jobs are charged to."""

_ANSWER_WITHIN_S = 12.0  # Slurm gives up by itself after 10 s (MessageTimeout)
_CANCEL_WITHIN_S = 60.0
_END_WITHIN_S = 10.0  # KillWait in slurm.conf is 2 s
_POLL_S = 0.03
_NOT_THERE = ("unknown", "down", "future", "reboot", "inval")


def node_states(environment: Environment) -> dict[str, str]:
    """Each node's state in Slurm's words; empty while slurmctld does not answer."""
    lines = _ask(["sinfo", "--noheader", "--Node", "--format=%N %T"], environment).splitlines()
    return dict(line.split(maxsplit=1) for line in lines)


def wait_for_nodes(environment: Environment, within_s: float) -> None:
    """Return once every node has registered with slurmctld.

    A node somebody drained has, too: the sandbox starts, and shows it drained.

    Raises:
        SandboxError: some node has not, in time.
    """
    deadline = time.monotonic() + within_s
    while not (states := node_states(environment)) or not all(map(_is_there, states.values())):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The nodes did not become ready within {within_s:.0f} s: "
                + ", ".join(f"{node} is {state}" for node, state in states.items())
            )
        time.sleep(_POLL_S)


def _is_there(state: str) -> bool:
    """Slurm marks the state of a node that does not answer with a star."""
    return not state.startswith(_NOT_THERE) and not state.endswith("*")


def add_user(user: str, environment: Environment) -> None:
    """Give the user an account to charge, so that accounting shows one. Adding again changes nothing."""
    sacctmgr = ["sacctmgr", "--immediate", "--quiet", "add"]
    for thing in (["account", ACCOUNT], ["user", user, f"account={ACCOUNT}", f"defaultaccount={ACCOUNT}"]):
        run([*sacctmgr, *thing], environment=dict(environment))


def cancel_jobs(environment: Environment) -> None:
    """Cancel every job, and give those that run a moment to end.

    The pending ones go first, or else each would start as soon as a running one makes room.
    """
    for states in ("PENDING", "PENDING,RUNNING,SUSPENDED"):
        if jobs := _jobs(states, environment):
            _ask(["scancel", *jobs], environment, _CANCEL_WITHIN_S)
    deadline = time.monotonic() + _END_WITHIN_S
    while _jobs("RUNNING,COMPLETING", environment) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _jobs(states: str, environment: Environment) -> set[str]:
    """The ids of the jobs in these states; an array counts as one."""
    return set(_ask(["squeue", "--noheader", f"--states={states}", "--format=%F"], environment).split())


def _ask(argv: list[str], environment: Environment, within_s: float = _ANSWER_WITHIN_S) -> str:
    """What a command printed; nothing when Slurm does not answer."""
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=within_s, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout
