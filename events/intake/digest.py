"""HTTP digest (RFC 2617, MD5), as SIP registrars and GA/T 1400 platforms use it. Pure: nonces are the caller's.

MD5 is what the devices speak; it guards a password on a network that is trusted for little else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

MOST_LETTERS: Final = 2_000

_PAIR: Final = re.compile(r'([A-Za-z]{1,20})\s{0,4}=\s{0,4}(?:"([^"]{0,500})"|([^\s",]{1,500}))')


@dataclass(frozen=True)
class Answer:
    """What a device answers to a challenge."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    qop: str = ""
    nc: str = ""
    cnonce: str = ""


def challenge(realm: str, nonce: str) -> str:
    """The value of WWW-Authenticate. `realm` and `nonce` hold no quotation marks."""
    return f'Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm=MD5'


def read_answer(header: str) -> Answer | None:
    """The value of Authorization; None for another scheme, another algorithm, or where a part is missing."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "digest" or len(rest) > MOST_LETTERS:
        return None
    told = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}
    if told.get("algorithm", "MD5").upper() != "MD5" or told.get("qop", "auth") != "auth":
        return None
    if not all(told.get(name) for name in ("username", "realm", "nonce", "uri", "response")):
        return None
    if "qop" in told and not (told.get("nc") and told.get("cnonce")):
        return None
    return Answer(
        told["username"], told["realm"], told["nonce"], told["uri"], told["response"],
        told.get("qop", ""), told.get("nc", ""), told.get("cnonce", ""),
    )  # fmt: skip


def secret_of(username: str, realm: str, password: str) -> str:
    """What is kept instead of a password (HA1)."""
    return _md5(f"{username}:{realm}:{password}")


def proves(answer: Answer, method: str, secret: str) -> bool:
    """Whether who answered knows the password behind `secret`.

    The caller holds nonce, realm and uri against its own, and the count `nc` against the last one.
    """
    of_request = _md5(f"{method}:{answer.uri}")
    middle = f"{answer.nc}:{answer.cnonce}:{answer.qop}:" if answer.qop else ""
    wanted = _md5(f"{secret}:{answer.nonce}:{middle}{of_request}")
    return hmac.compare_digest(wanted.encode("ascii"), answer.response.lower().encode("utf-8", "replace"))


def _md5(written: str) -> str:
    return hashlib.md5(written.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
