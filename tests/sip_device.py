"""A device of GB/T 28181 as it is outside: a socket of UDP, and messages written by the text of the standard.

Nothing of the service's own reader and writer of SIP is used here.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SERVER = "62010000002000000001"
REALM = SERVER[:10]
PATIENCE_S = 20.0

KEEPALIVE = """<?xml version="1.0" encoding="GB2312"?>\r
<Notify>\r
<CmdType>Keepalive</CmdType>\r
<SN>{number}</SN>\r
<DeviceID>{device}</DeviceID>\r
<Status>OK</Status>\r
{info}</Notify>\r
"""


@dataclass(frozen=True)
class Came:
    """One datagram that the device was sent."""

    text: str

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        found = re.match(r"SIP/2\.0 (\d{3}) ", self.text)
        return int(found[1]) if found else 0

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}: (.*)\r$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]


@dataclass
class SipDevice(asyncio.DatagramProtocol):
    """One device behind one socket."""

    code: str
    password: str
    server: tuple[str, int]
    qop: bool = True
    came: asyncio.Queue[Came] = field(default_factory=asyncio.Queue)
    number: int = 0
    transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.put_nowait(Came(data.decode("gb2312", "replace")))

    def send(self, datagram: bytes) -> None:
        assert self.transport is not None
        self.transport.sendto(datagram, self.server)

    async def next(self) -> Came:
        """The next datagram that comes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.came.get()

    async def ask(self, datagram: bytes) -> Came:
        self.send(datagram)
        return await self.next()

    def request(self, method: str, body: bytes = b"", *headers: str) -> bytes:
        """A request by RFC 3261, its ids and its number its own."""
        self.number += 1
        lines = [
            f"{method} sip:{SERVER}@{REALM} SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bK{self.code[-3:]}{self.number}",
            f"From: <sip:{self.code}@{REALM}>;tag=1{self.number}",
            f"To: <sip:{SERVER}@{REALM}>",
            f"Call-ID: {self.code}{self.number}@192.0.2.7",
            f"CSeq: {self.number} {method}",
            "Max-Forwards: 70",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def register(self, challenge: str = "", *, expires: str = "3600", count: int = 1, user: str = "") -> bytes:
        """REGISTER; with what WWW-Authenticate said, and the answer to it."""
        headers = ["Contact: <sip:" + self.code + "@192.0.2.7:5060>", f"Expires: {expires}"]
        if challenge:
            headers.append(f"Authorization: {self.answer(challenge, count, user or self.code)}")
        return self.request("REGISTER", b"", *headers)

    def answer(self, challenge: str, count: int, user: str) -> str:
        """RFC 2617, 3.2.2; without qop as devices of the first edition do it (RFC 2069)."""
        realm = re.findall(r'realm="([^"]*)"', challenge)[0]
        nonce = re.findall(r'nonce="([^"]*)"', challenge)[0]
        uri = f"sip:{SERVER}@{REALM}"
        secret, asked = _md5(f"{user}:{realm}:{self.password}"), _md5(f"REGISTER:{uri}")
        middle = f"{count:08x}:abc:auth:" if self.qop else ""
        told = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
        told += f', response="{_md5(f"{secret}:{nonce}:{middle}{asked}")}", algorithm=MD5'
        return told + (f', qop=auth, nc={count:08x}, cnonce="abc"' if self.qop else "")

    async def registered(self, expires: str = "3600") -> Came:
        """Ask, be challenged, prove; the last answer."""
        challenged = await self.ask(self.register(expires=expires))
        assert challenged.status == 401, challenged.text
        return await self.ask(self.register(challenged.header("WWW-Authenticate"), expires=expires))

    def message(self, body: bytes, media_type: str = "Application/MANSCDP+xml") -> bytes:
        return self.request("MESSAGE", body, f"Content-Type: {media_type}")

    def keepalive(self, info: str = "") -> bytes:
        return self.message(KEEPALIVE.format(number=self.number, device=self.code, info=info).encode())


@asynccontextmanager
async def switched_on(
    code: str, password: str, server: tuple[str, int], *, host: str = "127.0.0.1", qop: bool = True
) -> AsyncIterator[SipDevice]:
    """A device at an address of this machine."""
    device = SipDevice(code, password, server, qop)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: device, local_addr=(host, 0))
    device.transport = transport
    try:
        yield device
    finally:
        transport.close()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
