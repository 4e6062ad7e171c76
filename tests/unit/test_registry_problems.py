"""What callers are told when something breaks inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from api_srv import create_app
from api_srv.config import Settings
from api_srv.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

_HTML = {"Accept": "text/html"}


class Broken:
    """A database on which everything fails in one way."""

    kind = "broken"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:
        def fail(*_arguments: Any, **_more: Any) -> NoReturn:
            raise self._error

        return fail


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (StoreUnavailable("disk on fire"), 503, "The database is away"),
        (RuntimeError("a secret detail"), 500, "The registry failed"),
    ],
)
def test_no_failure_shows_its_inside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, status: int, title: str
) -> None:
    """Programs get a JSON problem, browsers a page, the log the rest; nobody a traceback."""
    client = create_app(Settings(data_dir=tmp_path), Broken(error)).test_client()
    bearer = {"Authorization": "Bearer x"}
    program = client.get("/jobs", headers=bearer)
    assert (program.status_code, program.json and program.json["title"]) == (status, title)
    browser = client.get("/jobs", headers=bearer | _HTML)
    assert (browser.status_code, browser.mimetype) == (status, "text/html")
    assert title in browser.text
    assert "Traceback" not in program.text + browser.text
    assert "a secret detail" not in program.text + browser.text
    assert str(error) in caplog.text
