"""A push service and the phones that it serves: real requests, opened as a browser opens them (RFC 8291)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gridsvc.webpush import Browser, public_bytes, read

CURVE = ec.SECP256R1()


@dataclass
class Phone:
    """A browser on a phone: its keys, and the address that its push service gave it."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def browser(self) -> Browser:
        """What it tells us of itself."""
        return Browser(self.endpoint, public_bytes(self.key), self.auth)

    def opened(self, body: bytes) -> Any:
        """What it is told. Raises InvalidTag where that is for another."""
        salt, length = body[:16], body[20]
        ours, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, ours))
        info = b"WebPush: info\0" + public_bytes(self.key) + ours
        secret = HKDF(SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        assert plain.endswith(b"\x02")
        return json.loads(plain[:-1])


@dataclass
class PushService:
    """What came, in order; what it answers, by path; and a door that a test may hold shut."""

    url: str = ""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    door: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """Keep what comes, and answer as the test says."""
        self.came.append((request.path, dict(request.headers), await request.read()))
        self.arrived.set()
        await self.door.wait()
        status, headers = self.answers.get(request.path, (201, {}))
        return web.Response(status=status, headers=headers)

    def paths(self) -> list[str]:
        """At which phones something came."""
        return [path for path, _, _ in self.came]

    def signature(self, at: int) -> dict[str, Any]:
        """The claims of a message; its signature is held against the key that is sent with it."""
        scheme, _, rest = self.came[at][1]["Authorization"].partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        point = read(given["k"])
        assert scheme == "vapid"
        assert point is not None
        public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
        claims = jwt.decode(given["t"], public, ["ES256"], audience=self.url, options={"verify_exp": False})
        return claims | {"key": given["k"]}


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """One on a free loopback port."""
    made = PushService()
    made.door.set()
    app = web.Application()
    app.router.add_post("/{phone}", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        made.door.set()
        await runner.cleanup()
