"""How a phone says that what it sends was done before: three headers of a write (docs/rules/offline.md)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from aiohttp import web

from gridsvc.domain.captured import Claimed
from gridsvc.errors import BadRequest

CAPTURED_AT: Final = "Captured-At"
CLOCK_SKEW: Final = "Clock-Skew-Ms"
LAST_CONTACT: Final = "Last-Contact"

_CENTURY: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_MS: Final = re.compile(r"^-?[0-9]{1,12}$")


def captured_of(request: web.Request) -> Claimed | None:
    """When the caller did what he sends, by his phone's clock; None where it is sent as it is done.

    Raises BadRequest for a header that cannot be read, and for one of the other two without Captured-At.
    """
    at = _moment(request, CAPTURED_AT)
    skew, contact = request.headers.get(CLOCK_SKEW), _moment(request, LAST_CONTACT)
    if at is None:
        if skew is not None or contact is not None:
            raise BadRequest(
                f"{CLOCK_SKEW} and {LAST_CONTACT} say more of {CAPTURED_AT}, which is missing",
                field=CAPTURED_AT, wanted="RFC 3339 with an offset, by the phone's clock",
            )  # fmt: skip
        return None
    if skew is not None and not _MS.match(skew):
        raise BadRequest(
            f"{CLOCK_SKEW} is {skew[:80]!r}; want whole milliseconds, server minus phone",
            field=CLOCK_SKEW, given=skew[:80], wanted="whole milliseconds, server minus phone",
        )  # fmt: skip
    return Claimed(at=at, skew=None if skew is None else timedelta(milliseconds=int(skew)), last_contact=contact)


def _moment(request: web.Request, name: str) -> datetime | None:
    text = request.headers.get(name)
    if text is None:
        return None
    try:
        at = msgspec.convert(text.strip(), datetime)
    except msgspec.ValidationError:
        at = None
    if at is None or at.tzinfo is None or not _CENTURY[0] <= at < _CENTURY[1]:
        raise BadRequest(
            f"{name} is {text[:80]!r}; want a moment of this century with its offset",
            field=name, given=text[:80], wanted="RFC 3339 with an offset, from 2000 to 2099",
        )  # fmt: skip
    return at
