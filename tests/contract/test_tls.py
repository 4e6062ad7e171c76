"""TLS is verified on every call: of the client, of the follower, and of the registry to its mail server."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.controller import Controller

from api_srv.config import Settings
from api_srv.mailer.ports import CarrierAway
from api_srv.mailer.smtp import SmtpCarrier
from project.adapters.registry import HttpRegistry
from project.core.errors import RegistryUnavailable
from project.core.layout import ClusterPaths
from project.wrapper import files
from project.wrapper.follow.report import Reporter
from tests.contract.certificates import Authority, Certificate
from tests.contract.mail_server import MailServer
from tests.contract.registry_process import RegistryProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts unless told."""
    return Authority.made_in(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["self-signed", "another host's", "expired"])
def wrong(request: pytest.FixtureRequest, authority: Authority) -> Certificate:
    """A certificate that proves nothing."""
    return {
        "self-signed": lambda: authority.self_signed(_HOST),
        "another host's": lambda: authority.certificate("registry.example.org"),
        "expired": lambda: authority.certificate(_HOST, days=-1),
    }[request.param]()


def _serving(folder: Path, certificate: Certificate) -> RegistryProcess:
    tls = {"GRIDFERRY_API_TLS_CERT": str(certificate.cert), "GRIDFERRY_API_TLS_KEY": str(certificate.key)}
    registry = RegistryProcess(folder, **tls)
    registry.furnish()
    return registry


def _list_clusters(registry: RegistryProcess, _folder: Path) -> object:
    return [cluster["name"] for cluster in HttpRegistry(registry.url, registry.tokens["ann"]).clusters()]


def _report(registry: RegistryProcess, folder: Path) -> object:
    paths = ClusterPaths(str(folder))
    files.make_folder(paths.control)
    credentials = {"cluster": "demo", "url": registry.url, "token": registry.tokens["ann"]}
    files.replace_json(paths.registry(""), credentials)
    return Reporter(paths, "").send(1, [], None).refused


_CALLS: dict[str, tuple[Callable[[RegistryProcess, Path], object], object]] = {
    "client": (_list_clusters, ["demo"]),
    "follower": (_report, {}),
}


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine trust the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.cert))


@pytest.mark.usefixtures("trusted")
def test_a_registry_that_proves_itself_is_talked_to(authority: Authority, tmp_path: Path) -> None:
    """Over its own TLS, without a proxy in front, by client and follower."""
    with _serving(tmp_path / "registry", authority.certificate(_HOST)).started() as registry:
        assert registry.url.startswith("https://")
        for call, expected in _CALLS.values():
            assert call(registry, tmp_path) == expected


@pytest.mark.usefixtures("trusted")
def test_a_registry_that_proves_nothing_gets_no_token(wrong: Certificate, tmp_path: Path) -> None:
    """Neither from the client nor from the follower; both say that it is the certificate."""
    with _serving(tmp_path / "registry", wrong).started() as registry:
        for call, _ in _CALLS.values():
            with pytest.raises(RegistryUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                call(registry, tmp_path)


def test_an_authority_nobody_told_of_counts_for_nothing(authority: Authority, tmp_path: Path) -> None:
    """A certificate may be as right as it likes: what the machine does not trust is refused."""
    registry = _serving(tmp_path / "registry", authority.certificate(_HOST))
    with registry.started(), pytest.raises(RegistryUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        _list_clusters(registry, tmp_path)


@pytest.fixture
def mail_server() -> MailServer:
    """Keeps what it gets."""
    return MailServer()


def _mail_over_tls(server: MailServer, certificate: Certificate) -> Iterator[SmtpCarrier]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert, certificate.key)
    controller = Controller(
        server, hostname=_HOST, port=server.port, server_hostname="localhost", ready_timeout=60,
        tls_context=context, require_starttls=True,
    )  # fmt: skip
    controller.start()
    try:
        yield SmtpCarrier(Settings(smtp_host=_HOST, smtp_port=server.port))
    finally:
        controller.stop()


def _mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "words"
    return message


@pytest.mark.usefixtures("trusted")
def test_mail_goes_over_tls(authority: Authority, mail_server: MailServer) -> None:
    """To a mail server that proves itself."""
    for carrier in _mail_over_tls(mail_server, authority.certificate(_HOST)):
        carrier.send(_mail())
    assert mail_server.subjects() == ["words"]


@pytest.mark.usefixtures("trusted")
def test_a_mail_server_that_proves_nothing_gets_no_mail(wrong: Certificate, mail_server: MailServer) -> None:
    """Nor the password: it is told after the certificate."""
    for carrier in _mail_over_tls(mail_server, wrong):
        with pytest.raises(CarrierAway, match="CERTIFICATE_VERIFY_FAILED"):
            carrier.send(_mail())
    assert mail_server.messages == []


def test_a_mail_server_without_tls_gets_no_mail(mail_server: MailServer) -> None:
    """Unless the administrator switches STARTTLS off."""
    with mail_server.started(), pytest.raises(CarrierAway, match="STARTTLS"):
        SmtpCarrier(Settings(smtp_host=_HOST, smtp_port=mail_server.port)).send(_mail())
    assert mail_server.messages == []
