"""What Slurm's commands print: every reader of an answer, found by itself, with real answers that were damaged."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from project.core import slurm
from project.core.errors import GridferryError, SchedulerUnavailable
from project.core.explain.facts import Cluster, gather
from project.core.explain.tasks import explain_tasks, whole_array
from project.core.explain.verdict import explain
from project.core.job import JobSpec
from project.core.slurm.commands import SACCT_COLUMNS, CommandResult, QueueRow, Sacct
from project.core.slurm.nodes import count_gpus, expand_nodes
from project.core.slurm.reasons import obstacle
from project.core.slurm.refusals import is_about_limits, is_refusal, is_silence
from project.core.slurm.states import parse_state
from project.core.slurm.waiting import waiting
from project.wrapper.follow import observe
from tests.unit.fuzz.words import WORDS, cut_up

_RECORDED = Path(__file__).resolve().parents[2] / "recorded"
_ANSWERS = [json.loads(path.read_text()) for path in sorted(_RECORDED.glob("slurm-*/*.json"))]
_CONFIG = "Configuration data as of 2026-11-20T10:00:00\nMaxArraySize            = 1001\nMaxJobCount  = 10000\n"


def _readers() -> list[type[Any]]:
    """Every class of project.core.slurm that reads an answer."""
    modules = (
        importlib.import_module(f"{slurm.__name__}.{found.name}") for found in pkgutil.iter_modules(slurm.__path__)
    )
    classes = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)}
    return sorted(
        (kind for kind in classes if hasattr(kind, "parse") and hasattr(kind, "argv")), key=lambda kind: kind.__name__
    )


def _made(kind: type[Any]) -> Any:
    lists = ("ids", "slurm_job_ids", "options")
    wanted = [name for name in kind._fields if name not in kind._field_defaults]
    return kind(**{name: ["1"] if name in lists else "1" for name in wanted})


_STDOUT = (
    cut_up(_CONFIG, "4711;cluster\n", *(answer["stdout"][:3000] for answer in _ANSWERS if answer["stdout"])) | WORDS
)
_STDERR = cut_up("", *(answer["stderr"][:1000] for answer in _ANSWERS if answer["stderr"])) | WORDS
_RESULTS = st.builds(CommandResult, st.sampled_from([0, 1, None, -9]), _STDOUT, _STDERR)


def test_all_readers_are_found() -> None:
    """The known ones are among them, so that the test below tests something."""
    assert {"Sbatch", "Squeue", "Sacct", "Sinfo", "ShowPartitions", "WouldStart"} <= {
        kind.__name__ for kind in _readers()
    }


@pytest.mark.parametrize("kind", _readers(), ids=lambda kind: kind.__name__)
@given(result=_RESULTS)
def test_no_answer_breaks_its_reader(kind: type[Any], result: CommandResult) -> None:
    """It is read as something JSON can say, or is an error of the tree."""
    with contextlib.suppress(GridferryError):
        json.dumps(_made(kind).parse(result), allow_nan=False)


_COLUMN = WORDS | st.sampled_from(["41", "41_1", "41_[1-3%2]", "uuid", "RUNNING", "CANCELLED by 0", "N/A", "Unknown"])


@given(st.lists(st.lists(_COLUMN, min_size=7, max_size=7), max_size=3), st.lists(st.lists(_COLUMN), max_size=3))
def test_no_rows_break_the_follower(queue: list[list[str]], account: list[list[str]]) -> None:
    """Any word in any column: it is passed over or kept, or refused in the way the follower knows."""
    printed = "".join("\x1f".join((row + ["uuid"] * 20)[: len(SACCT_COLUMNS)]) + "\n" for row in account)
    with contextlib.suppress(SchedulerUnavailable, ValueError):
        rows = Sacct(["41"]).parse(CommandResult(0, printed, ""))
        tasks = observe.observe("uuid", "41", ["1", "2"], {}, [QueueRow(*row) for row in queue], rows)
        observe.changes([], tasks, 2)


_CELLS = st.sampled_from(
    ["JobID", "State", "NodeList", "MaxRSS", "NCPUS", "NNodes", "AllocTRES", "Elapsed", "ExitCode"]
)
_NODE = st.dictionaries(st.sampled_from(["name", "state", "reason"]), WORDS)


@example({"NodeList": ["n1"]}, [{"name": "n1"}])
@given(st.dictionaries(_CELLS, st.lists(WORDS | st.just("mem=1G"), max_size=3)), st.lists(_NODE, max_size=2))
def test_no_words_break_an_explanation(columns: dict[str, list[str]], nodes: list[dict[str, str]]) -> None:
    """Whatever Slurm told of a job and its nodes, there is a sentence about it."""
    job: dict[str, Any] = {"state": "RUNNING", "outcome": None, "job_status": columns, "timeline": []}
    spec, cluster = JobSpec("j", "j@x", ["c"], ["x"]), Cluster(nodes)
    assert explain(gather(job, spec, cluster), "uuid").sentence
    part = whole_array(job)
    listed = [{**job, "job_uuid": "uuid", "counts": {}, "campaign": {"indexes": "1"}}]
    assert explain_tasks([part], listed, spec, cluster, "uuid")[0].sentence


@given(WORDS | cut_up("n[1-3,7],login", "gpu:a100:4(S:0-1),gpu:2,lustre:1", "CANCELLED by 1000", "JobHeldUser"))
def test_no_word_breaks_what_reads_words(text: str) -> None:
    """Lists of nodes, generic resources, states, reasons and complaints."""
    assert len(expand_nodes(text)) <= 100_000
    for read in (count_gpus, parse_state, waiting, obstacle, is_refusal, is_silence, is_about_limits):
        read(text)


def test_lists_of_nodes_without_end_have_one() -> None:
    """However often a range of everything is repeated."""
    assert len(expand_nodes("n[{}]".format(",".join(["0-99999999"] * 5000)))) <= 100_000
    assert len(expand_nodes(",".join(["n[0-99999999]"] * 5000))) <= 100_000
