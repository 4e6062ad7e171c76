"""The programs of a fake Slurm: sbatch, squeue, sacct, scancel, scontrol and sinfo, in one.

What they know lies in files beside `$SLURM_CONF`: `state.json` holds the jobs, `script.json` what each program is to
do in its next calls instead of working as it should (see BEHAVIOURS), `calls.log` the command lines. A released job
runs at once and has ended when `scontrol release` returns; one that depends on others waits for ever.
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

Job = dict[str, Any]
State = dict[str, Any]

_FOLDER = Path(os.environ["SLURM_CONF"]).parent
_PLAIN = ""
_NO_CONTROLLER = "Unable to contact slurm controller (connect failure)"
_TIMED_OUT = "Socket timed out on send/recv operation"
_SEPARATOR = "\x1f"


def _option(words: list[str], name: str) -> str:
    return next((word.partition("=")[2] for word in words if word.startswith(f"--{name}=")), "")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def _tasks(job: Job) -> list[str]:
    first, _, last = job["array"].partition("-")
    return [str(task) for task in range(int(first), int(last or first) + 1)] if first else [_PLAIN]


def sbatch(state: State, words: list[str]) -> str:
    """Take a job script."""
    script = Path(words[-1])
    directives = [
        line[8:].strip().strip('"') for line in script.read_text().splitlines() if line.startswith("#SBATCH")
    ]
    waits_for = "JobHeldUser" if "--hold" in words else "Dependency" if _option(directives, "dependency") else ""
    job: Job = {
        "id": str(state["next_id"]),
        "name": _option(directives, "job-name"),
        "array": _option(directives, "array").partition("%")[0],
        "folder": _option(directives, "chdir"),
        "output": _option(directives, "output"),
        "error": _option(directives, "error"),
        "script": str(script),
        "reason": waits_for or "None",
        "submit": _now(),
        "ended": {},
    }
    state["next_id"] += 1
    state["jobs"].append(job)
    if not waits_for:
        _run(job)
    return f"{job['id']}\n"


def scontrol(state: State, words: list[str]) -> str:
    """Release a job: it runs here and now; or tell where the configuration is."""
    if words == ["show", "config"]:
        return f"SLURM_CONF              = {os.environ['SLURM_CONF']}\n"
    job = next((job for job in state["jobs"] if job["id"] == words[-1]), None)
    if job is None:
        raise SystemExit(f"Invalid job id specified for job {words[-1]}")
    if job["ended"]:
        raise SystemExit(
            f"Job has already finished for job {words[-1]}\nslurm_suspend error: Job has already finished"
        )
    job["reason"] = "None"
    _run(job)
    return ""


def _run(job: Job) -> None:
    import subprocess  # noqa: PLC0415 - the other programs start faster without it

    job["start"] = _now()
    for task in _tasks(job):
        own = {"SLURM_JOB_ID": job["id"], "SLURMD_NODENAME": "node1"}
        array = {"SLURM_ARRAY_JOB_ID": job["id"], "SLURM_ARRAY_TASK_ID": task} if task else {}
        with _printed(job, "output", task).open("w") as output, _printed(job, "error", task).open("w") as error:
            done = subprocess.run(
                ["bash", job["script"]], env={**os.environ, **own, **array}, cwd=job["folder"], check=False,
                stdout=output, stderr=error,
            )  # fmt: skip
        job["ended"][task] = [
            "FAILED" if done.returncode else "COMPLETED",
            f"{done.returncode % 128}:0",
        ]  # as sacct tells it
    job["end"] = _now()


def _printed(job: Job, what: str, task: str) -> Path:
    return Path(job[what].replace("%A", job["id"]).replace("%j", job["id"]).replace("%a", task))


def scancel(state: State, words: list[str]) -> str:
    """Cancel a job that has not ended; one that is not known is no error."""
    for job in state["jobs"]:
        if job["id"] in words and not job["ended"]:
            job["ended"] = {task: ["CANCELLED", "0:0"] for task in _tasks(job)}
            job["start"] = job["end"] = _now()
    return ""


def squeue(state: State, words: list[str]) -> str:
    """List jobs, in our one format; ended ones stay."""
    if "--format=%t" in words:
        return "".join("PD\n" for job in state["jobs"] if not job["ended"])
    wanted = _option(words, "name")
    lines = []
    for job in state["jobs"]:
        if wanted in ("", job["name"]):
            rows = [(task, end[0]) for task, end in job["ended"].items()] or [(job["array"], "PENDING")]
            times = (job.get("start", "N/A"), job["submit"])
            lines += [
                "|".join((job["id"], task or "N/A", word, job["reason"], *times, job["name"])) for task, word in rows
            ]
    return "".join(f"{line}\n" for line in lines)


def sacct(state: State, words: list[str]) -> str:
    """List jobs by id, or by name from a time on (midnight unless it is said), in the columns asked for.

    What begins after now is left out unless another end is said, and of other ends only "later" is known.
    """
    ids, name = _option(words, "jobs").split(","), _option(words, "name")
    columns, since = _option(words, "format").split(","), _option(words, "starttime") or _now()[:10]
    lines = []
    begun = [job for job in state["jobs"] if _option(words, "endtime") or job.get("start", "") <= _now()]
    for job in begun:
        if job["id"] in ids or (name and job["name"] == name and job.get("end", job["submit"]) >= since):
            for task, (word, exit_code) in (job["ended"] or {f"[{job['array']}]": ["PENDING", "0:0"]}).items():
                suffix = f"_{task}" if job["array"] else ""
                row = {
                    "JobID": job["id"] + suffix, "JobName": job["name"], "State": word, "ExitCode": exit_code,
                    "Submit": job["submit"], "Start": job.get("start", "Unknown"), "End": job.get("end", "Unknown"),
                    "NodeList": "node1" if word in ("COMPLETED", "FAILED") else "None assigned", "NNodes": "1",
                    "Elapsed": job.get("elapsed", "00:00:00"), "NCPUS": "1", "WorkDir": job["folder"],
                    "Timelimit": job.get("time_limit", ""),
                }  # fmt: skip
                lines.append(_SEPARATOR.join(row.get(column, "") for column in columns))
    return "".join(f"{line}\n" for line in lines)


def sinfo(_state: State, words: list[str]) -> str:
    """One idle node."""
    if _option(words, "Format"):
        return "node1  0  gpu:0\n"
    return "node1|batch*|idle|0/4/0/4|0.10|1024|512|(null)|Unknown|none\n"


PROGRAMS = {program.__name__: program for program in (sbatch, scontrol, scancel, squeue, sacct, sinfo)}

#: What a program may do instead: (works before, how it ends); the words of `end` are in `_end`.
BEHAVIOURS = {
    "fail": (0, "complain"),  # it says that the controller does not answer
    "refuse": (0, "refuse"),  # it says no for good
    "lost": (1, "time out"),  # done, and the answer is lost
    "doubled": (2, "time out"),  # done twice, and the answers are lost
    "warn": (1, "warn"),  # done, with a warning beside the answer
    "mutter": (0, "mutter"),  # it says no in words that nobody knows
    "lost after a plugin spoke": (1, "speak and time out"),  # done; words of a refusal stand above the lost answer
    "empty": (0, "say nothing"),  # it answers, and knows of nothing (yet)
    "hang": (0, "hang"),
    "lost and hang": (1, "hang"),
    "killed before": (0, "kill"),  # whoever asked is killed before anything happens
    "killed after": (1, "kill"),  # whoever asked is killed before it gets the answer
}


def _end(how: str, program: str) -> int:
    complaints = {
        "complain": _NO_CONTROLLER,
        "time out": _TIMED_OUT,
        "speak and time out": _TIMED_OUT,
        "refuse": "Invalid partition name specified",
        "mutter": "The moon is in the wrong phase",
    }
    if how == "warn":
        sys.stderr.write(f"{program}: warning: Your quota is nearly used up, invalid account or not\n")
    if how == "speak and time out":
        sys.stderr.write(f"{program}: error: lua: Invalid qos specification? We take it all the same\n")
    if how in complaints:
        sys.stderr.write(f"{program}: error: Batch job submission failed: {complaints[how]}\n")
        return 1
    if how == "hang":
        time.sleep(600)
    if how == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
    return 0


def main() -> int:
    """Do what the program named first does, or what `script.json` says."""
    program, *words = sys.argv[1:]
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (_FOLDER / "calls.log").open("a") as log:
            log.write(f"{program} {' '.join(words)}\n")
        script = json.loads((_FOLDER / "script.json").read_text())
        behaviour = (script.get(program) or [None]).pop(0)
        (_FOLDER / "script.json").write_text(json.dumps(script))
        works, ending = BEHAVIOURS.get(behaviour, (1, ""))
        state = json.loads((_FOLDER / "state.json").read_text())
        answers = [PROGRAMS[program](state, words) for _ in range(works)]
        (_FOLDER / "state.json").write_text(json.dumps(state))
    if ending in ("", "warn"):
        sys.stdout.write(answers[0])
    return _end(ending, program)


if __name__ == "__main__":
    raise SystemExit(main())
