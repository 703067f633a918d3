"""What `gridsvc up --lan` adds: an address of the local network, authority and certificate for it, and QR codes."""

from __future__ import annotations

import io
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import segno

from gridsvc.errors import CannotStart
from gridsvc.local.authority import (
    Address,
    Issued,
    fingerprint,
    is_private,
    make_authority,
    make_certificate,
    may_vouch_for,
    wants_another,
)
from gridsvc.local.keep import write_private

_ELSEWHERE = ("192.0.2.1", 9)  # of a block for documents: nothing is sent, the route alone is asked


def lan_address(given: str) -> Address:
    """The address that `--lan` names; with none, the one that this machine goes out by.

    Raises CannotStart where there is none, it is not of this machine, or not of a private network.
    """
    try:
        address = ipaddress.ip_address(given or _way_out())
    except ValueError:
        raise CannotStart(f"--lan {given}: no address; want one of this machine, such as 192.168.1.10") from None
    if not is_private(address):
        raise CannotStart(f"{address} is no address of a private network; want one of this machine, after --lan")
    return address


def _way_out() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError as trouble:
            raise CannotStart("this machine is in no network; name its address: --lan 192.168.1.10") from trouble
        return str(probe.getsockname()[0])


def host_name() -> str:
    """The name of this machine as a certificate can hold it."""
    plain = re.sub(r"[^a-z0-9-]", "-", socket.gethostname().split(".")[0].lower()).strip("-")
    return plain[:63] or "gridsvc"


def check_free(address: Address, port: int, setting: str) -> None:
    """Raise CannotStart unless this process may listen there."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((str(address), port))
        except OSError as trouble:
            raise CannotStart(f"cannot listen on {address} port {port} ({setting}): {trouble.strerror}") from trouble


@dataclass(frozen=True)
class Lan:
    """One instance on one address of a local network. Its files lie in `folder`, closed to others."""

    folder: Path
    address: Address
    host: str
    port: int
    enrol_port: int

    @property
    def url(self) -> str:
        return f"https://{self._host}:{self.port}"

    @property
    def enrol_url(self) -> str:
        return f"http://{self._host}:{self.enrol_port}/"

    @property
    def picture(self) -> Path:
        return self.folder / "enrolment.png"

    @property
    def authority(self) -> str:
        return (self.folder / "authority.pem").read_text(encoding="ascii")

    @property
    def _host(self) -> str:
        return f"[{self.address}]" if self.address.version == 6 else str(self.address)

    def settle(self, now: datetime, say: Callable[[str], None]) -> None:
        """Make what is missing: authority, certificate, QR code. Says so when phones must enrol again."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        authority = self._kept("authority")
        if authority is None or not may_vouch_for(authority.certificate, self.host, self.address):
            if (self.folder / "authority.pem").exists():
                say("the authority is spoilt, or of another host name; a new one is made: phones enrol again")
            self._keep("authority", make_authority(self.host, now))
        self.renew(now)
        picture = io.BytesIO()
        segno.make(self.enrol_url).save(picture, kind="png", scale=8)
        self.picture.write_bytes(picture.getvalue())

    def renew(self, now: datetime) -> bool:
        """Make another certificate where one is due; whether it was. The web process takes it up by itself."""
        authority, have = self._kept("authority"), self._kept("certificate")
        assert authority is not None  # noqa: S101 - settled
        if have is not None and not wants_another(
            have.certificate, authority.certificate, self.host, self.address, now
        ):
            return False
        self._keep("certificate", make_certificate(authority, self.host, self.address, now))
        return True

    def welcome(self) -> list[str]:
        """What the person at the terminal is told: where, and how phones come to trust it."""
        code = io.StringIO()
        segno.make(self.enrol_url).terminal(out=code, compact=True)
        return [
            f"phones first 手机先扫码      {self.enrol_url}  (QR: {self.picture})",
            f"authority, SHA-256        {fingerprint(self.authority)}",
            *code.getvalue().rstrip("\n").splitlines(),
        ]

    def _kept(self, name: str) -> Issued | None:
        try:
            # Key and certificate are one file: a start between two writes would see a pair that does not fit.
            text = (self.folder / f"{name}.key.pem").read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        key, mark, certificate = text.partition("-----BEGIN CERTIFICATE-----")
        return Issued(mark + certificate, key) if mark else None

    def _keep(self, name: str, issued: Issued) -> None:
        write_private(self.folder / f"{name}.key.pem", issued.key + issued.certificate)
        if name == "authority":
            write_private(self.folder / "authority.pem", issued.certificate, mode=0o644)
