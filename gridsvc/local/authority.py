"""The certificate authority of one instance: it vouches for its own names on private networks, and for nothing else."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

AUTHORITY_FOR: Final = timedelta(days=3_650)
CERTIFICATE_FOR: Final = timedelta(days=90)
RENEWED_BEFORE: Final = timedelta(days=30)
_EARLIER: Final = timedelta(days=1)  # phones whose clock is behind

PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Where a certificate of such an authority counts: whoever steals its key cannot be a bank."""

_LOCAL_NAMES: Final = ("local", "home.arpa", "internal", "lan")


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str


def make_authority(host: str, now: datetime) -> Issued:
    """A new authority for an instance on the machine `host`. Phones that trusted another must enrol again."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "gridsvc"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"gridsvc {host} {serial:x}"[:40]),
    ])  # fmt: skip
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in (host, *_LOCAL_NAMES)]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), serial, now - _EARLIER, now + AUTHORITY_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.NameConstraints([*names, *(x509.IPAddress(each) for each in PRIVATE)], excluded_subtrees=None),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return Issued(_pem(made), _key_pem(key))


def make_certificate(authority: Issued, host: str, address: Address, now: datetime) -> Issued:
    """A certificate for this machine by its address and its names."""
    signer = x509.load_pem_x509_certificate(authority.certificate.encode())
    signing = serialization.load_pem_private_key(authority.key.encode(), password=None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(now + CERTIFICATE_FOR, signer.not_valid_after_utc)
    made = (
        x509.CertificateBuilder(
            signer.subject, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(address))]), key.public_key(),
            x509.random_serial_number(), now - _EARLIER, until,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(host, address)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, hashes.SHA256())
    )  # fmt: skip
    return Issued(_pem(made), _key_pem(key))


def wants_another(certificate: str, authority: str, host: str, address: Address, now: datetime) -> bool:
    """Whether a new certificate is due: this one ends soon, is for other names, or of another authority."""
    have, signer = (x509.load_pem_x509_certificate(text.encode()) for text in (certificate, authority))
    names = have.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ends = have.not_valid_after_utc
    return now > ends - RENEWED_BEFORE or list(names) != _names(host, address) or have.issuer != signer.subject


def may_vouch_for(authority: str, host: str, address: Address) -> bool:
    """Whether the authority is for this host, and the address a private one."""
    signer = x509.load_pem_x509_certificate(authority.encode())
    allowed = signer.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    return is_private(address) and x509.DNSName(host) in allowed


def is_private(address: Address) -> bool:
    """Whether this is an address of a private network."""
    return any(address in network for network in PRIVATE)


def ends_at(certificate: str) -> datetime:
    """When a certificate ends."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def fingerprint(certificate: str) -> str:
    """SHA-256 of the certificate as phones show it: pairs of hexadecimal digits."""
    return x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256()).hex(":").upper()


def der(certificate: str) -> bytes:
    """The certificate as phones take it."""
    return x509.load_pem_x509_certificate(certificate.encode()).public_bytes(serialization.Encoding.DER)


def _names(host: str, address: Address) -> Sequence[x509.GeneralName]:
    return [x509.IPAddress(address), x509.DNSName(host), x509.DNSName(f"{host}.local")]


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
