"""Messages to browsers' push services: sealed for the one browser (RFC 8291) and signed as ours (RFC 8292, VAPID).

The push service sees whom it is for and when, and no word of what it says.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE: Final = ec.SECP256R1()
_RECORD: Final = 4096  # bytes of a record (RFC 8188, 2.1); a message is one
MOST_BYTES: Final = _RECORD - 17  # of what is said: a byte that ends it and a tag of 16 go with it
_LASTS: Final = timedelta(hours=12)  # of a signature; 24 h are the most (RFC 8292, 2)


@dataclass(frozen=True)
class Browser:
    """Where a browser is reached: an address at its push service, and what only it can open with."""

    endpoint: str
    p256dh: bytes  # its public key, as an uncompressed point
    auth: bytes  # 16 bytes that it shares with us alone


def fault_of_keys(p256dh: bytes, auth: bytes) -> str | None:
    """What keeps these from being a browser's keys; None: nothing does."""
    if len(auth) != 16:
        return f"auth has {len(auth)} bytes; want 16"
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)
    except ValueError:
        return "p256dh is no point of P-256"
    return None if len(p256dh) == 65 else "p256dh is a compressed point; want 65 bytes"


def private_key(kept: bytes) -> ec.EllipticCurvePrivateKey:
    """The key that was kept as its 32 bytes."""
    return ec.derive_private_key(int.from_bytes(kept, "big"), _CURVE)


def fresh_key() -> bytes:
    """A new private key, as the 32 bytes that are kept of it."""
    return ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(32, "big")


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, as an uncompressed point of 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sealed_for(browser: Browser, said: bytes) -> bytes:
    """`said` (at most MOST_BYTES) as the body of a message that only this browser opens. Twice gives two."""
    return sealed_with(browser, said, ec.generate_private_key(_CURVE), os.urandom(16))


def sealed_with(browser: Browser, said: bytes, own: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The same with a key and a salt that were drawn already; each may serve one message alone."""
    if len(said) > MOST_BYTES:
        raise ValueError(f"{len(said)} bytes; want at most {MOST_BYTES}")
    theirs, ours = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, browser.p256dh), public_bytes(own)
    shared = own.exchange(ec.ECDH(), theirs)
    secret = _drawn(shared, browser.auth, b"WebPush: info\0" + browser.p256dh + ours, 32)
    key = _drawn(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _drawn(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, said + b"\x02", None)


def _drawn(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length=length, salt=salt, info=info).derive(secret)


def signed(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now: datetime) -> str:
    """The Authorization of a message to `endpoint`; `contact` is a mailto: or https: of who runs us, or empty."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((now + _LASTS).timestamp())}
    token = jwt.encode(claims | ({"sub": contact} if contact else {}), key, algorithm="ES256")
    return f"vapid t={token}, k={written(public_bytes(key))}"


def written(of: bytes) -> str:
    """Bytes as browsers write them: base64url without padding."""
    return base64.urlsafe_b64encode(of).rstrip(b"=").decode()


def read(text: str) -> bytes | None:
    """What `written` wrote, padded or not; None: it is not that."""
    bare = text.rstrip("=")
    if not bare or not all(each.isascii() and (each.isalnum() or each in "-_") for each in bare) or len(bare) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
