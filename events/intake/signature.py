"""Standard Webhooks: whether a request was signed with one of our secrets, lately. Pure: the moment is given."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

WINDOW_S: Final = 300
"""How far the sender's clock may be from ours, either way; beyond it a request may be a replay."""

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of a secret, not one
LEAST_SECRET_BYTES, MOST_SECRET_BYTES = 24, 64
MOST_SIGNATURES: Final = 10  # a sender that rotates signs with two

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Verdict(StrEnum):
    """What a signature proves, or why it proves nothing."""

    GOOD = "good"
    MISSING = "signature_missing"
    MALFORMED = "signature_malformed"
    TOO_OLD = "signature_too_old"
    TOO_NEW = "signature_too_new"
    WRONG = "signature_wrong"


def verdict(
    secrets: Sequence[bytes],
    webhook_id: str,
    webhook_timestamp: str,
    webhook_signature: str,
    body: bytes,
    now: datetime,
) -> Verdict:
    """Judge the three headers of a request.

    `secrets` are those in force (two while one is replaced). Several signatures, divided by spaces, may be
    given; one good `v1` is enough, other versions are passed over. The same id may come twice within the
    window: the caller remembers ids. The signatures are compared in constant time, all of them.
    """
    if not (webhook_id and webhook_timestamp and webhook_signature):
        return Verdict.MISSING
    if not _TIMESTAMP.fullmatch(webhook_timestamp) or not webhook_id.isprintable() or len(webhook_id) > 200:
        return Verdict.MALFORMED
    age_s = now.timestamp() - int(webhook_timestamp)
    if age_s > WINDOW_S:
        return Verdict.TOO_OLD
    if age_s < -WINDOW_S:
        return Verdict.TOO_NEW
    given = [each.removeprefix("v1,") for each in webhook_signature[:4_000].split(" ") if each.startswith("v1,")]
    if not given or len(given) > MOST_SIGNATURES:
        return Verdict.MALFORMED
    good = False
    for secret in secrets:
        wanted = sign(secret, webhook_id, int(webhook_timestamp), body).removeprefix("v1,").encode("ascii")
        for each in given:
            good |= hmac.compare_digest(wanted, each.encode("utf-8"))
    return Verdict.GOOD if good else Verdict.WRONG


def sign(secret: bytes, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """The header `webhook-signature` of a request."""
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode("ascii")


def secret_bytes(written: str) -> bytes | None:
    """A secret as it is handed over: `whsec_` and 24 to 64 bytes in base64; None for anything else."""
    try:
        read = base64.b64decode(written.removeprefix(SECRET_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return read if LEAST_SECRET_BYTES <= len(read) <= MOST_SECRET_BYTES else None
