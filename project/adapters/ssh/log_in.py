"""Proves to the server who we are: keys first, then whatever else it asks for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import paramiko

from project.core.errors import AuthenticationFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from project.adapters.ssh.destination import Destination
    from project.adapters.ssh.keyring import Keyring, Offer
    from project.adapters.ssh.session import Session
    from project.ports import Prompter

#: How often a person may mistype an answer, as with ssh (NumberOfPasswordPrompts).
_TRIES = 3


class LogIn:
    """One login.

    Args:
        session: a session whose host key has been verified.
        destination: where and as whom.
        prompter: answers what the server asks besides the key.
    """

    def __init__(self, session: Session, destination: Destination, prompter: Prompter) -> None:
        self._session = session
        self._destination = destination
        self._prompter = prompter
        self._refused: list[str] = []

    def with_keys(self, keyring: Keyring) -> None:
        """Log in, offering one key after the other.

        Raises:
            AuthenticationFailed: no key was taken, or a further question was answered wrongly.
            Unreachable: the connection broke meanwhile.
        """
        for offer in keyring.offers(self._destination):
            further = self._offer(offer)
            if further is not None and (not further or self._answer(further)):
                return
            self._refused.append(offer.name)
        raise self._no_key_left(keyring.unusable)

    def _offer(self, offer: Offer) -> Sequence[str] | None:
        """Return the methods the server wants besides this key, or None if it does not want the key."""
        try:
            return self._attempt(
                lambda done: self._session.authenticator.auth_publickey(self._user, offer.take(), done)
            )
        except paramiko.BadAuthenticationType as error:
            return error.allowed_types
        except paramiko.SSHException:  # refused, or the agent does not sign
            self._check_line()
            return None

    def _answer(self, methods: Sequence[str]) -> bool:
        """Do what the server wants besides the key; false when that is another key."""
        while methods:
            if "keyboard-interactive" in methods:
                methods = self._with_tries(self._interactive)
            elif "password" in methods:
                methods = self._with_tries(self._password)
            elif "publickey" in methods:
                return False
            else:
                raise self._failed(f"wants {', '.join(methods)}, which is not supported", "")
        return True

    def _with_tries(self, method: Callable[[], Sequence[str]]) -> Sequence[str]:
        for _ in range(_TRIES):
            try:
                return method()
            except paramiko.AuthenticationException:
                self._check_line()
        raise self._failed("refused the answers to its questions", "Try again with the right password or code.")

    def _interactive(self) -> Sequence[str]:
        return self._attempt(lambda done: self._session.authenticator.auth_interactive(self._user, self._ask, done))

    def _ask(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        preamble = "\n".join(text for text in (title, instructions) if text)
        answers: list[str] = []
        for prompt, echo in prompts:
            question = f"{preamble}\n{prompt}" if preamble and not answers else prompt
            answers.append(self._prompter.text(question) if echo else self._prompter.secret(question))
        return answers

    def _password(self) -> Sequence[str]:
        password = self._prompter.secret(f"Password of {self._destination}")
        return self._attempt(lambda done: self._session.authenticator.auth_password(self._user, password, done))

    def _attempt(self, start: Callable[[threading.Event], None]) -> Sequence[str]:
        """Make an attempt and return what else the server wants."""
        done = threading.Event()
        try:
            start(done)
            methods: Sequence[str] = self._session.authenticator.wait_for_response(done)
        except paramiko.AuthenticationException as error:
            if done.is_set() or not self._session.is_active():
                raise
            raise Unreachable(
                f"{self._destination} does not answer the login.", "Its user directory may be down: try later."
            ) from error
        except (OSError, EOFError) as error:
            why = getattr(error, "strerror", None) or str(error) or "it was closed"
            raise Unreachable(
                f"The connection to {self._destination} broke during login: {why}.",
                "Check your network, and try again.",
            ) from error
        return methods

    @property
    def _user(self) -> str:
        return self._destination.username

    def _check_line(self) -> None:
        """Go on only while the server listens.

        Raises:
            AuthenticationFailed: it hung up, and says why.
            Unreachable: the connection has ended without a word, as one does that was cut.
        """
        if self._session.is_active():
            return
        if not self._session.farewell:
            raise Unreachable(
                f"The connection to {self._destination} ended during login, without a word.",
                "Try again; if it stays so, ask the cluster's administrators whether your account may log in.",
            )
        if "too many" in self._session.farewell.lower():
            raise self._failed(
                f"hung up after {len(self._refused) + 1} keys: {self._session.farewell}",
                "Name the right key: private_key in the job file, or IdentityFile with IdentitiesOnly in ssh_config.",
            )
        raise self._failed(
            f"hung up: {self._session.farewell}",
            "Try again; if it stays so, ask the cluster's administrators whether your account may log in.",
        )

    def _no_key_left(self, unusable: Sequence[str]) -> AuthenticationFailed:
        if not self._refused:
            return AuthenticationFailed(
                f"There is no key to log in to {self._destination} with.",
                "Name one as private_key, add one to your agent (ssh-add), or make one (ssh-keygen -t ed25519).",
                "\n".join(unusable),
            )
        return self._failed(
            f"refused every key: {'; '.join(self._refused)}",
            "Check the account name, and that your public key is in authorized_keys there or registered at the site.",
        )

    def _failed(self, what: str, remedy: str) -> AuthenticationFailed:
        return AuthenticationFailed(f"{self._destination} {what}.", remedy, self._session.notice)
