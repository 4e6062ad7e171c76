"""The registry's page as people see it, in a real browser: how it looks, and who gets in."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.contract.processes import find_program
from tests.contract.registry_process import AT, PASSWORD, RegistryProcess, entry, state
from tests.e2e import page_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.browser import Browser

_DESKTOP_PX, _PHONE_PX = 1280, 390
_LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA
_SCRIPTS = Path(__file__).with_name("page_measures")
_BARS = (_SCRIPTS / "bars.js").read_text()
_CONTRASTS = (_SCRIPTS / "contrasts.js").read_text()
_STICKING_OUT = (_SCRIPTS / "sticking_out.js").read_text()


class Scene(NamedTuple):
    """A browser that looks at a furnished registry.

    Attributes:
        browser: the window.
        jobs: the UUIDs of `ann`'s jobs, by name.
        registry: it.
    """

    browser: Browser
    jobs: dict[str, str]
    registry: RegistryProcess


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One browser and one registry for all tests here; SCREENSHOTS may name a folder for pictures."""
    pytest.importorskip("selenium", reason="selenium is not installed (pip install -e '.[dev]')")
    from tests.e2e import browser  # noqa: PLC0415 - needs selenium

    for program in browser.PROGRAMS:
        if find_program(program) is None:
            pytest.skip(f"no {program} here (tools/install-system.sh test): the page is not looked at")
    folder = tmp_path_factory.mktemp("page")
    photographs = Path(os.environ["SCREENSHOTS"]) if os.environ.get("SCREENSHOTS") else None
    registry = RegistryProcess(folder / "registry", GRIDFERRY_API_LOGIN_ATTEMPTS="3")
    registry.furnish()
    registry.add_user("root", admin=True)
    with registry.started():
        jobs = page_content.furnish(registry)
        with browser.browser_started(registry.url, folder, photographs) as window:
            yield Scene(window, jobs, registry)


@pytest.fixture
def scene(furnished: Scene) -> Scene:
    """The scene with the login form in front of a stranger, on a desktop."""
    furnished.browser.forget()
    furnished.browser.resize(_DESKTOP_PX)
    furnished.browser.prefer("light")
    furnished.browser.open()
    furnished.browser.complaints()
    return furnished


def _log_in(browser: Browser, password: str = PASSWORD, *, name: str = "ann") -> None:
    browser.type("name", name)
    browser.type("password", password)
    browser.press("Log in")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "width_px"), [("desktop", _DESKTOP_PX), ("phone", _PHONE_PX)])
def test_every_page_is_whole_and_readable(scene: Scene, device: str, width_px: int, scheme: str) -> None:
    """On any screen and in both colour schemes nothing sticks out, contrasts suffice, and the console is silent."""
    browser, jobs, _ = scene
    pages = {name: f"/ui/jobs/{jobs[name]}" for name in ("array", "broken", page_content.LONG_NAME)}
    browser.prefer(scheme)
    for name, address in {"login": "/", "home": "/", **pages}.items():
        if name == "home":
            _log_in(browser)
        browser.resize(width_px)
        browser.open(address)
        browser.run("document.querySelectorAll('details').forEach(e => e.open = true)")
        browser.photograph(f"{name[:10]}-{device}-{scheme}")
        assert browser.run(_STICKING_OUT) == [], name
        poor = [(text, ratio) for text, ratio in browser.run(_CONTRASTS) if ratio < _LEAST_CONTRAST]
        assert poor == [], name
    assert browser.complaints() == []


def test_bars_are_as_long_as_what_they_count(scene: Scene) -> None:
    """A cluster's bar shows its CPUs in use, out of service and free, in proportion and side by side."""
    _log_in(scene.browser)
    bars = scene.browser.run(_BARS)
    for name, cpus in page_content.CPUS.items():
        begin = 0.0
        for kind in ("allocated", "other", "idle"):
            length = cpus[kind] / cpus["total"]
            assert bars[f"CPUs of {name}"].get(kind, [begin, 0.0]) == pytest.approx([begin, length], abs=0.005)
            begin += length
    assert "80 of 400 CPUs free · 20 out of service" in scene.browser.texts("article")[2]
    assert "takes no jobs now" in scene.browser.texts("article")[0]


def test_jobs_at_a_glance_lead_to_their_timeline(scene: Scene) -> None:
    """The list tells state and tasks; a job's page tells every step in order, what went wrong, and each task."""
    _log_in(scene.browser)
    rows = dict(zip(reversed(scene.jobs), scene.browser.texts("table.jobs tbody tr"), strict=True))
    assert "40 COMPLETED · 12 RUNNING · 5 PENDING · 3 FAILED" in rows["array"]
    assert "PENDING Resources" in rows["waiting"]
    scene.browser.open(f"/ui/jobs/{scene.jobs['array']}")
    assert scene.browser.texts(".timeline strong") == ["CREATED", *page_content.STEPS]
    assert len(scene.browser.texts(".card.scroll tbody tr")) == len(page_content.TASKS)
    scene.browser.open(f"/ui/jobs/{scene.jobs['broken']}")
    assert scene.browser.texts(".timeline li")[2].splitlines()[1] == "make ended with 2"
    assert "ERROR at COMPILING" in scene.browser.texts(".timeline li")[2]
    assert "solver.c:48" in scene.browser.texts(".timeline pre")[0]


_MARKUP = (
    '"><img src=x onerror="window.smuggled=1"><script>window.smuggled=1</script>'
    "<svg onload='window.smuggled=1'></svg><style>*{display:none}</style>{{ 7*7 }}"
)


#: Whether markup is shown as text, how many elements a stranger made, whether nothing ran, whether all is visible.
_FOREIGN = """
    const made = document.querySelectorAll('script, style, [src=x], [onerror], [onload]');
    const shown = document.body.textContent.includes('onerror');
    return [shown, made.length, window.smuggled === undefined, getComputedStyle(document.body).display];
"""


def _write_everywhere(registry: RegistryProcess, word: str) -> str:
    """Have somebody's job, modules, cluster and nodes say a word wherever they may; return the job's UUID."""
    registry.put_cluster("hostile")
    job_uuid = str(uuid.uuid4())
    user_input = {"job_name": word, "username": word, "output": [word], word: word}
    paths = dict.fromkeys(("job_directory", "working_directory", "online_job_file", "tar_file", "commit"), word)
    body = {"user_input": user_input, "modules": [{word: word}], "destination_cluster": "hostile", **paths}
    assert registry.call("POST", f"/jobs/{job_uuid}", body, user="eve").status_code == 201
    said = {"reason": word, "detail": word, "stage": word, "since": word, "exit_code": word}
    entries = [
        entry(job_uuid, 1, "tasks", rows=[{"task": "", "JobID": word, "State": word, "NodeList": word}]),
        entry(job_uuid, 2, "module", module=word, stage=word, output=word),
        entry(job_uuid, 3, word[:99], message=word),
        entry(job_uuid, 4, "notice", severity="error", message=word, stage=word, detail=word, flag=word),
        state(job_uuid, 5, word[:99], **said),
        state(job_uuid, 6, "FAILED", **said),
    ]
    node = {"name": word, "state": word, "reason": word, "since": word, "gres": word}
    status = {"taken_at": AT, "nodes": [node]}
    answer = registry.report(*entries, user="eve", cluster="hostile", cluster_status=status).json()
    assert answer["acknowledged"] == {job_uuid: 6}, answer
    return job_uuid


def test_markup_of_strangers_is_text(scene: Scene) -> None:
    """In a label, a module, a reason, a path or a node it is shown as it is written; nothing runs, or is tried."""
    scene.registry.add_user("eve")
    job_uuid = _write_everywhere(scene.registry, _MARKUP)
    try:
        _log_in(scene.browser, name="eve")
        for page in ("/", f"/ui/jobs/{job_uuid}"):
            scene.browser.open(page)
            assert scene.browser.run(_FOREIGN) == [True, 0, True, "block"], page
        assert scene.browser.complaints() == []
    finally:
        scene.registry.call("DELETE", "/clusters/hostile", user="root")


def test_a_script_smuggled_in_does_not_run(scene: Scene) -> None:
    """Should a page ever hold a foreign script or style, the browser refuses it, since the page's policy says so."""
    scene.browser.run("""
        const script = document.createElement('script');
        script.textContent = 'window.smuggled = true';
        document.body.append(script);
        document.body.setAttribute('style', 'opacity: 0');
    """)
    assert scene.browser.run("return window.smuggled ?? null") is None
    assert scene.browser.run("return getComputedStyle(document.body).opacity") == "1"
    complaints = scene.browser.complaints()
    assert len(complaints) == 2
    assert all("Content Security Policy" in complaint for complaint in complaints)


def test_a_wrong_password_is_told_until_one_must_wait(scene: Scene) -> None:
    """The form comes back with the name, without the password; after too many it says when to try again."""
    for _ in range(3):
        scene.browser.open()
        _log_in(scene.browser, "wrong", name="root")
        assert scene.browser.texts("h1") == ["Log in"]
        assert len(scene.browser.texts("[role=alert]")) == 1
    values = scene.browser.run("return [...document.querySelectorAll('label input')].map(input => input.value)")
    assert values == ["root", ""]
    scene.browser.open()
    _log_in(scene.browser, name="root")
    assert "Try again in" in scene.browser.texts("[role=alert]")[0]


def test_logged_out_is_out(scene: Scene) -> None:
    """The button ends the session: neither an address nor the browser's way back shows a job any more."""
    _log_in(scene.browser)
    page = f"/ui/jobs/{scene.jobs['array']}"
    scene.browser.open(page)
    scene.browser.press("Log out")
    assert scene.browser.texts("h1") == ["Log in"]
    scene.browser.back()
    assert "Timeline" not in scene.browser.texts("h2")
    scene.browser.open(page)
    assert scene.browser.texts("h1") == ["Log in"]


def test_forms_of_other_sites_are_refused(scene: Scene) -> None:
    """A foreign page can neither log somebody out nor in; a form of ours whose token is wrong is no better."""
    _log_in(scene.browser)
    for path in ("/logout", "/login"):
        form = f"<form method=post action={scene.browser.url}{path}><input name=name value=ann><button>Win</button>"
        scene.browser.open(f"data:text/html,{form}")
        scene.browser.press("Win")
        assert "this form is too old, or not ours" in scene.browser.texts("main")[0]
    scene.browser.open()
    assert "Your jobs" in scene.browser.texts("h1")
    scene.browser.run("document.querySelector('[name=form_token]').value = 'guessed'")
    scene.browser.press("Log out")
    assert "Go back, reload the page and try again" in scene.browser.texts("main")[0]
    scene.browser.open()
    assert "Your jobs" in scene.browser.texts("h1")
