"""The first words with a login node: a script for /bin/sh that makes the folders and finds a Python."""

import re
import shlex
from typing import Dict, List, NamedTuple, Optional

from project.core.cluster import is_job_root
from project.core.engines import DEFAULT
from project.core.errors import GridferryError, Unreachable, UsageError
from project.core.job_file.kinds import UUID_PATTERN
from project.core.layout import FOLDER, ClusterPaths

#: Modules of the standard library without which a Python is of no use to the wrapper.
_NEEDED = "import ssl, fcntl, json, sys; sys.exit(sys.version_info < (3, 6))"
#: pyenv and its like put a script in front of the interpreter; what it leads to starts 0.1 s faster.
_WHERE = "import sys; print(sys.executable)"
_UUID = re.compile(UUID_PATTERN)
_MARK = "gridferry-probe "

_SCRIPT = """\
umask 077
{root}
case $root in /*) ;; *) echo "{mark}root $root"; exit 0;; esac
mkdir -p "$root/control/active" "$root/control/follower" {job_folders}|| {{ echo "{mark}failed folder"; exit 0; }}
control=$root/control me=$(id -u)
owned=$(find "$root" "$control" -prune -user "$me" | wc -l)
[ "$owned" -eq 2 ] && [ -O "$root" ] && [ -O "$control" ] && chmod go-rwx "$root" "$control" ||
    {{ echo "{mark}foreign $root"; exit 0; }}
[ "$(cat "$control/engine" 2>/dev/null)" = {engine} ] || printf '%s' {engine} > "$control/engine"
may_run() {{
    case $1 in {own_python}) return 0;; */*) ;; *) return 0;; esac
    [ -n "$(find -L "$1" -prune {safe} 2>/dev/null)" ]
}}
python=
[ -O "$control/python" ] && python=$(cat "$control/python")
if [ -z "$python" ] || [ ! -x "$python" ]; then
    for python in {candidates} ''; do
        [ -n "$python" ] || break
        may_run "$python" || {{ echo "{mark}passed_over $python"; continue; }}
        python=$("$python" -I -S -c {where} 2>/dev/null </dev/null) || continue
        "$python" -I -S -c {needed} </dev/null >/dev/null 2>&1 && printf '%s' "$python" > "$control/python" && break
    done
fi
[ -O "$control/{program}" ] && echo "{mark}program present"
echo "{mark}root $root"
echo "{mark}python $python"
"""
#: What of a program's file says that nobody but root and the user can have put it there, or change it.
_SAFE = '\\( -user 0 -o -user "$me" \\) ! -perm -002 \\( -group 0 -o ! -perm -020 \\)'
_CANDIDATES = (
    "python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3.8",
    "python3.7", "python3.6", "/usr/libexec/platform-python",
)  # fmt: skip


class ProbeAnswer(NamedTuple):
    """What a login node is like.

    Attributes:
        paths: of Gridferry there.
        python: interpreter to run the wrapper with.
        has_program: whether the program asked for is there already.
    """

    paths: ClusterPaths
    python: str
    has_program: bool


def probe_script(
    *,
    job_root: str,
    python: str,
    program: str,
    own_python: str = "",
    job_uuid: Optional[str] = None,
    engine: str = DEFAULT,
) -> str:
    """Return the script.

    Args:
        job_root: of the cluster: "" for the home, an absolute path, or one that begins with `$SCRATCH` or its like.
        python: of the cluster, tried first if only root or the user can change it; "" for none.
        own_python: what the user's settings say instead, whoever it belongs to.
        program: file name of the zipapp that shall be run.
        job_uuid: the job whose folder shall be made, if any.
        engine: the cluster's workload manager.

    Raises:
        GridferryError: the cluster's `job_root` holds characters that no path of a cluster needs.
        UsageError: that is no job's UUID.
    """
    if job_uuid is not None and _UUID.fullmatch(job_uuid) is None:
        raise UsageError(f"{job_uuid!r} is no job's UUID", remedy="Give the UUID that the submission printed")
    if not is_job_root(job_root):
        raise GridferryError(
            f"the registry's `job_root` of this cluster is {job_root!r}",
            remedy="Ask its administrator to correct it",
        )
    folders = "" if job_uuid is None else f'"$root/jobs/{job_uuid}/work" "$root/jobs/{job_uuid}/control" '
    candidates = [shlex.quote(candidate) for candidate in (own_python, python, *_CANDIDATES) if candidate]
    return _SCRIPT.format(
        root=_root_line(job_root),
        mark=_MARK,
        job_folders=folders,
        candidates=" ".join(candidates),
        own_python=shlex.quote(own_python),
        safe=_SAFE,
        where=shlex.quote(_WHERE),
        needed=shlex.quote(_NEEDED),
        program=program,
        engine=shlex.quote(engine),
    )


def _root_line(job_root: str) -> str:
    """Return the line that sets $root; variables such as $SCRATCH are the login shell's to know.

    What its profile prints comes before, so the last line counts.
    """
    if "$" in job_root:
        inner = f'printf "\\n%s\\n" "{job_root}"'
        return f"root=$(bash -l -c {shlex.quote(inner)} 2>/dev/null </dev/null | tail -n 1)/{FOLDER}"
    return 'root="{}"/{}'.format(job_root or "$HOME", FOLDER)


def parse_probe(answer: str, cluster: str) -> ProbeAnswer:
    """Read the script's answer, whatever else was printed.

    Raises:
        GridferryError: there is no Python, or no folder to work in.
        Unreachable: the answer is no answer.
    """
    found = _marked(answer)
    if found.get("failed"):
        raise GridferryError(
            f"the job folder on {cluster} cannot be made",
            remedy="Check your quota there, and the cluster's `job_root`",
            detail=answer[-1000:],
        )
    if found.get("foreign"):
        raise GridferryError(
            f"the folder {found['foreign']} on {cluster} belongs to somebody else, who could change your jobs",
            remedy="Tell the registry's administrator: `job_root` must lead to a folder of each user's own",
        )
    if "root" not in found or not found["root"].startswith("/"):
        raise Unreachable(f"the shell on {cluster} gave no usable answer", detail=answer[-1000:])
    if not found.get("python"):
        raise GridferryError(
            f"there is no Python 3.6 or newer on the login node of {cluster}",
            remedy=_python_remedy(found.get("passed_over", "")),
        )
    return ProbeAnswer(ClusterPaths(found["root"]), found["python"], "program" in found)


def _python_remedy(passed_over: str) -> str:
    if passed_over.startswith("/"):
        return (
            f"{passed_over} was not run, since others could change it; if you trust it, set `python` of this cluster "
            "to it in your settings"
        )
    return "Ask the registry's administrator to set `python` of this cluster to its path"


def _marked(answer: str) -> Dict[str, str]:
    lines: List[str] = [line[len(_MARK) :] for line in answer.splitlines() if line.startswith(_MARK)]
    return dict(line.partition(" ")[::2] for line in lines)
