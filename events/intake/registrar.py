"""How a REGISTER of GB/T 28181 is judged: challenged, refused, or proven. Pure: nonces and moments are the caller's.

The secret is proven by HTTP digest (RFC 3261, 22; RFC 2617). The account's name is the device's code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from events.intake import digest
from events.intake.nonce import born_at
from events.intake.sip import Message

NONCE: Final = timedelta(minutes=5)
"""How long a challenge may be answered."""

LEAST_S: Final = 60
MOST_S: Final = 86_400
USUAL_S: Final = 3_600  # where a device names no time (RFC 3261, 10.2.1.1)

_CONTACT: Final = re.compile(r";\s{0,4}expires\s{0,4}=\s{0,4}([0-9]{1,10})", re.ASCII | re.IGNORECASE)
_SECONDS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True)
class Use:
    """The last answer that was taken: its nonce, and how often that nonce was used by then."""

    nonce: str
    count: int


@dataclass(frozen=True)
class Challenge:
    """Nothing is proven. `stale`: only the nonce is too old or used up, so the same secret may be tried again."""

    stale: bool = False


@dataclass(frozen=True)
class Denied:
    """It is refused; another try with the same words would be, too."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Proven:
    """The device knows its secret. `seconds` is for how long it registers, 0 to end its registration."""

    seconds: int
    use: Use


def judge(
    request: Message, password: str, realm: str, key: bytes, last: Use | None, now: datetime
) -> Challenge | Denied | Proven:
    """What to answer to a REGISTER of a known device; `key` is what our nonces are made with."""
    told = request.first("authorization")
    if not told:
        return Challenge()
    answer = digest.read_answer(told)
    if answer is None or answer.realm != realm or answer.uri != request.uri:
        return Challenge()
    born = born_at(key, answer.nonce)
    if born is None:
        return Challenge(stale=True)
    if answer.username != request.sender:
        return Denied(403, "Forbidden")
    if not digest.proves(answer, request.method, digest.secret_of(answer.username, realm, password)):
        return Denied(403, "Forbidden")
    use = Use(answer.nonce, _count(answer))
    if born < now - NONCE or (last is not None and last.nonce == use.nonce and use.count <= last.count):
        return Challenge(stale=True)
    seconds = _seconds(request)
    if seconds is None:
        return Denied(400, "Bad Request")
    if 0 < seconds < LEAST_S:
        return Denied(423, "Interval Too Brief", (("Min-Expires", str(LEAST_S)),))
    return Proven(min(seconds, MOST_S), use)


def _count(answer: digest.Answer) -> int:
    """How often the nonce was used; an answer without a count uses it up at once."""
    try:
        return int(answer.nc, 16) if answer.qop else 0
    except ValueError:
        return 0


def _seconds(request: Message) -> int | None:
    """What the device wishes for: of Contact before Expires; None for what is no number."""
    of_contact = _CONTACT.search(request.first("contact"))
    said = of_contact[1] if of_contact else request.first("expires")
    if not said:
        return USUAL_S
    return int(said) if _SECONDS.fullmatch(said) else None
