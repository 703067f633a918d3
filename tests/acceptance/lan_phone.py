"""A phone in the network of a city: what it may do before and after it trusts the authority. Prints what it found.

Run as `python -m tests.acceptance.lan_phone HOME ADDRESS`, in a network that has this address.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from playwright.async_api import Error, async_playwright

from tests.acceptance.supervised import ListenerWatch, Supervised, until

READY_S: Final = 120.0
CHROMIUMS: Final = ("chromium-headless-shell", "chromium", "google-chrome")

_MAY: Final = """async () => {
  const place = await new Promise((good) => navigator.geolocation.getCurrentPosition(
    (found) => good(found.coords.longitude), (refused) => good(`refused ${refused.code}`)));
  return {secure: isSecureContext, place, media: !!navigator.mediaDevices?.getUserMedia,
          worker: 'serviceWorker' in navigator, kept: !!navigator.storage?.persist};
}"""


class _Item(ctypes.Structure):
    """What the library calls a SECItem."""

    _fields_ = (("type", ctypes.c_int), ("data", ctypes.c_char_p), ("len", ctypes.c_uint))


def trust(folder: Path, authority: bytes) -> None:
    """Put the authority among those that the browser of this home trusts, as a person does in its settings.

    Chromium on Linux reads the database of NSS, whose library it brings along.
    """
    folder.mkdir(parents=True)
    nss = ctypes.CDLL("libnss3.so")
    for name in ("PK11_GetInternalKeySlot", "CERT_NewTempCertificate", "CERT_GetDefaultCertDB"):
        getattr(nss, name).restype = ctypes.c_void_p
    assert nss.NSS_InitReadWrite(f"sql:{folder}".encode()) == 0
    slot = ctypes.c_void_p(nss.PK11_GetInternalKeySlot())
    nss.PK11_InitPin(slot, None, b"")
    store, item = ctypes.c_void_p(nss.CERT_GetDefaultCertDB()), _Item(0, authority, len(authority))
    certificate = ctypes.c_void_p(nss.CERT_NewTempCertificate(store, ctypes.byref(item), None, 0, 1))
    assert certificate
    assert nss.PK11_ImportCert(slot, certificate, 0, b"city", 0) == 0
    valid_and_trusted = (ctypes.c_uint * 3)((1 << 3) | (1 << 4), 0, 0)
    assert nss.CERT_ChangeCertTrust(store, certificate, valid_and_trusted) == 0
    nss.NSS_Shutdown()


async def visit(home: Path, url: str) -> dict[str, Any]:
    """What a page of this address may do in a browser whose user has this home."""
    found = next(path for name in CHROMIUMS if (path := shutil.which(name)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, env={**os.environ, "HOME": str(home)})
        context = await browser.new_context(
            permissions=["geolocation"], geolocation={"longitude": 103.8, "latitude": 36.06}
        )
        page = await context.new_page()
        try:
            await page.goto(url)
        except Error as refused:
            return {"refused": str(refused).splitlines()[0]}
        return dict(await page.evaluate(_MAY))


def speaks_https(address: str, port: int, authority: Path, name: str) -> str:
    """The version of TLS, by a client that trusts the authority alone, as OpenSSL judges it."""
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection((address, port), timeout=10) as line,
        context.wrap_socket(line, server_hostname=name) as secured,
    ):
        return str(secured.version())


def main(home: Path, address: str) -> dict[str, Any]:
    """Start the city, be a phone, stop it."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, Supervised(home, "--no-demo", "--lan", address) as city:
        with ListenerWatch(city) as watch:
            city.await_ready(READY_S)
            until(lambda: "workers" in city.recorded(), READY_S, "the workers' start")
            found["said"] = city.said
            with urlopen(f"http://{address}:8081/", timeout=10) as page:
                found["page"] = page.read().decode()
            with urlopen(f"http://{address}:8081/authority.crt", timeout=10) as file:
                found["kind"], authority = file.headers["Content-Type"], file.read()
            found["given"] = ssl.DER_cert_to_PEM_cert(authority) == (home / "lan/authority.pem").read_text()
            found["versions"] = [
                speaks_https(address, 8443, home / "lan/authority.pem", name)
                for name in (address, f"{socket.gethostname().split('.')[0].lower()}.local")
            ]
            stranger, phone = Path(folder, "stranger"), Path(folder, "phone")
            stranger.mkdir()
            subprocess.run(
                [sys.executable, "-c", _TRUST, str(phone / ".pki/nssdb"), str(home / "lan/authority.pem")], check=True
            )
            https = f"https://{address}:8443/"
            found["stranger"] = asyncio.run(visit(stranger, https))
            found["phone"] = asyncio.run(visit(phone, https))
            found["plain"] = asyncio.run(visit(phone, f"http://{address}:8081/"))
        city.interrupt()
        found["ended"] = city.process.wait(30)
    found["elsewhere"] = sorted(int(each.rpartition(":")[2], 16) for each in watch.elsewhere)
    return found


# In a process of its own: the library keeps its state.
_TRUST: Final = """
import ssl, sys
from pathlib import Path
from tests.acceptance.lan_phone import trust
trust(Path(sys.argv[1]), ssl.PEM_cert_to_DER_cert(Path(sys.argv[2]).read_text()))
"""


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
