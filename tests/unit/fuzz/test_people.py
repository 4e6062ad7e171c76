"""What people write: job files, modules files, settings, sizes, times, ids, ignore files, repositories."""

from __future__ import annotations

import contextlib
import json
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from project.adapters.job_tree import IGNORE_FILE, tree
from project.adapters.user_input import LoadedFile, apply_settings, load
from project.config import load_settings
from project.core.errors import GridferryError
from project.core.job_file.fields import FIELDS, GROUPS
from project.core.job_file.validate import validate
from project.core.job_source import parse_git
from project.core.layout import JobPaths
from project.core.module_steps import parse_modules
from project.core.problems import InvalidDocument
from project.core.slurm.ids import parse_id, parse_task_list
from project.core.slurm.script import Placement, render
from project.core.units import parse_duration_s, parse_memory_mib, parse_slurm_time_s
from tests.fuzzing import examples
from tests.unit.fuzz.words import BYTES, JSON, WORDS, cut_up

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).resolve().parents[3]
_JOB_FILE = (_ROOT / "user_input_sample.yml").read_text()
_MODULES_FILE = (_ROOT / "modules_sample.yml").read_text()
_YAML = cut_up(
    _JOB_FILE,
    _MODULES_FILE,
    "a: &x [1]\nb: *x\n<<: {c: d}\n",
    'a: "\\0\\ud800"\n',
    "? [a]\n: b\n",
    "!!python/x y: 1\n",
)


def _read(content: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.yml"
        path.write_bytes(content)
        return load(path).document


@given(_YAML.map(lambda text: text.encode("utf-8", "surrogatepass")) | BYTES)
def test_no_file_breaks_the_reading_of_yaml(content: bytes) -> None:
    """It is refused with its problems, or is something that travels as JSON in UTF-8."""
    with contextlib.suppress(GridferryError):
        json.dumps(_read(content), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize("depth", [30, 300])
def test_nesting_and_aliases_have_an_end(depth: int) -> None:
    """A few lines that stand for billions of values, or for a tower of brackets, are refused at once."""
    doubled = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, depth))
    groups = "".join(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}\n" for n in range(1, depth))
    for text in (f"a0: &a0 [x]\n{doubled}", f"a0: &a0 {{x: y}}\n{groups}", "[" * 100_000, "a: &a [*a]\n"):
        with pytest.raises(InvalidDocument):
            _read(text.encode())


@given(st.lists(st.builds("{}={}".format, WORDS, WORDS | _YAML), max_size=3))
def test_no_setting_breaks_the_command_line(settings: list[str]) -> None:
    """`--set` with anything on both sides."""
    with contextlib.suppress(GridferryError):
        loaded = LoadedFile("", {}, Path())
        apply_settings(loaded, settings)
        json.dumps(loaded.document, allow_nan=False, ensure_ascii=False).encode()


_FOLDERS = (
    "/home/jdoe",
    "/home/j doe",
    "/home/o'j",
    '/home/"j"\\',
    "/home/a#b",
    "/$(id) `id`",
    "/x\n#SBATCH --uid=0\n",
)


@given(
    st.lists(st.tuples(st.sampled_from(["cut", "key", "group"]), st.sampled_from(sorted(FIELDS)), JSON), max_size=6),
    st.sampled_from(_FOLDERS),
)
def test_no_job_file_breaks_its_validation(changes: list[tuple[str, str, Any]], folder: str) -> None:
    """Any value at any key: every problem is told, or each directive is one word on a line of its own."""
    document = dict(load(_ROOT / "user_input_sample.yml").document)
    for how, key, value in changes:
        group, _, inner = key.rpartition(".")
        if how == "group" and group:
            document[group] = value
        elif how == "cut":
            document.pop(key, None)
        elif group in GROUPS and isinstance(document.setdefault(group, {}), dict):
            document[group] = {**document[group], inner: value}
        else:
            document[key] = value
    with contextlib.suppress(GridferryError):
        spec = validate(document, source="job.yml")
        paths = JobPaths(f"{folder}/gridferry/jobs/x")
        script = render(spec, job_uuid="x", paths=paths, workdir=paths.work, placement=Placement())
        assert "\0" not in script.encode().decode()
        header, _, rest = script.partition("\n\n")
        directives = [shlex.split(line.removeprefix("#SBATCH ")) for line in header.split("\n")[1:]]
        assert all(len(words) == 1 and words[0].startswith("--") for words in directives), header
        assert "\n#SBATCH" not in rest.removesuffix("\n".join([*spec.execution, ""]))


_STEP = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("module", "execution", "compilation", "time_limit", "when", "x"), WORDS | JSON)
)


@given(
    JSON | st.dictionaries(st.sampled_from(["staging", "preprocessing", "x"]), st.dictionaries(WORDS, _STEP | JSON))
)
def test_no_modules_file_breaks_its_reading(document: Any) -> None:
    """Whatever stands in it, its steps are read, or its problems told."""
    with contextlib.suppress(GridferryError):
        parse_modules(document, source="modules.yml")


@pytest.mark.parametrize("parse", [parse_duration_s, parse_memory_mib, parse_task_list, parse_id])
@given(text=WORDS | cut_up("1d2h30m", "1-02:30:00", "2625M", "1.5GiB", "1-3,7,10-20:5%4", "123_[4-6,8%2]"))
def test_sizes_times_and_ids_are_read_or_refused(parse: Callable[[str], object], text: str) -> None:
    """ValueError says what is wrong; nothing else comes out of them."""
    with contextlib.suppress(ValueError):
        parse(text)


@given(WORDS | cut_up("30:00", "7-00:00:00", "UNLIMITED"))
def test_times_of_slurm_are_read_or_none(text: str) -> None:
    """A limit that is no time is none."""
    assert parse_slurm_time_s(text) is None or parse_slurm_time_s(text) >= 0  # type: ignore[operator] # not None here


@example("[a--b]")
@example("**/x[!a--c]")
@examples(50)
@given(cut_up("*.o\n!keep.o\n/build/\n", "**/x[!a-c]\n", "\\#x \\ \n") | WORDS)
def test_no_ignore_file_breaks_the_packing(patterns: str) -> None:
    """Whatever patterns there are: names are listed, or the file is refused."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / IGNORE_FILE).write_bytes(patterns.encode("utf-8", "surrogatepass"))
        (folder / "a").mkdir()
        (folder / "a" / "keep.o").touch()
        with contextlib.suppress(GridferryError):
            list(tree(folder))


@given(WORDS | cut_up("https://example.org/x.git#main", "git@example.org:x/y.git", "ssh://git@example.org/x"))
def test_what_names_a_repository_starts_no_command(job: str) -> None:
    """Nothing taken for a repository begins with a dash or names another transport than those allowed."""
    with contextlib.suppress(ValueError):
        source = parse_git(job)
        assert source is None or not source.url.startswith("-")
        assert source is None or "::" not in source.url.partition("/")[0]


@examples(50)
@given(cut_up("registry: https://x\nclusters: {a: {port: 22}}\nprofiles: {p: {timeout_s: 3}}\n") | WORDS)
def test_no_settings_file_breaks_the_client(text: str) -> None:
    """It is read, or refused."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "settings.yml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with contextlib.suppress(GridferryError):
            load_settings({"GRIDFERRY_SETTINGS": str(path), "GRIDFERRY_HOME": name})
