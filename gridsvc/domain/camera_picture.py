"""Pictures of cameras: which are taken in, from where they may be fetched, when they are asked for again.

Pure decisions; docs/cameras/pictures.md says them in words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit


class Dropped(StrEnum):
    """Why a picture that came with an event is not taken in, or nothing is left of it."""

    OF_EVENT = "too_many_of_event"
    OF_HOUR = "too_many_of_hour"
    WAITING = "too_many_waiting"
    NOT_LISTED = "host_not_listed"
    NOTHING_CAME = "nothing_came"  # its event was suppressed or rejected


class Refusal(StrEnum):
    """Why a picture is not to be had, or not yet."""

    NOT_A_PICTURE = "not_a_picture"
    NOT_LISTED = "host_not_listed"
    NO_GATEWAY = "no_gateway"
    ADDRESS = "address_refused"  # the name of the host stands for an address that it may not stand for
    REDIRECT = "redirect_refused"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    UNREACHABLE = "unreachable"
    BAD_ANSWER = "bad_answer"
    CREDENTIAL = "credential_sealed_otherwise"
    BREAKS = "breaks_its_worker"  # as often as it may be tried, the worker did not come back


FOR_EVER: Final = frozenset({
    Refusal.NOT_A_PICTURE, Refusal.NOT_LISTED, Refusal.NO_GATEWAY, Refusal.ADDRESS, Refusal.REDIRECT,
    Refusal.TOO_LARGE,
})  # fmt: skip
"""What asking again does not change."""


# -- which are taken in ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many pictures are taken in: a row of the city's data."""

    of_event: int
    of_hour: int
    waiting_bytes: int


@dataclass
class Room:
    """What is left: of the hour by camera (`taken` so far), of the bytes of all that waits."""

    taken: dict[str, int]
    waiting_bytes: int


def take_in(camera: str, sizes: Sequence[int | None], room: Room, limits: Limits) -> list[Dropped | None]:
    """Whether each picture of one event is taken in, in order: None, or why not. `room` is used up by it.

    A size is that of the bytes that came, 0 for an address that may be fetched, None for one that may not.
    """
    answers: list[Dropped | None] = []
    for size in sizes:
        why = _why_not(camera, size, sum(answer is None for answer in answers), room, limits)
        answers.append(why)
        if why is None:
            room.taken[camera] = room.taken.get(camera, 0) + 1
            room.waiting_bytes += size or 0
    return answers


def _why_not(camera: str, size: int | None, of_event: int, room: Room, limits: Limits) -> Dropped | None:
    if size is None:
        return Dropped.NOT_LISTED
    if of_event >= limits.of_event:
        return Dropped.OF_EVENT
    if room.taken.get(camera, 0) >= limits.of_hour:
        return Dropped.OF_HOUR
    if room.waiting_bytes + size > limits.waiting_bytes:
        return Dropped.WAITING
    return None


# -- from where --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Host:
    """A place from which pictures may be fetched.

    `networks`: addresses beside public ones that its name may stand for; `cameras`: see `whole_url`.
    """

    code: str
    scheme: str
    host: str
    port: int
    path_prefix: str
    networks: Sequence[str] = ()
    cameras: Sequence[str] = ()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


_PORTS: Final = {"http": 80, "https": 443}
_SPELLED: Final = re.compile(r"[!-\[\]-~]{1,2000}")
"""Visible ASCII without the backslash (RFC 3986 writes everything else with per cent signs)."""


def whole_url(url: str, camera: str, hosts: Sequence[Host]) -> tuple[str, Host] | None:
    """The address of a camera's picture with the host that may be asked for it; None: none may.

    An address without a host is of the host that names the camera. Of two that fit the longer prefix counts.
    """
    if url.startswith("/") and not url.startswith("//"):
        own = [host for host in hosts if camera in host.cameras]
        return next(((full, on) for host in own if (on := on_list(full := host.origin + url, [host]))), None)
    found = on_list(url, hosts)
    return (url, found) if found is not None else None


def on_list(url: str, hosts: Sequence[Host]) -> Host | None:
    """The host of the list that `url` is of; None for any other, for one with a user in it, or with dots for steps."""
    if not _SPELLED.fullmatch(url):  # readers of addresses differ in what they make of the rest
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.username is not None or parts.password is not None or not _plain(parts.path):
        return None
    fitting = [
        host
        for host in hosts
        if (parts.scheme, parts.hostname, port) == (host.scheme, host.host, host.port)
        and _below(parts.path or "/", host.path_prefix)
    ]
    return max(fitting, key=lambda host: len(host.path_prefix), default=None)


def _below(path: str, prefix: str) -> bool:
    return path.startswith(prefix) if prefix.endswith("/") else path == prefix or path.startswith(prefix + "/")


def _plain(path: str) -> bool:
    """No step up, however it is written: what lies below a prefix must stay below it."""
    return not {".", ".."} & set(unquote(unquote(path)).replace("\\", "/").split("/"))


def may_connect(address: str, host: Host) -> bool:
    """Whether the name of `host` may stand for this address: a public one, or one of its networks."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if any(found in ipaddress.ip_network(network) for network in host.networks):
        return True
    return found.is_global and not found.is_multicast and not _hides_another(found)


_WRAPPED: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


def _hides_another(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """An address of IPv6 that is a way to one of IPv4, which may be anybody's."""
    return any(address in network for network in _WRAPPED)


# -- again -------------------------------------------------------------------------------------------

_FIRST_WAIT: Final = timedelta(seconds=15)
LEASE: Final = timedelta(minutes=5)
"""How long a worker may be at one picture; then another tries."""


def ask_again_at(attempts: int, most: int, why: Refusal, now: datetime) -> datetime | None:
    """When a picture that was not to be had is tried again, after so many attempts; None: no more."""
    if why in FOR_EVER or attempts >= most:
        return None
    wait: timedelta = _FIRST_WAIT * 4 ** (attempts - 1)
    return now + wait


# -- until when --------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a picture is of: for so long it is kept."""

    OPEN = "open"  # of a case or a review that is open
    CLOSED = "closed"  # of a case that is over
    FALSE = "false"  # of a review that was judged false or a duplicate
    NOTHING = "nothing"  # nothing came of its event
    LOOK = "look"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a picture hangs on at this moment, and since when."""

    received_at: datetime
    look: bool = False
    case_over: bool | None = None  # None: it is of no case
    case_over_at: datetime | None = None
    reviewed: bool = False
    verdict: str | None = None
    verdict_at: datetime | None = None


@dataclass(frozen=True)
class Keeping:
    """Days by kind: a row of the city's data."""

    days: Mapping[Kind, int] = field(default_factory=dict)


LOOKED_AT_EVERY: Final = timedelta(days=1)


def kind_of(standing: Standing) -> tuple[Kind, datetime]:
    """What the picture is of, and since when its days count."""
    came = standing.received_at
    if standing.look:
        return Kind.LOOK, came
    if standing.case_over is not None:
        return (Kind.CLOSED, standing.case_over_at or came) if standing.case_over else (Kind.OPEN, came)
    if standing.verdict in ("false", "duplicate"):
        return Kind.FALSE, standing.verdict_at or came
    if standing.reviewed and standing.verdict is None:
        return Kind.OPEN, came
    return Kind.NOTHING, came


def look_again_at(standing: Standing, keeping: Keeping, now: datetime) -> datetime | Kind:
    """The kind by whose days the picture goes now; or when it is looked at again, at the latest in a day."""
    kind, since = kind_of(standing)
    until = since + timedelta(days=keeping.days[kind])
    return kind if until <= now else min(until, now + LOOKED_AT_EVERY)
