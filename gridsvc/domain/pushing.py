"""Web Push as a channel: where a phone may say it is reached, what it is told, and what becomes of a try.

A try is one row, however many phones the person has: it was sent where one of them took it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from gridsvc.domain.camera_picture import Host, may_connect
from gridsvc.domain.reaching import Outcome

CODE: Final = "push"

KEPT_FOR: Final = timedelta(hours=1)
"""How long a push service keeps a message for a phone that is off. Then other channels have long been tried."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""The most that a push service may have us wait."""

_PORTS: Final = {"http": 80, "https": 443}
_ANYWHERE: Final = ("0.0.0.0/0", "::/0")


def private_hosts(origins: str) -> tuple[Host, ...]:
    """The push services inside the city's network that GRIDSVC_PUSH_HOSTS names."""
    found = []
    for origin in origins.split():
        parts = urlsplit(origin)
        port = parts.port or _PORTS[parts.scheme]
        found.append(_host(parts.scheme, parts.hostname or "", port, _ANYWHERE))
    return tuple(found)


def host_of(endpoint: str, private: Sequence[Host]) -> Host | None:
    """The host that a phone's address may be asked at: a private one that is named, or any public one by https.

    None: it may not. What a name stands for is looked at again when it is connected to.
    """
    if not (endpoint.isascii() and endpoint.isprintable()) or {" ", "\\"} & set(endpoint):
        return None
    try:
        parts = urlsplit(endpoint)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or parts.fragment:
        return None
    asked = (parts.scheme, parts.hostname, port)
    for host in private:
        if asked == (host.scheme, host.host, host.port):
            return host
    if parts.scheme != "https" or port != 443:
        return None
    public = _host(*asked, ())
    spelled = parts.hostname.rpartition(".")[
        2
    ]  # a name's last part has a letter; else it is an address, however spelled
    is_address = ":" in parts.hostname or not spelled or spelled[0].isdigit()
    return public if not is_address or may_connect(parts.hostname, public) else None


def _host(scheme: str, host: str, port: int, networks: Sequence[str]) -> Host:
    return Host(code=CODE, scheme=scheme, host=host, port=port, path_prefix="/", networks=networks)


def said_of(kind: str, notice: UUID) -> bytes:
    """What a phone is told: which kind, and by which id it finds the notice. A push service is a stranger."""
    return json.dumps({"kind": kind, "id": str(notice)}).encode()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a push service answered for one phone; status 0: nothing, `said` says why. `refused`: nobody was asked."""

    status: int = 0
    said: str = ""
    refused: bool = False
    wait_until: datetime | None = None

    @property
    def took(self) -> bool:
        """It will bring it."""
        return 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The phone takes nothing any more: the app was removed, or the permission was."""
        return self.status in {404, 410}

    @property
    def later(self) -> bool:
        """It may take the same another time."""
        return not self.refused and (self.status in {0, 408, 425, 429} or self.status >= 500)


def outcome_of(answers: Sequence[Answer]) -> Outcome:
    """Of one try at all phones of a person: sent where one took it; else tried again where one may later."""
    for each in answers:
        if each.took:
            return Outcome(said=str(each.status), good=True)
    later = [each for each in answers if each.later]
    if later:
        waits = [each.wait_until for each in later if each.wait_until is not None]
        return Outcome(said=_of(later[0]), not_before=max(waits, default=None))
    return Outcome(said=_of(answers[0]) if answers else "no phone", hopeless=True)


def _of(answer: Answer) -> str:
    return str(answer.status) if answer.status else answer.said


def wait_until(header: str | None, now: datetime) -> datetime | None:
    """Until when Retry-After has us wait (seconds, or a date of HTTP), at most LONGEST_WAIT; None: it says nothing."""
    if header is None:
        return None
    bare = header.strip()
    if bare.isascii() and bare.isdigit():
        return now + min(timedelta(seconds=min(int(bare[:9]), 86_400)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(bare)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(at, now + LONGEST_WAIT) if at > now else None
