"""The client's settings: one table, and the code that keeps to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project import config
from project.config import CLUSTER_SETTINGS, SETTINGS, Setting, load_settings
from project.core.errors import UsageError
from project.core.problems import InvalidDocument

if TYPE_CHECKING:
    from project.config import Settings

_RUN = dict.fromkeys(("cluster", "username", "mail", "time", "memory"), "")
#: setting: a value, the attribute it becomes, and what it becomes
_TABLE: dict[str, tuple[str, str, Any]] = {
    "registry": ("https://r.example.org", "registry", "https://r.example.org"),
    "GRIDFERRY_TOKEN": ("secret", "token", "secret"),
    "GRIDFERRY_HOME": ("/somewhere", "home", Path("/somewhere")),
    "ssh_config": ("none", "ssh_config", None),
    "known_hosts": ("~/known", "known_hosts", Path("/home/jdoe/known")),
    "timeout_s": ("2.5", "timeout_s", 2.5),
    "plain_http": ("true", "plain_http", True),
    **{key: ("x", "run", {**_RUN, key: "x"}) for key in _RUN},
}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's home, in which nothing is."""
    monkeypatch.setenv("HOME", "/home/jdoe")


def load(folder: Path, text: str = "", **environment: str) -> Settings:
    """Write a settings file and load it."""
    path = folder / "settings.yml"
    path.write_text(text)
    return load_settings({"GRIDFERRY_SETTINGS": str(path), **environment})


def _of(name: str) -> Setting:
    return next(setting for setting in SETTINGS if name in (setting.key, setting.variable))


def test_every_setting_of_the_table_is_tested() -> None:
    """A new one cannot be forgotten here; those that name files have tests of their own."""
    own = {"token_file", "profile", "GRIDFERRY_SETTINGS"}
    assert {setting.key or setting.variable for setting in SETTINGS} == {*_TABLE, *own}
    read = set(re.findall(r"GRIDFERRY_[A-Z_]+", Path(config.__file__).read_text()))
    assert read == {setting.variable for setting in SETTINGS}


@pytest.mark.parametrize("name", _TABLE)
def test_a_setting_is_taken_from_the_environment(tmp_path: Path, name: str) -> None:
    """Under its variable."""
    value, attribute, expected = _TABLE[name]
    assert getattr(load(tmp_path, **{_of(name).variable: value}), attribute) == expected


@pytest.mark.parametrize("name", [name for name in _TABLE if name.islower()])
def test_the_environment_goes_before_the_file(tmp_path: Path, name: str) -> None:
    """And the file before the default."""
    value, attribute, expected = _TABLE[name]
    assert getattr(load(tmp_path, f"{name}: {value}\n"), attribute) == expected
    other = {"timeout_s": "99"}.get(name, "other")
    assert getattr(load(tmp_path, f"{name}: {other}\n", **{_of(name).variable: value}), attribute) == expected


def test_without_any_there_are_defaults() -> None:
    """A newcomer needs no settings file."""
    settings = load_settings({"GRIDFERRY_SETTINGS": "/nowhere/settings.yml"})
    assert (settings.registry, settings.timeout_s, settings.token, settings.clusters) == (
        config.DEFAULT_REGISTRY, 6.0, "", {},
    )  # fmt: skip
    assert settings.home == Path("/home/jdoe/.local/share/gridferry")
    assert (settings.ssh_config, settings.known_hosts) == (
        Path("/home/jdoe/.ssh/config"), Path("/home/jdoe/.ssh/known_hosts"),
    )  # fmt: skip
    assert settings.records.is_relative_to(settings.home)
    assert settings.confirmed_hosts.is_relative_to(settings.home)


def test_the_token_may_lie_in_a_file(tmp_path: Path) -> None:
    """In the home, or where the settings say; the environment's own goes first, and it is never shown."""
    (tmp_path / "token").write_text("of the home\n")
    (tmp_path / "other").write_text("of the file\n")
    for name in ("token", "other"):
        (tmp_path / name).chmod(0o600)
    assert load(tmp_path, GRIDFERRY_HOME=str(tmp_path)).token == "of the home"
    settings = load(tmp_path, f"token_file: {tmp_path}/other\n", GRIDFERRY_HOME=str(tmp_path))
    assert settings.token == "of the file"
    assert load(tmp_path, GRIDFERRY_HOME=str(tmp_path), GRIDFERRY_TOKEN="own").token == "own"
    assert "of the file" not in repr(settings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_token_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """As ssh refuses a key that others may read or change, and the refusal does not show the token."""
    (tmp_path / "token").write_text("of the home\n")
    (tmp_path / "token").chmod(mode)
    with pytest.raises(UsageError) as caught:
        load(tmp_path, GRIDFERRY_HOME=str(tmp_path))
    assert "chmod 600" in str(caught.value)
    assert "of the home" not in str(caught.value)


def test_a_token_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A folder in its place."""
    with pytest.raises(UsageError, match=r"token file .* cannot be read"):
        load(tmp_path, GRIDFERRY_TOKEN_FILE=str(tmp_path))


def test_clusters_have_settings_of_their_own(tmp_path: Path) -> None:
    """Whatever differs there; a cluster without any is fine."""
    keys = "".join(f"    {setting.key}: x\n" for setting in CLUSTER_SETTINGS)
    settings = load(tmp_path, f"clusters:\n  nic5:\n{keys}  lemaitre3:\n")
    assert settings.clusters == {"nic5": {setting.key: "x" for setting in CLUSTER_SETTINGS}, "lemaitre3": {}}


@pytest.mark.parametrize(
    ("text", "key", "line", "remedy"),
    [
        ("registri: x\n", "registri", 1, "Did you mean `registry`?"),
        ("# own\ncolour: red\n", "colour", 2, "Settings here are registry"),
        ("clusters:\n  nic5:\n    user: x\n", "clusters.nic5.user", 3, "Did you mean `username`?"),
        ("clusters:\n  nic5:\n    colour: x\n", "clusters.nic5.colour", 3, "Settings here are username"),
    ],
)
def test_unknown_settings_are_named(tmp_path: Path, text: str, key: str, line: int, remedy: str) -> None:
    """With their line and the nearest known one."""
    with pytest.raises(InvalidDocument) as caught:
        load(tmp_path, text)
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == (key, line)
    assert remedy in problem.remedy


def test_what_is_neither_true_nor_false_is_told(tmp_path: Path) -> None:
    """A wish for less safety must be clear."""
    assert load(tmp_path, "plain_http: true\n").plain_http
    with pytest.raises(UsageError, match="plain_http is 'perhaps'"):
        load(tmp_path, "plain_http: perhaps\n")


def test_a_time_that_is_none_is_told(tmp_path: Path) -> None:
    """With an example of one."""
    with pytest.raises(UsageError, match="timeout_s is 'soon'"):
        load(tmp_path, "timeout_s: soon\n")


_PROFILES = """
registry: https://usual.example.org
profiles:
  physics: {registry: https://physics.example.org, cluster: nic5}
  kept: {token_file: ~/kept}
"""


def test_a_profile_stands_over_the_rest_of_the_file(tmp_path: Path) -> None:
    """Named by the environment or the file itself; the environment's own variables still win."""
    (tmp_path / "token-physics").write_text("of physics\n")
    (tmp_path / "token-physics").chmod(0o600)
    home = {"GRIDFERRY_HOME": str(tmp_path)}
    assert load(tmp_path, _PROFILES, **home).registry == "https://usual.example.org"
    physics = load(tmp_path, _PROFILES, GRIDFERRY_PROFILE="physics", **home)
    assert (physics.registry, physics.run["cluster"]) == ("https://physics.example.org", "nic5")
    assert (physics.token, physics.token_file) == ("of physics", tmp_path / "token-physics")
    assert load(tmp_path, f"profile: physics\n{_PROFILES}", **home).profile == "physics"
    kept = load(tmp_path, _PROFILES, GRIDFERRY_PROFILE="kept", GRIDFERRY_REGISTRY="https://r.example.org", **home)
    assert (kept.registry, kept.token_file) == ("https://r.example.org", Path("/home/jdoe/kept"))


def test_a_profile_named_on_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    """Its registry is not asked with the token of another."""
    path = tmp_path / "settings.yml"
    path.write_text(_PROFILES)
    elsewhere = {"GRIDFERRY_REGISTRY": "https://other.example.org", "GRIDFERRY_TOKEN": "of other"}
    chosen = load_settings(
        {"GRIDFERRY_SETTINGS": str(path), "GRIDFERRY_HOME": str(tmp_path), **elsewhere}, profile="physics"
    )
    assert (chosen.registry, chosen.token) == ("https://physics.example.org", "")


def test_a_profile_that_there_is_not_is_told(tmp_path: Path) -> None:
    """With the one that was probably meant; unknown keys in one are told like all others."""
    with pytest.raises(UsageError, match="no profile 'phisics'") as caught:
        load(tmp_path, _PROFILES, GRIDFERRY_PROFILE="phisics")
    assert "physics" in caught.value.remedy
    with pytest.raises(InvalidDocument) as refused:
        load(tmp_path, "profiles:\n  a:\n    registri: x\n")
    assert "profiles.a.registri" in refused.value.detail
