"""Tokens and what they prove: access tokens, refresh tokens, session cookies, anti-forgery tokens, API keys.

Every kind has a key of its own, drawn from the one secret, so that none can stand for another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import jwt

from gridsvc.errors import BadSettings
from gridsvc.settings import LEAST_SECRET

ISSUER: Final = "gridsvc"
AUDIENCE: Final = "gridsvc-api"
TYPE: Final = "at+jwt"  # RFC 9068: nothing else that is signed with this key can pass for an access token
ALGORITHM: Final = "HS256"  # one program both signs and checks; the list of the allowed has this one entry


@dataclass(frozen=True)
class Access:
    """Who an access token speaks of. It carries no rights: those are in the database."""

    user_id: UUID
    session_id: UUID
    expires_at: float  # seconds since the epoch, by the city's clock


@dataclass(frozen=True, repr=False)
class Signer:
    """Makes and checks every kind of token. It has no repr: its keys must never reach a log."""

    access_key: bytes
    cookie_key: bytes
    forgery_key: bytes
    refresh_key: bytes

    @classmethod
    def from_secret(cls, secret: str) -> Signer:
        """Draw the keys from GRIDSVC_SECRET. Raises BadSettings when it is too short to be one."""
        if len(secret) < LEAST_SECRET:
            raise BadSettings(
                f"GRIDSVC_SECRET has {len(secret)} characters; "
                f"want at least {LEAST_SECRET} random ones (GRIDSVC_SECRET_FILE)"
            )
        return cls(*(_mac(secret.encode(), f"gridsvc {kind} key".encode()) for kind in _KINDS))

    def access_token(self, user_id: UUID, session_id: UUID, now: datetime, lasts: timedelta) -> str:
        """A signed statement that `session_id` is `user_id`'s, good until `now + lasts`."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": int(now.timestamp()),
            "exp": int((now + lasts).timestamp()),
        }
        return jwt.encode(claims, self.access_key, algorithm=ALGORITHM, headers={"typ": TYPE})

    def read_access_token(self, token: str) -> Access | None:
        """What the token says if it is ours and whole; None for every other text.

        Whether it has run out is for the caller to see: only he knows the city's time.
        """
        try:
            read = jwt.decode_complete(
                token, self.access_key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER,
                options={
                    "require": ["exp", "iat", "sub", "sid", "aud", "iss"],
                    "verify_exp": False, "verify_iat": False, "verify_nbf": False,
                },
            )  # fmt: skip
            if read["header"].get("typ") != TYPE:
                return None
            claims = read["payload"]
            return Access(UUID(claims["sub"]), UUID(claims["sid"]), float(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            return None

    def cookie(self, session_id: UUID, turn: int = 0) -> str:
        """A session's cookie: its id and which turn it is, signed. That of turn 0 says no turn."""
        said = f"{_text(session_id.bytes)}.{turn}" if turn else _text(session_id.bytes)
        return f"{said}.{_text(_mac(self.cookie_key, _turned(session_id, turn)))}"

    def read_cookie(self, text: str) -> Cookie | None:
        """What a cookie that we made says; None for any other text."""
        said, _, proof = text.rpartition(".")
        name, _, number = said.partition(".")
        raw = _bytes(name)
        if raw is None or len(raw) != 16 or not (number == "" or _TURN.fullmatch(number)):
            return None
        read = Cookie(UUID(bytes=raw), int(number or "0"))
        made = _text(_mac(self.cookie_key, _turned(read.session_id, read.turn)))
        return read if hmac.compare_digest(made.encode(), proof.encode()) else None

    def forgery_token(self, session_id: UUID) -> str:
        """What our own page sends along with the cookie, and a foreign page cannot know."""
        return _text(_mac(self.forgery_key, session_id.bytes))

    def successor(self, refresh: RefreshToken) -> RefreshToken:
        """The one refresh token that may follow `refresh`: asked twice, it is the same."""
        return RefreshToken(refresh.session_id, _mac(self.refresh_key, refresh.session_id.bytes + refresh.secret))


def _turned(session_id: UUID, turn: int) -> bytes:
    return session_id.bytes + (turn.to_bytes(4, "big") if turn else b"")


_TURN: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_KINDS: Final = ("access", "cookie", "forgery", "refresh")


@dataclass(frozen=True)
class Cookie:
    """What a cookie says: its session, and how often it was renewed."""

    session_id: UUID
    turn: int


@dataclass(frozen=True, repr=False)
class RefreshToken:
    """A session's id and 256 bits that only its holder has; the database keeps their SHA-256."""

    session_id: UUID
    secret: bytes

    @classmethod
    def first(cls, session_id: UUID) -> RefreshToken:
        """A session's first one, from chance."""
        return cls(session_id, secrets.token_bytes(32))

    @classmethod
    def read(cls, text: str) -> RefreshToken | None:
        """The token that `text` spells, or None."""
        prefix, _, rest = text.partition("_")
        raw = _bytes(rest)
        if prefix != "gsr" or raw is None or len(raw) != 48:
            return None
        return cls(UUID(bytes=raw[:16]), raw[16:])

    @property
    def text(self) -> str:
        """What the holder is given."""
        return f"gsr_{_text(self.session_id.bytes + self.secret)}"

    @property
    def digest(self) -> bytes:
        """What is kept of it."""
        return hashlib.sha256(self.secret).digest()


@dataclass(frozen=True, repr=False)
class ApiKey:
    """A program's key, `gsk_<id>_<secret>`: 256 bits of chance, so a plain SHA-256 of them is kept."""

    id: UUID
    secret: str

    @classmethod
    def new(cls, key_id: UUID) -> ApiKey:
        """A fresh key. Its text is shown once."""
        return cls(key_id, secrets.token_urlsafe(32))

    @classmethod
    def read(cls, text: str) -> ApiKey | None:
        """The key that `text` spells, or None."""
        prefix, _, rest = text.partition("_")
        name, _, secret = rest.partition("_")
        try:
            return cls(UUID(hex=name), secret) if prefix == "gsk" and secret else None
        except ValueError:
            return None

    @property
    def text(self) -> str:
        """What the program sends as X-API-Key."""
        return f"gsk_{self.id.hex}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is kept of it."""
        return hashlib.sha256(self.secret.encode()).digest()


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
