"""Checks of the login node itself: Python, shell, disk, the way to the registry, tools."""

import os
import pwd
import shutil
import sys

from project.core.findings import MISSING, RELAY, Finding, failure, ok, warning
from project.core.units import format_bytes
from project.toolbox.doctor.patient import LIMIT_S, Patient, said
from project.wrapper import files
from project.wrapper.exchange import exchange
from project.wrapper.shell import login_shell

_MIB = 1024 * 1024
#: A job's folder with its logs fits into so much; the results may need more.
_LITTLE_BYTES = 1024 * _MIB
_TRIAL_BYTES = _MIB
_MOST_ANSWER_BYTES = 100_000


def python(_: Patient) -> Finding:
    """The interpreter that runs this."""
    return ok("{} at {}".format(".".join(map(str, sys.version_info[:3])), sys.executable))


def shell_noise(_: Patient) -> Finding:
    """Whether the account's shell prints something where nobody reads: it breaks scp, rsync and others."""
    shell = pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    result = said(shell, "-c", "true", variables={"SHELL": shell, "SSH_CLIENT": "127.0.0.1 1 22"})  # as sshd does
    noise = (result.stdout + result.stderr).strip()
    if result.exit_code is None:
        return warning(f"{shell} takes more than {LIMIT_S:.0f} s to start", "Shorten its start-up files")
    if noise:
        return warning(
            f"{shell} prints {noise.splitlines()[0]!r} in logins without a terminal",
            "Let its start-up files print only where there is a terminal: `[ -t 1 ] && echo ...`",
        )
    return ok(f"{shell}, silent")


def folder(patient: Patient) -> Finding:
    """Whether jobs find room: a file is written, and what is left is counted."""
    root = patient.paths.root
    try:
        with files.temporary(root) as stream:
            stream.write(os.urandom(_TRIAL_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        there = os.statvfs(root)
    except OSError as error:
        return failure(f"nothing can be written to {root}: {error.strerror}", "Make room there; see `quota -s`")
    free = there.f_bavail * there.f_frsize
    if free < _LITTLE_BYTES:
        return warning(f"{root}: {format_bytes(free)} free", "Make room there, or have `job_root` lead elsewhere")
    return ok(f"{root}, {format_bytes(free)} free")


def used_up(_: Patient) -> Finding:
    """What is used up: quota(1) marks such numbers with `*`."""
    result = said("quota", "-s", "-w")
    lines = [line for line in result.stdout.splitlines() if "*" in line]
    if lines:
        return failure(f"used up: {' '.join(lines[0].split())}", "Remove what is not needed there")
    return ok("none used up" if result.exit_code == 0 and result.stdout.strip() else "none that quota(1) knows of")


def registry(patient: Patient) -> Finding:
    """Whether reports can be sent from here."""
    if not patient.registry:
        return warning(
            "reports are not sent from here", "`-r` relays them; or set `registry_url` to an https address", RELAY
        )
    url = patient.registry.rstrip("/") + "/health"
    try:
        reply = exchange("GET", url, "", None, timeout_s=LIMIT_S, limit_bytes=_MOST_ANSWER_BYTES)
    except OSError as error:
        return warning(
            f"{patient.registry} cannot be reached from here ({error})",
            "Reports wait here until you look: `-r` and `status` relay them; or set `registry_url` of this cluster",
            RELAY,
        )
    if not reply.is_good:
        return warning(f"{patient.registry} answers {reply.status}", "Tell the registry's administrator")
    return ok(f"{patient.registry} answers")


def git(_: Patient) -> Finding:
    """Jobs from Git repositories."""
    return _tool("git", remedy="Repositories are cloned on your machine instead")


def compiler(_: Patient) -> Finding:
    """Jobs that are compiled."""
    return _tool("cc", "gcc", "icx", "clang", remedy="Jobs that compile need `environment_modules`")


def modules(_: Patient) -> Finding:
    """Environment modules: a function of login shells."""
    result = said(*login_shell(["type -t module"]))
    if result.stdout.strip():
        return ok("`module` is there")
    return warning("there is no `module`", "Job files with `environment_modules` fail here")


def containers(_: Patient) -> Finding:
    """What runs containers."""
    return _tool("apptainer", "singularity", "runc", "crun", remedy="Job files with `container` fail here")


def _tool(*programs: str, remedy: str) -> Finding:
    found = next((path for path in map(shutil.which, programs) if path), None)
    return ok(found) if found else warning("none of {} is here".format(", ".join(programs)), remedy, MISSING)
