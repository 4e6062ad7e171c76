"""A second factor: what servers ask besides the key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import paramiko
import pytest
from paramiko.common import AUTH_FAILED

from project.adapters.ssh import session
from project.core.errors import AuthenticationFailed, Unreachable
from tests.contract.ssh.people import Person
from tests.contract.ssh.two_factors import CODE, TwoFactors, two_factor_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.ssh.conftest import Caller


@pytest.fixture
def two_factors(caller: Caller, host_keys: list[Path]) -> Iterator[int]:
    """The port of such a server, which is known."""
    host_key = paramiko.Ed25519Key.from_private_key_file(str(host_keys[0]))
    with two_factor_server(host_key) as port:
        caller.know(f"[127.0.0.1]:{port} ssh-ed25519 {host_key.get_base64()}\n")
        yield port


def test_a_second_factor_is_asked_for(caller: Caller, two_factors: int) -> None:
    """After the key, each prompt reaches the person: with echo if the server says so, else as a secret."""
    person = Person(secrets=[CODE], texts=["me"])
    caller.connect(None, person, host="127.0.0.1", port=two_factors)
    assert person.questions == ["Two factors\nLook at your telephone.\nYour name: ", "Code: "]


def test_a_mistyped_code_may_be_typed_again(caller: Caller, two_factors: int) -> None:
    """A wrong answer is asked for again."""
    person = Person(secrets=["654321", CODE], texts=["me", "me"])
    caller.connect(None, person, host="127.0.0.1", port=two_factors)
    assert len(person.questions) == 4


def test_wrong_codes_are_no_login(caller: Caller, two_factors: int) -> None:
    """After three wrong answers it is an authentication failure that does not repeat what was typed."""
    person = Person(secrets=["wrong-1", "wrong-2", "wrong-3"], texts=["me"] * 3)
    with pytest.raises(AuthenticationFailed, match="refused the answers") as failure:
        caller.connect(None, person, host="127.0.0.1", port=two_factors)
    assert "wrong-" not in repr(failure.value)


def test_nobody_to_ask(caller: Caller, two_factors: int) -> None:
    """What the prompter raises when it must not ask comes out unchanged, although another thread asks it."""

    class Nobody(Person):
        def text(self, question: str, default: str = "") -> str:
            raise LookupError(question, default)

    with pytest.raises(LookupError):
        caller.connect(None, Nobody(), host="127.0.0.1", port=two_factors)


def test_a_server_that_never_decides(caller: Caller, two_factors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that is neither accepted nor refused (a dead user directory) is no authentication failure."""
    decided = threading.Event()
    monkeypatch.setattr(session, "_LOGIN_GRACE_S", 0.3)
    monkeypatch.setattr(TwoFactors, "check_auth_publickey", lambda *_: decided.wait(10) and AUTH_FAILED)
    with pytest.raises(Unreachable, match="does not answer the login"):
        caller.connect(None, host="127.0.0.1", port=two_factors)
    decided.set()
