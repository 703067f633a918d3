"""The authority of an instance: for private addresses and its own names; certificates are renewed in time."""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridsvc.api.lan import Certificate, certificate_of, enrolment
from gridsvc.errors import BadSettings, CannotStart
from gridsvc.local.authority import (
    CERTIFICATE_FOR,
    RENEWED_BEFORE,
    ends_at,
    is_private,
    make_authority,
    make_certificate,
)
from gridsvc.local.lan import Lan, lan_address
from gridsvc.settings import HttpSettings

NOW = datetime.now(UTC).replace(microsecond=0)  # OpenSSL judges by the clock
HOME = ipaddress.ip_address("192.168.1.10")


def lan(folder: Path, *, address: str = "192.168.1.10", host: str = "city") -> Lan:
    return Lan(folder, ipaddress.ip_address(address), host, 8443, 8081)


def shakes_hands(server: Certificate, trusted: str, name: str) -> bytes:
    """The certificate that a client gets which trusts one authority alone; raises what OpenSSL raises."""
    client = ssl.create_default_context(cadata=trusted)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    found = ours.getpeercert(binary_form=True)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("address", "private"),
    [("192.168.1.10", True), ("10.1.2.3", True), ("172.31.0.1", True), ("fd12::1", True), ("127.0.0.2", True),
     ("8.8.8.8", False), ("172.32.0.1", False), ("2001:db8::1", False), ("100.64.0.1", False)],
)  # fmt: skip
def test_only_a_private_address_is_served(address: str, private: bool) -> None:
    assert is_private(ipaddress.ip_address(address)) is private
    if private:
        assert str(lan_address(address)) == address
        return
    with pytest.raises(CannotStart):
        lan_address(address)


def test_what_is_no_address_is_refused_by_name() -> None:
    with pytest.raises(CannotStart, match="city-hall"):
        lan_address("city-hall")


def test_a_client_that_trusts_the_authority_trusts_this_machine_and_no_other(tmp_path: Path) -> None:
    here = lan(tmp_path / "lan")
    here.settle(NOW, print)
    served = Certificate(here.folder / "certificate.key.pem")
    for name in ("192.168.1.10", "city", "city.local"):
        assert shakes_hands(served, here.authority, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        shakes_hands(served, here.authority, "192.168.1.11")
    with pytest.raises(ssl.SSLCertVerificationError):
        shakes_hands(served, make_authority("city", NOW).certificate, "192.168.1.10")


@pytest.mark.parametrize(("host", "address"), [("bank.example.com", "192.168.1.10"), ("city", "203.0.113.7")])
def test_a_stolen_authority_can_be_no_bank(tmp_path: Path, host: str, address: str) -> None:
    authority = make_authority("city", NOW)
    forged = make_certificate(authority, host, ipaddress.ip_address(address), NOW)
    (tmp_path / "forged.pem").write_text(forged.key + forged.certificate)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shakes_hands(Certificate(tmp_path / "forged.pem"), authority.certificate, address)


def test_a_certificate_is_renewed_before_it_ends_and_taken_up_without_a_restart(tmp_path: Path) -> None:
    here = lan(tmp_path / "lan")
    here.settle(NOW, print)
    file = here.folder / "certificate.key.pem"
    served = Certificate(file)
    before = shakes_hands(served, here.authority, "city")
    due = NOW + CERTIFICATE_FOR - RENEWED_BEFORE
    assert not here.renew(due)
    assert not served.look()
    assert here.renew(due + timedelta(seconds=1))
    assert ends_at(file.read_text()) > NOW + CERTIFICATE_FOR
    os.utime(file, ns=(1, 1))  # another moment, however coarse the clock of the disk is
    assert served.look()
    assert not served.look()
    file.write_text("spoilt")
    assert not served.look(), "what cannot be used is not taken up"

    here.settle(NOW, print)
    assert file.read_text() != "spoilt"
    assert shakes_hands(Certificate(file), here.authority, "city") != before


def test_another_address_is_another_certificate_and_another_name_another_authority(tmp_path: Path) -> None:
    said: list[str] = []
    lan(tmp_path / "lan").settle(NOW, said.append)
    authority = lan(tmp_path / "lan").authority
    moved = lan(tmp_path / "lan", address="10.0.0.5")
    moved.settle(NOW, said.append)
    assert moved.authority == authority, "phones need not enrol again"
    assert shakes_hands(Certificate(moved.folder / "certificate.key.pem"), authority, "10.0.0.5")
    assert said == []
    renamed = lan(tmp_path / "lan", host="town")
    renamed.settle(NOW, said.append)
    assert renamed.authority != authority
    assert "enrol again" in said[0]


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    here = lan(tmp_path / "lan")
    here.settle(NOW, print)
    assert here.folder.stat().st_mode & 0o077 == 0
    for file in here.folder.glob("*.key.pem"):
        assert file.stat().st_mode & 0o077 == 0, file
    assert "PRIVATE" not in here.authority


def test_half_a_setting_and_a_folder_without_a_certificate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="GRIDSVC_TLS_HOST"):
        certificate_of(HttpSettings(tls_host="192.168.1.10"))
    with pytest.raises(BadSettings, match="no certificate"):
        certificate_of(HttpSettings(tls_host="192.168.1.10", tls_folder=str(tmp_path)))
    with pytest.raises(BadSettings, match="no certificate"):
        enrolment(tmp_path / "authority.pem", "https://192.168.1.10:8443")
    assert certificate_of(HttpSettings()) is None
