"""Logins on the web page: what ends one ends every copy of its cookie, whatever the database and whoever has it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from api_srv.config import Settings
from api_srv.services.bundle import build
from tests.contract.registry_process import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api_srv.dao.ports import Documents
    from api_srv.services.bundle import Services
    from tests.contract.registry_process import RegistryProcess

_HOME = "127.0.0.1"


@pytest.fixture
def services(documents: Documents, tmp_path: Path) -> Services:
    """A registry on each kind of database, with accounts `ann` and `bob`."""
    services = build(Settings(data_dir=tmp_path), documents)
    for name in ("ann", "bob"):
        services.accounts.add(name, f"{name}@example.org", admin=False, password=PASSWORD)
    return services


def _begin(services: Services, name: str = "ann") -> str:
    return services.logins.begin(services.accounts.login(name, PASSWORD, _HOME))


def _whose(services: Services, *keys: str) -> list[str]:
    callers = [services.logins.whose(key) for key in keys]
    return [caller.name if caller else "" for caller in callers]


def test_a_logout_ends_one_login_for_every_process(
    services: Services, open_store: Callable[[], Documents], tmp_path: Path
) -> None:
    """Each login has a key of its own; one that was ended is unknown to all workers, the others go on."""
    keys = [_begin(services), _begin(services), _begin(services, "bob")]
    other = build(Settings(data_dir=tmp_path), open_store())
    assert _whose(other, *keys, "", "x") == ["ann", "ann", "bob", "", ""]
    services.logins.end(keys[0])
    assert _whose(other, *keys) == ["", "ann", "bob"]


def test_all_logins_of_an_account_end(services: Services) -> None:
    """With another password, even the same one again, and with the revocation of its tokens; nobody else's do."""
    keys = [_begin(services), _begin(services), _begin(services, "bob")]
    services.accounts.set_password("ann", PASSWORD)
    assert _whose(services, *keys) == ["", "", "bob"]
    keys = [_begin(services), _begin(services), *keys[2:]]
    services.logins.end_all("ann")
    assert _whose(services, *keys) == ["", "", "bob"]


def test_a_login_with_a_password_that_changed_meanwhile_is_none(services: Services) -> None:
    """Who showed the old password just before it was changed does not get past the change."""
    caller = services.accounts.login("ann", PASSWORD, _HOME)
    services.accounts.set_password("ann", "another")
    assert _whose(services, services.logins.begin(caller)) == [""]


def test_a_login_ends_with_its_time(services: Services, documents: Documents, tmp_path: Path) -> None:
    """However often it is used; and what has ended is removed by the next login."""
    brief = build(Settings(data_dir=tmp_path, session_hours=0), documents)
    assert _whose(services, _begin(brief)) == [""]
    key = _begin(services)
    assert _whose(services, key) == ["ann"]
    assert documents.count("logins") == 1


def test_a_login_is_kept_as_a_hash(services: Services, documents: Documents) -> None:
    """Who reads the database finds nothing that a cookie could hold."""
    key = _begin(services)
    assert key not in str(documents.find("logins"))


@contextmanager
def _stolen(registry: RegistryProcess) -> Iterator[tuple[requests.Session, requests.Session]]:
    """A browser that has logged in, and a thief's with a copy of its cookie."""
    with requests.Session() as browser, requests.Session() as thief:
        fields = {"form_token": _form_token(browser, registry), "name": "ann", "password": PASSWORD}
        assert "Your jobs" in browser.post(f"{registry.url}/login", fields, timeout=30).text
        thief.cookies.update(browser.cookies)
        assert "Your jobs" in thief.get(registry.url, timeout=30).text
        yield browser, thief


def _form_token(browser: requests.Session, registry: RegistryProcess) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', browser.get(registry.url, timeout=30).text)
    assert found
    return found.group(1)


def test_a_stolen_cookie_is_worth_nothing_after_the_logout(own_registry: RegistryProcess) -> None:
    """Neither for the list of jobs nor for a job, nor for data, nor after the registry was started again."""
    with own_registry.started() as registry:
        job_uuid = registry.create_job()
        with _stolen(registry) as (browser, thief):
            stolen = dict(thief.cookies)
            assert job_uuid in thief.get(f"{registry.url}/ui/jobs/{job_uuid}", timeout=30).text
            browser.post(f"{registry.url}/logout", {"form_token": _form_token(browser, registry)}, timeout=30)
            assert "Log in" in browser.get(registry.url, timeout=30).text
            for path in ("/", f"/ui/jobs/{job_uuid}"):
                seen = requests.get(registry.url + path, cookies=stolen, timeout=30)
                assert "Log in" in seen.text
                assert job_uuid not in seen.text
            assert requests.get(f"{registry.url}/jobs", cookies=stolen, timeout=30).status_code == 401
    with own_registry.started() as registry:
        assert "Log in" in requests.get(registry.url, cookies=stolen, timeout=30).text


def test_guessing_at_the_page_is_slowed(own_registry: RegistryProcess) -> None:
    """After five wrong passwords the right one is not tried any more for a while, and the page says so."""
    with own_registry.started() as registry, requests.Session() as browser:

        def log_in(password: str) -> requests.Response:
            fields = {"form_token": _form_token(browser, registry), "name": "ann", "password": password}
            return browser.post(f"{registry.url}/login", fields, timeout=30)

        assert [log_in("wrong").status_code for _ in range(5)] == [401] * 5
        refused = log_in(PASSWORD)
        assert (refused.status_code, "Your jobs" in refused.text) == (429, False)
        assert "too many" in refused.text.lower()


def test_a_second_login_ends_the_first_of_the_same_browser(own_registry: RegistryProcess) -> None:
    """A cookie copied before it is of no use after it."""
    with own_registry.started() as registry, _stolen(registry) as (browser, thief):
        stolen = dict(thief.cookies)
        fields = {"form_token": _form_token(browser, registry), "name": "ann", "password": PASSWORD}
        assert "Your jobs" in browser.post(f"{registry.url}/login", fields, timeout=30).text
        assert "Log in" in requests.get(registry.url, cookies=stolen, timeout=30).text


@pytest.mark.parametrize(
    "words", [("password", "ann", "--password-stdin"), ("revoke", "ann")], ids=lambda words: words[0]
)
def test_an_administrator_ends_every_login(own_registry: RegistryProcess, words: tuple[str, ...]) -> None:
    """Another password, or `user revoke`, in front of a running registry: no cookie opens the page any more."""
    with own_registry.started() as registry, _stolen(registry) as browsers:
        registry.command("user", *words, stdin="another\n")
        for browser in browsers:
            assert "Log in" in browser.get(registry.url, timeout=30).text
