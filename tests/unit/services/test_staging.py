"""What the user asks for, and what staging modules, real processes, make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from project.adapters.modules import LocalModules
from project.core.errors import ModuleFailed
from project.core.job_file.validate import validate
from project.core.module_steps import ModuleStep
from project.core.problems import InvalidDocument
from project.services.request import SubmitRequest
from project.services.staging import run_staging
from tests.unit.services.ports import UUID, ListeningView, Person

if TYPE_CHECKING:
    from pathlib import Path

_SECRETS = {"private_key": "~/.ssh/secret-id", "passphrase": "correct horse"}
_INPUT: dict[str, Any] = {
    "username": "jdoe", "user_mail": "j@example.org", "destination_cluster": "nic5", "execution": "true", **_SECRETS,
}  # fmt: skip
_SET_QOS = """
import json, sys
document = json.load(sys.stdin)
document.setdefault("resources", {})["qos"] = "long"
print(json.dumps(document))
"""


def request_of(folder: Path, *scripts: str, stage: str = "staging", **keys: Any) -> SubmitRequest:
    """A request with these Python programs as modules."""
    steps, files = [], {}
    for number, script in enumerate(scripts, 1):
        name = f"m{number}.py"
        (folder / name).write_text(script)
        steps.append(ModuleStep(stage, number, name, f"python3 {name}"))
        files[name] = folder / name
    user_input = {**_INPUT, **keys}
    return SubmitRequest("job.yml", user_input, validate(user_input, source="job.yml"), steps, files, None)


class Stage:
    """Staging with real modules, and a person who may be asked."""

    def __init__(self, *answers: str) -> None:
        self.view = ListeningView()
        self.person = Person(*answers)
        self.asked_for_history = 0

    def run(self, request: SubmitRequest) -> tuple[SubmitRequest, list[dict[str, Any]]]:
        """Run the staging modules of a request."""
        return run_staging(
            request,
            modules=LocalModules(),
            prompter=self.person,
            view=self.view,
            job_uuid=UUID,
            history=self._history,
        )

    def _history(self) -> list[dict[str, Any]]:
        self.asked_for_history += 1
        return []


def test_modules_change_the_request_in_their_order(tmp_path: Path) -> None:
    """Each gets what the one before it made; what each printed is kept."""
    count = "import json, sys; d = json.load(sys.stdin); k = d.setdefault('kwargs', {}); k['n'] = k.get('n', 0) + 1;"
    count += "print('counted', k['n'], file=sys.stderr); print(json.dumps(d))"
    stage = Stage()
    changed, results = stage.run(request_of(tmp_path, _SET_QOS, count, count))
    assert changed.spec.resources.qos == "long"
    assert changed.user_input["kwargs"] == {"n": 2}
    assert [(result["module"], result["step"]) for result in results] == [("m1.py", 1), ("m2.py", 2), ("m3.py", 3)]
    assert [line for line in stage.view.said if "counted" in line] == ["counted 1", "counted 2"]
    assert stage.view.stages == [f"staging module {n} (m{n}.py)" for n in (1, 2, 3)]
    assert stage.asked_for_history == 1


def test_modules_of_other_stages_are_left_alone(tmp_path: Path) -> None:
    """Nothing runs, nobody asks for past jobs, the request is the same."""
    stage = Stage()
    request = request_of(tmp_path, "raise SystemExit(1)", stage="preprocessing")
    assert stage.run(request) == (request, [])
    assert stage.asked_for_history == 0


def test_modules_never_see_secrets_and_cannot_lose_them(tmp_path: Path) -> None:
    """What they get and what they give holds none; what the user said is still known afterwards."""
    look = "import sys; text = sys.stdin.read(); open(sys.argv[1], 'w').write(text + repr(sys.argv)); print(text)"
    stage = Stage()
    request = request_of(tmp_path, look)
    request.steps[0] = request.steps[0]._replace(execution=f"python3 m1.py {tmp_path}/seen")
    changed, results = stage.run(request)
    seen = (tmp_path / "seen").read_text() + json.dumps(results) + repr(changed) + json.dumps(changed.public_input)
    assert not [secret for secret in _SECRETS.values() if secret in seen]
    assert {key: changed.user_input[key] for key in _SECRETS} == _SECRETS
    assert changed.spec.private_key == _SECRETS["private_key"]


def test_a_module_that_makes_something_invalid_ends_it(tmp_path: Path) -> None:
    """The problems are those of the job file after its modules."""
    script = _SET_QOS.replace('"qos"] = "long"', '"duraton"] = "x"')
    with pytest.raises(InvalidDocument, match="after its staging modules"):
        Stage().run(request_of(tmp_path, script))


@pytest.mark.parametrize("answers", [("n",), ()])
def test_a_module_that_fails_ends_it_unless_the_user_goes_on(tmp_path: Path, answers: tuple[str, ...]) -> None:
    """No, or nobody to ask: the failure is the error; what the module said has been shown."""
    stage = Stage(*answers)
    script = "import sys; print('that is too much', file=sys.stderr); sys.exit(1)"
    with pytest.raises(ModuleFailed, match=r"staging module 1 \(m1.py\)"):
        stage.run(request_of(tmp_path, script, _SET_QOS))
    assert any("that is too much" in line for line in stage.view.said)
    assert stage.view.stages[-1] == "failed"
    assert len(stage.person.asked) == 1


def test_going_on_without_a_module_keeps_what_there_was(tmp_path: Path) -> None:
    """The next one gets what the failed one got; only those that worked are on record."""
    stage = Stage("y")
    changed, results = stage.run(request_of(tmp_path, "raise SystemExit('no')", _SET_QOS))
    assert changed.spec.resources.qos == "long"
    assert [result["module"] for result in results] == ["m2.py"]


def test_the_same_request_has_the_same_hash(tmp_path: Path) -> None:
    """Whatever the secrets are; another input or other modules give another one."""
    request = request_of(tmp_path, _SET_QOS)
    assert request.sha256 == request_of(tmp_path, _SET_QOS, passphrase="other").sha256
    others = [request_of(tmp_path), request_of(tmp_path, _SET_QOS, kwargs={"a": 1}), request_of(tmp_path, "", "")]
    assert len({request.sha256, *(other.sha256 for other in others)}) == 4


def test_odd_keys_of_the_users_own_do_no_harm(tmp_path: Path) -> None:
    """Keys of kwargs that look like numbers come as text, beside others."""
    assert request_of(tmp_path, kwargs={"1": "a", "b": {"2.5": None}}).sha256
