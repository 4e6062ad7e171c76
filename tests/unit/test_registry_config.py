"""The registry's settings."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from api_srv.config import Settings, load, variable
from api_srv.errors import SettingsInvalid
from project.core.cluster import FIELDS

_PAGE = Path(__file__).parents[2] / "docs" / "registry.md"


def test_flags_go_before_the_environment_and_that_before_defaults() -> None:
    """Each setting is found where the documentation says, in its type."""
    environ = {"GRIDFERRY_API_PORT": "8000", "GRIDFERRY_API_HOST": "0.0.0.0", "GRIDFERRY_API_RELAY": "No"}  # noqa: S104
    settings = load(environ, {"port": "9000", "threads": None})
    assert (settings.port, settings.host, settings.relay, settings.threads) == (9000, "0.0.0.0", False, 16)  # noqa: S104


def test_secrets_come_from_files_and_are_not_shown(tmp_path: Path) -> None:
    """`…_FILE` goes before the variable itself, and printing the settings does not tell."""
    file = tmp_path / "secret"
    file.write_text("from file\n")
    environ = {"GRIDFERRY_API_SMTP_PASSWORD": "plain", "GRIDFERRY_API_SMTP_PASSWORD_FILE": str(file)}
    settings = load(environ)
    assert settings.smtp_password == "from file"
    assert "from file" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "65536"),
        ("WORKERS", "0"),
        ("TOKEN_DAYS", "-1"),
        ("MAIL_POLL_S", "nan"),
        ("RELAY", "perhaps"),
        ("MAIL_LEASE_S", "long"),
        ("SMTP_PASSWORD_FILE", "/no"),
    ],
)
def test_wrong_values_are_named(name: str, value: str) -> None:
    """The variable and the remedy are told."""
    with pytest.raises(SettingsInvalid, match=f"GRIDFERRY_API_{name}") as caught:
        load({f"GRIDFERRY_API_{name}": value})
    assert caught.value.remedy


def test_the_documented_table_is_the_real_one() -> None:
    """docs/registry.md lists every setting with its variable, default and meaning, and no other."""
    listed = re.findall(r"^\| `(\w+)` \| `(GRIDFERRY_\w+)` \| (.*?) \| (.*?) \|$", _PAGE.read_text(), re.MULTILINE)
    real = [
        (field.name, variable(field), f"`{field.default}`" if str(field.default) else "", field.metadata["help"])
        for field in dataclasses.fields(Settings)
    ]
    assert listed == real


def test_the_documented_keys_of_a_cluster_are_the_real_ones() -> None:
    """docs/registry.md lists every key with its default and meaning; docs/protocol.md names each."""
    page = _PAGE.read_text().partition("## Commands")[0]
    listed = re.findall(r"^\| `(\w+)` \| (\*\*needed\*\*|`[^`]*`) \| (.*?) \|$", page, re.MULTILINE)
    real = [
        (key, "**needed**" if field.default is None else f"`{json.dumps(field.default)}`", field.text)
        for key, field in FIELDS.items()
    ]
    assert listed == real
    named = _PAGE.with_name("protocol.md").read_text().partition("**Cluster**")[2].partition("\n\n")[0]
    assert [key for key in FIELDS if f"`{key}`" not in named] == []
