"""Certificates for servers in tests: of an authority of our own, or of nobody at all."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

_DAY = dt.timedelta(days=1)
#: From 3.13 on Python believes only authorities that say so, and certificates that say whose they are (RFC 5280).
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as PEM files.

    Attributes:
        cert: the certificate.
        key: its private key.
    """

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """Signs certificates; whoever trusts `cert` trusts them."""

    folder: Path
    cert: Path
    _key: ec.EllipticCurvePrivateKey
    _name: x509.Name

    @classmethod
    def made_in(cls, folder: Path) -> Authority:
        """Make one."""
        key, name = ec.generate_private_key(ec.SECP256R1()), _name_of("an authority of tests")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        builder = _builder(name, name, key).add_extension(constraints, critical=True)
        signed = builder.add_extension(_SIGNS_CERTIFICATES, critical=True).sign(key, hashes.SHA256())
        cert = folder / "authority.pem"
        cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return cls(folder, cert, key, name)

    def certificate(self, host: str, *, days: int = 1) -> Certificate:
        """Sign a certificate for a host name or address; with negative days it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.SubjectAlternativeName([_general_name(host)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = _builder(_name_of(host), self._name, key, days).add_extension(name, critical=False)
        builder = builder.add_extension(issuer, critical=False)
        return self._written(f"{host}-{days}", key, builder.sign(self._key, hashes.SHA256()))

    def self_signed(self, host: str) -> Certificate:
        """Make a certificate that nobody vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.SubjectAlternativeName([_general_name(host)])
        builder = _builder(_name_of(host), _name_of(host), key).add_extension(name, critical=False)
        return self._written(f"{host}-self", key, builder.sign(key, hashes.SHA256()))

    def _written(self, name: str, key: ec.EllipticCurvePrivateKey, signed: x509.Certificate) -> Certificate:
        files = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        files.cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 1
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    ends = now + days * _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, ends) - _DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
