"""Whether a device that registers is registered at this moment, and for whoever speaks from here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Registration:
    """When and from where a device registered, and when it last said something; None throughout: it is not."""

    at: datetime | None = None
    peer: str | None = None
    heard_at: datetime | None = None


class Standing(StrEnum):
    """How a device stands."""

    REGISTERED = "registered"
    NEVER = "not_registered"  # or it has unregistered
    SILENT = "silent"  # for longer than it may: it must register again
    ELSEWHERE = "elsewhere"  # registered, and from another address than this


def standing_of(
    registration: Registration, may_be_silent: timedelta | None, now: datetime, peer: str | None = None
) -> Standing:
    """How a device stands at `now`, and for a message from `peer` (None: wherever it is from).

    `may_be_silent` is three keep-alives; None: for ever. At the very end of it the device is registered still.
    """
    if registration.at is None or registration.heard_at is None:
        return Standing.NEVER
    if may_be_silent is not None and registration.heard_at < now - may_be_silent:
        return Standing.SILENT
    if peer is not None and peer != registration.peer:
        return Standing.ELSEWHERE
    return Standing.REGISTERED
