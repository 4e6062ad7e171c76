"""One place speaks HTTP and one SMTP, so that what is tried of their TLS holds for every call; none turns it off."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = [path for folder in ("project", "api_srv", "modules") for path in sorted((_ROOT / folder).rglob("*.py"))]
_IMPORT = re.compile(r"^\s*(?:import|from) ([\w.]+)", re.MULTILINE)
#: What can speak HTTP or mail, with who may.
_SPEAKERS: dict[str, set[str]] = {
    "http": set(),
    "urllib": set(),
    "http.client": {"project/wrapper/exchange.py"},
    "urllib.request": {"project/wrapper/exchange.py"},
    "smtplib": {"api_srv/mailer/smtp.py"},
    "ssl": {"api_srv/mailer/smtp.py"},
    "requests": set(),
    "urllib3": set(),
    "aiohttp": set(),
    "httpx": set(),
}
_TURNED_OFF = re.compile(
    r"CERT_NONE|_create_unverified|_create_stdlib_context|check_hostname|verify_mode|verify=False"
)


def test_one_place_speaks_http_and_one_smtp() -> None:
    """Another one would have to prove, too, that it looks at certificates and sends no token to whoever asks."""
    found: dict[str, set[str]] = {name: set() for name in _SPEAKERS}
    for path in _SOURCES:
        for name in _IMPORT.findall(path.read_text()):
            if name in found:
                found[name].add(str(path.relative_to(_ROOT)))
    assert found == _SPEAKERS


def test_nobody_turns_the_checks_of_certificates_off() -> None:
    """Neither by a setting of a context nor by a context that checks nothing."""
    assert [str(path) for path in _SOURCES if _TURNED_OFF.search(path.read_text())] == []
