"""Nonces of HTTP digest that carry their own birth, signed: what was never given out, or too long ago, is known.

Nothing is kept of a challenge, so that a crowd of strangers fills no table. Pure: time and chance are the caller's.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Final

CHANCE_BYTES: Final = 8
_TIME_BYTES: Final = 6  # milliseconds since 1970 until the year 10889
_PROOF_BYTES: Final = 16


def make_nonce(key: bytes, at: datetime, chance: bytes) -> str:
    """A nonce of this moment. `chance` is CHANCE_BYTES of it, so that two of one moment differ."""
    born = int(at.timestamp() * 1_000).to_bytes(_TIME_BYTES, "big") + chance
    return (born + _proof(key, born)).hex()


def born_at(key: bytes, nonce: str) -> datetime | None:
    """When a nonce of ours was made; None for any other text."""
    try:
        raw = bytes.fromhex(nonce)
    except ValueError:
        return None
    born, proof = raw[: _TIME_BYTES + CHANCE_BYTES], raw[_TIME_BYTES + CHANCE_BYTES :]
    if not hmac.compare_digest(proof, _proof(key, born)):
        return None
    return datetime.fromtimestamp(int.from_bytes(born[:_TIME_BYTES], "big") / 1_000, UTC)


def _proof(key: bytes, born: bytes) -> bytes:
    return hmac.digest(key, born, "sha256")[:_PROOF_BYTES]
